// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Flow
internal import Net
public import Record

// What control asks about one connection, answered between two bursts: one lookup in the worker's own tables and a copy. The question comes
// from another process, and nothing in it is believed: its words make a key, and a key that no frame can have finds no entry. Nothing is
// changed, so that a connection that is asked about lives no longer for it.

extension Lane {
    /// Whether a question is for the workers of this pair.
    @_noLocks
    public func isAsked(_ question: TraceQuestion) -> Bool {
        let pair = UInt8(truncatingIfNeeded: question.context >> 16)
        return pair == self.pair || pair == TraceQuestion.everyPair
    }

    /// What this worker keeps of a connection.
    @_noLocks @inline(never)
    public func answer(_ question: TraceQuestion, by policy: PolicyInForce, at now: Moment) -> TraceAnswer {
        var answer = TraceAnswer()
        answer.number = question.number
        answer.time = now.nanoseconds
        answer.generation = policy.snapshot.generation
        answer.epoch = policy.map.epoch
        let keys = FlowKeys(of: reading(question), pair: pair)
        let hash = keys.isIPv4 ? flows.hash(keys.v4) : flows.hash(keys.v6)
        let number = flows.find(keys, hash: hash, candidate: .none)
        guard !number.isNone else { return answer }
        answer.isFound = 1
        answer.flow = traced(number, policy, now)
        return answer
    }

    /// A reading with the words of the key, and nothing else.
    @_noLocks
    private func reading(_ question: TraceQuestion) -> Reading {
        var reading = Reading()
        reading.source = Address(high: question.firstHigh, low: question.firstLow)
        reading.destination = Address(high: question.secondHigh, low: question.secondLow)
        (reading.sourcePort, reading.destinationPort) = (question.firstPort, question.secondPort)
        reading.vlans = VLANTags(word: question.vlans)
        reading.protocolNumber = IPProtocol(rawValue: UInt8(truncatingIfNeeded: question.context >> 24))
        reading.tunnel = Tunnel(
            kindNumber: UInt8(truncatingIfNeeded: question.context >> 8), identifier: question.tunnel,
            depth: UInt8(truncatingIfNeeded: question.context))
        return reading
    }

    /// A live flow as it stands.
    @_noLocks
    private func traced(_ number: FlowNumber, _ policy: PolicyInForce, _ now: Moment) -> TracedFlow {
        let entry = flows[number]
        let question = question(of: number, policy)
        var flow = TracedFlow()
        flow.record = record(.update, number, now)
        flow.record.sourceWorkload = question.source.workload
        flow.record.destinationWorkload = question.destination.workload
        flow.record.sourceZone = question.sourceZone
        flow.record.destinationZone = question.destinationZone
        let isLow = entry.initiator == .low
        flow.forward = TracedFlow.End(isLow ? entry.lowWindow : entry.highWindow)
        flow.reverse = TracedFlow.End(isLow ? entry.highWindow : entry.lowWindow)
        flow.validUntil = entry.validUntil
        // The last frame may have come behind this turn's clock, in the turn that ends.
        let quiet = now.ticks &- entry.lastSeen
        flow.quiet = Int32(bitPattern: quiet) > 0 ? quiet : 0
        flow.timeout = flows.allowance(of: number)
        flow.drainSeconds = entry.drainSeconds
        flow.marks = entry.marks.rawValue
        flow.change = entry.change | (entry.isTimed ? 4 : 0)
        return flow
    }
}

extension TracedFlow.End {
    @_noLocks
    fileprivate init(_ window: TCPWindow) {
        self.init()
        end = window.end
        acknowledged = window.acknowledged
        maximum = window.maximum
        scale = window.scale
        marks = window.flags
    }
}
