// SPDX-License-Identifier: Apache-2.0
@testable import Datapath
import Net
import Record
import TestSupport
import Testing

@Suite("Workers of one pair") struct TwoWorkersTests {
    static func bench(_ workers: Int = 2, _ change: (inout PairShape) -> Void = { _ in }) throws -> PairBench {
        var shape = PairShape()
        shape.workers = workers
        change(&shape)
        return try PairBench(shape)
    }

    static func connections(_ count: UInt16) -> [Connection] { (0..<count).map { Connection(source: 1000 + $0) } }

    @Test(arguments: [2, 3, 4]) func `each worker owns its share of the flows`(workers: Int) throws {
        let bench = try Self.bench(workers)
        for connection in Self.connections(60) {
            try bench.receive([connection.syn])
            bench.turnAll()
            for worker in bench.workers { _ = worker.ports[1].send() }
        }
        let shares = bench.workers.map(\.counters.flows)
        #expect(shares.reduce(0, +) == 60)
        #expect(shares.allSatisfy { $0 >= 60 / UInt64(workers) / 3 }, "\(shares)")
        #expect(bench.fault == nil)
    }

    @Test func `a frame is handled by its flow's owner, wherever it comes in, and its memory goes home`() throws {
        let bench = try Self.bench()
        let connections = Self.connections(40)
        try bench.receive(connections.map(\.syn))
        bench.turnAll()
        #expect(bench.fault == nil)
        let handed = bench.worker.counters.handedOver
        #expect(handed > 0 && handed < 40)
        #expect(bench.workers[1].counters.takenOver == handed)
        #expect(bench.worker.counters.ports[0].received + bench.workers[1].counters.ports[0].received == 40)
        #expect(bench.worker.lane.handedTo == 0b10)
        let sent = bench.workers.flatMap { $0.ports[1].send() }
        #expect(Set(sent) == Set(connections.map(\.syn.bytes)))
        // Answers come in by the wrong queue only.
        try bench.receive(connections.map(\.synAck), port: 1, worker: 1)
        bench.turnAll()
        bench.turnAll()
        #expect(bench.workers.flatMap { $0.ports[0].send() }.count == 40)
        #expect(bench.fault == nil)
        for _ in 0..<3 { bench.turnAll() }
        #expect(bench.fault == nil)
        // All that was sent is free again, each worker's frames at home: none is in a ring between workers or in a free list afar.
        let ledger = bench.ledger
        #expect((0..<8).allSatisfy { ledger.count(in: "hand-off ring \($0)") == 0 })
        // Each has given 128 frames to each port, and got 40 of them back: too few to fill up the ring again.
        #expect(bench.workers.map(\.freeCount) == [296, 296])
    }

    @Test func `a ring to the owner that is full drops, and counts where the frame came in`() throws {
        let bench = try Self.bench { $0.handOffs = 8 }
        try bench.receive(Self.connections(60).map(\.syn))
        bench.turn(0)
        let dropped = bench.worker.dropped(.handOffFull)
        #expect(dropped > 0)
        #expect(bench.worker.counters.handedOver == 8)
        #expect(bench.worker.counters.ports[0].received == 60 - 8)
        #expect(bench.fault == nil)
        bench.turn(1)
        #expect(bench.workers[1].counters.ports[0].received == 8)
        #expect(bench.fault == nil)
    }

    @Test func `a full way home keeps the frame where it is, and loses none`() throws {
        let bench = try Self.bench { $0.handOffs = 8 }
        for round in 0..<30 {
            try bench.receive(Self.connections(30).map { round % 2 == 0 ? $0.syn : $0.request })
            bench.turn(0)
            bench.turn(1)
            // Worker 1 sends much at once, more than its way home takes.
            if round % 5 == 4 { for worker in bench.workers { _ = worker.ports[1].send() } }
            #expect(bench.fault == nil)
        }
    }

    @Test func `frames of other workers are stale too, all of them`() throws {
        let bench = try Self.bench { shape in
            shape.handOffs = 256
            shape.ringSize = 256
        }
        for round in 0..<4 as Range<UInt16> {
            try bench.receive((0..<60 as Range<UInt16>).map { Connection(source: 1000 + round * 60 + $0).syn })
            bench.turn(0)
        }
        let waiting = bench.worker.counters.handedOver
        #expect(waiting > 64)
        #expect(!bench.workers[1].isQuiet)
        #expect(UInt64(bench.workers[1].dropStale()) == waiting)
        #expect(bench.workers[1].dropped(.stale) == waiting)
        #expect(bench.workers[1].isQuiet)
        #expect(bench.turn(1) == 0)
        #expect(bench.fault == nil)
    }

    @Test(arguments: [2, 4]) func `a worker's table takes as many flows as without others`(workers: Int) throws {
        var shape = PairShape()
        (shape.workers, shape.flows) = (workers, 400)
        // All of them wait, and none is for failsafe services.
        let bench = try PairBench(
            shape,
            .town {
                $0.flows.waitingShare = 1000
                $0.flows.reservedFlows = 0
            })
        // Eight tenths of what all tables hold; whoever gets more than a full table's share is left out of account.
        let count = UInt16(workers * 320)
        for start in stride(from: 0 as UInt16, to: count, by: 40) {
            try bench.receive((0..<40 as Range<UInt16>).map { Connection(source: 1000 + start + $0).syn })
            bench.turnAll()
            for worker in bench.workers { _ = worker.ports[1].send() }
            bench.turnAll()
        }
        #expect(bench.workers.map(\.counters.flows).reduce(0, +) == UInt64(count))
        #expect(bench.workers.allSatisfy { $0.counters.evicted == 0 && $0.dropped(.flowTableFull) == 0 })
        #expect(bench.fault == nil)
    }

    @Test(arguments: [2, 3, 7, 16]) func `the owner follows neither from the bucket nor from the tag of a flow`(workers: Int) {
        let everybody = Set(0..<workers)
        let (bucket, tag): (UInt64, UInt64) = (0x1234_5678 << 32, 0xbeef)
        #expect(Set((0..<0x1_0000 as Range<UInt64>).map { Lane.owner(of: bucket | $0 << 16 | tag, among: workers) }) == everybody)
        for other in 0..<1000 as Range<UInt64> {
            #expect(
                Lane.owner(of: (other &* 0x9e37_79b9) << 32 | 0x7777 << 16 | other, among: workers) == (workers * 0x7777) >> 16)
        }
    }
}
