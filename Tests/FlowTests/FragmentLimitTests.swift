// SPDX-License-Identifier: Apache-2.0
import Flow
import Net
import TestSupport
import Testing

@Suite("Limits of fragments") struct FragmentLimitTests {
    @Test func `one source opens no more datagrams than it may, and leaves the rest to others`() throws {
        let bench = try FragmentBench()
        bench.settings.fragmentDatagrams = 100
        for number in 0..<300 as Range<UInt32> {
            #expect(bench.add(8..<16, of: FragmentBench.key(number)).fate == (number < 100 ? .waits : .refused(.fragmentLimit)))
        }
        #expect(bench.add(8..<16, of: FragmentBench.key(1, from: "10.0.0.77")).fate == .waits)
        // One that ends makes room for one.
        #expect(bench.add(0..<8, of: FragmentBench.key(0)).fate == .known)
        #expect(bench.add(16..<24, more: false, of: FragmentBench.key(0)).fate == .known)
        #expect(bench.add(8..<16, of: FragmentBench.key(1000)).fate == .waits)
        #expect(bench.add(8..<16, of: FragmentBench.key(1001)).fate == .refused(.fragmentLimit))
    }

    @Test func `one source holds no more frames than it may`() throws {
        let bench = try FragmentBench()
        bench.settings.fragmentFrames = 50
        for number in 0..<60 {
            let key = FragmentBench.key(UInt32(number / 20))
            let step = bench.add((number % 20 * 8 + 8)..<(number % 20 * 8 + 16), of: key, frame: UInt64(number)).fate
            #expect(step == (number < 50 ? .waits : .refused(.fragmentLimit)))
        }
        #expect(bench.held == 50)
        #expect(bench.add(0..<8, of: FragmentBench.key(0)).released.count == 20)
        #expect(bench.held == 30)
    }

    @Test func `all addresses of an IPv6 network of 64 bits are one source`() throws {
        let bench = try FragmentBench()
        bench.settings.fragmentDatagrams = 10
        for number in 0..<20 as Range<UInt64> {
            let key = FragmentBench.key(1, from: Address(high: 0x2001_0db8 << 32, low: number))
            #expect(bench.add(8..<16, of: key).fate == (number < 10 ? .waits : .refused(.fragmentLimit)))
        }
        #expect(bench.add(8..<16, of: FragmentBench.key(1, from: "2001:db8:0:1::1")).fate == .waits)
    }

    @Test(arguments: [8, 64, 800, 8192, 1 << 20]) func `no more than an eighth of a worker's frames is held`(frames: Int) throws {
        let bench = try FragmentBench(frames: frames)
        for number in 0..<2000 as Range<UInt32> {
            let source = Address(v4: 0x0b00_0000 + number / 4)
            _ = bench.add(8..<16, of: FragmentBench.key(number, from: source), frame: UInt64(number))
        }
        #expect(bench.held == min(1024, frames / 8))
    }

    @Test func `a flood fills the table, loses its own fragments, and is over with the timeout`() throws {
        let bench = try FragmentBench()
        // What was begun before goes on through the flood.
        let good = (0..<20 as Range<UInt32>).map { FragmentBench.key($0, from: "10.9.9.9") }
        for key in good { #expect(bench.add(0..<8, of: key).fate == .known) }
        var refused = 0
        for number in 0..<20_000 as Range<UInt32> {
            let key = FragmentBench.key(number, from: Address(v4: 0x0b00_0000 + number % 5000))
            if bench.add(8..<16, of: key, frame: UInt64(number)).fate == .refused(.fragmentLimit) { refused += 1 }
        }
        #expect(bench.used == 1024)
        #expect(bench.held == 1024 - 20)
        #expect(refused == 20_000 - 1004)
        for key in good {
            #expect(bench.add(8..<16, of: key).fate == .known)
            #expect(bench.add(16..<24, more: false, of: key).fate == .known)
        }
        bench.now = bench.settings.fragmentTimeout
        #expect(bench.expire().count == 1004)
        #expect(bench.used == 0)
        #expect(bench.add(8..<16).fate == .waits)
        #expect(bench.memory.isMarginIntact)
    }

    @Test func `the table takes as many datagrams as it says, again and again`() throws {
        let bench = try FragmentBench(seed: 9)
        for round in 0..<40 as Range<UInt32> {
            for number in 0..<1024 as Range<UInt32> {
                let key = FragmentBench.key(round, from: Address(v4: 0x0b00_0000 + number))
                #expect(bench.add(0..<8, of: key).fate == .known, "round \(round), datagram \(number)")
            }
            bench.now += bench.settings.fragmentTimeout
            _ = bench.expire()
            #expect(bench.used == 0)
        }
    }

    @Test func `damaged memory loses datagrams and neither traps nor hangs`() throws {
        var random = Seeded(77)
        for round in 0..<30 {
            let bench = try FragmentBench(seed: UInt64(round))
            for step in 0..<400 {
                let key = FragmentBench.key(UInt32.random(in: 0..<40, using: &random), from: Address(v4: 0x0b00_0000))
                let first = Int.random(in: 0..<20, using: &random) * 8
                _ = bench.add(first..<first + 8, more: first < 120, of: key, frame: UInt64(step))
                if step % 20 == 19 {
                    // Behind the header's magic and version; the bitmaps are data, and stay.
                    let offset = Int.random(in: 16..<200_000, using: &random)
                    unsafe bench.memory.base.storeBytes(
                        of: UInt8(truncatingIfNeeded: random.next()), toByteOffset: offset, as: UInt8.self)
                }
                bench.now += 50
                if step % 50 == 0 { _ = bench.table.nextExpiredCount(bench.now) }
            }
            #expect(bench.memory.isMarginIntact)
        }
    }
}

extension FragmentTable {
    /// Spends a hand's budget; how many frames ended.
    fileprivate mutating func nextExpiredCount(_ now: UInt32) -> Int {
        var (steps, count) = (2000, 0)
        while nextExpired(now: now, timeout: 1000, steps: &steps) != nil { count += 1 }
        return count
    }
}
