// SPDX-License-Identifier: Apache-2.0
import Layout
import Net
import Record
import TestSupport
import Testing

/// Every frame that does not leave is counted under one reason, and there is a frame for each.
@Suite("Every drop reason") struct EveryDropReasonTests {
    @Test(arguments: DropReason.allCases) func `is provoked by a frame`(reason: DropReason) throws {
        let counters = try provoke(reason).map(\.worker.counters) ?? lostWithWorker()
        let dropped = (0..<2).map { counters.ports[$0].dropped[Int(reason.number)] }
        #expect(dropped.reduce(0, +) > 0)
        for port in 0..<2 {
            let queue = counters.ports[port]
            #expect(queue.received == queue.forwarded + queue.droppedInAll + queue.held)
        }
    }

    /// The counters of a worker that was killed with frames in its receive and transmit ring and in hand, as keeper settles them.
    private func lostWithWorker() throws -> WorkerCounters {
        let bench = try PairBench()
        try bench.receive((0..<10 as Range<UInt16>).map { Connection(source: 1000 + $0).syn })
        bench.turn()
        _ = bench.worker.ports[1].send(limit: 6)
        try bench.receive((0..<5 as Range<UInt16>).map { Connection(source: 2000 + $0).syn })
        // Three of five were taken from the ring, and one of these was forwarded, when the end came.
        var counters = bench.worker.counters
        counters.ports[0].received += 3
        counters.ports[0].ringPosition += 3
        counters.ports[0].forwarded += 1

        let file = CountersFile(
            try SharedMemory.create("engine-tests", byteCount: CountersLayout.byteCount, header: CountersLayout.header))
        unsafe file.memory.base.storeBytes(of: counters, toByteOffset: CountersLayout.worker(0), as: WorkerCounters.self)
        file.settle(worker: 0, port: 0, received: 15, unsent: 0)
        file.settle(worker: 0, port: 1, received: 0, unsent: 5)
        file.balance(worker: 0)
        #expect(file[0].ports[0].received == 15)
        #expect(file[0].ports[0].forwarded == 6)
        #expect(file[0].ports[0].dropped[Int(DropReason.lostWithWorker.number)] == 9)
        return file[0]
    }
}
