// SPDX-License-Identifier: Apache-2.0
import Classifier
import Net
import Record
import TestSupport
import Testing

@Suite("Protocols of layer 2") struct LinkProtocolTests {
    @Test func `there is a frame for each of them`() {
        #expect(Set(linkFrames.map(\.link)) == Set(LinkProtocol.allCases).subtracting([.none]))
    }

    @Test(arguments: linkFrames.indices) func `what the table drops ends here, and what it passes leaves as it came`(
        index: Int
    ) throws {
        let (link, packet) = linkFrames[index]
        let bench = try PairBench(PairShape(), .town { $0.links[link] = .drop })
        try bench.expectDropped(packet, link == .unknown ? .unknownEtherType : .linkProtocol)
        try bench.publish(.town(generation: 2) { $0.links[link] = .pass })
        for port in 0..<2 { try bench.expectForwarded(packet, port: port) }
        #expect(bench.worker.counters.flows == 0)
        #expect(bench.worker.takeEvents().isEmpty)
        #expect(bench.fault == nil)
    }

    @Test(
        arguments: [
            ("ARP request", nil), ("neighbour solicitation", nil), ("router advertisement", .spoofed),
            ("redirect", .spoofed), ("DHCP discover", .linkProtocol), ("DHCP offer", .spoofed),
            ("DHCPv6 solicit", .linkProtocol), ("IGMPv2 report", nil), ("MLD report", nil), ("LLDP", .linkProtocol),
            ("spanning tree", .linkProtocol), ("LACP", .linkProtocol), ("PTP over Ethernet", .linkProtocol),
            ("PTP over UDP", .linkProtocol), ("EAPOL", .linkProtocol), ("CDP", .linkProtocol),
            ("link-local group", .linkProtocol),
            ("VRRP", .unjudged), ("OSPF", .unjudged), ("BFD", .denied), ("MPLS", .linkProtocol), ("PPPoE session", .linkProtocol),
            ("MACsec", .linkProtocol), ("other LLC", .linkProtocol), ("other ether type", .unknownEtherType),
        ] as [(String, DropReason?)])
    func `without a configuration each has its default`(name: String, reason: DropReason?) throws {
        let bench = try PairBench()
        if let reason {
            try bench.expectDropped(sample(name), reason)
        } else {
            try bench.expectForwarded(sample(name))
        }
    }

    @Test func `an ether type of its own passes, and the rest stays out`() throws {
        let bench = try PairBench(
            PairShape(),
            .town {
                _ = $0.links.set(.pass, forEtherType: 0x88b5)
                _ = $0.links.set(.drop, forEtherType: 0x88b6)
            })
        try bench.expectForwarded(Ethernet(type: 0x88b5) / Payload(count: 46))
        try bench.expectForwarded(Ethernet() / VLAN(7, type: 0x88b5) / Payload(count: 46), port: 1)
        try bench.expectDropped(Ethernet(type: 0x88b6) / Payload(count: 46), .unknownEtherType)
        try bench.expectDropped(Ethernet(type: 0x88b7) / Payload(count: 46), .unknownEtherType)
        try bench.publish(
            .town(generation: 2) {
                $0.links[.unknown] = .pass
                _ = $0.links.set(.drop, forEtherType: 0x88b6)
            })
        try bench.expectDropped(Ethernet(type: 0x88b6) / Payload(count: 46), .unknownEtherType)
        try bench.expectForwarded(Ethernet(type: 0x88b7) / Payload(count: 46))
    }

    @Test func `what policy is to judge is a packet like others`() throws {
        let bench = try PairBench(
            PairShape(),
            .town {
                $0.links[.dhcp] = .judge
                $0.ingress(of: SmallPolicy.ownClass(webs), from: SmallPolicy.ownClass(clients), ServiceKey.udp(3784))
                $0.ingress(of: SmallPolicy.ownClass(webs), from: SmallPolicy.ownClass(clients), ServiceKey.udp(67))
            })
        try bench.expectForwarded(Ethernet() / IPv4(ttl: 255) / UDP(from: 49152, to: 3784) / Raw.bfd())
        try bench.expectForwarded(Ethernet() / IPv4() / UDP(from: 68, to: 67) / DHCP.discover())
        #expect(bench.worker.counters.flows == 2)
        #expect(bench.worker.takeEvents().count == 2)
        try bench.expectDropped(sample("DHCP discover"), .unjudged)
    }

    @Test func `what the table passes over IP is held to its source all the same`() throws {
        let bench = try PairBench(PairShape(), .zoned { $0.links[.vrrp] = .pass })
        try bench.enter("10.0.0.77", in: dmz)
        for (mac, packet) in [
            ("01:00:5e:01:02:03", IPv4(from: "10.0.0.77", to: "224.1.2.3", ttl: 1) / Raw.igmp(0x16)),
            ("01:00:5e:00:00:12", IPv4(from: "10.0.0.77", to: "224.0.0.18", ttl: 255) / Raw.vrrp()),
        ] as [(MACAddress, Packet)] {
            try bench.expectDropped(Ethernet(to: mac) / packet, .spoofed)
            try bench.expectForwarded(Ethernet(to: mac) / packet, port: 1)
        }
        #expect(bench.fault == nil)
    }
}

@Suite("DHCP") struct DHCPTests {
    private let question = sample("DHCP discover")
    private let answer = sample("DHCP offer")
    private let question6 = sample("DHCPv6 solicit")
    private let answer6 = sample("DHCPv6 advertise")

    @Test func `clients ask where servers are, and servers answer from there`() throws {
        let bench = try PairBench(PairShape(), .zoned(([], .dhcpServer)))
        for packet in [question, question6] {
            try bench.expectForwarded(packet)
            try bench.expectDropped(packet, .linkProtocol, port: 1)
        }
        for packet in [answer, answer6] {
            try bench.expectForwarded(packet, port: 1)
            try bench.expectDropped(packet, .spoofed)
        }
        #expect(bench.worker.counters.flows == 0)
    }

    @Test func `with servers on both sides both may answer`() throws {
        let bench = try PairBench(PairShape(), .zoned((.dhcpServer, .dhcpServer)))
        for port in 0..<2 {
            for packet in [question, answer, question6, answer6] { try bench.expectForwarded(packet, port: port) }
        }
    }

    @Test func `a server whose address belongs to another zone is spoofed`() throws {
        let bench = try PairBench(PairShape(), .zoned(([], .dhcpServer)))
        try bench.enter("10.0.0.88", in: lan)
        let rogue =
            Ethernet(to: everybody) / IPv4(from: "10.0.0.88", to: "255.255.255.255") / UDP(from: 67, to: 68) / DHCP.offer()
        try bench.expectDropped(rogue, .spoofed, port: 1)
    }
}
