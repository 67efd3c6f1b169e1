// SPDX-License-Identifier: Apache-2.0
public import Net

/// What becomes of a segment in its connection.
public enum SlowFate: Equatable, Sendable {
    /// It passes.
    case live
    /// It passes, and nothing is left of the connection: its handshake was refused or given up.
    case ended
    /// It is the first of another connection, behind this one.
    case reopen
    /// It is a SYN of the responder's, to be asked about.
    case crossing
    /// It answers another SYN than the one that opened the connection.
    case answered
    /// It does not pass.
    case refused(DropReason)
}

/// The state machine of a TCP connection as a filter sees it, written down plainly from RFC 9293, RFC 7323 and RFC 5961, with the
/// four borders of Linux' connection tracking. It shares no line with Flow, and is as slow as it likes to be.
public struct SlowTCP: Sendable {
    /// How far the connection has come.
    public enum Phase: UInt8, Sendable {
        /// In the order of `FlowState`, which begins with one that is free.
        case synSent = 1
        case synReceived, established, closing, closed
    }

    /// What is known of one end.
    public struct End: Sendable {
        /// The number behind the highest one that it has sent.
        public var next: UInt32?
        /// The highest number that it said to expect.
        public var expects: UInt32?
        /// The number that it will say to expect, because the other's SYN is known.
        public var willExpect: UInt32?
        /// Its largest window, in units.
        public var units = 0
        /// What a unit is: shifted by so much; `nil` while it has offered nothing.
        public var shift: Int?
        var hasFinished = false
        var isFinishHeard = false
        var hasReset = false
        /// What a bare ACK acknowledged, that came as an answer to its SYN.
        var challenge: UInt32?

        /// The largest window in bytes.
        public var window: Int { units << (shift ?? 0) }
        /// What it expects, said or not.
        public var expected: UInt32? { expects ?? willExpect }
    }

    /// The initiator, then the responder.
    public var ends = [End(), End()]
    /// How far it has come.
    public var phase = Phase.synSent
    /// Whether the client is the initiator.
    public let isClientInitiator: Bool
    let settings: FlowSettings
    let isPickedUp: Bool
    /// A SYN that nobody has answered yet.
    var other: (isInitiators: Bool, segment: SampleSegment)?

    var isAsymmetric: Bool { settings.isAsymmetric == 1 }
    var isLoose: Bool { isAsymmetric || settings.windows == 1 }

    /// Whether only one end of a connection from the middle has been heard, or none: it is believed when the other agrees.
    var isUnsettled: Bool {
        isPickedUp && phase != .closed && !isAsymmetric && (ends[0].next == nil || ends[1].next == nil)
    }

    /// A connection without a segment; one that is picked up is established.
    public init(isClientInitiator: Bool = true, _ settings: FlowSettings = FlowSettings(), isPickedUp: Bool = false) {
        self.isClientInitiator = isClientInitiator
        self.settings = settings
        self.isPickedUp = isPickedUp
        if isPickedUp { phase = .established }
    }

    /// How far `a` is ahead of `b`.
    static func lead(_ a: UInt32, _ b: UInt32) -> Int { Int(Int32(bitPattern: a &- b)) }

    /// What becomes of a segment. Nothing changes unless it passes.
    public mutating func take(_ segment: SampleSegment) -> SlowFate {
        let me = segment.isFromClient == isClientInitiator ? 0 : 1
        if segment.flags.contains(.rst) { return takeReset(segment, me) }
        if segment.flags.contains(.syn) {
            return segment.flags.contains(.ack) ? takeAnswer(segment, me) : takeOpening(segment, me)
        }
        return takeRest(segment, me)
    }

    /// A SYN alone.
    mutating func takeOpening(_ segment: SampleSegment, _ me: Int) -> SlowFate {
        if phase == .closed {
            guard let next = ends[me].next, !ends[0].hasReset, !ends[1].hasReset else { return .reopen }
            if Self.lead(segment.sequence, next) >= 0 { return .reopen }
        }
        if me == 1 { return .crossing }
        if phase != .synSent {
            other = (true, segment)
        } else if ends[0].next == nil {
            begin(segment, 0)
            ends[1].willExpect = segment.sequence &+ 1
            other = nil
        } else if ends[1].willExpect == segment.sequence &+ 1 {
            if let next = ends[0].next, Self.lead(segment.sequence &+ segment.span, next) > 0 {
                ends[0].next = segment.sequence &+ segment.span
            }
            ends[0].units = max(ends[0].units, Int(segment.window))
            if ends[0].shift == nil { ends[0].shift = segment.scale.map(Int.init) }
        } else {
            other = (true, segment)
        }
        return .live
    }

    /// A SYN alone of the responder, which policy allows.
    public mutating func cross(_ segment: SampleSegment) {
        guard phase == .synSent else {
            other = (false, segment)
            return
        }
        meet(segment)
        phase = .synReceived
    }

    mutating func begin(_ segment: SampleSegment, _ me: Int) {
        ends[me] = End()
        ends[me].next = segment.sequence &+ segment.span
        ends[me].units = Int(segment.window)
        ends[me].shift = segment.scale.map(Int.init)
    }

    /// The responder's SYN meets the initiator's: now scaling is known.
    mutating func meet(_ segment: SampleSegment) {
        let willExpect = ends[1].willExpect
        begin(segment, 1)
        ends[1].willExpect = willExpect
        ends[0].willExpect = segment.sequence &+ 1
        ends[0].challenge = nil
        ends[0].expects = nil
        let isScaled = ends[0].shift != nil && ends[1].shift != nil
        for end in 0...1 {
            let shift = isScaled ? ends[end].shift ?? 0 : 0
            ends[end].shift = shift
            ends[end].units = Self.units(ends[end].units, shift)
        }
    }

    static func units(_ bytes: Int, _ shift: Int) -> Int { (bytes + (1 << shift) - 1) / (1 << shift) }

    /// Whether an acknowledgement is of a SYN and no more than its data.
    static func acknowledges(_ number: UInt32, _ syn: SampleSegment) -> Bool {
        lead(number, syn.sequence) >= 1 && lead(number, syn.sequence &+ syn.span) <= 0
    }

    /// A SYN with ACK.
    mutating func takeAnswer(_ segment: SampleSegment, _ me: Int) -> SlowFate {
        if phase == .synSent { return takeFirstAnswer(segment, me) }
        let you = 1 - me
        guard !isAsymmetric, let mine = ends[me].next, let yours = ends[you].next else { return takeRest(segment, me) }
        if isInside(segment, me), Self.lead(segment.sequence &+ 1, mine) <= 0 {
            move(segment, me)
            return .live
        }
        if phase == .synReceived, me == 1, ends[0].expects == nil, let mustBe = ends[1].expected,
            Self.lead(segment.acknowledgement, mustBe) >= 0, Self.lead(segment.acknowledgement, yours) <= 0
        {
            other = (false, segment)
            return .live
        }
        if let other, other.isInitiators == (you == 0), !other.segment.flags.contains(.ack),
            Self.acknowledges(segment.acknowledgement, other.segment)
        {
            return .answered
        }
        return isLoose ? .live : .refused(.outOfWindow)
    }

    mutating func takeFirstAnswer(_ segment: SampleSegment, _ me: Int) -> SlowFate {
        if me == 0 { return isAsymmetric ? .live : .refused(.oneSided) }
        let isRight = isAnswerOfFirst(segment.acknowledgement)
        var hears = isRight ? segment.acknowledgement : ends[1].willExpect ?? 0
        if !isRight {
            if let other, other.isInitiators, Self.acknowledges(segment.acknowledgement, other.segment) {
                begin(other.segment, 0)
                hears = segment.acknowledgement
            } else if !isLoose {
                return .refused(.outOfWindow)
            }
        }
        other = nil
        meet(segment)
        ends[1].expects = hears
        phase = .synReceived
        return .live
    }

    /// Whether a number acknowledges the SYN that opened the connection.
    func isAnswerOfFirst(_ number: UInt32) -> Bool {
        guard let low = ends[1].willExpect, let high = ends[0].next else { return false }
        return Self.lead(number, low) >= 0 && Self.lead(number, high) <= 0
    }

    /// The connection that the remembered SYN opens, behind `answered`.
    public func replaced() -> SlowTCP? {
        guard let other else { return nil }
        var fresh = SlowTCP(isClientInitiator: other.segment.isFromClient, settings)
        _ = fresh.take(other.segment)
        return fresh
    }
}
