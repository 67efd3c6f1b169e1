// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

/// A rule as the evaluation of rows has it at hand: numbers, so that nobody copies the rule itself to ask it something. Of a rule that
/// asks address sets for their conditions there are several; failsafe's openings are rules that always allow.
struct RuleEntry {
    /// Its policy; `nil` for an opening of failsafe.
    var policy: Int?
    /// Its place in the policy's rules, or in failsafe's openings.
    var place: Int
    /// The tier of its policy.
    var tier: Int?
    var action: Rule.Action
    var direction: Rule.Direction
    /// Whether it, or its policy, only reports.
    var isAudited = false
    /// When it lapses, by itself or with its policy.
    var expires = UInt64.max
    /// Whether it names services by the destination's names.
    var usesNames = false
    /// Whether it asks for ports of the source.
    var asksSourcePorts = false
    /// The first entry of the same rule, which stands for it in causes.
    var base: UInt32 = 0
    /// The peers.
    var peers: Variant
    /// The subjects to which it is narrowed, a matcher.
    var own: Int?
    /// The runs of services of which it speaks, where neither names nor source ports matter.
    var coverage: [ServiceRange]?

    /// Whether it speaks at a time.
    func lives(at time: UInt64) -> Bool { time < expires && peers.from <= time && time < peers.until }
}

extension RuleEntry {
    /// An opening of failsafe, seen from one side.
    init(_ opening: Failsafe.Opening, place: Int, _ direction: Rule.Direction, peers: Int, own: Int) {
        self.init(
            place: place, action: .allow, direction: direction, peers: Variant(matcher: peers), own: own,
            coverage: opening.services)
    }

    /// A rule of a policy for one variant of its peers. By index, so that neither is copied to be asked.
    init(_ policies: [Policy], _ policy: Int, place: Int, tier: Int, peers: Variant, own: Int?) {
        self.init(
            policy: policy, place: place, tier: tier, action: policies[policy].rules[place].action,
            direction: policies[policy].rules[place].direction, peers: peers, own: own)
        isAudited = policies[policy].rules[place].mode == .audit || policies[policy].mode == .audit
        expires = min(policies[policy].rules[place].expires ?? .max, policies[policy].expires ?? .max)
        usesNames = policies[policy].rules[place].usesNames
        asksSourcePorts = policies[policy].rules[place].asksSourcePorts
        if !usesNames && !asksSourcePorts { coverage = policies[policy].rules[place].coverage(within: peers.services) }
    }
}

/// Of which services a rule speaks.
extension Rule {
    /// The services that it names, and those that it leaves out.
    private var bothLists: [Service] { (services?.services ?? []) + (notServices?.services ?? []) }

    /// Whether it names services by the destination's names.
    var usesNames: Bool { anyService { if case .named = $0.destination { true } else { false } } }

    /// Whether it asks for ports of the source.
    var asksSourcePorts: Bool { anyService { !($0.sourcePorts ?? []).isEmpty } }

    private func anyService(_ isSuch: (Service) -> Bool) -> Bool {
        services?.services.contains(where: isSuch) ?? false || notServices?.services.contains(where: isSuch) ?? false
    }

    /// The ports of the source that it asks for anywhere.
    var sourcePorts: [ClosedRange<UInt16>] { bothLists.flatMap { $0.sourcePorts ?? [] } }

    /// Where its answer changes: at the borders of these runs.
    func edges(_ named: [String: ServiceRange], within limit: ServiceRange?) -> [ServiceRange] {
        let tunnels = action == .allow ? Tunnels.all.map(\.range) : []
        return bothLists.compactMap { $0.range(named: named) } + tunnels + (limit.map { [$0] } ?? [])
    }

    /// Whether it speaks of a run of services that nothing cuts.
    func speaks(
        of piece: ServiceRange, within limit: ServiceRange?, sourcePort: UInt16?, _ named: [String: ServiceRange]
    ) -> Bool {
        if let limit, !(limit.first <= piece.first && piece.first < limit.end) { return false }
        return speaks(of: ServiceKey(rawValue: piece.first), sourcePort: sourcePort, named: named)
    }

    /// The runs of services of which it speaks, for a destination with these named ones; where source ports do not matter.
    func coverage(within limit: ServiceRange?, _ named: [String: ServiceRange] = [:]) -> [ServiceRange] {
        if limit == nil, notServices == nil, let only = services?.services, only.count == 1,
            let run = only[0].range(named: named),
            run.namesTunnels || action != .allow
        {
            return [run]
        }
        let edges = Set([0, ServiceKey.end] + edges(named, within: limit).flatMap { [$0.first, $0.end] }).sorted()
        var runs: [ServiceRange] = []
        for (first, end) in zip(edges, edges.dropFirst()) {
            guard speaks(of: ServiceRange(first: first, end: end), within: limit, sourcePort: nil, named) else { continue }
            if let last = runs.indices.last, runs[last].end == first {
                runs[last].end = end
            } else {
                runs.append(ServiceRange(first: first, end: end))
            }
        }
        return runs
    }
}

extension ServiceRange {
    /// The protocols that have ports.
    static let withPorts = [ServiceRange(.tcp), ServiceRange(.udp), ServiceRange(.sctp)]

    /// Whether its first service has ports.
    var hasPorts: Bool { Self.withPorts.contains { $0.first <= first && first < $0.end } }
}
