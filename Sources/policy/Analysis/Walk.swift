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
        /// None of its policies speaks for the workload and isolates it, and none of its rules matched.
        case skipped
        /// A rule decided.
        case decided(RulePlace)
        /// A rule left the tier.
        case left(RulePlace)
        /// Nothing matched, and these policies isolate: the tier's end decides, or passes on.
        case isolated(by: [Int], end: Tier.End)
    }

    /// What a layer said.
    struct Layer: Equatable {
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

        static func == (a: Layer, b: Layer) -> Bool {
            a.layer == b.layer && a.decision == b.decision && a.rule == b.rule && a.isTierEnd == b.isTierEnd
        }
    }

    /// A side of a connection.
    struct Side {
        var direction: Rule.Direction
        var subject: Term.Candidate
        var peer: Term.Candidate
        var service: ServiceKey
        var sourcePort: UInt16?
        var time: UInt64
        /// Whether what only reports is taken as if it decided.
        var audited = false
        /// The rule that is left out.
        var without: RulePlace?
    }

    let set: PolicySet
    private let tiers: [Tier]

    init(_ set: PolicySet) {
        self.set = set
        tiers = set.orderedTiers
    }

    /// The policies that speak for a candidate, of all of the set's or of some, in their order.
    func speakers(for subject: Term.Candidate, among some: [Int]? = nil) -> [Int] {
        (some ?? Array(set.policies.indices)).filter { set.policies[$0].speaks(for: subject) }
    }

    /// The way of a side; `policies` are those that speak for its subject, in their order.
    func way(_ side: Side, policies: [Int]) -> [Layer] {
        Tier.Layer.allCases.map { layer in self.layer(layer, side, policies) }
    }

    /// The decision of a way: of the first layer that does not allow.
    static func decision(_ way: [Layer]) -> Decision {
        way.lazy.compactMap(\.decision).first { $0 != .allow } ?? .allow
    }

    private func layer(_ layer: Tier.Layer, _ side: Side, _ policies: [Int]) -> Layer {
        var result = Layer(layer: layer)
        var appeared = false
        for tier in tiers where tier.layer == layer {
            let own = policies.filter { set.policies[$0].tier == tier.name && lives(set.policies[$0], side) }
            if own.contains(where: { speaks(set.policies[$0], side.direction) }) { appeared = true }
            let step = self.step(tier, side, own, &result.logged)
            result.tiers.append((tier.name, step))
            switch step {
            case .decided(let place):
                result.rule = place
                result.decision = Self.decision(of: set.policies[place.policy].rules[place.rule].action)
                return result
            case .isolated(_, let end) where end == .deny || (end == .audit && side.audited):
                result.decision = .deny
                result.isTierEnd = true
                return result
            default: continue
            }
        }
        if layer == .network, let workload = side.subject.workload {
            let setting = set.defaultSetting(of: workload.name.namespace, side.direction)
            result.decision = setting == .deny || (setting == .audit && side.audited) ? .deny : .allow
        } else if appeared {
            // A layer in which policies speak, and none decides, lets pass what its tiers pass on.
            result.decision = .allow
        }
        return result
    }

    private static func decision(of action: Rule.Action) -> Decision {
        switch action {
        case .deny: .deny
        case .reject: .reject
        case .allow, .pass, .log: .allow
        }
    }

    private func lives(_ policy: Policy, _ side: Side) -> Bool {
        (policy.expires ?? .max) > side.time && (side.audited || policy.mode == .enforce)
    }

    /// Whether a policy says anything in a direction.
    private func speaks(_ policy: Policy, _ direction: Rule.Direction) -> Bool {
        policy.isolates(direction) != .none || policy.rules.contains { $0.direction == direction }
    }

    private func step(_ tier: Tier, _ side: Side, _ policies: [Int], _ logged: inout [RulePlace]) -> Step {
        var matching: [RulePlace] = []
        for number in policies {
            for (index, rule) in set.policies[number].rules.enumerated() {
                let place = RulePlace(policy: number, rule: index)
                guard place != side.without, matches(rule, of: set.policies[number], side) else { continue }
                if rule.action == .log {
                    logged.append(place)
                } else if tier.shape == .ordered {
                    return rule.action == .pass ? .left(place) : .decided(place)
                } else {
                    matching.append(place)
                }
            }
        }
        func first(_ actions: Set<Rule.Action>) -> RulePlace? {
            matching.first { actions.contains(set.policies[$0.policy].rules[$0.rule].action) }
        }
        if let place = first([.deny, .reject]) ?? first([.allow]) { return .decided(place) }
        if let place = first([.pass]) { return .left(place) }
        let service = ServiceRange(first: side.service.rawValue, end: side.service.rawValue + 1)
        let isolating = policies.filter { set.policies[$0].isolates(side.direction).contains(service) }
        return isolating.isEmpty ? .skipped : .isolated(by: isolating, end: tier.end)
    }

    /// Whether a rule that lives speaks of this connection.
    func matches(_ rule: Rule, of policy: Policy, _ side: Side) -> Bool {
        rule.direction == side.direction && (rule.expires ?? .max) > side.time && (side.audited || rule.mode == .enforce)
            && rule.matches(
                subject: side.subject, peer: side.peer, service: side.service, sourcePort: side.sourcePort,
                scope: policy.name.namespace)
    }
}
