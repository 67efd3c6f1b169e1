// SPDX-License-Identifier: Apache-2.0
internal import Net

// The segments of the slow machine that are no SYN.

extension SlowTCP {
    /// The four borders, for a segment whose both ends are known.
    func isInside(_ segment: SampleSegment, _ me: Int) -> Bool {
        let (mine, yours) = (ends[me], ends[1 - me])
        guard segment.flags.contains(.ack), let theirs = yours.next else { return false }
        // All as distances from what was sent last, or where nobody saw that, from what was acknowledged.
        let expected = yours.expected ?? 0
        let sent = mine.next ?? expected
        let distance = Self.lead(segment.sequence &+ segment.span, sent)
        // One: it does not go beyond the window of the receiver, but for the one byte of a probe.
        if distance > Self.lead(expected, sent) + yours.window + 1 { return false }
        // Two: it does not end more than a window, and a little, before what was sent already.
        if -distance > yours.window + 66_000 { return false }
        // Three: it acknowledges nothing that was not sent.
        let window = mine.next == nil ? max(Int(segment.window), 64) << 14 : mine.window
        if Self.lead(segment.acknowledgement, theirs) > (isPickedUp ? window : 0) { return false }
        // Four: it does not acknowledge what was acknowledged long ago.
        if Self.lead(theirs, segment.acknowledgement) > max(66_000, window) { return false }
        if phase == .synReceived, mine.expects == nil, let expected = mine.expected {
            return Self.lead(segment.acknowledgement, expected) >= 0
        }
        return true
    }

    /// Anything but SYN and RST.
    mutating func takeRest(_ segment: SampleSegment, _ me: Int) -> SlowFate {
        if phase == .synSent { return takeEarly(segment, me) }
        if isUnsettled {
            if ends[1 - me].next == nil || !isInside(segment, me) {
                ends = [End(), End()]
                move(segment, me, isBelieved: false)
                return .live
            }
        } else if ends[1 - me].next != nil, phase != .closed || ends[1 - me].expects != nil, !isInside(segment, me) {
            if phase == .synReceived, me == 0, let other, !other.isInitiators, other.segment.flags.contains(.ack),
                Self.acknowledges(segment.acknowledgement, other.segment)
            {
                believe(other.segment, segment.acknowledgement)
            } else if !isLoose {
                return .refused(.outOfWindow)
            } else if !isAsymmetric {
                return .live
            }
        }
        move(segment, me)
        return .live
    }

    /// Before the responder has answered.
    mutating func takeEarly(_ segment: SampleSegment, _ me: Int) -> SlowFate {
        if isAsymmetric {
            phase = .established
            move(segment, me)
            return .live
        }
        if me == 0 { return .refused(.oneSided) }
        guard segment.span == 0, segment.flags.contains(.ack) else { return .refused(.outOfWindow) }
        ends[0].challenge = segment.acknowledgement
        return .live
    }

    /// The responder's second answer was the one that the initiator took.
    mutating func believe(_ answer: SampleSegment, _ acknowledgement: UInt32) {
        if ends[0].shift == 0, let scale = answer.scale, scale != 0 { for end in 0...1 { ends[end].shift = 14 } }
        ends[1].next = answer.sequence &+ answer.span
        ends[1].units = max(ends[1].units, Self.units(Int(answer.window), ends[1].shift ?? 0))
        ends[0].willExpect = acknowledgement
        other = nil
    }

    /// Writes down what a segment that passes shows.
    mutating func move(_ segment: SampleSegment, _ me: Int, isBelieved: Bool = true) {
        guard phase != .closed else { return }
        let you = 1 - me
        let end = segment.sequence &+ segment.span
        if let sent = ends[me].next {
            if Self.lead(end, sent) > 0 {
                ends[me].next = end
                ends[me].hasFinished = false
                ends[me].isFinishHeard = false
            }
        } else {
            ends[me].units = max(Int(segment.window), 64)
            ends[me].shift = 14
            ends[me].next = end
            if let heard = ends[you].expects, Self.lead(heard, end) > 0 { ends[me].next = heard }
        }
        if segment.flags.contains(.ack) { hear(segment.acknowledgement, me) }
        let units = segment.flags.contains(.syn) ? Self.units(Int(segment.window), ends[me].shift ?? 0) : Int(segment.window)
        ends[me].units = max(ends[me].units, units)
        if isBelieved, segment.flags.contains(.fin), end == ends[me].next {
            ends[me].hasFinished = true
            phase = .closing
        } else if phase == .synReceived, ends[0].expects != nil, ends[1].expects != nil {
            phase = .established
        } else if phase == .closing, !ends[0].hasFinished, !ends[1].hasFinished {
            phase = .established
        }
        if ends[0].isFinishHeard, ends[1].isFinishHeard { phase = .closed }
    }

    /// An end says what it expects.
    mutating func hear(_ number: UInt32, _ me: Int) {
        let you = 1 - me
        if let before = ends[me].expects {
            if Self.lead(number, before) > 0 { ends[me].expects = number }
        } else {
            ends[me].expects = number
        }
        guard let sent = ends[you].next else { return }
        if Self.lead(number, sent) > 0 { ends[you].next = number }
        if ends[you].hasFinished, number == ends[you].next { ends[you].isFinishHeard = true }
    }

    /// A RST.
    mutating func takeReset(_ segment: SampleSegment, _ me: Int) -> SlowFate {
        let you = 1 - me
        let number = segment.sequence
        if phase == .synSent { return takeEarlyReset(segment, me) }
        if isUnsettled {
            guard ends[me].next == nil, number == ends[you].expects else { return .live }
            phase = .closed
            ends[me].hasReset = true
            return .live
        }
        let expected = ends[you].expects ?? (phase == .synReceived ? ends[you].willExpect : nil)
        if phase == .closed {
            guard let sent = ends[me].next, ends[you].next != nil else { return .live }
            let window = ends[you].window
            let isNear = Self.lead(sent, number) <= window + 66_000 && Self.lead(number, sent) <= window
            return isNear ? .live : .refused(.outOfWindow)
        }
        var isExact = number == ends[me].next || (expected != nil && number == expected)
        if phase == .synReceived, me == 1, ends[0].expects == nil, number == 0, segment.flags.contains(.ack),
            let low = ends[1].expected, let high = ends[0].next, Self.lead(segment.acknowledgement, low) >= 0,
            Self.lead(segment.acknowledgement, high) <= 0
        {
            isExact = true
        }
        if isExact {
            let isEarly = phase == .synReceived
            phase = .closed
            ends[me].hasReset = true
            return isEarly ? .ended : .live
        }
        guard let expected else { return .live }
        let distance = Self.lead(number, expected)
        return distance >= 0 && distance <= ends[you].window ? .live : .refused(.outOfWindow)
    }

    mutating func takeEarlyReset(_ segment: SampleSegment, _ me: Int) -> SlowFate {
        if me == 0 {
            // An initiator that gives up changes nothing: its flow waits for its time to end.
            let isExact = segment.sequence == ends[0].next || segment.sequence == ends[1].willExpect
            return isExact || segment.sequence == ends[0].challenge ? .live : .refused(.outOfWindow)
        }
        var isExact = isAnswerOfFirst(segment.acknowledgement)
        if let other, other.isInitiators, Self.acknowledges(segment.acknowledgement, other.segment) { isExact = true }
        if !isExact || !segment.flags.contains(.ack) { return .refused(.outOfWindow) }
        phase = .closed
        ends[me].hasReset = true
        return .ended
    }
}
