// SPDX-License-Identifier: Apache-2.0
public import Net

/// What a frame means to the flow that it belongs to.
@frozen public enum Match: BitwiseCopyable, Sendable {
    /// It belongs to the flow, whose verdict holds for it.
    case live
    /// It is a SYN for a connection that is over: the ports are used again. Nothing was changed. The caller reports the old flow's
    /// end, calls `reopen` (or removes and inserts), judges anew with the sender as initiator, and tracks the frame again.
    case reopen
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
    @inlinable public mutating func track(
        _ number: UInt32, _ reading: borrowing Reading, sender: FlowEnd, length: Int, now: UInt32
    ) -> Match {
        precondition(number < limit)
        // In bounds by the line above.
        let entry = unsafe body(number)
        if case .fragment = reading.kind, reading.fragmentOffset != 0 {
            unsafe entry.pointee.countLater(reading, sender: sender, length: length, now: now)
            return .live
        }
        let before = unsafe entry.pointee.state
        let match = unsafe entry.pointee.advance(reading, sender: sender)
        guard case .live = match else { return match }
        let after = unsafe entry.pointee.state
        if Self.isWaiting(before.number), !Self.isWaiting(after.number) { lessWaiting() }
        unsafe entry.pointee.count(sender: sender, length: length)
        // Late segments of a closed connection pass, but do not keep it.
        if before.number != FlowState.closed.number { unsafe entry.pointee.lastSeen = now }
        return .live
    }
}

extension FlowEntry {
    /// Whether the sender opened the flow.
    @inlinable public func isInitiator(_ sender: FlowEnd) -> Bool { marks.rawValue & 1 == sender.number }

    /// The end that opened the flow.
    @inlinable public var initiator: FlowEnd { marks.rawValue & 1 == 0 ? .low : .high }

    @inlinable mutating func count(sender: FlowEnd, length: Int) {
        if sender == .low {
            lowFrames &+= 1
            lowMeter &+= UInt64(truncatingIfNeeded: length) << 16
        } else {
            highFrames &+= 1
            highMeter &+= UInt64(truncatingIfNeeded: length) << 16
        }
    }

    /// The state after a frame.
    @inlinable mutating func advance(_ reading: borrowing Reading, sender: FlowEnd) -> Match {
        if reading.protocolNumber.rawValue == 6 { return advanceTCP(reading, sender: sender) }
        if state.number == FlowState.oneSided.number, !isInitiator(sender) { state = .established }
        return .live
    }

    /// The state after a TCP segment. A segment of an established connection without SYN, FIN or RST leaves by the first line.
    @inlinable mutating func advanceTCP(_ reading: borrowing Reading, sender: FlowEnd) -> Match {
        let flags = reading.tcpFlags.rawValue
        if flags & 0x07 == 0, state.number == FlowState.established.number {
            note(flags, sender)
            return .live
        }
        return turnTCP(reading, flags: flags, sender: sender)
    }

    /// The rarer segments. Who opened the flow stays its initiator: no SYN of the other end turns the roles (a split handshake would
    /// have the answer judged as the question).
    @inlinable @inline(never) mutating func turnTCP(_ reading: borrowing Reading, flags: UInt8, sender: FlowEnd) -> Match {
        let (isSYN, isACK, isRST) = (flags & 0x02 != 0, flags & 0x10 != 0, flags & 0x04 != 0)
        let isInitiator = isInitiator(sender)
        if isSYN, !isACK, state.number == FlowState.closed.number { return .reopen }
        // A SYN is the initiator's, repeated or to be challenged (RFC 5961, 4); a SYN with ACK is the responder's.
        if isSYN, isInitiator == isACK { return .refused(.notOpening) }
        if state.number == FlowState.synSent.number, !isSYN, !isRST {
            // Nothing but the answer, or an old connection's bare ACK that makes the initiator reset it (RFC 5961, 4).
            let isBare = reading.payloadOffset >= reading.end && flags & 0x01 == 0
            guard !isInitiator, isACK, isBare else { return .refused(.notOpening) }
        }
        note(flags, sender)
        if isRST {
            state = .closed
        } else if isSYN {
            if isACK, state.number == FlowState.synSent.number { state = .synReceived }
        } else if state.number == FlowState.synReceived.number, isACK, isInitiator {
            state = .established
        }
        if flags & 0x01 != 0, !isRST { noteFIN(reading, sender) }
        if isACK, state.number == FlowState.closing.number { noteACK(reading.acknowledgement, sender) }
        return .live
    }

    @inlinable mutating func note(_ flags: UInt8, _ sender: FlowEnd) {
        if sender == .low { lowFlags |= flags } else { highFlags |= flags }
    }

    /// A FIN: remembers the sequence number that acknowledges it.
    @inlinable mutating func noteFIN(_ reading: borrowing Reading, _ sender: FlowEnd) {
        let isOpen = state.number == FlowState.established.number || state.number == FlowState.synReceived.number
        if isOpen { state = .closing }
        let payload = reading.end > reading.payloadOffset ? UInt32(reading.end &- reading.payloadOffset) : 0
        let end = reading.sequence &+ payload &+ 1
        if sender == .low {
            lowWindow.end = end
            lowWindow.flags |= 2
        } else {
            highWindow.end = end
            highWindow.flags |= 2
        }
    }

    /// An acknowledgement while closing: when both FINs are acknowledged, the connection is over.
    @inlinable mutating func noteACK(_ acknowledgement: UInt32, _ sender: FlowEnd) {
        if sender == .low {
            if highWindow.flags & 2 != 0, Int32(bitPattern: acknowledgement &- highWindow.end) >= 0 { highWindow.flags |= 4 }
        } else if lowWindow.flags & 2 != 0, Int32(bitPattern: acknowledgement &- lowWindow.end) >= 0 {
            lowWindow.flags |= 4
        }
        if lowWindow.flags & highWindow.flags & 4 != 0 { state = .closed }
    }
}
