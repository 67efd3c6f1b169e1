// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Net
internal import Policy

/// Label sets that no policy can tell apart.
struct LabelClass: Hashable {
    /// The label terms that match, ascending.
    var terms: [Int]
    /// What its workloads get where nothing isolates them.
    var ingress: Setting
    var egress: Setting
    /// Those of its named services that some rule names.
    var services: [String: ServiceRange]
    /// The one workload that it belongs to, where it is one's alone.
    var owner: LabelSet.Owner
}

/// What a set says about addresses, before any rule is judged: label classes, prefixes, zones, and the classes that they make.
struct Facts {
    let set: PolicySet
    /// Label classes, and the class of each label set.
    private(set) var labelClasses: [LabelClass] = []
    private(set) var classOfLabelSet: [Int] = []
    /// Label classes that each label term matches.
    private(set) var matched: [[Int]] = []
    private(set) var termNumbers: [LabelTerm: Int] = [:]
    let tree: PrefixTree
    /// For each prefix node the nearest of `space.knownNodes` at or above it, as an index of them.
    let knownNode: [Int]
    /// The zones that are kept apart, by number in the image; the place in the list, from 1, is the zone of a class.
    let zones: [ZoneNumber]
    /// The zone of a class for each zone's name that is kept apart.
    let zonePlaces: [String: Int]
    /// Who claims each node as a block: the label class of the claimant, by the zones it holds in (empty: any).
    private(set) var claims: [Int: [(labels: Int, zones: [ZoneNumber])]] = [:]
    let space: ClassSpace

    init(_ set: PolicySet, _ inventory: Inventory, limits: CompileLimits) throws(CompileError) {
        self.set = set
        let terms = set.policies.flatMap { policy in
            [(policy.subject, policy.name.namespace, true)]
                + policy.rules.flatMap { rule in rule.peers.map { ($0, policy.name.namespace, false) } }
        }
        let owners = set.workloads.filter { $0.addresses.contains { !$0.isHost } }
        let blocks = Set(owners.flatMap(\.addresses).filter { !$0.isHost })
        let named = Named(terms, set, owners: owners, blocks: blocks)
        let sorted = named.zones.compactMap { name in inventory.zone(name).map { (name, $0) } }.sorted { $0.1 < $1.1 }
        zones = sorted.map(\.1)
        zonePlaces = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($1.0, $0 + 1) })
        tree = PrefixTree(named.prefixes)
        let known = Set(named.forWorkloads.map { [tree] in tree.node(of: $0) })
        let knownNodes = [0] + known.subtracting([0]).sorted()
        let places = Dictionary(uniqueKeysWithValues: knownNodes.enumerated().map { ($1, $0) })
        var nearest = [0]
        for node in 1..<max(1, tree.count) { nearest.append(places[node] ?? nearest[tree.parents[node]]) }
        knownNode = nearest

        let classes = Self.labelClasses(set, inventory, terms)
        (labelClasses, classOfLabelSet, matched, termNumbers) = classes
        let count = tree.count * (zones.count + 1) + labelClasses.count * knownNodes.count * (zones.count + 1) + 2
        guard count <= limits.classes else {
            throw .capacity(what: "classes (labels by prefixes by zones)", needed: count, limit: limits.classes)
        }
        space = ClassSpace(
            labelClasses: labelClasses.count, nodes: tree.count, knownNodes: knownNodes, zones: zones.count + 1)
        var copy = inventory
        for owner in owners {
            let labels = classOfLabelSet[Int(copy.number(of: LabelSet(of: owner, blocks: true)))]
            let numbers = set.zones(of: owner).compactMap { inventory.zone($0) }
            for block in Set(owner.addresses) where !block.isHost {
                claims[tree.node(of: block), default: []].append((labels, numbers))
            }
        }
    }

    /// The prefixes and zones that a set tells apart.
    private struct Named {
        /// All prefixes, blocks of workloads included.
        var prefixes: Set<Prefix>
        /// Those that tell workloads apart.
        var forWorkloads: Set<Prefix> = []
        /// Zones by name.
        var zones: Set<String> = []

        init(_ terms: [(Term, String?, Bool)], _ set: PolicySet, owners: [Workload], blocks: Set<Prefix>) {
            prefixes = blocks
            for (term, _, isSubject) in terms {
                let named = (term.cidrs ?? []) + (term.notCIDRs ?? [])
                prefixes.formUnion(named)
                let reachesWorkloads = isSubject || (term.entities?.contains { $0.contains(isKnown: true) } ?? true)
                if reachesWorkloads { forWorkloads.formUnion(named) }
                zones.formUnion(term.zones ?? [])
            }
            // A block that is claimed in some zones only has another owner in the rest, so each block must be told apart.
            let ownersZones = owners.flatMap { set.zones(of: $0) }
            if !ownersZones.isEmpty { forWorkloads.formUnion(blocks) }
            zones.formUnion(ownersZones)
        }
    }

    private typealias Classes = (
        classes: [LabelClass], ofSet: [Int], matched: [[Int]], numbers: [LabelTerm: Int]
    )

    /// Groups the label sets by what all policies' terms say of them.
    private static func labelClasses(
        _ set: PolicySet, _ inventory: Inventory, _ terms: [(Term, String?, Bool)]
    ) -> Classes {
        let index = LabelIndex(inventory.labelSets)
        var numbers: [LabelTerm: Int] = [:]
        var signatures = [[Int]](repeating: [], count: inventory.labelSets.count)
        for (term, scope, isSubject) in terms {
            let labels = LabelTerm(term, scope: scope, isSubject: isSubject)
            guard !labels.isEmpty, numbers[labels] == nil else { continue }
            numbers[labels] = numbers.count
            for labelSet in index.matches(labels, set) { signatures[labelSet].append(numbers.count - 1) }
        }
        let names = Set(
            set.policies.flatMap(\.rules).flatMap { ($0.services?.names ?? []) + ($0.notServices?.names ?? []) })
        var classes: [LabelClass] = []
        var known: [LabelClass: Int] = [:]
        var ofSet: [Int] = []
        for (number, labelSet) in inventory.labelSets.enumerated() {
            let labelClass = LabelClass(
                terms: signatures[number], ingress: set.defaultSetting(of: labelSet.namespace, .ingress),
                egress: set.defaultSetting(of: labelSet.namespace, .egress),
                services: labelSet.services.filter { names.contains($0.key) }, owner: labelSet.owner)
            if known[labelClass] == nil {
                known[labelClass] = classes.count
                classes.append(labelClass)
            }
            ofSet.append(known[labelClass] ?? 0)
        }
        var matched = [[Int]](repeating: [], count: numbers.count)
        for (number, labelClass) in classes.enumerated() {
            for term in labelClass.terms { matched[term].append(number) }
        }
        return (classes, ofSet, matched, numbers)
    }

    /// The class of an address without a host's claim, at a prefix node, in a zone of the class space: the nearest block that some
    /// workload claims there, else nobody.
    func prefixClass(node: Int, zone: Int) -> ClassNumber {
        var next = node
        while next > 0 {
            let holder = claims[next]?.first { claim in
                claim.zones.isEmpty || (zone > 0 && claim.zones.contains(zones[zone - 1]))
            }
            if let holder { return space.known(labels: holder.labels, knownNode: knownNode[node], zone: zone) }
            next = tree.parents[next]
        }
        return space.outside(node: node, zone: zone)
    }
}
