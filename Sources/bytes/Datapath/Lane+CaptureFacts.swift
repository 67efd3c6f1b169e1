// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Flow
internal import Net
internal import Record
internal import Ring

// What control is told of a captured frame beside its bytes: the flow that it belongs to, or would open, as a record of the kind that
// every flow event is told by. So the names that control knows, and its filters, serve both.

extension Lane {
    /// What is known of a frame: its flow's record where the table knows it, and what policy says where its fate was policy's.
    @_noLocks
    func facts(
        of staged: StagedFrame, _ fate: CapturedFate, port: UInt8, _ policy: borrowing PolicyInForce, _ now: Moment
    ) -> CapturedFrame {
        var frame = CapturedFrame()
        note(staged, fate, port: port, now.nanoseconds, in: &frame)
        guard staged.reading.isOfIP else { return frame }
        if staged.fault == nil, let number = flow(of: staged.reading, &frame) {
            let own = question(of: number, policy)
            let time = frame.flow.time
            frame.flow = record(.update, number, now)
            (frame.flow.time, frame.flow.reason) = (time, fate.reason)
            note(own, in: &frame.flow)
            if isPolicys(fate.reason) { note(own.judge(policy, now), in: &frame) }
            frame.marks |= CapturedFrame.Marks.knownFlow | CapturedFrame.Marks.judged
            return frame
        }
        let own = Question(of: staged.reading, port: port, policy, pair: pair)
        note(own, in: &frame.flow)
        frame.flow.epoch = own.epoch
        frame.flow.generation = policy.snapshot.generation
        guard staged.fault == nil, asksPolicy(staged.reading, fate) else { return frame }
        note(answer(own, to: staged.reading, policy, now), in: &frame)
        return frame
    }

    /// What a frame alone says.
    @_noLocks
    func note(
        _ staged: StagedFrame, _ fate: CapturedFate, port: UInt8, _ nanoseconds: UInt64, in frame: inout CapturedFrame
    ) {
        frame.capture = capture.order.number
        frame.length = staged.length
        frame.captured = UInt16(truncatingIfNeeded: staged.captured)
        frame.fate = fate.kind.number
        frame.port = port
        if staged.fault != nil { frame.marks |= CapturedFrame.Marks.unread }
        frame.flow.time = nanoseconds
        frame.flow.firstSeen = nanoseconds
        frame.flow.reason = fate.reason
        // Nobody has decided anything of a connection so far.
        frame.flow.decision = .max
        (frame.flow.pair, frame.flow.queue, frame.flow.port) = (pair, queue, port)
        frame.flow.vlans = staged.reading.vlans.word
        frame.flow.tunnelIdentifier = staged.reading.tunnel.identifier
        frame.flow.tunnelKind = staged.reading.tunnel.kind.number
        var isARP = false
        if case .arp = staged.reading.kind { isARP = true }
        guard staged.reading.isOfIP || isARP else { return }
        frame.flow.source = staged.reading.source
        frame.flow.destination = staged.reading.destination
        frame.flow.sourcePort = staged.reading.sourcePort
        frame.flow.destinationPort = staged.reading.destinationPort
        frame.flow.protocolNumber = staged.reading.protocolNumber.rawValue
        frame.flow.forwardFlags = staged.reading.tcpFlags.rawValue
    }

    /// The flow of a packet, if the table has it; notes which way the packet goes.
    @_noLocks
    private func flow(of reading: borrowing Reading, _ frame: inout CapturedFrame) -> FlowNumber? {
        let isOrdinary = Reading.Marks.group.rawValue | Reading.Marks.icmpError.rawValue
        guard reading.marks.rawValue & isOrdinary == 0 else { return nil }
        if case .neighbour = reading.kind { return nil }
        let hash = flows.hash(reading)
        let candidate = flows.candidate(hash, isIPv4: reading.isIPv4)
        let (number, sender) = flows.find(reading, hash: hash, candidate: candidate)
        guard !number.isNone else { return nil }
        if flows[number].initiator != sender { frame.marks |= CapturedFrame.Marks.reply }
        return number
    }

    /// Whether a frame of no flow has its fate from policy: it was refused by it, or passes by itself.
    @_noLocks
    private func asksPolicy(_ reading: borrowing Reading, _ fate: CapturedFate) -> Bool {
        if isPolicys(fate.reason) { return true }
        guard fate.kind.number == CapturedFrame.Fate.forward.number, reading.link.number == 0 else { return false }
        return reading.marks.rawValue & Reading.Marks.icmpError.rawValue == 0
    }

    @_noLocks
    private func isPolicys(_ reason: UInt8) -> Bool {
        reason == DropReason.denied.number || reason == DropReason.unjudged.number || reason == DropReason.contested.number
    }

    /// Policy's answer, asked as it was for the frame itself.
    @_noLocks
    private func answer(
        _ question: Question, to reading: borrowing Reading, _ policy: borrowing PolicyInForce, _ now: Moment
    ) -> Judgement {
        let isGroup = reading.marks.rawValue & Reading.Marks.group.rawValue != 0
        return isGroup ? judgement(on: question, to: reading.destination, policy, now) : question.judge(policy, now)
    }

    @_noLocks
    private func note(_ question: Question, in record: inout FlowRecord) {
        record.sourceClass = question.source.classNumber
        record.destinationClass = question.destination.classNumber
        record.sourceWorkload = question.source.workload
        record.destinationWorkload = question.destination.workload
        record.sourceZone = question.sourceZone
        record.destinationZone = question.destinationZone
    }

    @_noLocks
    private func note(_ judgement: Judgement, in frame: inout CapturedFrame) {
        frame.flow.egressRecord = judgement.egress
        frame.flow.ingressRecord = judgement.ingress
        frame.flow.decision = judgement.decision.number
        frame.flow.auditDecision = judgement.auditDecision
        frame.marks |= CapturedFrame.Marks.judged
    }
}
