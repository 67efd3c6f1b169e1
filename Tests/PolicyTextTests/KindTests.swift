// SPDX-License-Identifier: Apache-2.0
import Net
import Policy
import PolicyText
import TestSupport
import Testing

/// Every field of every kind, as it stands in `PolicySample.everything`.
@Suite struct Kinds {
    private let set: PolicySet

    init() throws { set = try PolicySet(try decode(PolicySample.everything, file: "all.yaml")) }

    private func policy(_ name: String) throws -> Policy { try #require(set.policies.first { $0.name.name == name }) }
    private func prefixes(_ texts: String...) -> [Prefix] { texts.compactMap { Prefix($0) } }

    @Test func `zones`() throws {
        let (lan, wan) = (try #require(set.zones["lan"]), try #require(set.zones["wan"]))
        #expect(lan.onLink && lan.dhcpServer && lan.labels == ["site": "a"] && lan.unjudged == ["wan": .audit])
        #expect(lan.unjudgedElsewhere == .deny && lan.place == Place(file: "all.yaml", line: 1, column: 1))
        #expect(!wan.onLink && !wan.dhcpServer && wan.unjudged.isEmpty && wan.unjudgedElsewhere == .allow)
    }

    @Test func `namespaces and accounts`() throws {
        let shop = try #require(set.namespaces["shop"])
        #expect(shop.labels == ["team": "a"] && shop.ingress == .audit && shop.egress == .allow && !shop.isImported)
        #expect(set.serviceAccounts[ObjectName("web", namespace: "shop")]?.labels == ["trust": "high"])
    }

    @Test func `workloads`() throws {
        let (db, web) = (set.workloads[0], set.workloads[1])
        #expect(web.name == ObjectName("web-1", namespace: "shop") && web.labels == ["app": "web"] && web.zones == ["lan"])
        #expect(web.addresses == prefixes("10.9.0.11", "fd00::11", "10.9.1.0/24") && web.serviceAccount == "web")
        #expect(web.hardwareAddresses.map(\.description) == ["02:00:00:00:00:01", "02:00:00:00:00:02"])
        #expect(
            web.services == [
                "sql": ServiceRange(.tcp, ports: 5432...5432), "ping": ServiceRange(.icmp, ports: 0x800...0x800),
                "all-udp": ServiceRange(.udp),
            ])
        #expect(db.name == ObjectName("db") && db.hardwareAddresses == [MACAddress(bits: 0x02_00_00_00_00_03)])
        #expect(set.isBound(web, in: "lan") && !set.isBound(web, in: "wan"))
    }

    @Test func `address sets`() throws {
        let partners = try #require(set.addressSets.first)
        let except = prefixes("192.0.2.1")
        #expect(partners.name == ObjectName("partners", namespace: "shop") && partners.labels == ["kind": "partner"])
        #expect(
            partners.entries == [
                .init(.block(prefixes("192.0.2.0/24")[0]), except: except),
                .init(.block(prefixes("2001:db8::/32")[0]), except: except),
                .init(
                    .block(prefixes("198.51.100.0/24")[0]), except: prefixes("198.51.100.7"),
                    service: ServiceRange(.tcp, ports: 443...443), until: 1_801_418_400),
                .init(.name(try #require(DNSPattern("*.example.com")))),
            ])
    }

    @Test func `entities and tiers`() throws {
        var internet = Term()
        internet.entities = [.outside]
        internet.notCIDRs = prefixes("10.0.0.0/8")
        #expect(set.entities["internet"]?.terms == [internet])
        let guarding = try #require(set.tiers["guard"])
        #expect(guarding.layer == .network && guarding.order == 10.5 && guarding.shape == .set && guarding.end == .audit)
        #expect(guarding.labels == ["by": "us"])
        #expect(set.orderedTiers.map(\.name) == ["guard", "default"])
        #expect(set.policies.map(\.name.name) == ["unordered", "every"])
    }

    @Test func `policies`() throws {
        let every = try policy("every")
        #expect(every.tier == "default" && every.order == 100 && every.ingress == .all && every.mode == .enforce)
        #expect(every.expires == 1_893_456_000 && every.change == .drain(seconds: 300))
        #expect(
            every.responsibility == Policy.Responsibility(owner: "shop team", ticket: "SHOP-1", reason: "it sells"))
        guard case .services(let list) = every.egress else { throw PolicyError(.nowhere, "no list") }
        #expect(list.services == [.range(ServiceRange(.tcp)), .range(ServiceRange(.icmp, ports: 0x800...0x8ff))])
        #expect(every.subject.selector?.text == "app == \"web\" && env not in {\"prod\"}")
        #expect(try policy("unordered").change == .keep)
    }

    @Test func `rules`() throws {
        let rules = try policy("every").rules
        let first = rules[0]
        #expect(first.name == "first" && first.action == .allow && first.direction == .ingress && first.family == .ipv4)
        #expect(first.logText == "seen" && first.mode == .audit && first.tracking == .none && first.expires == 1_861_920_000)
        #expect(first.subject?.cidrs == prefixes("10.9.0.11"))
        #expect(first.services?.text == "services: [sql, 6, tcp/1000-2000, gre, esp, vxlan, any, everything]")
        #expect(first.notServices?.services == [.range(ServiceRange(.udp, ports: 53...53))])
        #expect(rules[1].action == .log && rules[1].direction == .egress && rules[1].tracking == .flow)
        #expect(rules[2].expectsReplies == 3 && rules[2].peers.first?.entities == [.multicast])
        #expect(try policy("unordered").rules.map(\.peers.count) == [0, 1, 1])
    }

    @Test func `terms`() throws {
        let term = try #require(try policy("every").rules[0].peers.first)
        #expect(term.selector?.text == "app == \"web\"" && term.notSelector?.text == "has(bad)")
        #expect(term.namespaceSelector?.text == "team in {\"a\"}" && term.notNamespaceSelector?.expression == .global)
        #expect(term.serviceAccounts == ["web"] && term.serviceAccountSelector?.expression == .equals("trust", "high"))
        #expect(
            term.principal
                == Principal(
                    names: [
                        .exact("cluster.local/ns/shop/sa/web"), .prefix("cluster.local/ns/shop/"), .suffix("/web"), .present,
                    ], notNames: [.exact("cluster.local/ns/shop/sa/bad")], assurance: .bound))
        #expect(term.cidrs == prefixes("10.0.0.0/8") && term.notCIDRs == prefixes("10.10.0.0/16") && term.zones == ["lan"])
        #expect(term.entities == [.known, .named("internet", set.entities["internet"]?.terms ?? [])])
    }

    @Test func `services`() throws {
        let services = try #require(try policy("every").rules[2].services?.services)
        #expect(services[0] == Service(.range(ServiceRange(.udp, ports: 5353...5353)), sourcePorts: [5353...5353, 1024...65535]))
        var match = HTTPMatch()
        (match.methods, match.notMethods) = ([.exact("GET")], [.expression("P.*")])
        (match.paths, match.notPaths) = ([.template("/a/{*}"), .exact("/b")], [.exact("/c")])
        (match.hosts, match.notHosts) = ([.suffix(".example.com")], [.exact("x.example.com")])
        match.headers = [.init(name: "X-User", value: .present)]
        let web = Service.Destination.range(ServiceRange(.tcp, ports: 80...80))
        #expect(services[1] == Service(web, program: LayerSevenProgram(.http([match]), priority: 7)))
        #expect(services[2].program?.match == .tls([try #require(DNSPattern("**.example.com"))]))
        #expect(services[3].program?.match == .dns([try #require(DNSPattern("www.example.com"))]))
        let words = try #require(try policy("every").rules[0].services?.services)
        #expect(words[0] == .named("sql") && words[1] == .range(ServiceRange(.tcp)) && words[6] == .range(.any))
        #expect(words[7] == .range(.everything) && words[4] == .range(ServiceRange(IPProtocol(rawValue: 50))))
    }

    @Test func `what no data path can enforce yet is told, each with its place`() throws {
        #expect(
            set.unenforceable().map(\.description) == [
                "all.yaml:27:1: AddressSet \"shop/partners\" names \"*.example.com\", and DNS names are not enforced yet; "
                    + "write its addresses",
                "all.yaml:94:7: rule \"3\" of Policy \"shop/every\" asks for a layer-7 program, and none is enforced yet; "
                    + "name the service by protocol and port alone",
            ])
        var term = Term()
        term.principal = Principal(names: [.present], assurance: .certificate)
        let policy = Policy(name: ObjectName("p"), subject: term, place: Place(file: "p", line: 1, column: 1))
        #expect(
            try PolicySet([.policy(policy)]).unenforceable().map(\.description) == [
                "p:1:1: Policy \"p\" needs a principal proved by a certificate, and none is seen yet; "
                    + "ask for the assurance inventory or bound"
            ])
    }
}
