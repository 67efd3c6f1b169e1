// SPDX-License-Identifier: Apache-2.0
internal import Analysis
internal import Classifier
internal import Datapath
internal import Flow
internal import Net
internal import Replay
internal import Wire

/// One frame on its way: each step is a call that workers make, and leaves a line in the trace.
struct Walk {
    let frame: [UInt8]
    let place: Tracer.Place
    let time: UInt64
    let isInGrace: Bool

    private var snapshot: Snapshot { place.view.snapshot }

    /// Reads the frame, and what it carries where policy judges that; `nil` where it cannot be read.
    func read(into trace: inout FrameTrace) -> Reading? {
        var reading = Reading()
        var fault: DropReason?
        let time = Stopwatch.nanoseconds { fault = Trace.read(frame, into: &reading) }
        trace.note("reading", reading, fault, time)
        guard fault == nil else { return nil }
        while snapshot.judgesInside(of: reading.carried, pair: place.port.pair) {
            let outer = reading
            let time = Stopwatch.nanoseconds { fault = Trace.readInner(frame, of: outer, into: &reading) }
            trace.note("inside", reading, fault, time)
            guard fault == nil else { return nil }
        }
        return verify(reading, into: &trace) ? reading : nil
    }

    /// Holds the checksum against the bytes, where the configuration wants that.
    private func verify(_ reading: Reading, into trace: inout FrameTrace) -> Bool {
        guard snapshot.flowSettings.verifiesChecksums != 0 else { return true }
        var state = ChecksumState.absent
        let time = Stopwatch.nanoseconds { state = Trace.checksumState(of: reading, in: frame) }
        trace.steps.append(.init("checksum", "\(state)", nanoseconds: time, [("state", .text("\(state)"))]))
        return state != .wrong
    }

    /// Asks who both ends are, what the frame may open, and what both sides say; false where policy is not asked about such a frame.
    func ask(_ reading: Reading, into trace: inout FrameTrace) -> Bool {
        let (port, tunnel) = (place.port, reading.tunnel)
        var zones = (source: ZoneNumber(0), destination: ZoneNumber(0))
        let zoneTime = Stopwatch.nanoseconds {
            zones.source = snapshot.zone(pair: port.pair, port: port.port, vlans: reading.vlans, tunnel: tunnel)
            zones.destination = snapshot.zone(pair: port.pair, port: 1 &- port.port, vlans: reading.vlans, tunnel: tunnel)
        }
        let names = (place.view.name(ofZone: zones.source), place.view.name(ofZone: zones.destination))
        trace.steps.append(
            .init(
                "zones", "\(names.0) -> \(names.1)", nanoseconds: zoneTime,
                [("source", .text(names.0)), ("destination", .text(names.1))]))
        guard reading.kind == .packet else {
            trace.unasked =
                reading.kind == .fragment
                ? "a fragment waits for its datagram's first one, which alone says what it is of"
                : "the table of layer 2 decides such frames, and no policy"
            return false
        }
        var owners = (source: Owner(classNumber: 0), destination: Owner(classNumber: 0))
        let map = place.view.map
        let ownerTime = Stopwatch.nanoseconds {
            owners.source = snapshot.owner(of: reading.source, zone: zones.source, in: map)
            owners.destination = snapshot.owner(of: reading.destination, zone: zones.destination, in: map)
        }
        trace.steps.append(owner(reading, owners, names, ownerTime))
        trace.steps.append(flow(reading))
        guard reading.marks.isDisjoint(with: [.icmpError, .icmpReply]) else {
            trace.unasked = "an ICMP error or reply belongs to the flow of what it answers, and opens none"
            return false
        }
        judge(reading, owners, zones, into: &trace)
        return true
    }

    private func owner(
        _ reading: Reading, _ owners: (source: Owner, destination: Owner), _ zones: (String, String), _ time: Double
    ) -> FrameTrace.Step {
        let ends = [(reading.source, owners.source, zones.0), (reading.destination, owners.destination, zones.1)].map {
            address, owner, zone in
            let name = place.view.owner(of: address, zone: zone)
            let words = "\(address) is \(name ?? "nobody's"), class \(owner.classNumber)"
            let facts: [(String, JSONText)] = [
                ("address", .text("\(address)")), ("workload", .text(name)), ("class", .number(Int(owner.classNumber))),
                ("elsewhere", .truth(owner.isElsewhere)),
            ]
            return (words: words + (owner.isElsewhere ? ", and belongs to another zone" : ""), facts: JSONText.object(facts))
        }
        return .init(
            "owners", ends.map(\.words).joined(separator: "; "), nanoseconds: time,
            [("source", ends[0].facts), ("destination", ends[1].facts)])
    }

    /// The flow that the frame would belong to, in an empty table: what it may open.
    private func flow(_ reading: Reading) -> FrameTrace.Step {
        var keys = FlowKeys()
        let time = Stopwatch.nanoseconds { keys = FlowKeys(of: reading, pair: place.port.pair) }
        let ends = keys.isIPv4 ? keys.v4.ends : keys.v6.ends
        let key = "\(reading.protocolNumber.name) \(ends.low.address)|\(ends.low.port) <> \(ends.high.address)|\(ends.high.port)"
        let (words, opens): (String, String?) =
            switch Opening.of(reading) {
            case .opens(let state): ("opens a flow in state \(state.name)", state.name)
            case .refused(let reason): ("opens no flow by itself (\(reason.name))", nil)
            }
        return .init(
            "flow", "\(key), of which none is known: \(words)", nanoseconds: time, [("key", .text(key)), ("opens", .text(opens))])
    }

    private func judge(
        _ reading: Reading, _ owners: (source: Owner, destination: Owner), _ zones: (source: ZoneNumber, destination: ZoneNumber),
        into trace: inout FrameTrace
    ) {
        guard !owners.source.isElsewhere else {
            trace.steps.append(
                .init("judgement", "not asked: the source's address belongs to another zone", [("decision", .text("deny"))]))
            return
        }
        let isGroup = reading.marks.contains(.group)
        var judgement = Judgement.unasked(.unjudged)
        let time = Stopwatch.nanoseconds {
            judgement =
                isGroup
                ? snapshot.judgeGroup(
                    source: owners.source, destination: owners.destination, sourceZone: zones.source,
                    destinationZone: zones.destination, service: reading.service, sourcePort: reading.sourcePort, now: self.time)
                : snapshot.judge(
                    source: owners.source, destination: owners.destination, sourceZone: zones.source,
                    destinationZone: zones.destination, service: reading.service, sourcePort: reading.sourcePort, now: self.time)
        }
        trace.steps.append(told(judgement, time))
    }

    private func told(_ judgement: Judgement, _ time: Double) -> FrameTrace.Step {
        func record(_ number: UInt32) -> JSONText { number == SnapshotLayout.none ? .null : .number(Int(number)) }
        func words(_ number: UInt32) -> String { number == SnapshotLayout.none ? "none" : "record \(number)" }
        let audit = Decision(rawValue: judgement.auditDecision)
        return .init(
            "judgement",
            "\(judgement.decision) by egress \(words(judgement.egress)), ingress \(words(judgement.ingress)); when policy changes: "
                + "\(judgement.change)" + (audit.map { "; audit would \($0)" } ?? "")
                + (judgement.isStateless ? "; no flow is kept" : ""),
            nanoseconds: time,
            [
                ("decision", .text("\(judgement.decision)")), ("egress", record(judgement.egress)),
                ("ingress", record(judgement.ingress)), ("change", .text("\(judgement.change)")),
                ("audit", .text(audit.map { "\($0)" })), ("stateless", .truth(judgement.isStateless)),
                ("failsafe", .truth(judgement.isFailsafe)), ("logged", .truth(judgement.isLogged)),
            ])
    }
}
