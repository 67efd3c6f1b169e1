// SPDX-License-Identifier: Apache-2.0
import Net
import Policy
import Testing

@Suite struct PolicySets {
    private func workload(_ name: String, _ addresses: [String], zones: [String] = []) throws -> Document {
        .workload(
            Workload(
                name: ObjectName(name), addresses: try addresses.map { try #require(Prefix($0)) }, zones: zones,
                place: Place(file: "\(name).yaml", line: 1, column: 1)))
    }

    @Test func `an address that two workloads claim in one zone is an error`() throws {
        let documents = [try workload("a", ["10.0.0.1"]), try workload("b", ["10.0.0.2", "10.0.0.1"])]
        #expect {
            try PolicySet(documents)
        } throws: { error in
            "\(error)" == "b.yaml:1:1: Workload \"b\" claims 10.0.0.1, which \"a\" at a.yaml:1:1 claims too; "
                + "give it to one of them, or tell them apart by zones"
        }
    }

    @Test func `zones tell two claims apart, and nesting is no contradiction`() throws {
        let zones: [Document] = [.zone(Zone(name: "x")), .zone(Zone(name: "y"))]
        _ = try PolicySet(zones + [try workload("a", ["10.0.0.1"], zones: ["x"]), try workload("b", ["10.0.0.1"], zones: ["y"])])
        _ = try PolicySet([try workload("a", ["10.0.0.0/8"]), try workload("b", ["10.0.0.1"])])
        #expect(throws: PolicyError.self, "without Zone documents there is one zone") {
            try PolicySet([try workload("a", ["10.0.0.1"], zones: ["x"]), try workload("b", ["10.0.0.1"], zones: ["y"])])
        }
    }

    @Test func `a zone that no document declares is an error where some are declared`() throws {
        let documents: [Document] = [.zone(Zone(name: "lan")), try workload("a", ["10.0.0.1"], zones: ["lna"])]
        #expect {
            try PolicySet(documents)
        } throws: { error in
            "\(error)" == "a.yaml:1:1: Workload \"a\" names zone \"lna\", which no Zone document declares; did you mean \"lan\"?"
        }
        let set = try PolicySet([try workload("a", ["10.0.0.1"], zones: ["lan"])])
        #expect(set.zones(of: set.workloads[0]).isEmpty)
        let placed = try set.placing(zones: ["lan"])
        #expect(placed.zones(of: placed.workloads[0]) == ["lan"])
        #expect(throws: PolicyError.self) { try set.placing(zones: ["wan"]) }
    }

    @Test func `a term may name no zone that nothing declares`() throws {
        var term = Term()
        term.zones = ["lan"]
        let policy = Policy(name: ObjectName("p"), rules: [Rule(number: 1, action: .allow, direction: .egress, peers: [term])])
        let set = try PolicySet([.policy(policy)])
        #expect(throws: PolicyError.self) { try set.placing(zones: []) }
        _ = try set.placing(zones: ["lan"])
    }

    @Test func `a name stands once for each kind`() throws {
        #expect(throws: PolicyError.self) { try PolicySet([.zone(Zone(name: "a")), .zone(Zone(name: "a"))]) }
        #expect(throws: PolicyError.self) {
            try PolicySet([.policy(Policy(name: ObjectName("p"))), .policy(Policy(name: ObjectName("p")))])
        }
        _ = try PolicySet([.policy(Policy(name: ObjectName("p"))), .policy(Policy(name: ObjectName("p", namespace: "a")))])
    }

    @Test func `policies judge by order, then by name, and without an order last`() throws {
        func policy(_ name: String, _ order: Double?, _ namespace: String? = nil) -> Document {
            var policy = Policy(name: ObjectName(name, namespace: namespace))
            policy.order = order
            return .policy(policy)
        }
        let set = try PolicySet([
            policy("z", nil), policy("b", 2), policy("a", nil), policy("a", 2, "y"), policy("a", 2, "x"), policy("c", -1),
        ])
        #expect(set.policies.map(\.name.description) == ["c", "x/a", "y/a", "b", "a", "z"])
    }

    @Test func `a namespace that is only named denies, and has its name as a label`() throws {
        let set = try PolicySet([.policy(Policy(name: ObjectName("p", namespace: "a")))])
        #expect(set.defaultSetting(of: "a", .ingress) == .deny && set.defaultSetting(of: nil, .egress) == .deny)
        #expect(set.namespaces["a"]?.allLabels == [Namespace.nameLabel: "a"])
    }
}
