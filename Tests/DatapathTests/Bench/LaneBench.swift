// SPDX-License-Identifier: Apache-2.0
import Datapath
import Flow
import Net
import Record
import Ring
import TestSupport

/// A worker of a `PairBench`: its lane, the kernel's side of both ports, and the other ends of its counters and events.
@safe final class LaneBench {
    let ports: [PortBench]
    var lane: Lane
    private let parts: LaneParts
    /// Control's side of captures, where the bench has one.
    var capture: CaptureBench? { parts.capture }
    private var events: EventConsumer

    init(_ parts: LaneParts) throws {
        self.parts = parts
        ports = parts.ports
        unsafe events = EventConsumer(base: parts.events.base, capacity: parts.shape.events)
        lane = try parts.lane()
        lane.free.refill(worker: parts.queue, framesPerWorker: parts.shape.frames, frameSize: 2048)
    }

    /// Another lane over the same memory, as another process makes it that goes on. The one before is not to be used any more.
    func successor() throws -> Lane { try parts.lane() }

    /// Lets such a lane take the place of this one.
    func handOver() throws { lane = try successor() }

    var counters: WorkerCounters { unsafe parts.counters.base.load(as: WorkerCounters.self) }

    /// For code that writes the counters beside the lane.
    var countersInPlace: UnsafeMutablePointer<WorkerCounters> {
        unsafe parts.counters.base.assumingMemoryBound(to: WorkerCounters.self)
    }

    /// Frames on the worker's free list.
    var freeCount: UInt64 { lane.free.count }

    /// Datagrams of which the worker knows that fragments are missing.
    var datagrams: Int { lane.fragments.used }

    /// Whether nothing waits for the worker.
    var isQuiet: Bool { lane.isQuietNow() }

    /// The epoch by which the first flow over IPv4 was judged last.
    var epochOfFirstFlow: UInt32 { lane.flows.v4[0].epoch }

    /// The first flow over IPv4.
    var firstFlow: FlowEntry { lane.flows.v4[0] }

    /// Drops what waits, as after a pause.
    @discardableResult
    func dropStale() -> UInt32 { lane.dropStale() }

    /// Takes back what waits to be sent by a port.
    @discardableResult
    func withdraw(_ port: Int) -> UInt32 { lane.withdraw(port) }

    /// The frames dropped for a reason, by both ports.
    func dropped(_ reason: DropReason) -> UInt64 {
        counters.ports[0].dropped[Int(reason.number)] + counters.ports[1].dropped[Int(reason.number)]
    }

    /// What the lane has reported since the last call.
    func takeEvents() -> [FlowRecord] {
        var records: [FlowRecord] = []
        while events.drain(limit: 1024, { records.append($0) }) > 0 {}
        return records
    }

    /// Records that the ring says were lost.
    var lostRecords: UInt64 { events.lost }

    /// What is wrong with the accounting between two turns; `nil` when nothing is.
    var accountingFault: String? {
        for port in 0..<2 {
            let queue = counters.ports[port]
            if queue.received != queue.forwarded + queue.droppedInAll + queue.held {
                return """
                    port \(port): \(queue.received) received, \(queue.forwarded) forwarded, \(queue.droppedInAll) dropped, \
                    \(queue.held) held
                    """
            }
        }
        let held = counters.ports[0].held + counters.ports[1].held
        return held == lane.fragments.heldCount ? nil : "\(held) are counted as held, and \(lane.fragments.heldCount) are"
    }

    /// What is wrong with the flow tables, or with memory beside anything that the lane may write; `nil` when nothing is.
    var memoryFault: String? {
        if let damage = lane.flows.v4.check() { return "IPv4 flows: \(damage)" }
        if let damage = lane.flows.v6.check() { return "IPv6 flows: \(damage)" }
        let all = [parts.counters, parts.events, parts.flows4, parts.flows6, parts.fragments] + ports.map(\.memory)
        let isIntact = all.allSatisfy(\.isMarginIntact) && capture?.isMarginIntact ?? true
        return isIntact ? nil : "something was written beside its memory"
    }
}

/// The memory behind a lane.
@safe final class LaneParts {
    let shape: PairShape
    let queue: Int
    let ports: [PortBench]
    let counters = PlainMemory(byteCount: MemoryLayout<WorkerCounters>.size)
    let events: PlainMemory
    let flows4: PlainMemory
    let flows6: PlainMemory
    let fragments = PlainMemory(byteCount: FragmentTable.byteCount)
    private let umem: PlainMemory
    private let free: PlainMemory
    private let handOffs: PlainMemory

    private let expected: ExpectedReplies
    let capture = CaptureBench.slots > 0 ? CaptureBench(slots: CaptureBench.slots) : nil

    init(
        _ shape: PairShape, queue: Int, umem: PlainMemory, free: PlainMemory, handOffs: PlainMemory,
        expected: ExpectedReplies = ExpectedReplies(workers: 1)
    ) {
        self.expected = expected
        self.shape = shape
        self.queue = queue
        (self.umem, self.free, self.handOffs) = (umem, free, handOffs)
        ports = (0..<2).map { _ in PortBench(size: shape.ringSize, frames: umem) }
        events = PlainMemory(byteCount: EventRingLayout.byteCount(capacity: shape.events))
        flows4 = PlainMemory(byteCount: FlowTable<FlowKey4>.byteCount(capacity: shape.flows))
        flows6 = PlainMemory(byteCount: FlowTable<FlowKey6>.byteCount(capacity: shape.flows))
        unsafe FlowTable<FlowKey4>.format(base: flows4.base, capacity: shape.flows)
        unsafe FlowTable<FlowKey6>.format(base: flows6.base, capacity: shape.flows)
        unsafe FragmentTable.format(base: fragments.base)
    }

    /// A lane over the memory as it is.
    func lane() throws -> Lane {
        guard let table4 = unsafe FlowTable<FlowKey4>(base: flows4.base, capacity: shape.flows, secret: shape.secret),
            let table6 = unsafe FlowTable<FlowKey6>(base: flows6.base, capacity: shape.flows, secret: shape.secret),
            let fragments = unsafe FragmentTable(base: fragments.base, frames: shape.frames, secret: shape.secret)
        else { throw BenchError.noTable }
        let queues = InlineArray<2, PortQueue> {
            ports[$0].queue(
                maximumFrame: shape.maximumFrame, socket: shape.sockets[$0], hardwareAddress: shape.hardwareAddresses[$0])
        }
        return unsafe Lane(
            pair: shape.pair, queue: UInt8(queue), ownerByHash: shape.workers > 1, ports: queues,
            umem: UMEM(frames: umem.base, frameSize: 2048, framesPerWorker: shape.frames, workers: shape.workers),
            free: FreeList(base: free.base, capacity: shape.frames * shape.workers),
            handOffs: HandOffTable(base: handOffs.base, workers: shape.workers, capacity: shape.handOffs),
            flows: FlowTables(v4: table4, v6: table6, pair: shape.pair), flowCapacity: shape.flows,
            fragments: fragments,
            counters: counters.base.assumingMemoryBound(to: WorkerCounters.self),
            events: EventProducer(base: events.base, capacity: shape.events), expected: expected,
            capture: capture?.tap() ?? CaptureTap())
    }
}

/// A bench that could not be set up.
enum BenchError: Error { case noTable, noFreeFrame }

/// How large a bench is.
struct PairShape {
    var pair: UInt8 = 0
    var workers = 1
    /// Frames and flows of each worker.
    var frames = 512
    var flows = 256
    var ringSize: UInt32 = 128
    var handOffs = 64
    var events = 4096
    var maximumFrame: UInt32 = 1522
    var sockets: [Int32] = [-1, -1]
    var hardwareAddresses: [MACAddress] = ["02:bb:00:00:00:00", "02:bb:00:00:00:01"]
    var secret: HashSecret = {
        var random = PacketRandom(seed: 42)
        return HashSecret { _ in random.next() }
    }()
}
