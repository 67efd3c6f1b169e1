// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Layout
internal import Net
internal import Policy
internal import Record
internal import Synchronization
internal import Telemetry

/// Where captures are asked for: there is one at a time, because all of them share the workers' order and their rings.
final class CaptureDesk: Sendable {
    private struct Running {
        var session: CaptureSession
        var actor: String
        var words: String
    }

    private struct State {
        var running: Running?
        /// Number of the last capture.
        var last: UInt64
        var isClosed = false
    }

    private let files: KeeperFiles
    private let names: KnownNames
    private let inForce: PolicyInForce
    private let now: @Sendable () -> UInt64
    private let state: Mutex<State>

    /// A desk over keeper's files, which tells moments by the monotonic clock, in nanoseconds. What an earlier control left ordered is taken
    /// back.
    init(
        _ files: KeeperFiles, _ names: KnownNames, _ inForce: PolicyInForce,
        now: @escaping @Sendable () -> UInt64 = { EventDrain.monotonic }
    ) {
        (self.files, self.names, self.inForce, self.now) = (files, names, inForce, now)
        files.inquiries.disarm()
        state = Mutex(State(last: files.inquiries.order.read()?.number ?? 0))
    }

    /// What is going on, for people; `nil` where no capture is.
    var words: String? {
        state.withLock { $0.running.map { "\($0.actor) captures frames: \($0.words); bulkhead capture --end" } }
    }

    /// Begins a capture; refuses a second one. `whenOver` is called with its end on another thread.
    func begin(
        _ request: CaptureRequest, _ filter: FlowFilter, by actor: String, until wall: String,
        whenOver: @escaping @Sendable (CaptureEnd) -> Void
    ) throws(Refusal) -> CaptureFeed {
        let (deliveries, continuation) = CaptureSession.stream()
        let session: CaptureSession? = state.withLock { state in
            guard state.running == nil, !state.isClosed else { return nil }
            // 0 is no number.
            state.last = max(state.last &+ 1, 1)
            let session = CaptureSession(plan(request, filter, number: state.last), files, names, continuation, now: now) {
                [self] in
                addresses(of: $0)
            }
            state.running = Running(session: session, actor: actor, words: request.words)
            return session
        }
        guard let session else {
            throw Refusal(.conflict, words.map { "there is one capture at a time: \($0)" } ?? "the daemon is stopping")
        }
        session.begin { [self] end in
            state.withLock { $0.running = nil }
            whenOver(end)
        }
        let begin = CaptureBegin(
            ports: files.ports.flatMap { $0 }, snap: request.snap ?? CaptureRequest.Limits.snap.upperBound,
            payload: request.payload == true, until: wall, version: Release.version)
        return CaptureFeed(begin: begin, deliveries: deliveries) { session.end($0) }
    }

    /// Asks the capture to end; false where there is none.
    func end(_ why: String) -> Bool {
        guard let session = state.withLock({ $0.running?.session }) else { return false }
        session.end(why)
        return true
    }

    /// Ends what is going on, and refuses what comes.
    func close() {
        state.withLock { $0.isClosed = true }
        _ = end("stopping")
    }

    private func plan(_ request: CaptureRequest, _ filter: FlowFilter, number: UInt64) -> CaptureSession.Plan {
        var order = CaptureOrder()
        order.number = number
        order.framesPerSecond = request.rate ?? CaptureRequest.Limits.usualRate
        order.snapLength = UInt16(clamping: request.snap ?? CaptureRequest.Limits.snap.upperBound)
        let sights = request.sights ?? ["before", "after"]
        order.sights =
            (sights.contains("before") ? CaptureOrder.Bits.before : 0) | (sights.contains("after") ? CaptureOrder.Bits.after : 0)
        (order.fates, order.families) = (7, 7)
        order.withPayload = request.payload == true ? 1 : 0
        let seconds = UInt64(request.seconds ?? CaptureRequest.Limits.usualSeconds)
        return .init(
            order: order, filter: filter, until: now() &+ seconds * 1_000_000_000,
            frames: request.frames ?? CaptureRequest.Limits.usualFrames,
            bytes: request.bytes ?? CaptureRequest.Limits.usualBytes)
    }

    /// Where workloads are now; `nil` where they are none, or at more addresses than an order holds.
    private func addresses(of party: NamedParty) -> [Prefix]? {
        var found: [Prefix] = []
        switch party {
        case .workload(let text):
            let parts = text.split(separator: "/", maxSplits: 1).map(String.init)
            let name = parts.count == 2 ? ObjectName(parts[1], namespace: parts[0]) : ObjectName(text)
            found = inForce.workload(name)?.addresses ?? []
        case .namespace(let name): found = all { $0.name.namespace == name }
        case .label(let key, let value): found = all { $0.labels[key].map { value == nil || $0 == value } ?? false }
        }
        return found.isEmpty || found.count > CaptureOrder.blockCapacity ? nil : found
    }

    /// Addresses of all workloads that are such, or one more than an order holds.
    private func all(where isSuch: (Workload) -> Bool) -> [Prefix] {
        var found: [Prefix] = []
        for workload in inForce.workloads(after: nil, limit: .max) where isSuch(workload) {
            found += workload.addresses
            if found.count > CaptureOrder.blockCapacity { break }
        }
        return found
    }
}
