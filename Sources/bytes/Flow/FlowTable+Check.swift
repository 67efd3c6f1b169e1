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
    /// The first thing found wrong with the table's memory, or `nil`. Reads all of it and allocates: for adoption after a crash, not
    /// for a worker. A table that fails is either formatted, which loses its flows, or mended.
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

    /// Builds index, lists and counts anew from the entries alone and returns how many flows it could not keep: entries whose state
    /// is none, whose key another has, or that found no place. Waiting flows are put in the order of their opening, sheltered ones among
    /// them. Not for a table whose header is damaged: that one is formatted.
    @inlinable public mutating func mend() -> Int {
        let old = unsafe header.pointee
        let fresh = min(old.fresh, limit)
        let waits = prepareToMend(fresh)
        var lost = 0
        for number in 0..<fresh where Self.isLive(state(number)) {
            // In bounds: `fresh` is at most the capacity, here and below.
            let key = unsafe key(at: number).pointee
            let hash = hash(key)
            if find(key, hash: hash) == .max, let place = vacancy(hash) {
                occupy(place, hash: hash, number: number)
                unsafe header.pointee.used &+= 1
            } else {
                setState(number, 0)
                lost += 1
            }
        }
        for number in 0..<fresh where state(number) != 0 && !Self.isLive(state(number)) {
            setState(number, 0)
            lost += 1
        }
        for number in waits where Self.isWaiting(state(number)) { startWaiting(number) }
        for number in (0..<fresh).reversed() where state(number) == 0 { release(number) }
        return lost
    }

    /// Empties index and lists, keeps the counters, and returns the waiting flows, first opened first.
    @inlinable func prepareToMend(_ fresh: UInt32) -> [UInt32] {
        var clean = FlowTableLayout<Key>(capacity: capacity).header
        let old = unsafe header.pointee
        clean.fresh = fresh
        clean.secret = old.secret
        (clean.handTick, clean.damaged) = (old.handTick, old.damaged)
        (clean.inserted, clean.expired, clean.evicted) = (old.inserted, old.expired, old.evicted)
        (clean.removed, clean.refused) = (old.removed, old.refused)
        (clean.pickedUp, clean.graceUntil) = (old.pickedUp, old.graceUntil)
        unsafe header.pointee = clean
        unsafe index.initializeMemory(as: UInt64.self, repeating: 0, count: Int(buckets) * 8)
        var waits: [(number: UInt32, opened: UInt32)] = []
        for number in 0..<fresh {
            unsafe details[Int(number)].next = FlowLink.none
            unsafe details[Int(number)].previous = FlowLink.none
            if Self.isWaiting(state(number)) { unsafe waits.append((number, details[Int(number)].firstSeen)) }
        }
        guard let reference = waits.first?.opened else { return [] }
        // Ticks wrap: compare differences from one of them.
        waits.sort { Int32(bitPattern: $0.opened &- reference) < Int32(bitPattern: $1.opened &- reference) }
        return waits.map(\.number)
    }
}
