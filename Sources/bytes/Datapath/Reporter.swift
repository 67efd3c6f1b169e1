// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Net
internal import Record

/// Writes the events of a worker's flows into its event ring. It never waits: what does not fit is counted as lost, and refusals are
/// limited, so that a scan cannot push the events of real flows out.
@safe struct Reporter: ~Copyable {
    /// Reports of refused connections a second at most; the rest is counted and told with the next one.
    static var refusalsPerSecond: UInt32 { @_noLocks get { 2000 } }

    /// The port pair's number.
    let pair: UInt8
    /// The worker's number in its pair.
    let queue: UInt8
    private var events: EventProducer
    private let counters: UnsafeMutablePointer<WorkerCounters>
    private var refusalBudget = Reporter.refusalsPerSecond
    private var refusalSecond: UInt64 = 0
    private var suppressed: UInt32 = 0

    init(pair: UInt8, queue: UInt8, events: consuming EventProducer, counters: UnsafeMutablePointer<WorkerCounters>) {
        self.pair = pair
        self.queue = queue
        self.events = events
        unsafe self.counters = unsafe counters
    }

    /// A flow's start or end, with nothing to add.
    @_noLocks
    mutating func report(_ record: borrowing FlowRecord) { push(record) }

    /// A flow's start, with what is known from judging it.
    @_noLocks
    mutating func report(_ record: FlowRecord, _ question: Question, _ judgement: Judgement) {
        var full = record
        note(question, in: &full)
        full.auditDecision = judgement.auditDecision
        push(full)
    }

    /// A flow that goes on under another policy, which allows it. After a new generation these are all flows, so they leave half of the
    /// ring to starts and ends; what is left out counts as lost.
    @_noLocks
    mutating func change(_ record: FlowRecord, _ question: Question, _ judgement: Judgement) {
        guard events.isHalfFree else {
            events.lose()
            unsafe counters.pointee.lostEvents &+= 1
            return
        }
        report(record, question, judgement)
    }

    /// A flow that the policy in force no longer allows: that it ends, or, as a change, that it goes on all the same.
    @_noLocks
    mutating func cut(_ record: FlowRecord, _ question: Question, _ judgement: Judgement, generation: UInt32) {
        var full = record
        note(question, in: &full)
        note(judgement, judgement.reason, in: &full)
        full.generation = generation
        full.epoch = question.epoch
        push(full)
    }

    /// The end of a flow that gave its place to another.
    @_noLocks
    mutating func evict(_ record: FlowRecord) {
        var full = record
        full.reason = DropReason.flowTableFull.number
        unsafe counters.pointee.evicted &+= 1
        push(full)
    }

    /// A connection that was refused again: told with the next report.
    @_noLocks
    mutating func suppress() { suppressed &+= 1 }

    /// A connection that was refused; at most `refusalsPerSecond` of them are reported.
    @_noLocks
    mutating func refuse(
        _ reading: borrowing Reading, _ question: Question, _ judgement: Judgement, _ reason: DropReason, port: UInt8,
        generation: UInt32, _ now: Moment
    ) {
        if now.seconds != refusalSecond {
            refusalSecond = now.seconds
            refusalBudget = Reporter.refusalsPerSecond
        }
        guard refusalBudget > 0 else {
            suppressed &+= 1
            return
        }
        refusalBudget &-= 1
        var record = FlowRecord()
        record.event = FlowRecord.Event.refused.number
        record.time = now.nanoseconds
        record.firstSeen = now.nanoseconds
        record.source = reading.source
        record.destination = reading.destination
        record.sourcePort = reading.sourcePort
        record.destinationPort = reading.destinationPort
        record.protocolNumber = reading.protocolNumber.rawValue
        record.vlans = reading.vlans.word
        record.tunnelIdentifier = reading.tunnel.identifier
        record.tunnelKind = reading.tunnel.kind.number
        record.forwardFlags = reading.tcpFlags.rawValue
        record.pair = pair
        record.queue = queue
        record.port = port
        record.generation = generation
        record.epoch = question.epoch
        record.suppressed = suppressed
        suppressed = 0
        note(question, in: &record)
        note(judgement, reason, in: &record)
        push(record)
    }

    @_noLocks
    private mutating func push(_ record: borrowing FlowRecord) {
        if !events.push(record) { unsafe counters.pointee.lostEvents &+= 1 }
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
    private func note(_ judgement: Judgement, _ reason: DropReason, in record: inout FlowRecord) {
        record.egressRecord = judgement.egress
        record.ingressRecord = judgement.ingress
        record.decision = judgement.decision.number
        record.auditDecision = judgement.auditDecision
        record.reason = reason.number
    }
}
