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
            #expect(six.payloadOffset == (type == 152 || type == 153 ? 58 : 62))
        }
    }

    @Test func `an error quotes a header of its family and 8 bytes behind it`() {
        let (four, six) = (Ethernet() / IPv4() / ICMP(type: 11), Ethernet() / IPv6() / ICMPv6(type: 1))
        expect(four / IPv4(totalLength: 1500, next: 6) / Payload(count: 8), nil)
        expect(four / IPv4(totalLength: 1500, next: 6) / Payload(count: 7), .badICMP)
        expect(four / IPv4(options: [1, 1, 1, 1], totalLength: 1500, next: 6) / Payload(count: 7), .badICMP)
        expect(six / IPv6(payloadLength: 1500, next: 6) / Payload(count: 8), nil)
        expect(six / IPv6(payloadLength: 1500, next: 6) / Payload(count: 7), .badICMP)
        for quote in [IPv4(version: 6, next: 6), IPv4(headerWords: 4, next: 6), IPv4(totalLength: 19, next: 6)] {
            expect(four / quote / Payload(count: 8), .badICMP)
        }
        expect(four / IPv4(headerWords: 15, totalLength: 1500, next: 6) / Payload(count: 20), .badICMP)
        expect(four / IPv6() / UDP(), .badICMP)
        expect(six / IPv4(next: 6) / Payload(count: 40), .badICMP)
        expect(four / Payload(count: 4), .badICMP)
        expect(six / Payload(count: 39), .badICMP)
    }

    @Test func `or all of a packet that had less`() {
        expect(Ethernet() / IPv4() / ICMP(type: 3) / IPv4(next: 88) / Payload(count: 3), nil)
        expect(Ethernet() / IPv4() / ICMP(type: 3) / IPv4(totalLength: 24, next: 88) / Payload(count: 3), .badICMP)
        expect(Ethernet() / IPv6() / ICMPv6(type: 3) / IPv6(next: 59), nil)
    }

    @Test func `a message has the fields of its type`() {
        for (type, length) in [(13, 12), (14, 12), (17, 4), (18, 4)] as [(UInt8, Int)] {
            expect(Ethernet() / IPv4() / ICMP(type: type) / Payload(count: length), nil)
            expect(Ethernet() / IPv4() / ICMP(type: type) / Payload(count: length - 1), .badICMP)
        }
        for (type, length) in [(130, 16), (131, 16), (132, 16), (139, 8), (140, 8)] as [(UInt8, Int)] {
            expect(Ethernet() / IPv6() / ICMPv6(type: type) / Payload(count: length), nil)
            expect(Ethernet() / IPv6() / ICMPv6(type: type) / Payload(count: length - 1), .badICMP)
        }
        expect(Ethernet() / IPv6() / Raw([153, 0, 0, 0], protocolNumber: 58), nil)
        expect(Ethernet() / IPv6() / Raw([154, 0, 0, 0], protocolNumber: 58), .truncated)
    }

    @Test(arguments: [(8, 0), (13, 14), (15, 16), (17, 18), (42, 43)] as [(UInt8, UInt8)])
    func `each request of IPv4 finds its reply`(request: UInt8, reply: UInt8) {
        let there = reading(of: Ethernet() / IPv4() / ICMP(type: request, identifier: 99) / Payload(count: 12))
        let back = reading(
            of: Ethernet() / IPv4(from: "10.0.0.2", to: "10.0.0.1") / ICMP(type: reply, identifier: 99) / Payload(count: 12))
        #expect([there.sourcePort, there.destinationPort] == [99, UInt16(request) << 8])
        #expect(back.marks.contains(.icmpReply))
        #expect(FlowKey4.same(FlowKey4.make(of: there, pair: 0).key, FlowKey4.make(of: back, pair: 0).key))
    }

    @Test(arguments: [(128, 129), (160, 161)] as [(UInt8, UInt8)])
    func `each request of IPv6 finds its reply`(request: UInt8, reply: UInt8) {
        let there = reading(of: Ethernet() / IPv6() / ICMPv6(type: request, identifier: 99))
        let back = reading(of: Ethernet() / IPv6(from: "fd00::2", to: "fd00::1") / ICMPv6(type: reply, identifier: 99))
        #expect(back.marks.contains(.icmpReply))
        #expect(FlowKey6.same(FlowKey6.make(of: there, pair: 0).key, FlowKey6.make(of: back, pair: 0).key))
    }

    @Test func `other messages have type and code as destination port`() {
        let four = reading(of: Ethernet() / IPv4() / ICMP(type: 10, code: 2, identifier: 99))
        #expect([four.sourcePort, four.destinationPort] == [0, 10 << 8 | 2])
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
