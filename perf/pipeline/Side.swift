// SPDX-License-Identifier: Apache-2.0
import CReference
import Classifier
import Datapath
import Flow
import Glibc
import Measure
import Net
import Record
import Ring
import Synchronization

/// A worker that is measured: Bulkhead's, or the reference in C.
protocol Side: AnyObject {
    /// The rings of both ports.
    var rings: [PortRings] { get }
    /// One turn; how many frames it handled.
    func turn(at now: Moment) -> UInt32
    /// Frames forwarded so far.
    var forwarded: UInt64 { get }
    /// The reasons of all drops so far, for messages.
    var reasons: String { get }
    /// What is done beside the clock between two chunks.
    func tidy()
}

/// How long one measured piece is. Between two pieces the kernel's side of the rings is played, beside the clock.
let chunk = 2_048

extension Side {
    /// Lets frames of the stream pass, half of them by each port, and says how long one took: the mean over the middle half of the
    /// pieces, because a machine that others use too takes the processor away now and then. `count` is a multiple of `chunk`.
    func pass(_ stream: Stream, from first: Int = 0, count: Int = Stream.count, at now: Moment) -> Double {
        pass(stream, from: first, count: count, keeping: 0.5) { now }
    }

    /// The same in time that goes by between pieces, with the mean over another share of them.
    func pass(
        _ stream: Stream, from first: Int = 0, count: Int = Stream.count, keeping share: Double, at now: () -> Moment
    ) -> Double {
        var times: [UInt64] = []
        times.reserveCapacity(count / chunk)
        for start in stride(from: first, to: first + count, by: chunk) {
            for port in 0..<2 { rings[port].receive(stream, from: start + port, to: start + chunk) }
            times.append(run(chunk, at: now()))
        }
        times.sort()
        let cut = Int(Double(times.count) * (1 - share) / 2)
        let middle = times[cut..<max(times.count - cut, cut + 1)]
        return Double(middle.reduce(0, +)) / Double(middle.count * chunk)
    }

    /// Lets frames pass that wait in the rings.
    @discardableResult
    func run(_ count: Int, at now: Moment) -> UInt64 {
        for port in rings { port.settle() }
        var handled = 0
        let began = nanoseconds(CLOCK_MONOTONIC)
        while handled < count { handled += Int(turn(at: now)) }
        let time = nanoseconds(CLOCK_MONOTONIC) - began
        tidy()
        return time
    }
}

/// Bulkhead's worker: a lane over plain memory.
@safe final class Worker: Side {
    /// Hardware addresses that no frame has.
    static let cards = [MACAddress(bits: 0x02bb_0000_0000), MACAddress(bits: 0x02bb_0000_0001)]

    let rings = [PortRings(), PortRings()]
    let capacity: Int
    /// The family whose table has the capacity; the other one's has room for one flow.
    let isIPv4: Bool
    let flows4, flows6: Pages
    var policy: PolicyInForce
    private(set) var lane: Lane
    private let parts: WorkerParts
    private var events: EventConsumer
    /// Whether somebody else reads its records.
    var isDrainedElsewhere = false

    /// A worker over the frames of a stream, with tables of a capacity for one family, and with captures where somebody may order some.
    init(
        _ stream: Stream, _ policy: PolicyInForce, capacity: Int, isIPv4: Bool, huge: Bool, capture: CaptureSide? = nil
    ) throws {
        self.capacity = capacity
        self.policy = policy
        flows4 = Pages(count: FlowTable<FlowKey4>.byteCount(capacity: isIPv4 ? capacity : 1), huge: huge)
        flows6 = Pages(count: FlowTable<FlowKey6>.byteCount(capacity: isIPv4 ? 1 : capacity), huge: huge)
        parts = WorkerParts(stream, capture)
        unsafe events = EventConsumer(base: parts.events.base, capacity: WorkerParts.eventCapacity)
        lane = try parts.lane(flows4, isIPv4 ? capacity : 1, flows6, isIPv4 ? 1 : capacity, rings)
        self.isIPv4 = isIPv4
    }

    /// Empties the tables.
    func restart() throws {
        lane = try parts.lane(flows4, isIPv4 ? capacity : 1, flows6, isIPv4 ? 1 : capacity, rings)
    }

    func turn(at now: Moment) -> UInt32 { lane.turn(by: policy, at: now) }
    var counters: WorkerCounters { unsafe parts.counters.base.load(as: WorkerCounters.self) }
    var forwarded: UInt64 { counters.ports[0].forwarded + counters.ports[1].forwarded }

    /// Frames dropped for a reason.
    func dropped(_ reason: DropReason) -> UInt64 {
        counters.ports[0].dropped[Int(reason.number)] + counters.ports[1].dropped[Int(reason.number)]
    }

    var reasons: String {
        DropReason.allCases.filter { dropped($0) > 0 }.map { "\($0): \(dropped($0))" }.joined(separator: ", ")
    }

    /// The other end of the event ring reads along, so that no record is lost.
    func tidy() {
        guard !isDrainedElsewhere else { return }
        while events.drain(limit: 4_096, { _ in }) > 0 {}
    }

    /// The other end of the event ring, for whoever reads it instead.
    func consumer() -> EventConsumer { unsafe EventConsumer(base: parts.events.base, capacity: WorkerParts.eventCapacity) }

    /// Opens connections of the measured traffic by their handshakes, `count` from the first on.
    func establish(_ stream: Stream, _ count: Int, isIPv4: Bool, at now: Moment) throws {
        try establish(stream, count, at: now) { Connection($0, isIPv4: isIPv4) }
    }

    /// Opens connections by their handshakes.
    func establish(_ stream: Stream, _ count: Int, at now: Moment, _ connection: (Int) -> Connection) throws {
        // Not more at once than may be half open.
        let step = max(1, min(1_024, count / 8))
        for first in stride(from: 0, to: count, by: step) {
            let numbers = first..<min(first + step, count)
            for phase in 0..<3 {
                for number in numbers {
                    let connection = connection(number)
                    let place = Stream.count + number - first
                    stream.write(connection.handshake(phase), at: place)
                    rings[phase == 1 ? 1 - connection.port : connection.port].receive(stream.descriptor(place))
                }
                run(numbers.count, at: now)
            }
        }
        guard forwarded == UInt64(3 * count) else { throw Trouble.otherFate("handshakes: \(forwarded) forwarded, \(reasons)") }
    }
}

/// A measurement that cannot be made.
enum Trouble: Error {
    /// Frames that did not fare as the case means it.
    case otherFate(String)
    case noTable, noMemory
    case noLibrary(String)
}

/// The memory behind a worker's lane.
@safe final class WorkerParts {
    static let eventCapacity = 8_192
    static let freeCapacity = 1 << 16
    static let secret: HashSecret = {
        var random = Seeded(42)
        return HashSecret { _ in random.next() }
    }()

    let counters = Pages(count: MemoryLayout<WorkerCounters>.size, huge: false)
    let events = Pages(count: EventRingLayout.byteCount(capacity: WorkerParts.eventCapacity), huge: false)
    let free = Pages(count: FreeList.byteCount(capacity: WorkerParts.freeCapacity), huge: false)
    let handOffs = Pages(count: HandOffTable.byteCount(workers: 1, capacity: 64), huge: false)
    let fragments = Pages(count: FragmentTable.byteCount, huge: false)
    private let stream: Stream
    private let capture: CaptureSide?

    init(_ stream: Stream, _ capture: CaptureSide?) {
        self.stream = stream
        self.capture = capture
    }

    /// A lane with empty tables.
    func lane(_ flows4: Pages, _ capacity4: Int, _ flows6: Pages, _ capacity6: Int, _ rings: [PortRings]) throws -> Lane {
        unsafe FlowTable<FlowKey4>.format(base: flows4.base, capacity: capacity4)
        unsafe FlowTable<FlowKey6>.format(base: flows6.base, capacity: capacity6)
        unsafe FragmentTable.format(base: fragments.base)
        guard let v4 = unsafe FlowTable<FlowKey4>(base: flows4.base, capacity: capacity4, secret: Self.secret),
            let v6 = unsafe FlowTable<FlowKey6>(base: flows6.base, capacity: capacity6, secret: Self.secret),
            let datagrams = unsafe FragmentTable(base: fragments.base, frames: Stream.spare, secret: Self.secret)
        else { throw Trouble.noTable }
        let ports = InlineArray<2, PortQueue> { number in
            unsafe PortQueue(
                rings: SocketRings(base: rings[number].memory.base, size: PortRings.size), socket: -1, maximumFrame: 1_522,
                hardwareAddress: Worker.cards[number],
                linkWord: UnsafePointer(rings[number].link.assumingMemoryBound(to: Atomic<UInt32>.self)))
        }
        return unsafe Lane(
            pair: 0, queue: 0, ownerByHash: false, ports: ports,
            umem: UMEM(
                frames: stream.memory.base, frameSize: Stream.frameSize, framesPerWorker: Stream.count + Stream.spare, workers: 1),
            free: FreeList(base: free.base, capacity: Self.freeCapacity),
            handOffs: HandOffTable(base: handOffs.base, workers: 1, capacity: 64), flows: FlowTables(v4: v4, v6: v6, pair: 0),
            flowCapacity: max(capacity4, capacity6), fragments: datagrams,
            counters: counters.base.assumingMemoryBound(to: WorkerCounters.self),
            events: EventProducer(base: events.base, capacity: Self.eventCapacity), capture: capture?.tap() ?? CaptureTap())
    }
}

/// The reference over copies of a worker's tables, and rings of its own.
@safe final class Reference: Side {
    let rings = [PortRings(), PortRings()]
    private let flows4, flows6: Pages
    private let free = Pages(count: FreeList.byteCount(capacity: WorkerParts.freeCapacity), huge: false)
    private let epoch = Pages(count: 64, huge: false)
    private let handle: OpaquePointer

    /// A reference over the frames of a stream. Where it `refuses`, a datagram of no flow is refused as by a policy that allows nothing.
    init(_ stream: Stream, like worker: Worker, isIPv4: Bool, huge: Bool, refuses: Bool = false) throws {
        flows4 = Self.copy(worker.flows4, huge: huge)
        flows6 = Self.copy(worker.flows6, huge: huge)
        var parts = unsafe reference_parts()
        unsafe parts.ports = (Self.port(rings[0], Worker.cards[0]), Self.port(rings[1], Worker.cards[1]))
        unsafe parts.frames = stream.memory.base.assumingMemoryBound(to: UInt8.self)
        unsafe parts.frames_size = UInt64((Stream.count + Stream.spare) * Stream.frameSize)
        unsafe parts.frame_size = UInt64(Stream.frameSize)
        unsafe parts.free = free.base.assumingMemoryBound(to: UInt64.self)
        unsafe parts.free_capacity = UInt64(WorkerParts.freeCapacity)
        unsafe parts.v4 = Self.table(FlowTableLayout<FlowKey4>(capacity: isIPv4 ? worker.capacity : 1), flows4)
        unsafe parts.v6 = Self.table(FlowTableLayout<FlowKey6>(capacity: isIPv4 ? 1 : worker.capacity), flows6)
        unsafe parts.generation = worker.policy.snapshot.generation
        unsafe epoch.base.storeBytes(of: worker.policy.map.epoch, as: UInt32.self)
        unsafe parts.epoch = UnsafePointer(epoch.base.assumingMemoryBound(to: UInt32.self))
        unsafe parts.verifies_checksums = worker.policy.snapshot.flowSettings.verifiesChecksums != 0
        unsafe parts.refuses_flows = refuses
        let secret = WorkerParts.secret
        let made = unsafe withUnsafeBytes(of: secret) { bytes in
            unsafe parts.secret = bytes.baseAddress?.assumingMemoryBound(to: UInt64.self)
            return unsafe reference_create(&parts)
        }
        guard let made = unsafe made else { throw Trouble.noMemory }
        unsafe handle = made
    }

    deinit { unsafe reference_destroy(handle) }

    /// Finds flows by another index from here on.
    func use(_ lookup: reference_lookup, _ table: UnsafeMutableRawPointer) { unsafe reference_use(handle, lookup, table) }

    func turn(at now: Moment) -> UInt32 { unsafe reference_turn(handle, now.wall, now.ticks) }
    var forwarded: UInt64 { unsafe reference_forwarded(handle) }
    /// Frames dropped, and those of them whose connection had been refused within a second.
    var dropped: UInt64 { unsafe reference_dropped(handle) }
    var refusedAgain: UInt64 { unsafe reference_refused_again(handle) }
    var reasons: String { "the reference dropped \(unsafe reference_dropped(handle))" }
    func tidy() {}

    private static func port(_ rings: PortRings, _ card: MACAddress) -> reference_port {
        var port = unsafe reference_port_over(rings.memory.base, PortRings.size)
        unsafe (port.maximum_frame, port.own_address) = (1_522, card.bits)
        unsafe port.link = UnsafePointer(rings.link.assumingMemoryBound(to: UInt32.self))
        return unsafe port
    }

    private static func copy(_ pages: Pages, huge: Bool) -> Pages {
        let copy = Pages(count: pages.count, huge: huge)
        unsafe copy.base.copyMemory(from: pages.base, byteCount: pages.count)
        return copy
    }

    private static func table<Key>(_ layout: FlowTableLayout<Key>, _ pages: Pages) -> reference_table {
        unsafe reference_table(
            base: pages.base, index: UInt64(layout.index), entries: UInt64(layout.entries), capacity: UInt32(layout.capacity),
            buckets: UInt32(layout.buckets))
    }
}
