// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Foundation
internal import Net
internal import Record
internal import Synchronization
internal import Telemetry

/// Judges the connections of a shadow run by its candidate, on a thread of its own, and writes the run's book.
///
///     workers' rings ─► drain ─► queue (65,536) ─► candidate's snapshot ─► same? ─► rows, stream
///          lost here is counted   lost here too     no worker waits for anything of this
///
/// The candidate's word counts against what the record says was decided, whatever generation decided it. Where the record's decision was not
/// policy's alone the two cannot be compared, and that is counted too: an allowance that its generation does not give to the same question is
/// a reply that a frame to a group made expected, and a spoofed source that it does not find spoofed was one by its hardware address.
final class ShadowJudge: Sendable {
    /// Connections that wait at most, about 30 MB.
    static let capacity = 65_536
    /// Refusals that are policy's.
    private static let policyReasons: Set<DropReason> = [.denied, .unjudged, .contested, .spoofed]

    /// The generations that are asked.
    struct Readers: Sendable {
        /// The candidate.
        var candidate: SnapshotReader
        /// What was in force when the candidate was compiled.
        var inForce: SnapshotReader
    }

    private struct Queue {
        var events: [FlowEvent] = []
        var lostByWorkers: UInt64 = 0
        var unqueued: UInt64 = 0
        var isOver = false
    }

    /// The run's book.
    let run: ShadowRun
    /// When the run began, in nanoseconds of the monotonic clock: whoever sets the wall clock back must not hide what comes.
    private let since: UInt64
    private let most: Int
    private let queue = Mutex(Queue())
    private let readers: Mutex<Readers>
    private let wake = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)
    /// The second before which nothing that has lapsed comes back; workers keep it.
    private let latest: @Sendable () -> UInt64
    private let wall: @Sendable () -> Int64

    /// A judge of a run that begins at a moment of the monotonic clock; the thread runs until `finish`. `latest` is the latest second by which workers have let policy
    /// expire, `wall` the wall clock.
    init(
        _ run: ShadowRun, since: UInt64, _ readers: Readers, capacity: Int = ShadowJudge.capacity,
        latest: @escaping @Sendable () -> UInt64, wall: @escaping @Sendable () -> Int64
    ) {
        (self.run, self.since, most, self.latest, self.wall) = (run, since, capacity, latest, wall)
        self.readers = Mutex(readers)
        Thread.detachNewThread { [self] in
            // Only a thread itself tells the kernel its name.
            Thread.current.name = "shadow"
            work()
        }
    }

    /// Takes events in, of which only starts and refusals are judged, and how many of them no record of a worker tells; never waits.
    func take(_ events: [FlowEvent], lost: UInt64) {
        let first = FlowRecord.Event.start.rawValue
        let refused = FlowRecord.Event.refused.rawValue
        let opening = events.filter { ($0.record.event == first || $0.record.event == refused) && $0.record.time >= since }
        guard !opening.isEmpty || lost > 0 else { return }
        queue.withLock { queue in
            guard !queue.isOver else { return }
            queue.lostByWorkers &+= lost
            let room = max(0, most - queue.events.count)
            queue.events += opening.prefix(room)
            for event in opening.dropFirst(room) { queue.unqueued += 1 + UInt64(event.record.suppressed) }
        }
        wake.signal()
    }

    /// Asks other generations from now on.
    func replace(_ next: Readers) { readers.withLock { $0 = next } }

    /// Ends the run and the thread, and waits for both; what is in the queue is judged first.
    func finish(_ end: ShadowRun.End) {
        let isFirst = queue.withLock { queue in
            defer { queue.isOver = true }
            return !queue.isOver
        }
        guard isFirst else { return }
        wake.signal()
        ended.wait()
        run.finish(end)
    }

    private func work() {
        while true {
            wake.wait()
            let batch = queue.withLock { queue in
                defer { (queue.events, queue.lostByWorkers, queue.unqueued) = ([], 0, 0) }
                return queue
            }
            judge(batch)
            if batch.isOver {
                ended.signal()
                return
            }
        }
    }

    private func judge(_ batch: Queue) {
        let readers = readers.withLock { $0 }
        let floor = floor
        var judged: [(event: FlowEvent, outcome: ShadowRun.Outcome)] = []
        judged.reserveCapacity(batch.events.count)
        var untold: UInt64 = 0
        for event in batch.events {
            untold += UInt64(event.record.suppressed)
            judged.append((event, Self.outcome(of: event, readers, floor: floor)))
        }
        run.note(judged, untold: untold, lostByWorkers: batch.lostByWorkers, unqueued: batch.unqueued)
    }

    /// The second that stands in an earlier one's place: while the wall clock is behind the latest, workers judge by that.
    private var floor: UInt64 {
        let latest = latest()
        return UInt64(clamping: wall() / 1_000_000_000) < latest ? latest : 0
    }

    /// What the candidate says of a connection.
    static func outcome(of event: FlowEvent, _ readers: Readers, floor: UInt64) -> ShadowRun.Outcome {
        guard let old = event.decision, event.reason.map(policyReasons.contains) ?? true else { return .unjudged }
        let second = max(floor, UInt64(clamping: event.time.nanoseconds / 1_000_000_000))
        let judgement = readers.candidate.judge(event.record, at: second)
        guard judgement.decision != old else { return .same }
        guard isPolicysAlone(event, old, readers.inForce, second) else { return .unjudged }
        return .judged(readers.candidate.event(event, judged: judgement))
    }

    /// Whether what was decided is what policy decides about the connection by itself.
    private static func isPolicysAlone(
        _ event: FlowEvent, _ decision: Decision, _ inForce: SnapshotReader, _ second: UInt64
    ) -> Bool {
        let mayBeReply = decision == .allow && event.record.protocolNumber == IPProtocol.udp.rawValue
        guard mayBeReply || event.reason == .spoofed else { return true }
        guard event.record.generation == inForce.generation else { return false }
        let judgement = inForce.judge(event.record, at: second)
        return judgement.decision == decision && (event.reason != .spoofed || judgement.reason == .spoofed)
    }
}
