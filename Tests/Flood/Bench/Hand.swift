// SPDX-License-Identifier: Apache-2.0
import Flow
import Net
import TestSupport

/// What finding quiet flows costs: the table's hand, beside lists of timeouts as VPP keeps them.
public enum Hand {
    /// Measures both for a full table of so many flows, and prints it.
    public static func measure(_ capacity: Int) {
        let memory = PlainMemory(byteCount: FlowTable<FlowKey4>.byteCount(capacity: capacity))
        unsafe FlowTable<FlowKey4>.format(base: memory.base, capacity: capacity)
        var random = PacketRandom(seed: 7)
        let secret = HashSecret { _ in random.next() }
        guard var table = unsafe FlowTable<FlowKey4>(base: memory.base, capacity: capacity, secret: secret) else { return }
        fill(&table, capacity)
        let seconds = max(10, Int(FlowTable<FlowKey4>.ticksOfRound(UInt64(capacity))) / 900)
        var (busy, latest): (UInt64, UInt32) = (0, 0)
        for tick in 1...UInt32(seconds * 954) {
            // A flow of a thousand in a second goes quiet for good: its end shows how late the hand is.
            if tick % 954 == 0 { silence(&table, capacity, tick) }
            let begin = FloodBench.time()
            var steps = table.stepsDue(now: tick, most: 1024)
            while true {
                let number = table.nextExpired(now: tick, steps: &steps)
                guard number != .max else { break }
                latest = max(latest, tick &- table[number].lastSeen &- FlowTimeouts.ticks(seconds: 7440))
                table.remove(number, as: .expired)
            }
            busy += FloodBench.time() - begin
        }
        let share = Double(busy) / Double(seconds) / 1e7
        print(
            "hand: \(capacity) flows: \(Flood.text(share)) % of a core, at most \(Flood.text(Double(latest) / 954)) s late")
        lists(capacity, &random)
    }

    private static func fill(_ table: inout FlowTable<FlowKey4>, _ count: Int) {
        for number in 0..<UInt32(count) {
            let key = FlowKey4(
                low: 0x0a00_0000 + number / 60_000, high: 0x0b00_0000, ports: (number % 60_000) << 16 | 443, vlans: 0,
                tunnel: 0, context: 6 << 24)
            let place = table.insert(key, hash: table.hash(key), state: .established, initiator: .low, now: 0)
            precondition(place == number, "every place of a table can be filled")
        }
    }

    /// Some flows were last heard of just long enough ago.
    private static func silence(_ table: inout FlowTable<FlowKey4>, _ count: Int, _ tick: UInt32) {
        var number = tick % 997
        while number < UInt32(count) {
            if table[number].state == .established, table[number].lastSeen < 1 << 30 {
                table[number].lastSeen = tick &- FlowTimeouts.ticks(seconds: 7440)
            }
            number += 100_003
        }
    }

    /// The links of a flow in a list of its class, 24 bytes beside it as the table's details are.
    private struct Links {
        var next: UInt32 = 0
        var previous: UInt32 = 0
        var rest: (UInt64, UInt64) = (0, 0)
    }

    /// What it costs to move flows between two lists of timeouts, a random one each time as state changes come: taken out of one, in
    /// which its neighbours are strangers, and put at the end of the other.
    private static func lists(_ capacity: Int, _ random: inout PacketRandom) {
        var links = [Links](repeating: Links(), count: capacity)
        // The order of a list is that in which its flows came or changed, which after some time is any.
        var order = Array(0..<UInt32(capacity))
        order.shuffle(using: &random)
        for place in order.indices {
            links[Int(order[place])].next = order[place + 1 == capacity ? 0 : place + 1]
            links[Int(order[place])].previous = order[place == 0 ? capacity - 1 : place - 1]
        }
        var last = order[capacity - 1]
        let moves = 1_000_000
        let picks = (0..<moves).map { _ in UInt32.random(in: 0..<UInt32(capacity), using: &random) }
        let begin = FloodBench.time()
        for number in picks where number != last {
            let (next, previous) = (links[Int(number)].next, links[Int(number)].previous)
            links[Int(previous)].next = next
            links[Int(next)].previous = previous
            let first = links[Int(last)].next
            (links[Int(number)].next, links[Int(number)].previous) = (first, last)
            links[Int(last)].next = number
            links[Int(first)].previous = number
            last = number
        }
        let took = Double(FloodBench.time() - begin) / Double(moves)
        print(
            "lists: \(capacity) flows: \(Flood.text(took)) ns a change of state; a core's percent is \(Int(1e7 / took)) changes a second"
        )
    }
}
