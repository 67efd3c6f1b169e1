// SPDX-License-Identifier: Apache-2.0
public import Record
public import Synchronization

/// The words that keeper, workers and control read of each other without a message: heartbeats, sleep marks, link states,
/// processes, the kernel's statistics and the plan. Each word has one writer but where it says otherwise. The file is made by keeper, mapped by data for
/// reading and writing, by control for reading only.
///
///     0      MemoryHeader
///     64     BoardFacts: processes, generation and epoch in force
///     960    the words of the clock by which policy expires, written by every worker
///     1024   PairBoard for each of 8 pairs
///     1536   WorkerBoard for each of 32 workers
///     …      KernelStatistics for each (worker, port)
///     …      Plan
public enum BoardLayout {
    /// Where the facts about processes lie.
    public static let facts = 64
    /// Where the words of policy's clock lie.
    public static let clock = 960
    /// Where the pairs' words lie.
    public static let pairs = 1024
    /// Where the workers' words lie.
    public static let workers = pairs + Plan.maximumPairs * MemoryLayout<PairBoard>.stride
    /// Where the kernel's statistics lie, two for each worker.
    public static let statistics = workers + Plan.maximumWorkers * MemoryLayout<WorkerBoard>.stride
    /// Where the plan lies.
    public static let plan = (statistics + Plan.maximumWorkers * 2 * MemoryLayout<KernelStatistics>.stride + 63) & ~63
    /// Bytes of the file.
    public static let byteCount = plan + MemoryLayout<Plan>.stride
    /// The geometry that its header names.
    public static let geometry = UInt64(byteCount)
}

/// A process of Bulkhead as `status` shows it.
@frozen public struct ProcessFacts: BitwiseCopyable, Sendable {
    /// Process number, 0 while there is none.
    public var pid: Int32 = 0
    /// How often it was started again.
    public var restarts: UInt32 = 0
    /// No process.
    public init() {}
}

/// What keeper knows, for `status`; written by keeper alone.
@frozen public struct BoardFacts: BitwiseCopyable, Sendable {
    /// The privileged parent.
    public var keeper = ProcessFacts()
    /// The workers.
    public var data = ProcessFacts()
    /// Configuration, API, compiler.
    public var control = ProcessFacts()
    /// The generation that data has in force, 0 before the first.
    public var generation: UInt32 = 0
    /// The highest generation that was ever published: the next control goes on behind it.
    public var lastGeneration: UInt32 = 0
    /// The highest inventory epoch that was ever published.
    public var lastEpoch: UInt32 = 0
    /// How often keeper found data hanging and killed it.
    public var hangs: UInt32 = 0
    /// Until when, in nanoseconds of the monotonic clock, every pair forwards unjudged because an operator ordered it; 0 where none
    /// did.
    public var bypassUntil: UInt64 = 0
    /// The processors that keeper, control and data's main thread keep to; none where they share those of workers.
    public var others = ProcessorSet()
    /// Nothing known.
    public init() {}
}

/// The words of a port pair.
@frozen public struct PairBoard: BitwiseCopyable, Sendable {
    /// 1 where the port has a link, by keeper.
    public var linkUp: InlineArray<2, UInt32> = .init(repeating: 0)
    /// 1 where keeper took the port down because the other one lost its link.
    public var takenDown: InlineArray<2, UInt32> = .init(repeating: 0)
    /// 1 where the port was promiscuous before keeper made it so.
    public var wasPromiscuous: InlineArray<2, UInt32> = .init(repeating: 0)
    /// The `PortMode` that keeper set last.
    public var mode: UInt32 = 0
    /// 1 where no port of that name is there, by keeper.
    public var missing: InlineArray<2, UInt32> = .init(repeating: 0)
    /// Room up to 64 bytes.
    public var reserved: InlineArray<7, UInt32> = .init(repeating: 0)
    /// Nothing known.
    public init() {}
}

/// The words of a worker, on a cache line of their own.
@frozen public struct WorkerBoard: BitwiseCopyable, Sendable {
    /// Raised at the begin and at the end of each turn by the worker: odd while it holds a snapshot. Keeper takes it as heartbeat,
    /// the publisher as the sign that an old snapshot is left.
    public var turn: UInt64 = 0
    /// 1 while the worker sleeps in poll and wants to be woken.
    public var sleeping: UInt64 = 0
    /// Not 0 when the worker is to stop at its turn's end, by data's main thread: 1 when another process goes on with what the
    /// rings hold (hand-over), 2 when nobody does (a port is gone).
    public var park: UInt64 = 0
    /// 1 when it has stopped.
    public var parked: UInt64 = 0
    /// The processor that it is pinned to, plus 1; 0 where it is not.
    public var processor: UInt64 = 0
    /// Room up to 64 bytes.
    public var reserved: InlineArray<3, UInt64> = .init(repeating: 0)
    /// Nothing known.
    public init() {}
}

/// Access to a mapped board. The memory belongs to a `MemoryFile` that outlives it.
@safe public struct Board: BitwiseCopyable, @unchecked Sendable {
    private let base: UnsafeMutableRawPointer

    /// The board in a mapped file whose header has been checked.
    @unsafe public init(base: UnsafeMutableRawPointer) { unsafe self.base = base }

    /// What keeper knows. A reader may see a mixture of two states of different fields, never of one.
    public var facts: BoardFacts {
        get { unsafe (base + BoardLayout.facts).load(as: BoardFacts.self) }
        nonmutating set { unsafe (base + BoardLayout.facts).storeBytes(of: newValue, as: BoardFacts.self) }
    }

    /// The plan in force.
    public var plan: Plan {
        get { unsafe (base + BoardLayout.plan).load(as: Plan.self) }
        nonmutating set { unsafe (base + BoardLayout.plan).storeBytes(of: newValue, as: Plan.self) }
    }

    /// The words of a pair.
    public subscript(pair pair: Int) -> PairBoard {
        get { unsafe pairs(pair).load(as: PairBoard.self) }
        nonmutating set { unsafe pairs(pair).storeBytes(of: newValue, as: PairBoard.self) }
    }

    /// The kernel's statistics of a worker's port.
    public subscript(statistics worker: Int, port port: Int) -> KernelStatistics {
        get { unsafe statistics(worker, port).load(as: KernelStatistics.self) }
        nonmutating set { unsafe statistics(worker, port).storeBytes(of: newValue, as: KernelStatistics.self) }
    }

    /// A word of a worker, for atomic use.
    @unsafe public func word(_ field: WorkerWord, ofWorker worker: Int) -> UnsafePointer<Atomic<UInt64>> {
        precondition((0..<Plan.maximumWorkers).contains(worker))
        let place = unsafe base + BoardLayout.workers + worker * MemoryLayout<WorkerBoard>.stride + field.rawValue * 8
        return unsafe UnsafePointer(place.assumingMemoryBound(to: Atomic<UInt64>.self))
    }

    /// The words of the clock by which policy expires, as they are now.
    public var clock: ClockFacts {
        get {
            unsafe ClockFacts(
                latest: clockWord(.latest).pointee.load(ordering: .relaxed),
                beforeLeap: clockWord(.beforeLeap).pointee.load(ordering: .relaxed))
        }
        nonmutating set {
            unsafe clockWord(.beforeLeap).pointee.store(newValue.beforeLeap, ordering: .relaxed)
            unsafe clockWord(.latest).pointee.store(newValue.latest, ordering: .relaxed)
        }
    }

    /// A word of the clock by which policy expires, for atomic use.
    @unsafe public func clockWord(_ word: ClockWord) -> UnsafePointer<Atomic<UInt64>> {
        let place = unsafe base + BoardLayout.clock + word.rawValue * 8
        return unsafe UnsafePointer(place.assumingMemoryBound(to: Atomic<UInt64>.self))
    }

    /// The link word of a pair's port, for atomic use.
    @unsafe public func linkWord(ofPair pair: Int, port: Int) -> UnsafePointer<Atomic<UInt32>> {
        precondition((0..<2).contains(port))
        return unsafe UnsafePointer((pairs(pair) + port * 4).assumingMemoryBound(to: Atomic<UInt32>.self))
    }

    private func pairs(_ pair: Int) -> UnsafeMutableRawPointer {
        precondition((0..<Plan.maximumPairs).contains(pair))
        return unsafe base + BoardLayout.pairs + pair * MemoryLayout<PairBoard>.stride
    }

    private func statistics(_ worker: Int, _ port: Int) -> UnsafeMutableRawPointer {
        precondition((0..<Plan.maximumWorkers).contains(worker) && (0..<2).contains(port))
        return unsafe base + BoardLayout.statistics + (worker * 2 + port) * MemoryLayout<KernelStatistics>.stride
    }
}

/// The words of policy's clock as values.
public struct ClockFacts: Hashable, Sendable {
    /// The latest unix second by which policy has expired; 0 before the first.
    public var latest: UInt64
    /// The second before the last leap of the wall clock that was kept; 0 for none.
    public var beforeLeap: UInt64

    /// Facts; the default is a clock that nobody has seen.
    public init(latest: UInt64 = 0, beforeLeap: UInt64 = 0) { (self.latest, self.beforeLeap) = (latest, beforeLeap) }

    /// Whether both are seconds of a clock: before the year 2242, and the earlier one earlier.
    public var isPossible: Bool { latest < 1 << 33 && beforeLeap <= latest }
}

/// The words of policy's clock, by their place.
public enum ClockWord: Int, Sendable {
    /// The latest unix second by which policy has expired; 0 before the first.
    case latest = 0
    /// The second before the last leap of the wall clock that was kept; 0 for none.
    case beforeLeap
}

/// The words of `WorkerBoard`, by their place.
public enum WorkerWord: Int, Sendable {
    /// `WorkerBoard.turn`.
    case turn = 0
    /// `WorkerBoard.sleeping`.
    case sleeping
    /// `WorkerBoard.park`.
    case park
    /// `WorkerBoard.parked`.
    case parked
    /// `WorkerBoard.processor`.
    case processor
}
