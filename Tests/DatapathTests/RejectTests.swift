// SPDX-License-Identifier: Apache-2.0
import Classifier
import Net
import Record
import TestSupport
import Testing

@Suite("Rejected connections") struct RejectTests {
    private let town = SmallPolicy.town {
        let (client, web) = (SmallPolicy.ownClass(clients), SmallPolicy.ownClass(webs))
        $0.ingress(of: web, from: client, ServiceKey.udp(9), SmallPolicy.rejected)
        for services in ServiceKey.echo { $0.ingress(of: web, from: client, services, SmallPolicy.rejected) }
    }
    private let query = Ethernet() / IPv4() / UDP(from: 40000, to: 9) / Payload(count: 80)
    private let query6 = Ethernet() / IPv6(from: client6, to: web6) / UDP(from: 40000, to: 9) / Payload(count: 80)

    /// What leaves by the port that the frame came in by, after it was dropped as denied.
    private func answers(_ bench: PairBench, _ packet: Packet, port: Int = 0) throws -> [[UInt8]] {
        let before = bench.worker.counters.ports[port].generated
        try bench.expectDropped(packet, .denied, port: port)
        let sent = bench.worker.ports[port].send()
        #expect(bench.worker.counters.ports[port].generated == before + UInt64(sent.count))
        bench.turn()
        return sent
    }

    @Test func `a TCP client is reset, and its frame is counted as denied`() throws {
        let bench = try PairBench()
        let syn = Ethernet() / VLAN(12) / IPv4() / TCP(from: 40000, to: 80, [.syn], sequence: 100, options: [2, 4, 5, 180])
        let sent = try answers(bench, syn)
        try #require(sent.count == 1)
        let expected =
            Ethernet(from: "02:00:00:00:00:02", to: card) / VLAN(12) / IPv4(from: web, to: client, ttl: 64)
            / TCP(from: 80, to: 40000, [.rst, .ack], sequence: 0, acknowledgement: 101)
        // The header's own choices (identification, window) are Wire's; addresses, ports and flags are what hosts look at.
        #expect(sent[0].prefix(18) == expected.bytes.prefix(18))
        #expect(sent[0].count <= syn.bytes.count)
        #expect(Array(sent[0][30..<38]) == Array(expected.bytes[30..<38]))
        #expect(Array(sent[0][38..<52]) == Array(expected.bytes[38..<52]))
        #expect(bench.worker.counters.flows == 0)
        #expect(bench.fault == nil)
    }

    @Test func `over both families everything else is told that it is prohibited`() throws {
        let bench = try PairBench(PairShape(), town)
        let four = try answers(bench, query)
        #expect(four.count == 1 && four.first.map { Array($0[34..<36]) } == [3, 13])
        let six = try answers(bench, query6)
        #expect(six.count == 1 && six.first.map { Array($0[54..<56]) } == [1, 1])
        let echo = try answers(bench, Ethernet() / IPv4() / ICMP.echo() / Payload(count: 56))
        #expect(echo.count == 1)
        #expect(bench.fault == nil)
    }

    @Test func `whichever port it came in by, it is answered there`() throws {
        let bench = try PairBench(PairShape(), town)
        let sent = try answers(bench, query, port: 1)
        #expect(sent.count == 1)
        #expect(bench.worker.counters.ports[0].generated == 0)
    }

    @Test func `what may not be answered is silence, and costs no other its answer`() throws {
        let bench = try PairBench(PairShape(), town)
        // The reply would be longer than the question.
        for _ in 0..<300 { #expect(try answers(bench, Ethernet() / IPv4() / UDP(from: 40000, to: 9)).isEmpty) }
        #expect(try answers(bench, query).count == 1)
        #expect(bench.fault == nil)
    }

    @Test func `two hundred a second are answered, and time brings more`() throws {
        let bench = try PairBench(PairShape(), town)
        var sent = 0
        for _ in 0..<300 { sent += try answers(bench, query).count }
        #expect(sent == 200)
        bench.clock.pass(milliseconds: 50)
        for _ in 0..<30 { sent += try answers(bench, query).count }
        #expect(sent == 210)
        #expect(bench.worker.dropped(.denied) == 330)
        #expect(bench.fault == nil)
    }

    @Test func `as many as are configured are answered, and none at 0`() throws {
        var quiet = town
        quiet.flows.repliesPerSecond = 0
        let silent = try PairBench(PairShape(), quiet)
        for _ in 0..<3 { #expect(try answers(silent, query).isEmpty) }
        #expect(silent.worker.counters.ports[0].generated == 0 && silent.worker.dropped(.denied) == 3)
        var brief = town
        brief.flows.repliesPerSecond = 7
        let bench = try PairBench(PairShape(), brief)
        #expect(try (0..<20).reduce(0) { sent, _ in try sent + answers(bench, query).count } == 7)
        bench.clock.pass(milliseconds: 1000)
        #expect(try (0..<20).reduce(0) { sent, _ in try sent + answers(bench, query).count } == 7)
    }

    @Test func `a reload gives nobody's answers back, and another limit holds at once`() throws {
        let bench = try PairBench(PairShape(), town)
        #expect(try (0..<210).reduce(0) { sent, _ in try sent + answers(bench, query).count } == 200)
        var next = town
        for generation in 2...4 as ClosedRange<UInt32> {
            next.generation = generation
            try bench.publish(next)
            #expect(try answers(bench, query).isEmpty)
        }
        (next.generation, next.flows.repliesPerSecond) = (5, 0)
        try bench.publish(next)
        bench.clock.pass(milliseconds: 1000)
        #expect(try answers(bench, query).isEmpty)
        (next.generation, next.flows.repliesPerSecond) = (6, 3)
        try bench.publish(next)
        #expect(try (0..<10).reduce(0) { sent, _ in try sent + answers(bench, query).count } == 3)
        #expect(bench.fault == nil)
    }

    @Test func `no answer is longer than what it answers, whatever its length`() throws {
        let bench = try PairBench(PairShape(), town)
        for count in stride(from: 0, through: 190, by: 7) + [1400] {
            for packet in [
                Ethernet() / IPv4() / UDP(from: 40000, to: 9) / Payload(count: count),
                Ethernet() / VLAN(4) / IPv6(from: client6, to: web6) / UDP(from: 40000, to: 9) / Payload(count: count),
                Ethernet() / IPv4() / TCP(from: 40000, to: 80, [.syn]) / Payload(count: count),
            ] {
                for answer in try answers(bench, packet) { #expect(answer.count <= packet.bytes.count, "\(packet)") }
            }
        }
        #expect(bench.worker.counters.ports[0].generated > 50)
    }

    @Test func `without a free frame, a link or room to send there is no answer, and no frame is lost`() throws {
        var shape = PairShape()
        // As many frames as both fill rings hold.
        shape.frames = 256
        let bench = try PairBench(shape, town)
        #expect(bench.worker.freeCount == 0)
        #expect(try answers(bench, query).isEmpty)
        #expect(bench.fault == nil)

        let other = try PairBench(PairShape(), town)
        other.worker.ports[0].hasLink = false
        #expect(try answers(other, query).isEmpty)
        other.worker.ports[0].hasLink = true
        try other.establish()
        try other.expectForwarded(Connection().request)
        for _ in 0..<3 { try other.receive(Array(repeating: Connection().answer, count: 50), port: 1); other.turn() }
        try other.expectDropped(query, .denied)
        #expect(other.worker.counters.ports[0].generated == 0)
        #expect(other.fault == nil)
    }

    @Test func `an answer that is taken back was never generated, and nothing is lost with it`() throws {
        let bench = try PairBench(PairShape(), town)
        try bench.receive([query])
        try bench.receive([Connection().syn])
        try bench.receive([Connection(from: web, to: client, source: 443, port: 5000).syn], port: 1)
        bench.turn()
        #expect(bench.worker.counters.ports[0].generated == 1)
        let forwarded = bench.worker.counters.ports[1].forwarded
        bench.worker.ports[0].hasLink = false
        #expect(bench.worker.withdraw(0) == UInt32(forwarded) + 1)
        #expect(bench.worker.counters.ports[0].generated == 0 && bench.worker.counters.ports[1].forwarded == 0)
        #expect(bench.worker.counters.ports[1].dropped[Int(DropReason.linkDown.number)] == forwarded)
        #expect(bench.fault == nil)
    }

    @Test func `a flow that a new policy rejects ends, and who sends next is told`() throws {
        let bench = try PairBench()
        try bench.establish()
        try bench.publish(
            .town(generation: 2) {
                $0.ingress(
                    of: SmallPolicy.ownClass(webs), from: SmallPolicy.ownClass(clients), ServiceKey.tcp(443), SmallPolicy.rejected
                )
            })
        #expect(try answers(bench, Connection().request).count == 1)
        #expect(bench.worker.counters.flows == 0)
    }
}
