// SPDX-License-Identifier: Apache-2.0
internal import Net

// What a TCP segment does to its connection, for all segments that are not the plain ones of an established connection (FlowEntry+Plain).
//
// Problem. A firewall sees what passes it, not what arrives. Whoever can guess ports can send SYN, FIN and RST in another's name, and
// a filter that believes them can be told that a connection is over while both hosts think otherwise, or the other way round.
//
// Rules. A segment counts when it lies in the windows (RFC 9293, 3.4 and 3.10.7.4), held against four borders as van Rooij described
// them ("Real stateful TCP packet filtering in IP Filter", 2001): it ends inside what the other end lets it send, it is no older than a
// window, it acknowledges nothing unsent, and nothing too old. A RST counts only exactly where the other end expects it (RFC 5961,
// 3); inside the window it passes, so that the host can challenge it; else it is dropped. A SYN in a connection counts only when the
// other end acknowledges it (RFC 5961, 4): until then it is remembered (`RememberedSYNs`), and everything stays as it was. Roles never
// change: whoever sent the first SYN is the initiator, and a SYN of the responder is judged by policy as one that opens
// (`Match.crossing`), whether it makes a simultaneous open (RFC 9293, 3.5) or a split handshake.
//
// A turn is a copy of both windows as the sender sees them. What it changes is written back only where the segment passes.

/// One segment's turn in its connection. See the essay at the head of this file.
struct TCPTurn: BitwiseCopyable {
    /// What becomes of the remembered SYN of the flow.
    enum Memory: BitwiseCopyable { case asItIs, keep, forget }

    /// The sender's window.
    var own: TCPWindow
    /// The receiver's.
    var peer: TCPWindow
    /// How far the connection has come.
    var state: FlowState
    /// What becomes of the remembered SYN.
    var memory = Memory.asItIs
    let segment: TCPSegment
    let sender: FlowEnd
    /// Whether the sender opened the flow.
    let isInitiator: Bool
    /// Nobody saw how it opened: what was sent before is not known.
    let isPickedUp: Bool
    /// Only RSTs are held against the windows.
    let isLoose: Bool
    /// Only one direction may be seen.
    let isAsymmetric: Bool
    /// The flow's remembered SYN, or one without a number.
    let recalled: RememberedSYN

    @_noLocks init(
        _ segment: TCPSegment, of entry: FlowEntry, sender: FlowEnd, recalled: RememberedSYN, _ settings: FlowSettings
    ) {
        self.segment = segment
        self.sender = sender
        self.recalled = recalled
        (own, peer) = sender == .low ? (entry.lowWindow, entry.highWindow) : (entry.highWindow, entry.lowWindow)
        state = entry.state
        isInitiator = entry.marks.rawValue & FlowMarks.initiatorIsHigh.rawValue == sender.number
        isPickedUp = entry.marks.rawValue & FlowMarks.pickedUp.rawValue != 0
        isAsymmetric = settings.isAsymmetric != 0
        isLoose = isAsymmetric || settings.windows != 0
    }

    /// What the segment means to the connection.
    @_noLocks mutating func take() -> Match {
        if segment.isLaterPart { return takeLaterPart() }
        if segment.isRST { return takeRST() }
        if segment.isSYN { return segment.isACK ? takeAnswer() : takeSYN() }
        return takeData()
    }

    /// A later part of a segment in fragments, held against both borders of sequence numbers. Behind a first one that has passed it moves
    /// on what was sent, by no more than a datagram; behind one that was refused it says nothing, and no host can use it.
    @_noLocks mutating func takeLaterPart() -> Match {
        // A FIN stands behind the last of its bytes.
        let end = segment.end &+ (own.has(TCPWindow.cut) && own.has(TCPWindow.fin) ? 1 : 0)
        guard isLoose || !isHeld || isInSequence(to: end) else { return .refused(.outOfWindow) }
        guard own.has(TCPWindow.known), own.has(TCPWindow.cut), state.number != FlowState.closed.number else { return .live }
        if isAfter(end, own.end), end &- own.end <= 65_535 { own.end = end }
        return .live
    }

    /// Whether the windows of both ends are known.
    var areKnown: Bool { @_noLocks get { own.flags & peer.flags & TCPWindow.known != 0 } }

    /// Whether the flow was picked up, and what one end said is all that is known: it may be anybody's. Nothing is held against that until a
    /// segment of the other end fits it; whatever does not takes its place.
    var isUnsettled: Bool {
        @_noLocks get { isPickedUp && !areKnown && !isAsymmetric && state.number != FlowState.closed.number }
    }

    /// Whether a segment can be held against the windows. Behind a refusal nobody has said what it expects.
    var isHeld: Bool {
        @_noLocks get {
            peer.has(TCPWindow.known) && (state.number != FlowState.closed.number || peer.has(TCPWindow.acknowledges))
        }
    }

    /// The borders of sequence numbers, for what ends at one. Valid when the peer is known; what the sender has sent may be unknown where
    /// the flow was picked up, and then lies around what the peer has acknowledged.
    @_noLocks func isInSequence(to end: UInt32) -> Bool {
        // One more than the window: the probe of a window of 0 (RFC 9293, 3.8.6.1), and a FIN behind a full one. Whether a number
        // lies between two is one comparison of distances from the lower one, and right for windows of any size; where the upper one
        // lies before the lower, nothing is between them.
        let oldest = (own.has(TCPWindow.known) ? own.end : peer.acknowledged) &- peer.span &- TCPWindow.past
        let width = peer.acknowledged &+ peer.span &+ 1 &- oldest
        return width <= TCPWindow.widest && end &- oldest <= width
    }

    /// The four borders: those of sequence numbers, and those of acknowledgements.
    var fits: Bool {
        @_noLocks get {
            guard segment.isACK, isInSequence(to: segment.end) else { return false }
            let isNew = !own.has(TCPWindow.known)
            let ownSpan = isNew ? UInt32(max(segment.window, TCPWindow.leastUnits)) &<< 14 : own.span
            // Of what was sent before the flow was picked up, all that the window let through may be acknowledged.
            let unseen = isPickedUp ? ownSpan : 0
            let age = peer.end &+ unseen &- segment.acknowledgement
            guard age <= max(TCPWindow.past, ownSpan) &+ unseen else { return false }
            // A handshake's last step acknowledges the other SYN, and nothing older.
            return state.number != FlowState.synReceived.number || own.has(TCPWindow.acknowledges)
                || !isAfter(own.acknowledged, segment.acknowledgement)
        }
    }

    /// A segment without SYN and RST.
    @_noLocks mutating func takeData() -> Match {
        if state.number == FlowState.synSent.number { return takeEarlyData() }
        if isUnsettled {
            guard isHeld, fits else {
                (own, peer) = (TCPWindow(), TCPWindow())
                advance(isBelieved: false)
                return .live
            }
        } else if isHeld, !fits {
            if isAnswerToOtherSYN {
                adoptAnswer()
            } else if !isLoose {
                return .refused(.outOfWindow)
            } else if !isAsymmetric {
                return .live
            }
        }
        advance()
        return .live
    }

    /// Before the answer was seen.
    @_noLocks mutating func takeEarlyData() -> Match {
        if isAsymmetric {
            state = .established
            advance()
            return .live
        }
        // The initiator cannot go on before it has heard of the responder: its answer takes another way.
        guard !isInitiator else { return .refused(.oneSided) }
        // Nothing but the answer, or an old connection's bare ACK that makes the initiator reset it (RFC 5961, 4).
        guard segment.isBare, segment.isACK else { return .refused(.outOfWindow) }
        peer.acknowledged = segment.acknowledgement
        peer.flags |= TCPWindow.challenged
        return .live
    }

    /// Writes a segment that passes into the windows, and finds the state behind it. A FIN that is not believed is a byte and no end.
    @_noLocks mutating func advance(isBelieved: Bool = true) {
        // What comes late changes nothing any more.
        guard state.number != FlowState.closed.number else { return }
        advanceEnd()
        own.flags = segment.isCut ? own.flags | TCPWindow.cut : own.flags & ~TCPWindow.cut
        if segment.isACK { advanceAcknowledged() }
        own.maximum = max(own.maximum, segment.isSYN ? TCPWindow.units(segment.window, scale: own.scale) : segment.window)
        // Nothing comes behind a FIN: one that ends before what was sent is not the host's. Of a first part the end is not known.
        if isBelieved, segment.isFIN, segment.isCut || segment.end == own.end {
            own.flags |= TCPWindow.fin
            state = .closing
        } else if state.number == FlowState.synReceived.number, own.flags & peer.flags & TCPWindow.acknowledges != 0 {
            state = .established
        } else if state.number == FlowState.closing.number, (own.flags | peer.flags) & TCPWindow.fin == 0 {
            state = .established
        }
        if own.flags & peer.flags & TCPWindow.finAcknowledged != 0 { state = .closed }
    }

    /// How far the sender has sent.
    @_noLocks mutating func advanceEnd() {
        let end = segment.end
        guard own.has(TCPWindow.known) else {
            (own.end, own.maximum, own.scale) = (end, max(segment.window, TCPWindow.leastUnits), 14)
            own.flags |= TCPWindow.known
            if peer.has(TCPWindow.acknowledges), isAfter(peer.acknowledged, end) { own.end = peer.acknowledged }
            return
        }
        guard isAfter(end, own.end) else { return }
        own.end = end
        // What comes behind a FIN shows that it was not the host's: nothing does.
        own.flags &= ~(TCPWindow.fin | TCPWindow.finAcknowledged)
    }

    /// How far the sender has acknowledged.
    @_noLocks mutating func advanceAcknowledged() {
        let number = segment.acknowledgement
        if !own.has(TCPWindow.acknowledges) || isAfter(number, own.acknowledged) { own.acknowledged = number }
        own.flags |= TCPWindow.acknowledges
        guard peer.has(TCPWindow.known) else { return }
        if isAfter(number, peer.end) { peer.end = number }
        if peer.has(TCPWindow.fin), number == peer.end { peer.flags |= TCPWindow.finAcknowledged }
    }
}
