// SPDX-License-Identifier: Apache-2.0
public import Classifier
internal import Net
public import Policy
internal import Record

/// Compiles a set into a snapshot image and its cause table.
///
/// `zones` and `links` are what the appliance's configuration says of zones and of layer 2; `inventory` gives label sets, workloads and zones their lasting
/// numbers and receives new ones. There is no clock: what expires is in the image with its successor. Throws with the figure that
/// broke; nothing but new numbers in the inventory remains then.
public func compile(
    _ set: PolicySet, zones: [ZonePlacement] = [], links: LinkTable = LinkTable(), generation: UInt32, inventory: inout Inventory,
    limits: CompileLimits = CompileLimits()
) throws(CompileError) -> Compiled {
    for placement in zones where set.hasZones && set.zones[placement.zone] == nil && placement.zone != Zone.implicit {
        throw .unknownZone(placement.zone, remedy: Spelling.remedy(placement.zone, among: Array(set.zones.keys)))
    }
    let placed: PolicySet
    do {
        placed = try set.placing(zones: zones.map(\.zone))
    } catch {
        throw .policy(error)
    }
    try checkBindings(placed)
    inventory.register(placed)
    for placement in zones { _ = inventory.number(ofZone: placement.zone) }
    var compilation = try Compilation(placed, inventory, generation, limits)
    try compilation.judgeClasses()
    compilation.builder.links = links
    return try compilation.finish(zones)
}

/// One compilation at work: facts, then rows and tables, then the image.
struct Compilation {
    let set: PolicySet
    let inventory: Inventory
    let generation: UInt32
    let limits: CompileLimits
    let facts: Facts
    let tree: ClassTree
    let rules: [RuleEntry]
    let subjects: [Int]
    let matchers: [Matcher]
    /// Workload classes that have services of their own names.
    let withServices: Set<ClassNumber>
    var builder = SnapshotBuilder()
    var records = Records()
    var tables: Tables
    var chains = Chains()
    var rowNumbers: [RowKey: UInt32] = [:]
    var contested: UInt32 = 0
    var itself: UInt32 = 0

    init(_ set: PolicySet, _ inventory: Inventory, _ generation: UInt32, _ limits: CompileLimits) throws(CompileError) {
        self.set = set
        self.inventory = inventory
        self.generation = generation
        self.limits = limits
        facts = try Facts(set, inventory, limits: limits)
        tree = ClassTree(facts.space, facts.tree)
        var matchers = Matchers(facts)
        var rules: [RuleEntry] = []
        var subjects: [Int] = []
        for (index, policy) in set.policies.enumerated() {
            let scope = policy.name.namespace
            subjects.append(matchers.number(of: [policy.subject], scope: scope, isSubject: true))
            for rule in policy.rules {
                rules.append(RuleEntry(policy: index, rule: rule, matcher: matchers.number(of: rule.peers, scope: scope)))
            }
        }
        self.rules = rules
        self.subjects = subjects
        self.matchers = matchers.all
        withServices = Set(
            facts.labelClasses.indices.filter { [facts] in !facts.labelClasses[$0].services.isEmpty }
                .map { [facts] in facts.space.known(labels: $0, knownNode: 0, zone: 0) })
        tables = Tables(set.policies, rules)
        contested = try records.number(.deny, flags: SideRecord.contested, layer: .network, end: .contested)
        itself = try records.number(.allow, layer: .network, end: .itself)
    }

    /// Finds for each workload class the policies that speak for it, and with them its two rows.
    mutating func judgeClasses() throws(CompileError) {
        builder.classes = [ClassEntry](repeating: ClassEntry(), count: facts.space.count)
        var walk = RowWalk(facts.space, tree)
        let rulesOf = Dictionary(grouping: rules.indices) { rules[$0].policy }
        for direction in Rule.Direction.allCases {
            let lists = policies(in: direction, rulesOf)
            for number in facts.space.knownBase..<facts.space.count {
                guard let labels = facts.space.labelClass(of: ClassNumber(number)) else { continue }
                let key = rowKey(direction, facts.labelClasses[labels], lists[number - facts.space.knownBase])
                let row = try row(key, rulesOf, &walk)
                if direction == .ingress {
                    builder.classes[number].ingressRow = row
                } else {
                    builder.classes[number].egressRow = row
                }
            }
        }
    }

    /// For each workload class the policies that say something in the direction, as a list.
    private mutating func policies(in direction: Rule.Direction, _ rulesOf: [Int: [Int]]) -> [UInt32] {
        let base = facts.space.knownBase
        var lists = [UInt32](repeating: Chains.empty, count: facts.space.count - base)
        for (index, policy) in set.policies.enumerated() {
            let speaks = (rulesOf[index] ?? []).contains { rules[$0].rule.direction == direction }
            guard speaks || policy.isolation(direction) != .none else { continue }
            let subject = matchers[subjects[index]]
            if subject.allKnown {
                for place in lists.indices { lists[place] = chains.append(UInt32(index), to: lists[place]) }
            }
            for number in subject.classes where Int(number) >= base {
                lists[Int(number) - base] = chains.append(UInt32(index), to: lists[Int(number) - base])
            }
        }
        return lists
    }

    private func rowKey(_ direction: Rule.Direction, _ labels: LabelClass, _ policies: UInt32) -> RowKey {
        RowKey(
            direction: direction, policies: policies, end: direction == .ingress ? labels.ingress : labels.egress,
            services: direction == .ingress ? labels.services : [:], owner: labels.owner.workload)
    }

    /// The number of a row; a new one is walked and its entries join the image.
    private mutating func row(
        _ key: RowKey, _ rulesOf: [Int: [Int]], _ walk: inout RowWalk
    ) throws(CompileError) -> UInt32 {
        if let known = rowNumbers[key] { return known }
        let number = UInt32(rowNumbers.count)
        rowNumbers[key] = number
        let policies = chains.list(key.policies).map { Int($0) }
        let here = policies.flatMap { rulesOf[$0] ?? [] }.filter { rules[$0].rule.direction == key.direction }
        let isolating = policies.filter { set.policies[$0].isolation(key.direction) != .none }
        // What is named means each destination's own service, so that a rule for all workloads is not the same for all of them.
        let isSplit =
            key.direction == .egress && here.contains { matchers[rules[$0].matcher].allKnown && rules[$0].rule.usesNames }
        let lists = walk.lists(
            here.map { (UInt32($0), matchers[rules[$0].matcher]) }, own: key.owner.map(classes(of:)) ?? [],
            split: isSplit ? withServices : [], &chains)
        for (peer, list) in lists {
            var entry = RowEntry()
            (entry.row, entry.peer) = (number, peer)
            entry.table = try table(list, peer, key, isolating)
            builder.rows.append(entry)
        }
        return number
    }

    private mutating func table(
        _ list: UInt32, _ peer: ClassNumber, _ key: RowKey, _ isolating: [Int]
    ) throws(CompileError) -> UInt32 {
        if list == RowWalk.itself { return tables.number(ofRecord: itself) }
        var services = key.services
        if key.direction == .egress, let labels = facts.space.labelClass(of: peer) {
            services = facts.labelClasses[labels].services
        }
        let tableKey = Tables.Key(
            rules: list, direction: key.direction, isolating: isolating, end: key.end, services: services)
        return try tables.number(of: tableKey, chains, &records)
    }

    /// All classes of a workload that has label classes of its own.
    private func classes(of workload: ObjectName) -> [ClassNumber] {
        let space = facts.space
        return facts.labelClasses.indices.filter { facts.labelClasses[$0].owner.workload == workload }.flatMap { labels in
            let first = space.known(labels: labels, knownNode: 0, zone: 0)
            return Array(first..<first + UInt32(space.knownNodes.count * space.zones))
        }
    }
}
