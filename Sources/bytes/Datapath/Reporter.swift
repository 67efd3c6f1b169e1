// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Net
internal import Record

/// Writes the events of a worker's flows into its event ring. It never waits: what does not fit is counted as lost, and refusals are
/// told by kind, so that a scan cannot push the events of real flows out. A refusal is told later where it cannot be told now; only the end of the worker
/// loses what waits, and that is counted.
@safe struct Reporter: ~Copyable {
    /// The port pair's number.
    let pair: UInt8
    /// The worker's number in its pair.
    let queue: UInt8
    private var events: EventProducer
    private let counters: UnsafeMutablePointer<WorkerCounters>
    private var refusals: Refusals

    init(
        pair: UInt8, queue: UInt8, secret: UInt64, events: consuming EventProducer,
        counters: UnsafeMutablePointer<WorkerCounters>
    ) {
        self.pair = pair
        self.queue = queue
        refusals = Refusals(secret: secret)
        self.events = events
        unsafe self.counters = unsafe counters
    }

    /// Whether half of the ring is free, which is left to starts and ends.
    var hasRoom: Bool { @_noLocks get { events.isHalfFree } }

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

    /// A connection that was refused again: told as a number.
    @_noLocks
    mutating func suppress() {
        unsafe counters.pointee.refused &+= 1
        refusals.count()
    }

    /// Tells the refusals of the second that is over.
    @_noLocks
    mutating func tellRefusals(_ now: Moment) {
        if refusals.isDue(now.nanoseconds) { tellAllRefusals(now.nanoseconds) }
    }

    /// Tells every refusal that was not told yet, as far as the ring takes it.
    @_noLocks
    mutating func tellAllRefusals(_ now: UInt64) {
        unsafe counters.pointee.toldRefusals &+= refusals.tell(now, to: &events)
    }

    /// A connection that was refused.
    @_noLocks
    mutating func refuse(
        _ reading: borrowing Reading, _ question: Question, _ judgement: Judgement, _ reason: DropReason, port: UInt8,
        generation: UInt32, _ now: Moment
    ) {
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
        refuse(record, question, judgement, reason, generation: generation, now)
    }

    /// The same, of a record that says which connection it is.
    @_noLocks
    mutating func refuse(
        _ connection: FlowRecord, _ question: Question, _ judgement: Judgement, _ reason: DropReason, generation: UInt32,
        _ now: Moment
    ) {
        unsafe counters.pointee.refused &+= 1
        tellRefusals(now)
        var record = connection
        record.generation = generation
        record.epoch = question.epoch
        note(question, in: &record)
        note(judgement, reason, in: &record)
        guard refusals.take(&record) else { return }
        guard events.offer(record) else { return refusals.putBack(record) }
        unsafe counters.pointee.toldRefusals &+= UInt64(record.suppressed) &+ 1
    }

    @_noLocks
    private mutating func push(_ record: borrowing FlowRecord) {
        let isStart = record.event == FlowRecord.Event.start.number
        if isStart { unsafe counters.pointee.admitted &+= 1 }
        guard !events.push(record) else { return }
        unsafe counters.pointee.lostEvents &+= 1
        if isStart { unsafe counters.pointee.lostStarts &+= 1 }
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
