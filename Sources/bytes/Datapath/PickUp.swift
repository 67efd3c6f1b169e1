// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Flow
internal import Net
internal import Record
internal import Ring

// Frames from the middle of a connection that belong to no flow: the table was lost, or the appliance came into the path of live
// connections. Who opened the connection is not known, so policy is asked twice: whether the sender may open towards the receiver's
// port, then whether the receiver may open towards the sender's. Either answer lets this connection go on, and no other: a SYN is
// never judged so, and a flow that was picked up as a reply has the receiver for its initiator.

/// Who policy was asked about, and what it said.
struct Answer: BitwiseCopyable {
    let question: Question
    let judgement: Judgement

    @_noLocks
    init(_ question: Question, _ judgement: Judgement) {
        self.question = question
        self.judgement = judgement
    }

    /// Whether the connection may be.
    var allows: Bool { @_noLocks get { judgement.decision.number == Decision.allow.number } }
}

extension Lane {
    /// Whether frames without a flow may go on after a restart that lost the table.
    @_noLocks
    func isInGrace(_ now: Moment) -> Bool {
        settings.pickUp != FlowSettings.PickUp.never.rawValue && flows.graceUntil > now.nanoseconds
    }

    /// Whether a segment that does not fit its flow may belong to it all the same: nothing of the flow was seen since frames began
    /// to pass unjudged, or since the process was lost that followed it.
    @_noLocks
    func hasGoneOnUnseen(_ index: Int, _ number: FlowNumber, _ now: Moment) -> Bool {
        guard isInGrace(now), isPickable(index, now) else { return false }
        let since = Moment(nanoseconds: graceFrom, wall: 0).ticks &- flows[number].lastSeen
        return Int32(bitPattern: since) > 0
    }

    /// The verdict on a segment of a flow that has gone on unseen. A connection that the table knows goes on in its entry, under the verdict
    /// that it has: its numbers are forgotten, and learned from what passes. So a forged segment costs it nothing. In the place of a handshake or
    /// of a connection that is over there may be another one by now: policy says whether it may be, before the flow ends.
    @_noLocks @inline(never)
    mutating func goOn(_ arrival: Arrival, _ number: FlowNumber, _ policy: borrowing PolicyInForce, _ now: Moment) -> Verdict {
        let index = arrival.index
        if isConnected(number) {
            flows.forgetWindows(number)
            let (sender, length) = (burst.notes[index].keys.sender, Int(burst.notes[index].descriptor.length))
            _ = flows.track(number, burst.readings[index], sender: sender, length: length, now: now.ticks)
            return .forward
        }
        let isAnswer = burst.readings[index].tcpFlags.rawValue & 0x02 != 0
        let forward = isAnswer ? nil : ask(of: arrival, policy, now)
        let isForward = forward?.allows ?? false
        guard let answer = isForward ? forward : askReversed(of: arrival, policy, now) else { return .drop(.outOfWindow) }
        report(.end, number, now)
        flows.remove(number)
        return admit(arrival, .established, answer, isPickedUp: true, isReply: !isForward, policy, now)
    }

    /// The verdict on a TCP segment, and in the grace on an SCTP packet, that opens nothing: a flow from here on, if it may be
    /// picked up and policy allows it, policy's refusal, or `nil` where nothing may be picked up.
    @_noLocks @inline(never)
    mutating func pickUp(_ arrival: Arrival, _ policy: borrowing PolicyInForce, _ now: Moment) -> Verdict? {
        guard isPickable(arrival.index, now) else { return nil }
        // A SYN that nobody was seen to send: who answers it is no initiator.
        if burst.readings[arrival.index].tcpFlags.rawValue & 0x02 != 0 { return openReversed(arrival, policy, now) }
        let forward = ask(of: arrival, policy, now)
        if forward.allows { return admit(arrival, .established, forward, isPickedUp: true, policy, now) }
        if let verdict = openReversed(arrival, policy, now) { return verdict }
        refuse(arrival, forward.question, forward.judgement, forward.judgement.reason, policy, now)
        return .drop(forward.judgement.reason)
    }

    /// Whether a frame that opens nothing may be picked up now.
    @_noLocks
    func isPickable(_ index: Int, _ now: Moment) -> Bool {
        let isGrace = isInGrace(now)
        let protocolNumber = burst.readings[index].protocolNumber
        guard protocolNumber.rawValue == 6 else { return isGrace && protocolNumber == .sctp }
        // With ACK, and no RST.
        let flags = burst.readings[index].tcpFlags.rawValue
        guard isGrace || settings.pickUp == FlowSettings.PickUp.always.rawValue, flags & 0x14 == 0x10 else { return false }
        // An answer only where its SYN was lost with the table, or took another way.
        return flags & 0x02 == 0 || isGrace || settings.isAsymmetric != 0
    }

    /// The verdict on a frame that policy does not let open a flow, but that may be a reply of one that was lost with the table;
    /// `nil` where it may not.
    @_noLocks @inline(never)
    mutating func pickUpReply(_ arrival: Arrival, _ policy: borrowing PolicyInForce, _ now: Moment) -> Verdict? {
        let protocolNumber = burst.readings[arrival.index].protocolNumber
        guard isInGrace(now), protocolNumber.rawValue != 6, !protocolNumber.isICMP else { return nil }
        return openReversed(arrival, policy, now)
    }

    /// Opens the flow that a frame is a reply of, where policy lets its receiver open towards its sender.
    @_noLocks
    private mutating func openReversed(_ arrival: Arrival, _ policy: borrowing PolicyInForce, _ now: Moment) -> Verdict? {
        guard let answer = askReversed(of: arrival, policy, now) else { return nil }
        return admit(arrival, .established, answer, isPickedUp: true, isReply: true, policy, now)
    }

    /// Policy's leave for a frame's receiver to open towards its sender; `nil` where it gives none.
    @_noLocks
    private func askReversed(of arrival: Arrival, _ policy: borrowing PolicyInForce, _ now: Moment) -> Answer? {
        let index = arrival.index
        // Who answers from another zone's address is somebody else, as in a flow.
        let sender = Question(of: burst.readings[index], port: arrival.port, policy, pair: pair).source
        guard !sender.isElsewhere else { return nil }
        let reply = Question(
            from: burst.readings[index].destination, to: burst.readings[index].source,
            service: ServiceKey(burst.readings[index].protocolNumber, port: burst.readings[index].sourcePort),
            sourcePort: burst.readings[index].destinationPort, vlans: burst.readings[index].vlans,
            tunnel: burst.readings[index].tunnel, pair: pair, port: 1 &- arrival.port, policy)
        let answer = Answer(reply, reply.source.isElsewhere ? .unasked(.spoofed) : reply.judge(policy, now))
        return answer.allows ? answer : nil
    }
}
