// SPDX-License-Identifier: Apache-2.0
internal import Datapath
internal import Flow
internal import Net
internal import Wire

/// A capture on its way through the daemon's own data path, in capture time: what was recorded is judged as it would have been.
///
/// Each pair of ports (see `ZonesOfCapture`) has a worker of its own. The monotonic clock of the workers begins with the first frame
/// and never goes back, whatever the capture's time stamps do; the wall clock, by which policy expires, is the capture's.
public struct Replay: ~Copyable {
    private let capture: CaptureFile
    private let zones: ZonesOfCapture
    private let policy: ReplayPolicy?
    private let flowsOfWorker: Int
    private var workers: [UInt8: ReplayWorker] = [:]
    private var start: UInt64?
    private var monotonic: UInt64 = 1_000_000_000
    /// Frames whose fate is not known, by worker and address; and lines that wait for them, in frame order.
    private var held: [Held: Int] = [:]
    private var waiting: [FrameFate] = []
    /// The figures so far.
    public private(set) var summary = ReplaySummary()

    private struct Held: Hashable {
        var pair: UInt8
        var address: UInt64
    }

    /// Opens a capture for a policy. `flows` is how many flows a worker keeps. Without a policy nothing judges: a frame that can be
    /// read is `unjudged`, whatever a connection's course would say of it, and one that cannot has its own reason.
    public init(
        capture path: String, policy: ReplayPolicy?, zones: ZonesOfCapture, flows: Int
    ) throws(ReplayError) {
        capture = try CaptureFile(path: path)
        self.policy = policy
        self.zones = zones
        flowsOfWorker = flows
    }

    /// Judges every frame and tells each fate in frame order, as soon as it and all before it are known. At the end, and where the
    /// file is cut, what still waits is told as held; a cut file throws afterwards.
    public mutating func run(_ tell: (FrameFate) -> Void) throws(ReplayError) {
        var fault: ReplayError?
        do {
            while let frame = try capture.next() {
                judge(frame)
                tellKnown(tell)
            }
        } catch {
            fault = error
        }
        summary.held = held.count
        held = [:]
        tellKnown(tell)
        summary.flows = workers.values.reduce(0) { $0 + $1.flows }
        if let fault { throw fault }
    }

    private mutating func judge(_ frame: CapturedFrame) {
        summary.frames += 1
        if frame.wireLength > frame.bytes.count { summary.shortened += 1 }
        var reading = Reading()
        let fault = read(frame.bytes, into: &reading)
        var fate = FrameFate(frame: frame.number, verdict: .drop(fault ?? .unjudged))
        if let policy { judge(frame, fault == nil ? reading : nil, by: policy, into: &fate) }
        count(fate.verdict)
        waiting.append(fate)
    }

    /// Lets a frame go the data path's way; `reading` is there where it can be read, and tells its place and its flow.
    private mutating func judge(
        _ frame: CapturedFrame, _ reading: Reading?, by policy: ReplayPolicy, into fate: inout FrameFate
    ) {
        let now = moment(of: frame)
        let place = zones.place(of: reading ?? Reading(), interface: frame.interface)
        let worker = workers[place.pair] ?? ReplayWorker(pair: place.pair, flows: flowsOfWorker, now: now.nanoseconds)
        workers[place.pair] = worker
        guard let outcome = worker.feed(frame.bytes, port: Int(place.port), by: policy.inForce, at: now) else {
            fate.verdict = .drop(.truncated)
            return
        }
        fate.verdict = outcome.verdict
        if case .hold = outcome.verdict { held[Held(pair: place.pair, address: outcome.address)] = frame.number }
        if let flow = outcome.flow { (fate.flow, fate.state) = (flow.text, flow.state.name) }
        for (address, reason) in outcome.ended { settle(Held(pair: place.pair, address: address), as: .drop(reason), by: nil) }
        for address in outcome.released { settle(Held(pair: place.pair, address: address), as: .forward, by: fate) }
    }

    /// Notes what became of a frame that was held; one that left is of the flow of the frame that released it.
    private mutating func settle(_ key: Held, as verdict: Verdict, by fate: FrameFate?) {
        guard let frame = held.removeValue(forKey: key), let first = waiting.first else { return }
        // The lines that wait have no gap.
        let line = frame - first.frame
        waiting[line].verdict = verdict
        waiting[line].releasedBy = fate?.frame
        (waiting[line].flow, waiting[line].state) = (fate?.flow, fate?.state)
        count(verdict)
    }

    private mutating func count(_ verdict: Verdict) {
        switch verdict {
        case .forward: summary.forwarded += 1
        case .drop(let reason): summary.dropped[reason, default: 0] += 1
        case .reject(let reason):
            summary.dropped[reason, default: 0] += 1
            summary.rejected += 1
        case .hold, .inspect: break
        }
    }

    /// Tells the lines up to the first frame whose fate is open.
    private mutating func tellKnown(_ tell: (FrameFate) -> Void) {
        let open = Set(held.values)
        let known = waiting.prefix { !open.contains($0.frame) }
        for fate in known { tell(fate) }
        waiting.removeFirst(known.count)
    }

    private mutating func moment(of frame: CapturedFrame) -> Moment {
        let first = start ?? frame.time
        start = first
        let elapsed = frame.time >= first ? frame.time - first : 0
        monotonic = max(monotonic, 1_000_000_000 + elapsed)
        return Moment(nanoseconds: monotonic, wall: frame.time / 1_000_000_000)
    }

    /// What Wire says of a frame.
    private func read(_ bytes: [UInt8], into reading: inout Reading) -> DropReason? {
        unsafe bytes.withUnsafeBytes { unsafe Wire.read(RawSpan(_unsafeBytes: $0), into: &reading) }
    }
}
