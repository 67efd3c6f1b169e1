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

    @Test func `no call looks at more entries than its budget, and none within a tick`() throws {
        let memory = TestMemory(FlowKey4.self, capacity: 100)
        var table = try table(memory)
        for i in 0..<80 { _ = table.open(FlowKey4(numbered: UInt32(i)), now: 0) }
        #expect(table.stepsDue(now: 100_000, most: 7) == 7)
        #expect(table.stepsDue(now: 100_000, most: 7) == 0)
        #expect(table.stepsDue(now: 200_000, most: 1000) == 80)
        // A small table waits until a whole step is due, and loses no time by waiting.
        let taken = (1...4096).reduce(0) { sum, tick in sum + table.stepsDue(now: 200_000 + UInt32(tick), most: 1000) }
        #expect((79...82).contains(taken))
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

    @Test func `an ended flow leaves its place although others wait in front of it`() throws {
        let memory = TestMemory(FlowKey4.self, capacity: 100)
        var table = try table(memory)
        let numbers = (0..<80).map { table.open(FlowKey4(numbered: $0), now: 0) }
        for number in numbers[1..<80] { table.remove(number) }
        #expect(table.used == 1)
        #expect(table.check() == nil)
        // The numbers come back when the front of the list goes; the hand sees to that at the latest.
        table.remove(numbers[0])
        _ = (0..<10).map { table.stepsDue(now: 5000 * UInt32($0), most: 0) }
        #expect(table.check() == nil)
        for i in 0..<87 { #expect(table.open(FlowKey4(numbered: 1000 + UInt32(i))) != .max) }
    }
}
