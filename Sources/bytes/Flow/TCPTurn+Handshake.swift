// SPDX-License-Identifier: Apache-2.0
internal import Net

extension TCPTurn {
    /// A SYN without ACK.
    @_noLocks mutating func takeSYN() -> Match {
        if state.number == FlowState.closed.number {
            // The ports are used again, by either end (RFC 9293, 3.6.1): at once behind a RST, and where no old segment can be meant.
            let isReset = (own.flags | peer.flags) & TCPWindow.reset != 0
            if !own.has(TCPWindow.known) || isReset || !isAfter(own.end, segment.sequence) { return .reopen }
        }
        guard isInitiator else { return .crossing }
        guard state.number == FlowState.synSent.number else {
            memory = .keep
            return .live
        }
        if !own.has(TCPWindow.known) {
            own.open(end: segment.end, window: segment.window, scale: segment.scale)
            peer.acknowledged = segment.sequence &+ 1
            memory = .forget
        } else if segment.sequence &+ 1 == peer.acknowledged {
            // The same once more, perhaps without its data or its options.
            if isAfter(segment.end, own.end) { own.end = segment.end }
            own.maximum = max(own.maximum, segment.window)
            if own.scale == 255 { own.scale = segment.scale }
        } else {
            memory = .keep
        }
        return .live
    }

    /// A SYN of the responder, after policy let it open towards the initiator.
    @_noLocks mutating func cross() {
        guard state.number == FlowState.synSent.number else {
            memory = .keep
            return
        }
        answer()
        state = .synReceived
    }

    /// A SYN with ACK.
    @_noLocks mutating func takeAnswer() -> Match {
        if state.number == FlowState.synSent.number { return takeFirstAnswer() }
        guard areKnown, !isAsymmetric else { return takeData() }
        // One that was seen before takes no new sequence number.
        if fits, !isAfter(segment.sequence &+ 1, own.end) {
            advance()
            return .live
        }
        // A responder without memory answers each repetition of a SYN with another number (RFC 4987, 3.6).
        let isAnswering = state.number == FlowState.synReceived.number && !isInitiator && !peer.has(TCPWindow.acknowledges)
        if isAnswering, isWithin(segment.acknowledgement, own.acknowledged, peer.end) {
            memory = .keep
            return .live
        }
        if recalled.isOpening(from: sender.other, acknowledgedBy: segment.acknowledgement) { return .answered }
        return isLoose ? .live : .refused(.outOfWindow)
    }

    /// The answer to the first SYN.
    @_noLocks mutating func takeFirstAnswer() -> Match {
        guard !isInitiator else { return isAsymmetric ? .live : .refused(.oneSided) }
        if isWithin(segment.acknowledgement, own.acknowledged, peer.end) {
            own.acknowledged = segment.acknowledgement
        } else {
            if recalled.isOpening(from: sender.other, acknowledgedBy: segment.acknowledgement) {
                peer.open(end: recalled.end, window: recalled.window, scale: recalled.scale)
                own.acknowledged = segment.acknowledgement
            } else if !isLoose {
                return .refused(.outOfWindow)
            }
        }
        memory = .forget
        answer()
        own.flags |= TCPWindow.acknowledges
        state = .synReceived
        return .live
    }

    /// The responder's SYN, with or without ACK, in a flow whose initiator's SYN is known.
    @_noLocks mutating func answer() {
        own.open(end: segment.end, window: segment.window, scale: segment.scale)
        peer.acknowledged = segment.sequence &+ 1
        peer.flags = TCPWindow.known
        TCPWindow.settle(&own, &peer)
    }

    /// Whether the handshake's last step acknowledges the responder's other answer.
    var isAnswerToOtherSYN: Bool {
        @_noLocks get {
            state.number == FlowState.synReceived.number && isInitiator
                && recalled.isAnswer(from: sender.other, acknowledgedBy: segment.acknowledgement)
        }
    }

    /// Takes the remembered answer for the one that counts. What it says of scaling may differ from what the first one said, and the
    /// windows so far are in units of that: the larger scale is taken, and the largest where only the second one has any.
    @_noLocks mutating func adoptAnswer() {
        if own.scale == 0, recalled.scale != 255, recalled.scale != 0 { (own.scale, peer.scale) = (14, 14) }
        peer.end = recalled.end
        peer.maximum = max(peer.maximum, TCPWindow.units(recalled.window, scale: peer.scale))
        own.acknowledged = segment.acknowledgement
        memory = .forget
    }

    /// A RST.
    @_noLocks mutating func takeRST() -> Match {
        if state.number == FlowState.synSent.number { return takeEarlyRST() }
        let isExpectationKnown = peer.has(TCPWindow.acknowledges) || state.number == FlowState.synReceived.number
        let isExpected = isExpectationKnown && segment.sequence == peer.acknowledged
        // The end that alone was heard may not have said it; the other end, by its own port, answers what it does not know by a RST.
        if isUnsettled { return isExpected && !own.has(TCPWindow.known) ? reset() : .live }
        if state.number == FlowState.closed.number {
            // It is over, and what arrives late draws such answers: they need not be exact.
            let oldest = own.end &- peer.span &- TCPWindow.past
            let isPossible = !areKnown || segment.sequence &- oldest <= own.end &+ peer.span &- oldest
            return isPossible ? .live : .refused(.outOfWindow)
        }
        if isExpected || isRefusal || (own.has(TCPWindow.known) && segment.sequence == own.end) { return reset() }
        guard isExpectationKnown else { return .live }
        return isWithin(segment.sequence, peer.acknowledged, peer.acknowledged &+ peer.span) ? .live : .refused(.outOfWindow)
    }

    /// A responder that has changed its mind answers a repeated SYN: without a number of its own, but with the right one of ours.
    var isRefusal: Bool {
        @_noLocks get {
            state.number == FlowState.synReceived.number && !isInitiator && !peer.has(TCPWindow.acknowledges) && segment.isACK
                && segment.sequence == 0 && isWithin(segment.acknowledgement, own.acknowledged, peer.end)
        }
    }

    /// A RST before the answer: the responder must show that it knows the SYN (RFC 9293, 3.10.7.3).
    @_noLocks mutating func takeEarlyRST() -> Match {
        if isInitiator {
            // The flow goes on waiting, because the SYN may have reached the responder: its answer is the initiator's to refuse.
            if segment.sequence == own.end || segment.sequence == peer.acknowledged { return .live }
            // The answer to a challenge, which ends an old connection of the responder's and not this one.
            let isOfChallenge = own.has(TCPWindow.challenged) && segment.sequence == own.acknowledged
            return isOfChallenge ? .live : .refused(.outOfWindow)
        }
        guard segment.isACK else { return .refused(.outOfWindow) }
        let isOfFirst = isWithin(segment.acknowledgement, own.acknowledged, peer.end)
        let isOfOther = recalled.isOpening(from: sender.other, acknowledgedBy: segment.acknowledgement)
        return isOfFirst || isOfOther ? reset() : .refused(.outOfWindow)
    }

    /// The connection is over; one that never was leaves nothing in the table (`Match.ended`).
    @_noLocks mutating func reset() -> Match {
        state = .closed
        own.flags |= TCPWindow.reset
        return .live
    }
}
