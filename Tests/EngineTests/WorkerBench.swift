// SPDX-License-Identifier: Apache-2.0
import Glibc
import Layout
import Record
import Ring
import Synchronization
import TestSupport

@testable import Engine

/// Workers over a `PairBench`, with board, mode word, policy cell and wake-up sockets as the data process sets them up. The bench's
/// own lanes have filled the rings and are not used any more.
@safe final class WorkerBench: @unchecked Sendable {
    let pair: PairBench
    let board: Board
    let cell = PolicyCell()
    private let boardMemory = PlainMemory(byteCount: BoardLayout.byteCount)
    /// What is asked of the workers.
    let inquiries: Inquiries
    private let modeMemory = PlainMemory(byteCount: 4096)
    /// A datagram socket pair for each worker: its own end, then that of the others.
    private(set) var wakers: [(own: Int32, others: Int32)] = []

    init(_ shape: PairShape = PairShape()) throws {
        pair = try PairBench(shape)
        unsafe board = Board(base: boardMemory.base)
        var plan = Plan()
        (plan.pairCount, plan.pairs[0].queues) = (1, UInt8(shape.workers))
        let layout = InquiriesLayout(plan)
        inquiries = Inquiries(
            try SharedMemory.create("engine-tests", byteCount: layout.byteCount, header: layout.header), layout)
        for _ in 0..<shape.workers { wakers.append(try Self.datagrams()) }
    }

    deinit { for waker in wakers { close(waker.own); close(waker.others) } }

    /// Both ends of a datagram connection that never waits.
    static func datagrams() throws -> (Int32, Int32) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw ChannelError.system("socketpair", errno: errno) }
        return (ends[0], ends[1])
    }

    /// How many datagrams wait at an end; takes them.
    static func takeDatagrams(_ end: Int32) -> Int {
        var byte: UInt8 = 0
        var count = 0
        while unsafe recv(end, &byte, 1, Int32(MSG_DONTWAIT)) >= 0 { count += 1 }
        return count
    }

    /// A policy under which strangers may do all.
    func publish(_ generation: UInt32 = 1) throws {
        try cell.publish(
            snapshot: PublishedFiles.image(generation: generation), map: PublishedFiles.map(), workers: 0..<0, board: board)
    }

    /// Mode and epoch, as keeper writes them.
    func setMode(_ mode: UInt32, epoch: UInt32) {
        unsafe modeMemory.base.storeBytes(of: UInt64(epoch) << 32 | UInt64(mode), as: UInt64.self)
    }

    func word(_ word: WorkerWord, _ worker: Int = 0) -> UInt64 {
        unsafe board.word(word, ofWorker: worker).pointee.load(ordering: .sequentiallyConsistent)
    }

    func set(_ word: WorkerWord, _ worker: Int = 0, to value: UInt64) {
        unsafe board.word(word, ofWorker: worker).pointee.store(value, ordering: .sequentiallyConsistent)
    }

    /// A worker of the pair, to which no pause is a stop: the machine may make one wherever it likes.
    func worker(_ queue: Int = 0, poll: PairPlan.Poll = .spin, isZeroCopy: Bool = false) throws -> Worker {
        var worker = try usualWorker(queue, poll: poll, isZeroCopy: isZeroCopy)
        worker.longestPause = .max
        return worker
    }

    /// A worker of the pair as it is in a data process.
    func usualWorker(_ queue: Int = 0, poll: PairPlan.Poll = .spin, isZeroCopy: Bool = false) throws -> Worker {
        let sleeping = unsafe InlineArray<16, UnsafePointer<Atomic<UInt64>>> { other in
            unsafe board.word(.sleeping, ofWorker: other)
        }
        let others = InlineArray<16, Int32> { $0 < wakers.count ? wakers[$0].others : -1 }
        let post = unsafe WorkerPost(
            number: queue, poll: poll, isZeroCopy: isZeroCopy, cell: Unmanaged.passUnretained(cell),
            turn: board.word(.turn, ofWorker: queue),
            sleeping: board.word(.sleeping, ofWorker: queue), park: board.word(.park, ofWorker: queue),
            parked: board.word(.parked, ofWorker: queue), pairSleeping: sleeping,
            clock: PolicyClockWords(board), mode: UnsafePointer(modeMemory.base.assumingMemoryBound(to: UInt32.self)),
            grace: UnsafePointer((modeMemory.base + 64).assumingMemoryBound(to: Atomic<UInt64>.self)),
            question: inquiries.question, answer: inquiries.answer(ofWorker: queue),
            counters: pair.workers[queue].countersInPlace, wake: wakers[queue].own, others: others)
        return Worker(lane: try pair.workers[queue].successor(), post: post)
    }
}
