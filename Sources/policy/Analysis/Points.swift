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
    /// Steps that the way of a side takes, at a point and a time.
    let stepsOfWay: Int
    private let group: LintBench.Group
    private let set: PolicySet
    private let rules: [RulePlace]
    private let named: [String: ServiceRange]

    /// The points of a rule between a cell of a group and a peer; `nil` where the budget was spent.
    init?(_ number: Int, _ subject: Int, _ peer: Int, of place: RulePlace, _ bench: inout LintBench) {
        group = bench.groups[number]
        set = bench.set
        guard let meeting = bench.rules(of: number, meeting: peer),
            bench.budget.take(60 + 6 * meeting.count + 2 * group.isolating.count + group.lapses.count)
        else { return nil }
        let (own, other) = (bench.index.candidates[subject], bench.index.candidates[peer])
        named = (group.direction == .ingress ? own : other).workload?.services ?? [:]
        rules = meeting.filter { [set] place in
            let scope = set.policies[place.policy].name.namespace
            return (set.policies[place.policy].rules[place.rule].family?.contains(own.address) ?? true)
                && (set.policies[place.policy].rules[place.rule].subject?.matches(own, scope: scope) ?? true)
        }
        stepsOfWay = 10 + 3 * rules.count + 2 * group.isolating.count
        let now = bench.now
        let moments = rules.compactMap { [set] in set.policies[$0.policy].rules[$0.rule].expires }.filter { $0 > now }
        times = [now] + (moments.isEmpty ? group.lapses : Set(moments + group.lapses).sorted())
        guard enter(bench.walk.rule(place), &bench.budget) else { return nil }
    }

    private mutating func enter(_ rule: Rule, _ budget: inout Budget) -> Bool {
        var edges = Tunnels.edges + [0]
        var ports: [UInt16] = [0]
        func cut(_ services: [Service]) {
            for service in services {
                if let range = service.range(named: named) { edges += [range.first, range.end] }
                for range in service.sourcePorts ?? [] {
                    ports.append(range.lowerBound)
                    if range.upperBound < .max { ports.append(range.upperBound + 1) }
                }
            }
        }
        for place in rules {
            cut(set.policies[place.policy].rules[place.rule].services?.services ?? [])
            cut(set.policies[place.policy].rules[place.rule].notServices?.services ?? [])
        }
        for policy in group.isolating {
            if case .services(let list) = set.policies[policy].isolates(group.direction) { cut(list.services) }
        }
        guard budget.take(2 * (edges.count + ports.count)) else { return false }
        ports = Set(ports).sorted()
        let own = Set(edges.filter { $0 < ServiceKey.end && rule.touches($0, $0 + 1, named) }).sorted()
        guard budget.take(own.count * ports.count) else { return false }
        all = own.flatMap { first in
            let service = ServiceKey(rawValue: first)
            return service.hasPorts
                ? ports.map { Point(service: service, sourcePort: $0) } : [Point(service: service, sourcePort: nil)]
        }
        return true
    }

    /// The rules that match at a point, in their order; `nil` where the budget was spent.
    func matching(_ point: Point, _ budget: inout Budget) -> [RulePlace]? {
        guard budget.take(4 + 3 * rules.count) else { return nil }
        return rules.filter {
            set.policies[$0.policy].rules[$0.rule].speaks(of: point.service, sourcePort: point.sourcePort, named: named)
        }
    }

    /// The side that is asked at a point.
    func side(_ point: Point, at time: UInt64) -> Walk.Side {
        Walk.Side(direction: group.direction, setting: group.setting, service: point.service, time: time)
    }
}
