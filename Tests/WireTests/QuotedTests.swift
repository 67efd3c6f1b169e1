// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing
import Wire

/// What Wire makes of the packet that an error quotes; `nil` where that names no flow.
private func quotation(in bytes: [UInt8], _ reading: Reading) -> Reading? {
    var quoted = Reading()
    // A byte has no padding that a raw span could show.
    return unsafe Wire.readQuoted(bytes.span.bytes, of: reading, into: &quoted) ? quoted : nil
}

private func mtu(toldBy packet: Packet) -> UInt32? {
    let bytes = packet.bytes
    // As in `quotation`.
    return unsafe Wire.toldMTU(bytes.span.bytes, of: reading(of: packet))
}

/// An error that quotes so many bytes of a packet without its Ethernet header.
private func error(quoting packet: [UInt8], tags: [VLAN] = []) -> Packet {
    let isIPv4 = packet[0] >> 4 == 4
    let link = Packet([Ethernet()] + tags)
    return isIPv4
        ? link / IPv4(from: "10.7.7.7", to: "10.0.0.1") / ICMP(type: 3, code: 1) / Payload(packet)
        : link / IPv6(from: "fd07::7", to: "fd00::1") / ICMPv6(type: 1) / Payload(packet)
}

@Suite("A quoted packet") struct QuotedTests {
    /// Headers whose transport stands behind them.
    private static let headers: [Packet] = [
        Packet([IPv4()]), Packet([IPv4(options: [7, 7, 4, 10, 0, 0, 9])]), Packet([IPv6()]), IPv6() / Extension.destination(),
        IPv6() / Extension.hopByHop() / Extension.routing(type: 2, segmentsLeft: 0) / Extension.destination(),
        IPv6() / Fragment(),
        IPv4() / Authentication(), IPv6() / Authentication(),
    ]

    private static func transports(overIPv4: Bool) -> [Packet] {
        let common: [any PacketLayer] = [
            TCP([.syn], sequence: 0xdead_beef), UDP(to: 53), SCTP.initiation(), SCTP(tag: 0x0102_0304, SCTP.data()), ESP(0x1000),
            GRE(),
        ]
        let own: [any PacketLayer] =
            overIPv4 ? [ICMP.echo(), ICMP.echoReply(identifier: 9)] : [ICMPv6.echo(), ICMPv6.echoReply()]
        return (common + own).map { $0 is SCTP ? Packet([$0]) : Packet([$0]) / Payload(count: 40) }
    }

    @Test(arguments: headers) func `eight bytes behind its headers name the flow that it ran in`(header: Packet) {
        for transport in Self.transports(overIPv4: header.layers[0] is IPv4) {
            let whole = Ethernet() / header / transport
            let original = reading(of: whole)
            let cut = Array(whole.bytes[Int(original.networkOffset)..<Int(original.transportOffset) + 8])
            let error = error(quoting: cut)
            let outer = reading(of: error)
            guard let quoted = quotation(in: error.bytes, outer) else {
                Issue.record("\(whole) names no flow")
                continue
            }
            #expect(quoted.kind == .packet)
            #expect(quoted.source == original.source && quoted.destination == original.destination)
            #expect(quoted.protocolNumber == original.protocolNumber, "\(whole)")
            #expect((quoted.sourcePort, quoted.destinationPort) == (original.sourcePort, original.destinationPort), "\(whole)")
            #expect(quoted.marks == original.marks.intersection(.icmpReply))
            #expect(quoted.sequence == original.sequence)
            #expect(quoted.networkOffset == outer.payloadOffset && quoted.end == outer.end)
            #expect(Int(quoted.transportOffset - quoted.networkOffset) == cut.count - 8)
        }
    }

    @Test func `a first fragment is as good as a packet, whatever is cut of it`() throws {
        for header in [IPv4(identification: 9, moreFragments: true) / UDP(to: 53), IPv6() / Fragment(more: true) / UDP(to: 53)] {
            let error = error(quoting: (header / Payload(count: 3)).bytes)
            let quoted = try #require(quotation(in: error.bytes, reading(of: error)))
            #expect((quoted.sourcePort, quoted.destinationPort) == (40000, 53))
        }
    }

    @Test func `neither its lengths nor its checksums are believed`() throws {
        for header in [
            IPv4(totalLength: 0xffff, checksum: 1) / UDP(to: 53), IPv6(payloadLength: 0xffff) / UDP(to: 53, checksum: 9),
        ] {
            let error = error(quoting: header.bytes)
            #expect(quotation(in: error.bytes, reading(of: error))?.destinationPort == 53)
        }
    }

    @Test func `the way back has the error's own tags, and its tunnel`() throws {
        let tagged = error(quoting: (IPv4() / UDP()).bytes, tags: [VLAN(10), VLAN(20)])
        #expect(quotation(in: tagged.bytes, reading(of: tagged))?.vlans == reading(of: tagged).vlans)
        let carried = Ethernet() / IPv4() / GRE(key: 7) / IPv4(from: "10.7.7.7") / ICMP(type: 11) / IPv4() / UDP()
        let inside = inner(of: carried, reading(of: carried))
        #expect(quotation(in: carried.bytes, inside)?.tunnel == Tunnel(.gre, identifier: 7, depth: 1))
    }

    @Test(arguments: [
        IPv4(offset: 64) / Payload(count: 8), IPv6() / Fragment(offset: 64, next: 17) / Payload(count: 8),
        IPv4() / ICMP(type: 3, code: 1) / IPv4() / UDP(), IPv6() / ICMPv6(type: 1) / IPv6() / UDP(),
        IPv4(next: 58) / Payload(count: 8), IPv6(next: 1) / Payload(count: 8),
        IPv6(from: "10.0.0.1") / UDP(), IPv6(to: "10.0.0.1") / UDP(),
        IPv6(next: 60) / Payload([6, 31, 0, 0, 0, 0, 0, 0]),
    ])
    func `it names no flow without ports, in an error, or with a chain that leads nowhere`(quoted: Packet) {
        let error = error(quoting: quoted.bytes)
        #expect(quotation(in: error.bytes, reading(of: error)) == nil, "\(quoted)")
    }

    @Test func `more extension headers than are forwarded are not walked`() {
        for (count, isRead) in [(8, true), (9, false)] {
            let chain = (0..<count).reduce(Packet([IPv6()])) { packet, _ in packet / Extension.destination() }
            let error = error(quoting: (chain / UDP()).bytes)
            #expect((quotation(in: error.bytes, reading(of: error)) != nil) == isRead)
        }
    }

    @Test func `the reading of another frame, or of no error, leads nowhere`() {
        let long = error(quoting: (IPv6() / Extension.destination() / UDP() / Payload(count: 40)).bytes)
        let outer = reading(of: long)
        for length in long.bytes.indices { #expect(quotation(in: Array(long.bytes.prefix(length)), outer) == nil) }
        let echo = Ethernet() / IPv4() / ICMP.echo() / IPv4() / UDP()
        #expect(quotation(in: echo.bytes, reading(of: echo)) == nil)
        #expect(quotation(in: long.bytes, Reading()) == nil)
    }

    @Test func `an MTU is told by two errors only`() {
        let (four, six) = (IPv4() / UDP(), IPv6() / UDP())
        #expect(mtu(toldBy: Ethernet() / IPv4() / ICMP(type: 3, code: 4, identifier: 9, sequence: 1400) / four) == 1400)
        #expect(mtu(toldBy: Ethernet() / IPv4() / ICMP(type: 3, code: 4) / four) == 0)
        #expect(mtu(toldBy: Ethernet() / IPv4() / ICMP(type: 3, code: 1, sequence: 1400) / four) == nil)
        #expect(mtu(toldBy: Ethernet() / IPv4() / ICMP(type: 11, code: 4, sequence: 1400) / four) == nil)
        #expect(mtu(toldBy: Ethernet() / IPv6() / ICMPv6(type: 2, identifier: 1, sequence: 2) / six) == 0x1_0002)
        #expect(mtu(toldBy: Ethernet() / IPv6() / ICMPv6(type: 1, code: 4, sequence: 1400) / six) == nil)
    }
}
