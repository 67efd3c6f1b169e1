// SPDX-License-Identifier: Apache-2.0
public import Net

// Two ways in which quiet flows are found. Waiting flows stand in a list in the order of their opening, so that the first is the first
// to be over; it is looked at before all others. For the rest a hand goes round all entries, waiting ones too: a flow changes its
// timeout with its state, several times in a short life, and a hand need not be told. Entries lie side by side, so a step costs
// little. docs/decisions/0009 compares it with lists of timeouts.
//
// One round takes 4.3 seconds, in a table of more than four million entries longer: no more than `steepest` steps a tick. A flow ends
// at most that much later than its timeout says. Steps for which a turn has no time are made up for by later ones.

extension FlowTable {
    /// The ticks of one round of the hand, for all but large tables: 4.3 s.
    @inlinable static var round: UInt64 { 4096 }
    /// The most steps of the hand that one tick brings: about a million a second.
    @inlinable static var steepest: UInt64 { 1024 }

    /// How many steps of the hand are due, at most `most`. Call it once a burst, spend them with `nextExpired`, and give back what is
    /// left with `postpone`; it also tends the list of waiting flows.
    @inlinable public mutating func stepsDue(now: UInt32, most: Int) -> Int {
        let elapsed = unsafe now &- header.pointee.handTick
        guard elapsed != 0 else { return 0 }
        return advanceHand(now: now, elapsed: elapsed, most: most)
    }

    @inlinable @inline(never) mutating func advanceHand(now: UInt32, elapsed: UInt32, most: Int) -> Int {
        measurePressure()
        tendList(now: now)
        let span = unsafe UInt64(min(header.pointee.fresh, limit))
        // A tick in the future is damage, or a clock that went back: start counting from here.
        guard Int32(bitPattern: elapsed) > 0, span > 0, used > 0 else {
            unsafe header.pointee.handTick = now
            return 0
        }
        let round = Self.ticksOfRound(span)
        // What is due for longer than a round is due once.
        let ticks = min(UInt64(elapsed), round)
        // A large table takes one step more rather than one less; a small one keeps the ticks that make no whole step.
        let due = (span &* ticks &+ (span >= round ? round &- 1 : 0)) / round
        let taken = min(due, UInt64(max(0, most)))
        guard taken > 0 else { return 0 }
        let paid = min(ticks, max(1, taken &* round / span))
        unsafe header.pointee.handTick = now &- UInt32(truncatingIfNeeded: ticks &- paid)
        return Int(truncatingIfNeeded: taken)
    }

    /// The ticks of one round over so many entries.
    @inlinable public static func ticksOfRound(_ span: UInt64) -> UInt64 { max(round, (span &+ steepest &- 1) / steepest) }

    /// Gives back steps that were due and not spent.
    @inlinable public mutating func postpone(_ steps: Int) {
        let span = unsafe UInt64(min(header.pointee.fresh, limit))
        guard steps > 0, span > 0 else { return }
        let ticks = min(UInt64(steps), span) &* Self.ticksOfRound(span) / span
        unsafe header.pointee.handTick &-= UInt32(truncatingIfNeeded: ticks)
    }

    /// The number of the next flow that was quiet for too long, or `.max` when the steps are spent; the first of the waiting ones costs
    /// none. The caller reports and removes it (`remove(_:as: .expired)`); one that it leaves comes again.
    @inlinable @inline(never) public mutating func nextExpired(now: UInt32, steps: inout Int) -> UInt32 {
        guard steps > 0 else { return .max }
        let first = unsafe header.pointee.oldest
        if first < limit {
            let state = state(first)
            if Self.isWaiting(state), isExpired(first, state: state, now: now) { return first }
        }
        return nextExpiredByHand(now: now, steps: &steps)
    }

    @inlinable mutating func nextExpiredByHand(now: UInt32, steps: inout Int) -> UInt32 {
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

    /// Whether a live flow was quiet for longer than its state allows.
    @inlinable func isExpired(_ number: UInt32, state: UInt8, now: UInt32) -> Bool {
        // In bounds: the caller has compared `number` with `limit`.
        let entry = unsafe body(number)
        let allowed = allowance(number, state: state)
        // Signed, because the clock of a burst may be a moment older than the last frame's.
        return unsafe Int32(bitPattern: now &- entry.pointee.lastSeen) >= Int32(bitPattern: allowed)
    }

    /// For how many ticks a flow may be quiet; the caller has compared `number` with `limit`.
    @inlinable @inline(__always) func allowance(_ number: UInt32, state: UInt8) -> UInt32 {
        let protocolNumber = unsafe UInt8(truncatingIfNeeded: key(at: number).pointee.context >> 24)
        let timeout = settings.timeouts.limit(protocolNumber: protocolNumber, state: state)
        return Self.isWaiting(state) ? pressed(timeout) : timeout
    }

    /// For how many ticks a flow may be quiet as it is now.
    @inlinable public func allowance(of number: UInt32) -> UInt32 {
        precondition(number < limit)
        return allowance(number, state: state(number))
    }

    /// Frees an entry whose state is none: only damage leaves one.
    @inlinable @inline(never) func discard(_ number: UInt32) {
        noteDamage()
        let hash = unsafe hash(key(at: number).pointee)
        _ = vacate(number, hash: hash)
        setState(number, 0)
        if unsafe header.pointee.used > 0 { unsafe header.pointee.used &-= 1 }
        if unsafe details[Int(number)].next == FlowLink.none { release(number) }
    }
}
