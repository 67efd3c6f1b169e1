// SPDX-License-Identifier: Apache-2.0
import Layout
import Record
import Synchronization
import Testing

@Suite("Board") struct BoardTests {
    let memory: SharedMemory
    let board: Board

    init() throws {
        memory = try SharedMemory.create("layout-tests", byteCount: BoardLayout.byteCount)
        board = unsafe Board(base: memory.base)
    }

    @Test func `each word of each worker is one of its own`() {
        let words = [WorkerWord.turn, .sleeping, .park, .parked, .processor]
        for worker in 0..<Plan.maximumWorkers {
            for word in words {
                let value = UInt64(worker * 5 + word.rawValue + 1)
                unsafe board.word(word, ofWorker: worker).pointee.store(value, ordering: .relaxed)
            }
        }
        for worker in 0..<Plan.maximumWorkers {
            let place = BoardLayout.workers + worker * 64
            let whole = unsafe memory.base.load(fromByteOffset: place, as: WorkerBoard.self)
            let first = UInt64(worker * 5 + 1)
            let found = [whole.turn, whole.sleeping, whole.park, whole.parked, whole.processor]
            #expect(found == (0..<5).map { first + $0 })
            #expect((0..<3).allSatisfy { whole.reserved[$0] == 0 })
        }
    }

    @Test func `the clock's words come back, and touch neither the facts nor the pairs`() {
        var facts = BoardFacts()
        facts.hangs = .max
        board.facts = facts
        board.clock = ClockFacts(latest: 8_000_000_000, beforeLeap: 7)
        #expect(board.clock == ClockFacts(latest: 8_000_000_000, beforeLeap: 7) && board.clock.isPossible)
        #expect(board.facts.hangs == .max && board[pair: 0].mode == 0)
        #expect(
            MemoryLayout<BoardFacts>.size + BoardLayout.facts <= BoardLayout.clock && BoardLayout.clock + 64 <= BoardLayout.pairs)
        #expect(!ClockFacts(latest: 1 << 33).isPossible && !ClockFacts(latest: 5, beforeLeap: 6).isPossible)
    }

    @Test func `a link word is the pair's`() {
        for pair in 0..<Plan.maximumPairs {
            var words = PairBoard()
            words.mode = UInt32(pair)
            words.linkUp[1] = 1
            board[pair: pair] = words
        }
        for pair in 0..<Plan.maximumPairs {
            #expect(unsafe board.linkWord(ofPair: pair, port: 0).pointee.load(ordering: .relaxed) == 0)
            #expect(unsafe board.linkWord(ofPair: pair, port: 1).pointee.load(ordering: .relaxed) == 1)
            unsafe board.linkWord(ofPair: pair, port: 0).pointee.store(5, ordering: .relaxed)
            #expect(board[pair: pair].linkUp[0] == 5)
            #expect(board[pair: pair].mode == UInt32(pair))
        }
    }

    @Test func `facts, plan and statistics come back and do not touch each other`() {
        var facts = BoardFacts()
        (facts.keeper.pid, facts.lastGeneration, facts.hangs) = (42, 7, 3)
        board.facts = facts
        board.plan = PlanTests.orders()
        for worker in 0..<Plan.maximumWorkers {
            for port in 0..<2 {
                var statistics = KernelStatistics()
                statistics.receiveDropped = UInt64(worker * 2 + port)
                statistics.transmitRingEmpty = .max
                board[statistics: worker, port: port] = statistics
            }
        }
        #expect(board.facts.keeper.pid == 42 && board.facts.lastGeneration == 7 && board.facts.hangs == 3)
        #expect(board.plan.fault == nil)
        for worker in 0..<Plan.maximumWorkers {
            for port in 0..<2 { #expect(board[statistics: worker, port: port].receiveDropped == UInt64(worker * 2 + port)) }
        }
        #expect(board[pair: 7].mode == 0)
    }

    @Test func `a number that no worker, pair or port has is a mistake of ours`() async {
        await #expect(processExitsWith: .failure) { _ = unsafe try BoardTests().board.word(.turn, ofWorker: Plan.maximumWorkers) }
        await #expect(processExitsWith: .failure) { _ = unsafe try BoardTests().board.linkWord(ofPair: 0, port: 2) }
        await #expect(processExitsWith: .failure) { _ = try BoardTests().board[pair: Plan.maximumPairs] }
        await #expect(processExitsWith: .failure) { _ = try BoardTests().board[statistics: -1, port: 0] }
    }
}
