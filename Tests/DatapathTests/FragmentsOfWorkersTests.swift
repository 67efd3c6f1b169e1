// SPDX-License-Identifier: Apache-2.0
import Net
import Record
import TestSupport
import Testing

@testable import Datapath

@Suite("Fragments between workers") struct FragmentsOfWorkersTests {
    /// All turns that frames need to cross between workers, and what was sent by the second port, worker by worker.
    private func settle(_ bench: PairBench) -> [[UInt8]] {
        var sent: [[UInt8]] = []
        for _ in 0..<5 {
            bench.turnAll()
            for worker in bench.workers { sent += worker.ports[1].send() }
        }
        return sent
    }

    private func bench(_ workers: Int) throws -> PairBench {
        var shape = PairShape()
        shape.workers = workers
        return try PairBench(shape)
    }

    @Test(arguments: [2, 3, 4], [false, true])
    func `fragments meet at one worker, whichever queues they come in by, and leave behind the first`(workers: Int, over6: Bool)
        throws
    {
        let bench = try bench(workers)
        var random = PacketRandom(seed: UInt64(workers))
        for number in 0..<24 as Range<UInt32> {
            // Other ports and numbers, so that all pairs of owners are met.
            let packet = question(2500, over6: over6, from: UInt16(3000 + number))
            let pieces = packet.fragments(of: 1000, identification: number)
            let order = pieces.shuffled(using: &random)
            var sent: [[UInt8]] = []
            for piece in order {
                try bench.receive([piece], worker: Int.random(in: 0..<workers, using: &random))
                sent += settle(bench)
                #expect(bench.fault == nil)
            }
            let late = order.prefix { $0.bytes != pieces[0].bytes } + order.drop { $0.bytes != pieces[0].bytes }.dropFirst()
            #expect(sent == ([pieces[0]] + late).map(\.bytes))
        }
        let counters = bench.workers.map(\.counters)
        #expect(counters.reduce(0) { $0 + $1.ports[0].received } == 72)
        #expect(counters.reduce(0) { $0 + $1.ports[0].forwarded } == 72)
        #expect(counters.reduce(0) { $0 + $1.flows } == 24)
        #expect(counters.allSatisfy { $0.handedOver > 0 })
        #expect(bench.workers.allSatisfy { $0.datagrams == 0 })
    }

    @Test func `a denied datagram crosses at no worker`() throws {
        let bench = try bench(2)
        for number in 0..<20 as Range<UInt32> {
            let pieces = question(2500, to: 54, from: UInt16(3000 + number)).fragments(of: 1000, identification: number)
            for (place, piece) in pieces.reversed().enumerated() { try bench.receive([piece], worker: place % 2) }
            #expect(settle(bench) == [])
        }
        #expect(bench.workers.reduce(0) { $0 + $1.dropped(.denied) } == 60)
        #expect(bench.fault == nil)
    }

    @Test func `facts travel in the frame's headroom, and no byte of the frame changes`() throws {
        let bench = try bench(2)
        let pieces = (0..<8 as Range<UInt32>).flatMap {
            question(2500, from: UInt16(3000 + $0)).fragments(of: 1000, identification: $0)
        }
        try bench.receive(pieces)
        #expect(Set(settle(bench)) == Set(pieces.map(\.bytes)))
        #expect(bench.fault == nil)
    }

    @Test func `what was handed over before a hand-over of processes is judged behind it`() throws {
        let bench = try bench(2)
        let pieces = (0..<8 as Range<UInt32>).flatMap {
            question(2500, from: UInt16(3000 + $0)).fragments(of: 1000, identification: $0)
        }
        try bench.receive(pieces.reversed())
        bench.turn(0)
        for worker in bench.workers { try worker.handOver() }
        #expect(bench.fault == nil)
        bench.turn(1)
        for worker in bench.workers { try worker.handOver() }
        var sent = bench.workers.flatMap { $0.ports[1].send() }
        sent += settle(bench)
        #expect(Set(sent) == Set(pieces.map(\.bytes)) && sent.count == pieces.count)
        #expect(bench.fault == nil)
    }
}
