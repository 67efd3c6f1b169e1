// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing
import Wire

/// What the sender of a packet is told that does not fit through an MTU; empty for nothing.
private func reply(to packet: Packet, mtu: UInt32, reading: Reading? = nil) -> [UInt8] {
    let bytes = packet.bytes
    var memory = [UInt8](repeating: 0xee, count: bytes.count)
    var mutable = memory.mutableSpan
    // Bytes have no padding, and any bit pattern is one.
    var span = unsafe mutable.mutableBytes
    let length = unsafe writeTooBig(to: reading ?? WireTests.reading(of: packet), frame: bytes.span.bytes, mtu: mtu, into: &span)
    #expect(memory[length...].allSatisfy { $0 == 0xee })
    return Array(memory.prefix(length))
}

private func lengthBehindTags(_ packet: Packet) -> Int {
    let bytes = packet.bytes
    // As in `reply`.
    return unsafe Wire.lengthBehindTags(bytes.span.bytes)
}

@Suite("Packet too big") struct TooBigTests {
    private static let back = Ethernet(from: "02:00:00:00:00:02", to: "02:00:00:00:00:01")
    private static let four = IPv4(dontFragment: true) / UDP() / Payload(count: 1300)
    private static let six = IPv6() / UDP() / Payload(count: 1300)

    @Test(arguments: [[], [VLAN(10)], [VLAN(10, tagType: 0x88a8), VLAN(20)]] as [[VLAN]])
    func `over IPv4 the MTU stands in a type 3, code 4, over IPv6 in a type 2, code 0`(tags: [VLAN]) {
        let (link, back) = (Packet([Ethernet()] + tags), Packet([Self.back] + tags))
        let kept4 = Payload(Array(Self.four.bytes.prefix(576 - 28)))
        let answer4 = IPv4(from: "10.0.0.2", to: "10.0.0.1", service: 0xc0, dontFragment: true)
        #expect(reply(to: link / Self.four, mtu: 1200) == (back / answer4 / ICMP(type: 3, code: 4, sequence: 1200) / kept4).bytes)
        let kept6 = Payload(Array(Self.six.bytes.prefix(1280 - 48)))
        let answer6 = IPv6(from: "fd00::2", to: "fd00::1")
        #expect(reply(to: link / Self.six, mtu: 1300) == (back / answer6 / ICMPv6(type: 2, sequence: 1300) / kept6).bytes)
    }

    @Test func `segments, echoes and first fragments are told of, whatever they ask`() {
        let room = Payload(count: 1400)
        for packet in [
            Ethernet() / IPv4(dontFragment: true) / TCP([.ack]) / room, Ethernet() / IPv6() / TCP([.rst, .ack]) / room,
            Ethernet() / IPv4(dontFragment: true) / ICMP.echoReply() / room, Ethernet() / IPv6() / ICMPv6.echo() / room,
            Ethernet() / IPv6() / Fragment(more: true) / UDP() / Payload(count: 1392),
            Ethernet() / IPv4(dontFragment: true) / GRE(key: 7) / IPv4() / UDP() / room,
        ] {
            let told = reply(to: packet, mtu: 1300)
            let (reason, back) = outcome(of: told)
            #expect(reason == nil && back.marks.contains(.icmpError), "\(packet)")
            #expect(back.source == reading(of: packet).destination && back.destination == reading(of: packet).source)
        }
    }

    @Test(arguments: [
        ("it may be cut", Ethernet() / IPv4() / UDP() / Payload(count: 1400)),
        ("it is an error", Ethernet() / IPv4(dontFragment: true) / ICMP(type: 3, code: 1) / four),
        ("it is an error", Ethernet() / IPv6() / ICMPv6(type: 2, sequence: 1400) / six),
        ("it is a later fragment", Ethernet() / IPv6() / Fragment(offset: 1400, next: 17) / Payload(count: 1400)),
        ("it went to a group", Ethernet(to: "ff:ff:ff:ff:ff:ff") / four),
        ("it went to a group", Ethernet(to: "33:33:00:00:00:05") / IPv6(to: "ff05::5") / UDP() / Payload(count: 1400)),
        ("the packet fits, and padding is not its own", Ethernet() / IPv4(dontFragment: true) / UDP() / Padding(to: 1500)),
    ])
    func `nobody is told`(why: String, packet: Packet) { #expect(reply(to: packet, mtu: 1300).isEmpty, "\(why)") }

    @Test func `a packet that fits is not too big, and one byte more is`() {
        #expect(reply(to: Ethernet() / Self.four, mtu: 1328).isEmpty)
        #expect(!reply(to: Ethernet() / Self.four, mtu: 1327).isEmpty)
        #expect(reply(to: Ethernet() / Self.six, mtu: 1348).isEmpty)
        #expect(!reply(to: Ethernet() / Self.six, mtu: 1347).isEmpty)
    }

    @Test func `over IPv6 no host believes less than 1280, over IPv4 any number may be true`() {
        #expect(reply(to: Ethernet() / Self.six, mtu: 1279).isEmpty)
        #expect(!reply(to: Ethernet() / Self.six, mtu: 1280).isEmpty)
        #expect(!reply(to: Ethernet() / Self.four, mtu: 68).isEmpty)
    }

    @Test func `what was found in a tunnel is not answered, and the reading of another frame neither`() {
        let carried = Ethernet() / IPv4() / GRE() / Self.four
        #expect(reply(to: carried, mtu: 1000, reading: inner(of: carried, reading(of: carried))).isEmpty)
        #expect(reply(to: Ethernet() / IPv4() / UDP(), mtu: 1000, reading: reading(of: Ethernet() / Self.four)).isEmpty)
    }

    @Test func `tags do not count for the MTU, LLC does`() {
        #expect(lengthBehindTags(Ethernet() / IPv4() / UDP()) == 28)
        #expect(lengthBehindTags(Ethernet() / VLAN(0) / VLAN(20, tagType: 0x9100) / IPv4() / UDP()) == 28)
        #expect(lengthBehindTags(Ethernet() / SNAP() / IPv4() / UDP()) == 36)
        #expect(lengthBehindTags(Packet([Raw([UInt8](repeating: 0, count: 13))])) == 0)
    }
}
