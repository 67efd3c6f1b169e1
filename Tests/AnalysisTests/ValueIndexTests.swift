// SPDX-License-Identifier: Apache-2.0
import Compiler
import Net
import Policy
import PolicyText
import Record
import TestSupport
import Testing

@testable import Analysis

/// A set from a text, and its rules' values.
private struct Asked {
    let set: PolicySet
    let index: ValueIndex

    init(_ text: String) throws {
        set = try PolicySet(try decode(text, file: "values.yaml"))
        index = ValueIndex(set.withoutWorkloads)
    }

    /// `field value` of each value that a rule of policy `p` names.
    func named(_ rule: String) -> [String] {
        index.listed().filter { $0.rule == rule }.flatMap(\.values).map { "\($0.field) \($0.text)" }
    }

    private func end(_ text: String, _ zone: String) throws -> ValueIndex.End {
        let address = try #require(Address(text))
        let owner = set.workloads.first { $0.addresses.contains { $0.contains(address) } }
        return .init(address: address, zone: zone, workload: owner)
    }

    /// The values that hold for a connection; `nil` where the rule does not speak of it.
    func held(
        _ rule: String, from: String, to: String, _ port: UInt16, side: PolicySide = .ingress, zone: String = Zone.implicit,
        sourcePort: UInt16 = 50_000, at time: UInt64 = 0
    ) throws -> [String]? {
        index.answer(
            policy: "shop/p", rule: rule, side: side, from: try end(from, zone), to: try end(to, zone),
            service: ServiceKey(.tcp, port: port), sourcePort: sourcePort, at: time
        ).values?.map { "\($0.field) \($0.text)" }
    }
}

private func object(_ kind: String, _ name: String, _ labels: String = "{}", namespace: String? = "shop", _ spec: String)
    -> String
{
    let place = namespace.map { ", namespace: \($0)" } ?? ""
    return "apiVersion: bulkhead/v1\nkind: \(kind)\nmetadata: {name: \(name)\(place), labels: \(labels)}\nspec: \(spec)\n---\n"
}

private let things =
    object("Workload", "a", "{app: a, env: prod}", "{addresses: [10.0.0.1], serviceAccount: alice, zones: [lan]}")
    + object("Workload", "b", "{app: b, env: prod}", "{addresses: [10.0.0.2], serviceAccount: bob, zones: [lan]}")
    + object("Workload", "db", "{app: db}", "{addresses: [10.0.0.9], services: {sql: tcp/5432}}")
    + object("AddressSet", "offices", "{kind: office}", "{cidrs: [192.0.2.0/25, 192.0.2.128/25]}")
    + object("Zone", "lan", namespace: nil, "{}") + object("Zone", "wan", namespace: nil, "{}")
    + object("Entity", "partners", namespace: nil, "{terms: [{cidrs: [198.51.100.0/24, 203.0.113.0/24]}]}")

private func policy(_ rules: String) -> String {
    things + "apiVersion: bulkhead/v1\nkind: Policy\nmetadata: {name: p, namespace: shop}\n"
        + "spec:\n  subject: {selector: 'app == \"db\"'}\n  rules:\n"
        + rules.split(separator: "\n").map { "    \($0)\n" }.joined()
}

@Suite struct RuleValues {
    @Test func `each block counts that holds the address, also where several overlap`() throws {
        let asked = try Asked(
            policy("- {name: r, action: allow, from: {cidrs: [10.0.0.0/8, 10.0.0.0/30, 172.16.0.0/12]}, services: [sql]}"))
        #expect(
            asked.named("r") == [
                "from.cidrs 10.0.0.0/8", "from.cidrs 10.0.0.0/30", "from.cidrs 172.16.0.0/12", "services sql",
            ])
        #expect(
            try asked.held("r", from: "10.0.0.1", to: "10.0.0.9", 5432) == [
                "from.cidrs 10.0.0.0/8", "from.cidrs 10.0.0.0/30", "services sql",
            ])
        #expect(try asked.held("r", from: "10.1.0.1", to: "10.0.0.9", 5432) == ["from.cidrs 10.0.0.0/8", "services sql"])
        #expect(try asked.held("r", from: "192.0.2.1", to: "10.0.0.9", 5432) == nil)
        #expect(try asked.held("r", from: "10.0.0.1", to: "10.0.0.9", 5433) == nil)
    }

    @Test func `of a selector each alternative counts, and one without any counts whole`() throws {
        let asked = try Asked(
            policy(
                """
                - {name: in, action: allow, from: {selector: 'app in {"a", "b", "c"} && env == "prod"'}}
                - {name: or, action: allow, from: {selector: 'app == "a" || (env == "prod" && app in {"b", "c"})'}}
                - {name: whole, action: allow, from: {selector: 'has(app) && env == "prod"'}}
                """))
        #expect(asked.named("in") == ["a", "b", "c"].map { "from.selector app == \"\($0)\"" })
        #expect(asked.named("or") == asked.named("in"))
        #expect(asked.named("whole") == ["from.selector has(app) && env == \"prod\""])
        for rule in ["in", "or"] {
            #expect(try asked.held(rule, from: "10.0.0.2", to: "10.0.0.9", 80) == ["from.selector app == \"b\""])
        }
        #expect(try asked.held("whole", from: "10.0.0.2", to: "10.0.0.9", 80) == asked.named("whole"))
        #expect(try asked.held("in", from: "10.0.0.9", to: "10.0.0.9", 80) == nil)
    }

    @Test func `zones, accounts, entities and those behind them count`() throws {
        let asked = try Asked(
            policy(
                """
                - {name: zones, action: deny, from: {zones: [lan, wan]}}
                - {name: accounts, action: allow, from: {serviceAccounts: [alice, bob]}}
                - {name: entities, action: allow, from: {entities: [partners, outside]}}
                """))
        #expect(try asked.held("zones", from: "10.0.0.1", to: "10.0.0.9", 80, zone: "wan") == ["from.zones wan"])
        #expect(
            try asked.held("accounts", from: "10.0.0.2", to: "10.0.0.9", 80, zone: "lan") == ["from.serviceAccounts bob"])
        #expect(
            asked.named("entities") == [
                "from.entities partners", "from.entities.partners.cidrs 198.51.100.0/24",
                "from.entities.partners.cidrs 203.0.113.0/24", "from.entities outside",
            ])
        #expect(
            try asked.held("entities", from: "203.0.113.7", to: "10.0.0.9", 80) == [
                "from.entities partners", "from.entities.partners.cidrs 203.0.113.0/24", "from.entities outside",
            ])
    }

    @Test func `of an address set that a selector selects the entries count that hold the address`() throws {
        let asked = try Asked(policy("- {name: r, action: allow, from: {selector: 'kind == \"office\"'}}"))
        #expect(
            asked.named("r") == [
                "from.selector kind == \"office\"", "from.addressSets shop/offices: 192.0.2.0/25",
                "from.addressSets shop/offices: 192.0.2.128/25",
            ])
        #expect(
            try asked.held("r", from: "192.0.2.200", to: "10.0.0.9", 80) == [
                "from.selector kind == \"office\"", "from.addressSets shop/offices: 192.0.2.128/25",
            ])
        #expect(try asked.held("r", from: "192.0.3.1", to: "10.0.0.9", 80) == nil)
    }

    @Test func `what a question costs does not grow with an address set, and a lease elsewhere changes nothing`() throws {
        func block(_ number: UInt32, _ until: UInt64? = nil) throws -> AddressSet.Entry {
            let text = "10.\(number >> 16 & 255).\(number >> 8 & 255).\(number & 255)/32"
            return AddressSet.Entry(.block(try #require(Prefix(text))), until: until)
        }
        let text = policy("- {name: r, action: allow, from: {selector: 'kind == \"office\"'}}")
        let large =
            try (1...100_000).map { try block(UInt32($0), $0 == 7 ? 50 : nil) } + [
                AddressSet.Entry(.block(try #require(Prefix("10.0.0.0/16"))))
            ]
        for entries in [Array(large.suffix(2)), large] {
            let documents = try decode(text, file: "values.yaml").map { document -> Document in
                guard case .addressSet(var set) = document else { return document }
                set.entries = entries
                return .addressSet(set)
            }
            let index = ValueIndex(try PolicySet(documents).withoutWorkloads)
            func ask(_ address: Address, at time: UInt64 = 0) -> ValueIndex.Answer {
                let own = ValueIndex.End(
                    address: "10.0.0.9", zone: Zone.implicit,
                    workload: Workload(name: ObjectName("db", namespace: "shop"), labels: ["app": "db"]))
                return index.answer(
                    policy: "shop/p", rule: "r", side: .ingress,
                    from: .init(address: address, zone: Zone.implicit, workload: nil), to: own,
                    service: ServiceKey(.tcp, port: 80), sourcePort: 1, at: time)
            }
            // 10.1.134.160 is the last block.
            #expect(index.entries(at: "10.1.134.160").count == 1 && index.entries(at: "192.0.2.1").isEmpty)
            #expect(ask("10.1.134.160").values?.last?.text == "shop/offices: 10.1.134.160/32")
            #expect(ask("10.1.134.160").isLasting && ask("192.0.2.1").isLasting)
            guard entries.count > 2 else { continue }
            #expect(index.entries(at: "10.0.0.7").count == 2)
            #expect(ask("10.0.0.7").values?.count == 3 && ask("10.0.0.7", at: 50).values?.count == 2)
            #expect(!ask("10.0.0.7").isLasting && !ask("10.0.0.7", at: 50).isLasting)
        }
    }

    @Test func `a range of ports is one value, and source ports make the answer one for each connection`() throws {
        let asked = try Asked(
            policy("- {name: r, action: allow, from: {entities: [any]}, services: [tcp/80-90, tcp/85, udp/53]}"))
        #expect(
            try asked.held("r", from: "10.0.0.1", to: "10.0.0.9", 85) == [
                "from.entities any", "services tcp/80-90", "services tcp/85",
            ])
        let ports = try Asked(
            policy(
                "- {name: r, action: allow, from: {entities: [any]}, services: [{service: tcp/80, sourcePorts: [1-100]}, tcp/80-81]}"
            ))
        #expect(ports.named("r").contains("services tcp/80 from 1-100"))
        #expect(
            try ports.held("r", from: "10.0.0.1", to: "10.0.0.9", 80, sourcePort: 7) == [
                "from.entities any", "services tcp/80 from 1-100", "services tcp/80-81",
            ])
        #expect(try ports.held("r", from: "10.0.0.1", to: "10.0.0.9", 80) == ["from.entities any", "services tcp/80-81"])
        func isLasting(_ asked: Asked) -> Bool {
            let end = ValueIndex.End(address: "10.0.0.9", zone: Zone.implicit, workload: nil)
            return asked.index.answer(
                policy: "shop/p", rule: "r", side: .ingress, from: end, to: end, service: ServiceKey(.tcp, port: 80),
                sourcePort: 1,
                at: 0
            ).isLasting
        }
        #expect(isLasting(asked) && !isLasting(ports))
    }

    @Test func `a rule of the other side, of another name or another policy answers nothing`() throws {
        let asked = try Asked(policy("- {name: r, action: allow, to: {cidrs: [10.0.0.0/8]}}"))
        #expect(try asked.held("r", from: "10.0.0.9", to: "10.0.0.1", 80, side: .egress) == ["to.cidrs 10.0.0.0/8"])
        #expect(try asked.held("r", from: "10.0.0.9", to: "10.0.0.1", 80) == nil)
        #expect(try asked.held("s", from: "10.0.0.9", to: "10.0.0.1", 80, side: .egress) == nil)
    }

    @Test func `of every rule that decides something is said to hold, and nothing that it does not name`() throws {
        let seed = Seeded.seed()
        var random = RandomSets(seed: seed)
        var met = 0
        for round in 0..<40 {
            let set = try PolicySet(random.documents())
            let (reference, index) = (Reference(set), ValueIndex(set.withoutWorkloads))
            let listed = index.listed()
            for _ in 0..<60 {
                let connection = random.connection()
                let answer = reference.judge(connection)
                for cause in [answer.egress, answer.ingress].compactMap({ $0 }) {
                    for layer in cause.layers {
                        guard let policy = layer.policy, let rule = layer.rule else { continue }
                        met += 1
                        let held = try #require(
                            index.held(connection, policy, rule, cause.side, reference), "seed \(seed) round \(round)")
                        let named = listed.filter { ($0.policy, $0.rule, $0.side) == (policy, rule, cause.side) }.flatMap(
                            \.values)
                        #expect(Set(held).isSubset(of: named), "seed \(seed) round \(round): \(held)")
                        let fields = Set(named.map(\.field))
                        #expect(!fields.contains("services") || held.contains { $0.field == "services" })
                    }
                }
            }
        }
        #expect(met > 100, "seed \(seed): only \(met) rules decided")
    }
}

extension ValueIndex {
    /// What holds of a rule for a connection between whoever the reference says that owns its ends.
    fileprivate func held(
        _ connection: Reference.Connection, _ policy: String, _ rule: String, _ side: PolicySide, _ reference: Reference
    ) -> [RuleValue]? {
        func end(_ end: Reference.End) -> End {
            End(address: end.address, zone: end.zone, workload: reference.owner(of: end.address, zone: end.zone))
        }
        return answer(
            policy: policy, rule: rule, side: side, from: end(connection.source), to: end(connection.destination),
            service: connection.service, sourcePort: connection.sourcePort, at: connection.time
        ).values
    }
}
