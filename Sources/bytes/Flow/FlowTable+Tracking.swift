// SPDX-License-Identifier: Apache-2.0
public import Net

/// What a frame means to the flow that it belongs to.
@frozen public enum Match: BitwiseCopyable, Sendable {
    /// It belongs to the flow, whose verdict holds for it.
    case live
    /// It belongs to the flow and passes, and is its end: a RST that counts in the handshake. The caller reports the flow and removes it,
    /// because an entry that no longer waits would stand for its time, and whoever forges both could fill the table with such entries.
    case ended
    /// It is a SYN for a connection that is over: the ports are used again. Nothing was changed. The caller reports the old flow's
    /// end, removes it, judges anew with the sender as initiator, and tracks the frame again.
    case reopen
    /// It is a SYN of the responder's, in a simultaneous open, a split handshake, or out of the blue. Nothing was changed. The caller
    /// asks policy whether the responder may open towards the initiator's port, and calls `cross` where it may.
    case crossing
    /// It is the answer to another SYN than the one that opened the flow: a new connection of the same ports. Nothing was changed. The
    /// caller reports the old flow's end, calls `replace`, judges the new one, and tracks the frame again.
    case answered
    /// It does not belong to the flow, although the key is the same; nothing was changed.
    case refused(DropReason)
}

extension FlowTable {
    /// Follows a flow by one frame: state, flags seen, counters, time. The first frame is tracked too, after `insert`.
    ///
    /// - Parameters:
    ///   - number: the entry that `find` or `insert` gave.
    ///   - reading: what was read from the frame; a `packet`, or a fragment whose datagram's first one is known.
    ///   - sender: the end that sent it, from the key.
    ///   - length: bytes of the whole frame.
    ///   - now: the tick.
    @inlinable @inline(__always) public mutating func track(
        _ number: UInt32, _ reading: borrowing Reading, sender: FlowEnd, length: Int, now: UInt32
    ) -> Match {
        precondition(number < limit)
        // In bounds by the line above.
        let entry = unsafe body(number)
        if reading.protocolNumber.rawValue == 6 {
            if unsafe FlowEntry.takePlain(entry, reading, sender: sender, length: length, now: now) {
                return .live
            }
            return turn(number, reading, sender: sender, length: length, now: now)
        }
        talk(number, sender)
        unsafe FlowEntry.account(entry, flags: 0, sender: sender, length: length)
        unsafe entry.pointee.lastSeen = now
        return .live
    }

    /// Moves a flow without a handshake on: the responder's answer makes it answered, the initiator's next frame established.
    @inlinable mutating func talk(_ number: UInt32, _ sender: FlowEnd) {
        // In bounds: the caller has compared `number` with `limit`.
        let entry = unsafe body(number)
        let (state, isInitiator) = unsafe (entry.pointee.state.number, entry.pointee.isInitiator(sender))
        if state == FlowState.oneSided.number, !isInitiator {
            unsafe entry.pointee.state = .answered
        } else if state == FlowState.answered.number, isInitiator {
            unsafe entry.pointee.state = .established
            stopWaiting(number)
        }
    }

    /// Follows a connection by a segment that is not a plain one.
    @inlinable @inline(never) mutating func turn(
        _ number: UInt32, _ reading: borrowing Reading, sender: FlowEnd, length: Int, now: UInt32
    ) -> Match {
        // In bounds: the caller has compared `number` with `limit`.
        let entry = unsafe body(number)
        let (before, seen) = unsafe (entry.pointee.state.number, entry.pointee.lastSeen)
        let match = unsafe entry.pointee.turn(number, reading, sender: sender, &syns, settings, now: now)
        guard case .live = match else { return match }
        let isProof = unsafe entry.pointee.isProof(reading, sender: sender)
        note(number, before: before, length: length, sender: sender, flags: reading.tcpFlags.rawValue, now: isProof ? now : seen)
        return unsafe Self.isWaiting(before) && entry.pointee.state.number == FlowState.closed.number ? .ended : .live
    }

    /// Lets a SYN of the responder's pass, after `track` answered with `crossing` and policy allowed it.
    @inlinable @inline(never) public mutating func cross(
        _ number: UInt32, _ reading: borrowing Reading, sender: FlowEnd, length: Int, now: UInt32
    ) {
        precondition(number < limit)
        // In bounds by the line above.
        let entry = unsafe body(number)
        let before = unsafe entry.pointee.state.number
        unsafe entry.pointee.cross(number, reading, sender: sender, &syns, settings, now: now)
        note(number, before: before, length: length, sender: sender, flags: reading.tcpFlags.rawValue, now: now)
    }

    /// Makes a flow the one that its remembered SYN opens, after `track` answered with `answered`: as if it had been removed, and
    /// inserted by that SYN. The caller has reported the old flow's end, judges the new one and tracks the answer.
    @inlinable @inline(never) public mutating func replace(_ number: UInt32, now: UInt32) {
        precondition(number < limit)
        let syn = syns.recall(number, now: now, limit: settings.timeouts.tcpOpening)
        guard syn.number == number else { return }
        reopen(number, initiator: syn.sender, now: now)
        // In bounds by the precondition.
        unsafe body(number).pointee.open(by: syn)
        syns.forget(number)
    }

    /// What every frame that passes leaves: a waiting flow less, its numbers, its time.
    @inlinable mutating func note(_ number: UInt32, before: UInt8, length: Int, sender: FlowEnd, flags: UInt8, now: UInt32) {
        // In bounds: callers have compared `number` with `limit`.
        let entry = unsafe body(number)
        let after = unsafe entry.pointee.state.number
        if Self.isWaiting(before), !Self.isWaiting(after) { stopWaiting(number) }
        unsafe FlowEntry.account(entry, flags: flags, sender: sender, length: length)
        // Late segments of a closed connection pass, but do not keep it.
        if before != FlowState.closed.number { unsafe entry.pointee.lastSeen = now }
    }
}

extension FlowEntry {
    /// Whether the sender opened the flow.
    @inlinable public func isInitiator(_ sender: FlowEnd) -> Bool { marks.rawValue & 1 == sender.number }

    /// The end that opened the flow.
    @inlinable public var initiator: FlowEnd { marks.rawValue & 1 == 0 ? .low : .high }

    /// Whether a frame that passes shows that its sender is there: not a later part of a segment whose first one has not passed, because
    /// no acknowledgement stands in it.
    @_noLocks @usableFromInline func isProof(_ reading: borrowing Reading, sender: FlowEnd) -> Bool {
        let isPart = reading.marks.rawValue & Reading.Marks.fragment.rawValue != 0
        guard isPart, reading.fragmentOffset != 0 else { return true }
        return (sender == .low ? lowWindow : highWindow).has(TCPWindow.cut)
    }

    /// A segment's turn; nothing is changed unless it passes.
    @_noLocks @usableFromInline mutating func turn(
        _ number: UInt32, _ reading: borrowing Reading, sender: FlowEnd, _ syns: inout RememberedSYNs, _ settings: FlowSettings,
        now: UInt32
    ) -> Match {
        let recalled = syns.recall(number, now: now, limit: settings.timeouts.tcpOpening)
        var turn = TCPTurn(TCPSegment(reading), of: self, sender: sender, recalled: recalled, settings)
        let match = turn.take()
        guard case .live = match else { return match }
        keep(turn, number, &syns, now: now)
        return .live
    }

    /// Whether a segment with ACK lies in the windows of its connection, as far as they are known; other segments do not. Changes nothing.
    @_noLocks public func fits(_ reading: borrowing Reading, sender: FlowEnd, _ settings: FlowSettings) -> Bool {
        let turn = TCPTurn(TCPSegment(reading), of: self, sender: sender, recalled: RememberedSYN(), settings)
        return turn.isHeld ? turn.fits : turn.segment.isACK
    }

    /// What the receiver of a segment expects next of its sender, as far as one can know: the segment's own number where it carries bytes
    /// that were not acknowledged yet, else the end of what was sent, because keep-alives (RFC 9293, 3.8.4) and retransmissions are older.
    @_noLocks public func nextSequence(behind reading: borrowing Reading, sender: FlowEnd) -> UInt32 {
        let (own, peer) = sender == .low ? (lowWindow, highWindow) : (highWindow, lowWindow)
        guard own.has(TCPWindow.known) else { return reading.sequence }
        guard reading.payloadOffset < reading.end, peer.has(TCPWindow.acknowledges) else { return own.end }
        return isWithin(reading.sequence, peer.acknowledged, own.end) ? reading.sequence : own.end
    }

    /// A SYN of the responder's that policy allows.
    @_noLocks @usableFromInline mutating func cross(
        _ number: UInt32, _ reading: borrowing Reading, sender: FlowEnd, _ syns: inout RememberedSYNs, _ settings: FlowSettings,
        now: UInt32
    ) {
        var turn = TCPTurn(TCPSegment(reading), of: self, sender: sender, recalled: RememberedSYN(), settings)
        turn.cross()
        keep(turn, number, &syns, now: now)
    }

    /// A fresh entry as its first SYN leaves it.
    @_noLocks @usableFromInline mutating func open(by syn: RememberedSYN) {
        var window = TCPWindow()
        window.open(end: syn.end, window: syn.window, scale: syn.scale)
        var other = TCPWindow()
        other.acknowledged = syn.sequence &+ 1
        if syn.sender == .low { (lowWindow, highWindow) = (window, other) } else { (lowWindow, highWindow) = (other, window) }
    }

    @_noLocks private mutating func keep(_ turn: TCPTurn, _ number: UInt32, _ syns: inout RememberedSYNs, now: UInt32) {
        if turn.sender == .low {
            (lowWindow, highWindow) = (turn.own, turn.peer)
        } else {
            (lowWindow, highWindow) = (turn.peer, turn.own)
        }
        state = turn.state
        switch turn.memory {
        case .asItIs: break
        case .keep: syns.remember(RememberedSYN(turn.segment, number: number, sender: turn.sender, now: now))
        case .forget: syns.forget(number)
        }
    }
}
