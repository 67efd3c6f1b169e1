// SPDX-License-Identifier: Apache-2.0
import Glibc
import Layout
import Net
import Record
import TestSupport
import Testing

@testable import Engine

@Suite("Worker", .serialized) struct WorkerTests {
    /// First frames of connections between strangers.
    static func frames(_ count: UInt16, from source: UInt16 = 1000) -> [Packet] {
        (0..<count).map { Connection(from: stranger, to: otherStranger, source: source + $0).syn }
    }

    let bench: WorkerBench

    init() throws { bench = try WorkerBench() }

    var counters: WorkerCounters { bench.pair.worker.counters }

    @Test func `without a policy it touches no frame`() throws {
        var worker = try bench.worker()
        try bench.pair.receive(Self.frames(3))
        for _ in 0..<10 { worker.step() }
        #expect(counters.ports[0].received == 0)
        try bench.publish()
        worker.step()
        #expect(counters.ports[0].forwarded == 3)
        #expect(bench.pair.worker.ports[1].send().count == 3)
        #expect(bench.pair.fault == nil)
    }

    @Test func `each turn raises its word twice, so that it is even between turns`() throws {
        // A worker that was killed in a turn left an odd one.
        bench.set(.turn, to: 41)
        var worker = try bench.worker()
        worker.step()
        let first = bench.word(.turn)
        #expect(first % 2 == 0 && first > 41)
        for number in 1...10 as ClosedRange<UInt64> {
            worker.step()
            #expect(bench.word(.turn) == first + 2 * number)
        }
    }

    @Test func `after a pause that it did not choose it sends nothing old`() throws {
        try bench.publish()
        var worker = try bench.usualWorker()
        let usual = worker.longestPause
        worker.longestPause = .max
        worker.step()
        try bench.pair.receive(Self.frames(100))
        usleep(300_000)
        worker.longestPause = usual
        worker.step()
        worker.longestPause = .max
        #expect(counters.ports[0].dropped[Int(DropReason.stale.number)] == 100)
        #expect(bench.pair.worker.ports[1].waiting == 0)
        try bench.pair.receive(Self.frames(2))
        worker.step()
        #expect(counters.ports[0].forwarded == 2)
        #expect(bench.pair.fault == nil)
    }

    @Test(arguments: [false, true])
    func `after a pause it takes back what the kernel has not sent, unless the driver reads the ring by itself`(isZeroCopy: Bool)
        throws
    {
        try bench.publish()
        var worker = try bench.worker(isZeroCopy: isZeroCopy)
        worker.step()
        try bench.pair.receive(Self.frames(3))
        worker.step()
        #expect(bench.pair.worker.ports[1].waiting == 3)
        worker.longestPause = 0
        worker.step()
        worker.longestPause = .max
        #expect(counters.ports[0].dropped[Int(DropReason.stale.number)] == (isZeroCopy ? 0 : 3))
        #expect(counters.ports[0].forwarded == (isZeroCopy ? 3 : 0))
        #expect(bench.pair.worker.ports[1].send().count == (isZeroCopy ? 3 : 0))
        #expect(bench.pair.fault == nil)
    }

    @Test func `after a change of the mode word it sends nothing old`() throws {
        bench.setMode(1, epoch: 7)
        try bench.publish()
        var worker = try bench.worker()
        worker.step()
        try bench.pair.receive(Self.frames(2))
        worker.step()
        #expect(counters.ports[0].forwarded == 2)
        try bench.pair.receive(Self.frames(5, from: 2000))
        bench.setMode(1, epoch: 8)
        worker.step()
        #expect(counters.ports[0].dropped[Int(DropReason.stale.number)] == 5)
        try bench.pair.receive(Self.frames(1, from: 3000))
        worker.step()
        #expect(counters.ports[0].forwarded == 3)
    }

    @Test func `a port that loses its link gives back what waits for it`() throws {
        try bench.publish()
        var worker = try bench.worker()
        try bench.pair.receive(Self.frames(10))
        worker.step()
        #expect(bench.pair.worker.ports[1].waiting == 10)
        bench.pair.worker.ports[1].hasLink = false
        try bench.pair.receive(Self.frames(1, from: 2000))
        worker.step()
        #expect(counters.ports[0].forwarded == 0)
        #expect(counters.ports[0].dropped[Int(DropReason.linkDown.number)] == 11)
        #expect(bench.pair.worker.ports[1].send().isEmpty)
        bench.pair.worker.ports[1].hasLink = true
        try bench.pair.receive(Self.frames(1, from: 3000))
        worker.step()
        #expect(bench.pair.worker.ports[1].send().count == 1)
        #expect(bench.pair.fault == nil)
    }

    @Test func `an idle worker sleeps a tenth of a second, which is no pause, and says that it does`() throws {
        // Where the machine makes a pause the worker is right to say so, and there is another trial.
        for _ in 0..<100 where try isSleepNoPause() { return }
        Issue.record("no trial without a pause of the machine's own")
    }

    /// Lets an idle worker sleep three times, and looks at what it does then; false where the machine made a pause, so that nothing is known.
    private func isSleepNoPause() throws -> Bool {
        let bench = try WorkerBench()
        try bench.publish()
        var worker = try bench.usualWorker(poll: .wait)
        var longest = Duration.zero
        var last = ContinuousClock.now
        func lap(_ worker: inout Worker) -> Duration {
            worker.step()
            defer { last = .now }
            longest = max(longest, .now - last)
            return .now - last
        }
        for _ in 0..<Worker.spins { _ = lap(&worker) }
        let asleep = lap(&worker)
        for _ in 0..<2 { for _ in 0...Worker.spins { _ = lap(&worker) } }
        try bench.pair.receive(Self.frames(3))
        _ = lap(&worker)
        guard longest < .nanoseconds(worker.longestPause) else { return false }
        let counters = bench.pair.worker.counters
        #expect(asleep >= .milliseconds(95) && bench.word(.sleeping) == 0)
        #expect(counters.ports[0].forwarded == 3)
        #expect(counters.ports[0].dropped[Int(DropReason.stale.number)] == 0)
        return true
    }

    @Test func `a sleeping worker is woken by a datagram, and takes it away`() throws {
        try bench.publish()
        let bench = bench
        let waker = RealThread {
            while bench.word(.sleeping) == 0 { RealThread.yield() }
            var one: UInt8 = 1
            _ = unsafe send(bench.wakers[0].others, &one, 1, 0)
        }
        var worker = try bench.worker(poll: .wait)
        for _ in 0...Worker.spins { worker.step() }
        waker.join()
        // Where the machine was slow the sleep was over first: the next one takes it.
        for _ in 0...Worker.spins { worker.step() }
        #expect(WorkerBench.takeDatagrams(bench.wakers[0].own) == 0)
    }

    @Test func `a worker parks at the end of a turn, with everything handed to the kernel`() throws {
        try bench.publish()
        let bench = bench
        let thread = RealThread {
            guard var worker = try? bench.worker() else { return }
            worker.run()
        }
        while bench.word(.turn) < 10 { RealThread.yield() }
        try bench.pair.receive(Self.frames(30))
        while bench.pair.worker.ports[1].waiting < 30 { RealThread.yield() }
        #expect(bench.word(.parked) == 0)
        bench.set(.park, to: 1)
        thread.join()
        #expect(bench.word(.parked) == 1)
        #expect(bench.word(.turn) % 2 == 0)
        #expect(counters.ports[0].forwarded == 30)
        #expect(counters.cpuTime > 0)
        #expect(bench.pair.fault == nil)
    }
}

@Suite("Wake-ups", .serialized) struct WakeUpTests {
    @Test func `the kernel is asked to send when it wants to be, once where that does not help`() throws {
        let (left, right) = (try WorkerBench.datagrams(), try WorkerBench.datagrams())
        defer { for end in [left.0, left.1, right.0, right.1] { close(end) } }
        var shape = PairShape()
        shape.sockets = [left.0, right.0]
        let bench = try WorkerBench(shape)
        try bench.publish()
        var worker = try bench.worker()
        try bench.pair.receive(WorkerTests.frames(5))
        worker.step()
        #expect(WorkerBench.takeDatagrams(right.1) == 0)
        bench.pair.worker.ports[1].wantsWakeUp(true)
        worker.step()
        // Nothing was sent by that, so it is for the next turn to ask again.
        #expect(WorkerBench.takeDatagrams(right.1) == 1)
        worker.step()
        #expect(WorkerBench.takeDatagrams(right.1) == 1)
        _ = bench.pair.worker.ports[1].send()
        worker.step()
        #expect(WorkerBench.takeDatagrams(right.1) == 0)
        #expect(WorkerBench.takeDatagrams(left.1) == 0)
    }

    @Test func `the owner of a frame is woken where it sleeps, and only there`() throws {
        var shape = PairShape()
        shape.workers = 2
        let bench = try WorkerBench(shape)
        try bench.publish()
        var worker = try bench.worker(0)
        try bench.pair.receive(WorkerTests.frames(32))
        worker.step()
        #expect(bench.pair.worker.counters.handedOver > 0)
        #expect(WorkerBench.takeDatagrams(bench.wakers[1].own) == 0)
        bench.set(.sleeping, 1, to: 1)
        try bench.pair.receive(WorkerTests.frames(32, from: 2000))
        worker.step()
        #expect(WorkerBench.takeDatagrams(bench.wakers[1].own) == 1)
        #expect(WorkerBench.takeDatagrams(bench.wakers[0].own) == 0)
        worker.step()
        #expect(WorkerBench.takeDatagrams(bench.wakers[1].own) == 0)
        var other = try bench.worker(1)
        other.step()
        #expect(bench.pair.workers[1].counters.takenOver == bench.pair.worker.counters.handedOver)
        #expect(bench.pair.fault == nil)
    }
}
