// SPDX-License-Identifier: Apache-2.0
import Classifier
import Datapath
import Flow
import Net
import Record
import TestSupport
import Testing

@Suite("Idle flows under a new policy") struct SweepTests {
    let town = ChangingTown()

    /// A bench with so many UDP flows of each family, whose ends say nothing more.
    private func bench(_ count: UInt16, _ town: ChangingTown = ChangingTown()) throws -> PairBench {
        var shape = PairShape()
        shape.flows = 2048
        let bench = try PairBench(shape, town.allowing())
        for number in 0..<count {
            let question = Ethernet() / IPv4() / UDP(from: 20_000 + number, to: 8443)
            try bench.expectForwarded(question)
            try bench.expectForwarded(Ethernet() / IPv4(from: web, to: client) / UDP(from: 8443, to: 20_000 + number), port: 1)
            // Behind the answer, so that it waits no more.
            try bench.expectForwarded(question)
            if number % 4 == 0 {
                try bench.expectForwarded(
                    Ethernet() / IPv6(from: client6, to: web6) / UDP(from: 20_000 + number, to: 8443) / Payload(count: 8))
            }
        }
        settleDown(bench)
        _ = bench.worker.takeEvents()
        return bench
    }

    /// Turns without a frame until nothing is left to do; says how many.
    @discardableResult
    private func settleDown(_ bench: PairBench) -> Int {
        var turns = 0
        repeat {
            bench.turn()
            turns += 1
        } while !bench.worker.isQuiet && turns < 10_000
        return turns
    }

    @Test func `flows of both families that are no longer allowed end without a frame, each with its record`() throws {
        let bench = try bench(400)
        try bench.publish(town.refusing(generation: 2))
        let turns = settleDown(bench)
        #expect(turns < 400)
        let events = bench.worker.takeEvents()
        #expect(events.count == 500)
        #expect(events.allSatisfy { $0.event == FlowRecord.Event.end.rawValue && $0.reason == DropReason.denied.rawValue })
        #expect(events.allSatisfy { $0.generation == 2 && $0.ingressRecord == SmallPolicy.denied })
        #expect(bench.worker.counters.flows == 0 && bench.fault == nil)
    }

    @Test func `a worker does not sleep before all flows have been looked at`() throws {
        let bench = try bench(300)
        try bench.publish(town.refusing(generation: 2))
        bench.turn()
        #expect(!bench.worker.isQuiet)
        settleDown(bench)
        #expect(bench.worker.isQuiet && bench.worker.counters.flows == 0)
    }

    @Test func `flows that may go on get the new stamps, and say so`() throws {
        let bench = try bench(100)
        try bench.publish(town.allowing(generation: 2))
        settleDown(bench)
        let events = bench.worker.takeEvents()
        #expect(events.count == 125 && events.allSatisfy { $0.event == FlowRecord.Event.change.rawValue })
        for number in 0..<100 { #expect(bench.worker.lane.flows.v4[UInt32(number)].generation == 2) }
        #expect(bench.worker.counters.flows == 125)
    }

    @Test func `changes of flows that go on leave half of the event ring to ends`() throws {
        var shape = PairShape()
        shape.events = 64
        let bench = try PairBench(shape, town.allowing())
        for number in 0..<60 as Range<UInt16> {
            try bench.expectForwarded(Ethernet() / IPv4() / UDP(from: 20_000 + number, to: 8443))
            _ = bench.worker.takeEvents()
        }
        try bench.publish(town.allowing(generation: 2))
        settleDown(bench)
        #expect(bench.worker.takeEvents().count == 33)
        #expect(bench.worker.counters.lostEvents == 27)
        try bench.publish(town.refusing(generation: 3))
        settleDown(bench)
        #expect(bench.worker.takeEvents().count == 60)
        #expect(bench.worker.counters.lostEvents == 27)
    }

    @Test func `a new epoch is looked into when a second has passed, and again for what came meanwhile`() throws {
        let bench = try bench(100)
        // Just after a round of its own.
        try bench.publish(town.allowing(generation: 2))
        settleDown(bench)
        try bench.addresses.writer.claim(web, labelSet: databases, workload: webWorkload)
        #expect(settleDown(bench) == 1 && bench.worker.counters.flows == 125)
        bench.clock.pass(seconds: 1)
        settleDown(bench)
        #expect(bench.worker.counters.flows == 25)
        try bench.addresses.writer.claim(web6, labelSet: databases, workload: webWorkload)
        #expect(settleDown(bench) == 1)
        bench.clock.pass(seconds: 1)
        settleDown(bench)
        #expect(bench.worker.counters.flows == 0 && bench.fault == nil)
    }

    @Test func `epochs and generations that never cease to come starve no flow`() throws {
        let bench = try bench(1000)
        for generation in 2..<200 as Range<UInt32> {
            try bench.publish(town.allowing(generation: generation))
            try bench.addresses.writer.claim("10.0.0.77", labelSet: webs, workload: 1000 + generation)
            bench.turn()
            bench.addresses.writer.release("10.0.0.77", workload: 1000 + generation)
            bench.clock.pass(milliseconds: 1)
        }
        // Thirty-two a turn: each flow was judged about five times, by whatever was in force.
        for number in 0..<1000 { #expect(bench.worker.lane.flows.v4[UInt32(number)].generation > 150) }
        #expect(bench.worker.counters.flows == 1250)
    }

    @Test func `a verdict that lapses is noticed in its second, and a drained flow ends in its own`() throws {
        let clock = ManualClock()
        let town = ChangingTown(change: .drain, seconds: 20)
        let bench = try PairBench(PairShape(), town.allowing(until: clock.wall + 10))
        try bench.establish(Connection(port: 8443))
        settleDown(bench)
        _ = bench.worker.takeEvents()
        bench.clock.pass(seconds: 9)
        settleDown(bench)
        #expect(bench.worker.takeEvents().isEmpty)
        bench.clock.pass(seconds: 1)
        settleDown(bench)
        #expect(bench.worker.takeEvents().map(\.event) == [FlowRecord.Event.change.rawValue])
        #expect(bench.worker.firstFlow.marks.contains(.outlived))
        bench.clock.pass(seconds: 19)
        settleDown(bench)
        #expect(bench.worker.counters.flows == 1)
        bench.clock.pass(seconds: 1)
        settleDown(bench)
        #expect(bench.worker.takeEvents().map(\.event) == [FlowRecord.Event.end.rawValue])
        bench.turn()
        #expect(bench.worker.counters.flows == 0)
    }

    @Test func `a drain ends in its second while the wall clock stands still, and not before it where that leaps`() throws {
        let town = ChangingTown(change: .drain, seconds: 20)
        let bench = try PairBench(PairShape(), town.allowing())
        try bench.establish(Connection(port: 8443))
        try bench.publish(town.refusing(generation: 2))
        settleDown(bench)
        bench.clock.wall += 100_000
        bench.clock.nanoseconds += 19_000_000_000
        settleDown(bench)
        #expect(bench.worker.counters.flows == 1)
        bench.clock.nanoseconds += 1_000_000_000
        settleDown(bench)
        bench.turn()
        #expect(bench.worker.counters.flows == 0)
    }

    @Test func `behind a burst of frames fewer flows are judged`() throws {
        let bench = try bench(400)
        try bench.publish(town.refusing(generation: 2))
        let syns = (0..<64 as Range<UInt16>).map { Connection(source: 1000 + $0).syn }
        try bench.receive(syns)
        bench.turn()
        #expect(bench.worker.takeEvents().filter { $0.event == FlowRecord.Event.end.rawValue }.count == 4)
        bench.turn()
        #expect(bench.worker.takeEvents().filter { $0.event == FlowRecord.Event.end.rawValue }.count == 32)
    }

    @Test func `a worker that takes over a table judges what it finds`() throws {
        let bench = try bench(100)
        try bench.publish(town.refusing(generation: 1))
        try bench.addresses.writer.claim("10.0.0.77", labelSet: webs, workload: 90)
        try bench.addresses.writer.claim(web, labelSet: databases, workload: webWorkload)
        try bench.worker.handOver()
        settleDown(bench)
        #expect(bench.worker.counters.flows == 25)
    }
}
