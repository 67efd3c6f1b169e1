// SPDX-License-Identifier: Apache-2.0
public import Net

// Frames that wait for their datagram's first fragment. They leave in one of three ways: behind the first one (`nextReleased`), with
// their datagram's end (`takeDead`, `nextExpired`), or because the worker was stopped for too long (`takeAny`).

extension FragmentTable {
    /// Keeps the frame of a fragment that `add` has told to wait; the reason where it may not, and stays the caller's.
    @_noLocks public mutating func hold(
        _ number: UInt32, address: UInt64, length: UInt32, port: UInt32, _ settings: borrowing FlowSettings
    ) -> DropReason? {
        let entry = unsafe entry(number)
        // Between its adding and its holding another fragment of the same burst may have ended the datagram.
        if unsafe entry.pointee.state == FragmentEntry.dead { return .fragmentOverlap }
        let source = unsafe source(entry.pointee.source)
        let place = unsafe header.pointee.freeHeld
        guard unsafe header.pointee.held < mostHeld, unsafe Int(entry.pointee.held) < FragmentTableSize.framesOfDatagram,
            unsafe UInt32(source.pointee.frames) < settings.fragmentFrames, place != Link.none,
            unsafe entry.pointee.state != FragmentEntry.free
        else { return .fragmentLimit }
        let slot = unsafe slot(place)
        unsafe header.pointee.freeHeld = slot.pointee.nextAndPort & Link.none
        unsafe slot.pointee = HeldEntry(address: address, length: length, nextAndPort: (port & 1) << 31 | Link.none)
        if unsafe entry.pointee.heldFirst == Link.none {
            unsafe entry.pointee.heldFirst = place
        } else {
            let last = unsafe self.slot(entry.pointee.heldLast)
            unsafe last.pointee.nextAndPort = last.pointee.nextAndPort & ~Link.none | place
        }
        unsafe entry.pointee.heldLast = place
        unsafe entry.pointee.held &+= 1
        unsafe source.pointee.frames &+= 1
        unsafe header.pointee.held &+= 1
        if unsafe entry.pointee.state == FragmentEntry.known { makeReady(number) }
        return nil
    }

    /// A held frame whose datagram's first fragment has gone, and what that said: in each datagram in the order in which they came.
    /// `nil` when none may go.
    @_noLocks public mutating func nextReleased() -> (frame: HeldFrame, facts: FragmentFacts)? {
        // Bounded, because a damaged list could be a circle.
        for _ in 0..<FragmentTableSize.datagrams {
            let number = unsafe header.pointee.readyFirst
            guard number != .max else { return nil }
            let entry = unsafe entry(number)
            if unsafe entry.pointee.state == FragmentEntry.known, let frame = popHeld(number) {
                let facts = unsafe entry.pointee.facts
                return (frame, facts)
            }
            unsafe header.pointee.readyFirst = entry.pointee.readyNext
            unsafe entry.pointee.isReady = false
            // Here nothing of it can be on its way to be held: every frame of the turn has been judged.
            if unsafe entry.pointee.state == FragmentEntry.known, isWhole(number) { forget(number) }
        }
        return nil
    }

    /// Ends a turn: what was told to wait in it is held by now, or was dropped.
    @_noLocks public mutating func endTurn() { turn &+= 1 }

    /// A frame that is held of a datagram that has just died; `nil` when there is none left. At most 128 are.
    @_noLocks public mutating func takeDead(_ number: UInt32) -> HeldFrame? {
        guard number != .max, unsafe entry(number).pointee.state == FragmentEntry.dead else { return nil }
        return popHeld(number)
    }

    /// Any frame that is held, looked for from the datagram of a number on, 0 at first; `nil` when none is left. The datagrams stay:
    /// what is known of their later fragments is still true.
    @_noLocks public mutating func takeAny(from number: inout UInt32) -> HeldFrame? {
        while number < UInt32(truncatingIfNeeded: FragmentTableSize.datagrams), unsafe header.pointee.held > 0 {
            if unsafe entry(number).pointee.state != FragmentEntry.free, let frame = popHeld(number) { return frame }
            number &+= 1
        }
        return nil
    }

    /// Calls back with each held frame: for books of account, not for workers.
    public func forEachHeld(_ body: (HeldFrame) -> Void) {
        for number in 0..<UInt32(FragmentTableSize.datagrams) where unsafe entry(number).pointee.state != FragmentEntry.free {
            var place = unsafe entry(number).pointee.heldFirst
            for _ in 0..<FragmentTableSize.framesOfDatagram where place != Link.none {
                unsafe body(HeldFrame(slot(place).pointee))
                place = unsafe slot(place).pointee.nextAndPort & Link.none
            }
        }
    }

    /// Lets a datagram's held frames go behind the fragment that is in hand.
    @_noLocks func makeReady(_ number: UInt32) {
        let entry = unsafe entry(number)
        guard unsafe !entry.pointee.isReady else { return }
        unsafe entry.pointee.isReady = true
        unsafe entry.pointee.readyNext = .max
        if unsafe header.pointee.readyFirst == .max {
            unsafe header.pointee.readyFirst = number
        } else {
            unsafe self.entry(header.pointee.readyLast).pointee.readyNext = number
        }
        unsafe header.pointee.readyLast = number
    }

    /// Takes the first held frame off a datagram.
    @_noLocks func popHeld(_ number: UInt32) -> HeldFrame? {
        let entry = unsafe entry(number)
        let place = unsafe entry.pointee.heldFirst
        guard unsafe entry.pointee.held > 0, place != Link.none else { return nil }
        let slot = unsafe slot(place)
        let frame = unsafe HeldFrame(slot.pointee)
        unsafe entry.pointee.heldFirst = slot.pointee.nextAndPort & Link.none
        unsafe entry.pointee.held &-= 1
        unsafe slot.pointee.nextAndPort = header.pointee.freeHeld
        unsafe header.pointee.freeHeld = place
        let source = unsafe source(entry.pointee.source)
        if unsafe source.pointee.frames > 0 { unsafe source.pointee.frames &-= 1 }
        if unsafe header.pointee.held > 0 { unsafe header.pointee.held &-= 1 }
        return frame
    }

    /// A place for a held frame. The mask keeps any number inside the array.
    @_noLocks private func slot(_ number: UInt32) -> UnsafeMutablePointer<HeldEntry> {
        unsafe held + Int(number & UInt32(truncatingIfNeeded: FragmentTableSize.frames &- 1))
    }
}
