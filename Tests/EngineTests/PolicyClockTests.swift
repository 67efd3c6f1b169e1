// SPDX-License-Identifier: Apache-2.0
import Layout
import Synchronization
import TestSupport
import Testing

@testable import Engine

@Suite("Policy's clock") struct PolicyClockTests {
    private let start: UInt64 = 1_800_000_000
    private let day: UInt64 = 86_400
    private let year: UInt64 = 365 * 86_400
    private let memory = PlainMemory(byteCount: BoardLayout.byteCount)
    private var board: Board { unsafe Board(base: memory.base) }

    /// A worker's clock, and the seconds that it has been told.
    private struct Bench: ~Copyable {
        var clock: PolicyClock
        var now: UInt64 = 7_000_000_000_000

        init(_ board: Board) { clock = PolicyClock(PolicyClockWords(board)) }

        /// The second by which policy expires after so many seconds of the monotonic clock.
        mutating func second(at wall: UInt64, after seconds: UInt64 = 1) -> UInt64 {
            now += seconds * 1_000_000_000
            return clock.second(wall: wall, at: now)
        }
    }

    @Test func `it goes with the wall clock, and stands where that goes back`() {
        var bench = Bench(board)
        #expect(bench.second(at: start) == start)
        #expect(bench.second(at: start + 5) == start + 5)
        #expect(bench.second(at: start - 3600) == start + 5)
        #expect(bench.second(at: start + 4, after: 100_000) == start + 5)
        #expect(bench.second(at: start + 6) == start + 6)
        #expect(board.clock == ClockFacts(latest: start + 6))
    }

    @Test func `what one worker has seen holds for all, and for those that come after`() {
        var one = Bench(board)
        var other = Bench(board)
        #expect(one.second(at: start + 100) == start + 100)
        #expect(other.second(at: start) == start + 100)
        var next = Bench(board)
        #expect(next.second(at: start - 50) == start + 100)
    }

    @Test func `a clock of an earlier start is not believed, however long it lasts`() {
        board.clock = ClockFacts(latest: start)
        var bench = Bench(board)
        // An empty battery: 1970.
        for _ in 0..<100 { #expect(bench.second(at: 5000, after: 3600) == start) }
        #expect(bench.second(at: start + 60) == start + 60)
    }

    @Test func `a leap ahead counts while it lasts, and is forgotten where it is undone within an hour`() {
        var bench = Bench(board)
        #expect(bench.second(at: start) == start)
        #expect(bench.second(at: start + 70 * year) == start + 70 * year)
        #expect(bench.second(at: start + 70 * year + 3599, after: 3599) == start + 70 * year + 3599)
        #expect(bench.second(at: start + 3600) == start + 3600)
        #expect(board.clock == ClockFacts(latest: start + 3600))
        // Another one is doubted from its own begin on.
        #expect(bench.second(at: start + 2 * day) == start + 2 * day)
        #expect(bench.second(at: start + 3601) == start + 3601)
    }

    @Test func `a leap that lasts for an hour is kept`() {
        var bench = Bench(board)
        #expect(bench.second(at: start) == start)
        let later = start + 120 * day
        #expect(bench.second(at: later) == later)
        #expect(bench.second(at: later + 3600, after: 3600) == later + 3600)
        #expect(board.clock == ClockFacts(latest: later + 3600, beforeLeap: start))
        // Less than a year: what lapsed by it stays so.
        for _ in 0..<10 { #expect(bench.second(at: start + day, after: 3600) == later + 3600) }
    }

    @Test func `a leap of years that was kept is undone where the clock is back for an hour, but never to before it`() {
        var bench = Bench(board)
        #expect(bench.second(at: start) == start)
        let bogus = start + 70 * year
        #expect(bench.second(at: bogus) == bogus)
        #expect(bench.second(at: bogus + 3600, after: 3600) == bogus + 3600)
        #expect(bench.second(at: start - 10, after: 36_000) == bogus + 3600)
        #expect(bench.second(at: start - 10, after: 36_000) == bogus + 3600)
        #expect(bench.second(at: start + 100) == bogus + 3600)
        #expect(bench.second(at: start + 3699, after: 3599) == bogus + 3600)
        #expect(bench.second(at: start + 3700) == start + 3700)
        #expect(board.clock == ClockFacts(latest: start + 3700))
        #expect(bench.second(at: start) == start + 3700)
    }
}
