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
    @_noLocks
    mutating func judge(_ index: Int, by policy: borrowing PolicyInForce, at now: Moment) -> Verdict {
        if let reason = burst.reasons[index] { return .drop(reason) }
        if isOwn(burst.readings[index]) { return .drop(.ownAddress) }
        let port = UInt8(truncatingIfNeeded: burst.descriptors[index].options & 1)
        let marks = burst.readings[index].marks.rawValue
        let isGroup = marks & Reading.Marks.group.rawValue != 0
        if isGroup || burst.readings[index].link.number != 0,
            let verdict = judgeLink(burst.readings[index], port: port, policy, now)
        {
            return verdict
        }
        switch burst.readings[index].kind {
        case .fragment: return .drop(.fragment)
        // What the table has not decided by now is in none of its rows.
        case .arp, .neighbour, .link: return .drop(.unknownEtherType)
        case .packet: break
        }
        if policy.snapshot.isAnyZoneOnLink, let reason = senderFault(index, port: port, policy, now) { return .drop(reason) }
        if marks & Reading.Marks.icmpError.rawValue != 0 { return .drop(.unrelatedICMP) }
        if isGroup { return judgeGroup(index, policy, now) }
        let arrival = Arrival(
            hash: burst.hashes[index], candidate: burst.candidates[index], length: burst.descriptors[index].length, port: port,
            isFull: flows4.used &+ flows6.used >= flowCapacity)
        if burst.readings[index].isIPv4 {
            return judgePacket(&flows4, &reporter, burst.readings[index], arrival, policy, now)
        }
        return judgePacket(&flows6, &reporter, burst.readings[index], arrival, policy, now)
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

    /// Ends flows that were quiet for too long, a few each turn.
    @_noLocks
    mutating func expire(at now: Moment) {
        expireSome(&flows4, &reporter, now)
        expireSome(&flows6, &reporter, now)
        unsafe counters.pointee.flows = UInt64(flows4.used &+ flows6.used)
    }
}

/// How a frame arrived, beside what was read from it.
struct Arrival: BitwiseCopyable {
    /// Hash of its flow key.
    var hash: UInt64
    /// Entry that the hash's bucket suggests, or none.
    var candidate: UInt32
    /// Bytes of the frame.
    var length: UInt32
    /// Port of the pair: 0 or 1.
    var port: UInt8
    /// Whether the worker keeps as many flows as it may.
    var isFull: Bool
}

/// The verdict on a packet: that of its flow, or policy's on the flow that it opens.
func judgePacket<Key: FlowKey>(
    _ flows: inout FlowTable<Key>, _ reporter: inout Reporter, _ reading: borrowing Reading, _ arrival: Arrival,
    _ policy: PolicyInForce, _ now: Moment
) -> Verdict {
    let (key, sender) = Key.make(of: reading, pair: reporter.pair)
    let number = flows.find(key, hash: arrival.hash, candidate: arrival.candidate)
    guard number != .max else { return openFlow(&flows, &reporter, reading, arrival, key, sender, policy, now) }
    // An end is known by the port it came in by first: its address on the other side is somebody else's.
    let initiatorPort: UInt8 = flows[number].marks.rawValue & FlowMarks.secondPort.rawValue != 0 ? 1 : 0
    let isInitiator = flows[number].isInitiator(sender)
    guard isInitiator == (arrival.port == initiatorPort) else { return .drop(.spoofed) }
    // An identifier can be chosen so that the responder's own request has the key of the flow it answers, and the initiator's own
    // reply that of its request: only the responder answers, and it does nothing else.
    let isReply = reading.marks.rawValue & Reading.Marks.icmpReply.rawValue != 0
    if reading.protocolNumber.isICMP, isReply == isInitiator { return .drop(.unrelatedICMP) }
    let stamps = (flows[number].generation, flows[number].epoch, flows[number].validUntil)
    if isStale(generation: stamps.0, epoch: stamps.1, validUntil: stamps.2, policy, now) {
        let ends = flows[number].key.ends
        let (from, to) = flows[number].initiator == .low ? (ends.low, ends.high) : (ends.high, ends.low)
        let question = Question(
            from: from.address, to: to.address, service: ServiceKey(reading.protocolNumber, port: to.port),
            sourcePort: from.port, vlans: reading.vlans, tunnel: reading.tunnel, pair: reporter.pair, port: initiatorPort, policy)
        if let reason = judgeAgain(&flows, &reporter, number, question, policy, now) {
            return .drop(reason)
        }
    }
    if !isInitiator, flows[number].marks.rawValue & FlowMarks.responderElsewhere.rawValue != 0 { return .drop(.spoofed) }
    switch flows.track(number, reading, sender: sender, length: Int(arrival.length), now: now.ticks) {
    case .live: return .forward
    case .refused(let reason): return .drop(reason)
    case .reopen:
        reporter.report(record(.end, number, in: flows, reporter, now))
        flows.remove(number)
        var again = arrival
        again.isFull = false
        return openFlow(&flows, &reporter, reading, again, key, sender, policy, now)
    }
}

/// Whether the flow was judged by another policy than the one in force, or its verdict has lapsed.
@_noLocks
func isStale(generation: UInt32, epoch: UInt32, validUntil: UInt32, _ policy: PolicyInForce, _ now: Moment) -> Bool {
    generation != policy.snapshot.generation || epoch != policy.map.epoch
        || (validUntil != .max && now.wall >= UInt64(validUntil))
}

/// Judges a live flow by the policy in force; `nil` when it may go on, else why it ends here, and it has ended then.
@inline(never)
func judgeAgain<Key: FlowKey>(
    _ flows: inout FlowTable<Key>, _ reporter: inout Reporter, _ number: UInt32, _ question: Question,
    _ policy: PolicyInForce, _ now: Moment
) -> DropReason? {
    let isSameGeneration = flows[number].generation == policy.snapshot.generation
    let holds = flows[number].validUntil == .max || now.wall < UInt64(flows[number].validUntil)
    let isSameClass =
        flows[detail: number].sourceClass == question.source.classNumber
        && flows[detail: number].destinationClass == question.destination.classNumber
    // A workload that reaches itself is judged by who both ends are, which the classes do not tell: one record stands for both sides.
    let wasItself = flows[number].ingressRecord == flows[detail: number].egressRecord
    if isSameGeneration && holds && isSameClass && !wasItself && !question.source.isElsewhere {
        flows[number].epoch = question.epoch
        noteResponder(question, in: &flows, number)
        return nil
    }
    // The initiator's address may belong to another zone by now, whatever its class is.
    let judgement = question.source.isElsewhere ? Judgement.unasked(.spoofed) : question.judge(policy, now)
    guard judgement.decision.number == Decision.allow.number else {
        reporter.cut(
            record(.end, number, in: flows, reporter, now), question, judgement, generation: policy.snapshot.generation)
        flows.remove(number)
        return judgement.reason
    }
    let isOtherCause =
        flows[number].ingressRecord != judgement.ingress || flows[detail: number].egressRecord != judgement.egress
    note(judgement, question, in: &flows, number, policy)
    if isOtherCause || !isSameGeneration {
        reporter.report(record(.change, number, in: flows, reporter, now), question, judgement)
    }
    return nil
}

/// The first frame of a flow: what may open one, what policy says, and a place in the table.
@inline(never)
func openFlow<Key: FlowKey>(
    _ flows: inout FlowTable<Key>, _ reporter: inout Reporter, _ reading: borrowing Reading, _ arrival: Arrival,
    _ key: Key, _ sender: FlowEnd, _ policy: PolicyInForce, _ now: Moment
) -> Verdict {
    let state: FlowState
    switch Opening.of(reading) {
    case .refused(let reason): return .drop(reason)
    case .opens(let first): state = first
    }
    let question = Question(of: reading, port: arrival.port, policy, pair: reporter.pair)
    let judgement = question.source.isElsewhere ? Judgement.unasked(.spoofed) : question.judge(policy, now)
    guard judgement.decision.number == Decision.allow.number else {
        reporter.refuse(
            reading, question, judgement, judgement.reason, port: arrival.port, generation: policy.snapshot.generation, now)
        return judgement.decision.number == Decision.reject.number ? .reject(judgement.reason) : .drop(judgement.reason)
    }
    if judgement.isStateless { return .forward }
    var number = arrival.isFull ? .max : flows.insert(key, hash: arrival.hash, state: state, initiator: sender, now: now.ticks)
    if number == .max {
        let oldest = flows.oldestWaiting()
        if oldest != .max {
            reporter.evict(record(.end, oldest, in: flows, reporter, now))
            flows.remove(oldest, as: .evicted)
            number = flows.insert(key, hash: arrival.hash, state: state, initiator: sender, now: now.ticks)
        }
    }
    guard number != .max else {
        reporter.refuse(
            reading, question, judgement, .flowTableFull, port: arrival.port, generation: policy.snapshot.generation, now)
        return .drop(.flowTableFull)
    }
    if arrival.port == 1 {
        flows[number].marks = FlowMarks(rawValue: flows[number].marks.rawValue | FlowMarks.secondPort.rawValue)
    }
    note(judgement, question, in: &flows, number, policy)
    _ = flows.track(number, reading, sender: sender, length: Int(arrival.length), now: now.ticks)
    reporter.report(record(.start, number, in: flows, reporter, now), question, judgement)
    return .forward
}

/// Writes what policy said into a flow's entry.
func note<Key: FlowKey>(
    _ judgement: Judgement, _ question: Question, in flows: inout FlowTable<Key>, _ number: UInt32,
    _ policy: PolicyInForce
) {
    flows[number].generation = policy.snapshot.generation
    flows[number].epoch = question.epoch
    flows[number].validUntil = judgement.validUntil
    flows[number].ingressRecord = judgement.ingress
    flows[number].marks = FlowMarks(rawValue: flows[number].marks.rawValue | FlowMarks.allowed.rawValue)
    noteResponder(question, in: &flows, number)
    flows[detail: number].egressRecord = judgement.egress
    flows[detail: number].sourceClass = question.source.classNumber
    flows[detail: number].destinationClass = question.destination.classNumber
    flows[detail: number].inspection = judgement.inspection
}

/// Keeps whether the responder's address belongs to another zone than it would answer from.
func noteResponder<Key: FlowKey>(_ question: Question, in flows: inout FlowTable<Key>, _ number: UInt32) {
    let bit = FlowMarks.responderElsewhere.rawValue
    let marks = flows[number].marks.rawValue & ~bit
    flows[number].marks = FlowMarks(rawValue: question.destination.isElsewhere ? marks | bit : marks)
}

/// Ends a few flows that were quiet for too long.
func expireSome<Key: FlowKey>(_ flows: inout FlowTable<Key>, _ reporter: inout Reporter, _ now: Moment) {
    var steps = flows.stepsDue(now: now.ticks, most: 32)
    while true {
        let number = flows.nextExpired(now: now.ticks, steps: &steps)
        guard number != .max else { return }
        reporter.report(record(.end, number, in: flows, reporter, now))
        flows.remove(number, as: .expired)
    }
}

/// The record of a flow as it stands. `zones` and workloads are not known here; who has judged it adds them.
func record<Key: FlowKey>(
    _ event: FlowRecord.Event, _ number: UInt32, in flows: borrowing FlowTable<Key>, _ reporter: borrowing Reporter, _ now: Moment
) -> FlowRecord {
    let entry = flows[number]
    let detail = flows[detail: number]
    var record = FlowRecord()
    let ends = entry.key.ends
    let isLow = entry.initiator == .low
    record.event = event.number
    record.time = now.nanoseconds
    // Ticks wrap; the difference to now does not, within 52 days.
    record.firstSeen = now.nanoseconds &- UInt64(now.ticks &- detail.firstSeen) << 20
    record.source = isLow ? ends.low.address : ends.high.address
    record.destination = isLow ? ends.high.address : ends.low.address
    record.sourcePort = isLow ? ends.low.port : ends.high.port
    record.destinationPort = isLow ? ends.high.port : ends.low.port
    record.protocolNumber = entry.key.protocolNumber.rawValue
    record.vlans = entry.key.vlans
    record.tunnelIdentifier = entry.key.tunnel
    record.forwardFrames = UInt64(isLow ? entry.lowFrames : entry.highFrames)
    record.reverseFrames = UInt64(isLow ? entry.highFrames : entry.lowFrames)
    record.forwardBytes = isLow ? entry.lowBytes : entry.highBytes
    record.reverseBytes = isLow ? entry.highBytes : entry.lowBytes
    record.forwardFlags = isLow ? entry.lowFlags : entry.highFlags
    record.reverseFlags = isLow ? entry.highFlags : entry.lowFlags
    record.state = entry.state.number
    record.generation = entry.generation
    record.epoch = entry.epoch
    record.sourceClass = detail.sourceClass
    record.destinationClass = detail.destinationClass
    record.egressRecord = detail.egressRecord
    record.ingressRecord = entry.ingressRecord
    record.inspection = detail.inspection
    record.pair = reporter.pair
    record.queue = reporter.queue
    record.port = entry.marks.rawValue & FlowMarks.secondPort.rawValue != 0 ? 1 : 0
    return record
}
