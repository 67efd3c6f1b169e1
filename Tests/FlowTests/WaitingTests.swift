// SPDX-License-Identifier: Apache-2.0
import Flow
import Net
import TestSupport
import Testing

@Suite("Waiting flows") struct WaitingTests {
    private func memory(_ capacity: Int) -> TestMemory { TestMemory(FlowKey4.self, capacity: capacity) }

    /// A datagram of an end.
    private func hear(_ table: inout FlowTable<FlowKey4>, _ number: UInt32, from sender: FlowEnd, now: UInt32) {
        let nowhere = (Address(v4: 1), UInt16(1))
        _ = table.track(number, .packet(.udp, from: nowhere, to: nowhere), sender: sender, length: 60, now: now)
    }

    /// An answer and what the initiator sends behind it, so that a flow waits no more.
    private func establish(_ table: inout FlowTable<FlowKey4>, _ number: UInt32, now: UInt32) {
        for sender in [FlowEnd.high, .low] { hear(&table, number, from: sender, now: now) }
    }

    @Test(arguments: [UInt64(1), 2, 3]) func `whoever waits stands in the order of opening, and leaves it at once`(
        seed: UInt64
    ) throws {
        let memory = memory(400)
        var table = try memory.table(FlowKey4.self, capacity: 400)
        var random = Seeded(seed)
        var line: [UInt32] = []
        var others: [UInt32] = []
        for step in 0..<20_000 as Range<UInt32> {
            switch UInt32.random(in: 0..<8, using: &random) {
            case 0..<4:
                let number = table.open(FlowKey4(numbered: step), now: step)
                if number == .max {
                    try #require(line.count >= 350 || line.count + others.count == 400)
                    try #require(table.oldestWaiting() == line.first ?? .max)
                    if !line.isEmpty { table.remove(line.removeFirst(), as: .evicted) }
                } else {
                    line.append(number)
                }
            case 4 where !line.isEmpty:
                let number = line.remove(at: Int.random(in: 0..<line.count, using: &random))
                establish(&table, number, now: step)
                others.append(number)
            case 5 where !line.isEmpty:
                table.remove(line.remove(at: Int.random(in: 0..<line.count, using: &random)))
            case 6 where others.count > 20:
                table.remove(others.remove(at: Int.random(in: 0..<others.count, using: &random)))
            default: try #require(table.oldestWaiting() == line.first ?? .max, "seed \(seed) step \(step)")
            }
            try #require((table.used, table.waiting) == (line.count + others.count, line.count), "seed \(seed) step \(step)")
            if step % 1000 == 0 { try #require(table.check() == nil, "seed \(seed) step \(step)") }
        }
        #expect(table.check() == nil)
        #expect(table.statistics.damaged == 0)
    }

    @Test func `an answer alone leaves a flow where it waits, and only who is still heard is put behind the others`() throws {
        for (now, isHeard) in [(1000 as UInt32, true), (3000, false)] {
            let memory = memory(100)
            var table = try memory.table(FlowKey4.self, capacity: 100)
            let numbers = (0..<3).map { table.open(FlowKey4(numbered: $0)) }
            hear(&table, numbers[0], from: .high, now: 5)
            #expect(table[numbers[0]].state == .answered && table.waiting == 3)
            _ = table.stepsDue(now: now, most: 0)
            #expect(table.oldestWaiting() == numbers[isHeard ? 1 : 0])
            hear(&table, numbers[0], from: .low, now: now)
            #expect(table[numbers[0]].state == .established && table.waiting == 2)
            #expect(table.check() == nil)
        }
    }

    @Test func `a connection opened anew stands at the end`() throws {
        let memory = memory(100)
        var table = try memory.table(FlowKey4.self, capacity: 100)
        let numbers = (0..<3).map { table.open(FlowKey4(numbered: $0, protocolNumber: 6), state: .synSent) }
        table.reopen(numbers[0], initiator: .low, now: 9)
        #expect(table.oldestWaiting() == numbers[1])
        #expect(table.waiting == 3)
        #expect(table.check() == nil)
    }

    @Test func `a sheltered flow does not give way, ends as others do, and only so many are sheltered`() throws {
        let memory = memory(100)
        var table = try memory.table(FlowKey4.self, capacity: 100)
        let numbers = (0..<80).map { table.open(FlowKey4(numbered: $0)) }
        #expect(numbers.prefix(3).map { table.shelter($0, most: 2) } == [true, true, false])
        let isAgain = table.shelter(numbers[0], most: 3)
        #expect(isAgain)
        #expect((table.waiting, table.listed) == (80, 78))
        #expect(table.check() == nil)
        for number in numbers.dropFirst(2) {
            #expect(table.oldestWaiting() == number)
            table.remove(number, as: .evicted)
        }
        #expect(table.oldestWaiting() == .max)
        establish(&table, numbers[0], now: 1)
        #expect((table.waiting, table.statistics.sheltered) == (1, 1))
        table.expose(numbers[1])
        #expect(table.oldestWaiting() == numbers[1])
        table.expose(numbers[1])
        table.expose(numbers[0])
        #expect((table.waiting, table.statistics.sheltered, table.statistics.damaged) == (1, 0, 0))
        #expect(table.check() == nil)
        _ = table.shelter(numbers[1], most: 1)
        #expect(table.expireAll(now: FlowTimeouts.ticks(seconds: 30)) == [numbers[1]])
        #expect(table.statistics.sheltered == 0)
        #expect(table.check() == nil)
    }

    @Test func `a recovery puts sheltered flows in line`() throws {
        let memory = memory(100)
        var table = try memory.table(FlowKey4.self, capacity: 100)
        let numbers = (0..<5).map { table.open(FlowKey4(numbered: $0), now: $0) }
        _ = table.shelter(numbers[0], most: 1)
        #expect(try memory.recover(FlowKey4.self, capacity: 100) == .kept)
        #expect(table.check() == nil)
        #expect((table.listed, table.oldestWaiting()) == (5, numbers[0]))
    }

    @Test(arguments: [(50, 30), (43, 30), (65, 16), (87, 2)]) func `timeouts of waiting flows shrink as their share fills`(
        waiting: Int, seconds: UInt32
    ) throws {
        // 87 of 100 may wait; half of them are 43.
        let memory = memory(100)
        var table = try memory.table(FlowKey4.self, capacity: 100)
        table.settings.waitingShare = waiting == 50 ? 1000 : 875
        for i in 0..<waiting { _ = table.open(FlowKey4(numbered: UInt32(i), protocolNumber: 6), state: .synSent) }
        let established = table.open(FlowKey4(numbered: 99, protocolNumber: 6), state: .established)
        _ = table.stepsDue(now: 1, most: 0)
        #expect(table.expireAll(now: FlowTimeouts.ticks(seconds: seconds) - 500).isEmpty)
        #expect(table.expireAll(now: FlowTimeouts.ticks(seconds: seconds) + 500).count == waiting)
        #expect(table[established].state == .established)
        #expect(table.check() == nil)
    }

    @Test func `after a flood timeouts stay short until half of the share is free, and are whole then`() throws {
        let memory = memory(1000)
        var table = try memory.table(FlowKey4.self, capacity: 1000)
        let numbers = (0..<875).map { table.open(FlowKey4(numbered: $0, protocolNumber: 6), state: .synSent) }
        _ = table.stepsDue(now: 1, most: 0)
        for number in numbers.prefix(400) { table.remove(number) }
        _ = table.stepsDue(now: 2, most: 0)
        #expect(table.expireAll(now: FlowTimeouts.ticks(seconds: 3)).count == 475)
        _ = table.stepsDue(now: 3000, most: 0)
        let late = table.open(FlowKey4(numbered: 9999, protocolNumber: 6), state: .synSent, now: 3000)
        #expect(table.expireAll(now: 3000 + FlowTimeouts.ticks(seconds: 29)).isEmpty)
        #expect(table.expireAll(now: 3000 + FlowTimeouts.ticks(seconds: 30)) == [late])
    }
}
