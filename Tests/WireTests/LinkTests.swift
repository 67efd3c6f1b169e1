// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing
import Wire

@Suite struct AddressResolution {
    @Test func `sender and target are read`() {
        let reading = reading(of: Ethernet() / ARP(2, from: "10.1.0.1", to: "10.1.0.9") / Padding(to: 60))
        #expect(reading.kind == .arp)
        #expect(reading.source == "10.1.0.1")
        #expect(reading.destination == "10.1.0.9")
        #expect(reading.networkOffset == 14)
        #expect(reading.end == 42)
        #expect(reading.link == .arp)
        #expect(reading.claimedMAC == "02:00:00:00:00:01")
    }

    @Test(arguments: [
        ARP(hardware: 6), ARP(network: 0x86dd), ARP(hardwareLength: 8), ARP(networkLength: 16), ARP(hardwareLength: 0), ARP(0),
        ARP(3), ARP(8),
    ])
    func `other formats and operations are refused`(message: ARP) {
        expect(Ethernet() / message, .badNeighbour)
    }

    @Test func `a message cut short is truncated`() {
        let message = (Ethernet() / ARP()).bytes
        #expect(outcome(of: message.dropLast()).reason == .truncated)
    }

    @Test func `a probe has no sender yet, a group or loopback is none`() {
        expect(Ethernet() / ARP(from: "0.0.0.0"), nil)
        expect(Ethernet() / ARP(from: "10.0.0.2", to: "10.0.0.2"), nil)
        expect(Ethernet() / ARP(from: "224.0.0.1"), .martian)
        expect(Ethernet() / ARP(from: "127.0.0.1"), .martian)
        expect(Ethernet() / ARP(from: "255.255.255.255"), .martian)
    }
}

@Suite struct LogicalLinkControl {
    static let filled = Payload(count: 24)

    @Test(arguments: [0, 0xf8] as [UInt32])
    func `SNAP announces an ether type, and what it carries is read as usual`(organisation: UInt32) {
        let reading = reading(of: Ethernet() / SNAP(organisation) / IPv4() / TCP([.syn]) / Padding(to: 80))
        #expect(reading.kind == .packet)
        #expect(reading.etherType == 0x0800)
        #expect([reading.networkOffset, reading.end] == [22, 62])
        #expect([reading.sourcePort, reading.destinationPort] == [40000, 443])
        expect(Ethernet() / SNAP(organisation) / IPv6(from: "::1") / UDP(), .martian)
        #expect(outcome(of: (Ethernet() / SNAP(organisation) / ARP()).bytes).reading.kind == .arp)
    }

    @Test func `tags stand before SNAP and inside it, and count together`() {
        #expect(reading(of: Ethernet() / VLAN(10) / SNAP() / IPv4() / UDP()).vlans == VLANTags(10))
        #expect(reading(of: Ethernet() / SNAP() / VLAN(10) / IPv4() / UDP()).vlans == VLANTags(10))
        #expect(reading(of: Ethernet() / VLAN(10) / SNAP() / VLAN(20) / IPv4() / UDP()).vlans == VLANTags(10, 20))
        expect(Ethernet() / VLAN(0) / VLAN(10) / SNAP() / VLAN(20) / IPv4() / UDP(), .tooManyTags)
    }

    @Test func `bytes behind the length are never looked at`() {
        // The packet ends where the length says, though the frame goes on.
        expect(Ethernet(type: 8 + 20) / SNAP() / IPv4() / UDP(), .badLength)
        expect(Ethernet(type: 8 + 20) / SNAP() / IPv4(totalLength: 20, next: 17) / UDP(), .truncated)
        expect(Ethernet(type: 8) / SNAP() / IPv4() / UDP(), .truncated)
        expect(Ethernet(type: 7) / SNAP() / IPv4() / UDP(), .truncated)
    }

    @Test func `a length larger than the frame is refused, one that is none too`() {
        expect(Ethernet(type: 37) / SNAP() / IPv4() / UDP(), .badLength)
        expect(Ethernet(type: 37) / SNAP() / IPv4() / UDP() / Padding(1), nil)
        expect(Ethernet(type: 1500) / LLC(0xfe, 0xfe) / Self.filled, .badLength)
        for length in 0..<3 as Range<UInt16> { expect(Ethernet(type: length) / LLC(0xfe, 0xfe) / Self.filled, .badLength) }
        for number in [1501, 0x05ff] as [UInt16] { expect(Ethernet(type: number) / Payload(count: 1600), .badLink) }
        expect(Ethernet(type: 1500) / LLC(0xfe, 0xfe) / Payload(count: 1497), nil)
    }

    @Test func `what resembles SNAP is refused`() {
        for header in [LLC(0xaa, 0xab), LLC(0xab, 0xaa), LLC(0xaa, 0xaa, control: 0x13), LLC(0xaa, 0x42), LLC(0x06, 0xaa)] {
            expect(Ethernet() / header / Raw([0, 0, 0, 8, 0]) / IPv4() / UDP(), .badLink)
        }
    }

    @Test func `SNAP holds neither a length nor another SNAP`() {
        expect(Ethernet() / SNAP(type: 0x05ff) / Self.filled, .badLink)
        expect(Ethernet() / SNAP() / VLAN(10) / SNAP() / IPv4() / UDP(), .badLink)
        expect(Ethernet() / SNAP(type: 60) / SNAP() / IPv4() / UDP(), .badLink)
    }

    @Test func `other organisations announce no ether type`() {
        for (organisation, type) in [(0x0c, 0x0800), (0x80c2, 0x0007), (0x01, 0x86dd)] as [(UInt32, UInt16)] {
            let reading = reading(of: Ethernet() / SNAP(organisation, type: type) / IPv4() / UDP())
            #expect(reading.kind == .link)
            #expect(reading.link == .llc)
            #expect(reading.etherType == 36)
        }
    }
}

/// What each frame of layer 2 is taken for.
@Suite struct FramesWithoutIP {
    static let rows: [(Packet, LinkProtocol)] = [
        (Ethernet() / Raw.lldp(), .lldp),
        (Ethernet() / LLC(0x42, 0x42) / Raw.bridgeMessage(), .spanningTree),
        (Ethernet() / SNAP(0x0c, type: 0x010b) / Raw.bridgeMessage(type: 2), .spanningTree),
        (Ethernet() / Raw.slow(), .slowProtocols), (Ethernet() / Raw.slow(10), .slowProtocols),
        (Ethernet() / Raw.ptp(), .ptp), (Ethernet() / Raw.ptp(version: 1), .ptp),
        (Ethernet() / Raw.eapol(), .eapol),
        (Ethernet() / SNAP(0x0c, type: 0x2000) / Raw.discovery(), .cdp), (Ethernet() / SNAP(0x0c, type: 0x2003), .cdp),
        (Ethernet() / SNAP(0x0c, type: 0x2004), .cdp), (Ethernet() / SNAP(0x0c, type: 0x0111), .cdp),
        (Ethernet() / SNAP(0x0c, type: 0x0104), .cdp), (Ethernet() / SNAP(0x0c, type: 0x2001), .llc),
        (Ethernet() / Raw.mpls() / IPv4() / UDP(), .mpls), (Ethernet(type: 0x8848) / Payload(count: 4), .mpls),
        (Ethernet() / Raw.pppoe(), .pppoe), (Ethernet() / Raw.pppoe(code: 9), .pppoe),
        (Ethernet() / Raw.macsec(), .macsec),
        (Ethernet() / LLC(0xfe, 0xfe), .llc), (Ethernet() / LLC(0x42, 0x43), .llc),
        (Ethernet() / LLC(6, 6) / IPv4() / UDP(), .llc),
        (Packet([Ethernet(type: 0x88b5)]), .unknown), (Packet([Ethernet(type: 0x0600)]), .unknown),
        (Packet([Ethernet(type: 0xffff)]), .unknown),
    ]

    @Test(arguments: rows)
    func `each has its row, behind tags too`(packet: Packet, row: LinkProtocol) {
        let plain = reading(of: packet)
        #expect(plain.kind == .link)
        #expect(plain.link == row)
        #expect([plain.transportOffset, plain.payloadOffset] == [plain.networkOffset, plain.networkOffset])
        // With its type given, the header would hide the tag.
        guard let header = packet.layers[0] as? Ethernet, header.type == nil else { return }
        let tagged = reading(of: header / (VLAN(10) / Packet(Array(packet.layers.dropFirst()))))
        #expect(tagged.link == row)
        #expect(tagged.vlans == VLANTags(10))
    }

    @Test(arguments: 0..<16 as Range<UInt64>)
    func `what no bridge forwards has its own row, unless it has another`(last: UInt64) {
        let group = MACAddress(bits: 0x0180_c200_0000 + last)
        #expect(reading(of: Packet([Ethernet(to: group, type: 0x88b5)])).link == .linkLocal)
        #expect(reading(of: Ethernet(to: group) / LLC(0xfe, 0xfe)).link == .linkLocal)
        #expect(reading(of: Ethernet(to: group) / Raw.lldp()).link == .lldp)
        #expect(reading(of: Ethernet(to: group) / Raw.mpls()).link == .mpls)
        // IP is IP, whatever address it is sent to.
        let packet = reading(of: Ethernet(to: group) / IPv4() / UDP())
        #expect(packet.kind == .packet)
        #expect(packet.link == .none)
        #expect(packet.marks.contains(.group))
    }

    @Test func `the neighbours of those groups are others`() {
        #expect(reading(of: Packet([Ethernet(to: "01:80:c2:00:00:10", type: 0x88b5)])).link == .unknown)
        #expect(reading(of: Packet([Ethernet(to: "01:80:c1:ff:ff:ff", type: 0x88b5)])).link == .unknown)
    }

    @Test(arguments: [
        Ethernet(type: 0x88cc), Ethernet(type: 0x8809), Ethernet(type: 0x88f7), Ethernet(type: 0x888e), Ethernet(type: 0x8863),
        Ethernet(type: 0x8864), Ethernet(type: 0x8847), Ethernet(type: 0x88e5),
    ])
    func `an ether type alone is none of its protocol`(header: Ethernet) { expect(Packet([header]), .badLink) }

    @Test(
        arguments: [
            Ethernet() / Raw([4, 7, 4, 2, 0, 0, 0, 0, 1], etherType: 0x88cc),
            Ethernet() / Raw([2, 200, 4, 2], etherType: 0x88cc),
            Ethernet() / Raw([2, 1, 4, 4, 2, 7, 1, 6, 2, 0, 1], etherType: 0x88cc), Ethernet() / Raw.slow(0),
            Ethernet() / Raw.slow(11),
            Ethernet() / Raw.ptp(version: 3), Ethernet() / Raw.ptp(length: 33), Ethernet() / Raw.ptp(length: 45),
            Ethernet() / Raw.eapol(version: 0), Ethernet() / Raw.eapol(length: 1), Ethernet() / Raw.pppoe(version: 0x12),
            Ethernet() / Raw.pppoe(length: 5), Ethernet() / Raw([0x11, 0, 0, 0, 0, 0], etherType: 0x8863),
            Ethernet() / Raw([0x11, 9, 0, 0, 0, 0], etherType: 0x8864), Ethernet() / Raw.macsec(control: 0x80),
            Ethernet() / LLC(0x42, 0x42) / Raw([0, 1, 0, 0x80]), Ethernet() / LLC(0x42, 0x42) / Raw([0, 0, 0, 1]),
            Ethernet() / LLC(0x42, 0x42) / Raw([0, 0, 0, 0]), Ethernet() / LLC(0x42, 0x42) / Raw([0, 0, 0]),
        ] as [Packet])
    func `a message that contradicts itself is refused`(packet: Packet) { expect(packet, .badLink) }
}
