// SPDX-License-Identifier: Apache-2.0
import Flow
import Net
import Testing

@Suite("Fragment table") struct FragmentTableTests {
    let bench: FragmentBench

    init() throws { bench = try FragmentBench() }

    @Test func `in order everything goes on, and a whole datagram is forgotten`() {
        #expect(bench.add(0..<1480).fate == .known)
        #expect(bench.add(1480..<2960).fate == .known)
        #expect(bench.used == 1)
        #expect(bench.add(2960..<3001, more: false).fate == .known)
        #expect(bench.used == 0)
        // The sender's number is free again at once.
        #expect(bench.add(0..<1480).fate == .known)
    }

    @Test func `in reverse order the first goes first, and the others behind it as they came`() {
        #expect(bench.add(2960..<3001, more: false, frame: 1).fate == .waits)
        #expect(bench.add(1480..<2960, frame: 2).fate == .waits)
        let first = bench.add(0..<1480, frame: 3)
        #expect(first.fate == .known)
        #expect(first.released == [1, 2])
        #expect(bench.used == 0 && bench.held == 0)
    }

    @Test func `what comes behind the first in the turn that releases others waits behind them`() {
        let key = FragmentBench.key(1)
        func step(_ range: Range<Int>, _ more: Bool) -> FragmentStep {
            bench.table.add(
                FragmentPiece(key: key, offset: range.lowerBound, length: range.count, hasMore: more), bench.table.hash(key),
                facts: FragmentBench.facts, bench.settings, now: 0)
        }
        guard case .waits(let early) = step(8..<16, true), case .known = step(0..<8, true),
            case .waits(let late) = step(16..<24, false)
        else {
            Issue.record("not told to wait, to go, to wait")
            return
        }
        #expect(early == late)
        for frame in [1, 2] as [UInt64] {
            #expect(bench.table.hold(early, address: frame, length: 60, port: 1, bench.settings) == nil)
        }
        var released: [HeldFrame] = []
        while let (frame, facts) = bench.table.nextReleased() {
            #expect(facts == FragmentBench.facts)
            released.append(frame)
        }
        #expect(released.map(\.address) == [1, 2])
        #expect(released.allSatisfy { $0.port == 1 && $0.length == 60 })
        #expect(bench.used == 0)
    }

    /// What else may come of a datagram of which bytes 16 to 48 (in one piece) and 64 to 72 (the end) came.
    @Test(
        arguments: [
            (0..<16, true, nil), (0..<8, true, nil), (48..<64, true, nil), (8..<16, true, nil), (48..<56, true, nil),
            (16..<48, true, true), (64..<72, false, true),
            (8..<24, true, false), (16..<40, true, false), (24..<48, true, false), (24..<40, true, false), (16..<56, true, false),
            (0..<48, true, false), (40..<48, true, false), (48..<72, true, false), (0..<72, false, false), (64..<72, true, false),
            (64..<71, false, false), (72..<80, true, false), (72..<80, false, false), (48..<64, false, false),
            (48..<56, false, false),
            (16..<48, false, false), (65_528..<65_535, false, false),
        ] as [(Range<Int>, Bool, Bool?)])
    func `a copy is dropped and the datagram lives, an overlap ends it`(range: Range<Int>, more: Bool, isCopy: Bool?) {
        #expect(bench.add(16..<48, frame: 1).fate == .waits)
        #expect(bench.add(64..<72, more: false, frame: 2).fate == .waits)
        let outcome = bench.add(range, more: more, frame: 3)
        guard let isCopy else {
            #expect(outcome.fate != .refused(.fragmentOverlap))
            return
        }
        #expect(outcome.fate == .refused(.fragmentOverlap))
        #expect(outcome.ended == (isCopy ? [] : [1, 2]))
        #expect(bench.add(48..<64, frame: 4).fate == (isCopy ? .waits : .refused(.fragmentOverlap)))
        #expect(bench.add(0..<16).fate == (isCopy ? .known : .refused(.fragmentOverlap)))
    }

    @Test func `two pieces side by side are not one`() {
        #expect(bench.add(8..<16).fate == .waits)
        #expect(bench.add(16..<24).fate == .waits)
        #expect(bench.add(8..<24).fate == .refused(.fragmentOverlap))
        #expect(bench.add(24..<32).fate == .refused(.fragmentOverlap))
    }

    @Test func `a last fragment before what came already ends the datagram`() {
        #expect(bench.add(100 * 8..<101 * 8).fate == .waits)
        #expect(bench.add(8..<16, more: false).fate == .refused(.fragmentOverlap))
        #expect(bench.held == 0)
    }

    @Test func `a dead datagram is remembered for a whole timeout, and then its number is free`() {
        bench.settings.fragmentTimeout = 1000
        #expect(bench.add(0..<16).fate == .known)
        bench.now = 900
        #expect(bench.add(8..<16).fate == .refused(.fragmentOverlap))
        bench.now = 1899
        #expect(bench.expire() == [])
        #expect(bench.add(16..<24).fate == .refused(.fragmentOverlap))
        bench.now = 1900
        #expect(bench.expire() == [])
        #expect(bench.used == 0)
        #expect(bench.add(0..<16).fate == .known)
    }

    @Test func `the longest datagram fits, byte by byte of its units`() {
        for start in stride(from: 65_528, to: 0, by: -8) {
            let outcome = bench.add(start..<min(start + 8, 65_535), more: start < 65_528, frame: UInt64(start))
            #expect(outcome.fate == (65_528 - start < 128 * 8 ? .waits : .refused(.fragmentLimit)))
        }
        let expected = stride(from: 65_528 as UInt64, to: 65_528 - 128 * 8, by: -8)
        #expect(bench.add(0..<8).released == Array(expected))
    }

    @Test func `what is held goes when its time is over, the oldest datagram's first`() {
        bench.settings.fragmentTimeout = 1000
        for number in 0..<4 as Range<UInt32> {
            bench.now = number * 10
            _ = bench.add(8..<16, of: FragmentBench.key(number), frame: UInt64(number) * 2)
            _ = bench.add(16..<24, of: FragmentBench.key(number), frame: UInt64(number) * 2 + 1)
        }
        bench.now = 999
        #expect(bench.expire() == [])
        bench.now = 1010
        #expect(bench.expire() == [0, 1, 2, 3])
        bench.now = 5000
        var steps = 3
        var count = 0
        while bench.table.nextExpired(now: bench.now, timeout: 1000, steps: &steps) != nil { count += 1 }
        #expect(count == 2 && steps == 0 && bench.held == 2, "a hand has a budget")
        #expect(bench.expire() == [6, 7])
        #expect(bench.used == 0)
    }

    @Test func `the clock may wrap`() {
        bench.settings.fragmentTimeout = 1000
        bench.now = .max - 100
        _ = bench.add(8..<16, frame: 7)
        bench.now = 898
        #expect(bench.expire() == [])
        bench.now = 899
        #expect(bench.expire() == [7])
    }

    @Test func `datagrams of other keys are others`() {
        let keys = [
            FragmentBench.key(1), FragmentBench.key(2), FragmentBench.key(1, from: "10.0.0.3"), FragmentBench.key(1, port: 1),
            FragmentBench.key(1, from: "2001:db8::1"),
        ]
        for key in keys { #expect(bench.add(8..<16, of: key).fate == .waits) }
        #expect(bench.used == keys.count)
        for key in keys { #expect(bench.add(0..<8, of: key).released.count == 1) }
    }

    @Test func `another process goes on where this one stopped`() throws {
        _ = bench.add(8..<16, frame: 5)
        _ = bench.add(0..<8, of: FragmentBench.key(2))
        try bench.handOver()
        #expect(bench.used == 2 && bench.held == 1)
        #expect(bench.add(0..<8).released == [5])
        #expect(bench.add(8..<16, more: false, of: FragmentBench.key(2)).fate == .known)
        #expect(bench.used == 1)
        #expect(bench.memory.isMarginIntact)
    }

    @Test func `after a pause every held frame is given up, and nothing else is forgotten`() {
        for number in 0..<40 as Range<UInt32> {
            _ = bench.add(8..<16, of: FragmentBench.key(number), frame: UInt64(number))
            if number % 2 == 0 { _ = bench.add(16..<24, of: FragmentBench.key(number), frame: UInt64(100 + number)) }
        }
        var (cursor, taken): (UInt32, [UInt64]) = (0, [])
        while let frame = bench.table.takeAny(from: &cursor) { taken.append(frame.address) }
        let expected = Set(0..<40 as Range<UInt64>).union(stride(from: 100, to: 140, by: 2))
        #expect(Set(taken) == expected)
        #expect(taken.count == 60 && bench.held == 0 && bench.used == 40)
        #expect(bench.add(8..<16).fate == .refused(.fragmentOverlap), "a copy of one that was given up")
    }

    @Test func `memory that holds no table is not adopted`() {
        let memory = TestMemory(count: FragmentTable.byteCount)
        #expect(unsafe FragmentTable(base: memory.base, frames: 8192, secret: bench.secret) == nil)
    }
}
