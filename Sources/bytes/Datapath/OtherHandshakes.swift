// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Flow
internal import Net
internal import Record
internal import Ring

// Handshakes inside a flow: the responder opens too, or the ports are used for another connection.

extension Lane {
    /// The verdict on a SYN that the responder of a flow sends. Its roles stay what they are, so a rule for its initiator would let
    /// the responder open: policy is asked whether it may, as if the SYN came alone. The flow is the same, and no other is made.
    @_noLocks @inline(never)
    mutating func judgeCrossing(
        _ arrival: Arrival, _ number: FlowNumber, _ policy: borrowing PolicyInForce, _ now: Moment
    ) -> Verdict {
        let index = arrival.index
        let question = Question(of: burst.readings[index], port: arrival.port, policy, pair: pair)
        let judgement = question.source.isElsewhere ? Judgement.unasked(.spoofed) : question.judge(policy, now)
        guard judgement.decision.number == Decision.allow.number else {
            refuse(arrival, question, judgement, judgement.reason, policy, now)
            return .drop(judgement.reason)
        }
        let length = Int(burst.notes[index].descriptor.length)
        flows.cross(
            number, burst.readings[index], sender: flows[number].initiator.other, length: length, now: now.ticks)
        return .forward
    }

    /// The verdict on the answer to a SYN that came while the flow lived: a new connection of the same ports takes its place, judged
    /// with that SYN's sender as initiator.
    @_noLocks @inline(never)
    mutating func replaceFlow(
        _ arrival: Arrival, _ number: FlowNumber, sender: FlowEnd, _ policy: borrowing PolicyInForce, _ now: Moment
    ) -> Verdict {
        report(.end, number, now)
        flows.replace(number, now: now.ticks)
        // Who is answered came in by the other port.
        let port = 1 &- arrival.port
        if port == 1 { flows.mark(number, .secondPort) }
        let question = Question(of: flows.identity(of: number), port: port, policy, pair: pair)
        let judgement = question.source.isElsewhere ? Judgement.unasked(.spoofed) : question.judge(policy, now)
        guard judgement.decision.number == Decision.allow.number else {
            refuse(number, question, judgement, policy, now)
            flows.remove(number)
            return .drop(judgement.reason)
        }
        note(judgement, question, of: number, policy)
        let length = Int(burst.notes[arrival.index].descriptor.length)
        _ = flows.track(number, burst.readings[arrival.index], sender: sender, length: length, now: now.ticks)
        report(.start, number, question, judgement, now)
        return .forward
    }

    /// Reports the connection of an answered SYN that took a flow's place, and that policy forbids: it has not begun, so that it has no end.
    @_noLocks
    private mutating func refuse(
        _ number: FlowNumber, _ question: Question, _ judgement: Judgement, _ policy: borrowing PolicyInForce, _ now: Moment
    ) {
        var refused = record(.refused, number, now)
        refused.state = FlowState.free.number
        refused.forwardFlags = TCPFlags.syn.rawValue
        reporter.refuse(
            refused, question, judgement, judgement.reason, generation: policy.snapshot.generation, now)
    }
}
