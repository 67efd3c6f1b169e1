// SPDX-License-Identifier: Apache-2.0
import Net
import Record
import Ring
import TestSupport
import Testing

@Suite("Drop reasons") struct DropReasonTests {
    @Test(arguments: DropReason.allCases.filter { $0 != .lostWithWorker })
    func `each reason is counted under its own number, and every frame is found again`(reason: DropReason) throws {
        let bench = try #require(try provoke(reason))
        #expect(bench.worker.dropped(reason) > 0)
        #expect(DropReason.allCases.allSatisfy { $0 == reason || bench.worker.dropped($0) == 0 })
        #expect(bench.fault == nil)
    }

    @Test(arguments: DropReason.allCases.filter { unreadable($0) != nil })
    func `what cannot be read is dropped on either port, and opens nothing`(reason: DropReason) throws {
        let bench = try PairBench()
        let packet = try #require(unreadable(reason))
        for port in 0..<2 { try bench.expectDropped(packet, reason, port: port) }
        #expect(bench.worker.takeEvents().isEmpty)
        #expect(bench.worker.counters.flows == 0)
        #expect(bench.fault == nil)
    }

    @Test func `a descriptor that names no frame is truncated, and gives no frame back`() throws {
        let bench = try PairBench()
        let outside: [(UInt64, UInt32)] = [(512 * 2048, 60), (.max, 60), (.max - 59, 60), (1 << 40, 0)]
        for (address, length) in outside {
            let before = bench.worker.freeCount
            bench.worker.ports[0].pretendToReceive(Descriptor(address: address, length: length))
            bench.turn()
            #expect(bench.worker.freeCount == before, "\(address)")
        }
        #expect(bench.worker.dropped(.truncated) == 4)
        #expect(bench.fault == nil)
    }

    @Test func `a descriptor that is longer than its frame is truncated, and the frame is free again`() throws {
        let bench = try PairBench()
        let address = try #require(bench.worker.ports[0].takeFree())
        bench.worker.ports[0].pretendToReceive(Descriptor(address: address + 256, length: 1793))
        bench.turn()
        #expect(bench.worker.dropped(.truncated) == 1)
        #expect(bench.fault == nil)
    }
}
