// SPDX-License-Identifier: Apache-2.0
import Flow
import Net
import TestSupport
import Testing

@Suite("Flow table") struct FlowTableTests {
    /// Numbers of 24 bits, of which one is none.
    private static let grounds = FlowGrounds(
        sourceClass: 0xfffffe, destinationClass: 0x12_3456, egressRecord: 0xab_cdef, ingressRecord: .max)

    @Test func `the layout is the one that memory files hold`() {
        #expect(MemoryLayout<FlowKey4>.size + MemoryLayout<FlowEntry>.size == 96)
        #expect(MemoryLayout<FlowKey6>.size + MemoryLayout<FlowEntry>.size == 120)
        #expect(FlowTableLayout<FlowKey4>.stride == 96)
        #expect(FlowTableLayout<FlowKey6>.stride == 128)
        #expect(MemoryLayout<FlowDetail>.size == 24)
        #expect(MemoryLayout<FlowDetail>.stride == 24)
        #expect(MemoryLayout<FlowTableHeader>.size <= FlowTableHeader.size)
        let state = MemoryLayout<FlowEntry>.offset(of: \.state)
        #expect(state == FlowTableLayout<FlowKey4>.stateOffset - MemoryLayout<FlowKey4>.size)
        #expect(state == FlowTableLayout<FlowKey6>.stateOffset - MemoryLayout<FlowKey6>.size)
        for (number, state) in FlowState.allCases.enumerated() { #expect(Int(state.number) == number) }
    }

    @Test func `a flow takes at most 128 bytes in IPv4 and 160 in IPv6, everything included`() {
        for capacity in [10_000, 100_000, 1_000_000, 10_000_000] {
            #expect(FlowTable<FlowKey4>.byteCount(capacity: capacity) <= 128 * capacity)
            #expect(FlowTable<FlowKey6>.byteCount(capacity: capacity) <= 160 * capacity)
        }
    }

    @Test func `memory that holds another table is not adopted`() throws {
        let memory = TestMemory(count: FlowTable<FlowKey6>.byteCount(capacity: 100))
        #expect(!memory.holds(FlowKey4.self, capacity: 100))
        unsafe FlowTable<FlowKey4>.format(base: memory.base, capacity: 100)
        #expect(memory.holds(FlowKey4.self, capacity: 100))
        #expect(!memory.holds(FlowKey6.self, capacity: 100))
        #expect(!memory.holds(FlowKey4.self, capacity: 99))
    }

    @Test func `a table that another secret filled is not adopted`() throws {
        var random = Seeded(3)
        let (one, two) = (random.secret(), random.secret())
        let memory = TestMemory(FlowKey4.self, capacity: 100)
        #expect(memory.holds(FlowKey4.self, capacity: 100, secret: one))
        var table = try memory.table(FlowKey4.self, capacity: 100, secret: two)
        _ = table.open(FlowKey4(numbered: 1))
        #expect(memory.holds(FlowKey4.self, capacity: 100, secret: two))
        #expect(!memory.holds(FlowKey4.self, capacity: 100, secret: one))
    }

    @Test(arguments: [1, 2, 8, 25, 100, 1000, 20_000]) func `every place of a table can be filled`(capacity: Int) throws {
        let memory = TestMemory(FlowKey4.self, capacity: capacity)
        var table = try memory.table(FlowKey4.self, capacity: capacity)
        let waits = table.waitingLimit
        for i in 0..<capacity {
            let number = table.open(FlowKey4(numbered: UInt32(i)), state: i < waits ? .oneSided : .established)
            try #require(number != .max, "\(i) of \(capacity)")
        }
        #expect(table.used == capacity)
        for i in 0..<capacity { #expect(table.find(FlowKey4(numbered: UInt32(i))) != .max) }
        #expect(table.open(FlowKey4(numbered: 0xff_ffff), state: .established) == .max)
        #expect(table.statistics.refused == 1)
        #expect(table.check() == nil)
        #expect(memory.isMarginIntact)
    }

    @Test func `when the table is full the oldest waiting flow gives way and no established one does`() throws {
        let memory = TestMemory(FlowKey4.self, capacity: 64)
        var table = try memory.table(FlowKey4.self, capacity: 64)
        var numbers: [UInt32] = []
        for i in 0..<64 {
            let state: FlowState = i % 2 == 0 ? .oneSided : .established
            numbers.append(table.open(FlowKey4(numbered: UInt32(i)), state: state, now: UInt32(i)))
        }
        for i in 0..<32 {
            #expect(table.open(FlowKey4(numbered: UInt32(1000 + i)), state: .established) == .max)
            let oldest = table.oldestWaiting()
            #expect(oldest == numbers[2 * i])
            table.remove(oldest, as: .evicted)
            #expect(table.open(FlowKey4(numbered: UInt32(1000 + i)), state: .established) == oldest)
        }
        #expect(table.oldestWaiting() == .max)
        #expect(table.statistics.evicted == 32)
        #expect(table.used == 64)
        for i in 0..<64 { #expect((table.find(FlowKey4(numbered: UInt32(i))) != .max) == (i % 2 == 1)) }
        #expect(table.check() == nil)
    }

    @Test func `waiting flows never take the last eighth`() throws {
        let memory = TestMemory(FlowKey4.self, capacity: 80)
        var table = try memory.table(FlowKey4.self, capacity: 80)
        for i in 0..<70 { #expect(table.open(FlowKey4(numbered: UInt32(i)), state: .synSent) != .max) }
        #expect(table.open(FlowKey4(numbered: 70), state: .synSent) == .max)
        #expect(table.open(FlowKey4(numbered: 70), state: .established) != .max)
        #expect((table.used, table.waiting) == (71, 70))
    }

    @Test func `a flood of opening frames costs no established flow and no memory`() throws {
        let memory = TestMemory(FlowKey4.self, capacity: 1000)
        var table = try memory.table(FlowKey4.self, capacity: 1000)
        for i in 0..<500 { _ = table.open(FlowKey4(numbered: UInt32(i)), state: .established) }
        for i in 0..<50_000 {
            let key = FlowKey4(numbered: UInt32(1000 + i), protocolNumber: 6)
            var number = table.open(key, state: .synSent, now: UInt32(i / 100))
            if number == .max {
                table.remove(table.oldestWaiting(), as: .evicted)
                number = table.open(key, state: .synSent, now: UInt32(i / 100))
            }
            #expect(number != .max)
        }
        for i in 0..<500 { #expect(table.find(FlowKey4(numbered: UInt32(i))) != .max) }
        #expect(table.used == 1000)
        #expect(table.statistics.evicted == 49_500)
        #expect(table.check() == nil)
        #expect(memory.isMarginIntact)
    }

    @Test func `twenty keys of one hash find their place and the next is refused`() throws {
        let memory = TestMemory(ChosenKey.self, capacity: 1000)
        var table = try memory.table(ChosenKey.self, capacity: 1000)
        let keys = (0..<21).map { ChosenKey(hashed: 0x1234_5678_0000_4321, identity: $0) }
        var numbers = keys.prefix(20).map { table.open($0) }
        #expect(Set(numbers).count == 20)
        #expect(!numbers.contains(.max))
        #expect(table.open(keys[20]) == .max)
        #expect(keys.prefix(20).map { table.find($0) } == numbers)
        #expect(table.find(keys[20]) == .max)
        #expect(table.check() == nil)
        table.remove(numbers.removeFirst())
        #expect(table.open(keys[20]) != .max)
        #expect(table.find(keys[20]) != .max)
        #expect(table.find(keys[0]) == .max)
        #expect(table.check() == nil)
    }

    @Test func `keys of one bucket stray to their second and are found there`() throws {
        let memory = TestMemory(ChosenKey.self, capacity: 1000)
        var table = try memory.table(ChosenKey.self, capacity: 1000)
        let keys = (0..<300).map { ChosenKey(hashed: 0x4000_0000_0000_0000 | UInt64($0 * 211 & 0xffff), identity: $0) }
        #expect(table.hash(keys[7]) == keys[7].hashed)
        let numbers = keys.map { table.open($0) }
        #expect(Set(numbers).count == 300)
        #expect(keys.map { table.find($0) } == numbers)
        for (key, number) in zip(keys, numbers) {
            let candidate = table.candidate(key.hashed)
            #expect(table.find(key, hash: key.hashed, candidate: candidate) == number)
            #expect(table.find(key, hash: key.hashed, candidate: (number + 1) % 300) == number, "a wrong guess costs time only")
        }
        #expect(table.check() == nil)
        for (key, number) in zip(keys, numbers) where key.identity % 3 != 0 { table.remove(number) }
        #expect(table.check() == nil)
        for (key, number) in zip(keys, numbers) { #expect(table.find(key) == (key.identity % 3 == 0 ? number : .max)) }
    }

    @Test func `the hardest key finds one entry from both ends and keeps all that is known after adoption`() throws {
        var there = Reading.packet(
            .tcp, from: ("2001:db8::1" as Address, 50_000), to: ("2001:db8:ffff::2" as Address, 443))
        there.vlans = VLANTags(100, 200)
        there.tunnel = Tunnel(.geneve, identifier: 0xabcdef, depth: 2)
        var back = there
        (back.source, back.destination) = (there.destination, there.source)
        (back.sourcePort, back.destinationPort) = (there.destinationPort, there.sourcePort)
        there.tcpFlags = .syn

        let memory = TestMemory(FlowKey6.self, capacity: 1000)
        var secrets = Seeded(7)
        let secret = secrets.secret()
        let (key, sender) = FlowKey6.make(of: there, pair: 3)
        let (backKey, backSender) = FlowKey6.make(of: back, pair: 3)
        #expect(sender == backSender.other)
        try inOneTable(memory, secret) { table in
            let number = table.insert(key, hash: table.hash(key), state: .synSent, initiator: sender, now: 5)
            guard case .live = table.track(number, there, sender: sender, length: 90, now: 6) else {
                Issue.record("not live")
                return
            }
            table[number].marks.formUnion([.failsafe, .inspected])
            (table[number].generation, table[number].epoch, table[number].validUntil) = (11, 12, 13)
            (table[number].change, table[number].drainSeconds) = (3, 65_535)
            table[detail: number].inspection = 16
            table.setGrounds(Self.grounds, of: number)
        }
        try inOneTable(memory, secret) { table in
            #expect(table.check() == nil)
            let number = table.find(backKey, hash: table.hash(backKey))
            try #require(number != .max)
            let (entry, detail) = (table[number], table[detail: number])
            #expect(entry.state == .synSent)
            #expect(entry.marks.contains([.failsafe, .inspected]))
            #expect(entry.initiator == sender)
            #expect((entry.generation, entry.epoch, entry.validUntil, entry.lastSeen) == (11, 12, 13, 6))
            #expect((entry.change, entry.drainSeconds) == (3, 65_535))
            #expect((detail.inspection, detail.firstSeen) == (16, 5))
            #expect(table.grounds(of: number) == Self.grounds)
            #expect((entry.lowBytes + entry.highBytes, entry.lowFrames + entry.highFrames) == (90, 1))
        }
        var other = back
        other.tunnel.identifier = 0xabcdee
        try inOneTable(memory, secret) { table in
            #expect(table.find(FlowKey6.make(of: other, pair: 3).key) == .max)
            #expect(table.find(FlowKey6.make(of: back, pair: 2).key) == .max)
        }
    }

    private func inOneTable(
        _ memory: TestMemory, _ secret: HashSecret, _ body: (inout FlowTable<FlowKey6>) throws -> Void
    ) throws {
        var table = try memory.table(FlowKey6.self, capacity: 1000, secret: secret)
        try body(&table)
    }

    @Test func `the data path's use of the table compiles without locks and works`() throws {
        let memory = TestMemory(FlowKey4.self, capacity: 100)
        var table = try memory.table(FlowKey4.self, capacity: 100)
        let (client, server) = (("10.0.0.1" as Address, UInt16(5000)), ("10.0.0.2" as Address, UInt16(80)))
        let readings: InlineArray<4, Reading> = [
            .tcp(0x02, from: client, to: server), .tcp(0x12, from: server, to: client, acknowledgement: 1),
            .tcp(0x10, from: client, to: server, sequence: 1, acknowledgement: 1),
            .packet(.udp, from: client, to: server),
        ]
        var ends = HotPath.Ends()
        #expect(HotPath.turn(&table, readings, &ends, now: 1) == 4)
        #expect(table.used == 2)
        #expect(ends.count == 0)
        #expect(table.check() == nil)
    }
}
