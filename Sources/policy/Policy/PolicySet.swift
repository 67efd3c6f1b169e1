// SPDX-License-Identifier: Apache-2.0
internal import Net

/// All documents together: every name once, every address claimed once in a zone, and everything that is named declared.
///
/// Without a `Zone` document, and without a configuration that places zones, there is one implicit zone: the zones that a workload
/// names all mean that one, and a term may name none, because it would match where nobody meant it to.
public struct PolicySet: Sendable {
    /// Zones by name.
    public internal(set) var zones: [String: Zone] = [:]
    /// Namespaces by name; those that objects only name have the native defaults, or, where only imported objects name them, the
    /// imported ones.
    public internal(set) var namespaces: [String: Namespace] = [:]
    /// Accounts by name, those that are declared.
    public internal(set) var serviceAccounts: [ObjectName: ServiceAccount] = [:]
    /// Workloads in the order of their names.
    public internal(set) var workloads: [Workload] = []
    /// Address sets in the order of their names.
    public internal(set) var addressSets: [AddressSet] = []
    /// Entities by name, those that documents define.
    public internal(set) var entities: [String: Entity] = [:]
    /// Tiers by name, the built-in one among them.
    public internal(set) var tiers: [String: Tier] = [Tier.defaultName: .builtIn]
    /// Policies in the order in which they judge: by layer, by tier, by order, by name. The terms in them carry the entities' terms.
    public internal(set) var policies: [Policy] = []

    /// An empty set.
    public init() {}

    /// A set of documents, in whatever order they come. Throws for what contradicts what. Single addresses of workloads that are
    /// `registered`, which is said by name, may be claimed by others as well: that is no contradiction but makes them contested.
    public init(
        _ documents: [Document], registered: (ObjectName) -> Bool = { _ in false }
    ) throws(PolicyError) {
        var faults = enter(documents)
        for document in documents where !document.isInventoried { nameNamespace(document) }
        for document in documents where document.isInventoried {
            if let name = document.name.namespace, namespaces[name] == nil { namespaces[name] = Namespace(name: name) }
        }
        workloads.sort { $0.name < $1.name }
        addressSets.sort { $0.name < $1.name }
        faults += resolveEntities()
        faults += tierFaults() + accountFaults() + (hasZones ? zoneFaults() : []) + claimFaults(registered)
        if let error = PolicyError(faults) { throw error }
        let places = Dictionary(uniqueKeysWithValues: orderedTiers.enumerated().map { ($1.name, $0) })
        policies.sort { a, b in a.tier != b.tier ? places[a.tier] ?? 0 < places[b.tier] ?? 0 : a.comes(before: b) }
    }

    /// The set with other workloads: each name has what it is now, or nothing where it is gone.
    public func changing(_ changes: [ObjectName: Workload?]) -> PolicySet {
        guard !changes.isEmpty else { return self }
        var copy = self
        copy.workloads.removeAll { changes[$0.name] != nil }
        copy.workloads += changes.values.compactMap { $0 }
        copy.workloads.sort { $0.name < $1.name }
        return copy
    }

    /// The set without its workloads: what rules and sets say, for whoever keeps it and asks for workloads elsewhere.
    public var withoutWorkloads: PolicySet {
        var copy = self
        copy.workloads = []
        return copy
    }

    /// Enters every document under its name; says which names are there twice.
    private mutating func enter(_ documents: [Document]) -> [PolicyError] {
        // Where in the list the first of each name is: a set of a million workloads would feel a dictionary of places.
        var seen: [String: [ObjectName: Int]] = [:]
        var faults: [PolicyError] = []
        workloads.reserveCapacity(documents.count)
        for (index, document) in documents.enumerated() {
            if let earlier = seen[document.kind]?[document.name] {
                faults.append(
                    PolicyError(
                        document.place,
                        "\(document.kind) \"\(document.name)\" is there twice; the first one is at \(documents[earlier].place)",
                        remedy: "rename one of them or remove it"))
                continue
            }
            seen[document.kind, default: [:]][document.name] = index
            switch document {
            case .zone(let zone): zones[zone.name] = zone
            case .namespace(let namespace): namespaces[namespace.name] = namespace
            case .serviceAccount(let account): serviceAccounts[account.name] = account
            case .workload(let workload): workloads.append(workload)
            case .addressSet(let set): addressSets.append(set)
            case .entity(let entity): entities[entity.name] = entity
            case .tier(let tier):
                if tier.name == Tier.defaultName {
                    faults.append(
                        PolicyError(tier.place, "the tier \"default\" is built in", remedy: "give yours another name"))
                } else {
                    tiers[tier.name] = tier
                }
            case .policy(let policy): policies.append(policy)
            }
        }
        return faults
    }

    /// A namespace that a document names is there; it counts as imported while only imported documents name it.
    private mutating func nameNamespace(_ document: Document) {
        guard let name = document.name.namespace else { return }
        guard let known = namespaces[name] else {
            namespaces[name] = document.isImported ? .imported(name) : Namespace(name: name)
            return
        }
        let isOnlyNamed = known.place == .nowhere
        if isOnlyNamed && known.isImported && !document.isImported { namespaces[name] = Namespace(name: name) }
    }

    /// Whether zones tell anything apart.
    public var hasZones: Bool { !zones.isEmpty }

    /// The zones in which a workload may appear; empty for any.
    public func zones(of workload: Workload) -> [String] { hasZones ? workload.zones : [] }

    /// Every zone's name, the implicit one first.
    public var zoneNames: [String] { [Zone.implicit] + zones.keys.filter { $0 != Zone.implicit }.sorted() }

    /// The tiers in the order in which they judge: layer by layer, and in a layer by order, then by name.
    public var orderedTiers: [Tier] {
        Tier.Layer.allCases.flatMap { layer in
            tiers.values.filter { $0.layer == layer }.sorted { $0.comes(before: $1) }
        }
    }

    /// The labels that namespace selectors see; `nil` for a workload without a namespace.
    public func namespaceLabels(of workload: Workload) -> [String: String]? {
        workload.name.namespace.flatMap { namespaces[$0]?.allLabels }
    }

    /// What a workload gets in a direction where no policy isolates it.
    public func defaultSetting(of namespace: String?, _ direction: Rule.Direction) -> Setting {
        namespace.flatMap { namespaces[$0] }?.setting(direction) ?? .deny
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
        if let error = PolicyError(copy.zoneFaults()) { throw error }
        return copy
    }
}
