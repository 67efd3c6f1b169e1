// SPDX-License-Identifier: Apache-2.0
public import Classifier
public import Net
public import Policy
internal import Record

/// Compiles a set into a snapshot image and its cause table.
///
/// `zones`, `links` and `flows` are what the appliance's configuration says of zones, of layer 2 and of connections, `failsafe` what no
/// policy can close;
/// `inventory` gives label sets, workloads and zones their lasting numbers and receives new ones. There is no clock: what expires is in
/// the image with its successor. Throws with the figure that broke, or with what the set asks for and no data path enforces; nothing
/// but new numbers in the inventory remains then.
public func compile(
    _ set: PolicySet, zones: [ZonePlacement] = [], links: LinkTable = LinkTable(), flows: FlowSettings = FlowSettings(),
    failsafe: Failsafe = Failsafe(),
    generation: UInt32, inventory: inout Inventory, limits: CompileLimits = CompileLimits()
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
    if let error = PolicyError(placed.unenforceable()) { throw .policy(error) }
    try checkBindings(placed)
    inventory.register(placed)
    for placement in zones { _ = inventory.number(ofZone: placement.zone) }
    var compilation = try Compilation(placed, inventory, generation, limits, failsafe)
    try compilation.judgeClasses()
    compilation.builder.links = links
    compilation.builder.flowSettings = flows
    return try compilation.finish(zones)
}

/// One compilation at work: facts, then rows and tables, then the image.
struct Compilation {
    let set: PolicySet
    let inventory: Inventory
    let generation: UInt32
    let limits: CompileLimits
    let facts: Facts
    let space: ClassSpace
    let tree: ClassTree
    let matchers: [Matcher]
    /// For each policy the matcher of its subject.
    let subjects: [Int]
    /// For each policy the numbers of its rules' entries.
    let rulesOf: [[UInt32]]
    /// Label classes that have services of their own names.
    let withServices: [Int]
    let ownClasses: [ObjectName: [Int]]
    let evaluation: Evaluation
    var builder = SnapshotBuilder()
    var records = Records()
    var tables: Tables
    var lists = Lists()
    var rowNumbers: [RowKey: UInt32] = [:]
    /// For each prefix node the nearest place at or around it that tells workloads apart.
    var placeOfNode: [Int] = []
    var contested: UInt32 = 0
    var itself: UInt32 = 0

    init(
        _ set: PolicySet, _ inventory: Inventory, _ generation: UInt32, _ limits: CompileLimits, _ failsafe: Failsafe
    ) throws(CompileError) {
        self.set = set
        self.inventory = inventory
        self.generation = generation
        self.limits = limits
        let facts = Facts(set, inventory, failsafe)
        self.facts = facts
        var boxes = Boxes(facts)
        let rules = try Self.rules(set, facts, &boxes)
        subjects = facts.terms.subjects.map { boxes.subjects($0, isOwn: true) }
        (rulesOf, evaluation) = (rules.ofPolicy, rules.evaluation)
        space = try facts.space(boxes.all, limits)
        tree = ClassTree(space, facts.tree)
        let maker = MatcherMaker(facts, space, tree)
        matchers = boxes.all.map(maker.matcher)
        withServices = facts.labelClasses.indices.filter { !facts.labelClasses[$0].services.isEmpty }
        var ownClasses: [ObjectName: [Int]] = [:]
        for (number, labels) in facts.labelClasses.enumerated() {
            if let owner = labels.owner.workload { ownClasses[owner, default: []].append(number) }
        }
        self.ownClasses = ownClasses
        tables = Tables(evaluation, limits)
        contested = try records.number(.deny, flags: SideRecord.contested, layer: .network, end: .contested)
        itself = try records.number(.allow, layer: .network, end: .itself)
    }

    /// The rules of all policies behind failsafe's openings, in the order in which they judge.
    private static func rules(
        _ set: PolicySet, _ facts: Facts, _ boxes: inout Boxes
    ) throws(CompileError) -> (ofPolicy: [[UInt32]], evaluation: Evaluation) {
        let tiers = set.orderedTiers
        let places = Dictionary(uniqueKeysWithValues: tiers.enumerated().map { ($1.name, $0) })
        let openings = facts.failsafe.openings
        var entries: [RuleEntry] = []
        for (place, opening) in openings.enumerated() {
            let (from, to) = (boxes.plain(opening.from ?? Term()), boxes.plain(opening.to ?? Term()))
            entries.append(RuleEntry(opening, place: place, .egress, peers: to, own: from))
            entries.append(RuleEntry(opening, place: place, .ingress, peers: from, own: to))
        }
        var ofPolicy: [[UInt32]] = []
        var tierOfPolicy: [Int] = []
        for policy in set.policies.indices {
            let tier = places[set.policies[policy].tier] ?? 0
            let first = UInt32(entries.count)
            for place in set.policies[policy].rules.indices {
                let base = UInt32(entries.count)
                let named = facts.terms.rules[facts.terms.firstRules[policy] + place]
                let own = named.subject.map { boxes.subjects($0, isOwn: false) }
                let variants = try boxes.peers(
                    named.peers, set.policies[policy].rules[place].direction, set.policies[policy].rules[place].family)
                for variant in variants {
                    var entry = RuleEntry(set.policies, policy, place: place, tier: tier, peers: variant, own: own)
                    entry.base = base
                    entries.append(entry)
                }
            }
            ofPolicy.append(Array(first..<UInt32(entries.count)))
            tierOfPolicy.append(tier)
        }
        return (
            ofPolicy,
            Evaluation(set, tiers: tiers, tierOfPolicy: tierOfPolicy, rules: entries, openings: openings)
        )
    }

    /// Finds for each class the policies that speak for it, and with them its two rows.
    mutating func judgeClasses() throws(CompileError) {
        builder.classes = [ClassEntry](repeating: ClassEntry(), count: space.count)
        var walk = RowWalk(space, tree, matchers)
        for direction in Rule.Direction.allCases {
            let policies = speaking(direction)
            let narrowed = narrowed(direction)
            var last: (key: RowKey, row: UInt32)?
            for number in (narrowed == nil ? space.knownBase : 0)..<space.count {
                if number == ClassSpace.contested || (number >= 2 && number < 2 + space.zones) { continue }
                let labels = number < space.knownBase ? nil : space.place(of: ClassNumber(number)).labels
                let key = rowKey(
                    direction, labels, number < space.knownBase ? Lists.empty : policies[number - space.knownBase],
                    narrowed?[number] ?? Lists.empty)
                if key.end == nil && key.narrowed == Lists.empty { continue }
                let row: UInt32
                if let last, last.key == key { row = last.row } else { row = try self.row(key, &walk) }
                last = (key, row)
                if direction == .ingress {
                    builder.classes[number].ingressRow = row
                } else {
                    builder.classes[number].egressRow = row
                }
            }
        }
    }

    private func rowKey(_ direction: Rule.Direction, _ labels: Int?, _ policies: UInt32, _ narrowed: UInt32) -> RowKey {
        guard let labels else {
            return RowKey(direction: direction, policies: policies, narrowed: narrowed, services: [:])
        }
        let known = facts.labelClasses[labels]
        return RowKey(
            direction: direction, policies: policies, narrowed: narrowed, end: known.end(direction),
            services: direction == .ingress ? known.services : [:], owner: known.owner.workload)
    }

    /// For each workload class the policies that say something in the direction, as a list.
    private mutating func speaking(_ direction: Rule.Direction) -> [UInt32] {
        var events: [(item: UInt32, matcher: Int)] = []
        for policy in set.policies.indices {
            let speaks =
                set.policies[policy].isolates(direction) != .none
                || rulesOf[policy].contains { evaluation.rules[Int($0)].direction == direction }
            if speaks { events.append((UInt32(policy), subjects[policy])) }
        }
        return Array(spread(events)[space.knownBase...])
    }

    /// For each class the rules that are narrowed to some subjects and mean it, as a list; `nil` where no rule is narrowed.
    private mutating func narrowed(_ direction: Rule.Direction) -> [UInt32]? {
        let events = evaluation.rules.enumerated().compactMap { number, rule in
            rule.direction == direction ? rule.own.map { (item: UInt32(number), matcher: $0) } : nil
        }
        return events.isEmpty ? nil : spread(events)
    }

    /// For each class the list of the items whose matcher it satisfies.
    private mutating func spread(_ items: [(item: UInt32, matcher: Int)]) -> [UInt32] {
        var events: [Event] = []
        var roots = [[UInt32]](repeating: [], count: 2 * space.zones)
        for (item, matcher) in items {
            for zone in 0..<space.zones {
                if matchers[matcher].outside[zone] { roots[zone].append(item) }
                if matchers[matcher].known[zone] { roots[space.zones + zone].append(item) }
            }
            for mark in matchers[matcher].marks { events.append(Event(mark.number, item: item, begins: mark.isIn)) }
        }
        events.sort()
        let rootLists = roots.map { lists.number(of: $0) }
        var spread = [UInt32](repeating: Lists.empty, count: space.count)
        let families = space.families
        var way: [(end: ClassNumber, list: UInt32)] = []
        var (next, family) = (0, 0)
        for number in 0..<ClassNumber(space.count) {
            while let step = way.last, step.end <= number { way.removeLast() }
            if family < families.count, families[family].first == number {
                way = [(tree.ends[Int(number)], rootLists[families[family].root])]
                family += 1
            }
            let first = next
            while next < events.count, events[next].number == number { next += 1 }
            if first < next {
                way.append((tree.ends[Int(number)], lists.apply(events[first..<next], to: way.last?.list ?? Lists.empty)))
            }
            spread[Int(number)] = way.last?.list ?? Lists.empty
        }
        return spread
    }

    /// The number of a row; a new one is walked and its entries join the image.
    private mutating func row(_ key: RowKey, _ walk: inout RowWalk) throws(CompileError) -> UInt32 {
        if let known = rowNumbers[key] { return known }
        let number = UInt32(rowNumbers.count)
        rowNumbers[key] = number
        let policies = lists[key.policies].map { Int($0) }
        let narrowed = Array(lists[key.narrowed])
        let rules = evaluation.rules
        let here =
            narrowed.filter { rules[Int($0)].policy == nil }
            + policies.flatMap { rulesOf[$0] }.filter {
                rules[Int($0)].direction == key.direction && (rules[Int($0)].own == nil || narrowed.contains($0))
            }
        let context = tables.number(
            of: Context(direction: key.direction, isolating: isolating(policies, key.direction), end: key.end))
        // What is named means each destination's own service, so that a rule for all workloads is not the same for all of them.
        let asksNames = key.direction == .egress && here.contains { rules[Int($0)].usesNames }
        let own = key.owner.flatMap { ownClasses[$0] } ?? []
        let entries = walk.entries(
            here.map { ($0, rules[Int($0)].peers.matcher) }, own: own,
            split: asksNames ? withServices.filter { !own.contains($0) } : [], &lists)
        let ownServices = key.services.isEmpty ? 0 : tables.number(ofServices: key.services)
        for entry in entries {
            guard let list = entry.list else {
                builder.rows.append(RowEntry(row: number, peer: entry.peer, table: tables.number(ofRecord: itself)))
                continue
            }
            var services = ownServices
            if asksNames, let labels = space.place(of: entry.peer).labels {
                services = tables.number(ofServices: facts.labelClasses[labels].services)
            }
            let tableKey = Tables.Key(rules: list, context: context, services: services)
            let table = try tables.number(of: tableKey, &lists, &records)
            builder.rows.append(RowEntry(row: number, peer: entry.peer, table: table))
        }
        return number
    }

    /// What isolates, by tiers; policies that isolate alike are one.
    private func isolating(_ policies: [Int], _ direction: Rule.Direction) -> [Context.Isolating] {
        var found: [Context.Isolating] = []
        for index in policies {
            let policy = set.policies[index]
            guard policy.isolates(direction) != .none else { continue }
            let one = Context.Isolating(
                tier: evaluation.tierOfPolicy[index], isolation: policy.isolates(direction), expires: policy.expires,
                isAudited: policy.mode == .audit)
            if !found.contains(one) { found.append(one) }
        }
        return found
    }
}
