// SPDX-License-Identifier: Apache-2.0
import Flow
import Net
import TestSupport
import Testing

@Suite("Limits by source") struct SourceLimitsTests {
    private let second: UInt64 = 1_000_000_000

    private func count(_ limits: inout SourceLimits, _ source: Address, _ tries: Int, at now: UInt64) -> Int {
        var allowed = 0
        for _ in 0..<tries where limits.take(source, rate: 10, burst: 5, at: now) { allowed += 1 }
        return allowed
    }

    @Test func `a source opens so many at once, and then so many a second`() {
        var limits = SourceLimits(secret: TestMemory.secret)
        let source: Address = "10.0.0.1"
        #expect(count(&limits, source, 100, at: 7 * second) == 5)
        var allowed = 0
        for millisecond in 1...10_000 as ClosedRange<UInt64> {
            allowed += count(&limits, source, 1, at: 7 * second + millisecond * 1_000_000)
        }
        #expect(allowed == 100)
        #expect(count(&limits, source, 100, at: 60 * second) == 5)
    }

    @Test func `one source is not another, a /64 is one, and the families are apart`() {
        var limits = SourceLimits(secret: TestMemory.secret)
        #expect(count(&limits, "10.0.0.1", 9, at: second) == 5)
        #expect(count(&limits, "10.0.0.2", 9, at: second) == 5)
        #expect(count(&limits, "2001:db8::1", 4, at: second) == 4)
        #expect(count(&limits, "2001:db8::ffff:1", 4, at: second) == 1)
        #expect(count(&limits, "2001:db8:0:1::1", 9, at: second) == 5)
        #expect(count(&limits, Address(high: 0x0a00_0001, low: 1 << 63), 9, at: second) == 5)
    }

    @Test func `a clock that goes back and a limit that changes lock nobody out`() {
        var limits = SourceLimits(secret: TestMemory.secret)
        #expect(count(&limits, "10.0.0.1", 9, at: 1000 * second) == 5)
        #expect(count(&limits, "10.0.0.1", 9, at: second) == 0)
        #expect(count(&limits, "10.0.0.1", 9, at: 2 * second) == 5)
        var allowed = 0
        for _ in 0..<2000 where limits.take(Address(v4: 0x0a00_0001), rate: 1000, burst: 1000, at: 2 * second) { allowed += 1 }
        #expect(allowed >= 500)
        let isAllowed = limits.take(Address(v4: 0x0a00_0009), rate: .max, burst: .max, at: second)
        #expect(isAllowed)
    }

    @Test func `more sources than the table holds are never limited too early`() {
        var limits = SourceLimits(secret: TestMemory.secret)
        for round in 0..<3 {
            for number in 0..<40_000 as Range<UInt32> {
                let isAllowed = limits.take(Address(v4: 0x0b00_0000 | number), rate: 10, burst: 5, at: second)
                #expect(isAllowed, "source \(number) in round \(round)")
            }
        }
        // Those within its size are held to theirs.
        var few = SourceLimits(secret: TestMemory.secret)
        var allowed = 0
        for number in 0..<4000 as Range<UInt32> { allowed += count(&few, Address(v4: 0x0b00_0000 | number), 9, at: second) }
        #expect((20_000...20_200).contains(allowed))
    }

    @Test func `nobody finds another's bucket without the secret`() {
        // Two secrets: the sources that are pushed out of the one table are others than those of the other.
        var random = Seeded(11)
        let lost = (0..<2).map { _ in
            var limits = SourceLimits(secret: random.secret())
            for number in 0..<20_000 as Range<UInt32> { _ = count(&limits, Address(v4: number << 8), 5, at: second) }
            return Set((0..<20_000 as Range<UInt32>).filter { count(&limits, Address(v4: $0 << 8), 1, at: second) == 1 })
        }
        #expect(lost.allSatisfy { $0.count > 1000 })
        #expect(lost[0].intersection(lost[1]).count < lost[0].count * 3 / 4)
    }
}
