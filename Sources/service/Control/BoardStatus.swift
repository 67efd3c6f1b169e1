// SPDX-License-Identifier: Apache-2.0
internal import CoreFoundation  // owns struct stat and timespec where the compiler meets it before Glibc
internal import API
internal import Compiler
internal import Glibc
internal import Layout
internal import Net
internal import Policy
internal import Record
internal import Synchronization
internal import Telemetry

/// The daemon's state from what keeper and the workers write into shared memory: no question reaches them.
struct BoardStatus: StatusSource {
    let files: KeeperFiles
    /// What the generation in force keeps open.
    let failsafe: @Sendable () -> Failsafe
    /// The monotonic clock, in nanoseconds, by which keeper and the workers tell moments.
    var now: @Sendable () -> UInt64 = { EventDrain.monotonic }

    func status() -> StatusReport {
        // The files were checked against their layouts when they were mapped.
        let board = unsafe Board(base: files.board.base)
        let (facts, plan) = (board.facts, files.plan)
        let counters = (0..<plan.workers).map { consistentCounters(of: $0, board) }
        var pairs: [StatusReport.Pair] = []
        var workers: [StatusReport.Worker] = []
        var ports: [StatusReport.Port] = []
        var capacity: UInt64 = 0
        for number in 0..<Int(plan.pairCount) {
            let (pair, words) = (plan.pairs[number], board[pair: number])
            let mode = PortMode(rawValue: words.mode).map { String(describing: $0) } ?? String(words.mode)
            pairs.append(.init(name: pair.name.description, mode: mode, owner: pair.ownerByHash == 1 ? "hash" : "queue"))
            capacity += UInt64(pair.flowCapacity) * UInt64(pair.queues)
            workers += (0..<Int(pair.queues)).map { queue in
                let worker = plan.firstWorker(ofPair: number) + queue
                // The file was checked against its layout when it was mapped.
                let place = unsafe board.word(.processor, ofWorker: worker).pointee.load(ordering: .relaxed)
                return .init(
                    pair: pair.name.description, queue: queue, counters: counters[worker],
                    processor: place > 0 ? Int(clamping: place - 1) : nil)
            }
            for port in 0..<2 {
                let queues = (0..<Int(pair.queues)).map { queue in
                    let worker = plan.firstWorker(ofPair: number) + queue
                    return StatusReport.Queue(
                        queue: queue, counters: counters[worker].ports[port], kernel: board[statistics: worker, port: port])
                }
                ports.append(
                    .init(
                        name: pair.ports[port].name.description, pair: pair.name.description,
                        link: words.missing[port] == 1 ? "gone" : words.linkUp[port] == 1 ? "up" : "down",
                        xdp: pair.ports[port].isNative == 1 ? "native" : "generic",
                        copy: pair.ports[port].isZeroCopy == 1 ? "zero-copy" : "copy", queues: queues))
            }
        }
        var report = StatusReport(
            generation: facts.generation, epoch: facts.lastEpoch,
            processes: [("keeper", facts.keeper), ("data", facts.data), ("control", facts.control)].map {
                .init(name: $0.0, pid: $0.1.pid, restarts: $0.1.restarts)
            },
            pairs: pairs, ports: ports,
            flows: .init(
                capacity: capacity > 0 ? capacity : plan.flowCapacity, workers: counters,
                grace: secondsUntil(counters.map(\.graceUntil).max() ?? 0)),
            checksums: .init(completed: counters.reduce(0) { $0 &+ $1.completedChecksums }),
            failsafe: openings)
        report.records = .init(workers: Losses(counters))
        report.workers = workers
        report.processors = facts.others.isEmpty ? nil : facts.others.description
        return report
    }

    /// The latest unix second by which workers have let policy expire; 0 before the first.
    var latestSecond: UInt64 {
        // The file was checked against its layout when it was mapped.
        unsafe Board(base: files.board.base).clock.latest
    }

    /// Nanoseconds for which everything is still forwarded unjudged; `nil` where nobody ordered that.
    var bypassLeft: UInt64? {
        let (until, now) = (bypassUntil, now())
        return until > now ? until - now : nil
    }

    /// Until when everything is forwarded unjudged, in nanoseconds of the monotonic clock; 0 where nobody ordered that.
    var bypassUntil: UInt64 {
        // The file was checked against its layout when it was mapped.
        unsafe Board(base: files.board.base).facts.bypassUntil
    }

    private var openings: [StatusReport.Opening] {
        let failsafe = failsafe()
        func told(_ opening: Failsafe.Opening, _ list: String, to: [String]) -> StatusReport.Opening {
            .init(
                list: list, name: opening.name, services: opening.services.map(\.words), from: Self.told(opening.from), to: to)
        }
        let addresses = failsafe.addresses.map(Self.told)
        return failsafe.box.map { told($0, "box", to: addresses) }
            + failsafe.transit.map { told($0, "transit", to: Self.told($0.to)) }
    }

    private static func told(_ prefix: Prefix) -> String { prefix.isHost ? "\(prefix.address)" : "\(prefix)" }

    private static func told(_ term: Term?) -> [String] {
        (term?.cidrs ?? []).map(told) + (term?.zones ?? []).map { "zone \($0)" }
    }

    /// Seconds from now until a moment of the monotonic clock, begun ones counted; 0 when it is over.
    private func secondsUntil(_ moment: UInt64) -> UInt64 {
        let now = now()
        return moment > now ? (moment - now - 1) / 1_000_000_000 + 1 : 0
    }

    /// A worker's counters as they stood between two of its turns, where received = forwarded + dropped + held. A worker that is
    /// never found between turns, because it hangs or was killed inside one, is read as it stands.
    private func consistentCounters(of worker: Int, _ board: Board) -> WorkerCounters {
        // The counters' file holds `Plan.maximumWorkers` of them; the word lies on the board.
        let place = unsafe files.counters.base + CountersLayout.worker(worker)
        var counters = unsafe place.load(as: WorkerCounters.self)
        for _ in 0..<1000 {
            let before = unsafe board.word(.turn, ofWorker: worker).pointee.load(ordering: .acquiring)
            guard before & 1 == 0 else {
                sched_yield()
                continue
            }
            counters = unsafe place.load(as: WorkerCounters.self)
            let after = unsafe board.word(.turn, ofWorker: worker).pointee.load(ordering: .acquiring)
            if before == after { break }
        }
        return counters
    }
}
