// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Net
internal import Policy

/// Label sets that no policy can tell apart.
struct LabelClass: Hashable {
    /// The label terms that it answers with yes, ascending.
    var terms: [Int]
    /// What its workloads get where nothing isolates them.
    var ingress: Setting
    var egress: Setting
    /// Those of its named services that some rule names.
    var services: [String: ServiceRange]
    /// The one workload that it belongs to, where it is one's alone.
    var owner: LabelSet.Owner

    /// What its workloads get in a direction.
    func end(_ direction: Rule.Direction) -> Setting { direction == .ingress ? ingress : egress }
}

/// What a set says about addresses, before any rule is judged: label classes, prefixes and zones.
struct Facts {
    let set: PolicySet
    let failsafe: Failsafe
    let terms: Terms
    /// Label classes, and the class of each label set.
    let labelClasses: [LabelClass]
    let classOfLabelSet: [Int]
    let tree: PrefixTree
    /// The zones that are kept apart, by number in the image; the place in the list, from 1, is the zone of a class.
    let zones: [ZoneNumber]
    /// Who claims each node as a block: the label class of the claimant, by the zones it holds in (empty: any).
    private(set) var claims: [Int: [(labels: Int, zones: [ZoneNumber])]] = [:]
    /// Nodes that must tell workloads apart, whatever the rules say.
    let splittingNodes: [Int]
    let boxes: BoxMaker

    init(_ set: PolicySet, _ inventory: Inventory, _ failsafe: Failsafe) {
        self.set = set
        self.failsafe = failsafe
        terms = Terms(set.policies)
        let owners = set.workloads.filter { $0.addresses.contains { !$0.isHost } }
        let named = Named(set, terms, owners: owners, failsafe)
        let sorted = named.zones.compactMap { name in inventory.zone(name).map { (name, $0) } }.sorted { $0.1 < $1.1 }
        zones = sorted.map(\.1)
        tree = PrefixTree(named.prefixes)
        let atoms = Self.atoms(set, terms)
        let classes = Self.labelClasses(set, inventory, atoms)
        (labelClasses, classOfLabelSet) = (classes.classes, classes.ofSet)
        boxes = BoxMaker(
            set: set, tree: tree, matched: classes.matched, labelClasses: classes.classes.count,
            zonePlaces: Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($1.0, $0 + 1) }),
            onLink: sorted.enumerated().filter { set.zones[$0.element.0]?.onLink ?? false }.map { $0.offset + 1 },
            zoneCount: sorted.count + 1, host: failsafe.addresses)
        splittingNodes = named.splitsBlocks ? named.blocks.map { [tree] in tree.node(of: $0) } : []
        for owner in owners {
            guard let labelSet = inventory.number(ifAny: LabelSet(of: owner, blocks: true)) else { continue }
            let labels = classOfLabelSet[Int(labelSet)]
            let numbers = set.zones(of: owner).compactMap { inventory.zone($0) }
            for block in Set(owner.addresses) where !block.isHost {
                claims[tree.node(of: block), default: []].append((labels, numbers))
            }
        }
    }

    /// The space of all classes, once the boxes of all rules are known: they say which prefixes tell workloads apart.
    func space(_ boxes: [[Box]], _ limits: CompileLimits) throws(CompileError) -> ClassSpace {
        var nodes = Set(splittingNodes)
        for box in boxes.joined() where box.known != .none { nodes.formUnion(box.nodes.marks(tree).map(\.node)) }
        let known = [0] + nodes.subtracting([0]).sorted()
        var within: [Int: [Int]] = [:]
        for (node, claimants) in claims {
            for claimant in claimants { within[claimant.labels, default: []] += places(known, at: node) }
        }
        for labels in within.keys { within[labels] = Set(within[labels] ?? []).union([0]).sorted() }
        let space = ClassSpace(
            labelClasses: labelClasses.count, nodes: tree.count, knownNodes: known, zones: zones.count + 1, within: within)
        guard space.count <= limits.classes else {
            throw .capacity(what: "classes (labels by prefixes by zones)", needed: space.count, limit: limits.classes)
        }
        return space
    }

    /// The places in a list of nodes that lie inside a node, or around it.
    private func places(_ known: [Int], at node: Int) -> [Int] {
        var (low, high) = (0, known.count)
        while low < high {
            let middle = (low + high) / 2
            if known[middle] < node { low = middle + 1 } else { high = middle }
        }
        var found: [Int] = []
        var next = low
        while next < known.count, known[next] < tree.ends[node] {
            found.append(next)
            next += 1
        }
        var around = node
        while around > 0 {
            around = tree.parents[around]
            if let place = known.place(of: around) { found.append(place) }
        }
        return found
    }

    /// Every question that terms ask of label sets, each once.
    private static func atoms(_ set: PolicySet, _ terms: Terms) -> [LabelTerm] {
        var seen: Set<LabelTerm> = []
        var atoms: [LabelTerm] = []
        func add(_ atom: LabelTerm) { if seen.insert(atom).inserted { atoms.append(atom) } }
        for scoped in terms.all { LabelTerm.all(scoped.term, scope: scoped.scope).forEach(add) }
        for subject in Set(terms.subjects) { terms.all[subject].scope.map { add(LabelTerm(scope: $0)) } }
        return atoms
    }

    /// The prefixes and zones that a set tells apart.
    private struct Named {
        /// All prefixes, blocks of workloads included.
        var prefixes: Set<Prefix>
        /// Blocks of workloads.
        let blocks: Set<Prefix>
        /// Whether a block that is claimed in some zones only has another owner in the rest, so that each block must be told apart.
        var splitsBlocks = false
        /// Zones by name.
        var zones: Set<String> = []

        init(_ set: PolicySet, _ terms: Terms, owners: [Workload], _ failsafe: Failsafe) {
            blocks = Set(owners.flatMap(\.addresses).filter { !$0.isHost })
            prefixes = blocks.union(failsafe.addresses)
            var asksForBinding = false
            for scoped in terms.all {
                name(scoped.term)
                if scoped.term.asksForBinding { asksForBinding = true }
            }
            for opening in failsafe.openings { [opening.from, opening.to].compactMap { $0 }.forEach { name($0) } }
            for entry in set.addressSets.flatMap(\.entries) {
                if case .block(let block) = entry.target { prefixes.insert(block) }
                prefixes.formUnion(entry.except)
            }
            if terms.namesFamilies {
                prefixes.formUnion(Rule.Family.allCases.map(\.everything))
            }
            if asksForBinding { zones.formUnion(set.zones.values.filter(\.onLink).map(\.name)) }
            let ownersZones = owners.flatMap { set.zones(of: $0) }
            splitsBlocks = !ownersZones.isEmpty
            zones.formUnion(ownersZones)
        }

        /// Takes in what a term tells apart.
        private mutating func name(_ term: Term) {
            prefixes.formUnion(term.blocks)
            zones.formUnion(term.allZones)
        }
    }

    /// The names by which rules ask for a destination's own services.
    private static func serviceNames(_ set: PolicySet) -> Set<String> {
        var names: Set<String> = []
        for policy in set.policies.indices {
            for rule in set.policies[policy].rules.indices {
                if let services = set.policies[policy].rules[rule].services { names.formUnion(services.names) }
                if let services = set.policies[policy].rules[rule].notServices { names.formUnion(services.names) }
            }
        }
        return names
    }

    private typealias Classes = (classes: [LabelClass], ofSet: [Int], matched: [LabelTerm: [Int]])

    /// Groups the label sets by what they answer to all questions.
    private static func labelClasses(_ set: PolicySet, _ inventory: Inventory, _ atoms: [LabelTerm]) -> Classes {
        let index = LabelSetIndex(inventory.labelSets)
        var signatures = [[Int]](repeating: [], count: inventory.labelSets.count)
        for (number, atom) in atoms.enumerated() {
            for labelSet in index.matches(atom, set) { signatures[labelSet].append(number) }
        }
        let names = Self.serviceNames(set)
        var classes: [LabelClass] = []
        var known: [LabelClass: Int] = [:]
        var ofSet: [Int] = []
        for (number, labelSet) in inventory.labelSets.enumerated() {
            let labelClass = LabelClass(
                terms: signatures[number], ingress: set.defaultSetting(of: labelSet.namespace, .ingress),
                egress: set.defaultSetting(of: labelSet.namespace, .egress),
                services: names.isEmpty ? [:] : labelSet.services.filter { names.contains($0.key) }, owner: labelSet.owner)
            let place = known[labelClass] ?? classes.count
            if place == classes.count {
                known[labelClass] = place
                classes.append(labelClass)
            }
            ofSet.append(place)
        }
        var matched = [[Int]](repeating: [], count: atoms.count)
        for (number, labelClass) in classes.enumerated() {
            for term in labelClass.terms { matched[term].append(number) }
        }
        return (classes, ofSet, Dictionary(uniqueKeysWithValues: zip(atoms, matched)))
    }
}

extension Rule.Family {
    /// The block of all its addresses.
    var everything: Prefix {
        let first = self == .ipv4 ? Address(v4: 0) : Address(high: 0, low: 0)
        // Length 0 leaves no host bits.
        return Prefix(first, length: 0) ?? Prefix(host: first)
    }
}

extension [Int] {
    /// The index of a number in an ascending list.
    func place(of number: Int) -> Int? {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < number { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == number ? low : nil
    }
}
