// SPDX-License-Identifier: Apache-2.0
public import Classifier
public import Flow
public import Net
public import Record
public import Ring

/// Everything that one worker owns: its queue of both ports, its part of the flow tables, its counters, its event ring, its free
/// frames, its rings towards the other workers of the pair. A struct on the worker's own stack, passed `inout`: nobody else can
/// reach it, and nothing in it is counted or locked. The memory behind it belongs to files that outlive the worker.
@safe public struct Lane: ~Copyable {
    /// Frames handled in one turn and port.
    @inlinable public static var burstSize: UInt32 { @_noLocks get { 64 } }
    /// Answers to rejected frames that a worker sends in a second at most, and at once.
    static var repliesPerSecond: UInt32 { 200 }

    /// The port pair's number.
    public let pair: UInt8
    /// The worker's number in its pair, which is the number of its queue.
    public let queue: UInt8
    /// Whether a hash names the owner of a flow, so that frames cross between workers.
    @usableFromInline let ownerByHash: Bool
    /// Both ports.
    public var ports: InlineArray<2, PortQueue>
    /// The packet memory.
    public let umem: UMEM
    /// Frames that are nowhere else.
    public var free: FreeList
    /// The rings between the workers of the pair.
    @usableFromInline let handOffs: HandOffTable
    /// Flows over IPv4 that this worker owns.
    public var flows4: FlowTable<FlowKey4>
    /// Flows over IPv6 that this worker owns.
    public var flows6: FlowTable<FlowKey6>
    /// Flows of both families together that the worker may keep.
    @usableFromInline let flowCapacity: Int
    /// The counters, in shared memory.
    @usableFromInline let counters: UnsafeMutablePointer<WorkerCounters>
    /// What writes the flows' events.
    var reporter: Reporter
    /// Workers that were handed a frame in this turn, one bit each, so that the engine wakes those that sleep.
    public var handedTo: UInt32 = 0
    /// What is known of the frames in hand.
    var burst = BurstNotes()
    /// Group frames that each port may still bring in.
    var storms: InlineArray<2, StormBudget> = .init(repeating: StormBudget())
    /// Answers to rejected frames that may still be sent.
    var replies = ReplyBudget(perSecond: Lane.repliesPerSecond, burst: Lane.repliesPerSecond)

    /// A worker's belongings, put together by the engine over mapped memory.
    @unsafe public init(
        pair: UInt8, queue: UInt8, ownerByHash: Bool, ports: consuming InlineArray<2, PortQueue>, umem: UMEM,
        free: consuming FreeList, handOffs: HandOffTable, flows4: consuming FlowTable<FlowKey4>,
        flows6: consuming FlowTable<FlowKey6>, flowCapacity: Int, counters: UnsafeMutablePointer<WorkerCounters>,
        events: consuming EventProducer
    ) {
        self.pair = pair
        self.queue = queue
        self.ownerByHash = ownerByHash
        self.ports = ports
        self.umem = umem
        self.free = free
        self.handOffs = handOffs
        self.flows4 = flows4
        self.flows6 = flows6
        self.flowCapacity = flowCapacity
        unsafe self.counters = unsafe counters
        unsafe reporter = Reporter(pair: pair, queue: queue, events: events, counters: counters)
    }
}

/// What a burst's stages tell each other about the frames in hand: fixed size, the worker's own.
struct BurstNotes: ~Copyable {
    /// The frames, in the order in which they came; `options` is the port they came in by.
    var descriptors = Column(repeating: Descriptor(address: 0, length: 0))
    /// What Wire learned.
    var readings = Column(repeating: Reading())
    /// Why Wire could not read, else `nil`.
    var reasons = Column<DropReason?>(repeating: nil)
    /// Hash of the flow key, for packets.
    var hashes = Column<UInt64>(repeating: 0)
    /// The verdict on the frame that was judged last.
    var verdict = Verdict.hold
    /// Entry that the hash's bucket suggests, or none.
    var candidates = Column<UInt32>(repeating: .max)
}

/// The policy that a turn judges by: one snapshot and the address map that goes with it, unchanged from the turn's begin to its end.
@safe public struct PolicyInForce: Sendable {
    /// The snapshot.
    public let snapshot: Snapshot
    /// The address map, which may be written meanwhile.
    public let map: AddressMap

    /// A policy. The memory of both outlives every turn that uses it.
    public init(snapshot: Snapshot, map: AddressMap) {
        self.snapshot = snapshot
        self.map = map
    }
}
