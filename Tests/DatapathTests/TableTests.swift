// SPDX-License-Identifier: Apache-2.0
import Classifier
import Datapath
import Flow
import Net
import Record
import TestSupport
import Testing

@Suite("Table under pressure") struct TableTests {
    /// TCP 22 of the web server is a failsafe service for everybody.
    static func bench(
        flows: Int = 64, events: Int = 4096, _ change: (inout FlowSettings) -> Void = { _ in }
    ) throws -> PairBench {
        var shape = PairShape()
        (shape.flows, shape.events) = (flows, events)
        return try PairBench(
            shape,
            .town {
                var failsafe = SideRecord()
                failsafe.flags = SideRecord.failsafe
                let record = $0.add(failsafe)
                $0.ingress(of: SmallPolicy.ownClass(webs), from: SmallPolicy.anyone, ServiceKey.tcp(22), record)
                $0.ingress(of: SmallPolicy.ownClass(webs), from: SmallPolicy.ownClass(clients), ServiceKey.tcp(22), record)
                change(&$0.flows)
            })
    }

    private func open(_ bench: PairBench, _ sources: Range<UInt16>, port: UInt16 = 443) throws {
        for source in sources { try bench.expectForwarded(Connection(source: source, port: port).syn) }
    }

    @Test func `at the cap of waiting flows the oldest gives way, and established ones never do`() throws {
        let bench = try Self.bench()
        for source in 0..<40 as Range<UInt16> { try bench.establish(Connection(source: source)) }
        // A quarter of 64 may wait.
        try open(bench, 1000..<1050)
        #expect(bench.worker.counters.flows == 56 && bench.worker.counters.waiting == 16)
        #expect(bench.worker.counters.evicted == 34)
        for source in 0..<40 as Range<UInt16> { try bench.expectForwarded(Connection(source: source).request) }
        let ends = bench.worker.takeEvents().filter { $0.event == FlowRecord.Event.end.rawValue }
        #expect(ends.map(\.sourcePort) == (1000..<1034).map { UInt16($0) })
        #expect(ends.allSatisfy { $0.reason == DropReason.flowTableFull.number })
        #expect(bench.fault == nil)
    }

    @Test(arguments: [true, false]) func `connections that are reset in their handshake leave nothing that fills the table`(
        isAnswered: Bool
    ) throws {
        let bench = try Self.bench()
        try bench.establish()
        _ = bench.worker.takeEvents()
        for source in 0..<200 as Range<UInt16> {
            let half = Connection(source: source)
            try bench.expectForwarded(half.syn)
            if isAnswered { try bench.expectForwarded(half.synAck, port: 1) }
            // The initiator's own reset, which whoever forges the SYN can forge too, or that of a closed port.
            let reset =
                isAnswered
                ? Ethernet() / IPv4(from: client, to: web) / TCP(from: source, to: 443, [.rst], sequence: 101)
                : Ethernet() / IPv4(from: web, to: client)
                    / TCP(from: 443, to: source, [.rst, .ack], sequence: 0, acknowledgement: 101)
            try bench.expectForwarded(reset, port: isAnswered ? 0 : 1)
        }
        #expect(bench.worker.counters.flows == 1 && bench.worker.counters.waiting == 0 && bench.worker.counters.evicted == 0)
        let ends = bench.worker.takeEvents().filter { $0.event == FlowRecord.Event.end.rawValue }
        #expect(ends.map(\.sourcePort) == Array(0..<200) && ends.allSatisfy { $0.state == FlowState.closed.rawValue })
        try bench.expectForwarded(Connection().request)
        #expect(bench.fault == nil)
    }

    @Test func `questions that are answered once give way, and whoever goes on after an answer does not`() throws {
        let bench = try Self.bench()
        let there = { (source: UInt16) in Ethernet() / IPv4(from: client, to: web) / UDP(from: source, to: 53) }
        let back = { (source: UInt16) in Ethernet() / IPv4(from: web, to: client) / UDP(from: 53, to: source) }
        for source in [1, 2, 1] as [UInt16] {
            try bench.expectForwarded(there(source))
            try bench.expectForwarded(back(source), port: 1)
        }
        // Of three that began, only the first has gone on. Whoever forges the client's address is answered as it would be.
        for source in 1000..<1200 as Range<UInt16> {
            try bench.expectForwarded(there(source))
            try bench.expectForwarded(back(source), port: 1)
        }
        #expect(bench.worker.counters.flows == 17 && bench.worker.counters.waiting == 16)
        #expect(bench.worker.counters.evicted == 185)
        let ends = bench.worker.takeEvents().filter { $0.event == FlowRecord.Event.end.rawValue }
        #expect(ends.map(\.sourcePort) == [2] + Array(1000..<1184))
        try bench.expectForwarded(back(1), port: 1)
        #expect(bench.worker.counters.flows == 17 && bench.fault == nil)
    }

    @Test func `both families share the cap, and the older of both gives way`() throws {
        let bench = try Self.bench()
        let v6 = { (source: UInt16) in Ethernet() / IPv6(from: client6, to: web6) / TCP(from: source, to: 443, [.syn]) }
        for source in 0..<8 as Range<UInt16> {
            try bench.expectForwarded(v6(source))
            bench.clock.pass(milliseconds: 2)
            try bench.expectForwarded(Connection(source: source).syn)
            bench.clock.pass(milliseconds: 2)
        }
        #expect(bench.worker.counters.evicted == 0)
        _ = bench.worker.takeEvents()
        for source in 100..<104 as Range<UInt16> { try bench.expectForwarded(Connection(source: source).syn) }
        let ends = bench.worker.takeEvents().filter { $0.event == FlowRecord.Event.end.rawValue }
        #expect(ends.map(\.source) == [client6, client, client6, client])
        #expect(ends.map(\.sourcePort) == [0, 0, 1, 1])
        #expect(bench.worker.counters.waiting == 16)
        #expect(bench.fault == nil)
    }

    @Test func `the last flows are for failsafe services, which do not give way`() throws {
        let bench = try Self.bench { $0.reservedFlows = 6 }
        for source in 0..<58 as Range<UInt16> { try bench.establish(Connection(source: source)) }
        try bench.expectDropped(Connection(source: 2000).syn, .flowTableFull)
        for source in 0..<6 as Range<UInt16> { try bench.expectForwarded(Connection(source: 3000 + source, port: 22).syn) }
        #expect(bench.worker.counters.flows == 64)
        try bench.expectDropped(Connection(source: 4000, port: 22).syn, .flowTableFull)
        try bench.expectDropped(Connection(source: 4001).syn, .flowTableFull)
        for source in 0..<6 as Range<UInt16> {
            try bench.expectForwarded(Connection(source: 3000 + source, port: 22).synAck, port: 1)
        }
        #expect(bench.worker.counters.evicted == 0)
        #expect(bench.fault == nil)
    }

    @Test func `the reserve is an eighth of the capacity at most, and none where none is asked for`() throws {
        for (asked, left) in [(1000 as UInt32, 56), (0, 64)] {
            let bench = try Self.bench { $0.reservedFlows = asked }
            for source in 0..<UInt16(left) { try bench.establish(Connection(source: source)) }
            try bench.expectDropped(Connection(source: 2000).syn, .flowTableFull)
            #expect(bench.worker.counters.flows == UInt64(left))
        }
    }

    @Test func `a flood pushes no half-open failsafe connection out, and one of failsafe services does not fill the table`()
        throws
    {
        let bench = try Self.bench { $0.reservedFlows = 4 }
        try open(bench, 100..<104, port: 22)
        try open(bench, 1000..<1100)
        for source in 100..<104 as Range<UInt16> {
            try bench.expectForwarded(Connection(source: source, port: 22).synAck, port: 1)
        }
        // More than four stand in line as all others do.
        try open(bench, 200..<300, port: 22)
        #expect(bench.worker.counters.waiting == 16 + 4)
        try bench.establish(Connection(source: 9000))
        try bench.establish(Connection(source: 9001, port: 22))
        #expect(bench.fault == nil)
    }

    @Test func `where the settings say pass, what finds no place crosses without a flow, each frame judged by itself`() throws {
        let bench = try Self.bench {
            $0.reservedFlows = 0
            $0.whenFull = FlowSettings.WhenFull.pass.rawValue
        }
        for source in 0..<64 as Range<UInt16> { try bench.establish(Connection(source: source)) }
        let more = Connection(source: 2000)
        try bench.expectForwarded(more.syn)
        try bench.expectForwarded(more.ack)
        try bench.expectForwarded(more.request)
        #expect(bench.worker.counters.passedUntracked == 3)
        // Its answers need a rule of their own, and what policy denies stays denied.
        try bench.expectDropped(more.synAck, .notOpening, port: 1)
        try bench.expectDropped(Connection(to: db).ack, .notOpening)
        try bench.expectDropped(Connection(to: db).syn, .denied)
        #expect(bench.worker.counters.flows == 64 && bench.worker.counters.passedUntracked == 3)
        // As soon as there is room, a segment opens nothing again.
        try bench.expectForwarded(Connection(source: 5).request)
        try bench.expectForwarded(Connection(source: 5).answer, port: 1)
        try bench.expectForwarded(Connection(source: 5).reset)
        bench.clock.pass(seconds: 11)
        for _ in 0..<20 {
            bench.clock.pass(milliseconds: 500)
            bench.turn()
        }
        #expect(bench.worker.counters.flows == 63)
        try bench.expectDropped(more.request, .notOpening)
        #expect(bench.fault == nil)
    }

    @Test func `failsafe services are beyond the limit of sources, so that nobody spends it in an administrator's name`() throws {
        let bench = try Self.bench { ($0.sourceRate, $0.sourceBurst) = (1, 1) }
        try bench.expectForwarded(Connection(source: 1).syn)
        try bench.expectDropped(Connection(source: 2).syn, .sourceLimit)
        for source in 3..<6 as Range<UInt16> { try bench.expectForwarded(Connection(source: source, port: 22).syn) }
        #expect(bench.fault == nil)
    }

    @Test func `a source that opens too much is held to its limit, and no other is`() throws {
        let bench = try Self.bench {
            ($0.sourceRate, $0.sourceBurst) = (10, 5)
            $0.waitingShare = 1000
        }
        try open(bench, 0..<5)
        try bench.expectDropped(Connection(source: 5).syn, .sourceLimit)
        // What goes on is not new, and what is denied is not counted.
        try bench.expectForwarded(Connection(source: 0).syn)
        try bench.expectDropped(Connection(to: db).syn, .denied)
        try bench.addresses.writer.claim("10.0.0.9", labelSet: clients, workload: 99)
        try bench.expectForwarded(Connection(from: "10.0.0.9").syn)
        bench.clock.pass(milliseconds: 101)
        try bench.expectForwarded(Connection(source: 6).syn)
        try bench.expectDropped(Connection(source: 7).syn, .sourceLimit)
        bench.clock.pass(milliseconds: 1000)
        bench.turn()
        let refusals = bench.worker.takeEvents().filter { $0.event == FlowRecord.Event.refused.rawValue }
        #expect(refusals.map(\.reason) == [.sourceLimit, .denied, .sourceLimit].map(\DropReason.number))
        #expect(bench.fault == nil)
    }

    @Test func `an idle worker drains what a flood has left within seconds`() throws {
        let bench = try Self.bench(flows: 4000)
        for source in 0..<3000 as Range<UInt16> {
            try bench.receive([Connection(source: source).syn])
            bench.turn()
            _ = bench.worker.ports[1].send()
        }
        #expect(bench.worker.counters.waiting == 1000)
        for _ in 0..<30 {
            bench.clock.pass(milliseconds: 100)
            for _ in 0..<10 { bench.turn() }
        }
        #expect(bench.worker.counters.waiting <= 500)
        try bench.establish(Connection(source: 9000))
        for _ in 0..<300 {
            bench.clock.pass(milliseconds: 100)
            for _ in 0..<10 { bench.turn() }
        }
        #expect(bench.worker.counters.waiting == 0 && bench.worker.counters.flows == 1)
        #expect(bench.fault == nil)
    }
}
