// SPDX-License-Identifier: Apache-2.0
public import Classifier
public import Flow
internal import Net
public import Record
public import Ring
internal import Wire

/// Everything that one worker owns: its queue of both ports, its part of the flow tables, its counters, its event ring, its free
/// frames, its rings towards the other workers of the pair. A struct on the worker's own stack, passed `inout`: nobody else can
/// reach it, and nothing in it is counted or locked. The memory behind it belongs to files that outlive the worker.
@safe public struct Lane: ~Copyable {
    /// Frames handled in one turn and port.
    @inlinable public static var burstSize: UInt32 { @_noLocks get { 64 } }
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
    /// Flows that this worker owns.
    public var flows: FlowTables
    /// Datagrams of which not all fragments have come, and the frames that wait for the others.
    public var fragments: FragmentTable
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
    /// Connections that were refused a moment ago.
    var denials = DenialCache()
    /// What each source may still open.
    var sources: SourceLimits
    /// What the configuration in force says of connections.
    var settings = FlowSettings()
    /// The generation that `settings` came with; 0 before the first.
    var settingsGeneration: UInt32 = 0
    /// Since when connections are under way that the tables may not hold, in nanoseconds of the monotonic clock; 0 where none are.
    public private(set) var graceFrom: UInt64 = 0
    /// Answers to rejected frames that may still be sent.
    var replies = ReplyBudget(perSecond: 0, burst: 0)
    /// ICMP errors that may still pass.
    var errors = ReplyBudget(perSecond: 0, burst: 0)
    /// What SCTP's checksums are worked out by.
    let cyclic = CRC32C.shared
    /// The rounds in which flows are judged again that send nothing.
    var rounds = Sweep()
    /// The rounds in which live flows are told of.
    var intervals = Intervals()
    /// Who may be answered after asking a group, of all workers of the pair.
    let expected: ExpectedReplies
    /// What copies frames while a capture is ordered.
    var capture: CaptureTap

    /// A worker's belongings, put together by the engine over mapped memory. `expected` is what the workers of the pair share; a
    /// worker that is alone needs none; `capture` is what control asks by, and where nobody asks none is needed.
    @unsafe public init(
        pair: UInt8, queue: UInt8, ownerByHash: Bool, ports: consuming InlineArray<2, PortQueue>, umem: UMEM,
        free: consuming FreeList, handOffs: HandOffTable, flows: consuming FlowTables, flowCapacity: Int,
        fragments: consuming FragmentTable, counters: UnsafeMutablePointer<WorkerCounters>, events: consuming EventProducer,
        expected: ExpectedReplies? = nil, capture: consuming CaptureTap = CaptureTap()
    ) {
        self.pair = pair
        self.queue = queue
        self.ownerByHash = ownerByHash
        self.ports = ports
        self.umem = umem
        self.free = free
        self.handOffs = handOffs
        self.flows = flows
        self.flowCapacity = flowCapacity
        sources = SourceLimits(secret: self.flows.secret)
        self.fragments = fragments
        unsafe self.counters = unsafe counters
        self.expected = expected ?? ExpectedReplies(workers: 1)
        self.capture = capture
        unsafe reporter = Reporter(
            pair: pair, queue: queue, secret: self.flows.secret[0], events: events, counters: counters)
    }
}

extension Lane {
    /// Takes over what a new generation says of connections.
    @_noLocks
    mutating func adopt(_ policy: borrowing PolicyInForce) {
        guard policy.snapshot.generation != settingsGeneration else { return }
        settingsGeneration = policy.snapshot.generation
        let latest = policy.snapshot.flowSettings
        // Budgets start anew only where they change: a reload must not refill them.
        if latest.repliesPerSecond != replies.perSecond {
            replies = ReplyBudget(perSecond: latest.repliesPerSecond, burst: latest.repliesPerSecond)
        }
        if latest.errorsPerSecond != errors.perSecond {
            errors = ReplyBudget(perSecond: latest.errorsPerSecond, burst: latest.errorsPerSecond)
        }
        settings = latest
        flows.settings = latest
        grantGrace()
    }

    /// From `nanoseconds` of the monotonic clock on, connections are under way that the tables may not hold; 0 for none. To be said
    /// before the first turn, and whenever frames have passed unjudged.
    @_noLocks
    public mutating func oweGrace(from nanoseconds: UInt64) {
        guard graceFrom != nanoseconds else { return }
        graceFrom = nanoseconds
        // Before the first generation nobody knows for how long.
        if settingsGeneration != 0 { grantGrace() }
    }

    @_noLocks
    private mutating func grantGrace() {
        let isGranted = graceFrom != 0 && settings.pickUp != FlowSettings.PickUp.never.rawValue
        flows.graceUntil = isGranted ? graceFrom &+ UInt64(settings.graceSeconds) &* 1_000_000_000 : 0
        unsafe counters.pointee.graceUntil = flows.graceUntil
    }
}

/// What a burst's stages tell each other about the frames in hand: fixed size, the worker's own.
struct BurstNotes: ~Copyable {
    /// What each stage needs of a frame.
    var notes = Column(repeating: FrameNote())
    /// What Wire learned.
    var readings = Column(repeating: Reading())
    /// What the first fragment of its datagram said; only of resolved ones.
    var facts = Column(repeating: FragmentFacts())
    /// Of a frame that may open a flow, what policy is asked.
    var questions = Column(repeating: Question())
    /// Which frames ask policy, by their places in the burst.
    var openers = Column<UInt8>(repeating: 0)
    /// Flows that the tables had ever taken in, and refusals that had ever been displaced, when the burst's refusals were looked up.
    var changesBefore: UInt64 = 0
    /// The refusals among these.
    var displacedBefore: UInt64 = 0
    /// Whether the workers that received the frames have verified the checksum of each.
    var areVerified = false
    /// Whether all of the frames came in by one port.
    var isOfOnePort = false
    /// Whether the frames that were received last are longer than `shortFrame` on the average.
    var areLong = false
    /// The verdict on the frame that was judged last.
    var verdict = Verdict.hold
    /// That of the last frame that came in, while frames that were held are judged.
    var verdictOfReceived = Verdict.hold
    /// Whether frames that were held are judged now.
    var isReleasing = false

    /// Bytes of a frame that has few lines.
    static var shortFrame: UInt64 { @_noLocks get { 256 } }

    @_noLocks func isResolved(_ index: Int) -> Bool { notes[index].steps & FrameNote.resolved != 0 }
    @_noLocks func isAsked(_ index: Int) -> Bool { notes[index].steps & FrameNote.asked != 0 }
    @_noLocks func isPlain(_ index: Int) -> Bool { notes[index].steps & FrameNote.plain != 0 }
    @_noLocks func isInTunnel(_ index: Int) -> Bool { notes[index].steps & FrameNote.inTunnel != 0 }
}

/// The policy that a turn judges by: one snapshot and the address map that goes with it, unchanged from the turn's begin to its
/// end.
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
