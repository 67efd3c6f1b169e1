// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

/// Every question that rules can tell apart between a subject and a peer, as far as one rule speaks of it: one service and one source
/// port for each run of them that no rule cuts.
struct Points {
    /// A service, asked from a port.
    struct Point {
        var service: ServiceKey
        var sourcePort: UInt16?
    }

    private(set) var all: [Point] = []
    /// The times from now on at which something that may match lapses, now the first.
    private(set) var times: [UInt64]
    private let group: LintBench.Group
    private let rules: [(place: RulePlace, rule: Rule)]
    private let named: [String: ServiceRange]

    /// The points of a rule between a cell of a group and a peer; `nil` where the budget was spent.
    init?(_ number: Int, _ subject: Int, _ peer: Int, of place: RulePlace, _ bench: inout LintBench) {
        guard let meeting = bench.rules(of: number, meeting: peer), bench.budget.take(meeting.count + 1) else { return nil }
        group = bench.groups[number]
        let (own, other) = (bench.index.candidates[subject], bench.index.candidates[peer])
        named = (group.direction == .ingress ? own : other).workload?.services ?? [:]
        rules = meeting.map { (place: $0, rule: bench.walk.rule($0)) }.filter { place, rule in
            let scope = bench.set.policies[place.policy].name.namespace
            return (rule.family?.contains(own.address) ?? true) && (rule.subject?.matches(own, scope: scope) ?? true)
        }
        let moments = Set(rules.map { bench.expires($0.place) } + group.policies.map { bench.set.policies[$0].expires ?? .max })
        times = [bench.now] + moments.filter { $0 > bench.now && $0 != .max }.sorted()
        let isolations = group.policies.map { bench.set.policies[$0].isolates(group.direction) }
        all = points(bench.walk.rule(place), isolations)
        guard bench.budget.take(all.count * rules.count) else { return nil }
    }

    private func points(_ rule: Rule, _ isolations: [Policy.Isolation]) -> [Point] {
        var edges: Set<UInt32> = Set(Tunnels.edges + [0])
        var ports: Set<UInt16> = [0]
        func cut(_ services: [Service]) {
            for service in services {
                if let range = service.range(named: named) { edges.formUnion([range.first, range.end]) }
                for range in service.sourcePorts ?? [] {
                    ports.insert(range.lowerBound)
                    if range.upperBound < .max { ports.insert(range.upperBound + 1) }
                }
            }
        }
        for (_, rule) in rules { cut((rule.services?.services ?? []) + (rule.notServices?.services ?? [])) }
        for case .services(let list) in isolations { cut(list.services) }
        let own = edges.filter { $0 < ServiceKey.end && rule.touches($0, $0 + 1, named) }.sorted()
        return own.flatMap { first in
            let service = ServiceKey(rawValue: first)
            return service.hasPorts
                ? ports.sorted().map { Point(service: service, sourcePort: $0) } : [Point(service: service, sourcePort: nil)]
        }
    }

    /// The rules that match at a point, in their order.
    func matching(_ point: Point) -> [RulePlace] {
        rules.filter { $0.rule.speaks(of: point.service, sourcePort: point.sourcePort, named: named) }.map(\.place)
    }

    /// The side that is asked at a point.
    func side(_ point: Point, at time: UInt64) -> Walk.Side {
        Walk.Side(direction: group.direction, setting: group.setting, service: point.service, time: time)
    }
}
