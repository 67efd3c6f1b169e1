// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

/// A rule of a set by its place: the policy among the set's, the rule among the policy's.
struct RulePlace: Hashable, Comparable {
    var policy: Int
    var rule: Int

    static func < (a: RulePlace, b: RulePlace) -> Bool { (a.policy, a.rule) < (b.policy, b.rule) }
}

/// One side's way through the layers and tiers, for one connection, straight from the model: what `explain` shows beside the decision,
/// and what `lint` asks with one rule left out. The decision itself is the snapshot's; tests hold the two to each other.
struct Walk {
    /// What a tier did.
    enum Step: Equatable {
        /// None of its policies isolates the workload, and none of its rules matched.
        case skipped
        /// A rule decided.
        case decided(RulePlace)
        /// A rule left the tier.
        case left(RulePlace)
        /// Nothing matched, and these policies isolate: the tier's end decides, or passes on.
        case isolated(by: [Int], end: Tier.End)
    }

    /// What a layer said.
    struct Layer {
        var layer: Tier.Layer
        /// Its tiers in order, up to the one that decided.
        var tiers: [(tier: String, step: Step)] = []
        /// Rules that log and matched.
        var logged: [RulePlace] = []
        /// What it decided; `nil` where nothing in it applies.
        var decision: Decision?
        /// The rule that decided, where one did.
        var rule: RulePlace?
        /// Whether a tier's end decided.
        var isTierEnd = false
    }

    /// A side of a connection, as far as its way depends on it beside the rules that match.
    struct Side {
        var direction: Rule.Direction
        /// What holds after the last tier.
        var setting: Setting
        var service: ServiceKey
        var time: UInt64
        /// Whether what only reports is taken as if it decided.
        var audited = false
    }

    let set: PolicySet
    private let tiers: [Tier]
    /// The tier of each policy, as an index.
    private let tierOf: [Int]

    init(_ set: PolicySet) {
        self.set = set
        let tiers = set.orderedTiers
        let numbers = Dictionary(tiers.enumerated().map { ($1.name, $0) }) { first, _ in first }
        tierOf = set.policies.map { numbers[$0.tier] ?? 0 }
        self.tiers = tiers
    }

    /// The policies that speak for a candidate and say something in a direction, in their order.
    func speakers(for subject: Term.Candidate, _ direction: Rule.Direction) -> [Int] {
        set.policies.indices.filter { speaks($0, direction) && set.policies[$0].speaks(for: subject) }
    }

    /// Whether a policy says anything in a direction.
    func speaks(_ policy: Int, _ direction: Rule.Direction) -> Bool {
        set.policies[policy].isolates(direction) != .none || set.policies[policy].rules.contains { $0.direction == direction }
    }

    /// The rules of policies that speak of a connection, whenever they live and whether they decide or only report.
    func matching(
        _ policies: [Int], _ direction: Rule.Direction, subject: Term.Candidate, peer: Term.Candidate, _ service: ServiceKey,
        _ sourcePort: UInt16?
    ) -> [RulePlace] {
        policies.flatMap { number -> [RulePlace] in
            let policy = set.policies[number]
            return policy.rules.indices.filter {
                policy.rules[$0].direction == direction
                    && policy.rules[$0].matches(
                        subject: subject, peer: peer, service: service, sourcePort: sourcePort, scope: policy.name.namespace)
            }.map { RulePlace(policy: number, rule: $0) }
        }
    }

    /// The way of a side; `policies` are those that speak for its subject in its direction, and `matching` their rules that match, both
    /// in their order. Of the policies only those that isolate matter.
    func way(_ side: Side, _ policies: [Int], _ matching: [RulePlace]) -> [Layer] {
        Tier.Layer.allCases.map { layer(of: $0, side, policies, matching) }
    }

    /// The decision of a way: of the first layer that does not allow.
    static func decision(_ way: [Layer]) -> Decision {
        way.lazy.compactMap(\.decision).first { $0 != .allow } ?? .allow
    }

    private func layer(of layer: Tier.Layer, _ side: Side, _ policies: [Int], _ matching: [RulePlace]) -> Layer {
        var result = Layer(layer: layer)
        for (number, tier) in tiers.enumerated() where tier.layer == layer {
            let step = step(number, side, policies, matching, &result.logged)
            result.tiers.append((tier.name, step))
            switch step {
            case .decided(let place):
                result.rule = place
                result.decision = Self.decision(of: action(place))
                return result
            case .isolated(_, let end) where end == .deny || (end == .audit && side.audited):
                result.decision = .deny
                result.isTierEnd = true
                return result
            default: continue
            }
        }
        if layer == .network {
            result.decision = side.setting == .deny || (side.setting == .audit && side.audited) ? .deny : .allow
        }
        return result
    }

    /// A rule by its place.
    func rule(_ place: RulePlace) -> Rule { set.policies[place.policy].rules[place.rule] }

    private static func decision(of action: Rule.Action) -> Decision {
        switch action {
        case .deny: .deny
        case .reject: .reject
        case .allow, .pass, .log: .allow
        }
    }

    /// Those policies that isolate in a direction, without what another one of their tier, which isolates from everything and for ever,
    /// makes needless to ask where it is only about what is decided.
    func isolating(_ policies: [Int], _ direction: Rule.Direction) -> [Int] {
        var whole: [Int: Int] = [:]
        for policy in policies where set.policies[policy].isolates(direction) == .all {
            if set.policies[policy].expires == nil, set.policies[policy].mode == .enforce { whole[tierOf[policy]] = policy }
        }
        return policies.filter { policy in
            set.policies[policy].isolates(direction) != .none && whole[tierOf[policy], default: policy] == policy
        }
    }

    private func lives(_ policy: Int, _ side: Side) -> Bool {
        (set.policies[policy].expires ?? .max) > side.time && (side.audited || set.policies[policy].mode == .enforce)
    }

    private func lives(_ place: RulePlace, _ side: Side) -> Bool {
        lives(place.policy, side) && (set.policies[place.policy].rules[place.rule].expires ?? .max) > side.time
            && (side.audited || set.policies[place.policy].rules[place.rule].mode == .enforce)
    }

    private func action(_ place: RulePlace) -> Rule.Action { set.policies[place.policy].rules[place.rule].action }

    /// Which rule of a tier without order comes first.
    private static func rank(_ action: Rule.Action) -> Int {
        switch action {
        case .deny: 0
        case .reject: 1
        case .allow: 2
        case .pass: 3
        case .log: 4
        }
    }

    private func step(
        _ number: Int, _ side: Side, _ policies: [Int], _ matching: [RulePlace], _ logged: inout [RulePlace]
    ) -> Step {
        let tier = tiers[number]
        var chosen: RulePlace?
        for place in matching where tierOf[place.policy] == number && lives(place, side) {
            let action = action(place)
            if action == .log {
                logged.append(place)
                continue
            }
            if let best = chosen, Self.rank(self.action(best)) <= Self.rank(action) { continue }
            chosen = place
            // What stands behind the rule that decides is not asked.
            if tier.shape == .ordered { break }
        }
        if let chosen { return action(chosen) == .pass ? .left(chosen) : .decided(chosen) }
        let service = ServiceRange(first: side.service.rawValue, end: side.service.rawValue + 1)
        let isolating = policies.filter {
            tierOf[$0] == number && lives($0, side) && set.policies[$0].isolates(side.direction).contains(service)
        }
        return isolating.isEmpty ? .skipped : .isolated(by: isolating, end: tier.end)
    }
}
