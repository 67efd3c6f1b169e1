// SPDX-License-Identifier: Apache-2.0
import Flow
import Net
import TestSupport
import Testing

@Suite("Flow table and its model") struct WalkTests {
    @Test(arguments: [UInt64(1), 2, 3]) func `a random walk in IPv4 agrees with a dictionary`(seed: UInt64) throws {
        try walk(FlowKey4.self, seed: seed) { number in
            let protocolNumber: UInt32 = number % 3 == 0 ? 6 : 17
            return FlowKey4(
                low: 0x0a00_0000 | number, high: 0xc0a8_0001, ports: number << 16 | 53, vlans: 0, tunnel: 0,
                context: protocolNumber << 24)
        }
    }

    @Test(arguments: [UInt64(4), 5]) func `a random walk in IPv6 agrees with a dictionary`(seed: UInt64) throws {
        try walk(FlowKey6.self, seed: seed) { number in
            let protocolNumber: UInt32 = number % 3 == 0 ? 6 : 17
            return FlowKey6(
                low: Address(high: 0x2001_0db8 << 32, low: UInt64(number)), high: Address(high: 0x2001_0db8 << 32 | 1, low: 1),
                ports: 443, vlans: number & 1, tunnel: 0, context: protocolNumber << 24)
        }
    }

    /// 50,000 steps of find, open, frame, remove and time, in a table of 500 flows with 1,500 keys, over the wrap of the ticks.
    private func walk<Key: FlowKey>(_ type: Key.Type, seed: UInt64, key: (UInt32) -> Key) throws {
        var random = Seeded(seed)
        let memory = TestMemory(Key.self, capacity: 500)
        var table = try memory.table(Key.self, capacity: 500, secret: random.secret())
        var model = SlowFlowTable(capacity: 500)
        var now = UInt32.max - 200_000
        for step in 0..<50_000 {
            let pick = UInt32.random(in: 0..<1500, using: &random)
            let (key, name) = (key(pick), String(pick))
            let number = table.find(key)
            try #require(number == model.flows[name]?.number ?? .max, "seed \(seed) step \(step)")
            switch UInt32.random(in: 0..<10, using: &random) {
            case 0..<6 where number == .max:
                open(&table, &model, key, name, isTCP: pick % 3 == 0, now: now)
            case 0..<6:
                frame(&table, &model, number, name, isTCP: pick % 3 == 0, answer: Bool.random(using: &random), now: now)
            case 6 where number != .max:
                table.remove(number)
                model.flows[name] = nil
            default:
                now &+= UInt32.random(in: 0..<40, using: &random)
                expire(&table, &model, now: now)
            }
            #expect((table.used, table.waiting) == (model.flows.count, model.waiting), "seed \(seed) step \(step)")
            if step % 5000 == 0 { try #require(table.check() == nil, "seed \(seed) step \(step)") }
        }
        #expect(table.check() == nil)
        #expect(table.statistics.damaged == 0)
        #expect(table.statistics.evicted > 0 && table.statistics.expired > 0, "the walk reaches every act")
        #expect(memory.isMarginIntact)
        for (name, flow) in model.flows { #expect(table.find(key(UInt32(name)!)) == flow.number) }
    }

    private func open<Key: FlowKey>(
        _ table: inout FlowTable<Key>, _ model: inout SlowFlowTable, _ key: Key, _ name: String, isTCP: Bool, now: UInt32
    ) {
        let state: FlowState = isTCP ? .synSent : .oneSided
        var number = table.open(key, state: state, now: now)
        if !model.canOpen { #expect(number == .max) }
        while number == .max {
            let oldest = table.oldestWaiting()
            guard oldest != .max else { break }
            let victim = model.flows.first { $0.value.number == oldest }
            #expect(victim?.value.isWaiting == true)
            if let victim { model.flows[victim.key] = nil }
            table.remove(oldest, as: .evicted)
            number = table.open(key, state: state, now: now)
        }
        guard number != .max else { return }
        #expect(!model.flows.values.contains { $0.number == number })
        model.open(name, number: number, now: now, isTCP: isTCP)
    }

    private func frame<Key: FlowKey>(
        _ table: inout FlowTable<Key>, _ model: inout SlowFlowTable, _ number: UInt32, _ name: String, isTCP: Bool, answer: Bool,
        now: UInt32
    ) {
        let flags: UInt8 = !isTCP ? 0 : answer ? 0x12 : model.flows[name]!.state == .synSent ? 0x02 : 0x10
        let nowhere = (Address(v4: 1), UInt16(1))
        let reading =
            isTCP
            ? Reading.tcp(flags, from: nowhere, to: nowhere, sequence: flags == 0x10 ? 0 : .max)
            : .packet(.udp, from: nowhere, to: nowhere)
        guard case .live = table.track(number, reading, sender: answer ? .high : .low, length: 100, now: now) else {
            Issue.record("not live")
            return
        }
        model.flows[name]!.lastSeen = now
        model.flows[name]!.bytes += 100
        switch (isTCP, answer, model.flows[name]!.state) {
        case (false, true, .oneSided): model.flows[name]!.state = .answered
        case (false, false, .answered): model.flows[name]!.state = .established
        case (true, true, .synSent): model.flows[name]!.state = .synReceived
        case (true, false, .synReceived): model.flows[name]!.state = .established
        default: break
        }
        #expect(table[number].state == model.flows[name]!.state)
        #expect(table[number].lowBytes + table[number].highBytes == model.flows[name]!.bytes)
    }

    private func expire<Key: FlowKey>(_ table: inout FlowTable<Key>, _ model: inout SlowFlowTable, now: UInt32) {
        let timeouts = table.settings.timeouts
        var ended: [UInt32] = []
        if now != table.statistics.handTick { model.measurePressure() }
        table.expire(now: now, budget: 1000) { entry, _ in ended.append(entry.lastSeen) }
        let due = model.flows.filter { Int32(bitPattern: now &- $0.value.lastSeen) >= model.pressedLimit($0.value, timeouts) }
        #expect(ended.count <= due.count)
        // Overdue by more than a round of the hand, without pressure: must be gone.
        for (name, flow) in due {
            // The model learns from the table which of the due flows the hand has met.
            if table[flow.number].state == .free {
                model.flows[name] = nil
            } else {
                let overdue = Int32(bitPattern: now &- flow.lastSeen &- model.limit(flow, timeouts))
                #expect(overdue <= 4096 + 500, "flow \(name) overdue by \(overdue)")
            }
        }
    }
}
