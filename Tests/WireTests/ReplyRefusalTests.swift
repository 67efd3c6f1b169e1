// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing
import Wire

/// A frame that must not be answered, and which rule says so.
struct Unanswered: CustomTestStringConvertible, Sendable {
    let why: String
    let packet: Packet
    var testDescription: String { why }

    init(_ why: String, _ packet: Packet) {
        self.why = why
        self.packet = packet
    }
}

private let room = Payload(count: 200)

/// Each is answered when the one thing that its row names is changed.
private let unanswered: [Unanswered] = [
    Unanswered("a reset", Ethernet() / IPv4() / TCP([.rst])),
    Unanswered("a reset with ACK", Ethernet() / IPv6() / TCP([.rst, .ack])),
    Unanswered("ICMP: unreachable", Ethernet() / IPv4() / ICMP(type: 3, code: 1) / IPv4() / UDP() / room),
    Unanswered("ICMP: source quench", Ethernet() / IPv4() / ICMP(type: 4) / IPv4() / UDP() / room),
    Unanswered("ICMP: redirect", Ethernet() / IPv4() / ICMP(type: 5) / IPv4() / UDP() / room),
    Unanswered("ICMP: time exceeded", Ethernet() / IPv4() / ICMP(type: 11) / IPv4() / UDP() / room),
    Unanswered("ICMP: parameter problem", Ethernet() / IPv4() / ICMP(type: 12) / IPv4() / UDP() / room),
    Unanswered("ICMP: echo reply", Ethernet() / IPv4() / ICMP.echoReply() / room),
    Unanswered("ICMP: a type that nobody knows", Ethernet() / IPv4() / ICMP(type: 200) / room),
    Unanswered("ICMPv6: unreachable", Ethernet() / IPv6() / ICMPv6(type: 1) / IPv6() / UDP() / room),
    Unanswered("ICMPv6: packet too big", Ethernet() / IPv6() / ICMPv6(type: 2) / IPv6() / UDP() / room),
    Unanswered("ICMPv6: an error that nobody knows", Ethernet() / IPv6() / ICMPv6(type: 100) / IPv6() / UDP() / room),
    Unanswered("ICMPv6: echo reply", Ethernet() / IPv6() / ICMPv6.echoReply() / room),
    Unanswered(
        "ICMPv6: redirect",
        Ethernet() / IPv6(from: "fe80::1", to: "fd00::2", hopLimit: 255) / ICMPv6.redirect(of: "fd00::3", to: "fe80::3")),
    Unanswered(
        "a neighbour solicitation",
        Ethernet() / IPv6(from: "fd00::1", to: "fd00::2", hopLimit: 255) / ICMPv6.solicitation(of: "fd00::2")),
    Unanswered("ARP", Ethernet() / ARP() / Padding(to: 60)),
    Unanswered("a later fragment", Ethernet() / IPv4(identification: 9, offset: 400, next: 17) / room),
    Unanswered(
        "a later fragment over IPv6",
        Ethernet() / IPv6() / Fragment(offset: 400, identification: 9, next: 17) / room),
    Unanswered("Ethernet broadcast", Ethernet(to: "ff:ff:ff:ff:ff:ff") / IPv4() / UDP() / room),
    Unanswered("an Ethernet group", Ethernet(to: "01:00:5e:00:00:05") / IPv4() / UDP() / room),
    Unanswered("an Ethernet group, TCP", Ethernet(to: "33:33:00:00:00:05") / IPv6() / TCP([.syn])),
    Unanswered("an IPv4 group", Ethernet() / IPv4(to: "239.1.2.3") / UDP() / room),
    Unanswered("IPv4 broadcast", Ethernet() / IPv4(to: "255.255.255.255") / UDP() / room),
    Unanswered("an IPv6 group", Ethernet() / IPv6(to: "ff15::5") / UDP() / room),
    Unanswered("a source of class E", Ethernet() / IPv4(from: "240.0.0.1") / TCP([.syn])),
    Unanswered("a destination of class E", Ethernet() / IPv4(to: "250.0.0.1") / TCP([.syn])),
]

/// As `unanswered`, but readings that only a changed reader would call readable.
private let martians: [Unanswered] = [
    Unanswered("an Ethernet group as source", Ethernet(from: "03:00:00:00:00:01") / IPv4() / UDP() / room),
    Unanswered("no source", Ethernet() / IPv4(from: "0.0.0.0") / UDP() / room),
    Unanswered("a source in net 0", Ethernet() / IPv4(from: "0.1.2.3") / TCP([.syn])),
    Unanswered("no source over IPv6", Ethernet() / IPv6(from: "::") / UDP() / room),
    Unanswered("loopback as source", Ethernet() / IPv4(from: "127.0.0.1") / UDP() / room),
    Unanswered("loopback as destination", Ethernet() / IPv6(to: "::1") / UDP() / room),
    Unanswered("a group as source", Ethernet() / IPv4(from: "224.0.0.1") / UDP() / room),
    Unanswered("broadcast as source", Ethernet() / IPv4(from: "255.255.255.255") / TCP([.syn])),
    Unanswered("a group as source over IPv6", Ethernet() / IPv6(from: "ff02::1") / TCP([.syn])),
]

@Suite("A frame that nobody answers") struct ReplyRefusalTests {
    @Test(arguments: unanswered) func `is met with silence`(row: Unanswered) {
        #expect(reply(to: row.packet).isEmpty, "\(row.packet)")
    }

    @Test(arguments: martians) func `is met with silence even where a reader let it pass`(row: Unanswered) {
        let (reason, reading) = outcome(of: row.packet.bytes)
        #expect(reason == .martian)
        #expect(reply(to: row.packet.bytes, reading: reading).reply.isEmpty, "\(row.packet)")
    }

    @Test func `its neighbours are answered`() {
        let answered: [Packet] = [
            Ethernet() / IPv4() / TCP([.syn]), Ethernet() / IPv6() / TCP([.ack]), Ethernet() / IPv4() / UDP() / room,
            Ethernet() / IPv4() / ICMP.echo() / room, Ethernet() / IPv6() / ICMPv6.echo() / room,
            Ethernet() / IPv4() / ICMP(type: 13) / room, Ethernet() / IPv4(from: "1.2.3.4", to: "223.1.2.3") / TCP([.syn]),
        ]
        for packet in answered { #expect(!reply(to: packet).isEmpty, "\(packet)") }
    }

    /// A reading as another room could hand it over by mistake.
    @Test func `a reading whose kind, row or tunnel forbids an answer gets none`() {
        let packet = Ethernet() / IPv4() / UDP() / room
        let sound = reading(of: packet)
        #expect(!reply(to: packet.bytes, reading: sound).reply.isEmpty)
        var other = sound
        other.kind = .fragment
        other.fragmentOffset = 8
        #expect(reply(to: packet.bytes, reading: other).reply.isEmpty)
        for link in LinkProtocol.allCases where link != .none {
            other = sound
            other.link = link
            #expect(reply(to: packet.bytes, reading: other).reply.isEmpty, "\(link)")
        }
        other = sound
        other.tunnel = Tunnel(.vxlan, identifier: 7, depth: 1)
        #expect(reply(to: packet.bytes, reading: other).reply.isEmpty)
    }

    @Test func `a reading of another frame gets none, and reads nothing outside of the frame`() {
        let long = Ethernet() / IPv6() / UDP() / Payload(count: 500)
        let foreign = reading(of: long)
        for length in 0..<long.bytes.count {
            #expect(reply(to: Array(long.bytes.prefix(length)), reading: foreign, room: 2048).reply.isEmpty)
        }
        var random = PacketRandom(seed: 1)
        for _ in 0..<5_000 {
            var reading = foreign
            reading.networkOffset = .random(in: 0...600, using: &random)
            reading.transportOffset = .random(in: 0...600, using: &random)
            reading.payloadOffset = .random(in: 0...600, using: &random)
            reading.end = .random(in: 0...600, using: &random)
            if Bool.random(using: &random) { reading.protocolNumber = .tcp }
            let (written, _) = reply(to: long.bytes, reading: reading, room: 2048)
            #expect(written.count <= long.bytes.count)
        }
    }
}
