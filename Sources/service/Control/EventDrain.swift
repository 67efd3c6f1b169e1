// SPDX-License-Identifier: Apache-2.0
internal import CoreFoundation  // owns struct stat and timespec where the compiler meets it before Glibc
internal import Glibc
internal import Layout
internal import Record
internal import Synchronization
internal import ServiceLifecycle
internal import Telemetry

/// The names that records refer to, shared by whoever publishes generations and whoever drains events.
final class KnownNames: Sendable {
    private let decoder: Mutex<FlowDecoder>
    private let observations: Observations?

    init(_ plan: Plan, observations: Observations? = nil) {
        self.observations = observations
        let pairs = (0..<Int(plan.pairCount)).map { number in
            PairNames(
                name: plan.pairs[number].name.description, ports: (0..<2).map { plan.pairs[number].ports[$0].name.description })
        }
        decoder = Mutex(FlowDecoder(pairs: pairs))
    }

    /// Learns a generation, before it is published: its first record may come at once.
    func learn(_ names: PublishedNames) { decoder.withLock { $0.learn(names) } }

    /// A generation that was learned has come into force.
    func enter(_ generation: UInt32) {
        let named = decoder.withLock { decoder in
            decoder.enter(generation)
            return decoder.named(generation)
        }
        if let named { observations?.enter(named) }
    }

    /// Learns workloads that a generation's inventory got since.
    func extend(_ generation: UInt32, workloads: [String]) {
        guard !workloads.isEmpty else { return }
        decoder.withLock { $0.extend(generation, workloads: workloads) }
    }

    /// The decoder as it is now; it shares its tables.
    var now: FlowDecoder { decoder.withLock { $0 } }
}

/// The flows that live, for whoever drains events and whoever asks what a change would cut.
final class LiveTable: Sendable {
    private let flows = Mutex(LiveFlows())

    /// The events with the names of their ends; see `LiveFlows`.
    func named(_ events: [FlowEvent]) -> [FlowEvent] { flows.withLock { flows in events.map { flows.named($0) } } }

    /// The flows as they are now.
    var now: LiveFlows { flows.withLock { $0 } }
}

/// Empties the workers' event rings into the hub, often enough that a ring of 8192 records holds 200,000 a second.
struct EventDrain: Service {
    /// Time between two rounds.
    static let interval = Duration.milliseconds(25)

    let files: KeeperFiles
    let names: KnownNames
    let hub: EventHub
    /// Sees every event as well.
    let watch: DenialWatch
    /// Takes them to the candidate that is shadowed, if one is.
    let shadow: ShadowDoor
    let observations: Observations
    /// Knows the flows that live.
    let live: LiveTable

    /// Drains until it is asked to end, and once more then.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            let rings = (0..<files.plan.workers).map { Ring(files, worker: $0) }
            while !Task.isCancelled {
                round(rings)
                try? await Task.sleep(for: Self.interval)
            }
            round(rings)
        }
    }

    private func round(_ rings: [Ring]) {
        let (decoder, offset) = (names.now, Self.wallOffset)
        for ring in rings {
            var decoded: [FlowEvent] = []
            ring.drain { decoded.append(decoder.decode($0, wallOffset: offset)) }
            let events = live.named(decoded)
            hub.publish(events)
            watch.note(events)
            let lost = ring.takeLost()
            hub.lose(lost)
            let untold = ring.takeUntold()
            shadow.take(events, lost: untold.starts &+ untold.refusals)
            observations.take(events, lost: lost, untold: untold.refusals)
        }
    }

    /// What must be added to the monotonic clock to get wall time, in nanoseconds. Taken anew in each round: the wall clock is set now
    /// and then.
    static var wallOffset: Int64 { clock(CLOCK_REALTIME) - clock(CLOCK_MONOTONIC) }

    /// The clock that workers stamp records with, in nanoseconds.
    static var monotonic: UInt64 { UInt64(max(0, clock(CLOCK_MONOTONIC))) }

    private static func clock(_ number: clockid_t) -> Int64 {
        var time = timespec()
        _ = unsafe clock_gettime(number, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// Decisions of a worker that no record tells, nor will.
struct UntoldDecisions: Equatable {
    /// Connections that were admitted, whose records found no room: among the records that the ring has lost.
    var starts: UInt64
    /// Refusals that ended with a worker before it told them: of these there never was a record.
    var refusals: UInt64

    /// What a worker has counted.
    init(_ counters: WorkerCounters) { (starts, refusals) = (counters.lostStarts, counters.lostRefusals) }

    private init(starts: UInt64, refusals: UInt64) { (self.starts, self.refusals) = (starts, refusals) }

    /// What has come since. Data writes the counters: differences wrap.
    static func - (now: Self, before: Self) -> Self {
        Self(starts: now.starts &- before.starts, refusals: now.refusals &- before.refusals)
    }
}

/// One worker's ring; used by the drain's task alone.
private final class Ring {
    private var consumer: EventConsumer
    /// The consumer points into it.
    private let memory: SharedMemory
    private let counters: SharedMemory
    private let worker: Int
    /// What somebody was told of.
    private var told: UntoldDecisions

    init(_ files: KeeperFiles, worker: Int) {
        (memory, counters, self.worker) = (files.events, files.counters, worker)
        // The events' file was checked to hold a ring for each worker of the plan.
        let base = unsafe files.events.base + EventsLayout(files.plan).ring(ofWorker: worker)
        consumer = unsafe EventConsumer(base: base, capacity: Plan.eventCapacity)
        told = Self.untold(files.counters, worker)
    }

    func drain(_ body: (FlowRecord) -> Void) { _ = consumer.drain(limit: Plan.eventCapacity, body) }

    /// Records that the worker could not write and nobody was told of yet.
    func takeLost() -> UInt64 { consumer.takeLost() }

    /// What no record tells, since this was asked last.
    func takeUntold() -> UntoldDecisions {
        let now = Self.untold(counters, worker)
        defer { told = now }
        return now - told
    }

    private static func untold(_ counters: SharedMemory, _ worker: Int) -> UntoldDecisions {
        // The counters' file holds `Plan.maximumWorkers` of them.
        UntoldDecisions(unsafe (counters.base + CountersLayout.worker(worker)).load(as: WorkerCounters.self))
    }
}
