// SPDX-License-Identifier: Apache-2.0
internal import Flow
internal import Net
internal import Record
internal import Ring
public import Synchronization

/// Where things lie in a pair's UMEM file: the header, each worker's free list, the rings between workers, then the frames.
public struct UMEMLayout: Sendable, Equatable {
    /// Descriptors that a ring between two workers holds.
    public static let handOffCapacity = 1024

    /// Workers of the pair.
    public let workers: Int
    /// Frames of each.
    public let framesPerWorker: Int
    /// Bytes of a frame.
    public let frameSize: Int

    /// The layout of a completed plan's pair.
    public init(_ pair: PairPlan) {
        workers = Int(pair.queues)
        framesPerWorker = Int(pair.framesPerWorker)
        frameSize = Int(pair.frameSize)
    }

    /// Where a worker's free list begins.
    public func freeList(ofWorker worker: Int) -> Int { MemoryHeader.size + worker * freeListSize }
    /// Where the rings between workers begin (`HandOffTable`).
    public var handOffs: Int { MemoryHeader.size + workers * freeListSize }
    /// Where the frames begin; page-aligned.
    public var frames: Int {
        (handOffs + HandOffTable.byteCount(workers: workers, capacity: Self.handOffCapacity) + 4095) & ~4095
    }
    /// Bytes of all frames.
    public var framesByteCount: Int { workers * framesPerWorker * frameSize }
    /// Bytes of the file.
    public var byteCount: Int { frames + framesByteCount }
    /// The header of the file.
    public func header(pair: Int) -> MemoryHeader {
        MemoryHeader(
            .umem, byteCount: byteCount, geometry: UInt64(workers) << 48 | UInt64(framesPerWorker) << 16 | UInt64(frameSize),
            pair: pair)
    }

    private var freeListSize: Int { (FreeList.byteCount(capacity: framesPerWorker * workers) + 63) & ~63 }
}

/// Where things lie in a pair's flow file: the header with the secret and the word of the grace behind it, then for each worker a
/// table of each family and one of fragments.
public struct FlowsLayout: Sendable, Equatable {
    /// Workers of the pair.
    public let workers: Int
    /// Flows of each worker and family.
    public let capacity: Int

    /// The layout of a completed plan's pair.
    public init(_ pair: PairPlan) {
        workers = Int(pair.queues)
        capacity = Int(pair.flowCapacity)
    }

    /// Where the secret of the hash lies.
    public static let secret = MemoryHeader.size
    /// Where it lies since when the pair's connections may be picked up.
    static let grace = secret + MemoryLayout<HashSecret>.size

    /// Since when, in nanoseconds of the monotonic clock, connections of the pair are under way that its tables may not hold; 0
    /// where none are. The configuration says for how long after that they may be picked up. Valid as long as the memory is mapped.
    @unsafe public static func graceWord(in memory: SharedMemory) -> UnsafePointer<Atomic<UInt64>> {
        unsafe UnsafePointer((memory.base + grace).assumingMemoryBound(to: Atomic<UInt64>.self))
    }

    /// Notes that a table was lost, or that frames have passed unjudged until then. Workers read it when they begin to run, and
    /// whenever the mode word has a new epoch.
    public static func oweGrace(in memory: SharedMemory, from nanoseconds: UInt64) {
        unsafe graceWord(in: memory).pointee.store(nanoseconds, ordering: .releasing)
    }

    /// Where a worker's IPv4 table begins.
    public func table4(ofWorker worker: Int) -> Int { 256 + worker * size }
    /// Where a worker's IPv6 table begins.
    public func table6(ofWorker worker: Int) -> Int { table4(ofWorker: worker) + size4 }
    /// Where a worker's table of fragments begins.
    public func fragments(ofWorker worker: Int) -> Int { table6(ofWorker: worker) + size6 }
    /// Bytes of the file.
    public var byteCount: Int { 256 + workers * size }
    /// The header of the file.
    public func header(pair: Int) -> MemoryHeader {
        MemoryHeader(.flows, byteCount: byteCount, geometry: UInt64(workers) << 48 | UInt64(capacity), pair: pair)
    }

    private var size: Int { size4 + size6 + FragmentTable.byteCount }
    private var size4: Int { (FlowTable<FlowKey4>.byteCount(capacity: capacity) + 63) & ~63 }
    private var size6: Int { (FlowTable<FlowKey6>.byteCount(capacity: capacity) + 63) & ~63 }
}

/// Where things lie in the counters' file: the header, then `WorkerCounters` for each of all workers.
public enum CountersLayout {
    /// Where a worker's counters begin.
    public static func worker(_ number: Int) -> Int { MemoryHeader.size + number * stride }
    /// Bytes of the file.
    public static var byteCount: Int { worker(Plan.maximumWorkers) }
    /// The header of the file.
    public static var header: MemoryHeader { MemoryHeader(.counters, byteCount: byteCount, geometry: UInt64(stride)) }

    private static var stride: Int { (MemoryLayout<WorkerCounters>.stride + 63) & ~63 }
}

/// Where things lie in the events' file: the header, then an event ring for each worker.
public struct EventsLayout: Sendable, Equatable {
    /// Workers of all pairs.
    public let workers: Int

    /// The layout for a completed plan.
    public init(_ plan: Plan) { workers = plan.workers }

    /// Where a worker's ring begins.
    public func ring(ofWorker worker: Int) -> Int { MemoryHeader.size + worker * size }
    /// Bytes of the file.
    public var byteCount: Int { ring(ofWorker: workers) }
    /// The header of the file.
    public var header: MemoryHeader {
        MemoryHeader(.events, byteCount: byteCount, geometry: UInt64(workers) << 32 | UInt64(Plan.eventCapacity))
    }

    private var size: Int { EventRingLayout.byteCount(capacity: Plan.eventCapacity) }
}
