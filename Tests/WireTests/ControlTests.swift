// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing
import Wire

@Suite struct ICMPMessages {
    @Test func `a request has its identifier and its type as ports`() {
        let four = reading(of: Ethernet() / IPv4() / ICMP.echo(identifier: 0x1234) / Payload(count: 4))
        #expect([four.sourcePort, four.destinationPort] == [0x1234, 0x0800])
        #expect(four.marks == [])
        #expect([four.icmpType, four.icmpCode] == [8, 0])
        #expect([four.transportOffset, four.payloadOffset, four.end] == [34, 42, 46])
        let six = reading(of: Ethernet() / IPv6() / ICMPv6.echo(identifier: 0x1234))
        #expect([six.sourcePort, six.destinationPort] == [0x1234, 0x8000])
        #expect(six.service == ServiceKey(.icmp6, type: 128, code: 0))
    }

    @Test func `a reply has those of the request that it answers`() {
        let four = reading(of: Ethernet() / IPv4() / ICMP.echoReply(identifier: 0x1234))
        #expect([four.sourcePort, four.destinationPort] == [0x0800, 0x1234])
        #expect(four.marks == .icmpReply)
        let six = reading(of: Ethernet() / IPv6() / ICMPv6.echoReply(identifier: 0x1234))
        #expect([six.sourcePort, six.destinationPort] == [0x8000, 0x1234])
        #expect(six.marks == [.icmpReply, .dontFragment])
    }

    @Test func `a reply finds the flow of its request, a request of the other side another`() {
        let there = FlowKey4.make(of: reading(of: Ethernet() / IPv4() / ICMP.echo()), pair: 0)
        let back = IPv4(from: "10.0.0.2", to: "10.0.0.1")
        let reply = FlowKey4.make(of: reading(of: Ethernet() / back / ICMP.echoReply()), pair: 0)
        let request = FlowKey4.make(of: reading(of: Ethernet() / back / ICMP.echo()), pair: 0)
        #expect(FlowKey4.same(there.key, reply.key))
        #expect(there.sender == reply.sender.other)
        #expect(!FlowKey4.same(there.key, request.key))
    }

    @Test func `of all types the errors are marked and quote at the payload`() {
        for type in UInt8.min...UInt8.max {
            let four = reading(of: Ethernet() / IPv4() / ICMP(type: type) / IPv4() / UDP())
            #expect(four.marks.contains(.icmpError) == [3, 4, 5, 11, 12].contains(type), "ICMP \(type)")
            #expect(four.payloadOffset == 42)
            guard !(133...137).contains(type) else { continue }
            let six = reading(of: Ethernet() / IPv6() / ICMPv6(type: type) / IPv6() / UDP())
            #expect(six.marks.contains(.icmpError) == (1...4).contains(type), "ICMPv6 \(type)")
            #expect(six.payloadOffset == 62)
        }
    }

    @Test func `other messages have type and code as destination port`() {
        let four = reading(of: Ethernet() / IPv4() / ICMP(type: 13, code: 2, identifier: 99))
        #expect([four.sourcePort, four.destinationPort] == [0, 13 << 8 | 2])
        let six = reading(of: Ethernet() / IPv6() / ICMPv6(type: 1, code: 4) / IPv6() / UDP())
        #expect([six.sourcePort, six.destinationPort] == [0, 1 << 8 | 4])
    }

    @Test func `a header cut short is truncated`() {
        expect(Ethernet() / IPv4() / Raw([8, 0, 0, 0, 0, 7, 0], protocolNumber: 1) / Padding(20), .truncated)
        expect(Ethernet() / IPv6() / Raw([128, 0, 0, 0, 0, 7, 0], protocolNumber: 58) / Padding(20), .truncated)
    }

    @Test func `the other family's ICMP is not read`() {
        expect(Ethernet() / IPv4() / ICMPv6.echo(), .unknownProtocol)
        expect(Ethernet() / IPv6() / ICMP.echo(), .unknownProtocol)
    }
}

@Suite struct NeighbourDiscovery {
    static let messages: [ICMPv6] = [
        .routerSolicitation(), .routerAdvertisement(), .solicitation(of: "fe80::2"), .advertisement(of: "fe80::2"),
        .redirect(of: "fd00::7", to: "fe80::2"),
    ]
    static let network = IPv6(from: linkLocal, to: group6, hopLimit: 255)

    static func with(_ message: ICMPv6, options: [UInt8]) -> Packet {
        var message = message
        message.body += options
        return Ethernet() / network / message
    }

    @Test(arguments: messages)
    func `each message is read`(message: ICMPv6) {
        let bare = reading(of: Ethernet() / Self.network / message)
        #expect(bare.kind == .neighbour)
        #expect(bare.icmpType == message.type)
        #expect(bare.protocolNumber == .icmp6)
        #expect(bare.source == linkLocal)
        expect(Self.with(message, options: ICMPv6.linkLayerOption() + [5, 1, 0, 0, 0, 0, 5, 220]), nil)
    }

    @Test(arguments: messages)
    func `it comes from the link and has code 0`(message: ICMPv6) {
        expect(Ethernet() / IPv6(from: linkLocal, to: group6, hopLimit: 254) / message, .badNeighbour)
        var message = message
        message.code = 1
        expect(Ethernet() / Self.network / message, .badNeighbour)
    }

    @Test(arguments: messages)
    func `it has all its fields`(message: ICMPv6) {
        guard !message.body.isEmpty else { return }
        var message = message
        message.body.removeLast()
        expect(Ethernet() / Self.network / message, .badNeighbour)
        message.body = []
        expect(Ethernet() / Self.network / message, .badNeighbour)
    }

    @Test(arguments: messages)
    func `its options fill the rest`(message: ICMPv6) {
        let option = ICMPv6.linkLayerOption()
        let empty: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0]
        for options in [empty, option + empty, [1, 2, 0, 0, 0, 0, 0, 0], [1], option + [1, 1]] {
            expect(Self.with(message, options: options), .badNeighbour)
        }
    }

    @Test func `in fragments it stays a fragment`() {
        let packet = Ethernet() / Self.network / Fragment() / ICMPv6.solicitation(of: "fe80::2")
        #expect(reading(of: packet).kind == .fragment)
    }
}

@Suite struct Martians {
    @Test(
        arguments: [
            "0.0.0.0", "127.0.0.1", "127.255.255.254", "224.0.0.1", "239.255.255.255", "255.255.255.255", "10.0.0.2",
        ] as [Address])
    func `no IPv4 host has such a source`(source: Address) {
        expect(Ethernet() / IPv4(from: source) / UDP(), .martian)
        expect(Ethernet() / IPv4(from: source) / TCP([.syn]), .martian)
        expect(Ethernet() / IPv4(from: source) / ICMP.echo(), .martian)
        expect(Ethernet() / IPv4(from: source, offset: 8, next: 17) / Payload(count: 8), .martian)
    }

    @Test(arguments: ["1.0.0.1", "126.255.255.255", "128.0.0.1", "223.255.255.255", "169.254.1.1"] as [Address])
    func `the neighbours of those blocks are sources`(source: Address) { expect(Ethernet() / IPv4(from: source) / UDP(), nil) }

    @Test(arguments: ["::", "::1", "ff02::1", "ff00::", "::ffff:10.0.0.1", "::ffff:0.0.0.0", "fd00::2"] as [Address])
    func `no IPv6 host has such a source`(source: Address) {
        expect(Ethernet() / IPv6(from: source) / UDP(), .martian)
        expect(Ethernet() / IPv6(from: source) / TCP([.syn]), .martian)
        expect(Ethernet() / IPv6(from: source) / ICMPv6.echo(), .martian)
        expect(Ethernet() / IPv6(from: source) / Fragment(offset: 8, next: 17) / Payload(count: 8), .martian)
    }

    @Test(arguments: ["::2", "::fffe:a00:1", "::1:ffff:a00:1", "fe80::1", "feff::1"] as [Address])
    func `the neighbours of those addresses are sources`(source: Address) { expect(Ethernet() / IPv6(from: source) / UDP(), nil) }

    @Test func `nothing is sent to nobody or to the host itself`() {
        for address in ["0.0.0.0", "127.0.0.1", "127.9.9.9"] as [Address] {
            expect(Ethernet() / IPv4(to: address) / UDP(), .martian)
        }
        for address in ["::", "::1", "::ffff:10.0.0.2"] as [Address] { expect(Ethernet() / IPv6(to: address) / UDP(), .martian) }
    }

    @Test func `the same address at both ends is one, with equal ports (LAND) or others`() {
        let four = Ethernet() / IPv4(from: "10.0.0.9", to: "10.0.0.9")
        expect(four / TCP(from: 139, to: 139, [.syn]), .martian)
        expect(four / TCP(from: 40000, to: 139, [.syn]), .martian)
        expect(four / ICMP.echo(), .martian)
        expect(Ethernet() / IPv6(from: "fd00::9", to: "fd00::9") / UDP(from: 7, to: 7), .martian)
        expect(Ethernet() / IPv4() / TCP(from: 139, to: 139, [.syn]), nil)
    }

    @Test func `a DHCP client may lack an address, and only it`() {
        let nobody = IPv4(from: "0.0.0.0", to: "255.255.255.255")
        expect(Ethernet(to: "ff:ff:ff:ff:ff:ff") / nobody / UDP(from: 68, to: 67), nil)
        expect(Ethernet() / nobody / UDP(from: 67, to: 68), .martian)
        expect(Ethernet() / nobody / UDP(from: 68, to: 53), .martian)
        expect(Ethernet() / IPv4(from: "0.0.0.0") / UDP(from: 68, to: 67), .martian)
        expect(Ethernet() / IPv4(from: "0.0.0.0", to: "255.255.255.255", offset: 8, next: 17) / Payload(count: 8), .martian)
    }

    @Test func `an IPv6 host without an address may ask and report to a group`() {
        let nobody = IPv6(from: "::", to: "ff02::1:ff00:2", hopLimit: 255)
        expect(Ethernet() / nobody / ICMPv6.solicitation(of: "fe80::2"), nil)
        expect(Ethernet() / nobody / ICMPv6.routerSolicitation(), nil)
        for type in [131, 132, 143] as [UInt8] {
            expect(Ethernet() / nobody / ICMPv6(type: type, body: [UInt8](repeating: 0, count: 16)), nil)
        }
        expect(Ethernet() / nobody / ICMPv6.advertisement(of: "fe80::2"), .martian)
        expect(Ethernet() / nobody / ICMPv6.routerAdvertisement(), .martian)
        expect(Ethernet() / nobody / ICMPv6.echo(), .martian)
        expect(Ethernet() / IPv6(from: "::", to: "fe80::2", hopLimit: 255) / ICMPv6.solicitation(of: "fe80::2"), .martian)
    }
}
