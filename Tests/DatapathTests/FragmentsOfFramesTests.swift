// SPDX-License-Identifier: Apache-2.0
import Net
import Record
import TestSupport
import Testing

@testable import Datapath

@Suite("Fragments in the lane") struct FragmentsOfFramesTests {
    /// Receives packets one a turn; what was sent by the other port, in order.
    @discardableResult
    static func send(_ packets: [Packet], through bench: PairBench, port: Int = 0) throws -> [[UInt8]] {
        var sent: [[UInt8]] = []
        for packet in packets {
            try bench.receive([packet], port: port)
            bench.turn()
            sent += bench.worker.ports[1 - port].send()
            #expect(bench.fault == nil, "\(packet)")
        }
        bench.turn()
        return sent
    }

    @Test(arguments: [false, true], [1, 2, 3, 40]) func `an allowed datagram crosses in order`(over6: Bool, count: Int) throws {
        let bench = try PairBench()
        let pieces = question(count * 1000 - 8, over6: over6).fragments(of: 1000)
        #expect(try Self.send(pieces, through: bench) == pieces.map(\.bytes))
        #expect(bench.worker.counters.flows == 1)
        #expect(bench.worker.counters.ports[0].forwarded == UInt64(count))
        #expect(bench.worker.datagrams == 0)
    }

    @Test(arguments: [false, true], [2, 3, 40]) func `and in reverse, behind its first fragment`(over6: Bool, count: Int) throws {
        let bench = try PairBench()
        let pieces = question(count * 1000 - 8, over6: over6).fragments(of: 1000)
        let late = Array(pieces[1...].reversed())
        #expect(try Self.send(late, through: bench) == [])
        #expect(bench.worker.counters.ports[0].held == UInt64(count - 1))
        #expect(try Self.send([pieces[0]], through: bench) == ([pieces[0]] + late).map(\.bytes))
        #expect(bench.worker.counters.ports[0].held == 0)
        #expect(bench.worker.counters.ports[0].forwarded == UInt64(count))
        let flow = bench.worker.takeEvents()
        #expect(flow.count == 1 && bench.worker.counters.flows == 1)
    }

    @Test(arguments: [false, true]) func `a denied datagram does not cross, in no order`(over6: Bool) throws {
        for reversed in [false, true] {
            let bench = try PairBench()
            let pieces = question(5000, over6: over6, to: 54).fragments(of: 1000)
            #expect(try Self.send(reversed ? pieces.reversed() : pieces, through: bench) == [])
            #expect(bench.worker.dropped(.denied) == UInt64(pieces.count))
            #expect(bench.worker.counters.flows == 0 && bench.worker.counters.ports[0].held == 0)
        }
    }

    @Test func `a burst of both orders leaves as if it had come one by one`() throws {
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 0, 1, 3], [3, 0, 2, 1]] {
            let bench = try PairBench()
            let pieces = question(3500).fragments(of: 1000)
            try bench.receive(order.map { pieces[$0] })
            bench.turn()
            // The first goes first; those before it follow it as they came, and so do those behind it.
            let expected = [0] + order.filter { $0 != 0 }
            #expect(bench.worker.ports[1].send() == expected.map { pieces[$0].bytes }, "\(order)")
            bench.turn()
            #expect(bench.fault == nil && bench.worker.datagrams == 0)
        }
    }

    @Test func `a large echo crosses, and its reply by the flow of the request`() throws {
        for (there, back) in [
            (
                Ethernet() / IPv4(from: client, to: web) / ICMP.echo(identifier: 9),
                Ethernet() / IPv4(from: web, to: client) / ICMP.echoReply(identifier: 9)
            ),
            (
                Ethernet() / IPv6(from: client6, to: web6) / ICMPv6.echo(identifier: 9),
                Ethernet() / IPv6(from: web6, to: client6) / ICMPv6.echoReply(identifier: 9)
            ),
        ] {
            let bench = try PairBench()
            let request = (there / Payload(count: 20_000)).fragments(of: 1400)
            let reply = (back / Payload(count: 20_000)).fragments(of: 1400)
            // A reply without its request opens nothing.
            #expect(try Self.send(reply, through: bench, port: 1) == [])
            #expect(bench.worker.dropped(.unrelatedICMP) == UInt64(reply.count))
            #expect(try Self.send(request, through: bench) == request.map(\.bytes))
            let again = (back / Payload(count: 20_000)).fragments(of: 1400, identification: 8)
            #expect(try Self.send(again, through: bench, port: 1) == again.map(\.bytes))
        }
    }

    @Test func `a segment in fragments follows its connection, and its later parts open none`() throws {
        let bench = try PairBench()
        let data =
            Ethernet() / IPv4(from: client, to: web)
            / TCP(from: 40000, to: 443, [.ack, .psh], sequence: 101, acknowledgement: 901)
        let pieces = (data / Payload(count: 3000)).fragments(of: 1000)
        #expect(try Self.send(pieces, through: bench) == [])
        #expect(bench.worker.dropped(.notOpening) == UInt64(pieces.count))
        try bench.establish()
        let again = (data / Payload(count: 3000)).fragments(of: 1000, identification: 8)
        #expect(try Self.send(again.reversed(), through: bench) == ([again[0]] + again[1...].reversed()).map(\.bytes))
        try bench.expectForwarded(
            Ethernet() / IPv4(from: web, to: client) / TCP(from: 443, to: 40000, [.ack], sequence: 901, acknowledgement: 3101),
            port: 1)
    }

    @Test func `what a new policy forbids ends in the middle of a datagram`() throws {
        let bench = try PairBench()
        let pieces = question(3500).fragments(of: 1000)
        #expect(try Self.send(Array(pieces[..<2]), through: bench).count == 2)
        var closed = SmallPolicy(generation: 2)
        closed.ingress(of: SmallPolicy.ownClass(webs), from: SmallPolicy.anyone, 0...0, SmallPolicy.denied)
        try bench.publish(closed)
        #expect(try Self.send(Array(pieces[2...]), through: bench) == [])
        #expect(bench.worker.dropped(.denied) == 2)
    }

    @Test func `groups' fragments are judged as groups' packets`() throws {
        let town = SmallPolicy.town { $0.egress(of: SmallPolicy.ownClass(clients), to: SmallPolicy.anyone, ServiceKey.udp(5353)) }
        let bench = try PairBench(PairShape(), town)
        for (port, isAllowed) in [(5353, true), (5354, false)] as [(UInt16, Bool)] {
            let packet =
                Ethernet(to: "01:00:5e:01:02:03") / IPv4(from: client, to: "224.1.2.3") / UDP(from: 5353, to: port)
                / Payload(count: 3000)
            let pieces = packet.fragments(of: 1000, identification: UInt32(port))
            #expect(try Self.send(pieces.reversed(), through: bench).count == (isAllowed ? pieces.count : 0))
        }
        #expect(bench.worker.counters.flows == 0)
    }
}
