// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Flow
internal import Net
internal import Record
internal import Ring

// The first frame of a flow: what may open one, what policy says, and a place in the table.

extension Lane {
    /// The verdict on a frame that belongs to no flow: what policy says of the flow that it opens.
    @_noLocks @inline(never)
    mutating func openFlow(_ arrival: Arrival, _ policy: borrowing PolicyInForce, _ now: Moment) -> Verdict {
        let index = arrival.index
        let state: FlowState
        switch Opening.of(burst.readings[index]) {
        case .refused(let reason): return .drop(reason)
        case .opens(let first): state = first
        }
        let question = Question(of: burst.readings[index], port: arrival.port, policy, pair: pair)
        let judgement = question.source.isElsewhere ? Judgement.unasked(.spoofed) : question.judge(policy, now)
        guard judgement.decision.number == Decision.allow.number else {
            refuse(arrival, question, judgement, judgement.reason, policy, now)
            return judgement.decision.number == Decision.reject.number ? .reject(judgement.reason) : .drop(judgement.reason)
        }
        if judgement.isStateless { return .forward }
        let number = place(index, state: state, now)
        guard !number.isNone else {
            refuse(arrival, question, judgement, .flowTableFull, policy, now)
            return .drop(.flowTableFull)
        }
        if arrival.port == 1 { flows.mark(number, .secondPort) }
        note(judgement, question, of: number, policy)
        let sender = flows[number].initiator
        let length = Int(burst.descriptors[index].length)
        _ = flows.track(number, burst.readings[index], sender: sender, length: length, now: now.ticks)
        report(.start, number, question, judgement, now)
        return .forward
    }

    /// A place in the table, if need be that of the flow that has waited longest; none where there is none.
    @_noLocks
    private mutating func place(_ index: Int, state: FlowState, _ now: Moment) -> FlowNumber {
        if flows.used < flowCapacity {
            let number = flows.insert(burst.readings[index], hash: burst.hashes[index], state: state, now: now.ticks)
            if !number.isNone { return number }
        }
        let oldest = flows.oldestWaiting(isIPv4: burst.readings[index].isIPv4)
        guard !oldest.isNone else { return .none }
        reporter.evict(record(.end, oldest, now))
        flows.remove(oldest, as: .evicted)
        return flows.insert(burst.readings[index], hash: burst.hashes[index], state: state, now: now.ticks)
    }

    /// Reports a frame in hand that opens no flow.
    @_noLocks
    mutating func refuse(
        _ arrival: Arrival, _ question: Question, _ judgement: Judgement, _ reason: DropReason, _ policy: borrowing PolicyInForce,
        _ now: Moment
    ) {
        reporter.refuse(
            burst.readings[arrival.index], question, judgement, reason, port: arrival.port,
            generation: policy.snapshot.generation, now)
    }

    /// Writes what policy said into a flow's entry.
    @_noLocks
    mutating func note(
        _ judgement: Judgement, _ question: Question, of number: FlowNumber, _ policy: borrowing PolicyInForce
    ) {
        flows[number].generation = policy.snapshot.generation
        flows[number].epoch = question.epoch
        flows[number].validUntil = judgement.validUntil
        rounds.noteLapse(judgement.validUntil)
        flows.unmark(number, .outlived)
        if judgement.isFailsafe { flows.mark(number, .failsafe) } else { flows.unmark(number, .failsafe) }
        flows[number].change = judgement.change.number
        flows[number].drainSeconds =
            judgement.drainSeconds < 0xffff ? UInt16(truncatingIfNeeded: judgement.drainSeconds) : 0xffff
        noteResponder(question, of: number)
        flows.setGrounds(
            FlowGrounds(
                sourceClass: question.source.classNumber, destinationClass: question.destination.classNumber,
                egressRecord: judgement.egress, ingressRecord: judgement.ingress), of: number)
        flows.setInspection(judgement.inspection, of: number)
    }

    /// Keeps whether the responder's address belongs to another zone than it would answer from.
    @_noLocks
    mutating func noteResponder(_ question: Question, of number: FlowNumber) {
        if question.destination.isElsewhere {
            flows.mark(number, .responderElsewhere)
        } else {
            flows.unmark(number, .responderElsewhere)
        }
    }
}
