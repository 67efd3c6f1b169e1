// SPDX-License-Identifier: Apache-2.0
import Flow
import Net
import TestSupport
import Testing

@Suite("Damaged tables") struct DamageTests {
    private static let capacity = 200

    /// A table's memory after some life: waiting, established, ended flows, a free list and a waiting list with gaps.
    private func livedIn<Key: FlowKey>(_ random: inout Seeded, _ key: (UInt32) -> Key) throws -> TestMemory {
        let memory = TestMemory(Key.self, capacity: Self.capacity)
        var table = try memory.table(Key.self, capacity: Self.capacity)
        for i in 0..<150 { _ = table.open(key(UInt32(i)), state: i % 3 == 0 ? .established : .oneSided, now: UInt32(i)) }
        for _ in 0..<60 { table.remove(UInt32.random(in: 0..<150, using: &random)) }
        #expect(table.check() == nil)
        return memory
    }

    /// Everything that a worker does with a table, on a table that may say anything.
    private func use<Key: FlowKey>(_ table: inout FlowTable<Key>, _ random: inout Seeded, _ key: (UInt32) -> Key) {
        var now = UInt32.random(in: 0...UInt32.max, using: &random)
        for _ in 0..<40 {
            let key = key(UInt32.random(in: 0..<300, using: &random))
            let hash = table.hash(key)
            table.prefetchIndex(hash)
            let candidate = table.suggest(hash)
            var number = table.find(key, hash: hash, candidate: candidate)
            if number == .max {
                number = table.insert(key, hash: hash, state: .synSent, initiator: .high, now: now)
                if number == .max {
                    table.remove(table.oldestWaiting(), as: .evicted)
                    number = table.insert(key, hash: hash, state: .oneSided, initiator: .low, now: now)
                }
            }
            if number != .max {
                let flags = UInt8.random(in: 0...31, using: &random)
                let reading = Reading.tcp(flags, from: (Address(v4: 1), 1), to: (Address(v4: 2), 2))
                switch table.track(number, reading, sender: .low, length: 60, now: now) {
                case .reopen: table.reopen(number, initiator: .low, now: now)
                case .crossing: table.cross(number, reading, sender: .low, length: 60, now: now)
                case .answered: table.replace(number, now: now)
                case .ended: table.remove(number)
                case .live, .refused: break
                }
                if flags % 5 == 0 { _ = table.shelter(number, most: 3) }
                if flags % 11 == 0 { table.expose(number) }
                if flags % 7 == 0 { table.remove(number) }
                table.postpone(Int(flags))
            }
            now &+= UInt32.random(in: 0..<40_000, using: &random)
            table.expire(now: now, budget: 50) { _, _ in }
        }
    }

    /// What the fuzz found over its rounds.
    private struct Tally {
        var found = 0
        var mended = 0
        var refused = 0
    }

    private func fuzz<Key: FlowKey>(rounds: Int, seed: UInt64, _ key: (UInt32) -> Key) throws -> Tally {
        var tally = Tally()
        for round in 0..<rounds {
            var random = Seeded(seed &+ UInt64(round))
            let memory = try livedIn(&random, key)
            // Sparing identity and secret, which refuse adoption by themselves.
            let identity = 0..<24
            let secret = try #require(MemoryLayout<FlowTableHeader>.offset(of: \.secret))
            for _ in 0..<Int.random(in: 1...64, using: &random) {
                let end = Bool.random(using: &random) ? FlowTableHeader.size + 1800 : memory.count
                let offset = Int.random(in: 0..<end, using: &random)
                if identity.contains(offset) || (secret..<secret + 128).contains(offset) { continue }
                unsafe memory.base.storeBytes(
                    of: UInt8.random(in: 0...255, using: &random), toByteOffset: offset, as: UInt8.self)
            }
            var table = try memory.table(Key.self, capacity: Self.capacity)
            let damage = table.check()
            if damage != nil { tally.found += 1 }
            if round % 2 == 0 {
                if try memory.recover(Key.self, capacity: Self.capacity) == .kept {
                    try #require(table.check() == nil, "seed \(seed) round \(round)")
                    if damage != nil { tally.mended += 1 }
                } else {
                    tally.refused += 1
                }
            }
            use(&table, &random, key)
            try #require(memory.isMarginIntact, "seed \(seed) round \(round)")
        }
        return tally
    }

    @Test func `random bytes neither trap nor hang an IPv4 table, and a recovery repairs what they broke, or refuses it`() throws
    {
        let tally = try fuzz(rounds: 1000, seed: 1) { FlowKey4(numbered: $0) }
        #expect(tally.found > 700 && tally.mended > 300, "\(tally)")
    }

    @Test func `random bytes neither trap nor hang an IPv6 table, and a recovery repairs what they broke, or refuses it`() throws
    {
        let tally = try fuzz(rounds: 1000, seed: 1_000_000) { number in
            FlowKey6(
                low: Address(high: 1, low: UInt64(number)), high: Address(high: 2, low: 0), ports: number, vlans: 0, tunnel: 0,
                context: 17 << 24)
        }
        #expect(tally.found > 700 && tally.mended > 300, "\(tally)")
    }

    @Test func `a check names what is wrong`() throws {
        let memory = TestMemory(FlowKey4.self, capacity: Self.capacity)
        var table = try memory.table(FlowKey4.self, capacity: Self.capacity)
        for i in 0..<20 { _ = table.open(FlowKey4(numbered: UInt32(i))) }
        table.remove(19)
        let layout = FlowTableLayout<FlowKey4>(capacity: Self.capacity)
        let used = try #require(MemoryLayout<FlowTableHeader>.offset(of: \.used))
        let free = try #require(MemoryLayout<FlowTableHeader>.offset(of: \.free))
        let oldest = try #require(MemoryLayout<FlowTableHeader>.offset(of: \.oldest))
        let fresh = try #require(MemoryLayout<FlowTableHeader>.offset(of: \.fresh))
        let state = layout.entries + 5 * 96 + FlowTableLayout<FlowKey4>.stateOffset
        let places: [(Int, UInt8, FlowTableDamage)] = [
            (used, 3, .counts), (free, 3, .freeList), (oldest, 77, .waitingList), (fresh + 3, 1, .header), (state, 8, .entry(5)),
            (layout.index + 20, 9, .strays(0)),
        ]
        for (offset, value, damage) in places {
            let old = unsafe memory.base.load(fromByteOffset: offset, as: UInt8.self)
            unsafe memory.base.storeBytes(of: value, toByteOffset: offset, as: UInt8.self)
            #expect(table.check() == damage)
            unsafe memory.base.storeBytes(of: old, toByteOffset: offset, as: UInt8.self)
        }
        // A changed key leads elsewhere, and a place of the index that leads to a free entry leads nowhere.
        unsafe memory.base.storeBytes(of: 1, toByteOffset: layout.entries + 3 * 96 + 16, as: UInt8.self)
        guard case .bucket = table.check() else {
            Issue.record("a key that its place does not fit")
            return
        }
    }
}
