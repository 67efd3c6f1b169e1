// SPDX-License-Identifier: Apache-2.0

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
    /// Whether it comes from a foreign dialect, by a document of its own or because only imported objects name it.
    public var isImported: Bool
    /// Where it is written.
    public var place: Place

    /// The label that every namespace has, with its own name as value.
    public static let nameLabel = "kubernetes.io/metadata.name"

    /// A namespace; a native one denies by default.
    public init(
        name: String, labels: [String: String] = [:], ingress: Setting = .deny, egress: Setting = .deny,
        isImported: Bool = false, place: Place = .nowhere
    ) {
        self.name = name
        self.labels = labels
        self.ingress = ingress
        self.egress = egress
        self.isImported = isImported
        self.place = place
    }

    /// A namespace as Kubernetes has it: everything is allowed that no policy isolates.
    public static func imported(_ name: String, labels: [String: String] = [:], place: Place = .nowhere) -> Namespace {
        Namespace(name: name, labels: labels, ingress: .allow, egress: .allow, isImported: true, place: place)
    }

    /// The labels that namespace selectors see.
    public var allLabels: [String: String] { labels.merging([Self.nameLabel: name]) { own, _ in own } }

    /// The default of a direction.
    public func setting(_ direction: Rule.Direction) -> Setting { direction == .ingress ? ingress : egress }
}

/// An account that workloads run as: it has labels of its own, which selectors of accounts see.
public struct ServiceAccount: Sendable {
    /// Its name; global where it has no namespace.
    public var name: ObjectName
    /// Its labels.
    public var labels: [String: String]
    /// Whether it comes from a foreign dialect.
    public var isImported: Bool
    /// Where it is written.
    public var place: Place

    /// An account.
    public init(name: ObjectName, labels: [String: String] = [:], isImported: Bool = false, place: Place = .nowhere) {
        self.name = name
        self.labels = labels
        self.isImported = isImported
        self.place = place
    }
}
