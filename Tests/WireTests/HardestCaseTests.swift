// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing
import Wire

/// The case that `Reading` was shaped for: an IPv6 fragment in VXLAN in IPv4 behind two VLAN tags.
@Suite struct FragmentInTunnelBehindTwoTags {
    static func packet(from source: Address, to destination: Address, outer: IPv4) -> Packet {
        let outer = Ethernet() / VLAN(100, tagType: 0x88a8) / VLAN(200) / outer / UDP(from: 49152, to: 4789) / VXLAN(7001)
        let inner = Ethernet(from: "0a:00:00:00:00:01", to: "0a:00:00:00:00:02") / IPv6(from: source, to: destination)
        return outer / inner / Fragment(offset: 1232, more: true, identification: 77, next: 6) / Payload(count: 64)
    }

    /// The tags of the frame, the tunnel around, and the innermost headers at their place in it.
    static func unwrapped(_ packet: Packet) -> Reading { inner(of: packet, reading(of: packet)) }

    @Test func `one reading holds tags, tunnel and the inner fragment`() {
        let packet = Self.packet(from: "fd00::a", to: "fd00::b", outer: IPv4())
        let reading = Self.unwrapped(packet)
        #expect(reading.vlans.identifiers == [100, 200])
        #expect(reading.tunnel == Tunnel(.vxlan, identifier: 7001, depth: 1))
        #expect(reading.sourceMAC == "0a:00:00:00:00:01")
        #expect(reading.kind == .fragment)
        #expect(reading.source == "fd00::a")
        #expect(reading.destination == "fd00::b")
        #expect(reading.protocolNumber == .tcp)
        #expect([reading.fragmentOffset, reading.end - reading.transportOffset] == [1232, 64])
        #expect(reading.identification == 77)
        #expect(reading.marks == [.fragment, .moreFragments, .dontFragment])
        #expect(flaw(in: reading, of: packet.bytes.count) == nil)
        #expect(Int(reading.end) == packet.bytes.count)
    }

    @Test func `both directions have one key and opposite ends`() {
        let there = Self.unwrapped(Self.packet(from: "fd00::a", to: "fd00::b", outer: IPv4()))
        let outer = IPv4(from: "10.0.0.2", to: "10.0.0.1")
        let back = Self.unwrapped(Self.packet(from: "fd00::b", to: "fd00::a", outer: outer))
        let (key, sender) = FlowKey6.make(of: there, pair: 3)
        let (reverse, answerer) = FlowKey6.make(of: back, pair: 3)
        #expect(FlowKey6.same(key, reverse))
        #expect(sender == .low)
        #expect(answerer == .high)
        var plain = there
        plain.tunnel = Tunnel()
        #expect(!FlowKey6.same(key, FlowKey6.make(of: plain, pair: 3).key))
        var untagged = there
        untagged.vlans = VLANTags(100)
        #expect(!FlowKey6.same(key, FlowKey6.make(of: untagged, pair: 3).key))
    }
}
