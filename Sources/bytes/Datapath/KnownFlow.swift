// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Flow
internal import Net
internal import Record
internal import Ring

/// How a frame that belongs to a flow arrived: where it stands in the burst, and the port that it came in by.
struct Arrival: BitwiseCopyable {
    /// Place in the burst.
    let index: Int
    /// Port of the pair: 0 or 1.
    let port: UInt8

    @_noLocks
    init(index: Int, port: UInt8) {
        self.index = index
        self.port = port
    }
}

extension Lane {
    /// The verdict on a frame with a transport: that of its flow, or policy's on the flow that it opens.
    @_noLocks @inline(always)
    mutating func judgeFlow(_ arrival: Arrival, _ policy: borrowing PolicyInForce, _ now: Moment) -> Verdict {
        let number = burst.notes[arrival.index].candidate
        guard let place = flows.confirm(burst.notes[arrival.index].keys, number) else {
            return judgeUnconfirmed(arrival, policy, now)
        }
        return judgeKnown(arrival, number, place, policy, now)
    }

    /// The verdict on a frame whose bucket suggests no entry, or another flow's.
    @_noLocks @inline(never)
    private mutating func judgeUnconfirmed(_ arrival: Arrival, _ policy: borrowing PolicyInForce, _ now: Moment) -> Verdict {
        let index = arrival.index
        let number = flows.find(
            burst.notes[index].keys, hash: burst.notes[index].hash, candidate: burst.notes[index].candidate)
        guard !number.isNone else { return openFlow(arrival, policy, now) }
        return judgeKnown(arrival, number, flows.place(of: number), policy, now)
    }

    /// The verdict on a frame of a flow that the table knows.
    @_noLocks @inline(always)
    private mutating func judgeKnown(
        _ arrival: Arrival, _ number: FlowNumber, _ place: FlowPlace, _ policy: borrowing PolicyInForce, _ now: Moment
    ) -> Verdict {
        let index = arrival.index
        let sender = burst.notes[index].keys.sender
        // An end is known by the port it came in by first: its address on the other side is somebody else's.
        guard place.isOwnPort(arrival.port, of: sender) else { return judgeOtherPort(arrival, number, policy, now) }
        // An identifier can be chosen so that the responder's own request has the key of the flow it answers, and the initiator's
        // own reply that of its request: only the responder answers, and it does nothing else.
        if burst.readings[index].protocolNumber.isICMP {
            let isReply = burst.readings[index].marks.rawValue & Reading.Marks.icmpReply.rawValue != 0
            if isReply == place.isInitiator(sender) { return .drop(.unrelatedICMP) }
        }
        if place.isStale(generation: policy.snapshot.generation, epoch: policy.map.epoch, wall: now.wall, timer: now.seconds),
            let verdict = judgeAgain(arrival, number, policy, now)
        {
            return verdict
        }
        if place.isResponderElsewhere, !place.isInitiator(sender) { return .drop(.spoofed) }
        let length = Int(burst.notes[index].descriptor.length)
        if place.takePlain(burst.readings[index], sender: sender, length: length, now: now.ticks) { return .forward }
        return judgeTurn(arrival, number, policy, now)
    }

    /// The verdict on a frame that came in by another port than its sender has in the flow. It is somebody else's, unless nobody has answered
    /// yet: then the first one may have been forged, and this one not. So a frame that opens takes the place of such a flow, where policy
    /// lets it: else one forged frame would keep a connection from its owner as long as the flow waits. Policy is asked first, so
    /// that what it forbids ends no flow of others.
    @_noLocks @inline(never)
    private mutating func judgeOtherPort(
        _ arrival: Arrival, _ number: FlowNumber, _ policy: borrowing PolicyInForce, _ now: Moment
    ) -> Verdict {
        let state = flows[number].state.number
        guard state == FlowState.synSent.number || state == FlowState.oneSided.number,
            case .opens(let first) = Opening.of(burst.readings[arrival.index])
        else { return .drop(.spoofed) }
        let answer = ask(of: arrival, policy, now)
        guard answer.allows else { return .drop(.spoofed) }
        report(.end, number, now)
        flows.remove(number)
        return admit(arrival, first, answer, policy, now)
    }

    /// The verdict on a frame that moves its flow to another state, or does not fit it.
    @_noLocks @inline(never)
    private mutating func judgeTurn(
        _ arrival: Arrival, _ number: FlowNumber, _ policy: borrowing PolicyInForce, _ now: Moment
    ) -> Verdict {
        let index = arrival.index
        let (sender, length) = (burst.notes[index].keys.sender, Int(burst.notes[index].descriptor.length))
        switch flows.track(number, burst.readings[index], sender: sender, length: length, now: now.ticks) {
        case .live: return .forward
        case .ended:
            report(.end, number, now)
            flows.remove(number)
            return .forward
        case .refused(let reason):
            guard reason.number == DropReason.outOfWindow.number, hasGoneOnUnseen(arrival.index, number, now) else {
                return .drop(reason)
            }
            return goOn(arrival, number, policy, now)
        case .reopen:
            report(.end, number, now)
            flows.remove(number)
            return openFlow(arrival, policy, now)
        case .crossing: return judgeCrossing(arrival, number, policy, now)
        case .answered: return replaceFlow(arrival, number, sender: sender, policy, now)
        }
    }
}

extension FlowEntry {
    /// The port of the pair that the initiator came in by.
    var initiatorPort: UInt8 { @_noLocks get { marks.rawValue & FlowMarks.secondPort.rawValue != 0 ? 1 : 0 } }
}
