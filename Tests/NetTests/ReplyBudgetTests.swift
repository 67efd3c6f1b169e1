// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing

@Suite("A budget of replies") struct ReplyBudgetTests {
    /// How many of `count` demands in a row are met.
    private func met(_ budget: inout ReplyBudget, at now: UInt64, of count: Int) -> Int {
        (0..<count).filter { _ in budget.spend(at: now) }.count
    }

    @Test func `so many at once, and no more`() {
        var budget = ReplyBudget(perSecond: 100, burst: 10)
        #expect(met(&budget, at: 0, of: 50) == 10)
        #expect(met(&budget, at: 9_999_999, of: 50) == 0)
        #expect(met(&budget, at: 10_000_000, of: 50) == 1)
        #expect(met(&budget, at: 1_000_000_000, of: 50) == 10)
    }

    @Test(arguments: [1, 7, 100, 1000, 999_983] as [UInt32]) func `a flood gets the even pace`(perSecond: UInt32) {
        var budget = ReplyBudget(perSecond: perSecond, burst: 1)
        var sent = 0
        let step = max(1, 1_000_000_000 / UInt64(perSecond) / 3)
        let start: UInt64 = 5_000_000_000_000
        for demand in 0..<3000 as Range<UInt64> where budget.spend(at: start + demand * step) { sent += 1 }
        // Every third one, or every fourth where a third of the interval is no whole number of nanoseconds.
        #expect((750...1000).contains(sent))
    }

    @Test func `a quiet time saves up no more than the burst`() {
        var budget = ReplyBudget(perSecond: 1000, burst: 3)
        for second in [1, 2, 1000, 1_000_000] as [UInt64] { #expect(met(&budget, at: second * 1_000_000_000, of: 10) == 3) }
    }

    @Test func `nothing a second, or nothing at once, is silence`() {
        var nothing = ReplyBudget(perSecond: 0, burst: 10)
        var silent = ReplyBudget(perSecond: 10, burst: 0)
        for now in [0, 1, 1_000_000_000_000, .max] as [UInt64] {
            #expect(met(&nothing, at: now, of: 3) == 0)
            #expect(met(&silent, at: now, of: 3) == 0)
        }
    }

    @Test func `a clock that went back costs one full waiting time, not silence for ever`() {
        var budget = ReplyBudget(perSecond: 10, burst: 2)
        #expect(met(&budget, at: 1_000_000_000_000, of: 5) == 2)
        #expect(met(&budget, at: 5, of: 5) == 0)
        #expect(met(&budget, at: 200_000_005, of: 5) == 2)
    }

    @Test func `no time and no size traps`() {
        var random = PacketRandom(seed: 3)
        for _ in 0..<20_000 {
            let (pace, burst) = (UInt32(truncatingIfNeeded: random.next()), UInt32(truncatingIfNeeded: random.next()))
            var budget = ReplyBudget(perSecond: pace, burst: burst)
            for _ in 0..<4 { _ = budget.spend(at: random.next() >> UInt64.random(in: 0..<64, using: &random)) }
        }
        var largest = ReplyBudget(perSecond: 1, burst: .max)
        #expect(met(&largest, at: 1, of: 3) == 3)
        #expect(met(&largest, at: .max, of: 3) == 0)
    }
}
