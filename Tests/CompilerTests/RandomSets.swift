// SPDX-License-Identifier: Apache-2.0
import Compiler
import Net
import Policy

/// Small random sets in which everything meets: few labels, few prefixes that nest, few ports.
struct RandomSets {
    var generator: Seeded
    let zoneNames = ["default", "lan", "wan", "dmz"]
    let prefixes = [
        "0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24", "10.1.1.0/28", "10.1.1.4/30", "10.1.1.5/32", "10.2.0.0/16",
        "::/0", "fd00::/8", "fd00::/64", "fd00::1/128",
    ].compactMap { Prefix($0) }
    let services = [
        "tcp:80-80", "tcp:80-443", "tcp:443-443", "udp:53-53", "icmp:2048-2048", "tcp:0-65535", "udp:1000-2000", "any",
    ]

    init(seed: UInt64) { generator = Seeded(seed) }

    mutating func set() throws -> PolicySet {
        var documents: [Document] = []
        let hasZones = generator.happens(oneIn: 2)
        if hasZones {
            for name in zoneNames {
                var zone = Zone(name: name)
                if generator.happens(oneIn: 2) { zone.unjudged = [generator.pick(zoneNames): generator.pick(Setting.allCases)] }
                zone.unjudgedElsewhere = generator.pick(Setting.allCases)
                documents.append(.zone(zone))
            }
        }
        for name in ["a", "b"] where generator.happens(oneIn: 2) {
            let labels = generator.happens(oneIn: 2) ? ["team": name] : [:]
            documents.append(
                .namespace(
                    Namespace(
                        name: name, labels: labels, ingress: generator.pick(Setting.allCases),
                        egress: generator.pick(Setting.allCases))))
        }
        documents += workloads(hasZones).map { .workload($0) }
        for number in 0..<(1 + generator.below(5)) { documents.append(.policy(policy("p\(number)", hasZones))) }
        return try PolicySet(documents)
    }

    private mutating func workloads(_ hasZones: Bool) -> [Workload] {
        var free = (1...12).map { "10.1.1.\($0)" } + (1...4).map { "10.2.0.\($0)" } + (1...3).map { "fd00::\($0)" }
        free.shuffle(using: &generator)
        var blocks = ["10.1.1.0/28", "10.1.0.0/16", "10.1.1.8/29", "fd00::/64"].shuffled(using: &generator)
        return (0..<(2 + generator.below(6))).map { number in
            var workload = Workload(name: ObjectName("w\(number)", namespace: generator.pick([nil, "a", "b", "c"])))
            workload.labels = labels()
            workload.serviceAccount = generator.pick([nil, "x", "y"])
            workload.addresses = (0..<(1 + generator.below(2))).compactMap { _ in free.popLast().flatMap { Prefix($0) } }
            if generator.happens(oneIn: 4), let block = blocks.popLast().flatMap({ Prefix($0) }) {
                workload.addresses.append(block)
            }
            if hasZones && generator.happens(oneIn: 2) { workload.zones = generator.some(zoneNames, atMost: 2) }
            if generator.happens(oneIn: 2) { workload.services["web"] = range(generator.pick(["tcp:80-80", "tcp:8080-8081"])) }
            return workload
        }
    }

    private mutating func labels() -> [String: String] {
        var labels: [String: String] = [:]
        if generator.happens(oneIn: 2) { labels["app"] = generator.pick(["web", "db"]) }
        if generator.happens(oneIn: 2) { labels["env"] = generator.pick(["prod", "test"]) }
        return labels
    }

    mutating func policy(_ name: String, _ hasZones: Bool) -> Policy {
        var policy = Policy(name: ObjectName(name, namespace: generator.pick([nil, nil, "a", "b"])))
        policy.subject = term(hasZones, isSubject: policy.name.namespace != nil)
        policy.order = generator.pick([nil, 1, 1, 2.5])
        policy.ingress = isolation()
        policy.egress = isolation()
        policy.mode = generator.happens(oneIn: 5) ? .audit : .enforce
        policy.expires = generator.happens(oneIn: 5) ? UInt64(1 + generator.below(8)) : nil
        policy.change = generator.pick([.reevaluate, .keep, .reset, .drain(seconds: 30)])
        for number in 0..<generator.below(5) { policy.rules.append(rule(number + 1, hasZones)) }
        return policy
    }

    private mutating func rule(_ number: Int, _ hasZones: Bool) -> Rule {
        let peers = (0..<(generator.happens(oneIn: 8) ? 0 : 1 + generator.below(2))).map { _ in term(hasZones) }
        var rule = Rule(
            number: number, action: generator.pick([.allow, .allow, .deny, .reject, .pass]),
            direction: generator.pick(Rule.Direction.allCases), peers: peers)
        rule.services = generator.happens(oneIn: 3) ? nil : list()
        rule.notServices = generator.happens(oneIn: 5) ? list() : nil
        rule.mode = generator.happens(oneIn: 6) ? .audit : .enforce
        rule.expires = generator.happens(oneIn: 5) ? UInt64(1 + generator.below(8)) : nil
        return rule
    }

    private mutating func isolation() -> Policy.Isolation {
        switch generator.below(4) {
        case 0: .all
        case 1: .services(ServiceList([.range(range(generator.pick(services)))], text: ""))
        default: .none
        }
    }

    private mutating func list() -> ServiceList {
        var list = ServiceList(generator.some(services, atMost: 2).map { .range(range($0)) }, text: "")
        if generator.happens(oneIn: 3) { list.services.append(.named("web")) }
        return list
    }

    private func range(_ text: String) -> ServiceRange {
        let parts = text.split(separator: ":")
        guard parts.count == 2 else { return .any }
        let ports = parts[1].split(separator: "-").compactMap { UInt16($0) }
        let number: IPProtocol = parts[0] == "tcp" ? .tcp : parts[0] == "udp" ? .udp : .icmp
        return ServiceRange(number, ports: ports[0]...ports[1])
    }

    private mutating func term(_ hasZones: Bool, isSubject: Bool = false) -> Term {
        var term = Term()
        if generator.happens(oneIn: 2) { term.selector = selector() }
        if generator.happens(oneIn: 6) { term.notSelector = selector() }
        if !isSubject, generator.happens(oneIn: 5) {
            let team = generator.pick(["a", "b"])
            let expression: Selector.Expression = generator.pick([.all, .equals("team", team), .notEquals("team", team), .global])
            term.namespaceSelector = Selector(expression, text: "")
        }
        if generator.happens(oneIn: 8) { term.serviceAccounts = ["x"] }
        if generator.happens(oneIn: 4) { term.cidrs = generator.some(prefixes, atMost: 3) }
        if generator.happens(oneIn: 6) { term.notCIDRs = generator.some(prefixes, atMost: 2) }
        if hasZones, generator.happens(oneIn: 6) { term.zones = generator.some(zoneNames, atMost: 2) }
        if generator.happens(oneIn: 5) { term.entities = [generator.pick([.any, .outside, .known])] }
        return term
    }

    private mutating func selector() -> Selector {
        let simple: [Selector.Expression] = [
            .all, .has("app"), .equals("app", "web"), .notEquals("app", "db"), .isIn("env", ["prod", "test"]),
            .notIn("env", ["prod"]), .startsWith("app", "w"), .not(.has("env")),
        ]
        let expression =
            generator.happens(oneIn: 3) ? .and([generator.pick(simple), generator.pick(simple)]) : generator.pick(simple)
        return Selector(expression, text: "")
    }

    mutating func connection() -> Reference.Connection {
        Reference.Connection(
            from: end(), to: end(),
            service: generator.pick([
                ServiceKey(.tcp, port: 80), ServiceKey(.tcp, port: 81), ServiceKey(.tcp, port: 443), ServiceKey(.tcp, port: 8080),
                ServiceKey(.udp, port: 53), ServiceKey(.udp, port: 1500), ServiceKey(.icmp, type: 8, code: 0),
                ServiceKey(IPProtocol(rawValue: 47), port: 0),
            ]), time: UInt64(generator.below(10)))
    }

    private mutating func end() -> Reference.End {
        let texts = (0...14).map { "10.1.1.\($0)" } + (0...5).map { "10.2.0.\($0)" } + (0...4).map { "fd00::\($0)" }
        let more = ["10.1.2.1", "10.3.0.1", "192.0.2.1", "fd01::1", "2001:db8::1"]
        let address = Address(generator.pick(texts + more)) ?? Address(v4: 0)
        return Reference.End(address: address, zone: generator.pick(zoneNames))
    }
}
