// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing
import Wire

@Suite struct Tunnels {
    static let four = Ethernet() / IPv4()
    static let six = Ethernet() / IPv6()
    static let frame = Ethernet(from: "0a:00:00:00:00:01", to: "0a:00:00:00:00:02")
    static let inside4 = IPv4(from: "192.168.0.1", to: "192.168.0.2") / TCP(to: 22, [.syn])
    static let inside6 = IPv6(from: "fd01::1", to: "fd01::2") / TCP(to: 22, [.syn])

    static let rows: [(Packet, Tunnel)] = [
        (four / inside4, Tunnel(.ipip, depth: 1)), (four / inside6, Tunnel(.ipip, depth: 1)),
        (six / inside4, Tunnel(.ipip, depth: 1)), (six / inside6, Tunnel(.ipip, depth: 1)),
        (four / GRE() / inside4, Tunnel(.gre, depth: 1)), (six / GRE() / inside6, Tunnel(.gre, depth: 1)),
        (four / GRE(hasChecksum: true, sequence: 9) / inside6, Tunnel(.gre, depth: 1)),
        (four / GRE(hasChecksum: true, key: 0xdead_beef, sequence: 9) / inside4, Tunnel(.gre, identifier: 0xdead_beef, depth: 1)),
        (six / GRE(key: 7) / frame / inside4, Tunnel(.gre, identifier: 7, depth: 1)),
        (four / UDP(to: 4789) / VXLAN(0xabcdef) / frame / inside4, Tunnel(.vxlan, identifier: 0xabcdef, depth: 1)),
        (six / UDP(to: 4789, checksum: 0) / VXLAN(7, flags: 0x88) / frame / inside6, Tunnel(.vxlan, identifier: 7, depth: 1)),
        (four / UDP(to: 6081) / Geneve(0xabcdef) / frame / inside4, Tunnel(.geneve, identifier: 0xabcdef, depth: 1)),
        (six / UDP(to: 6081) / Geneve(7, options: [1, 2, 3, 0]) / inside6, Tunnel(.geneve, identifier: 7, depth: 1)),
        (Ethernet() / VLAN(9) / IPv6() / Extension.destination() / inside4, Tunnel(.ipip, depth: 1)),
    ]

    @Test(arguments: rows)
    func `a packet says what it carries, and the packet inside is read as usual`(packet: Packet, tunnel: Tunnel) {
        let outer = reading(of: packet)
        #expect(outer.kind == .packet)
        #expect(outer.carried == tunnel)
        #expect(outer.tunnel == Tunnel())
        #expect(outer.source == "10.0.0.1" || outer.source == "fd00::1")
        let inner = inner(of: packet, outer)
        #expect(inner.tunnel == tunnel)
        #expect(inner.carried == Tunnel())
        #expect(inner.vlans == outer.vlans)
        #expect(inner.source == "192.168.0.1" || inner.source == "fd01::1")
        #expect(inner.service == ServiceKey(.tcp, port: 22))
        #expect(inner.tcpFlags == .syn)
        #expect(flaw(in: inner, of: packet.bytes.count) == nil)
        #expect(Int(inner.end) == packet.bytes.count)
        let carriesFrame = packet.layers.filter { $0 is Ethernet }.count == 2
        #expect(inner.sourceMAC == (carriesFrame ? "0a:00:00:00:00:01" : outer.sourceMAC))
    }

    @Test func `what the inside ends with is the outside's, padding is neither's`() {
        let packet = Self.four / UDP(to: 4789) / VXLAN(7) / Self.frame / ARP() / Padding(20)
        let outer = reading(of: packet)
        let inner = inner(of: packet, outer)
        #expect(inner.kind == .arp)
        #expect(Int(outer.end) == packet.bytes.count - 20)
        // A datagram shorter than its packet cuts what it carries.
        let cut = Self.four / UDP(to: 4789, length: 8 + 8 + 14 + 27) / VXLAN(7) / Self.frame / ARP()
        #expect(innerOutcome(of: cut.bytes, reading(of: cut)).reason == .truncated)
        let long = Self.four / IPv4(totalLength: 100) / UDP() / Padding(100)
        #expect(innerOutcome(of: long.bytes, reading(of: long)).reason == .badLength)
    }

    @Test func `the rules for what is outside hold inside`() {
        for (packet, reason) in [
            (Self.four / IPv4(from: "127.0.0.1") / UDP(), .martian), (Self.four / IPv4(checksum: 1) / UDP(), .badChecksum),
            (Self.six / GRE() / IPv4() / TCP([.syn, .fin]), .badTCP),
            (Self.four / GRE() / IPv6() / Extension.routing(type: 0, segmentsLeft: 1) / UDP(), .extensionHeader),
            (Self.four / UDP(to: 4789) / VXLAN(7) / Ethernet(from: "ff:ff:ff:ff:ff:ff") / ARP(), .martian),
            (Self.four / UDP(to: 6081) / Geneve(7) / Self.frame / SNAP() / SNAP() / ARP(), .badLink),
        ] as [(Packet, DropReason)] {
            #expect(innerOutcome(of: packet.bytes, reading(of: packet)).reason == reason, "\(packet)")
        }
    }

    @Test func `a frame of layer 2 inside has its row`() {
        let lldp = Self.four / UDP(to: 4789) / VXLAN(7) / Self.frame / Raw.lldp()
        #expect(inner(of: lldp, reading(of: lldp)).link == .lldp)
        let ppp = Self.four / GRE.pptp(call: 7, carrying: 4) / Payload(count: 4)
        #expect(reading(of: ppp).carried == Tunnel(.gre, identifier: 7, depth: 1))
        #expect(inner(of: ppp, reading(of: ppp)).link == .unknown)
    }

    @Test func `inside a tunnel no VLAN is read, but a priority`() {
        let tunnel = Self.four / UDP(to: 4789) / VXLAN(7) / Self.frame
        let (tagged, priority) = (tunnel / VLAN(10) / Self.inside4, tunnel / VLAN(0) / Self.inside4)
        #expect(innerOutcome(of: tagged.bytes, reading(of: tagged)).reason == .tooManyTags)
        #expect(inner(of: priority, reading(of: priority)).vlans == VLANTags())
    }

    @Test func `a VXLAN header that names Ethernet as what follows says the same to all ends`() {
        let packet = Self.four / UDP(to: 4789) / VXLAN(7, flags: 0x0c, nextProtocol: 3) / Self.frame / Self.inside4
        #expect(inner(of: packet, reading(of: packet)).tunnel == Tunnel(.vxlan, identifier: 7, depth: 1))
    }

    @Test func `two tunnels are read, a third is refused`() {
        let packet = Self.four / GRE() / IPv6() / UDP(to: 4789) / VXLAN(9) / Self.frame / IPv4() / Self.inside4
        let first = inner(of: packet, reading(of: packet))
        #expect(first.carried == Tunnel(.vxlan, identifier: 9, depth: 2))
        let second = inner(of: packet, first)
        #expect(second.tunnel == Tunnel(.vxlan, identifier: 9, depth: 2))
        #expect(second.source == "10.0.0.1")
        #expect(second.carried == Tunnel(.ipip, depth: 3))
        #expect(innerOutcome(of: packet.bytes, second).reason == .badTunnel)
    }

    @Test func `a packet that carries nothing has no inside`() {
        let packet = Self.four / UDP()
        #expect(innerOutcome(of: packet.bytes, reading(of: packet)).reason == .badTunnel)
    }

    @Test func `the reading of another frame leads nowhere`() {
        let (long, short) = (Self.four / Self.inside4, Self.four / UDP())
        #expect(innerOutcome(of: short.bytes, reading(of: long)).reason == .truncated)
        for (packet, _) in Self.rows {
            for (other, _) in Self.rows { _ = innerOutcome(of: other.bytes, reading(of: packet)) }
            var edge = reading(of: packet)
            for offset in edge.transportOffset...edge.end {
                edge.payloadOffset = offset
                for byte in [0, 0xff] as [UInt8] {
                    _ = innerOutcome(of: [UInt8](repeating: byte, count: packet.bytes.count), edge)
                }
                _ = innerOutcome(of: packet.bytes, edge)
            }
            for length in packet.bytes.indices { _ = innerOutcome(of: Array(packet.bytes.prefix(length)), reading(of: packet)) }
        }
    }

    @Test(
        arguments: [
            four / UDP(to: 4789) / VXLAN(7, flags: 0) / frame, four / UDP(to: 4789) / VXLAN(7, flags: 0x0c) / frame,
            four / UDP(to: 4789) / Payload(count: 7), four / UDP(to: 6081) / Payload(count: 7, of: 0),
            four / UDP(to: 6081) / Geneve(7, version: 1) / frame,
            four / UDP(to: 6081) / Geneve(7, optionWords: 9) / Payload(count: 8),
            four / UDP(to: 6081) / Geneve(7, options: [0, 0, 0, 1]) / frame, four / IPv4(version: 6), four / IPv6(version: 4),
            four / Raw([0x60] + [UInt8](repeating: 0, count: 40), protocolNumber: 4),
            four / GRE(bits: 0x4000) / inside4, four / GRE(bits: 0x0800) / inside4, four / GRE(bits: 0x0100) / inside4,
            four / GRE(bits: 2) / inside4, four / GRE(key: 7, bits: 1) / inside4,
            four / GRE(bits: 1, type: 0x880b) / Payload(count: 8),
            four / GRE.pptp(call: 7, carrying: 13) / Payload(count: 12),
            four / GRE(hasChecksum: true, key: 7, bits: 1, type: 0x880b),
        ] as [Packet])
    func `a header that contradicts itself is refused`(packet: Packet) { expect(packet, .badTunnel) }

    @Test(arguments: [
        four / Raw([0x45, 0, 0, 20], protocolNumber: 4), six / Raw([UInt8](repeating: 0x60, count: 39), protocolNumber: 41),
        four / Raw([0, 0, 8], protocolNumber: 47), four / Raw([0x20, 0, 8, 0, 0, 0], protocolNumber: 47),
        four / Raw([0x30, 0x81, 0x88, 0x0b] + [UInt8](repeating: 0, count: 11), protocolNumber: 47),
    ])
    func `a header cut short is truncated`(packet: Packet) { expect(packet, .truncated) }

    @Test func `a GRE protocol type is no length`() {
        let packet = Self.four / GRE(type: 0) / Payload(count: 4)
        #expect(innerOutcome(of: packet.bytes, reading(of: packet)).reason == .badTunnel)
    }
}
