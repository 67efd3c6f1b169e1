// SPDX-License-Identifier: Apache-2.0
import Net
import Policy
import Testing

private let tunnels: [(String, ServiceKey)] = [
    ("ipip", ServiceKey(IPProtocol(rawValue: 4), port: 0)), ("6in4", ServiceKey(IPProtocol(rawValue: 41), port: 0)),
    ("gre", ServiceKey(IPProtocol(rawValue: 47), port: 0)), ("vxlan", ServiceKey(.udp, port: 4789)),
    ("geneve", ServiceKey(.udp, port: 6081)),
]

@Suite struct Rules {
    private func rule(_ action: Rule.Action, _ services: [Service]?, not: [Service]? = nil) -> Rule {
        var rule = Rule(number: 1, action: action, direction: .egress, peers: [Term()])
        rule.services = services.map { ServiceList($0, text: "") }
        rule.notServices = not.map { ServiceList($0, text: "") }
        return rule
    }

    private func speaks(_ rule: Rule, _ service: ServiceKey, from port: UInt16? = 50_000) -> Bool {
        rule.speaks(of: service, sourcePort: port, named: ["sql": ServiceRange(.tcp, ports: 5432...5432)])
    }

    @Test(arguments: tunnels) func `a tunnel is allowed only by a rule that names it`(name: String, tunnel: ServiceKey) throws {
        let named = try #require(Tunnels.all.first { $0.name == name }).range
        #expect(Tunnels.named(tunnel) == name)
        for broad: [Service]? in [nil, [.range(.any)], [.range(ServiceRange(.udp)), .range(ServiceRange(.tcp))]] {
            #expect(!speaks(rule(.allow, broad), tunnel), "\(name)")
        }
        for precise: [Service] in [[.range(named)], [.range(.everything)], [.range(.any), .range(named)]] {
            #expect(speaks(rule(.allow, precise), tunnel), "\(name)")
        }
        let isUDP = tunnel.rawValue >> 16 == 17
        #expect(speaks(rule(.allow, [.range(ServiceRange(.udp, ports: 0...0xffff))]), tunnel) == isUDP)
        #expect(Tunnels.edges.contains(tunnel.rawValue) && Tunnels.edges == Tunnels.edges.sorted())
    }

    @Test(arguments: [Rule.Action.deny, .reject, .pass, .log]) func `a rule that does not allow means tunnels as well`(
        action: Rule.Action
    ) {
        for (_, tunnel) in tunnels {
            #expect(speaks(rule(action, nil), tunnel) && speaks(rule(action, [.range(.any)]), tunnel))
        }
        #expect(speaks(rule(action, [.range(ServiceRange(.udp))]), ServiceKey(.udp, port: 4789)))
    }

    @Test func `services that are left out are left out with their tunnels`() {
        let vxlan = ServiceKey(.udp, port: 4789)
        #expect(!speaks(rule(.allow, [.range(.everything)], not: [.range(ServiceRange(.udp))]), vxlan))
        #expect(!speaks(rule(.deny, nil, not: [.range(.any)]), vxlan))
    }

    @Test func `an absent list means all services, an empty one none`() {
        let web = ServiceKey(.tcp, port: 80)
        #expect(speaks(rule(.allow, nil), web) && !speaks(rule(.allow, []), web))
        #expect(speaks(rule(.allow, nil, not: []), web))
        #expect(speaks(rule(.allow, [.named("sql")]), ServiceKey(.tcp, port: 5432)))
        #expect(!speaks(rule(.allow, [.named("none")]), web))
    }

    @Test func `a source port is asked where a service names some`() {
        let dns = Service(.range(ServiceRange(.udp, ports: 53...53)), sourcePorts: [1000...2000, 53...53])
        let service = ServiceKey(.udp, port: 53)
        #expect(speaks(rule(.allow, [dns]), service, from: 1000) && speaks(rule(.allow, [dns]), service, from: 53))
        #expect(!speaks(rule(.allow, [dns]), service, from: 999) && !speaks(rule(.allow, [dns]), service, from: nil))
        #expect(speaks(rule(.allow, nil, not: [dns]), service, from: 999))
    }

    @Test func `a rule may narrow its policy's subject, and speak of one family`() throws {
        func candidate(_ text: String) throws -> Term.Candidate {
            Term.Candidate(
                workload: Workload(name: ObjectName("w")), namespaceLabels: nil, address: try #require(Address(text)), zone: "z")
        }
        var narrowed = rule(.allow, nil)
        var own = Term()
        own.cidrs = [try #require(Prefix("10.0.0.0/24"))]
        narrowed.subject = own
        let peer = try candidate("10.1.0.1")
        func matches(_ rule: Rule, _ text: String) throws -> Bool {
            rule.matches(
                subject: try candidate(text), peer: peer, service: ServiceKey(.tcp, port: 1), sourcePort: 2, scope: nil)
        }
        #expect(try matches(narrowed, "10.0.0.1") && !matches(narrowed, "10.0.1.1"))
        narrowed.family = .ipv6
        #expect(try !matches(narrowed, "10.0.0.1"))
        var other = rule(.allow, nil)
        other.family = .ipv6
        #expect(try matches(other, "fd00::1") && !matches(other, "10.0.0.1"))
        other.peers = []
        #expect(try !matches(other, "fd00::1"), "no peer is nobody")
    }
}
