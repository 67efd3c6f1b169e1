// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy
internal import Record

/// What a row's policies leave behind where no rule decides: the same for all its peers, and often for many rows.
struct Context: Hashable {
    /// A policy that isolates, without its name: those that isolate alike are one.
    struct Isolating: Hashable {
        var tier: Int
        var isolation: Policy.Isolation
        var expires: UInt64?
        var isAudited: Bool
    }

    var direction: Rule.Direction
    /// What isolates, in the order of tiers.
    var isolating: [Isolating]
    /// The namespace's default; `nil` for who has no side.
    var end: Setting?

    /// Whether anything isolates for some services only.
    var isolatesSomeServices: Bool {
        isolating.contains { if case .services = $0.isolation { true } else { false } }
    }
}

/// What one layer says, in numbers.
struct LayerOutcome: Hashable {
    var layer: PolicyLayer
    var decision: Decision
    /// The rule that decides, an index of all rules.
    var rule: UInt32?
    /// The tier that decides.
    var tier: Int?
    /// What decides where no rule does.
    var end: Cause.End?
}

/// What a side says about one run of services at one time.
struct Outcome: Hashable {
    /// What each layer in which something applies says; none where the side does not judge.
    var layers: [LayerOutcome] = []
    /// Rules that log, met on the way.
    var logged: [UInt32] = []

    /// The first decision that does not allow, else allow.
    var decision: Decision { layers.first { $0.decision != .allow }?.decision ?? .allow }
}

/// The semantics of layers and tiers over rules that were found to match: the rest of the compiler only finds them.
struct Evaluation {
    let set: PolicySet
    let tiers: [Tier]
    let tierOfPolicy: [Int]
    let rules: [RuleEntry]
    let openings: [Failsafe.Opening]
    /// The policies' names as causes have them.
    private let names: [String]

    init(
        _ set: PolicySet, tiers: [Tier], tierOfPolicy: [Int], rules: [RuleEntry], openings: [Failsafe.Opening]
    ) {
        self.set = set
        self.tiers = tiers
        self.tierOfPolicy = tierOfPolicy
        self.rules = rules
        self.openings = openings
        names = set.policies.indices.map { set.policies[$0].name.description }
    }

    /// The outcome over `list`, the rules that match the peer and speak of the services, in order; `first` is the first of the services.
    /// With `audited` what only reports counts as well.
    func outcome(_ list: [UInt32], _ context: Context, first: UInt32, at time: UInt64, audited: Bool) -> Outcome {
        var outcome = Outcome()
        let live = list.filter { rules[Int($0)].lives(at: time) && (audited || !rules[Int($0)].isAudited) }
        if let open = live.first, rules[Int(open)].policy == nil {
            outcome.layers = [LayerOutcome(layer: .zone, decision: .allow, rule: open, end: .failsafe)]
            return outcome
        }
        guard let end = context.end else { return outcome }
        var next = 0
        for layer in Tier.Layer.allCases {
            var decided: LayerOutcome?
            for tier in tiers.indices where tiers[tier].layer == layer {
                let start = next
                while next < live.count, rules[Int(live[next])].tier == tier { next += 1 }
                guard decided == nil else { continue }
                decided = self.tier(tier, live[start..<next], context, first, time, audited, &outcome.logged)
            }
            if decided == nil && layer == .network {
                let denies = end == .deny || (end == .audit && audited)
                decided = LayerOutcome(layer: .network, decision: denies ? .deny : .allow, end: .namespace)
            }
            if let decided { outcome.layers.append(decided) }
        }
        return outcome
    }

    /// What a tier decides, `nil` where it leaves the connection to the next.
    private func tier(
        _ tier: Int, _ live: ArraySlice<UInt32>, _ context: Context, _ first: UInt32, _ time: UInt64, _ audited: Bool,
        _ logged: inout [UInt32]
    ) -> LayerOutcome? {
        let deciding: UInt32?
        switch tiers[tier].shape {
        case .ordered:
            var found: UInt32?
            for number in live {
                if action(number) != .log {
                    found = number
                    break
                }
                logged.append(rules[Int(number)].base)
            }
            deciding = found
        case .set:
            logged += live.filter { action($0) == .log }.map { rules[Int($0)].base }
            // Whatever their order: a deny wins, then a reject, an allow, a pass.
            let ranks: [Rule.Action] = [.deny, .reject, .allow, .pass]
            deciding = ranks.lazy.compactMap { wanted in live.first { action($0) == wanted } }.first
        }
        if let deciding {
            guard let decision = action(deciding).decision else { return nil }
            return LayerOutcome(
                layer: tiers[tier].layer.recorded, decision: decision, rule: rules[Int(deciding)].base, tier: tier)
        }
        let isIsolated = context.isolating.contains { isolating in
            isolating.tier == tier && isolating.expires ?? .max > time && (audited || !isolating.isAudited)
                && isolating.isolation.contains(ServiceRange(first: first, end: first + 1))
        }
        guard isIsolated else { return nil }
        guard tiers[tier].end == .deny || (tiers[tier].end == .audit && audited) else { return nil }
        return LayerOutcome(layer: tiers[tier].layer.recorded, decision: .deny, tier: tier, end: .tier)
    }

    private func action(_ number: UInt32) -> Rule.Action { rules[Int(number)].action }

    /// Where a rule stands in the set; `nil` for an opening of failsafe.
    func place(of number: UInt32) -> (policy: Int, rule: Int)? {
        rules[Int(number)].policy.map { ($0, rules[Int(number)].place) }
    }

    /// The rule itself, a copy: for those that numbers say too little of.
    func rule(_ number: UInt32) -> Rule? {
        place(of: number).map { set.policies[$0.policy].rules[$0.rule] }
    }

    /// Whether a rule speaks of a run of services that nothing cuts.
    func speaks(_ number: UInt32, of piece: ServiceRange, sourcePort: UInt16?, _ named: [String: ServiceRange]) -> Bool {
        if let coverage = rules[Int(number)].coverage {
            for run in coverage where run.first <= piece.first && piece.first < run.end { return true }
            return false
        }
        return rule(number)?.speaks(
            of: piece, within: rules[Int(number)].peers.services, sourcePort: sourcePort, named) ?? false
    }

    /// The cause in words.
    func cause(_ outcome: Outcome, _ direction: Rule.Direction) -> Cause {
        let layers = outcome.layers.map { decided in
            var layer = Cause.Layer(
                layer: decided.layer, decision: decided.decision, tier: decided.tier.map { tiers[$0].name }, end: decided.end)
            guard let number = decided.rule else { return layer }
            if let (policy, rule) = place(of: number) {
                layer.policy = names[policy]
                layer.rule = set.policies[policy].rules[rule].label
                layer.text = set.policies[policy].rules[rule].logText
            } else {
                layer.rule = openings[rules[Int(number)].place].name
            }
            return layer
        }
        let logged = outcome.logged.compactMap { number -> Cause.Log? in
            guard let (policy, rule) = place(of: number) else { return nil }
            return Cause.Log(
                policy: names[policy], rule: set.policies[policy].rules[rule].label,
                text: set.policies[policy].rules[rule].logText)
        }
        return Cause(side: direction == .ingress ? .ingress : .egress, layers: layers, logged: logged)
    }
}

extension Tier.Layer {
    /// As causes name it.
    var recorded: PolicyLayer {
        switch self {
        case .zone: .zone
        case .network: .network
        case .mesh: .mesh
        }
    }
}

extension Rule.Action {
    /// What a connection gets that the rule decides; `nil` where it decides nothing.
    var decision: Decision? {
        switch self {
        case .allow: .allow
        case .deny: .deny
        case .reject: .reject
        case .pass, .log: nil
        }
    }
}
