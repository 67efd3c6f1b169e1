// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Net
internal import Policy
internal import Record

/// What all questions of `lint` share: the cells of the compiled set, what each term matches of them, and for each direction the
/// groups of cells for which the same policies speak.
struct LintBench {
    /// Cells that the same rules judge, with the same settings, so that one of them stands for all.
    struct Group {
        var direction: Rule.Direction
        /// The policies that speak for them, in their order.
        var policies: [Int]
        /// Those of them that isolate, as far as they matter for a decision.
        var isolating: [Int]
        /// When its policies lapse, ascending, of those that do.
        var lapses: [UInt64]
        var setting: Setting
        var cells: [Int]
    }

    private struct Key: Hashable {
        var policies: [Int]
        var setting: Setting
        var services: [String: ServiceRange]
        var cell: Int
    }

    private struct Subject: Hashable {
        var term: Term
        var namespace: String?
    }

    let view: PolicyView
    let walk: Walk
    let set: PolicySet
    let now: UInt64
    var budget: Budget
    var index: TermIndex
    private(set) var groups: [Group] = []
    /// By policy the groups for which it speaks.
    private(set) var groupsOf: [[Int]]
    /// For the group that was asked last: by cell the rules of its policies whose peers match, in their order.
    private var met: (group: Int, rules: [Int: [RulePlace]]) = (-1, [:])
    /// By policy the cells that it speaks for.
    private var subjects: [[Int]] = []
    /// By policy and rule the cells that its peers match, where that was asked.
    private var peersOf: [[[Int]?]]

    /// Where the budget is spent before subjects and groups are found there are none, and nothing can be asked.
    init(_ view: PolicyView, now: UInt64, budget: Budget) {
        self.view = view
        self.now = now
        self.budget = budget
        set = view.set
        walk = Walk(set)
        index = TermIndex(Cells([view]), at: now)
        groupsOf = set.policies.map { _ in [] }
        peersOf = set.policies.map { policy in policy.rules.map { _ in nil } }
        guard findSubjects() else { return }
        for direction in Rule.Direction.allCases {
            guard findGroups(direction) else {
                groups = []
                return
            }
        }
    }

    var cells: Cells { index.cells }

    private mutating func findSubjects() -> Bool {
        var known: [Subject: [Int]] = [:]
        for policy in set.policies {
            let key = Subject(term: policy.subject, namespace: policy.name.namespace)
            guard budget.take(8) else { return false }
            if let found = known[key] {
                subjects.append(found)
                continue
            }
            guard let matched = index.cells(policy.subject, scope: policy.name.namespace, &budget), budget.take(8 * matched.count)
            else { return false }
            let found = matched.filter { policy.speaks(for: index.candidates[$0]) }
            known[key] = found
            subjects.append(found)
        }
        return true
    }

    private mutating func findGroups(_ direction: Rule.Direction) -> Bool {
        var speaking = [[Int]](repeating: [], count: cells.all.count)
        for policy in set.policies.indices where walk.speaks(policy, direction) {
            guard budget.take(1 + subjects[policy].count) else { return false }
            for cell in subjects[policy] { speaking[cell].append(policy) }
        }
        // A rule that speaks for some of its policy's subjects only tells cells apart.
        let narrowing = set.policies.map { policy in policy.rules.contains { $0.subject != nil || $0.family != nil } }
        var numbers: [Key: Int] = [:]
        for (cell, policies) in speaking.enumerated() {
            guard let workload = index.candidates[cell].workload, !policies.isEmpty else { continue }
            guard budget.take(8 + policies.count) else { return false }
            let setting = set.defaultSetting(of: workload.name.namespace, direction)
            let key = Key(
                policies: policies, setting: setting, services: direction == .ingress ? workload.services : [:],
                cell: policies.contains { narrowing[$0] } ? cell : -1)
            let number = numbers[key] ?? groups.count
            if number == groups.count {
                guard budget.take(4 * policies.count) else { return false }
                numbers[key] = number
                enter(direction, policies, setting)
            }
            groups[number].cells.append(cell)
        }
        return true
    }

    private mutating func enter(_ direction: Rule.Direction, _ policies: [Int], _ setting: Setting) {
        for policy in policies { groupsOf[policy].append(groups.count) }
        groups.append(
            Group(
                direction: direction, policies: policies, isolating: walk.isolating(policies, direction),
                lapses: Set(policies.compactMap { set.policies[$0].expires }).filter { $0 > now }.sorted(), setting: setting,
                cells: []))
    }

    /// The cells that a rule's peers match; `nil` where the budget was spent.
    mutating func peers(of place: RulePlace) -> [Int]? {
        if let found = peersOf[place.policy][place.rule] { return found }
        let found = index.cells(
            set.policies[place.policy].rules[place.rule].peers, scope: set.policies[place.policy].name.namespace, &budget)
        peersOf[place.policy][place.rule] = found
        return found
    }

    /// The rules of a group's policies whose peers match a cell, in their order; `nil` where the budget was spent.
    mutating func rules(of group: Int, meeting peer: Int) -> [RulePlace]? {
        if met.group != group {
            var rules: [Int: [RulePlace]] = [:]
            for policy in groups[group].policies {
                guard budget.take(1 + set.policies[policy].rules.count) else { return nil }
                for rule in set.policies[policy].rules.indices
                where set.policies[policy].rules[rule].direction == groups[group].direction {
                    let place = RulePlace(policy: policy, rule: rule)
                    // An entry of a dictionary for each.
                    guard let peers = peers(of: place), budget.take(2 * peers.count) else { return nil }
                    for cell in peers { rules[cell, default: []].append(place) }
                }
            }
            met = (group, rules)
        }
        return met.rules[peer] ?? []
    }

    /// The cells for which a rule speaks, its own narrowing included; `nil` where the budget was spent.
    mutating func subjects(of place: RulePlace) -> [Int]? {
        guard place.policy < subjects.count else { return nil }
        guard let own = set.policies[place.policy].rules[place.rule].subject else { return subjects[place.policy] }
        guard let matched = index.cells(own, scope: set.policies[place.policy].name.namespace, &budget),
            budget.take(2 * (matched.count + subjects[place.policy].count))
        else { return nil }
        let narrowed = Set(matched)
        return subjects[place.policy].filter(narrowed.contains)
    }

    /// The cells of a group for which a rule of its policies speaks; `nil` where the budget was spent.
    mutating func cells(of group: Int, for place: RulePlace) -> [Int]? {
        guard set.policies[place.policy].rules[place.rule].subject != nil else { return groups[group].cells }
        guard let chosen = subjects(of: place), budget.take(2 * (chosen.count + groups[group].cells.count)) else { return nil }
        let narrowed = Set(chosen)
        return groups[group].cells.filter(narrowed.contains)
    }

    /// How many stretches cells have.
    func stretchCount(_ numbers: [Int]) -> Int { numbers.reduce(0) { $0 + cells.all[$1].stretches.count } }

    /// All rules.
    var rules: [RulePlace] {
        self.set.policies.indices.flatMap { policy in
            set.policies[policy].rules.indices.map { RulePlace(policy: policy, rule: $0) }
        }
    }

    /// Whether two cells are one workload with itself, which nothing judges.
    func isItself(_ a: Int, _ b: Int) -> Bool { cells.all[a].owner[0] >= 0 && cells.all[a].owner[0] == cells.all[b].owner[0] }

    /// One of a group's cells, which all are judged alike, that is not the same workload as a peer; `nil` where there is none.
    func first(of group: [Int], beside peer: Int) -> Int? { group.first { !isItself($0, peer) } }

    /// When a rule lapses, by itself or with its policy.
    func expires(_ place: RulePlace) -> UInt64 {
        min(set.policies[place.policy].rules[place.rule].expires ?? .max, set.policies[place.policy].expires ?? .max)
    }

    /// `rule sql of policy shop/db`.
    func name(_ place: RulePlace) -> String { "rule \(walk.rule(place).label) of policy \(set.policies[place.policy].name)" }
}
