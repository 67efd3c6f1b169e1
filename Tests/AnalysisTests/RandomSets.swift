// SPDX-License-Identifier: Apache-2.0
import Compiler
import Foundation
import Net
import Policy
import TestSupport

/// Small random sets in which everything meets, and sets that differ from them in a little.
struct RandomSets {
    var generator: Seeded
    let zoneNames = ["default", "lan", "wan"]
    let prefixes = [
        "0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24", "10.1.1.4/30", "10.1.1.5/32", "::/0", "fd00::/64", "fd00::1/128",
    ].compactMap { Prefix($0) }
    let ranges: [ServiceRange] = [
        ServiceRange(.tcp, ports: 80...80), ServiceRange(.tcp, ports: 80...443), ServiceRange(.tcp),
        ServiceRange(.udp, ports: 53...53),
        ServiceRange(.icmp), .any,
    ]

    init(seed: UInt64) { generator = Seeded(seed) }

    /// The objects of a set, policies last.
    mutating func documents() -> [Document] {
        var documents: [Document] = []
        let hasZones = generator.happens(oneIn: 2)
        if hasZones {
            for name in zoneNames {
                var zone = Zone(name: name)
                if generator.happens(oneIn: 2) { zone.unjudged = [generator.pick(zoneNames): generator.pick(Setting.allCases)] }
                documents.append(.zone(zone))
            }
        }
        for name in ["a", "b"] {
            let settings = (generator.pick(Setting.allCases), generator.pick(Setting.allCases))
            documents.append(
                .namespace(Namespace(name: name, labels: ["team": name], ingress: settings.0, egress: settings.1)))
        }
        documents += workloads(hasZones).map { .workload($0) }
        if generator.happens(oneIn: 2) {
            documents.append(.tier(Tier(name: "early", order: 1, end: generator.pick(Tier.End.allCases))))
            documents.append(.tier(Tier(name: "bag", layer: generator.pick(Tier.Layer.allCases), order: 2, shape: .set)))
        }
        let tiers = documents.contains { $0.kind == "Tier" } ? ["default", "early", "bag"] : ["default"]
        for number in 0..<(2 + generator.below(4)) {
            var policy = policy("p\(number)", hasZones)
            policy.tier = generator.pick(tiers)
            if policy.tier == "bag" { policy.order = nil }
            documents.append(.policy(policy))
        }
        return documents
    }

    /// The same objects with one of them changed, removed or added.
    mutating func changed(_ documents: [Document]) -> [Document] {
        var changed = documents
        let hasZones = documents.contains { $0.kind == "Zone" }
        let index = generator.below(changed.count)
        switch changed[index] {
        case .policy(var policy):
            switch generator.below(4) {
            case 0: changed.remove(at: index)
            case 1 where !policy.rules.isEmpty: policy.rules.removeLast()
            case 2: policy.rules.insert(rule(policy.rules.count + 1, hasZones), at: 0)
            default: policy.subject = term(hasZones)
            }
            if changed.indices.contains(index), case .policy = changed[index] { changed[index] = .policy(policy) }
        case .workload(var workload):
            if generator.happens(oneIn: 3) {
                changed.remove(at: index)
            } else {
                workload.labels = labels()
                if generator.happens(oneIn: 2) { workload.addresses.removeLast() }
                changed[index] = .workload(workload)
            }
        case .namespace(var namespace):
            namespace.ingress = generator.pick(Setting.allCases)
            changed[index] = .namespace(namespace)
        case .zone(var zone):
            zone.unjudgedElsewhere = generator.pick(Setting.allCases)
            changed[index] = .zone(zone)
        default: break
        }
        return changed
    }

    private mutating func workloads(_ hasZones: Bool) -> [Workload] {
        var free = (1...8).map { "10.1.1.\($0)" } + (1...3).map { "fd00::\($0)" }
        free.shuffle(using: &generator)
        var blocks = ["10.1.1.0/28", "10.1.0.0/16", "fd00::/64"].shuffled(using: &generator)
        return (0..<(2 + generator.below(4))).map { number in
            var workload = Workload(name: ObjectName("w\(number)", namespace: generator.pick([nil, "a", "b"])))
            workload.labels = labels()
            workload.addresses = (0..<(1 + generator.below(2))).compactMap { _ in free.popLast().flatMap { Prefix($0) } }
            if generator.happens(oneIn: 4), let block = blocks.popLast().flatMap({ Prefix($0) }) {
                workload.addresses.append(block)
            }
            if hasZones && generator.happens(oneIn: 3) { workload.zones = generator.some(zoneNames, atMost: 2) }
            if generator.happens(oneIn: 2) { workload.services["web"] = generator.pick(ranges.dropLast()) }
            return workload
        }
    }

    private mutating func labels() -> [String: String] {
        var labels: [String: String] = [:]
        if generator.happens(oneIn: 2) { labels["app"] = generator.pick(["web", "db"]) }
        if generator.happens(oneIn: 2) { labels["env"] = generator.pick(["prod", "test"]) }
        return labels
    }

    private mutating func policy(_ name: String, _ hasZones: Bool) -> Policy {
        var policy = Policy(name: ObjectName(name, namespace: generator.pick([nil, nil, "a", "b"])))
        policy.subject = term(hasZones)
        policy.subject.namespaceSelector = nil
        policy.order = generator.pick([nil, 1, 1, 2.5])
        policy.ingress = generator.pick([.none, .all, .none])
        policy.egress = generator.pick([.none, .all, .none])
        policy.expires = generator.happens(oneIn: 5) ? UInt64(1 + generator.below(8)) : nil
        for number in 0..<generator.below(5) { policy.rules.append(rule(number + 1, hasZones)) }
        return policy
    }

    private mutating func rule(_ number: Int, _ hasZones: Bool) -> Rule {
        let peers = (0..<(generator.happens(oneIn: 8) ? 0 : 1 + generator.below(2))).map { _ in term(hasZones) }
        var rule = Rule(
            number: number, action: generator.pick([.allow, .allow, .deny, .reject, .pass, .log]),
            direction: generator.pick(Rule.Direction.allCases), peers: peers)
        rule.services = generator.happens(oneIn: 3) ? nil : list()
        if generator.happens(oneIn: 8) { rule.subject = term(hasZones) }
        rule.mode = generator.happens(oneIn: 6) ? .audit : .enforce
        rule.expires = generator.happens(oneIn: 5) ? UInt64(1 + generator.below(8)) : nil
        return rule
    }

    private mutating func list() -> ServiceList {
        var list = ServiceList(generator.some(ranges, atMost: 2).map { .range($0) }, text: "services")
        if generator.happens(oneIn: 4) { list.services.append(.named("web")) }
        if generator.happens(oneIn: 6) { list.services.append(Service(.range(ranges[0]), sourcePorts: [1000...2000])) }
        return list
    }

    private mutating func term(_ hasZones: Bool) -> Term {
        var term = Term()
        if generator.happens(oneIn: 2) { term.selector = selector() }
        if generator.happens(oneIn: 6) { term.notSelector = selector() }
        if generator.happens(oneIn: 6) {
            term.namespaceSelector = Selector(.equals("team", generator.pick(["a", "b"])), text: "team")
        }
        if generator.happens(oneIn: 4) { term.cidrs = generator.some(prefixes, atMost: 3) }
        if generator.happens(oneIn: 6) { term.notCIDRs = generator.some(prefixes, atMost: 2) }
        if hasZones, generator.happens(oneIn: 6) { term.zones = generator.some(zoneNames, atMost: 2) }
        if generator.happens(oneIn: 5) { term.entities = [generator.pick([.any, .outside, .known])] }
        return term
    }

    private mutating func selector() -> Selector {
        generator.pick([
            Selector(.equals("app", "web"), text: #"app == "web""#), Selector(.notEquals("app", "db"), text: #"app != "db""#),
            Selector(.isIn("env", ["prod", "test"]), text: "env in …"), Selector(.has("env"), text: "has(env)"),
            Selector(.all, text: "all()"),
        ])
    }

    mutating func connection() -> Reference.Connection {
        let time = UInt64(generator.below(10))
        let sourcePort: UInt16 = generator.pick([50_000, 1500])
        return Reference.Connection(
            from: end(), to: end(),
            service: generator.pick([
                ServiceKey(.tcp, port: 80), ServiceKey(.tcp, port: 81), ServiceKey(.tcp, port: 444), ServiceKey(.udp, port: 53),
                ServiceKey(.icmp, type: 8, code: 0), ServiceKey(IPProtocol(rawValue: 50), port: 0),
            ]), sourcePort: sourcePort, time: time)
    }

    private mutating func end() -> Reference.End {
        let texts =
            (0...9).map { "10.1.1.\($0)" } + (0...4).map { "fd00::\($0)" } + ["10.1.2.1", "10.3.0.1", "192.0.2.1", "2001:db8::1"]
        return Reference.End(address: Address(generator.pick(texts)) ?? Address(v4: 0), zone: generator.pick(zoneNames))
    }
}
