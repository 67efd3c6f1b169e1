// SPDX-License-Identifier: Apache-2.0
import Net
import Record
import TestSupport
import Testing

/// Every way that a frame can go, with captures on: each is seen exactly once for each sight, and what the workers do is the same.
@Suite("Captures in a storm") struct CaptureStormTests {
    /// What of each worker's sights there must be, by its counters.
    private func fault(of worker: LaneBench, _ sights: [Sight]) -> String? {
        let ports = [worker.counters.ports[0], worker.counters.ports[1]]
        let (forwarded, dropped) = (ports.reduce(0) { $0 + $1.forwarded }, ports.reduce(0) { $0 + $1.droppedInAll })
        let generated = ports.reduce(0) { $0 + $1.generated }
        func count(_ isMeant: (Sight) -> Bool) -> UInt64 { UInt64(sights.count(where: isMeant)) }
        let seen = (
            count { $0.kind == .before && $0.fate == .forward }, count { $0.kind == .after },
            count { $0.kind == .before && $0.fate != .forward }, count { $0.kind == .generated }
        )
        guard seen != (forwarded, forwarded, dropped, generated) else { return nil }
        return "seen \(seen), counted \((forwarded, forwarded, dropped, generated))"
    }

    @Test(arguments: DropReason.allCases.filter { $0 != .lostWithWorker && $0 != .storm })
    func `a frame is seen with the reason for which it is dropped`(reason: DropReason) throws {
        let bench = try CaptureBench.$slots.withValue(1024) { try #require(try provoke(reason)) }
        let sights = try #require(bench.worker.capture).take()
        let wanted = sights.filter { $0.reason == reason }
        #expect(wanted.allSatisfy { $0.kind == .before || $0.kind == .generated } && !wanted.isEmpty)
        #expect(UInt64(wanted.count { $0.kind == .before }) == bench.worker.dropped(reason))
        #expect(fault(of: bench.worker, sights) == nil && bench.fault == nil)
    }

    @Test(arguments: [1, 3]) func `ten thousand frames are each seen as they are counted`(workers: Int) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("Captures in a storm: seed \(seed), \(workers) worker(s)")
        var random = PacketRandom(seed: seed)
        var shape = PairShape()
        (shape.workers, shape.flows, shape.handOffs, shape.frames) = (workers, 64, 512, 800)
        let bench = try CaptureBench.$slots.withValue(2048) { try PairBench(shape) }
        var sights = [[Sight]](repeating: [], count: workers)
        var delivered = 0
        while delivered < 10_000 {
            for _ in 0..<100 {
                let (original, home) = StormTests.frames[Int.random(in: StormTests.frames.indices, using: &random)]
                let frame = Int.random(in: 0..<4, using: &random) == 0 ? random.mutated(original) : original
                let worker = bench.workers[Int.random(in: 0..<workers, using: &random)]
                if worker.ports[Int.random(in: 0..<8, using: &random) == 0 ? 1 - home : home].receive(frame) { delivered += 1 }
            }
            for _ in 0..<3 { bench.turnAll() }
            for (number, worker) in bench.workers.enumerated() {
                sights[number] += try #require(worker.capture).take()
                for port in worker.ports { _ = port.send() }
            }
            bench.clock.pass(milliseconds: 20)
        }
        // Until nothing is held any more.
        bench.clock.pass(seconds: 60)
        for _ in 0..<80 { bench.turnAll() }
        for (number, worker) in bench.workers.enumerated() {
            let capture = try #require(worker.capture)
            sights[number] += capture.take()
            #expect(capture.lost == 0 && capture.suppressed == 0)
            let fault = fault(of: worker, sights[number])
            #expect(fault == nil, "worker \(number), seed \(seed)")
        }
        #expect(bench.fault == nil, "seed \(seed)")
    }

    @Test func `orders made of noise trap nobody, change nothing, and write beside no ring`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("Orders made of noise: seed \(seed)")
        var random = PacketRandom(seed: seed)
        let bench = try CaptureBench.$slots.withValue(16) { try PairBench() }
        let plain = try PairBench()
        let capture = try #require(bench.worker.capture)
        for round in 0..<600 {
            capture.overwrite(&random)
            let (bytes, home) = StormTests.frames[round % StormTests.frames.count]
            let fates = try [bench, plain].map { try $0.fate(of: bytes, port: home) }
            #expect(fates[0] == fates[1], "seed \(seed), round \(round)")
            for each in [bench, plain] { each.clock.pass(milliseconds: 1) }
        }
        #expect(bench.fault == nil, "seed \(seed)")
    }
}
