// SPDX-License-Identifier: Apache-2.0
internal import Analysis
internal import Classifier
internal import Datapath
internal import Flow
package import Net
internal import Replay
package import Telemetry

// What the next frame of a live connection gets. The entry that its worker copied is put into a worker's lane over memory of this process,
// under the policy in force, and each end sends what it would send next: whatever the lane says is what the worker would have said at that
// moment. Where the entry was judged by another generation or epoch, the lane judges it again, as the worker will.

/// What an end's next frame gets.
package struct NextFrame: Sendable {
    /// `initiator` or `responder`.
    package var from: String
    /// The frame in words.
    package var frame: String
    /// What becomes of it.
    package var verdict: Verdict
    /// How far the flow has come then; `nil` where it has ended.
    package var state: String?
}

extension Tracer {
    /// The next frame of both ends of a live connection; `connection` is what was asked. None where no worker has it, and for one in a
    /// tunnel, whose frames are those of the tunnel too.
    package func next(_ connection: TracedConnection, in report: TraceReport, at time: UInt64) throws -> [NextFrame] {
        guard let live = report.live, connection.tunnel.kind == .none else { return [] }
        guard let state = FlowState.allCases.first(where: { $0.name == live.state }),
            let change = SideRecord.Change.allCases.first(where: { "\($0)" == live.change })
        else { throw TraceError("the daemon knows a state that this command does not: it is of another version") }
        let port = try surroundings.port(named: live.flow.port)
        let ends = try Ends(connection, live)
        return try ["initiator", "responder"].map { from in
            let frame = from == "initiator" ? ends.forward(state, live) : ends.reverse(state, live)
            let arrival = from == "initiator" ? port : Hypothesis.Port(pair: port.pair, port: 1 - port.port)
            let walk = Walk(
                frame: frame.bytes, place: Place(port: arrival, vlans: live.flow.vlans, view: view, isReal: true), time: time,
                isInGrace: surroundings.isInGrace)
            let worker = ReplayWorker(pair: port.pair, flows: Self.flows, now: Self.clock)
            walk.warm(worker)
            let now = Moment(nanoseconds: Self.clock, wall: time)
            var opening = Reading()
            guard read(ends.opening.bytes, into: &opening) == nil,
                worker.restore(
                    opening, state, at: now, { fill(&$0, live, change, isOfEpoch: live.flow.epoch == report.epoch, now) })
            else { throw TraceError("such a connection cannot be put into a table here") }
            var trace = FrameTrace(frame: walk.frame)
            walk.take(with: worker, into: &trace)
            var reading = Reading()
            let words = read(trace.frame, into: &reading) == nil ? reading.words : "\(trace.frame.count) bytes"
            return NextFrame(from: from, frame: words, verdict: trace.verdict, state: trace.flow?.state)
        }
    }

    /// Writes what the worker told into a fresh entry. Its stamps are this view's where they are in force, and others where not.
    private func fill(
        _ entry: inout FlowEntry, _ live: LiveConnection, _ change: SideRecord.Change, isOfEpoch: Bool, _ now: Moment
    ) {
        let isHigh = entry.initiator == .high
        entry.marks = FlowMarks(rawValue: entry.marks.rawValue & 1 | live.marks & ~1)
        entry.generation = live.flow.generation == surroundings.generation ? view.snapshot.generation : 0
        entry.epoch = isOfEpoch ? view.map.epoch : view.map.epoch &- 1
        entry.change = change.number
        entry.drainSeconds = live.drainSeconds
        if let lapse = live.lapse {
            entry.isTimed = lapse.isGranted
            entry.validUntil = UInt32(clamping: (lapse.isGranted ? now.seconds : now.wall) + lapse.seconds)
        }
        if let forward = live.forward, let reverse = live.reverse {
            let (low, high) = isHigh ? (reverse, forward) : (forward, reverse)
            (entry.lowWindow, entry.lowFlags) = (TCPWindow(low), low.flags)
            (entry.highWindow, entry.highFlags) = (TCPWindow(high), high.flags)
        }
    }
}

/// Both ends of a live connection, and what each sends next.
private struct Ends {
    private let frame: MadeFrame

    init(_ connection: TracedConnection, _ live: LiveConnection) throws {
        guard let source = Address(live.flow.source.address), let destination = Address(live.flow.destination.address),
            let number = IPProtocol(named: live.flow.protocol)
        else { throw TraceError("the daemon's answer names no addresses") }
        let port =
            live.flow.destination.port ?? (number.isICMP ? UInt16(live.flow.type ?? 0) << 8 | UInt16(live.flow.code ?? 0) : 0)
        frame = MadeFrame(
            source: source, destination: destination, vlans: live.flow.vlans, service: ServiceKey(number, port: port),
            sourcePort: live.flow.source.port ?? (number.isICMP ? connection.sourcePort : 0))
    }

    /// The frame that opened it.
    var opening: MadeFrame { frame }

    /// What the initiator sends next: its SYN once more while nobody has answered, else an acknowledgement, a datagram, its request.
    func forward(_ state: FlowState, _ live: LiveConnection) -> MadeFrame {
        var next = frame
        next.opens = state == .oneSided || state == .synSent
        guard let own = live.forward, let peer = live.reverse else { return next }
        if state == .synSent {
            next.sequence = own.end &- 1
        } else {
            (next.flags, next.sequence) = (.ack, own.end)
            next.acknowledgement = peer.marks & TCPWindow.known != 0 ? peer.end : own.acknowledged
            next.window = own.maximum
        }
        return next
    }

    /// What the responder sends next: the answer to the SYN, else the like of the initiator's.
    func reverse(_ state: FlowState, _ live: LiveConnection) -> MadeFrame {
        var next = frame
        (next.source, next.destination) = (frame.destination, frame.source)
        next.opens = false
        let number = IPProtocol(rawValue: UInt8(truncatingIfNeeded: frame.service.rawValue >> 16))
        if number.isICMP {
            // The answer to an echo is 0, or 129 over IPv6 (RFC 792, RFC 4443, 4.2); of the other requests it is the number behind.
            let type = UInt8(truncatingIfNeeded: frame.service.rawValue >> 8)
            let reply = type == 8 ? 0 : type == 128 ? 129 : type &+ 1
            next.service = ServiceKey(number, type: reply, code: 0)
            return next
        }
        (next.service, next.sourcePort) = (
            ServiceKey(number, port: frame.sourcePort), UInt16(truncatingIfNeeded: frame.service.rawValue)
        )
        guard let own = live.reverse, let peer = live.forward else { return next }
        if state == .synSent {
            (next.flags, next.sequence, next.acknowledgement) = ([.syn, .ack], 1, peer.end)
        } else {
            (next.flags, next.sequence, next.acknowledgement) = (.ack, own.end, peer.end)
            next.window = own.maximum
        }
        return next
    }
}

extension TCPWindow {
    fileprivate init(_ window: LiveConnection.Window) {
        self.init()
        end = window.end
        acknowledged = window.acknowledged
        maximum = window.maximum
        scale = window.scale
        flags = window.marks
    }
}
