// SPDX-License-Identifier: Apache-2.0
import Layout
import Net
import Record
import TestSupport
import Testing

@Suite("Counters after a crash") struct CountersFileTests {
    let file: CountersFile

    init() throws {
        file = CountersFile(
            try SharedMemory.create("layout-tests", byteCount: CountersLayout.byteCount, header: CountersLayout.header))
    }

    /// Writes a worker's counters as the worker would.
    func write(_ counters: WorkerCounters, of worker: Int) {
        unsafe file.memory.base.storeBytes(of: counters, toByteOffset: CountersLayout.worker(worker), as: WorkerCounters.self)
    }

    func lost(_ worker: Int, _ port: Int) -> UInt64 {
        file[worker].ports[port].dropped[Int(DropReason.lostWithWorker.number)]
    }

    @Test func `frames in the receive ring are received and lost`() {
        var counters = WorkerCounters()
        counters.ports[0].received = 100
        counters.ports[0].forwarded = 100
        counters.ports[0].ringPosition = 100
        write(counters, of: 3)
        file.settle(worker: 3, port: 0, received: 117, unsent: 0)
        file.balance(worker: 3)
        #expect(file[3].ports[0].received == 117)
        #expect(file[3].ports[0].forwarded == 100)
        #expect(lost(3, 0) == 17)
        #expect(file[3].ports[0].ringPosition == 0)
        #expect(file[2].ports[0].received == 0)
    }

    @Test func `frames in a ring that is gone are not counted, and the next ring begins at 0`() {
        var counters = WorkerCounters()
        (counters.ports[1].received, counters.ports[1].forwarded, counters.ports[1].ringPosition) = (9, 9, 1 << 32 + 9)
        write(counters, of: 2)
        file.forgetPosition(worker: 2, port: 1)
        file.settle(worker: 2, port: 1, received: 4, unsent: 0)
        #expect(file[2].ports[1].received == 13 && lost(2, 1) == 4)
    }

    @Test func `whatever data wrote, keeper can settle it`() {
        var counters = WorkerCounters()
        for port in 0..<2 {
            (counters.ports[port].received, counters.ports[port].forwarded) = (.max, .max - 3)
            for reason in DropReason.allCases { counters.ports[port].dropped[Int(reason.number)] = .max }
        }
        write(counters, of: 1)
        for port in 0..<2 { file.settle(worker: 1, port: port, received: 9, unsent: 9) }
        file.balance(worker: 1)
        #expect(file[1].ports[0].ringPosition == 0 && file[1].ports[0].held == 0)
    }

    @Test func `a ring's position is counted modulo 2³²`() {
        var counters = WorkerCounters()
        counters.ports[1].ringPosition = 0x1_0000_0000 + 5
        write(counters, of: 0)
        file.settle(worker: 0, port: 1, received: 7, unsent: 0)
        #expect(lost(0, 1) == 2)
        counters.ports[1].ringPosition = 0xffff_fffe
        write(counters, of: 0)
        file.settle(worker: 0, port: 1, received: 3, unsent: 0)
        #expect(lost(0, 1) == 5)
    }

    @Test func `frames in the transmit ring had come in by the other port`() {
        var counters = WorkerCounters()
        counters.ports[0].received = 50
        counters.ports[0].forwarded = 50
        write(counters, of: 0)
        file.settle(worker: 0, port: 1, received: 0, unsent: 8)
        file.balance(worker: 0)
        #expect(file[0].ports[0].forwarded == 42)
        #expect(lost(0, 0) == 8)
        #expect(lost(0, 1) == 0)
        #expect(file[0].ports[0].received == 50)
    }

    @Test func `frames of our own that were not sent are generated no more, and nothing is lost with them`() {
        var counters = WorkerCounters()
        (counters.ports[1].received, counters.ports[1].forwarded) = (50, 50)
        (counters.ports[0].generated, counters.ports[1].generated) = (9, 2)
        write(counters, of: 0)
        file.settle(worker: 0, port: 0, received: 0, unsent: 3, unsentGenerated: 4)
        file.settle(worker: 0, port: 1, received: 0, unsent: 0, unsentGenerated: 4)
        file.balance(worker: 0)
        #expect(file[0].ports[0].generated == 5 && file[0].ports[1].generated == 0)
        #expect(file[0].ports[1].forwarded == 47 && lost(0, 1) == 3 && lost(0, 0) == 0)
    }

    @Test func `more unsent frames than were forwarded take no counter below zero`() {
        var counters = WorkerCounters()
        counters.ports[0].received = 3
        counters.ports[0].forwarded = 3
        write(counters, of: 0)
        file.settle(worker: 0, port: 1, received: 0, unsent: 8)
        #expect(file[0].ports[0].forwarded == 0)
        #expect(lost(0, 0) == 3)
    }

    @Test func `frames in hand are lost, and what was held is held no more`() {
        var counters = WorkerCounters()
        counters.ports[1].received = 64
        counters.ports[1].forwarded = 10
        counters.ports[1].dropped[Int(DropReason.denied.number)] = 20
        counters.ports[1].held = 4
        write(counters, of: 0)
        file.balance(worker: 0)
        #expect(file[0].ports[1].held == 0)
        #expect(lost(0, 1) == 34)
        #expect(file[0].ports[1].dropped[Int(DropReason.denied.number)] == 20)
    }

    @Test func `received is forwarded, dropped and held, whatever a worker left`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("Counters after a crash: seed \(seed)")
        var random = PacketRandom(seed: seed)
        for round in 0..<2000 {
            var counters = WorkerCounters()
            for port in 0..<2 {
                counters.ports[port].received = UInt64.random(in: 0...1 << 40, using: &random)
                counters.ports[port].forwarded = UInt64.random(in: 0...1 << 40, using: &random)
                counters.ports[port].held = UInt64.random(in: 0...64, using: &random)
                counters.ports[port].ringPosition = UInt64.random(in: 0...1 << 40, using: &random)
                for reason in DropReason.allCases where Bool.random(using: &random) {
                    counters.ports[port].dropped[Int(reason.number)] = UInt64.random(in: 0...1 << 36, using: &random)
                }
            }
            let worker = round % Plan.maximumWorkers
            write(counters, of: worker)
            for port in 0..<2 {
                file.settle(
                    worker: worker, port: port, received: .random(in: 0 ... .max, using: &random),
                    unsent: .random(in: 0...4096, using: &random))
            }
            file.balance(worker: worker)
            for port in 0..<2 {
                let queue = file[worker].ports[port]
                #expect(queue.received == queue.forwarded + queue.droppedInAll + queue.held, "seed \(seed), round \(round)")
                #expect(queue.received >= counters.ports[port].received, "seed \(seed), round \(round)")
            }
        }
    }

    @Test func `a worker that no plan has is a mistake of ours`() async {
        await #expect(processExitsWith: .failure) { try CountersFileTests().file.balance(worker: Plan.maximumWorkers) }
    }
}
