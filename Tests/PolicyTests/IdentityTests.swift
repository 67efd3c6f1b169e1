// SPDX-License-Identifier: Apache-2.0
import Net
import Policy
import Testing

private func candidate(
    _ labels: [String: String]? = nil, namespace: String? = nil, account: String? = nil,
    sets: [(labels: [String: String], namespace: String?)] = [],
    address: String = "10.0.0.1", isBound: Bool = false, isHost: Bool = false
) throws -> Term.Candidate {
    let workload = labels.map { Workload(name: ObjectName("w", namespace: namespace), labels: $0, serviceAccount: account) }
    return Term.Candidate(
        workload: workload, namespaceLabels: workload?.name.namespace.map { [Namespace.nameLabel: $0] },
        accountLabels: account.map { ["of": $0] },
        addressSets: sets.map { set in
            .init(
                AddressSet(name: ObjectName("s", namespace: set.namespace), labels: set.labels),
                namespaceLabels: set.namespace.map { [Namespace.nameLabel: $0] })
        }, address: try #require(Address(address)), zone: "lan", isBound: isBound, isHost: isHost)
}

private func term(_ change: (inout Term) -> Void) -> Term {
    var term = Term()
    change(&term)
    return term
}

@Suite struct AddressSetsInTerms {
    @Test func `a selector selects address sets as it selects workloads`() throws {
        let partner = try candidate(sets: [(["kind": "partner"], nil)])
        let selecting = term { $0.selector = Selector(.equals("kind", "partner")) }
        #expect(selecting.matches(partner, scope: nil))
        #expect(!selecting.matches(partner, scope: "shop"), "a set without a namespace is not of the policy's")
        #expect(selecting.matches(try candidate(sets: [(["kind": "partner"], "shop")]), scope: "shop"))
        #expect(term { $0.selector = Selector(.not(.has("x"))) }.matches(partner, scope: nil))
        #expect(!term { $0.notSelector = Selector(.has("kind")) }.matches(partner, scope: nil))
        #expect(term { $0.namespaceSelector = Selector(.global) }.matches(partner, scope: "shop"))
    }

    @Test func `one thing must satisfy a term's label fields, not several together`() throws {
        let both = try candidate(["app": "web"], namespace: "a", sets: [(["kind": "partner"], "b")])
        let inB = Selector(.equals(Namespace.nameLabel, "b"))
        let mixed = term { term in
            term.selector = Selector(.equals("app", "web"))
            term.namespaceSelector = inB
        }
        #expect(!mixed.matches(both, scope: nil))
        #expect(mixed.failures(of: both, scope: nil) == ["selector: app == \"web\""])
        let account = term { term in
            term.selector = Selector(.equals("kind", "partner"))
            term.serviceAccounts = ["x"]
        }
        let running = try candidate(["app": "web"], account: "x", sets: [(["kind": "partner"], nil)])
        #expect(!account.matches(running, scope: nil))
        #expect(account.failures(of: running, scope: nil) == ["selector: kind == \"partner\"", "serviceAccounts: [x]"])
    }

    @Test func `known is what a workload or a set claims, outside what no workload claims`() throws {
        func entities(_ entities: [Term.Entity], _ candidate: Term.Candidate) -> Bool {
            term { $0.entities = entities }.matches(candidate, scope: "any")
        }
        let (nobody, set) = (try candidate(), try candidate(sets: [([:], nil)]))
        let workload = try candidate([:])
        #expect(entities([.known], set) && entities([.known], workload) && !entities([.known], nobody))
        #expect(entities([.outside], set) && !entities([.outside], workload) && entities([.outside], nobody))
        #expect(entities([.any], nobody) && !entities([], nobody) && !entities([.host], workload))
        #expect(entities([.host], try candidate(isHost: true)))
    }

    @Test(arguments: [
        ("224.0.0.251", Term.Entity.multicast), ("ff02::fb", .multicast), ("255.255.255.255", .broadcast),
        ("fe80::1", .linkLocal),
        ("169.254.1.1", .linkLocal),
    ]) func `built-in sets are made of blocks`(address: String, entity: Term.Entity) throws {
        for other in [Term.Entity.multicast, .broadcast, .linkLocal] {
            let holds = term { $0.entities = [other] }.matches(try candidate(address: address), scope: nil)
            #expect(holds == (other == entity))
        }
    }

    @Test func `an entry means its services as destination only, and ends with its lease`() throws {
        let address = try #require(Address("10.0.0.1"))
        let block = AddressSet.Entry.Target.block(try #require(Prefix("10.0.0.0/8")))
        let https = ServiceRange(.tcp, ports: 443...443)
        let entry = AddressSet.Entry(block, except: [try #require(Prefix("10.0.0.2"))], service: https, until: 100)
        let key = ServiceKey(.tcp, port: 443)
        #expect(entry.contains(address, for: key, at: 99) && !entry.contains(address, for: key, at: 100))
        #expect(!entry.contains(address, for: ServiceKey(.tcp, port: 80), at: 0) && !entry.contains(address, for: nil, at: 0))
        #expect(!entry.contains(try #require(Address("10.0.0.2")), for: key, at: 0))
        #expect(AddressSet.Entry(block).contains(address, for: nil, at: .max))
        let name = AddressSet.Entry(.name(try #require(DNSPattern("a.b"))))
        #expect(!name.contains(address, for: nil, at: 0))
    }
}

@Suite struct Subjects {
    @Test func `a subject is a workload, and no address set`() throws {
        let policy = Policy(name: ObjectName("p"))
        #expect(try policy.speaks(for: candidate([:])) && !policy.speaks(for: candidate(sets: [([:], nil)])))
        #expect(try policy.speaks(for: candidate(isHost: true)) && !policy.speaks(for: candidate()))
        var selecting = policy
        selecting.subject.selector = Selector(.has("x"))
        #expect(!selecting.speaks(for: try candidate([:], sets: [(["x": ""], nil)])))
    }

    @Test func `a policy of a namespace speaks for workloads of that namespace alone`() throws {
        let policy = Policy(name: ObjectName("p", namespace: "a"))
        #expect(try policy.speaks(for: candidate([:], namespace: "a")) && !policy.speaks(for: candidate([:], namespace: "b")))
        #expect(policy.failures(ofSubject: try candidate([:])) == ["namespace: a"])
    }
}

@Suite struct Accounts {
    @Test func `accounts are selected by name and by label, in the term's scope`() throws {
        let web = try candidate([:], namespace: "a", account: "web")
        func holds(_ scope: String?, _ change: (inout Term) -> Void) -> Bool { term(change).matches(web, scope: scope) }
        #expect(holds("a") { $0.serviceAccounts = ["web", "db"] } && !holds("b") { $0.serviceAccounts = ["web"] })
        #expect(holds("a") { $0.serviceAccountSelector = Selector(.equals("of", "web")) })
        #expect(!holds("b") { $0.serviceAccountSelector = Selector(.all) })
        #expect(!term { $0.serviceAccountSelector = Selector(.all) }.matches(try candidate([:]), scope: nil))
        #expect(holds(nil) { $0.notNamespaceSelector = Selector(.equals(Namespace.nameLabel, "b")) })
        #expect(!holds(nil) { $0.notNamespaceSelector = Selector(.equals(Namespace.nameLabel, "a")) })
        #expect(term { $0.notNamespaceSelector = Selector(.all) }.matches(try candidate(), scope: nil))
    }

    @Test func `a principal is the account's text, and who has none is nobody`() throws {
        let web = try candidate([:], namespace: "shop", account: "web")
        let text = "cluster.local/ns/shop/sa/web"
        func holds(_ principal: Principal, _ who: Term.Candidate) -> Bool {
            term { $0.principal = principal }.matches(who, scope: "elsewhere")
        }
        for pattern in [TextPattern.exact(text), .prefix("cluster.local/ns/shop/"), .suffix("/sa/web"), .present] {
            #expect(try holds(Principal(names: [pattern]), web) && !holds(Principal(names: [pattern]), candidate([:])))
            #expect(try !holds(Principal(notNames: [pattern]), web) && holds(Principal(notNames: [pattern]), candidate()))
        }
        #expect(!holds(Principal(names: []), web) && holds(Principal(notNames: []), web))
    }

    @Test func `who is less sure than must be counts as nobody`() throws {
        let sure = Principal(names: [.present], assurance: .bound)
        let unsure = try candidate([:], account: "web")
        let bound = try candidate([:], account: "web", isBound: true)
        #expect(sure.assurance > .inventory && sure.assurance < .certificate)
        #expect(
            term { $0.principal = sure }.matches(bound, scope: nil) && !term { $0.principal = sure }.matches(unsure, scope: nil))
        let denied = Principal(notNames: [.present], assurance: .bound)
        #expect(term { $0.principal = denied }.matches(unsure, scope: nil))
        #expect(
            term { $0.principal = sure }.failures(of: unsure, scope: nil) == ["principal: {names: [*], assurance: bound}"])
    }
}
