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
    @_noLocks
    mutating func judgeFlow(_ arrival: Arrival, _ policy: borrowing PolicyInForce, _ now: Moment) -> Verdict {
        let index = arrival.index
        let sender = burst.keys[index].sender
        let number = flows.find(
            burst.keys[index], isIPv4: burst.readings[index].isIPv4, hash: burst.hashes[index], candidate: burst.candidates[index])
        guard !number.isNone else { return openFlow(arrival, policy, now) }
        let entry = flows[number]
        // An end is known by the port it came in by first: its address on the other side is somebody else's.
        let isInitiator = entry.isInitiator(sender)
        guard isInitiator == (arrival.port == entry.initiatorPort) else { return .drop(.spoofed) }
        // An identifier can be chosen so that the responder's own request has the key of the flow it answers, and the initiator's own
        // reply that of its request: only the responder answers, and it does nothing else.
        let isReply = burst.readings[index].marks.rawValue & Reading.Marks.icmpReply.rawValue != 0
        if burst.readings[index].protocolNumber.isICMP, isReply == isInitiator { return .drop(.unrelatedICMP) }
        if isStale(entry, policy, now), let verdict = judgeAgain(arrival, number, policy, now) { return verdict }
        if !isInitiator, flows[number].marks.rawValue & FlowMarks.responderElsewhere.rawValue != 0 { return .drop(.spoofed) }
        let length = Int(burst.descriptors[index].length)
        switch flows.track(number, burst.readings[index], sender: sender, length: length, now: now.ticks) {
        case .live: return .forward
        case .refused(let reason): return .drop(reason)
        case .reopen:
            report(.end, number, now)
            flows.remove(number)
            return openFlow(arrival, policy, now)
        case .crossing: return judgeCrossing(arrival, number, policy, now)
        case .answered: return replaceFlow(arrival, number, sender: sender, policy, now)
        }
    }

    /// Whether a flow was judged by another policy than the one in force, or its verdict has lapsed.
    @_noLocks
    func isStale(_ entry: FlowEntry, _ policy: PolicyInForce, _ now: Moment) -> Bool {
        entry.generation != policy.snapshot.generation || entry.epoch != policy.map.epoch
            || (entry.validUntil != .max && now.wall >= UInt64(entry.validUntil))
    }
}

extension FlowEntry {
    /// The port of the pair that the initiator came in by.
    var initiatorPort: UInt8 { @_noLocks get { marks.rawValue & FlowMarks.secondPort.rawValue != 0 ? 1 : 0 } }
}
