// SPDX-License-Identifier: Apache-2.0
public import Net

// Expiry by a hand that goes round all entries rather than by lists of timeouts: a flow changes its timeout with its state, several
// times in a short life, and a hand need not be told. One round takes about four seconds where the caller's budget allows it, so a
// flow ends at most that much later than its timeout says; entries lie side by side, so a step costs little.

extension FlowTable {
    /// The ticks of one round of the hand: 4.3 s.
    @inlinable static var round: UInt32 { 4096 }

    /// How many steps of the hand are due, at most `most`. Call it once a burst and spend them with `nextExpired`; it also tends the
    /// list of waiting flows.
    @inlinable public mutating func stepsDue(now: UInt32, most: Int) -> Int {
        let elapsed = unsafe now &- header.pointee.handTick
        guard elapsed != 0 else { return 0 }
        return advanceHand(now: now, elapsed: elapsed, most: most)
    }

    @inlinable @inline(never) mutating func advanceHand(now: UInt32, elapsed: UInt32, most: Int) -> Int {
        let span = unsafe min(header.pointee.fresh, limit)
        // A tick in the future is damage, or a clock that went back: start counting from here.
        guard Int32(bitPattern: elapsed) > 0, span > 0 else {
            unsafe header.pointee.handTick = now
            return 0
        }
        // A large table takes one step more rather than one less; a small one keeps the ticks that make no whole step.
        let product = UInt64(span) &* UInt64(elapsed)
        let isLarge = span >= Self.round
        let due = (isLarge ? product &+ UInt64(Self.round) &- 1 : product) / UInt64(Self.round)
        guard due > 0 else { return 0 }
        let kept = isLarge || due >= UInt64(span) ? 0 : elapsed &- UInt32(due &* UInt64(Self.round) / UInt64(span))
        unsafe header.pointee.handTick = now &- kept
        tendList()
        return min(Int(truncatingIfNeeded: min(due, UInt64(span))), most)
    }

    /// The number of the next flow that was quiet for too long, or `.max` when the steps are spent. The caller reports and removes
    /// it (`remove(_:as: .expired)`); one that it leaves comes again with the next round.
    @inlinable @inline(never) public mutating func nextExpired(now: UInt32, steps: inout Int) -> UInt32 {
        while steps > 0 {
            steps &-= 1
            let span = unsafe min(header.pointee.fresh, limit)
            guard span > 0 else { return .max }
            let hand = unsafe header.pointee.hand
            let number = hand < span ? hand : 0
            unsafe header.pointee.hand = number &+ 1
            let state = state(number)
            if state == 0 { continue }
            if !Self.isLive(state) {
                discard(number)
            } else if isExpired(number, state: state, now: now) {
                return number
            }
        }
        return .max
    }

    /// The waiting flow that was opened first, which gives its place when there is no other, or `.max`. The caller reports it,
    /// removes it (`remove(_:as: .evicted)`) and inserts again. Established flows never give way.
    @inlinable @inline(never) public mutating func oldestWaiting() -> UInt32 {
        for _ in 0..<64 {
            if dropFirstUnlessWaiting() { continue }
            let number = unsafe header.pointee.oldest
            return number < limit ? number : .max
        }
        // The rest of the list is looked at by the next call: what was dropped here will not be met again.
        return .max
    }

    /// Whether a live flow was quiet for longer than its state allows.
    @inlinable func isExpired(_ number: UInt32, state: UInt8, now: UInt32) -> Bool {
        // In bounds: the caller has compared `number` with `limit`.
        let entry = unsafe body(number)
        let protocolNumber = unsafe UInt8(truncatingIfNeeded: key(at: number).pointee.context >> 24)
        let allowed = settings.timeouts.limit(protocolNumber: protocolNumber, state: state)
        // Signed, because the clock of a burst may be a moment older than the last frame's.
        return unsafe Int32(bitPattern: now &- entry.pointee.lastSeen) >= Int32(bitPattern: allowed)
    }

    /// Keeps the waiting list in order: what waits no more leaves its front, and a one-sided flow there that has gone on sending
    /// goes back to the end, so that the first is always one that has been quiet.
    @inlinable func tendList() {
        for _ in 0..<32 {
            if dropFirstUnlessWaiting() { continue }
            let number = unsafe header.pointee.oldest
            guard number < limit else { return }
            // In bounds by the guard.
            let lastSeen = unsafe body(number).pointee.lastSeen
            guard unsafe lastSeen != details[Int(number)].firstSeen else { return }
            unlistFirst(number)
            enlist(number)
            return
        }
    }

    /// Frees an entry whose state is none: only damage leaves one.
    @inlinable @inline(never) func discard(_ number: UInt32) {
        noteDamage()
        let hash = unsafe hash(key(at: number).pointee)
        _ = vacate(number, hash: hash)
        setState(number, 0)
        if unsafe header.pointee.used > 0 { unsafe header.pointee.used &-= 1 }
        release(number)
    }
}
