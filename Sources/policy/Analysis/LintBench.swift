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
        var setting: Setting
        var cells: [Int]
    }

    private struct Key: Hashable {
        var policies: [Int]
        var setting: Setting
        var services: [String: ServiceRange]
        var cell: Int
    }

    let view: PolicyView
    let walk: Walk
    let now: UInt64
    var budget: Budget
    var index: TermIndex
    private(set) var groups: [Group] = []
    /// For the group that was asked last: by cell the rules of its policies whose peers match, in their order.
    private var met: (group: Int, rules: [[RulePlace]]) = (-1, [])
    /// By policy the cells that it speaks for.
    private(set) var subjects: [[Int]] = []

    init(_ view: PolicyView, now: UInt64, budget: Budget) {
        self.view = view
        self.now = now
        self.budget = budget
        walk = Walk(view.set)
        index = TermIndex(Cells([view]), at: now)
        for policy in view.set.policies {
            let matched = index.cells(policy.subject, scope: policy.name.namespace, &self.budget)
            subjects.append(matched.filter { policy.speaks(for: index.candidates[$0]) })
        }
        for direction in Rule.Direction.allCases { groups += groups(direction) }
    }

    var set: PolicySet { view.set }
    var cells: Cells { index.cells }

    private func groups(_ direction: Rule.Direction) -> [Group] {
        var speaking = [[Int]](repeating: [], count: cells.all.count)
        for policy in set.policies.indices where walk.speaks(policy, direction) {
            for cell in subjects[policy] { speaking[cell].append(policy) }
        }
        // A rule that speaks for some of its policy's subjects only tells cells apart.
        let narrowing = set.policies.map { policy in policy.rules.contains { $0.subject != nil || $0.family != nil } }
        var numbers: [Key: Int] = [:]
        var groups: [Group] = []
        for (cell, policies) in speaking.enumerated() {
            guard let workload = index.candidates[cell].workload, !policies.isEmpty else { continue }
            let setting = set.defaultSetting(of: workload.name.namespace, direction)
            let key = Key(
                policies: policies, setting: setting, services: direction == .ingress ? workload.services : [:],
                cell: policies.contains { narrowing[$0] } ? cell : -1)
            let number = numbers[key] ?? groups.count
            if number == groups.count {
                numbers[key] = number
                groups.append(Group(direction: direction, policies: policies, setting: setting, cells: []))
            }
            groups[number].cells.append(cell)
        }
        return groups
    }

    /// The cells that a rule's peers match.
    mutating func peers(of place: RulePlace) -> [Int] {
        index.cells(walk.rule(place).peers, scope: set.policies[place.policy].name.namespace, &budget)
    }

    /// The rules of a group's policies whose peers match a cell, in their order; `nil` where the budget was spent.
    mutating func rules(of group: Int, meeting peer: Int) -> [RulePlace]? {
        if met.group != group {
            var rules = [[RulePlace]](repeating: [], count: cells.all.count)
            for policy in groups[group].policies {
                for (number, rule) in set.policies[policy].rules.enumerated() where rule.direction == groups[group].direction {
                    let place = RulePlace(policy: policy, rule: number)
                    let peers = peers(of: place)
                    guard budget.take(peers.count) else { return nil }
                    for cell in peers { rules[cell].append(place) }
                }
            }
            met = (group, rules)
        }
        return met.rules[peer]
    }

    /// The cells for which a rule speaks, its own narrowing included.
    mutating func subjects(of place: RulePlace) -> [Int] {
        guard let own = walk.rule(place).subject else { return subjects[place.policy] }
        let narrowed = Set(index.cells(own, scope: set.policies[place.policy].name.namespace, &budget))
        return subjects[place.policy].filter(narrowed.contains)
    }

    /// All rules.
    var rules: [RulePlace] {
        view.set.policies.indices.flatMap { policy in
            view.set.policies[policy].rules.indices.map { RulePlace(policy: policy, rule: $0) }
        }
    }

    /// Whether two cells are one workload with itself, which nothing judges.
    func isItself(_ a: Int, _ b: Int) -> Bool { cells.all[a].owner[0] >= 0 && cells.all[a].owner[0] == cells.all[b].owner[0] }

    /// One of a group's cells, which all are judged alike, that is not the same workload as a peer; `nil` where there is none.
    func first(of group: [Int], beside peer: Int) -> Int? { group.first { !isItself($0, peer) } }

    /// When a rule lapses, by itself or with its policy.
    func expires(_ place: RulePlace) -> UInt64 {
        min(walk.rule(place).expires ?? .max, set.policies[place.policy].expires ?? .max)
    }

    /// `rule sql of policy shop/db`.
    func name(_ place: RulePlace) -> String { "rule \(walk.rule(place).label) of policy \(set.policies[place.policy].name)" }
}
