// SPDX-License-Identifier: Apache-2.0
import Compiler
import Net
import Policy
import TestSupport

/// Small random sets in which every construct of the language meets every other: few labels, few prefixes that nest, few ports.
struct RandomSets {
    var generator: Seeded
    let zoneNames = ["default", "lan", "wan", "dmz"]
    let tierNames = ["default", "early", "crowd", "host", "late", "mesh"]
    let prefixes = [
        "0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24", "10.1.1.0/28", "10.1.1.4/30", "10.1.1.5/32", "10.2.0.0/16",
        "::/0", "fd00::/8", "fd00::/64", "fd00::1/128", "224.0.0.0/4",
    ].compactMap { Prefix($0) }
    let services: [ServiceRange] = [
        ServiceRange(.tcp, ports: 80...80), ServiceRange(.tcp, ports: 80...443), ServiceRange(.tcp, ports: 443...443),
        ServiceRange(.udp, ports: 53...53), ServiceRange(.icmp, ports: 2048...2048), ServiceRange(.tcp), ServiceRange(.udp),
        ServiceRange(.udp, ports: 1000...5000), .any, .everything, ServiceRange(IPProtocol(rawValue: 47)),
    ]

    init(seed: UInt64) { generator = Seeded(seed) }

    /// A set of documents that is a policy set.
    mutating func set() throws -> PolicySet { try PolicySet(documents()) }

    /// Its documents.
    mutating func documents() -> [Document] {
        let hasZones = generator.happens(oneIn: 2)
        var documents: [Document] = hasZones ? zones() : []
        for name in ["a", "b"] where generator.happens(oneIn: 2) {
            let labels = generator.happens(oneIn: 2) ? ["team": name] : [:]
            documents.append(
                .namespace(
                    Namespace(
                        name: name, labels: labels, ingress: generator.pick(Setting.allCases),
                        egress: generator.pick(Setting.allCases))))
            for account in ["x", "y"] {
                documents.append(
                    .serviceAccount(ServiceAccount(name: ObjectName(account, namespace: name), labels: self.labels())))
            }
        }
        documents += workloads(hasZones).map { .workload($0) }
        for number in 0..<generator.below(3) { documents.append(.addressSet(addressSet("s\(number)"))) }
        documents.append(.entity(Entity(name: "odd", terms: (0..<2).map { _ in term(hasZones, deep: false) })))
        documents += tiers().map { .tier($0) }
        for number in 0..<(2 + generator.below(7)) { documents.append(.policy(policy("p\(number)", hasZones))) }
        return documents
    }

    private mutating func zones() -> [Document] {
        zoneNames.map { name in
            var zone = Zone(name: name)
            if generator.happens(oneIn: 2) { zone.unjudged = [generator.pick(zoneNames): generator.pick(Setting.allCases)] }
            zone.unjudgedElsewhere = generator.pick(Setting.allCases)
            return .zone(zone)
        }
    }

    private mutating func tiers() -> [Tier] {
        [
            Tier(name: "early", order: 1, end: generator.pick(Tier.End.allCases)),
            Tier(name: "crowd", order: 2, shape: .set, end: generator.pick(Tier.End.allCases)),
            Tier(name: "host", layer: .zone, end: generator.pick(Tier.End.allCases)),
            Tier(
                name: "late", order: 2_000_000, shape: generator.pick(Tier.Shape.allCases), end: generator.pick(Tier.End.allCases)
            ),
            Tier(name: "mesh", layer: .mesh, shape: .set, end: generator.pick(Tier.End.allCases)),
        ]
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
            if generator.happens(oneIn: 2) { workload.services["web"] = generator.pick([services[0], services[3]]) }
            return workload
        }
    }

    private mutating func labels() -> [String: String] {
        var labels: [String: String] = [:]
        if generator.happens(oneIn: 2) { labels["app"] = generator.pick(["web", "db"]) }
        if generator.happens(oneIn: 2) { labels["env"] = generator.pick(["prod", "test"]) }
        return labels
    }

    private mutating func addressSet(_ name: String) -> AddressSet {
        var set = AddressSet(name: ObjectName(name, namespace: generator.pick([nil, "a"])), labels: labels())
        for _ in 0..<(1 + generator.below(3)) {
            var entry = AddressSet.Entry(.block(generator.pick(prefixes)))
            if generator.happens(oneIn: 3) { entry.except = generator.some(prefixes, atMost: 2) }
            if generator.happens(oneIn: 4) { entry.service = generator.pick(services) }
            if generator.happens(oneIn: 4) { entry.until = UInt64(1 + generator.below(8)) }
            set.entries.append(entry)
        }
        return set
    }

    /// A policy of some tier.
    mutating func policy(_ name: String, _ hasZones: Bool) -> Policy {
        var policy = Policy(name: ObjectName(name, namespace: generator.pick([nil, nil, "a", "b"])))
        policy.tier = generator.happens(oneIn: 3) ? "default" : generator.pick(tierNames)
        policy.subject = term(hasZones)
        let isOrdered = policy.tier == "default" || policy.tier == "early" || policy.tier == "host"
        policy.order = isOrdered ? generator.pick([nil, 1, 1, 2.5]) : nil
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
            number: number, action: generator.pick([.allow, .allow, .deny, .reject, .pass, .log]),
            direction: generator.pick(Rule.Direction.allCases), peers: peers)
        rule.services = generator.happens(oneIn: 2) ? nil : list()
        rule.notServices = generator.happens(oneIn: 5) ? list() : nil
        rule.mode = generator.happens(oneIn: 6) ? .audit : .enforce
        rule.expires = generator.happens(oneIn: 5) ? UInt64(1 + generator.below(8)) : nil
        if generator.happens(oneIn: 6) { rule.subject = term(hasZones) }
        rule.family = generator.pick([nil, nil, nil, .ipv4, .ipv6])
        rule.tracking = generator.happens(oneIn: 8) ? .none : .flow
        rule.logText = generator.pick([nil, nil, "seen"])
        return rule
    }

    private mutating func isolation() -> Policy.Isolation {
        switch generator.below(4) {
        case 0: .all
        case 1: .services(ServiceList([.range(generator.pick(services))], text: ""))
        default: .none
        }
    }

    private mutating func list() -> ServiceList {
        var list = ServiceList(generator.some(services, atMost: 2).map { .range($0) }, text: "")
        if generator.happens(oneIn: 3) { list.services.append(.named("web")) }
        for index in list.services.indices where generator.happens(oneIn: 6) {
            list.services[index].sourcePorts = generator.pick([[0...1023], [1024...49_999], [53...53, 50_000...65_535]])
        }
        return list
    }

    /// A term that asks for a few things, often for none.
    private mutating func term(_ hasZones: Bool, deep: Bool = true) -> Term {
        var term = Term()
        for _ in 0..<generator.pick([0, 0, 1, 1, 1, 2, 3]) { narrow(&term, hasZones, deep) }
        return term
    }

    private mutating func narrow(_ term: inout Term, _ hasZones: Bool, _ deep: Bool) {
        switch generator.below(14) {
        case 0, 1, 2: term.selector = selector()
        case 3: term.notSelector = selector()
        case 4: term.namespaceSelector = namespaces()
        case 5: term.notNamespaceSelector = namespaces()
        case 6: term.serviceAccounts = ["x"]
        case 7: term.serviceAccountSelector = selector()
        case 8: term.principal = principal()
        case 9, 10: term.cidrs = generator.some(prefixes, atMost: 3)
        case 11: term.notCIDRs = generator.some(prefixes, atMost: 2)
        case 12: term.zones = hasZones ? generator.some(zoneNames, atMost: 2) : nil
        default: term.entities = generator.some(Term.Entity.builtIn + (deep ? [.named("odd", [])] : []), atMost: 2)
        }
    }

    private mutating func namespaces() -> Selector {
        let team = generator.pick(["a", "b"])
        return Selector(generator.pick([.all, .equals("team", team), .notEquals("team", team), .global]), text: "")
    }

    private mutating func principal() -> Principal {
        let pattern = generator.pick([
            TextPattern.exact("cluster.local/ns/a/sa/x"), .prefix("cluster.local/ns/a/"), .suffix("/sa/y"), .present,
        ])
        return generator.happens(oneIn: 3) ? Principal(notNames: [pattern]) : Principal(names: [pattern])
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

    /// Services that stay open, of a box with an address of its own.
    mutating func failsafe() -> Failsafe {
        guard generator.happens(oneIn: 3) else { return Failsafe() }
        var from = Term()
        from.cidrs = generator.some(prefixes, atMost: 2)
        return Failsafe(
            addresses: ["10.2.0.9/32"].compactMap { Prefix($0) },
            box: [.init("console", services: [services[0]], from: generator.pick([nil, from]))],
            transit: generator.pick([[], [.init("resolver", services: [services[3]], from: from)]]))
    }

    /// A question about ends that sets like these know.
    mutating func connection() -> Reference.Connection {
        let source = end()
        var destination = end(isDestination: true)
        // A connection has one family.
        while destination.address.isIPv4 != source.address.isIPv4 { destination = end(isDestination: true) }
        return Reference.Connection(
            from: source, to: destination,
            service: generator.pick([
                ServiceKey(.tcp, port: 80), ServiceKey(.tcp, port: 81), ServiceKey(.tcp, port: 443), ServiceKey(.tcp, port: 8080),
                ServiceKey(.udp, port: 53), ServiceKey(.udp, port: 1500), ServiceKey(.udp, port: 4789),
                ServiceKey(.icmp, type: 8, code: 0), ServiceKey(IPProtocol(rawValue: 47), port: 0),
            ]), sourcePort: generator.pick([50_000, 53, 1_023, 1_024]), time: UInt64(generator.below(10)))
    }

    private mutating func end(isDestination: Bool = false) -> Reference.End {
        let texts = (0...14).map { "10.1.1.\($0)" } + (0...5).map { "10.2.0.\($0)" } + (0...4).map { "fd00::\($0)" }
        let more = ["10.1.2.1", "10.3.0.1", "192.0.2.1", "fd01::1", "2001:db8::1", "169.254.0.1", "fe80::1", "10.2.0.9"]
        let groups = isDestination ? ["224.0.0.251", "ff02::fb", "255.255.255.255"] : []
        let address = Address(generator.pick(texts + more + groups)) ?? Address(v4: 0)
        return Reference.End(address: address, zone: generator.pick(zoneNames))
    }
}
