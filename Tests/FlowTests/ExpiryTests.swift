// SPDX-License-Identifier: Apache-2.0
import Flow
import Net
import Testing

@Suite("Expiry") struct ExpiryTests {
    private func table(_ memory: TestMemory) throws -> FlowTable<FlowKey4> {
        try memory.table(FlowKey4.self, capacity: 100)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var protocolNumber: UInt8
        var state: FlowState
        var seconds: UInt32
        var testDescription: String { "\(protocolNumber) \(state) \(seconds) s" }
    }

    static let cases = [
        Case(protocolNumber: 6, state: .synSent, seconds: 30), Case(protocolNumber: 6, state: .synReceived, seconds: 30),
        Case(protocolNumber: 6, state: .established, seconds: 7440), Case(protocolNumber: 6, state: .closing, seconds: 120),
        Case(protocolNumber: 6, state: .closed, seconds: 10), Case(protocolNumber: 17, state: .oneSided, seconds: 30),
        Case(protocolNumber: 17, state: .established, seconds: 180), Case(protocolNumber: 132, state: .established, seconds: 300),
        Case(protocolNumber: 132, state: .oneSided, seconds: 30), Case(protocolNumber: 47, state: .oneSided, seconds: 60),
        Case(protocolNumber: 47, state: .established, seconds: 600),
        Case(protocolNumber: 17, state: .answered, seconds: 30), Case(protocolNumber: 132, state: .answered, seconds: 30),
        Case(protocolNumber: 47, state: .answered, seconds: 60), Case(protocolNumber: 1, state: .answered, seconds: 30),
        Case(protocolNumber: 1, state: .oneSided, seconds: 30), Case(protocolNumber: 1, state: .established, seconds: 30),
        Case(protocolNumber: 58, state: .established, seconds: 30),
    ]

    @Test(arguments: cases, [0, UInt32.max - 5]) func `a quiet flow ends when its state allows no more`(
        row: Case, start: UInt32
    ) throws {
        let memory = TestMemory(FlowKey4.self, capacity: 100)
        var table = try table(memory)
        let number = table.open(FlowKey4(numbered: 1, protocolNumber: row.protocolNumber), state: row.state, now: start)
        let limit = FlowTimeouts.ticks(seconds: row.seconds)
        #expect(table.expireAll(now: start &+ limit &- 1).isEmpty)
        #expect(table.expireAll(now: start &+ limit) == [number])
        #expect(table.used == 0)
        #expect(table.check() == nil)
    }

    @Test func `a tick a moment before the last frame ends nothing`() throws {
        let memory = TestMemory(FlowKey4.self, capacity: 100)
        var table = try table(memory)
        _ = table.open(FlowKey4(numbered: 1), now: 10)
        #expect(table.expireAll(now: 9).isEmpty)
        #expect(table.expireAll(now: .max - 5).isEmpty)
    }

    @Test func `only flows that were quiet end, and their ends are told once`() throws {
        let memory = TestMemory(FlowKey4.self, capacity: 100)
        var table = try table(memory)
        let reading = Reading.packet(.udp, from: (Address(v4: 1), 1), to: (Address(v4: 2), 2))
        let numbers = (0..<50).map { table.open(FlowKey4(numbered: $0), now: $0) }
        for i in stride(from: 0, to: 50, by: 2) { _ = table.track(numbers[i], reading, sender: .low, length: 60, now: 20_000) }
        // Half of the flows that may wait: no pressure.
        table.settings.waitingShare = 1000
        var told: [UInt32] = []
        for now in stride(from: UInt32(20_000), to: 40_000, by: 50) {
            table.expire(now: now, budget: 4) { entry, detail in
                #expect(now - entry.lastSeen >= FlowTimeouts.ticks(seconds: 30))
                #expect(detail.firstSeen == entry.lastSeen)
                told.append(detail.firstSeen)
            }
        }
        #expect(told.sorted() == (0..<50).filter { $0 % 2 == 1 })
        #expect(table.used == 25)
        #expect(table.check() == nil)
    }

    @Test func `no call looks at more entries than its budget, and what is due is made up for, a round at most`() throws {
        let memory = TestMemory(FlowKey4.self, capacity: 100)
        var table = try table(memory)
        for i in 0..<80 { _ = table.open(FlowKey4(numbered: UInt32(i)), now: 0) }
        #expect(table.stepsDue(now: 100_000, most: 7) == 7)
        let made = (0..<20).map { _ in table.stepsDue(now: 100_000, most: 7) }
        #expect(made.reduce(7, +) == 80, "\(made)")
        #expect(table.stepsDue(now: 200_000, most: 1000) == 80)
        #expect(table.stepsDue(now: 200_000, most: 1000) == 0)
        table.postpone(30)
        #expect((29...30).contains(table.stepsDue(now: 200_000, most: 1000)))
        // A small table waits until a whole step is due, and loses no time by waiting.
        let taken = (1...4096).reduce(0) { sum, tick in sum + table.stepsDue(now: 200_000 + UInt32(tick), most: 1000) }
        #expect((79...82).contains(taken))
    }

    @Test func `a large table's hand takes no more than 1,024 steps a tick`() {
        #expect(FlowTable<FlowKey4>.ticksOfRound(100) == 4096)
        #expect(FlowTable<FlowKey4>.ticksOfRound(1_000_000) == 4096)
        #expect(FlowTable<FlowKey4>.ticksOfRound(10_000_000) == 9766)
        #expect(FlowTable<FlowKey4>.ticksOfRound(1 << 30) == 1 << 20)
    }

    @Test func `a table without flows is not looked at`() throws {
        let memory = TestMemory(FlowKey4.self, capacity: 100)
        var table = try table(memory)
        let numbers = (0..<50).map { table.open(FlowKey4(numbered: $0), now: 0) }
        for number in numbers { table.remove(number) }
        #expect(table.stepsDue(now: 100_000, most: 7) == 0)
    }

    @Test func `waiting flows end in their order, without waiting for the hand`() throws {
        let memory = TestMemory(FlowKey4.self, capacity: 1000)
        var table = try memory.table(FlowKey4.self, capacity: 1000)
        let numbers = (0..<300).map { table.open(FlowKey4(numbered: $0, protocolNumber: 6), state: .synSent, now: $0) }
        // The hand stands behind them all.
        var steps = 300
        #expect(table.nextExpired(now: 300, steps: &steps) == .max)
        for i in 0..<300 {
            steps = 1
            let now = FlowTimeouts.ticks(seconds: 30) + UInt32(i)
            #expect(table.nextExpired(now: now, steps: &steps) == numbers[i])
            table.remove(numbers[i], as: .expired)
        }
        #expect(table.check() == nil)
    }

    @Test func `a one-sided flow that goes on sending is not the oldest`() throws {
        let memory = TestMemory(FlowKey4.self, capacity: 100)
        var table = try table(memory)
        let reading = Reading.packet(.udp, from: (Address(v4: 1), 1), to: (Address(v4: 2), 2))
        let numbers = (0..<50).map { table.open(FlowKey4(numbered: $0), now: 0) }
        _ = table.track(numbers[0], reading, sender: .low, length: 60, now: 5)
        _ = table.stepsDue(now: 1000, most: 0)
        #expect(table.oldestWaiting() == numbers[1])
        #expect(table.check() == nil)
    }

    @Test func `a flow that ends among others leaves its number at once`() throws {
        let memory = TestMemory(FlowKey4.self, capacity: 100)
        var table = try table(memory)
        let numbers = (0..<80).map { table.open(FlowKey4(numbered: $0), now: 0) }
        for number in numbers[1..<80] { table.remove(number) }
        #expect(table.used == 1)
        #expect(table.check() == nil)
        for i in 0..<86 { #expect(table.open(FlowKey4(numbered: 1000 + UInt32(i))) != .max) }
        #expect(table.oldestWaiting() == numbers[0])
        #expect(table.check() == nil)
    }
}
