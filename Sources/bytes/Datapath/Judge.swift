// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Flow
internal import Net
internal import Record
internal import Ring

// From a reading to a verdict. A frame of a known flow takes the flow's; the first frame of one asks policy, and what policy said is
// kept in the flow's entry with two stamps: the generation and the epoch that said it. Another generation judges again on the next
// frame; another epoch compares the classes of both ends and judges again only where one changed; a verdict that holds only until a
// certain second is judged again behind it.

extension Lane {
    /// The verdict on the frame at `index` of the burst.
    @_noLocks @inline(always)
    mutating func judge(_ index: Int, by policy: borrowing PolicyInForce, at now: Moment) -> Verdict {
        if let reason = burst.notes[index].reason { return .drop(reason) }
        if burst.isInTunnel(index), let refusal = judgeTunnel(index, policy, now) { return refusal }
        return judgeHeaders(index, by: policy, at: now)
    }

    /// The verdict on the headers that the reading in hand is of: a frame's own, or those in a tunnel, or those of the tunnel around.
    @_noLocks @inline(__always)
    mutating func judgeHeaders(_ index: Int, by policy: borrowing PolicyInForce, at now: Moment) -> Verdict {
        if isOwn(burst.readings[index]) { return .drop(.ownAddress) }
        let port = burst.notes[index].port
        let marks = burst.readings[index].marks.rawValue
        let isGroup = marks & Reading.Marks.group.rawValue != 0
        if isGroup || burst.readings[index].link.number != 0,
            let verdict = judgeLink(burst.readings[index], port: port, policy, now)
        {
            return verdict
        }
        switch burst.readings[index].kind {
        // What the table has not decided by now is in none of its rows.
        case .arp, .neighbour, .link: return .drop(.unknownEtherType)
        case .fragment:
            if !burst.isResolved(index) { return .hold }
            if isPartOfTunnel(index, policy) { return .drop(.badTunnel) }
        case .packet: break
        }
        if policy.snapshot.isAnyZoneOnLink, let reason = senderFault(index, port: port, policy, now) { return .drop(reason) }
        if marks & Reading.Marks.icmpError.rawValue != 0 { return judgeError(index, policy, now) }
        if isGroup { return judgeGroup(index, policy, now) }
        return judgeFlow(Arrival(index: index, port: port), policy, now)
    }

    /// Where some zone is on the link itself: whether the frame's source address is bound to another hardware address than it came
    /// from. Asked for every frame, because a flow does not make its sender's neighbours honest.
    @_noLocks @inline(never)
    mutating func senderFault(_ index: Int, port: UInt8, _ policy: borrowing PolicyInForce, _ now: Moment) -> DropReason? {
        let sender = Sender(burst.readings[index], port: port, pair: pair, policy)
        guard let reason = sender.faultOfBinding(burst.readings[index].source, sender.hardware, policy) else { return nil }
        let question = Question(of: burst.readings[index], port: port, policy, pair: pair)
        reporter.refuse(
            burst.readings[index], question, .unasked(reason), reason, port: port, generation: policy.snapshot.generation, now)
        return reason
    }
}
