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
    private let counterMemory: PlainMemory
    private var events: EventConsumer
    private let eventMemory: PlainMemory
    private let tables: [PlainMemory]

    init(_ shape: PairShape, queue: Int, umem: PlainMemory, free: PlainMemory, handOffs: PlainMemory, ports: [PortBench]) throws {
        self.ports = ports
        counterMemory = PlainMemory(byteCount: MemoryLayout<WorkerCounters>.size)
        eventMemory = PlainMemory(byteCount: EventRingLayout.byteCount(capacity: shape.events))
        unsafe events = EventConsumer(base: eventMemory.base, capacity: shape.events)
        let memory4 = PlainMemory(byteCount: FlowTable<FlowKey4>.byteCount(capacity: shape.flows))
        let memory6 = PlainMemory(byteCount: FlowTable<FlowKey6>.byteCount(capacity: shape.flows))
        unsafe FlowTable<FlowKey4>.format(base: memory4.base, capacity: shape.flows)
        unsafe FlowTable<FlowKey6>.format(base: memory6.base, capacity: shape.flows)
        tables = [memory4, memory6]
        guard let flows4 = unsafe FlowTable<FlowKey4>(base: memory4.base, capacity: shape.flows, secret: shape.secret),
            let flows6 = unsafe FlowTable<FlowKey6>(base: memory6.base, capacity: shape.flows, secret: shape.secret)
        else { throw BenchError.noTable }
        let queues = InlineArray<2, PortQueue> { ports[$0].queue(maximumFrame: shape.maximumFrame, socket: shape.sockets[$0]) }
        lane = unsafe Lane(
            pair: shape.pair, queue: UInt8(queue), ownerByHash: shape.workers > 1, ports: queues,
            umem: UMEM(frames: umem.base, frameSize: 2048, framesPerWorker: shape.frames, workers: shape.workers),
            free: FreeList(base: free.base, capacity: shape.frames * shape.workers),
            handOffs: HandOffTable(base: handOffs.base, workers: shape.workers, capacity: shape.handOffs), flows4: flows4,
            flows6: flows6, flowCapacity: shape.flows,
            counters: counterMemory.base.assumingMemoryBound(to: WorkerCounters.self),
            events: EventProducer(base: eventMemory.base, capacity: shape.events))
        lane.free.refill(worker: queue, framesPerWorker: shape.frames, frameSize: 2048)
    }

    var counters: WorkerCounters { unsafe counterMemory.base.load(as: WorkerCounters.self) }

    /// For code that writes the counters beside the lane.
    var countersInPlace: UnsafeMutablePointer<WorkerCounters> {
        unsafe counterMemory.base.assumingMemoryBound(to: WorkerCounters.self)
    }

    /// Frames on the worker's free list.
    var freeCount: UInt64 { lane.free.count }

    /// Whether nothing waits for the worker.
    var isQuiet: Bool { lane.isQuietNow() }

    /// The epoch by which the first flow over IPv4 was judged last.
    var epochOfFirstFlow: UInt32 { lane.flows4[0].epoch }

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

    /// What is wrong with the accounting between two turns; `nil` when nothing is.
    var accountingFault: String? {
        for port in 0..<2 {
            let queue = counters.ports[port]
            if queue.received != queue.forwarded + queue.droppedInAll + queue.held {
                return "port \(port): \(queue.received) received, \(queue.forwarded) forwarded, \(queue.droppedInAll) dropped"
            }
        }
        return nil
    }

    /// What is wrong with the flow tables, or with memory beside anything that the lane may write; `nil` when nothing is.
    var memoryFault: String? {
        if let damage = lane.flows4.check() { return "IPv4 flows: \(damage)" }
        if let damage = lane.flows6.check() { return "IPv6 flows: \(damage)" }
        let all = [counterMemory, eventMemory] + tables + ports.map(\.memory)
        return all.allSatisfy(\.isMarginIntact) ? nil : "something was written beside its memory"
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
    var secret: HashSecret = {
        var random = PacketRandom(seed: 42)
        return HashSecret { _ in random.next() }
    }()
}
