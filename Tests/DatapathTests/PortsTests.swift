// SPDX-License-Identifier: Apache-2.0
import Net
import Record
import TestSupport
import Testing

@Suite("Ports") struct PortsTests {
    /// First frames of so many connections.
    static func syns(_ count: UInt16, from source: UInt16 = 1000) -> [Packet] {
        (0..<count).map { Connection(source: source + $0).syn }
    }

    @Test func `a full transmit ring drops, and sends again when it has room`() throws {
        let bench = try PairBench()
        for number in 0..<4 as Range<UInt16> {
            try bench.receive(Self.syns(50, from: 1000 + number * 50))
            bench.turn()
            #expect(bench.fault == nil)
        }
        #expect(bench.worker.counters.ports[0].forwarded == 128)
        #expect(bench.worker.dropped(.transmitFull) == 72)
        #expect(bench.worker.ports[1].send().count == 128)
        try bench.expectForwarded(Connection().syn)
        // The other way has a ring of its own.
        try bench.expectForwarded(Connection().synAck, port: 1)
        #expect(bench.fault == nil)
    }

    @Test func `frames circulate without end`() throws {
        let bench = try PairBench()
        try bench.establish()
        for round in 0..<200 {
            try bench.receive(Array(repeating: Connection().request, count: 30))
            try bench.receive(Array(repeating: Connection().answer, count: 20), port: 1)
            #expect(bench.turn() == 50)
            // The kernel takes its time.
            _ = bench.worker.ports[1].send(limit: round % 3 == 0 ? 10 : 60)
            _ = bench.worker.ports[0].send()
            if round % 20 == 0 { #expect(bench.fault == nil) }
        }
        while bench.worker.ports[1].waiting > 0 { _ = bench.worker.ports[1].send() }
        bench.turn()
        let counters = bench.worker.counters
        #expect(counters.ports[0].received == 6002 && counters.ports[1].received == 4001)
        #expect(counters.ports[0].ringPosition == 6002)
        #expect(UInt64(bench.worker.ports[1].sentCount) == counters.ports[0].forwarded)
        #expect(bench.fault == nil)
    }

    @Test func `one turn handles at most sixty-four frames of a port`() throws {
        let bench = try PairBench()
        try bench.receive(Self.syns(100))
        #expect(bench.turn() == 64)
        #expect(bench.turn() == 36)
        #expect(bench.turn() == 0)
        #expect(bench.worker.counters.ports[0].forwarded == 100)
    }

    @Test func `a port without link gets nothing, and the other direction goes on`() throws {
        let bench = try PairBench()
        try bench.establish()
        bench.worker.ports[1].hasLink = false
        try bench.expectDropped(Connection().request, .linkDown)
        try bench.expectForwarded(Connection().answer, port: 1)
        bench.worker.ports[1].hasLink = true
        try bench.expectForwarded(Connection().request)
        #expect(bench.fault == nil)
    }

    @Test(arguments: [[], [VLAN(10)], [VLAN(10), VLAN(20)], [VLAN(0), VLAN(20)]] as [[VLAN]])
    func `a packet that is longer than the other port's MTU is too long, whatever tags it has, one byte less is not`(
        tags: [VLAN]
    ) throws {
        let bench = try PairBench()
        let syn = Packet([Ethernet()] + tags) / IPv4(from: client, to: web) / TCP(to: 443, [.syn])
        try bench.expectForwarded(syn / Payload(count: 1500 - 40))
        try bench.expectDropped(syn / Payload(count: 1500 - 39), .oversize)
        #expect(bench.worker.ports[0].send().isEmpty, "it may be cut, so that nobody is told")
        #expect(bench.fault == nil)
    }

    @Test func `what waits in the receive rings after a pause is stale`() throws {
        let bench = try PairBench()
        try bench.receive(Self.syns(100))
        try bench.receive([Connection().answer], port: 1)
        #expect(bench.worker.dropStale() == 101)
        #expect(bench.worker.counters.ports[0].dropped[Int(DropReason.stale.number)] == 100)
        #expect(bench.worker.counters.ports[1].dropped[Int(DropReason.stale.number)] == 1)
        #expect(bench.turn() == 0)
        #expect(bench.worker.ports[1].waiting == 0)
        #expect(bench.fault == nil)
        try bench.expectForwarded(Connection().syn)
    }

    @Test func `what waits for a port that lost its link is taken back, and counted as dropped`() throws {
        let bench = try PairBench()
        try bench.receive(Self.syns(40))
        bench.turn()
        _ = bench.worker.ports[1].send(limit: 15)
        let length = UInt64(Connection().syn.bytes.count)
        #expect(bench.worker.counters.ports[0].forwardedBytes == 40 * length)
        #expect(bench.worker.withdraw(1) == 25)
        #expect(bench.worker.counters.ports[0].forwarded == 15)
        #expect(bench.worker.counters.ports[0].forwardedBytes == 15 * length)
        #expect(bench.worker.counters.ports[0].dropped[Int(DropReason.linkDown.number)] == 25)
        #expect(bench.fault == nil)
        // Nothing is left to take back, and nothing leaves late.
        #expect(bench.worker.withdraw(1) == 0)
        #expect(bench.worker.ports[1].waiting == 25)
        #expect(bench.worker.ports[1].send().isEmpty)
        try bench.expectForwarded(Connection().syn)
        #expect(bench.fault == nil)
    }

    @Test func `a worker is quiet when nothing waits for it`() throws {
        let bench = try PairBench()
        #expect(bench.worker.isQuiet)
        try bench.receive([Connection().syn], port: 1)
        #expect(!bench.worker.isQuiet)
        bench.turn()
        // The kernel has not taken it yet, and must be asked again rather than slept over.
        #expect(!bench.worker.isQuiet)
        #expect(bench.worker.ports[0].send().count == 1)
        #expect(bench.worker.isQuiet)
    }
}

@Suite("A full flow table") struct FullFlowTableTests {
    static func bench(flows: Int) throws -> PairBench {
        var shape = PairShape()
        shape.flows = flows
        return try PairBench(shape)
    }

    @Test func `established flows keep their places, and the refusal says why`() throws {
        let bench = try Self.bench(flows: 4)
        for number in 0..<4 as Range<UInt16> { try bench.establish(Connection(source: 1000 + number)) }
        _ = bench.worker.takeEvents()
        try bench.expectDropped(Connection(source: 2000).syn, .flowTableFull)
        let record = bench.worker.takeEvents().first
        #expect(record?.event == FlowRecord.Event.refused.rawValue && record?.reason == DropReason.flowTableFull.rawValue)
        for number in 0..<4 as Range<UInt16> { try bench.expectForwarded(Connection(source: 1000 + number).request) }
        #expect(bench.worker.counters.flows == 4 && bench.worker.counters.evicted == 0)
        #expect(bench.fault == nil)
    }

    @Test func `a half-open flow gives its place to a new one, and says so`() throws {
        let bench = try Self.bench(flows: 4)
        for number in 0..<3 as Range<UInt16> { try bench.establish(Connection(source: 1000 + number)) }
        try bench.expectForwarded(Connection(source: 1500).syn)
        _ = bench.worker.takeEvents()
        try bench.expectForwarded(Connection(source: 2000).syn)
        let events = bench.worker.takeEvents()
        #expect(events.map(\.event) == [FlowRecord.Event.end.rawValue, FlowRecord.Event.start.rawValue])
        #expect(events.map(\.sourcePort) == [1500, 2000])
        #expect(events.first?.reason == DropReason.flowTableFull.rawValue)
        #expect(bench.worker.counters.evicted == 1)
        #expect(bench.fault == nil)
    }

    @Test func `both families together fill it`() throws {
        let bench = try Self.bench(flows: 4)
        for number in 0..<4 as Range<UInt16> { try bench.establish(Connection(source: 1000 + number)) }
        try bench.expectDropped(Ethernet() / IPv6(from: client6, to: web6) / TCP(to: 443, [.syn]), .flowTableFull)
        #expect(bench.fault == nil)
    }

    @Test func `a connection that is opened again needs no other place`() throws {
        let bench = try Self.bench(flows: 4)
        for number in 0..<4 as Range<UInt16> { try bench.establish(Connection(source: 1000 + number)) }
        try bench.expectForwarded(Connection(source: 1001).reset)
        try bench.expectForwarded(Connection(source: 1001).syn)
        #expect(bench.worker.counters.flows == 4)
        #expect(bench.fault == nil)
    }
}
