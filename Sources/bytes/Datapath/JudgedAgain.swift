// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Flow
internal import Net
internal import Record
internal import Ring

// A live flow under another policy than the one that judged it. What becomes of one that policy no longer allows is said by the change
// mode of the rules that admitted it, which stands in its entry:
//
//     reevaluate   it ends
//     keep         it goes on until it ends by itself
//     drain        it goes on for so many seconds, from when it was judged, and ends then; a second refusal does not begin them anew
//     reset        it ends, and both ends of a TCP connection are told (`Lane+Reset`)
//
// A flow that goes on bears the mark `outlived`, and loses it when a later policy allows it: from then on the change mode of the rules
// that allow it now counts. An address that became contested or belongs to another zone ends its flows whatever the mode.

/// What became of a flow that was judged again.
enum Standing: BitwiseCopyable {
    /// It goes on.
    case goesOn
    /// It has ended for the reason.
    case ended(DropReason)
    /// It has ended for the reason, and a rule says that who sends is told.
    case rejected(DropReason)
    /// It has ended for the reason as far as policy goes; its entry stays until both ends are reset.
    case condemned(DropReason)
}

extension Lane {
    /// Judges the live flow of a frame in hand by the policy in force; `nil` when the frame may go on, else the verdict on it.
    @_noLocks @inline(never)
    mutating func judgeAgain(
        _ arrival: Arrival, _ number: FlowNumber, _ policy: borrowing PolicyInForce, _ now: Moment
    ) -> Verdict? {
        switch judgeAgain(number, question(of: number, policy), policy, now) {
        case .goesOn: return nil
        case .ended(let reason): return .drop(reason)
        case .rejected(let reason): return .reject(reason)
        case .condemned(let reason):
            if flows[number].isCondemned, burst.readings[arrival.index].tcpFlags.rawValue & 0x17 == 0x02 {
                // The ports are used again, before anybody could be told of the connection that used them before: if policy allows it.
                if ask(of: arrival, policy, now).allows { flows.remove(number) }
                return openFlow(arrival, policy, now)
            }
            let isConnected = isConnected(number)
            let isTold = (!isConnected || fits(arrival, number)) && resetBothEnds(arrival, number, at: now)
            if isTold || !isConnected { flows.remove(number) } else { flows[number].condemn() }
            return .drop(reason)
        }
    }

    /// Whether a segment lies in the windows of its connection. Who does not know its numbers must not have its ends told by them: both would
    /// take such resets for forged, and nobody would tell them again.
    @_noLocks
    private func fits(_ arrival: Arrival, _ number: FlowNumber) -> Bool {
        flows[number].fits(burst.readings[arrival.index], sender: burst.notes[arrival.index].keys.sender, flows.settings)
    }

    /// Judges a live flow without a frame of its own at hand; `nil` when it may go on, else why it ends here.
    @_noLocks @inline(never)
    mutating func judgeAgain(_ number: FlowNumber, _ policy: borrowing PolicyInForce, _ now: Moment) -> DropReason? {
        judgeAlone(number, question(of: number, policy), policy, now)
    }

    /// The same with the question at hand.
    @_noLocks
    mutating func judgeAlone(
        _ number: FlowNumber, _ question: Question, _ policy: borrowing PolicyInForce, _ now: Moment
    ) -> DropReason? {
        switch judgeAgain(number, question, policy, now) {
        case .goesOn: return nil
        case .ended(let reason), .rejected(let reason): return reason
        case .condemned(let reason):
            // Half a connection has nobody to be told of its end.
            if isConnected(number) { flows[number].condemn() } else { flows.remove(number) }
            return reason
        }
    }

    /// What policy is asked about a flow.
    @_noLocks
    func question(of number: FlowNumber, _ policy: borrowing PolicyInForce) -> Question {
        Question(of: flows.identity(of: number), port: flows[number].initiatorPort, policy, pair: pair)
    }

    @_noLocks
    private mutating func judgeAgain(
        _ number: FlowNumber, _ question: Question, _ policy: borrowing PolicyInForce, _ now: Moment
    ) -> Standing {
        let entry = flows[number]
        if entry.isCondemned { return .condemned(.denied) }
        let isSameGeneration = entry.generation == policy.snapshot.generation
        let holds = !entry.isDue(wall: now.wall, timer: now.seconds)
        let grounds = flows.grounds(of: number)
        let isSameClass =
            grounds.sourceClass == question.source.classNumber && grounds.destinationClass == question.destination.classNumber
        // A workload that reaches itself is judged by who both ends are, which the classes do not tell: one record stands for both
        // sides.
        let wasItself = grounds.ingressRecord == grounds.egressRecord
        if isSameGeneration && holds && isSameClass && !wasItself && !question.source.isElsewhere {
            flows[number].epoch = question.epoch
            rounds.noteLapse(entry.validUntil, isTimed: entry.isTimed)
            noteResponder(question, of: number)
            return .goesOn
        }
        // The initiator's address may belong to another zone by now, whatever its class is.
        let judgement = question.source.isElsewhere ? Judgement.unasked(.spoofed) : question.judge(policy, now)
        let isNews =
            !isSameGeneration || grounds.ingressRecord != judgement.ingress || grounds.egressRecord != judgement.egress
            || (entry.isOutlived != (judgement.decision.number != Decision.allow.number))
        guard judgement.decision.number == Decision.allow.number else {
            guard mayOutlive(entry, judgement, now) else { return end(number, question, judgement, policy, now) }
            outlive(number, question, judgement, policy, now)
            if isNews {
                reporter.cut(record(.change, number, now), question, judgement, generation: policy.snapshot.generation)
            }
            return .goesOn
        }
        note(judgement, question, of: number, policy)
        if isNews { reporter.change(record(.change, number, now), question, judgement) }
        return .goesOn
    }

    /// Whether a flow that policy refuses goes on all the same.
    @_noLocks
    private func mayOutlive(_ entry: FlowEntry, _ judgement: Judgement, _ now: Moment) -> Bool {
        let reason = judgement.reason.number
        guard reason != DropReason.contested.number, reason != DropReason.spoofed.number else { return false }
        if entry.change == SideRecord.Change.keep.number { return true }
        guard entry.change == SideRecord.Change.drain.number else { return false }
        return !entry.isOutlived || !entry.isDue(wall: now.wall, timer: now.seconds)
    }

    /// Lets a flow go on against policy's word. It keeps the change mode of the rules that admitted it; what refuses it now becomes its
    /// grounds, so that the next epoch finds its classes as they are.
    @_noLocks
    private mutating func outlive(
        _ number: FlowNumber, _ question: Question, _ judgement: Judgement, _ policy: borrowing PolicyInForce, _ now: Moment
    ) {
        let entry = flows[number]
        var kept = judgement
        kept.inspection = flows[detail: number].inspection
        kept.isFailsafe = false
        if entry.change == SideRecord.Change.drain.number {
            kept.change = .drain
            kept.drainSeconds = UInt32(entry.drainSeconds)
            // The monotonic clock reaches 2³² seconds after 136 years.
            let end = UInt32(truncatingIfNeeded: now.seconds &+ UInt64(entry.drainSeconds))
            (kept.validUntil, kept.isTimed) = entry.isOutlived ? (entry.validUntil, entry.isTimed) : (end, true)
        } else {
            kept.change = .keep
        }
        note(kept, question, of: number, policy)
        flows.mark(number, .outlived)
    }

    /// Ends a flow that policy no longer allows, with its record.
    @_noLocks
    private mutating func end(
        _ number: FlowNumber, _ question: Question, _ judgement: Judgement, _ policy: borrowing PolicyInForce, _ now: Moment
    ) -> Standing {
        reporter.cut(record(.end, number, now), question, judgement, generation: policy.snapshot.generation)
        let reason = judgement.reason
        // Whom an address belongs to that is contested, or seen elsewhere, nobody knows: he is told nothing.
        let isKnown = reason.number != DropReason.contested.number && reason.number != DropReason.spoofed.number
        if isKnown, flows[number].change == SideRecord.Change.reset.number, isTCP(number) { return .condemned(reason) }
        flows.remove(number)
        return isKnown && judgement.decision.number == Decision.reject.number ? .rejected(reason) : .ended(reason)
    }

    @_noLocks
    private func isTCP(_ number: FlowNumber) -> Bool { flows.identity(of: number).protocolNumber.rawValue == 6 }

    /// Whether a TCP flow has come so far that both ends know of the connection.
    @_noLocks
    func isConnected(_ number: FlowNumber) -> Bool {
        let state = flows[number].state.number
        return state == FlowState.established.number || state == FlowState.closing.number
    }
}

extension FlowEntry {
    /// Whether the flow goes on although policy would refuse it.
    var isOutlived: Bool { @_noLocks get { marks.rawValue & FlowMarks.outlived.rawValue != 0 } }
}
