// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Flow
internal import Net
internal import Record
internal import Ring

// The first frame of a flow: what may open one, whether it was refused a moment ago, what policy says, whether its source may open
// one more, and a place in the table.

extension Lane {
    /// The verdict on a frame that belongs to no flow: what policy says of the flow that it opens.
    @_noLocks @inline(never)
    mutating func openFlow(_ arrival: Arrival, _ policy: borrowing PolicyInForce, _ now: Moment) -> Verdict {
        let state: FlowState
        switch Opening.of(burst.readings[arrival.index]) {
        case .refused(let reason):
            if let verdict = pickUp(arrival, policy, now) { return verdict }
            return closed(arrival, reason, policy, now)
        case .opens(let first): state = first
        }
        // A refusal of a moment ago says nothing of a datagram that somebody has asked for since.
        let expectation = expectation(of: arrival, policy, now)
        if expectation == nil, let verdict = remembered(arrival, policy, now) { return verdict }
        let answer = ask(of: arrival, policy, now)
        guard answer.allows else {
            if let expectation, let verdict = openReply(arrival, to: expectation, policy, now) { return verdict }
            if let verdict = pickUpReply(arrival, policy, now) { return verdict }
            return deny(arrival, answer.question, answer.judgement, policy, now)
        }
        return admit(arrival, state, answer, policy, now)
    }

    /// What policy says of the flow that a frame in hand opens.
    @_noLocks
    func ask(of arrival: Arrival, _ policy: borrowing PolicyInForce, _ now: Moment) -> Answer {
        let question =
            burst.isAsked(arrival.index)
            ? burst.questions[arrival.index]
            : Question(of: burst.readings[arrival.index], port: arrival.port, policy, pair: pair)
        return Answer(question, question.source.isElsewhere ? Judgement.unasked(.spoofed) : question.judge(policy, now))
    }

    /// Opens a flow that policy allows; its frame passes where there is a place for it.
    ///
    /// - Parameters:
    ///   - isPickedUp: the frame is from the middle of a connection.
    ///   - isReply: its sender is the responder.
    @_noLocks
    mutating func admit(
        _ arrival: Arrival, _ state: FlowState, _ answer: Answer, isPickedUp: Bool = false, isReply: Bool = false,
        _ policy: borrowing PolicyInForce, _ now: Moment
    ) -> Verdict {
        let index = arrival.index
        let (question, judgement) = (answer.question, answer.judgement)
        if judgement.isStateless { return .forward }
        // Whoever sends in an administrator's name must not spend what is failsafe's.
        if settings.sourceRate > 0, !judgement.isFailsafe, !isWithinLimit(index, now) {
            refuse(arrival, question, judgement, .sourceLimit, policy, now)
            return .drop(.sourceLimit)
        }
        // What opens without a handshake never gives way, so that it may take no more than half of the table.
        if state == .established, !judgement.isFailsafe, flows.used >= flowCapacity / 2 {
            return full(arrival, question, judgement, policy, now)
        }
        let number = place(index, state: state, isFailsafe: judgement.isFailsafe, now)
        guard !number.isNone else { return full(arrival, question, judgement, policy, now) }
        let sender = flows[number].initiator
        if isPickedUp { flows.pickUp(number, isReply: isReply) } else if isReply { flows.turnRound(number) }
        if (arrival.port == 1) != isReply { flows.mark(number, .secondPort) }
        note(judgement, question, of: number, policy)
        let length = Int(burst.notes[index].descriptor.length)
        _ = flows.track(number, burst.readings[index], sender: sender, length: length, now: now.ticks)
        report(.start, number, question, judgement, now)
        return .forward
    }

    /// The verdict of a moment ago on the same connection, if it was refused.
    @_noLocks
    private mutating func remembered(
        _ arrival: Arrival, _ policy: borrowing PolicyInForce, _ now: Moment
    ) -> Verdict? {
        guard let denial = denial(arrival.index, generation: policy.snapshot.generation, epoch: policy.map.epoch, now) else {
            return nil
        }
        noteAgain()
        return denial.isReject ? .reject(denial.reason) : .drop(denial.reason)
    }

    /// The refusal of a frame's connection that is remembered under a generation and an epoch.
    @_noLocks @inline(__always)
    func denial(_ index: Int, generation: UInt32, epoch: UInt32, _ now: Moment) -> Denial? {
        denials.find(
            burst.notes[index].keys, hash: burst.notes[index].hash, port: burst.notes[index].port, generation: generation,
            epoch: epoch, now: now.ticks)
    }

    /// A connection was refused again, and nobody was asked.
    @_noLocks
    mutating func noteAgain() {
        reporter.suppress()
        unsafe counters.pointee.refusedAgain &+= 1
    }

    /// Policy does not allow it: reported, and remembered.
    @_noLocks
    private mutating func deny(
        _ arrival: Arrival, _ question: Question, _ judgement: Judgement, _ policy: borrowing PolicyInForce, _ now: Moment
    ) -> Verdict {
        refuse(arrival, question, judgement, judgement.reason, policy, now)
        let isReject = judgement.decision.number == Decision.reject.number
        if Denial.mayKeep(until: judgement.validUntil, wall: now.wall) {
            let denial = Denial(
                generation: policy.snapshot.generation, epoch: question.epoch, judged: now.ticks, isReject: isReject,
                reason: judgement.reason, sender: burst.notes[arrival.index].keys.sender, port: arrival.port)
            denials.keep(denial, burst.notes[arrival.index].keys, hash: burst.notes[arrival.index].hash)
        }
        return isReject ? .reject(judgement.reason) : .drop(judgement.reason)
    }

    /// Whether the frame's source may open one more flow.
    @_noLocks
    private mutating func isWithinLimit(_ index: Int, _ now: Moment) -> Bool {
        sources.take(
            burst.readings[index].source, rate: settings.sourceRate, burst: settings.sourceBurst, at: now.nanoseconds)
    }

    /// A place in the table, if need be that of the flow that has waited longest; none where there is none. The last of the capacity
    /// is for failsafe services alone.
    @_noLocks
    private mutating func place(_ index: Int, state: FlowState, isFailsafe: Bool, _ now: Moment) -> FlowNumber {
        if flows.used < (isFailsafe ? flowCapacity : flowCapacity &- reserve) {
            let number = flows.insert(burst.readings[index], hash: burst.notes[index].hash, state: state, now: now.ticks)
            if !number.isNone { return number }
        }
        let oldest = flows.oldestWaiting()
        guard !oldest.isNone else { return .none }
        reporter.evict(record(.end, oldest, now))
        flows.remove(oldest, as: .evicted)
        flows.prefetchOldest(isIPv4: oldest.isIPv4)
        return flows.insert(burst.readings[index], hash: burst.notes[index].hash, state: state, now: now.ticks)
    }

    /// Flows of the capacity that only failsafe services may take: as configured, but no more than an eighth.
    private var reserve: Int { @_noLocks get { min(Int(settings.reservedFlows), flowCapacity / 8) } }

    /// Allowed, and no place for it.
    @_noLocks
    private mutating func full(
        _ arrival: Arrival, _ question: Question, _ judgement: Judgement, _ policy: borrowing PolicyInForce, _ now: Moment
    ) -> Verdict {
        if settings.whenFull == FlowSettings.WhenFull.pass.number {
            unsafe counters.pointee.passedUntracked &+= 1
            return .forward
        }
        refuse(arrival, question, judgement, .flowTableFull, policy, now)
        return .drop(.flowTableFull)
    }

    /// The verdict on a frame that may not open a flow. Under `track: none`, and where connections go on without a flow while the table is
    /// full, a segment from the middle of one is judged by itself, as any frame of theirs.
    @_noLocks
    private mutating func closed(
        _ arrival: Arrival, _ reason: DropReason, _ policy: borrowing PolicyInForce, _ now: Moment
    ) -> Verdict {
        let isFull =
            settings.whenFull == FlowSettings.WhenFull.pass.number && flows.used >= flowCapacity &- reserve
            && flows.oldestWaiting().isNone
        guard reason.number == DropReason.notOpening.number else { return .drop(reason) }
        if !isFull, !policy.snapshot.isAnyRuleStateless { return .drop(reason) }
        let answer = ask(of: arrival, policy, now)
        guard answer.allows else { return .drop(reason) }
        if answer.judgement.isStateless { return .forward }
        guard isFull else { return .drop(reason) }
        unsafe counters.pointee.passedUntracked &+= 1
        return .forward
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
        flows[number].isTimed = judgement.isTimed
        rounds.noteLapse(judgement.validUntil, isTimed: judgement.isTimed)
        flows.unmark(number, .outlived)
        flows[number].change = judgement.change.number
        flows[number].drainSeconds =
            judgement.drainSeconds < 0xffff ? UInt16(truncatingIfNeeded: judgement.drainSeconds) : 0xffff
        noteResponder(question, of: number)
        flows.setGrounds(
            FlowGrounds(
                sourceClass: question.source.classNumber, destinationClass: question.destination.classNumber,
                egressRecord: judgement.egress, ingressRecord: judgement.ingress), of: number)
        flows.setInspection(judgement.inspection, of: number)
        noteFailsafe(judgement.isFailsafe, of: number)
    }

    /// Keeps whether a failsafe service admitted the flow. As long as it waits it is not to give way, then.
    @_noLocks
    private mutating func noteFailsafe(_ isFailsafe: Bool, of number: FlowNumber) {
        if isFailsafe {
            flows.mark(number, .failsafe)
            flows.shelter(number, most: reserve)
        } else if flows[number].marks.rawValue & FlowMarks.failsafe.rawValue != 0 {
            flows.unmark(number, .failsafe)
            flows.expose(number)
        }
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
