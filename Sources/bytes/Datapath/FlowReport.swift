// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Flow
internal import Net
internal import Record

// Flows that end by themselves, and what is reported of a flow.

extension Lane {
    /// Tells what was refused and not told yet: nobody does once this worker has ended.
    public mutating func tellRefusals(at now: UInt64) { reporter.tellAllRefusals(now) }

    /// Steps of a table's hand in one turn at most, about 10 µs.
    @inline(__always) private static var steps: Int { @_noLocks get { 2048 } }
    /// Flows of a table that end in one turn at most, about 30 µs.
    @inline(__always) private static var ends: Int { @_noLocks get { 64 } }

    /// Ends flows that were quiet for too long, a few each turn.
    @_noLocks
    mutating func expire(at now: Moment) {
        expireSome(isIPv4: true, now)
        expireSome(isIPv4: false, now)
        expireFragments(at: now)
        reporter.tellRefusals(now)
        tellIntervals(at: now)
        unsafe counters.pointee.flows = UInt64(flows.used)
        unsafe counters.pointee.waiting = UInt64(flows.waiting)
        unsafe counters.pointee.pickedUp = flows.pickedUp
    }

    @_noLocks
    private mutating func expireSome(isIPv4: Bool, _ now: Moment) {
        var steps = flows.stepsDue(isIPv4: isIPv4, now: now.ticks, most: Lane.steps)
        var left = Lane.ends
        while steps > 0 && left > 0 {
            let number = flows.nextExpired(isIPv4: isIPv4, now: now.ticks, steps: &steps)
            guard !number.isNone else { return }
            // The end of a condemned flow has been told.
            if !flows[number].isCondemned { report(.end, number, now) }
            flows.remove(number, as: .expired)
            left &-= 1
        }
        flows.postpone(steps, isIPv4: isIPv4)
    }

    /// Reports a flow with nothing to add.
    @_noLocks
    mutating func report(_ event: FlowRecord.Event, _ number: FlowNumber, _ now: Moment) {
        reporter.report(record(event, number, now))
    }

    /// Reports a flow with what is known from judging it.
    @_noLocks
    mutating func report(
        _ event: FlowRecord.Event, _ number: FlowNumber, _ question: Question, _ judgement: Judgement, _ now: Moment
    ) {
        reporter.report(record(event, number, now), question, judgement)
    }

    /// The record of a flow as it stands. Zones and workloads are not known here; who has judged it adds them.
    @_noLocks
    func record(_ event: FlowRecord.Event, _ number: FlowNumber, _ now: Moment) -> FlowRecord {
        let entry = flows[number]
        let identity = flows.identity(of: number)
        let grounds = flows.grounds(of: number)
        let isLow = entry.initiator == .low
        var record = FlowRecord()
        record.event = event.number
        record.time = now.nanoseconds
        // Ticks wrap; the difference to now does not, within 52 days.
        record.firstSeen = now.nanoseconds &- UInt64(now.ticks &- flows[detail: number].firstSeen) << 20
        record.source = identity.source.address
        record.destination = identity.destination.address
        record.sourcePort = identity.source.port
        record.destinationPort = identity.destination.port
        record.protocolNumber = identity.protocolNumber.rawValue
        record.vlans = identity.vlans
        record.tunnelIdentifier = identity.tunnel
        record.tunnelKind = UInt8(truncatingIfNeeded: identity.context >> 8)
        record.forwardFrames = UInt64(isLow ? entry.lowFrames : entry.highFrames)
        record.reverseFrames = UInt64(isLow ? entry.highFrames : entry.lowFrames)
        record.forwardBytes = isLow ? entry.lowBytes : entry.highBytes
        record.reverseBytes = isLow ? entry.highBytes : entry.lowBytes
        record.forwardFlags = isLow ? entry.lowFlags : entry.highFlags
        record.reverseFlags = isLow ? entry.highFlags : entry.lowFlags
        record.state = entry.state.number
        record.generation = entry.generation
        record.epoch = entry.epoch
        record.sourceClass = grounds.sourceClass
        record.destinationClass = grounds.destinationClass
        record.egressRecord = grounds.egressRecord
        record.ingressRecord = grounds.ingressRecord
        record.inspection = flows[detail: number].inspection
        record.pair = pair
        record.queue = queue
        record.port = entry.initiatorPort
        return record
    }
}
