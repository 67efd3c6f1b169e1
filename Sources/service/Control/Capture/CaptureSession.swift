// SPDX-License-Identifier: Apache-2.0
internal import API
internal import CoreFoundation  // owns struct stat and timespec where the compiler meets it before Glibc
internal import Foundation
internal import Glibc
internal import Layout
internal import Net
internal import Record
internal import Synchronization
internal import Telemetry

/// One capture, from the order to the last sight: it keeps the workers' order alive, empties their rings, puts names to what it finds, and
/// hands on what the filter lets through. It has a thread of its own, because what it does is work and must not hold up anybody's request.
///
/// The workers stop by themselves: the order's time is a few seconds ahead, and told anew as long as this lives. The client is never
/// waited for: what it has no room for is counted.
final class CaptureSession: Sendable {
    /// What a capture is made of.
    struct Plan: Sendable {
        /// The order, without what the filter narrows.
        var order: CaptureOrder
        var filter: FlowFilter
        /// When it ends at the latest, in nanoseconds of the monotonic clock.
        var until: UInt64
        /// After how many sights, and bytes in them, it ends.
        var frames, bytes: UInt64
    }

    /// Batches that a client may fall behind, of `batch` sights at most.
    static let (backlog, batch) = (64, 64)
    /// How long an order holds that nobody tells anew, in nanoseconds.
    static let lease: UInt64 = 5_000_000_000
    /// How long a client may leave no room for the last word, in nanoseconds.
    private static let lastPatience: UInt64 = 2_000_000_000
    /// Nanoseconds between two looks into the rings.
    private static let pause: UInt32 = 10_000_000

    private let continuation: AsyncStream<CaptureFeed.Delivery>.Continuation
    private let files: KeeperFiles
    private let names: KnownNames
    private let addresses: @Sendable (NamedParty) -> [Prefix]?
    private let plan: Plan
    /// The monotonic clock, in nanoseconds, by which `until` is told.
    private let now: @Sendable () -> UInt64
    private let asked = Mutex<String?>(nil)

    /// What a session hands on, and the end into which it puts it. A session does not hold the stream: that nobody does any more is how it
    /// learns that its client is gone.
    static func stream() -> (AsyncStream<CaptureFeed.Delivery>, AsyncStream<CaptureFeed.Delivery>.Continuation) {
        AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(backlog))
    }

    /// A session that has not begun.
    init(
        _ plan: Plan, _ files: KeeperFiles, _ names: KnownNames, _ continuation: AsyncStream<CaptureFeed.Delivery>.Continuation,
        now: @escaping @Sendable () -> UInt64, addresses: @escaping @Sendable (NamedParty) -> [Prefix]?
    ) {
        (self.plan, self.files, self.names, self.now, self.addresses) = (plan, files, names, now, addresses)
        self.continuation = continuation
        continuation.onTermination = { [weak self] _ in self?.end("gone") }
    }

    /// Begins; `whenOver` is called once, on another thread, when nothing comes any more.
    func begin(_ whenOver: @escaping @Sendable (CaptureEnd) -> Void) {
        let thread = Thread { [self] in
            let end = CaptureEnd(why: "", counts: CaptureCounts())
            whenOver(work(end))
            continuation.finish()
        }
        thread.name = "capture"
        thread.start()
    }

    /// Ends it soon, for a reason; a second one does not count.
    func end(_ why: String) { asked.withLock { $0 = $0 ?? why } }

    private func work(_ nothing: CaptureEnd) -> CaptureEnd {
        var rings = (0..<files.plan.workers).map { CapturedRing(files, worker: $0) }
        let before = (rings.reduce(0) { $0 &+ $1.lost }, rings.reduce(0) { $0 &+ $1.suppressed })
        var end = nothing
        var order = CaptureOrder()
        var nextTell: UInt64 = 0
        while end.why.isEmpty {
            let now = now()
            if now >= nextTell {
                tell(&order, now)
                if nextTell > 0 { _ = continuation.yield(.counts(end.counts)) }
                nextTell = now &+ 1_000_000_000
            }
            if let why = asked.withLock({ $0 }) { end.why = why } else if now >= plan.until { end.why = "time" }
            if !end.why.isEmpty {
                files.inquiries.disarm()
                // What workers are in the middle of.
                Self.rest()
            }
            take(&rings, before, &end)
            if end.why.isEmpty { Self.rest() }
        }
        files.inquiries.disarm()
        deliver(end)
        return end
    }

    /// Tells the workers their order anew, as the filter narrows it by now.
    private func tell(_ order: inout CaptureOrder, _ now: UInt64) {
        var next = plan.order
        plan.filter.narrow(&next, addresses: addresses)
        let isNew = order.number == 0 || !Self.isSame(order, next)
        order = next
        let until = min(plan.until, now &+ Self.lease)
        if isNew { files.inquiries.arm(next, until: until) } else { files.inquiries.prolong(until: until) }
    }

    /// Empties the rings once.
    private func take(_ rings: inout [CapturedRing], _ before: (UInt64, UInt64), _ end: inout CaptureEnd) {
        let (decoder, offset) = (names.now, EventDrain.wallOffset)
        for ring in rings {
            var frames: [FrameReport] = []
            ring.drain { frame, bytes in
                guard frame.capture == plan.order.number, end.counts.captured < plan.frames, end.counts.bytes < plan.bytes else {
                    return
                }
                let event = decoder.decode(frame.flow, wallOffset: offset)
                guard plan.filter.matches(event) else { return }
                frames.append(FrameReport(frame, bytes, event, worker: ring.worker, port: port(frame)))
                end.counts.captured += 1
                end.counts.bytes += UInt64(bytes.count)
                if frames.count == Self.batch { hand(&frames, &end.counts) }
            }
            hand(&frames, &end.counts)
        }
        // Another process's counts: differences wrap.
        end.counts.lost = rings.reduce(0) { $0 &+ $1.lost } &- before.0
        end.counts.suppressed = rings.reduce(0) { $0 &+ $1.suppressed } &- before.1
        if end.counts.captured >= plan.frames { end.why = "frames" }
        if end.counts.bytes >= plan.bytes { end.why = "size" }
    }

    private func hand(_ frames: inout [FrameReport], _ counts: inout CaptureCounts) {
        guard !frames.isEmpty else { return }
        if case .dropped = continuation.yield(.frames(frames)) {
            counts.undelivered += UInt64(frames.count)
            counts.captured -= UInt64(frames.count)
            counts.bytes -= frames.reduce(0) { $0 + UInt64($1.bytes.count) }
        }
        frames = []
    }

    /// The last word finds room once the client has taken something; one that takes nothing for a while goes without it.
    private func deliver(_ end: CaptureEnd) {
        let patience = now() &+ Self.lastPatience
        while case .dropped = continuation.yield(.end(end)), now() < patience { Self.rest() }
    }

    private func port(_ frame: CapturedFrame) -> String {
        let (pair, port) = (Int(frame.flow.pair), Int(frame.port))
        guard pair < files.ports.count, port < 2 else { return "pair \(pair) port \(port)" }
        return files.ports[pair][port]
    }

    private static func rest() {
        var pause = timespec(tv_sec: 0, tv_nsec: Int(pause))
        _ = unsafe nanosleep(&pause, nil)
    }

    /// Whether two orders ask for the same; only what narrows differs in a session.
    private static func isSame(_ a: CaptureOrder, _ b: CaptureOrder) -> Bool {
        guard a.blockCount == b.blockCount else { return false }
        return (0..<Int(a.blockCount)).allSatisfy {
            let (x, y) = (a.blocks[$0], b.blocks[$0])
            return x.high == y.high && x.low == y.low && x.length == y.length
        }
    }
}

/// One worker's ring; used by the session's thread alone.
private final class CapturedRing {
    let worker: Int
    private var consumer: CaptureConsumer
    /// The consumer points into it.
    private let inquiries: Inquiries

    /// A ring of which nothing that is in it by now counts.
    init(_ files: KeeperFiles, worker: Int) {
        (self.worker, inquiries) = (worker, files.inquiries)
        consumer = unsafe CaptureConsumer(base: files.inquiries.ring(ofWorker: worker))
        consumer.skip()
    }

    func drain(_ body: (CapturedFrame, [UInt8]) -> Void) { _ = consumer.drain(limit: CaptureRingLayout.capacity, body) }

    var lost: UInt64 { consumer.lost }
    var suppressed: UInt64 { consumer.suppressed }
}
