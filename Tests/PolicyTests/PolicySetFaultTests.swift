// SPDX-License-Identifier: Apache-2.0
import Net
import Policy
import Testing

private func place(_ line: Int) -> Place { Place(file: "f", line: line, column: 1) }

private func policy(_ name: String, namespace: String? = nil, _ change: (inout Policy) -> Void = { _ in }) -> Document {
    var policy = Policy(name: ObjectName(name, namespace: namespace), place: place(9))
    change(&policy)
    return .policy(policy)
}

private func entities(_ names: String...) -> Term {
    var term = Term()
    term.entities = names.map { Term.Entity(builtIn: $0) ?? .named($0, []) }
    return term
}

private func entity(_ name: String, _ terms: Term..., line: Int = 1) -> Document {
    .entity(Entity(name: name, terms: terms, place: place(line)))
}

/// What contradicts what, each with its exact words.
@Suite struct PolicySetFaults {
    private func faults(_ documents: [Document]) -> [String] {
        do throws(PolicyError) { _ = try PolicySet(documents) } catch { return error.all.map(\.description) }
        return []
    }

    @Test func `a tier that nothing declares`() {
        let documents = [policy("p") { $0.tier = "gaurd" }, .tier(Tier(name: "guard"))]
        #expect(
            faults(documents) == [
                "f:9:1: Policy \"p\" names tier \"gaurd\", which no Tier document declares; did you mean \"guard\"?"
            ])
        #expect(
            faults([policy("p") { $0.tier = "x" }]) == [
                "f:9:1: Policy \"p\" names tier \"x\", which no Tier document declares; declare it or leave the key out"
            ])
    }

    @Test func `the built-in tier and built-in entities are not defined anew`() {
        #expect(
            faults([.tier(Tier(name: "default", place: place(2)))]) == [
                "f:2:1: the tier \"default\" is built in; give yours another name"
            ])
        #expect(faults([entity("outside")]) == ["f:1:1: the entity \"outside\" is built in; give yours another name"])
    }

    @Test func `an order in an unordered set`() {
        let documents = [
            policy("p") {
                $0.tier = "s"; $0.order = 1
            }, policy("q") { $0.tier = "s" }, .tier(Tier(name: "s", shape: .set)),
        ]
        #expect(
            faults(documents) == [
                "f:9:1: Policy \"p\" has an order, and the tier \"s\" is an unordered set; leave \"order\" out, or make the tier "
                    + "ordered"
            ])
    }

    @Test func `an entity that nothing defines`() {
        let documents = [
            policy("p") {
                $0.rules = [Rule(number: 1, action: .allow, direction: .egress, peers: [entities("internte")], place: place(3))]
            },
            policy("q") { $0.subject = entities("knwon") }, entity("internet", entities("outside")),
        ]
        #expect(
            faults(documents) == [
                "f:3:1: rule \"1\" of Policy \"p\" names entity \"internte\", which no Entity document defines; did you mean "
                    + "\"internet\"?",
                "f:9:1: Policy \"q\" names entity \"knwon\", which no Entity document defines; did you mean \"known\"?",
            ])
    }

    @Test func `entities that stand for themselves, or for too much`() throws {
        #expect(
            faults([entity("a", entities("b")), entity("b", entities("a"), line: 2)]) == [
                "f:1:1: the entity \"a\" stands for itself: a -> b -> a"
            ])
        let chain = (0..<6).map { entity("e\($0)", $0 == 5 ? Term() : entities("e\($0 + 1)")) }
        #expect(
            faults(chain).first
                == "f:1:1: entities stand for entities in more than 4 levels: e0 -> e1 -> e2 -> e3; write out what the last one "
                + "stands for")
        let wide = Array(repeating: entities("leaf", "leaf", "leaf"), count: 200)
        let documents = [entity("leaf", Term(), Term()), .entity(Entity(name: "wide", terms: wide, place: place(4)))]
        #expect(
            faults(documents) == [
                "f:4:1: the entity \"wide\" stands for more than 1024 terms; give the workloads a label and select that"
            ])
    }

    @Test func `an account that nothing declares, in a namespace that declares some`() {
        var term = Term()
        term.serviceAccounts = ["wbe"]
        let workload = Workload(name: ObjectName("w", namespace: "a"), serviceAccount: "db", place: place(5))
        var imported = workload
        imported.name.name = "i"
        imported.isImported = true
        let documents: [Document] = [
            .serviceAccount(ServiceAccount(name: ObjectName("web", namespace: "a"))), .workload(workload), .workload(imported),
            policy("p", namespace: "a") { $0.subject = term }, policy("q", namespace: "b") { $0.subject = term },
            policy("r") { $0.subject = term },
        ]
        #expect(
            faults(documents) == [
                "f:5:1: Workload \"a/w\" names service account \"a/db\", which no document declares; declare it or leave it out",
                "f:9:1: Policy \"a/p\" names service account \"a/wbe\", which no document declares; did you mean \"web\"?",
            ])
    }

    @Test func `every contradiction is told at once, 20 at most`() throws {
        let prefix = try #require(Prefix("10.0.0.1"))
        let claimants = (0..<50).map { Workload(name: ObjectName("w\($0)"), addresses: [prefix]) }
        #expect(faults(claimants.map { .workload($0) }).count == PolicyError.most)
        let documents: [Document] = [
            .zone(Zone(name: "z")), .zone(Zone(name: "z")), policy("p") { $0.tier = "x" },
            .workload(Workload(name: ObjectName("w"), zones: ["y"])),
        ]
        #expect(faults(documents).count == 3)
    }
}

@Suite struct PolicySetOrder {
    @Test func `policies judge by layer, tier, order and name`() throws {
        let documents: [Document] = [
            .tier(Tier(name: "late", order: 2_000_000)), .tier(Tier(name: "last")), .tier(Tier(name: "early", order: 1)),
            .tier(Tier(name: "host", layer: .zone)), .tier(Tier(name: "mesh", layer: .mesh, order: 0)),
            policy("a") { $0.tier = "last" }, policy("b") { $0.tier = "late" }, policy("c"), policy("d") { $0.tier = "early" },
            policy("e") { $0.tier = "mesh" }, policy("f") { $0.tier = "host" }, policy("b2") { $0.order = 1 },
        ]
        let set = try PolicySet(documents)
        #expect(set.orderedTiers.map(\.name) == ["host", "early", "default", "late", "last", "mesh"])
        #expect(set.policies.map(\.name.name) == ["f", "d", "b2", "c", "b", "a", "e"])
    }

    @Test func `a namespace that only imported objects name is imported`() throws {
        func workload(_ name: String, _ namespace: String, imported: Bool) -> Document {
            .workload(Workload(name: ObjectName(name, namespace: namespace), isImported: imported))
        }
        let set = try PolicySet([
            workload("a", "foreign", imported: true), workload("a", "mixed", imported: true),
            workload("b", "mixed", imported: false),
            workload("a", "declared", imported: true), .namespace(Namespace(name: "declared", ingress: .audit)),
            .namespace(.imported("empty", labels: ["x": "y"])),
        ])
        #expect(set.defaultSetting(of: "foreign", .ingress) == .allow && set.namespaces["foreign"]?.isImported == true)
        #expect(set.namespaces["foreign"]?.allLabels == [Namespace.nameLabel: "foreign"])
        #expect(set.defaultSetting(of: "mixed", .ingress) == .deny && set.namespaces["mixed"]?.isImported == false)
        #expect(set.defaultSetting(of: "declared", .ingress) == .audit && set.defaultSetting(of: "declared", .egress) == .deny)
        #expect(set.defaultSetting(of: "empty", .egress) == .allow)
    }

    @Test func `entities carry their terms into policies`() throws {
        var inner = Term()
        inner.cidrs = [try #require(Prefix("192.0.2.0/24"))]
        let set = try PolicySet([
            entity("partner", inner), entity("friends", entities("partner", "known")),
            policy("p") { $0.rules = [Rule(number: 1, action: .allow, direction: .ingress, peers: [entities("friends")])] },
        ])
        let peer = set.policies[0].rules[0].peers[0]
        func candidate(_ text: String) throws -> Term.Candidate {
            set.candidate(try #require(Address(text)), zone: "default", owner: nil, service: nil, at: 0)
        }
        #expect(try peer.matches(candidate("192.0.2.1"), scope: "n") && !peer.matches(candidate("192.0.3.1"), scope: "n"))
        #expect(!(try entities("partner").matches(candidate("192.0.2.1"), scope: nil)), "without a set the name is empty")
    }

    @Test func `a candidate knows its sets, its account's labels and whether it is bound`() throws {
        let prefix = try #require(Prefix("10.0.0.0/8"))
        let https = AddressSet.Entry(.block(prefix), service: ServiceRange(.tcp, ports: 443...443))
        let workload = Workload(
            name: ObjectName("w", namespace: "n"), serviceAccount: "x", hardwareAddresses: [MACAddress(bits: 2)])
        let set = try PolicySet([
            .zone(Zone(name: "lan", onLink: true)), .zone(Zone(name: "wan")), .workload(workload),
            .addressSet(AddressSet(name: ObjectName("s"), entries: [https])),
            .serviceAccount(ServiceAccount(name: ObjectName("x", namespace: "n"), labels: ["l": "v"])),
        ])
        let address = try #require(Address("10.0.0.1"))
        let key = ServiceKey(.tcp, port: 443)
        let here = set.candidate(address, zone: "lan", owner: workload, service: key, at: 0)
        #expect(here.isBound && here.accountLabels == ["l": "v"] && here.addressSets.map(\.set.name.name) == ["s"])
        let there = set.candidate(address, zone: "wan", owner: workload, service: nil, at: 0)
        #expect(!there.isBound && there.addressSets.isEmpty && there.namespaceLabels == [Namespace.nameLabel: "n"])
        var undeclared = workload
        undeclared.serviceAccount = "y"
        #expect(set.accountLabels(of: undeclared) == [:])
    }
}
