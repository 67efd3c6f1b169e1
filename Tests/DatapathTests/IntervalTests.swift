// SPDX-License-Identifier: Apache-2.0
import Classifier
import Net
import Record
import TestSupport
import Testing

@Suite("Records at intervals") struct IntervalTests {
    private func updates(_ bench: PairBench) -> [FlowRecord] {
        bench.worker.takeEvents().filter { $0.event == FlowRecord.Event.update.rawValue }
    }

    private func open(_ connection: Connection, _ bench: PairBench) throws {
        try bench.expectForwarded(connection.syn, port: 1)
        try bench.expectForwarded(connection.synAck)
        try bench.expectForwarded(connection.ack, port: 1)
    }

    /// Turns without frames over so many seconds.
    private func pass(_ seconds: Int, _ bench: PairBench, each: () throws -> Void = {}) throws {
        for _ in 0..<seconds {
            try each()
            for _ in 0..<10 {
                bench.clock.pass(milliseconds: 100)
                bench.turn()
            }
        }
    }

    @Test func `a flow that goes on is told of once in each interval, with what it has carried so far`() throws {
        let bench = try PairBench()
        let connection = Connection()
        try open(connection, bench)
        _ = bench.worker.takeEvents()
        try pass(180, bench) { try bench.expectForwarded(connection.ack, port: 1) }
        let told = updates(bench)
        #expect((2...4).contains(told.count))
        #expect(zip(told, told.dropFirst()).allSatisfy { $0.forwardFrames < $1.forwardFrames })
        #expect(told.allSatisfy { $0.source == client && $0.destinationPort == 443 })
        #expect(bench.fault == nil)
    }

    @Test func `a flow that is quiet is not told of`() throws {
        let bench = try PairBench()
        try open(Connection(), bench)
        try pass(130, bench)
        _ = bench.worker.takeEvents()
        try pass(300, bench)
        #expect(updates(bench).isEmpty)
    }

    @Test func `every flow that had a frame is told of, a few behind each other, and no record is lost`() throws {
        let bench = try PairBench(PairShape(), .town { $0.flows.recordSeconds = 5 })
        for source in 0..<100 as Range<UInt16> { try open(Connection(source: 10_000 + source), bench) }
        _ = bench.worker.takeEvents()
        try pass(3, bench)
        for source in 0..<100 as Range<UInt16> { try bench.expectForwarded(Connection(source: 10_000 + source).ack, port: 1) }
        var told: [UInt16: Int] = [:]
        try pass(8, bench) { for record in updates(bench) { told[record.sourcePort, default: 0] += 1 } }
        for record in updates(bench) { told[record.sourcePort, default: 0] += 1 }
        #expect(told.count == 100)
        #expect(told.values.allSatisfy { $0 <= 3 })
        #expect(bench.worker.counters.lostEvents == 0)
    }

    @Test func `an interval of nought tells of no live flow`() throws {
        let bench = try PairBench(PairShape(), .town { $0.flows.recordSeconds = 0 })
        try bench.expectForwarded(Connection().syn, port: 1)
        try pass(25, bench)
        #expect(updates(bench).isEmpty)
    }
}
