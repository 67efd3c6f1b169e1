// SPDX-License-Identifier: Apache-2.0
public import Net

// Every entry below `fresh` is live or on the free list; those that are live and wait are on the waiting list too, but for the
// sheltered ones.

extension FlowTable {
    /// Adds a flow. The caller has looked for its key and not found it. The entry is fresh: not allowed, not judged.
    ///
    /// Returns the entry's number, or `.max` when the table is full, when no more flows may wait, or when neither bucket of the key
    /// has room: end `oldestWaiting()` and try once more, else there is no place for it.
    ///
    /// - Parameters:
    ///   - key: the flow's key.
    ///   - hash: its `hash`.
    ///   - state: what the frame opens, from `Opening`.
    ///   - initiator: the end that sent the frame.
    ///   - now: the tick.
    @inlinable @inline(never) public mutating func insert(
        _ key: Key, hash: UInt64, state: FlowState, initiator: FlowEnd, now: UInt32
    ) -> UInt32 {
        let waits = Self.isWaiting(state.number)
        guard !waits || listed &+ listedBeside < waitingLimit, let place = vacancy(hash) else { return refuse() }
        let number = takeFree()
        guard number != .max else { return refuse() }
        var fresh = FlowEntry()
        fresh.lastSeen = now
        if initiator == .high { fresh.marks = FlowMarks(rawValue: 1) }
        // In bounds: `takeFree` compares. The state is written last, so that a kill between leaves a free entry.
        unsafe self.key(at: number).pointee = key
        unsafe body(number).pointee = fresh
        var detail = FlowDetail()
        detail.firstSeen = now
        unsafe details[Int(number)] = detail
        setState(number, state.number)
        occupy(place, hash: hash, number: number)
        if waits { startWaiting(number) }
        unsafe header.pointee.used &+= 1
        unsafe header.pointee.inserted &+= 1
        return number
    }

    /// Ends a flow: its number is free for another. Read what is to be reported before. A number without a live flow is ignored.
    @inlinable @inline(never) public mutating func remove(_ number: UInt32, as ending: FlowEnding = .removed) {
        guard number < limit, Self.isLive(state(number)) else { return }
        if Self.isWaiting(state(number)) { stopWaiting(number) }
        // In bounds by the guard.
        let hash = unsafe hash(key(at: number).pointee)
        if !vacate(number, hash: hash) { noteDamage() }
        setState(number, 0)
        if unsafe header.pointee.used > 0 { unsafe header.pointee.used &-= 1 }
        release(number)
        if ending.number == FlowEnding.expired.number {
            unsafe header.pointee.expired &+= 1
        } else if ending.number == FlowEnding.evicted.number {
            unsafe header.pointee.evicted &+= 1
        } else {
            unsafe header.pointee.removed &+= 1
        }
    }

    /// Opens a closed flow anew in its place, for a SYN that `track` answered with `reopen`: as if it had been removed and inserted.
    /// The caller has reported the old flow's end; it judges the new one.
    @inlinable @inline(never) public mutating func reopen(_ number: UInt32, initiator: FlowEnd, now: UInt32) {
        guard number < limit, Self.isLive(state(number)) else { return }
        if Self.isWaiting(state(number)) { stopWaiting(number) }
        // In bounds by the guard, here and below.
        let pointer = unsafe body(number)
        var fresh = FlowEntry()
        fresh.lastSeen = now
        fresh.state = .synSent
        if initiator == .high { fresh.marks = FlowMarks(rawValue: 1) }
        unsafe pointer.pointee = fresh
        var detail = FlowDetail()
        detail.firstSeen = now
        unsafe details[Int(number)] = detail
        startWaiting(number)
        unsafe header.pointee.removed &+= 1
        unsafe header.pointee.inserted &+= 1
    }

    @inlinable func setState(_ number: UInt32, _ state: UInt8) {
        // In bounds: callers have compared `number` with `limit`.
        unsafe entry(number).storeBytes(of: state, toByteOffset: FlowTableLayout<Key>.stateOffset, as: UInt8.self)
    }

    @inlinable func refuse() -> UInt32 {
        unsafe header.pointee.refused &+= 1
        return .max
    }

    @inlinable func noteDamage() { unsafe header.pointee.damaged &+= 1 }

    /// A number that is free: given back, or never used; `.max` when there is none.
    @inlinable func takeFree() -> UInt32 {
        for _ in 0..<16 {
            let number = unsafe header.pointee.free
            if number < limit {
                let next = unsafe details[Int(number)].next
                unsafe header.pointee.free = next < limit ? next : FlowLink.end
                if state(number) == 0 { return number }
                noteDamage()
            } else {
                let fresh = unsafe header.pointee.fresh
                guard fresh < limit else { return .max }
                unsafe header.pointee.fresh = fresh &+ 1
                return fresh
            }
        }
        return .max
    }

    /// Gives back the number of an entry that has ended and is in no list.
    @inlinable func release(_ number: UInt32) {
        unsafe details[Int(number)].next = header.pointee.free
        unsafe details[Int(number)].previous = FlowLink.none
        unsafe header.pointee.free = number
    }
}
