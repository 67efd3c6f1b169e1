// SPDX-License-Identifier: Apache-2.0
public import Net

// Flows that wait until both ends are known to be there: half open, or without a handshake one-sided or answered once. Whoever can send
// frames can make as many of them as it likes, so they have a share of the table of their own (`waitingLimit`) and stand in a list in
// the order of their opening. A newcomer that finds the share or the table full takes the place of the first. The list is linked both
// ways (`FlowDetail.next`, `previous`): a flow that is established, ends or is removed leaves it at once, wherever it stands.
//
// Answers. A question in a forged name is answered as any other. So one answer shows nothing of the initiator, and changes only the
// state: the flow waits on, with the timeout of one that nobody answered, until the initiator speaks again (`talk`; Linux calls it
// assured). Most questions to a name server end before that.
//
// Pressure. Under a flood most of what waits will never be answered. As pf does ("adaptive timeouts"), the timeouts of waiting flows
// shrink once more than half of the share is taken, linearly down to two seconds at the whole. What was reached holds until half is
// free again: else the last of a flood would leave ever more slowly, because each that leaves would lengthen the time of the others.
//
// Shelter. A few flows of failsafe services may wait outside of the list, where no newcomer reaches them. More than that stand in
// line as all others do: else whoever reaches a failsafe port could fill the table for ever.
//
// Damage. Links are numbers out of memory. A neighbour's link is changed only where it points back, so that wrong bytes break the list
// and nothing beside it; each loop ends after a bounded number of steps.

extension FlowTable {
    /// `pressure` at its highest: the share is full.
    @inlinable static var fullPressure: UInt32 { 1024 }
    /// How long a waiting flow may be quiet under full pressure, in ticks: 2 s.
    @inlinable static var shortestWait: UInt32 { 1907 }

    /// How many flows may wait in the list, so that a flood of opening frames always leaves room: the configured share, at least one.
    @inlinable public var waitingLimit: Int {
        @_noLocks get { max(1, Int(truncatingIfNeeded: UInt64(limit) &* UInt64(settings.waitingShare) / 1000)) }
    }

    /// How many flows wait in the list, ready to give way.
    @inlinable public var listed: Int {
        @_noLocks get {
            let waiting = unsafe header.pointee.waiting
            return unsafe Int(truncatingIfNeeded: waiting &- min(header.pointee.sheltered, waiting))
        }
    }

    /// The waiting flow that was opened first, which gives its place when there is no other, or `.max`. The caller reports it,
    /// removes it (`remove(_:as: .evicted)`) and inserts again. Established and sheltered flows never give way.
    @inlinable @inline(never) public mutating func oldestWaiting() -> UInt32 {
        for _ in 0..<64 {
            let number = unsafe header.pointee.oldest
            guard number < limit else { return .max }
            if Self.isWaiting(state(number)) { return number }
            // Only damage leaves such a one there.
            noteDamage()
            unlist(number)
        }
        return .max
    }

    /// Asks for the lines that the next two ends of `oldestWaiting` touch: under a flood each new flow ends an old one. Of the first the key
    /// is there since the last call, so that it tells the bucket; of the second the entry is asked for.
    @inlinable public func prefetchOldest() {
        let first = unsafe header.pointee.oldest
        guard first < limit else { return }
        // In bounds by the line above.
        unsafe prefetchIndex(hash(key(at: first).pointee))
        let second = unsafe details[Int(first)].next
        prefetchEntry(second)
        prefetchDetail(second)
    }

    /// Takes a waiting flow out of the list, so that it does not give way; false where `most` flows are sheltered already, or the flow
    /// waits no more.
    @inlinable @inline(never) public mutating func shelter(_ number: UInt32, most: Int) -> Bool {
        guard number < limit, Self.isWaiting(state(number)), unsafe Int(header.pointee.sheltered) < most else { return false }
        guard unsafe details[Int(number)].next != FlowLink.none else { return true }
        unlist(number)
        unsafe header.pointee.sheltered &+= 1
        return true
    }

    /// Puts a sheltered flow that still waits back into the list, as the newest.
    @inlinable @inline(never) public mutating func expose(_ number: UInt32) {
        guard number < limit, Self.isWaiting(state(number)), unsafe details[Int(number)].next == FlowLink.none else { return }
        lessSheltered()
        enlist(number)
    }

    /// A flow begins to wait.
    @inlinable func startWaiting(_ number: UInt32) {
        enlist(number)
        unsafe header.pointee.waiting &+= 1
    }

    /// A flow waits no more: it was answered, or it ends.
    @inlinable @inline(never) func stopWaiting(_ number: UInt32) {
        if unsafe details[Int(number)].next == FlowLink.none { lessSheltered() } else { unlist(number) }
        if unsafe header.pointee.waiting > 0 { unsafe header.pointee.waiting &-= 1 } else { noteDamage() }
    }

    @inlinable func lessSheltered() {
        if unsafe header.pointee.sheltered > 0 { unsafe header.pointee.sheltered &-= 1 } else { noteDamage() }
    }

    /// Appends an entry to the waiting list.
    @inlinable func enlist(_ number: UInt32) {
        unsafe details[Int(number)].next = FlowLink.end
        let newest = unsafe header.pointee.newest
        if unsafe header.pointee.oldest < limit, newest < limit, newest != number {
            unsafe details[Int(newest)].next = number
            unsafe details[Int(number)].previous = newest
        } else {
            unsafe details[Int(number)].previous = FlowLink.end
            unsafe header.pointee.oldest = number
        }
        unsafe header.pointee.newest = number
    }

    /// Takes an entry off the waiting list, wherever it stands.
    @inlinable func unlist(_ number: UInt32) {
        // In bounds: callers have compared `number` with `limit`.
        let (next, previous) = unsafe (details[Int(number)].next, details[Int(number)].previous)
        if previous < limit, previous != number, unsafe details[Int(previous)].next == number {
            unsafe details[Int(previous)].next = next < limit ? next : FlowLink.end
        } else if unsafe header.pointee.oldest == number {
            unsafe header.pointee.oldest = next < limit && next != number ? next : FlowLink.end
        } else {
            noteDamage()
        }
        if next < limit, next != number, unsafe details[Int(next)].previous == number {
            unsafe details[Int(next)].previous = previous < limit ? previous : FlowLink.end
        } else if unsafe header.pointee.newest == number {
            unsafe header.pointee.newest = previous < limit && previous != number ? previous : FlowLink.end
        } else {
            noteDamage()
        }
        // A free entry's link belongs to the free list: only damage brings one here.
        guard state(number) != 0 else { return }
        unsafe details[Int(number)].next = FlowLink.none
        unsafe details[Int(number)].previous = FlowLink.none
    }

    /// Keeps the list in order: a flow at its front that has gone on sending goes to its end, so that the first is always one that has
    /// been quiet. One that was answered has been heard twice as a rule: it goes there only while it is heard.
    @inlinable func tendList(now: UInt32) {
        let number = unsafe header.pointee.oldest
        guard number < limit, Self.isWaiting(state(number)), unsafe header.pointee.newest != number else { return }
        // In bounds by the guard.
        let lastSeen = unsafe body(number).pointee.lastSeen
        guard unsafe lastSeen != details[Int(number)].firstSeen else { return }
        // Signed: the clock of a burst may be a moment older than the last frame's.
        let quiet = Int32(bitPattern: now &- lastSeen)
        guard state(number) != FlowState.answered.number || quiet < Int32(bitPattern: Self.shortestWait) else { return }
        unlist(number)
        enlist(number)
    }

    /// Measures the pressure anew; see the head of this file.
    @inlinable mutating func measurePressure() {
        let (most, waits) = (UInt64(waitingLimit), UInt64(listed &+ listedBeside))
        let half = most / 2
        guard waits > half else {
            pressure = 0
            return
        }
        let share = min(waits &- half, most &- half) &* UInt64(Self.fullPressure) / max(1, most &- half)
        pressure = max(pressure, UInt32(truncatingIfNeeded: share))
    }

    /// A waiting flow's timeout under the present pressure.
    @inlinable func pressed(_ timeout: UInt32) -> UInt32 {
        guard pressure > 0, timeout > Self.shortestWait else { return timeout }
        let cut = UInt64(timeout &- Self.shortestWait) &* UInt64(pressure) / UInt64(Self.fullPressure)
        return timeout &- UInt32(truncatingIfNeeded: cut)
    }
}
