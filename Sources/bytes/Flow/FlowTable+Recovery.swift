// SPDX-License-Identifier: Apache-2.0

// What `FlowTableRecovery` does to a table, in the table's own terms.

extension FlowTable {
    /// Takes an entry's links off, whatever they say. An entry that has none is not written to.
    @inlinable func unlink(_ number: UInt32) {
        // In bounds: the caller has compared `number` with `limit`.
        let detail = unsafe details + Int(number)
        if unsafe detail.pointee.next != FlowLink.none { unsafe detail.pointee.next = FlowLink.none }
        if unsafe detail.pointee.previous != FlowLink.none { unsafe detail.pointee.previous = FlowLink.none }
    }

    /// When a flow was opened; the caller has compared `number` with `limit`.
    @inlinable func opened(_ number: UInt32) -> FlowOpening {
        unsafe FlowOpening(number: number, tick: details[Int(number)].firstSeen)
    }

    /// Whether a bucket holds this very word under the tag.
    @inlinable func holds(_ wanted: UInt32, tag: UInt64, in number: UInt32) -> Bool {
        let line = unsafe bucket(number)
        var matches = unsafe slots(of: line, holding: tag)
        while matches != 0 {
            if unsafe word(of: line, Self.slot(matches)) == wanted { return true }
            matches &= matches &- 1
        }
        return false
    }

    /// Whether a place of the index is one in which the entry may lie; the caller has compared `number` with `limit`.
    @inlinable func belongs(_ number: UInt32, _ bucketNumber: UInt32, _ slot: Int) -> Bool {
        let line = unsafe bucket(bucketNumber)
        let hash = unsafe hash(key(at: number).pointee)
        let (home, tag) = (first(hash), Self.tag(hash))
        let isSecond = unsafe word(of: line, slot) & Self.secondBit != 0
        return unsafe UInt64(line.load(fromByteOffset: 2 * slot, as: UInt16.self)) == tag
            && bucketNumber == (isSecond ? other(home, tag: tag) : home)
    }

    /// Empties a place of the index.
    @inlinable func empty(_ bucketNumber: UInt32, _ slot: Int) {
        unsafe bucket(bucketNumber).storeBytes(of: 0, toByteOffset: 2 * slot, as: UInt16.self)
    }

    /// Gives a live entry a place in the index; false where its key has one already, or where there is none.
    @inlinable func index(_ number: UInt32) -> Bool {
        let key = unsafe key(at: number).pointee
        let hash = hash(key)
        guard find(key, hash: hash) == .max, let place = vacancy(hash) else { return false }
        occupy(place, hash: hash, number: number)
        return true
    }

    /// Empties both lists and states the numbers of flows; the entries' links are off.
    @inlinable func emptyLists(used: UInt32, waiting: UInt32) {
        unsafe (header.pointee.free, header.pointee.oldest, header.pointee.newest) = (FlowLink.end, FlowLink.end, FlowLink.end)
        unsafe (header.pointee.used, header.pointee.waiting, header.pointee.sheltered) = (used, waiting, 0)
    }

    /// Until when segments from the middle of a connection may open flows, in nanoseconds of the monotonic clock; 0 for not.
    @inlinable public var graceUntil: UInt64 {
        @_noLocks get { unsafe header.pointee.graceUntil }
        @_noLocks nonmutating set { unsafe header.pointee.graceUntil = newValue }
    }
}
