// SPDX-License-Identifier: Apache-2.0
public import Net

extension FragmentTable {
    /// Adds a fragment to its datagram, and says what becomes of it.
    ///
    /// - Parameters:
    ///   - fragment: the fragment.
    ///   - hash: `hash` of its key.
    ///   - facts: those of a first fragment; of others they are not looked at.
    ///   - fault: why nothing of the datagram may pass, where its first fragment says so; `nil` for any other.
    ///   - settings: the limits for one source.
    ///   - now: the tick.
    @_noLocks public mutating func add(
        _ fragment: FragmentPiece, _ hash: UInt64, facts: FragmentFacts, fault: DropReason? = nil,
        _ settings: borrowing FlowSettings,
        now: UInt32
    ) -> FragmentStep {
        var found = find(fragment.key, hash)
        if found == nil { found = open(fragment.key, hash, settings, now) }
        guard let number = found else { return .refused(.fragmentLimit, datagram: .max) }
        let entry = unsafe entry(number)
        if unsafe entry.pointee.state == FragmentEntry.dead {
            return unsafe .refused(reason(entry.pointee.reason), datagram: .max)
        }
        switch fit(fragment, in: number) {
        case .copy: return .refused(.fragmentOverlap, datagram: .max)
        case .overlaps:
            kill(number, .fragmentOverlap, now)
            return .refused(.fragmentOverlap, datagram: number)
        case .fits: break
        }
        if let fault {
            kill(number, fault, now)
            return .refused(fault, datagram: number)
        }
        note(fragment, in: number)
        if fragment.offset == 0 {
            unsafe entry.pointee.facts = facts
            unsafe entry.pointee.state = FragmentEntry.known
            if unsafe entry.pointee.held > 0 { makeReady(number) }
        } else if unsafe entry.pointee.state != FragmentEntry.known || mustQueue(number) {
            unsafe entry.pointee.waitedIn = turn
            return .waits(number)
        }
        let known = unsafe entry.pointee.facts
        if isWhole(number), !mustQueue(number) { forget(number) }
        return .known(known)
    }

    /// Forgets one datagram that waited for too long, or gives one of its held frames, which then waits no more; `nil` when none is
    /// due. `steps` is counted down for each frame and each datagram.
    @_noLocks public mutating func nextExpired(now: UInt32, timeout: UInt32, steps: inout Int) -> HeldFrame? {
        while steps > 0 {
            let number = unsafe header.pointee.oldest
            guard number != .max else { return nil }
            // Signed, because the clock of a burst may be a moment older than the last one's.
            let age = unsafe Int32(bitPattern: now &- entry(number).pointee.since)
            guard age >= Int32(bitPattern: timeout) else { return nil }
            steps &-= 1
            if let frame = popHeld(number) { return frame }
            forget(number)
        }
        return nil
    }

    /// Whether fragments of a datagram whose first one is known wait all the same, so that what comes now goes behind them.
    @_noLocks private func mustQueue(_ number: UInt32) -> Bool {
        unsafe entry(number).pointee.held > 0 || entry(number).pointee.waitedIn == turn
    }

    /// Whether everything of a datagram has come: when nothing of it waits, its number is the sender's again.
    @_noLocks func isWhole(_ number: UInt32) -> Bool {
        let entry = unsafe entry(number)
        return unsafe entry.pointee.total != 0 && entry.pointee.units == (entry.pointee.total &+ 7) >> 3
    }

    /// Ends a datagram: nothing of it passes for a whole timeout from now.
    @_noLocks private func kill(_ number: UInt32, _ reason: DropReason, _ now: UInt32) {
        let entry = unsafe entry(number)
        unsafe entry.pointee.state = FragmentEntry.dead
        unsafe entry.pointee.reason = reason.number
        unsafe entry.pointee.since = now
        unlist(number)
        enlist(number)
    }

    /// Why a dead datagram's fragments are dropped.
    @_noLocks private func reason(_ number: UInt8) -> DropReason {
        number == DropReason.badICMP.number ? .badICMP : .fragmentOverlap
    }

    /// A place for a new datagram; `nil` where there is none, of its source or in all.
    @_noLocks private func open(
        _ key: FragmentKey, _ hash: UInt64, _ settings: borrowing FlowSettings, _ now: UInt32
    ) -> UInt32? {
        let slot = UInt16(truncatingIfNeeded: key.sourceHash(secret) & UInt64(FragmentTableSize.sources &- 1))
        let number = unsafe header.pointee.freeDatagram
        guard number != .max, unsafe UInt32(source(slot).pointee.datagrams) < settings.fragmentDatagrams else { return nil }
        let entry = unsafe entry(number)
        let next = unsafe entry.pointee.next
        guard enter(number, hash) else { return nil }
        unsafe header.pointee.freeDatagram = next
        unsafe header.pointee.used &+= 1
        unsafe source(slot).pointee.datagrams &+= 1
        unsafe clearMaps(number, upTo: entry.pointee.highest)
        unsafe entry.pointee.key = key
        unsafe entry.pointee.since = now
        unsafe entry.pointee.total = 0
        unsafe entry.pointee.highest = 0
        unsafe entry.pointee.units = 0
        unsafe entry.pointee.waitedIn = turn &- 1
        unsafe entry.pointee.heldFirst = Link.none
        unsafe entry.pointee.held = 0
        unsafe entry.pointee.source = slot
        unsafe entry.pointee.state = FragmentEntry.headless
        enlist(number)
        return number
    }

    /// Gives a datagram's entry back. Nothing of it is held.
    @_noLocks func forget(_ number: UInt32) {
        let entry = unsafe entry(number)
        unlist(number)
        unsafe leave(number, entry.pointee.key.hash(secret))
        unsafe entry.pointee.state = FragmentEntry.free
        let source = unsafe source(entry.pointee.source)
        if unsafe source.pointee.datagrams > 0 { unsafe source.pointee.datagrams &-= 1 }
        if unsafe header.pointee.used > 0 { unsafe header.pointee.used &-= 1 }
        unsafe entry.pointee.next = header.pointee.freeDatagram
        unsafe header.pointee.freeDatagram = number
    }

    /// Puts a datagram at the end of the order of timeouts.
    @_noLocks private func enlist(_ number: UInt32) {
        let newest = unsafe header.pointee.newest
        unsafe entry(number).pointee.next = .max
        unsafe entry(number).pointee.previous = newest
        if newest == .max {
            unsafe header.pointee.oldest = number
        } else {
            unsafe entry(newest).pointee.next = number
        }
        unsafe header.pointee.newest = number
    }

    /// Takes a datagram out of the order of timeouts.
    @_noLocks private func unlist(_ number: UInt32) {
        let (next, previous) = unsafe (entry(number).pointee.next, entry(number).pointee.previous)
        if previous == .max {
            unsafe header.pointee.oldest = next
        } else {
            unsafe entry(previous).pointee.next = next
        }
        if next == .max {
            unsafe header.pointee.newest = previous
        } else {
            unsafe entry(next).pointee.previous = previous
        }
    }
}
