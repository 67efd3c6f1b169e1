// SPDX-License-Identifier: Apache-2.0
import Measure
import Net
import Policy

/// Labels: an estate of 100 applications in 10 environments, each of 10 tiers, which are 10,000 label sets, each of as many
/// workloads with two addresses as make the million. Policies of ten rules each isolate one application in one environment in both
/// directions. Of a policy's rules eight name one tier of one application in one environment as the peer, and two an application in an
/// environment, each for one port; five rules judge ingress and five egress. The broad shape is the same with six rules for a tier,
/// three for an application in an environment, and one for an application wherever it runs, so that a rule names 14 label sets on
/// average and not three.
extension Shape {
    static let addresses = 1_000_000
    /// As many as a first frame's bound speaks of.
    static let asked = 100_000

    static func labels(rules: Int, broad: Bool, addresses: Int) throws -> Shape {
        var random = Seeded(11)
        var documents: [Document] = []
        documents.reserveCapacity(addresses / 2 + rules / 10)
        for number in 0..<addresses / 2 {
            var workload = Workload(name: ObjectName("w\(number)", namespace: "estate"))
            workload.labels = labels(of: number % 10_000)
            workload.addresses = [Prefix(host: v4(number)), Prefix(host: v6(number))]
            documents.append(.workload(workload))
        }
        var matched: [Probe] = []
        for number in 0..<max(1, rules / 10) {
            let (policy, hits) = policy(number, &random, broad: broad)
            documents.append(.policy(policy))
            if matched.count < 4_096 { matched += hits }
        }
        let set = try PolicySet(documents)
        return Shape(
            set: set, population: (0..<asked).map { $0 % 2 == 0 ? v4($0 / 2) : v6($0 / 2) },
            services: Shape.ports.map { ServiceKey(.tcp, port: $0) } + [ServiceKey(.udp, port: 9)], matched: matched, chosen: [])
    }

    private static func v4(_ number: Int) -> Address { Address(v4: 0x0a00_0000 | UInt32(number)) }
    private static func v6(_ number: Int) -> Address { Address(high: 0xfd00_0000_0000_0000, low: UInt64(number)) }

    private static func labels(of set: Int) -> [String: String] {
        ["app": "a\(set % 100)", "env": "e\(set / 100 % 10)", "tier": "t\(set / 1_000)"]
    }

    /// A policy for one application in one environment, and questions that its rules answer.
    private static func policy(_ number: Int, _ random: inout Seeded, broad: Bool) -> (Policy, [Probe]) {
        let (app, env) = (number % 100, number / 100 % 10)
        var policy = Policy(name: ObjectName("p\(number)", namespace: "estate"))
        policy.subject.selector = selector(app, env, nil)
        policy.order = Double(number)
        policy.ingress = .all
        policy.egress = .all
        var hits: [Probe] = []
        for place in 0..<10 {
            let peer = (random.below(100), random.below(10), random.below(10))
            var term = Term()
            term.selector = selector(peer.0, place < 9 || !broad ? peer.1 : nil, place < (broad ? 6 : 8) ? peer.2 : nil)
            let port = Shape.ports[random.below(Shape.ports.count)]
            var rule = Rule(number: place + 1, action: .allow, direction: place % 2 == 0 ? .ingress : .egress, peers: [term])
            rule.services = Shape.list(port)
            policy.rules.append(rule)
            let own = app + env * 100 + random.below(10) * 1_000
            let (mine, other) = (
                own + 10_000 * random.below(5), peer.0 + peer.1 * 100 + peer.2 * 1_000 + 10_000 * random.below(5)
            )
            let (from, to) = place % 2 == 0 ? (other, mine) : (mine, other)
            hits.append(Probe(source: v4(from), destination: v4(to), service: ServiceKey(.tcp, port: port)))
        }
        return (policy, hits)
    }

    private static func selector(_ app: Int, _ env: Int?, _ tier: Int?) -> Selector {
        var parts: [Selector.Expression] = [.equals("app", "a\(app)")]
        if let env { parts.append(.equals("env", "e\(env)")) }
        if let tier { parts.append(.equals("tier", "t\(tier)")) }
        return Selector(.and(parts), text: "app == \"a\(app)\" …")
    }
}
