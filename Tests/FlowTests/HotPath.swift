// SPDX-License-Identifier: Apache-2.0
import Flow
import Net

/// What the data path does with a table, in one annotated function for each family: that this compiles proves, in debug builds too,
/// that no operation of the table allocates, locks or counts references.
enum HotPath {
    /// Ends of flows, counted as a worker's event ring would be written.
    struct Ends: ~Copyable {
        var bytes: UInt64 = 0
        var count = 0
    }

    @_noLocks static func turn(
        _ table: inout FlowTable<FlowKey4>, _ readings: InlineArray<4, Reading>, _ ends: inout Ends, now: UInt32
    ) -> Int {
        var hashes = InlineArray<4, UInt64>(repeating: 0)
        var candidates = InlineArray<4, UInt32>(repeating: .max)
        for i in 0..<4 { hashes[i] = table.hash(FlowKey4.make(of: readings[i], pair: 0).key) }
        for i in 0..<4 { table.prefetchIndex(hashes[i]) }
        for i in 0..<4 { candidates[i] = table.suggest(hashes[i]) }
        var live = 0
        for i in 0..<4 {
            let (key, sender) = FlowKey4.make(of: readings[i], pair: 0)
            var number = table.find(key, hash: hashes[i], candidate: candidates[i])
            if number == .max { number = open(&table, key, hashes[i], readings[i], sender, &ends, now: now) }
            guard number != .max else { continue }
            switch table.track(number, readings[i], sender: sender, length: 60, now: now) {
            case .live: live &+= 1
            case .ended: end(&table, number, .removed, &ends)
            case .reopen: table.reopen(number, initiator: sender, now: now)
            case .crossing: table.cross(number, readings[i], sender: sender, length: 60, now: now)
            case .answered: table.replace(number, now: now)
            case .refused: break
            }
        }
        var steps = table.stepsDue(now: now, most: 16)
        while true {
            let number = table.nextExpired(now: now, steps: &steps)
            if number == .max { break }
            end(&table, number, .expired, &ends)
        }
        table.postpone(steps)
        return live
    }

    @_noLocks static func open(
        _ table: inout FlowTable<FlowKey4>, _ key: FlowKey4, _ hash: UInt64, _ reading: borrowing Reading, _ sender: FlowEnd,
        _ ends: inout Ends, now: UInt32
    ) -> UInt32 {
        switch Opening.of(reading) {
        case .refused: return .max
        case .opens(let state):
            var number = table.insert(key, hash: hash, state: state, initiator: sender, now: now)
            if number == .max {
                let oldest = table.oldestWaiting()
                guard oldest != .max else { return .max }
                end(&table, oldest, .evicted, &ends)
                number = table.insert(key, hash: hash, state: state, initiator: sender, now: now)
            }
            guard number != .max else { return .max }
            if table.graceUntil > 0 { table.pickUp(number, isReply: false) }
            table[number].generation = 7
            table[detail: number].inspection = 0
            if table.shelter(number, most: 1) { table.expose(number) }
            return number
        }
    }

    @_noLocks static func end(
        _ table: inout FlowTable<FlowKey4>, _ number: UInt32, _ ending: FlowEnding, _ ends: inout Ends
    ) {
        ends.bytes &+= table[number].lowBytes &+ table[number].highBytes
        ends.count &+= table.grounds(of: number).sourceClass == 0 ? 1 : 1
        table.remove(number, as: ending)
    }
}
