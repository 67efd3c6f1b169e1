// SPDX-License-Identifier: Apache-2.0
public import Net

/// The name of an object: in a namespace, or global.
public struct ObjectName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The namespace; `nil` for what is global.
    public var namespace: String?
    /// The name in it.
    public var name: String

    /// A name, global unless a namespace is given.
    public init(_ name: String, namespace: String? = nil) {
        self.name = name
        self.namespace = namespace
    }

    /// `namespace/name`, or the name alone.
    public var description: String { namespace.map { "\($0)/\(name)" } ?? name }

    /// By name, then by namespace, which is how policies of equal order are ordered.
    public static func < (a: ObjectName, b: ObjectName) -> Bool {
        a.name != b.name ? a.name < b.name : (a.namespace ?? "") < (b.namespace ?? "")
    }
}

/// What holds where no policy says otherwise.
public enum Setting: String, Sendable, CaseIterable {
    /// Denied.
    case deny
    /// Let through, and reported as what would have been denied.
    case audit
    /// Let through.
    case allow
}

/// A place with a name; each appliance's configuration maps it to port, VLANs and tunnel.
public struct Zone: Sendable {
    /// Its name.
    public var name: String
    /// Its labels.
    public var labels: [String: String]
    /// What traffic from this zone gets that no side judges, by the destination's zone.
    public var unjudged: [String: Setting]
    /// What it gets towards zones that `unjudged` does not name.
    public var unjudgedElsewhere: Setting
    /// Where it is written.
    public var place: Place

    /// The name of the implicit zone.
    public static let implicit = "default"

    /// A zone.
    public init(
        name: String, labels: [String: String] = [:], unjudged: [String: Setting] = [:], unjudgedElsewhere: Setting = .deny,
        place: Place = .nowhere
    ) {
        self.name = name
        self.labels = labels
        self.unjudged = unjudged
        self.unjudgedElsewhere = unjudgedElsewhere
        self.place = place
    }
}

/// A thing on the network that is known by its labels.
public struct Workload: Sendable {
    /// Its name; global where it has no namespace.
    public var name: ObjectName
    /// Its labels.
    public var labels: [String: String]
    /// The account it runs as, in its namespace.
    public var serviceAccount: String?
    /// Addresses that are its own: hosts, or blocks.
    public var addresses: [Prefix]
    /// Zones it may appear in; any where empty.
    public var zones: [String]
    /// Its own names for services.
    public var services: [String: ServiceRange]
    /// Where it is written.
    public var place: Place

    /// A workload.
    public init(
        name: ObjectName, labels: [String: String] = [:], serviceAccount: String? = nil, addresses: [Prefix] = [],
        zones: [String] = [], services: [String: ServiceRange] = [:], place: Place = .nowhere
    ) {
        self.name = name
        self.labels = labels
        self.serviceAccount = serviceAccount
        self.addresses = addresses
        self.zones = zones
        self.services = services
        self.place = place
    }
}

/// A namespace: its labels, and what its workloads get in each direction where no policy isolates them.
public struct Namespace: Sendable {
    /// Its name.
    public var name: String
    /// Its labels, without the one that every namespace has.
    public var labels: [String: String]
    /// The default for connections to its workloads.
    public var ingress: Setting
    /// The default for connections from its workloads.
    public var egress: Setting
    /// Where it is written.
    public var place: Place

    /// The label that every namespace has, with its own name as value.
    public static let nameLabel = "kubernetes.io/metadata.name"

    /// A namespace; a native one denies by default.
    public init(
        name: String, labels: [String: String] = [:], ingress: Setting = .deny, egress: Setting = .deny, place: Place = .nowhere
    ) {
        self.name = name
        self.labels = labels
        self.ingress = ingress
        self.egress = egress
        self.place = place
    }

    /// The labels that namespace selectors see.
    public var allLabels: [String: String] { labels.merging([Self.nameLabel: name]) { own, _ in own } }
}
