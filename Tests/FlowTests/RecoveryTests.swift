// SPDX-License-Identifier: Apache-2.0
import Flow
import Net
import TestSupport
import Testing

@Suite("Tables that a killed worker has left") struct RecoveryTests {
    private static let capacity = 400

    /// A table near its highest load, with waiting, established and ended flows.
    private func livedIn(_ random: inout Seeded) throws -> TestMemory {
        let memory = TestMemory(FlowKey4.self, capacity: Self.capacity)
        var table = try memory.table(FlowKey4.self, capacity: Self.capacity)
        for i in 0..<UInt32(Self.capacity) {
            _ = table.open(FlowKey4(numbered: i), state: i % 3 == 0 ? i % 2 == 0 ? .oneSided : .answered : .established, now: i)
        }
        for _ in 0..<60 { table.remove(UInt32.random(in: 0..<UInt32(Self.capacity), using: &random)) }
        return memory
    }

    private func words(_ memory: TestMemory) -> [UInt64] {
        (0..<memory.count / 8).map { unsafe memory.base.load(fromByteOffset: $0 * 8, as: UInt64.self) }
    }

    /// The flows that can be found, by their keys' numbers.
    private func found(_ table: borrowing FlowTable<FlowKey4>) -> Set<UInt32> {
        var numbers: Set<UInt32> = []
        for number in 0..<1000 as Range<UInt32> where table.find(FlowKey4(numbered: number)) != .max { numbers.insert(number) }
        return numbers
    }

    @Test(arguments: [1, 3, 8]) func `a sound table is kept as it is, however many parts it is read in`(parts: Int) throws {
        var random = Seeded(9)
        let memory = try livedIn(&random)
        var table = try memory.table(FlowKey4.self, capacity: Self.capacity)
        let (used, waiting, oldest, flows) = (table.used, table.waiting, table.oldestWaiting(), found(table))
        #expect(try memory.recover(FlowKey4.self, capacity: Self.capacity, parts: parts) == .kept)
        #expect(table.check() == nil)
        #expect((table.used, table.waiting, table.oldestWaiting()) == (used, waiting, oldest))
        #expect(found(table) == flows)
    }

    @Test func `an empty table and one that was never used are kept`() throws {
        let memory = TestMemory(FlowKey4.self, capacity: 10)
        #expect(try memory.recover(FlowKey4.self, capacity: 10) == .kept)
        var table = try memory.table(FlowKey4.self, capacity: 10)
        table.remove(table.open(FlowKey4(numbered: 1)))
        #expect(try memory.recover(FlowKey4.self, capacity: 10) == .kept)
        #expect(table.used == 0 && table.check() == nil)
    }

    /// An operation that is cut short leaves some of its words written and others not. Which ones depends on the compiler; so any
    /// of them may be.
    @Test func `whatever part of an operation a kill leaves, every other flow is kept`() throws {
        let seed: UInt64 = 77
        for round in 0..<300 as Range<UInt64> {
            var random = Seeded(seed &+ round)
            let memory = try livedIn(&random)
            var table = try memory.table(FlowKey4.self, capacity: Self.capacity)
            let (before, flows) = (words(memory), found(table))
            if round % 2 == 0 {
                _ = table.open(FlowKey4(numbered: 500), now: 500)
            } else {
                table.remove(UInt32.random(in: 0..<UInt32(Self.capacity), using: &random))
            }
            let (after, survivors) = (words(memory), found(table).intersection(flows))
            for (place, word) in after.enumerated() where word != before[place] && Bool.random(using: &random) {
                unsafe memory.base.storeBytes(of: before[place], toByteOffset: place * 8, as: UInt64.self)
            }
            try #require(try memory.recover(FlowKey4.self, capacity: Self.capacity) == .kept, "seed \(seed) round \(round)")
            try #require(table.check() == nil, "seed \(seed) round \(round)")
            try #require(found(table).isSuperset(of: survivors), "seed \(seed) round \(round)")
        }
    }

    @Test func `waiting flows come in the order of their opening, also when the clock's ticks have wrapped`() throws {
        let memory = TestMemory(FlowKey4.self, capacity: Self.capacity)
        var table = try memory.table(FlowKey4.self, capacity: Self.capacity)
        for i in 0..<100 as Range<UInt32> { _ = table.open(FlowKey4(numbered: i), now: (i * 37 % 100) &* 1000 &- 50_000) }
        #expect(try memory.recover(FlowKey4.self, capacity: Self.capacity) == .kept)
        var ticks: [UInt32] = []
        while true {
            let number = table.oldestWaiting()
            if number == .max { break }
            ticks.append(table[detail: number].firstSeen)
            table.remove(number, as: .evicted)
        }
        #expect(ticks == (0..<100 as Range<UInt32>).map { $0 &* 1000 &- 50_000 })
    }

    @Test func `every free entry can be used again`() throws {
        var random = Seeded(11)
        let memory = try livedIn(&random)
        var table = try memory.table(FlowKey4.self, capacity: Self.capacity)
        let free = Self.capacity - table.used
        #expect(try memory.recover(FlowKey4.self, capacity: Self.capacity) == .kept)
        for i in 0..<free { #expect(table.open(FlowKey4(numbered: 10_000 + UInt32(i)), state: .established) != .max) }
        #expect(table.used == Self.capacity && table.check() == nil)
    }

    @Test func `more contradictions than a kill leaves are refused`() throws {
        var random = Seeded(13)
        for share in [0.3, 0.9] {
            let memory = try livedIn(&random)
            let layout = FlowTableLayout<FlowKey4>(capacity: Self.capacity)
            for line in 0..<layout.buckets where Double.random(in: 0..<1, using: &random) < share {
                for word in 0..<5 {
                    unsafe memory.base.storeBytes(
                        of: random.next(), toByteOffset: layout.index + line * 64 + 24 + word * 8, as: UInt64.self)
                }
            }
            guard case .refused(let contradictions) = try memory.recover(FlowKey4.self, capacity: Self.capacity) else {
                Issue.record("a table with \(share) of its index overwritten was kept")
                continue
            }
            #expect(contradictions > 64)
        }
    }

    @Test func `a header that points behind the table is refused`() throws {
        let memory = TestMemory(FlowKey4.self, capacity: Self.capacity)
        let fresh = try #require(MemoryLayout<FlowTableHeader>.offset(of: \.fresh))
        unsafe memory.base.storeBytes(of: UInt32(Self.capacity + 1), toByteOffset: fresh, as: UInt32.self)
        #expect(try memory.recover(FlowKey4.self, capacity: Self.capacity) == .refused(contradictions: 0))
    }

    @Test func `a recovery leaves the grace and the counters of a table alone`() throws {
        let memory = TestMemory(FlowKey6.self, capacity: 64)
        var table = try memory.table(FlowKey6.self, capacity: 64)
        let key = FlowKey6(
            low: Address(high: 1, low: 1), high: Address(high: 2, low: 0), ports: 1, vlans: 0, tunnel: 0, context: 6 << 24)
        _ = table.insert(key, hash: table.hash(key), state: .established, initiator: .low, now: 0)
        table.graceUntil = 4711
        #expect(try memory.recover(FlowKey6.self, capacity: 64) == .kept)
        #expect(table.graceUntil == 4711 && table.statistics.inserted == 1 && table.used == 1)
    }
}
