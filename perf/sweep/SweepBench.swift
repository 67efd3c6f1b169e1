// SPDX-License-Identifier: Apache-2.0
import Classifier
import Datapath
import Flow
import Glibc
import Net
import Record
import Ring
import Synchronization
import TestSupport

/// A worker over plain memory whose kernel is the bench, an inventory of clients and servers, and flows between them.
@safe final class SweepBench {
    static let frames = 1024
    static let ringSize: UInt32 = 256
    static let events = 1 << 16

    let flowCount: Int
    let hosts: Int
    private let addresses: MappedAddresses
    private var policy: MappedPolicy
    private var lane: Lane
    private var kernels: [Kernel] = []
    private let umem = PlainMemory(byteCount: SweepBench.frames * 2048)
    private let counters = PlainMemory(byteCount: MemoryLayout<WorkerCounters>.size)
    private let parts: [PlainMemory]
    private var consumer: EventConsumer
    private var seconds: UInt64 = 0
    private var seen = 0

    /// The kernel's side of a port.
    private final class Kernel {
        var ends: KernelEnds
        init(_ ends: consuming KernelEnds) { self.ends = ends }
    }

    init(flows: Int, hosts: Int) throws {
        (flowCount, self.hosts) = (flows, hosts)
        addresses = try MappedAddresses(slots: AddressMapWriter.slots(forAddresses: hosts + 16))
        policy = try MappedPolicy(Self.policy(generation: 1, SmallPolicy.allowed))
        for host in 0..<hosts {
            try addresses.writer.claim(
                Address(v4: 0x0a00_0000 | UInt32(host)), labelSet: host < hosts / 2 ? 0 : 1, workload: UInt32(host))
        }
        // A few places more than the flows need, so that none has to move.
        let capacity = flows + flows / 16 + 64
        let rings = (0..<2).map { _ in PlainMemory(byteCount: SocketRings.byteCount(size: Self.ringSize)) }
        let link = PlainMemory(byteCount: 64)
        let free = PlainMemory(byteCount: FreeList.byteCount(capacity: Self.frames))
        let handOffs = PlainMemory(byteCount: HandOffTable.byteCount(workers: 1, capacity: 64))
        let ring = PlainMemory(byteCount: EventRingLayout.byteCount(capacity: Self.events))
        let flows4 = PlainMemory(byteCount: FlowTable<FlowKey4>.byteCount(capacity: capacity))
        let flows6 = PlainMemory(byteCount: FlowTable<FlowKey6>.byteCount(capacity: 1024))
        let fragments = PlainMemory(byteCount: FragmentTable.byteCount)
        parts = rings + [link, free, handOffs, ring, flows4, flows6, fragments]
        unsafe FragmentTable.format(base: fragments.base)
        unsafe FlowTable<FlowKey4>.format(base: flows4.base, capacity: capacity)
        unsafe FlowTable<FlowKey6>.format(base: flows6.base, capacity: 1024)
        var random = PacketRandom(seed: 7)
        let secret = HashSecret { _ in random.next() }
        // Every piece is as long as its own `byteCount` says, zeroed, page-aligned, and lives as long as the lane.
        guard let table4 = unsafe FlowTable<FlowKey4>(base: flows4.base, capacity: capacity, secret: secret),
            let table6 = unsafe FlowTable<FlowKey6>(base: flows6.base, capacity: 1024, secret: secret),
            let datagrams = unsafe FragmentTable(base: fragments.base, frames: Self.frames, secret: secret)
        else { preconditionFailure("a table that was just formatted is whole") }
        let word = unsafe UnsafePointer(link.base.assumingMemoryBound(to: Atomic<UInt32>.self))
        unsafe word.pointee.store(1, ordering: .relaxed)
        let ports = InlineArray<2, PortQueue> { number in
            unsafe PortQueue(
                rings: SocketRings(base: rings[number].base, size: Self.ringSize), socket: -1, maximumFrame: 1522, linkWord: word)
        }
        unsafe consumer = EventConsumer(base: ring.base, capacity: Self.events)
        lane = unsafe Lane(
            pair: 0, queue: 0, ownerByHash: false, ports: ports,
            umem: UMEM(frames: umem.base, frameSize: 2048, framesPerWorker: Self.frames, workers: 1),
            free: FreeList(base: free.base, capacity: Self.frames),
            handOffs: HandOffTable(base: handOffs.base, workers: 1, capacity: 64),
            flows: FlowTables(v4: table4, v6: table6, pair: 0), flowCapacity: capacity,
            fragments: datagrams, counters: counters.base.assumingMemoryBound(to: WorkerCounters.self),
            events: EventProducer(base: ring.base, capacity: Self.events))
        lane.free.refill(worker: 0, framesPerWorker: Self.frames, frameSize: 2048)
        kernels = rings.map { unsafe Kernel(SocketRings.kernelEnds(base: $0.base, size: Self.ringSize)) }
        _ = turn()
    }

    static func policy(generation: UInt32, _ record: UInt32) -> SmallPolicy {
        var policy = SmallPolicy(generation: generation)
        let range = ServiceKey(.udp, port: 0).rawValue...ServiceKey(.udp, port: .max).rawValue
        policy.ingress(of: SmallPolicy.ownClass(1), from: SmallPolicy.ownClass(0), range, record)
        return policy
    }

    func publish(_ generation: UInt32, _ record: UInt32 = SmallPolicy.allowed) throws {
        policy = try MappedPolicy(Self.policy(generation: generation, record))
    }

    /// Moves an address to another workload, so that the epoch is a new one.
    func moveHost() throws { try addresses.writer.claim("192.0.2.1", labelSet: 0, workload: UInt32(hosts) + UInt32(seconds)) }

    /// Lets the clock go on.
    func pass(seconds: UInt64) { self.seconds += seconds }

    var now: Moment {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        let nanoseconds = UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
        return Moment(nanoseconds: nanoseconds + seconds * 1_000_000_000, wall: 1_800_000_000 + seconds)
    }

    var isQuiet: Bool { lane.isQuietNow() }
    var used: Int { lane.flows.used }

    /// One turn; how many nanoseconds of the thread's own time it took: what others do on the processor is not its matter.
    func turn() -> UInt64 {
        let (time, start) = (now, Self.spent)
        _ = lane.turn(by: PolicyInForce(snapshot: policy.snapshot, map: addresses.map), at: time)
        return Self.spent - start
    }

    private static var spent: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Takes the records of the last turns; how many they were since the last call.
    func takeRecords() -> Int {
        while consumer.drain(limit: 4096, { _ in seen += 1 }) > 0 {}
        defer { seen = 0 }
        return seen
    }

    /// The frame of a flow, in either direction. Clients and servers are drawn by the flow's number.
    func frame(of flow: Int, isAnswer: Bool) -> [UInt8] {
        let client = Address(v4: 0x0a00_0000 | UInt32(truncatingIfNeeded: flow &* 0x9E37_79B1 % (hosts / 2)))
        let server = Address(v4: 0x0a00_0000 | UInt32(hosts / 2 + flow &* 0x85EB_CA6B % (hosts - hosts / 2)))
        let (port, service) = (UInt16(1024 + flow / 1024 % 60_000), UInt16(1 + flow % 1024))
        let udp = isAnswer ? UDP(from: service, to: port) : UDP(from: port, to: service)
        return (Ethernet() / IPv4(from: isAnswer ? server : client, to: isAnswer ? client : server) / udp / Payload(count: 18))
            .bytes
    }

    /// Receives frames and lets them go their way; the length of the turn.
    func pass(_ burst: [[UInt8]], port: Int) -> UInt64 {
        for bytes in burst {
            guard kernels[port].ends.fill.peek(1) == 1 else { continue }
            let address = kernels[port].ends.fill[0] + 256
            kernels[port].ends.fill.release(1)
            umem.write(bytes, at: Int(address))
            kernels[port].ends.receive.push(Descriptor(address: address, length: UInt32(bytes.count)))
        }
        kernels[port].ends.receive.submit()
        let length = turn()
        for kernel in kernels {
            let count = kernel.ends.transmit.peek(.max)
            for place in 0..<count { kernel.ends.completion.push(kernel.ends.transmit[place].address) }
            kernel.ends.transmit.release(count)
            kernel.ends.completion.submit()
        }
        return length
    }
}
