// SPDX-License-Identifier: Apache-2.0
internal import CXDP
internal import Classifier
public import Datapath
internal import Glibc
public import Layout
internal import Net
internal import Ring
internal import Synchronization

/// Snapshot publication: how all workers of a process change from one policy to the next without a lock, and how the old one is
/// retired without a worker that still reads it.
///
/// The cell holds a pointer to the policy in force. A worker raises its `turn` word to an odd number before it loads the pointer
/// and to an even one when it has put it away, once a burst. The publisher (data's main thread, the only one) exchanges the
/// pointer first and looks at the turn words afterwards: a worker whose word is even, or has changed since, has left what it had.
/// A sleeping worker has an even word and so counts as having left. Store and load of the two words must not pass each other on
/// either side (Dekker), so both sides are sequentially consistent: one such store a burst is what publication costs the hot path.
///
/// What breaks if this is violated: the memory of a snapshot is unmapped under a worker, which faults.
///
/// At most two generations live: the publisher waits for the old one to be left before it returns. RCU by quiescent states:
/// McKenney and Slingwine, "Read-copy update", 1998.
@safe public final class PolicyCell: @unchecked Sendable {
    /// A mapped snapshot with its address map, kept until it is retired.
    @safe final class Holding {
        let snapshot: SharedMemory
        let map: SharedMemory
        let policy: UnsafeMutablePointer<PolicyInForce>
        let generation: UInt32

        init(snapshot: SharedMemory, map: SharedMemory, policy: PolicyInForce) {
            self.snapshot = snapshot
            self.map = map
            generation = policy.snapshot.generation
            unsafe self.policy = .allocate(capacity: 1)
            unsafe self.policy.initialize(to: policy)
        }

        deinit { unsafe policy.deallocate() }
    }

    private let word: UnsafeMutablePointer<Atomic<UInt>>
    private var holding: Holding?

    /// An empty cell: workers that look into it find no policy and touch no frame.
    public init() {
        unsafe word = .allocate(capacity: 1)
        unsafe word.initialize(to: Atomic<UInt>(0))
    }

    deinit { unsafe word.deallocate() }

    /// The generation in force, 0 before the first.
    public var generation: UInt32 { holding?.generation ?? 0 }

    /// Descriptors of the snapshot and the address map in force, for a process that takes over.
    public var descriptors: [Int32] { holding.map { [$0.snapshot.descriptor, $0.map.descriptor] } ?? [] }

    /// The policy in force, valid until the caller's turn word is even again.
    @_noLocks public func load() -> UnsafePointer<PolicyInForce>? {
        unsafe UnsafePointer(bitPattern: word.pointee.load(ordering: .sequentiallyConsistent))
    }

    /// Maps and checks an image and an address map, puts them in force, and waits until each of `workers` has left the old ones. These
    /// are the ones that run: the word of a worker that was killed in its turn is odd until another takes its place. The descriptors are
    /// owned from now on. What was checked must stay so: the image is sealed against every change, the map, which control goes on
    /// writing, against becoming shorter.
    public func publish(snapshot image: Int32, map: Int32, workers: some Sequence<Int>, board: Board) throws {
        let mapMemory: SharedMemory
        let imageMemory: SharedMemory
        do {
            imageMemory = try SharedMemory(adopting: image, writable: false)
        } catch {
            close(map)
            throw error
        }
        mapMemory = try SharedMemory(adopting: map, writable: false)
        try expectSeals(imageMemory, Int32(CXDP_SEAL_SHRINK | CXDP_SEAL_WRITE), "a snapshot that can still be changed")
        try expectSeals(mapMemory, Int32(CXDP_SEAL_SHRINK), "an address map that can be cut short")
        let policy = PolicyInForce(
            snapshot: unsafe try Snapshot(validating: imageMemory.base, byteCount: imageMemory.byteCount),
            map: unsafe try AddressMap(validating: mapMemory.base, byteCount: mapMemory.byteCount))
        let next = Holding(snapshot: imageMemory, map: mapMemory, policy: policy)
        let old = holding
        holding = next
        unsafe word.pointee.store(UInt(bitPattern: next.policy), ordering: .sequentiallyConsistent)
        for worker in workers { waitUntilLeft(worker, board) }
        // The old one's memory goes here, with the last reference.
        _ = consume old
    }

    private func expectSeals(_ memory: SharedMemory, _ seals: Int32, _ what: String) throws(RingError) {
        let found = cxdp_memfd_seals(memory.descriptor)
        guard found >= 0, found & seals == seals else { throw .foreign(what) }
    }

    private func waitUntilLeft(_ worker: Int, _ board: Board) {
        let turn = unsafe board.word(.turn, ofWorker: worker)
        let seen = unsafe turn.pointee.load(ordering: .sequentiallyConsistent)
        guard seen & 1 == 1 else { return }
        while unsafe turn.pointee.load(ordering: .sequentiallyConsistent) == seen { usleep(50) }
    }
}
