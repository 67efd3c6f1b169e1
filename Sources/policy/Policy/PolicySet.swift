// SPDX-License-Identifier: Apache-2.0
internal import Net

/// One object of a document set.
public enum Document: Sendable {
    /// A zone.
    case zone(Zone)
    /// A workload.
    case workload(Workload)
    /// A namespace.
    case namespace(Namespace)
    /// A policy.
    case policy(Policy)
}

/// All documents together: every name once, every address claimed once in a zone, every zone that is named declared.
///
/// Without a `Zone` document, and without a configuration that places zones, there is one implicit zone: the zones that a workload
/// names all mean that one, and a term may name none, because it would match where nobody meant it to.
public struct PolicySet: Sendable {
    /// Zones by name.
    public private(set) var zones: [String: Zone] = [:]
    /// Namespaces by name; those that objects only name have the native defaults.
    public private(set) var namespaces: [String: Namespace] = [:]
    /// Workloads in the order of their names.
    public private(set) var workloads: [Workload] = []
    /// Policies in the order in which they judge.
    public private(set) var policies: [Policy] = []

    /// An empty set.
    public init() {}

    /// A set of documents, in whatever order they come. Throws for the first of them that contradicts another.
    public init(_ documents: [Document]) throws(PolicyError) {
        var workloadNames: [ObjectName: Place] = [:]
        var policyNames: [ObjectName: Place] = [:]
        for document in documents {
            switch document {
            case .zone(let zone):
                try Self.once("Zone", zone.name, zones[zone.name]?.place, zone.place)
                zones[zone.name] = zone
            case .namespace(let namespace):
                try Self.once("Namespace", namespace.name, namespaces[namespace.name]?.place, namespace.place)
                namespaces[namespace.name] = namespace
            case .workload(let workload):
                try Self.once("Workload", workload.name.description, workloadNames[workload.name], workload.place)
                workloadNames[workload.name] = workload.place
                workloads.append(workload)
            case .policy(let policy):
                try Self.once("Policy", policy.name.description, policyNames[policy.name], policy.place)
                policyNames[policy.name] = policy.place
                policies.append(policy)
            }
        }
        for name in (workloads.map(\.name) + policies.map(\.name)).compactMap(\.namespace) where namespaces[name] == nil {
            namespaces[name] = Namespace(name: name)
        }
        workloads.sort { $0.name < $1.name }
        policies.sort { $0.comes(before: $1) }
        if hasZones { try checkZones() }
        try checkClaims()
    }

    private static func once(_ kind: String, _ name: String, _ earlier: Place?, _ place: Place) throws(PolicyError) {
        guard let earlier else { return }
        throw PolicyError(
            place, "\(kind) \"\(name)\" is there twice; the first one is at \(earlier)", remedy: "rename one of them or remove it"
        )
    }

    /// Whether zones tell anything apart.
    public var hasZones: Bool { !zones.isEmpty }

    /// The zones in which a workload may appear; empty for any.
    public func zones(of workload: Workload) -> [String] { hasZones ? workload.zones : [] }

    /// Every zone's name, the implicit one first.
    public var zoneNames: [String] { [Zone.implicit] + zones.keys.filter { $0 != Zone.implicit }.sorted() }

    /// The labels that namespace selectors see; `nil` for a workload without a namespace.
    public func namespaceLabels(of workload: Workload) -> [String: String]? {
        workload.name.namespace.flatMap { namespaces[$0]?.allLabels }
    }

    /// What a workload gets in a direction where no policy isolates it.
    public func defaultSetting(of namespace: String?, _ direction: Rule.Direction) -> Setting {
        guard let namespace = namespace.flatMap({ namespaces[$0] }) else { return .deny }
        return direction == .ingress ? namespace.ingress : namespace.egress
    }

    /// What traffic between two zones gets that no side judges.
    public func unjudged(from source: String, to destination: String) -> Setting {
        guard let zone = zones[source] else { return .deny }
        return zone.unjudged[destination] ?? zone.unjudgedElsewhere
    }

    /// The set as an appliance sees it that places these zones: where no document declares any, the placed ones are declared thereby.
    /// Throws where a workload, a term or a zone names one that does not exist.
    public func placing(zones placed: [String]) throws(PolicyError) -> PolicySet {
        var copy = self
        if !hasZones {
            for name in placed where name != Zone.implicit { copy.zones[name] = Zone(name: name) }
        }
        try copy.checkZones()
        return copy
    }

    private func checkZones() throws(PolicyError) {
        func check(_ names: [String], _ place: Place, _ who: String) throws(PolicyError) {
            for name in names where zones[name] == nil && name != Zone.implicit {
                throw PolicyError(
                    place, "\(who) names zone \"\(name)\", which no Zone document declares",
                    remedy: Spelling.remedy(name, among: Array(zones.keys)) ?? "declare it or leave it out")
            }
        }
        for zone in zones.values.sorted(by: { $0.name < $1.name }) {
            try check(zone.unjudged.keys.sorted(), zone.place, "Zone \"\(zone.name)\"")
        }
        for workload in workloads where hasZones { try check(workload.zones, workload.place, "Workload \"\(workload.name)\"") }
        for policy in policies {
            try check(policy.subject.zones ?? [], policy.place, "Policy \"\(policy.name)\"")
            for rule in policy.rules {
                try check(
                    rule.peers.flatMap { $0.zones ?? [] }, rule.place, "rule \"\(rule.label)\" of Policy \"\(policy.name)\"")
            }
        }
    }

    /// Two workloads that claim the same address, or the same block, in one zone contradict each other.
    private func checkClaims() throws(PolicyError) {
        var claims: [Prefix: [Workload]] = [:]
        for workload in workloads {
            for prefix in Set(workload.addresses) { claims[prefix, default: []].append(workload) }
        }
        for (prefix, claimants) in claims.sorted(by: { $0.key.description < $1.key.description }) where claimants.count > 1 {
            for (index, later) in claimants.enumerated() {
                for earlier in claimants[..<index] where meet(zones(of: earlier), zones(of: later)) {
                    throw PolicyError(
                        later.place,
                        "Workload \"\(later.name)\" claims \(prefix.isHost ? "\(prefix.address)" : "\(prefix)"), "
                            + "which \"\(earlier.name)\" at \(earlier.place) claims too",
                        remedy: "give it to one of them, or tell them apart by zones")
                }
            }
        }
    }

    /// Whether two lists of zones, of which an empty one means any, have a zone in common.
    private func meet(_ a: [String], _ b: [String]) -> Bool { a.isEmpty || b.isEmpty || !Set(a).isDisjoint(with: b) }
}
