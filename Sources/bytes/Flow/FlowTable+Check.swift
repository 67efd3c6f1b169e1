// SPDX-License-Identifier: Apache-2.0

/// What is wrong with a table's memory.
public enum FlowTableDamage: Error, Equatable, Sendable {
    /// Identity, or a number in the header that is none of the table.
    case header
    /// An entry's state is none.
    case entry(UInt32)
    /// A place of a bucket leads nowhere, to an entry of another key, to one that ended, or to one that has a place already.
    case bucket(UInt32)
    /// A bucket's count of strayed keys is wrong.
    case strays(UInt32)
    /// A live flow has no place in the index.
    case unindexed
    /// The list of free entries is broken.
    case freeList
    /// The list of waiting flows is broken.
    case waitingList
    /// The numbers of flows in the header are not those of the entries.
    case counts
}

extension FlowTable {
    /// The first thing found wrong with the table's memory, or `nil`. Reads all of it, follows its lists and allocates: what tests
    /// hold against a table, and debug builds against one that `FlowTableRecovery` kept. That one reads more quickly.
    @inlinable public borrowing func check() -> FlowTableDamage? {
        let numbers = unsafe header.pointee
        let layout = FlowTableLayout<Key>(capacity: capacity)
        guard layout.matches(numbers), numbers.fresh <= limit else { return .header }
        var states = [UInt8](repeating: 0, count: Int(numbers.fresh))
        var (live, waits): (UInt32, UInt32) = (0, 0)
        for number in 0..<numbers.fresh {
            let state = state(number)
            guard state == 0 || Self.isLive(state) else { return .entry(number) }
            states[Int(number)] = state
            if state != 0 { live += 1 }
            if Self.isWaiting(state) { waits += 1 }
        }
        return checkIndex(states, live: live) ?? checkLists(states)
            ?? (numbers.used == live && numbers.waiting == waits ? nil : .counts)
    }

    /// Every place leads to a live entry of its own whose key belongs there, and every live entry has one.
    @inlinable func checkIndex(_ states: [UInt8], live: UInt32) -> FlowTableDamage? {
        var placed = [Bool](repeating: false, count: states.count)
        var strays = [UInt32](repeating: 0, count: Int(buckets))
        var count: UInt32 = 0
        for bucketNumber in 0..<buckets {
            let line = unsafe bucket(bucketNumber)
            for slot in 0..<10 {
                let tag = unsafe UInt64(line.load(fromByteOffset: 2 * slot, as: UInt16.self))
                guard tag != 0 else { continue }
                let word = unsafe word(of: line, slot)
                let number = word & Self.numberMask
                guard Int(number) < states.count, states[Int(number)] != 0, !placed[Int(number)] else {
                    return .bucket(bucketNumber)
                }
                // In bounds: `number` is below `fresh`, which is at most the capacity.
                let hash = unsafe hash(key(at: number).pointee)
                let home = first(hash)
                let isSecond = word & Self.secondBit != 0
                guard tag == Self.tag(hash), bucketNumber == (isSecond ? other(home, tag: tag) : home) else {
                    return .bucket(bucketNumber)
                }
                placed[Int(number)] = true
                count += 1
                if isSecond { strays[Int(home)] += 1 }
            }
        }
        guard count == live else { return .unindexed }
        for number in 0..<buckets where unsafe strays[Int(number)] != self.strays(of: bucket(number)) { return .strays(number) }
        return nil
    }

    /// Every ended entry is on one list, every waiting flow on the waiting list or sheltered, and both lists end where they should.
    @inlinable func checkLists(_ states: [UInt8]) -> FlowTableDamage? {
        var listed = [Bool](repeating: false, count: states.count)
        var number = unsafe header.pointee.free
        while number != FlowLink.end {
            guard Int(number) < states.count, !listed[Int(number)], states[Int(number)] == 0 else { return .freeList }
            listed[Int(number)] = true
            number = unsafe details[Int(number)].next
        }
        guard let count = checkWaitingList(states, &listed) else { return .waitingList }
        var sheltered: UInt32 = 0
        for (number, state) in states.enumerated() where !listed[number] {
            if state == 0 { return .freeList }
            if Self.isWaiting(state) { sheltered += 1 }
            if unsafe details[number].next != FlowLink.none || details[number].previous != FlowLink.none { return .waitingList }
        }
        let numbers = unsafe header.pointee
        return numbers.sheltered == sheltered && numbers.waiting == count &+ sheltered ? nil : .counts
    }

    /// Walks the waiting list, whose links must lead to and fro between waiting flows; returns how many it met, or `nil`.
    @inlinable func checkWaitingList(_ states: [UInt8], _ listed: inout [Bool]) -> UInt32? {
        var (number, last, count) = unsafe (header.pointee.oldest, FlowLink.end, UInt32(0))
        while number != FlowLink.end {
            guard Int(number) < states.count, !listed[Int(number)], Self.isWaiting(states[Int(number)]),
                unsafe details[Int(number)].previous == last
            else { return nil }
            listed[Int(number)] = true
            last = number
            count += 1
            number = unsafe details[Int(number)].next
        }
        return unsafe last == header.pointee.newest ? count : nil
    }
}
