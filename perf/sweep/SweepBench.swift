// SPDX-License-Identifier: Apache-2.0
import Classifier
import Datapath
import Flow
import Glibc
import Net
import Record
import Ring
import TestSupport

/// A worker over plain memory (`LaneBench`, as the tests of the data path have it), an inventory of clients and servers, and flows between
/// them.
@safe final class SweepBench {
    static let frames = 1024

    let flowCount: Int
    let hosts: Int
    private let addresses: MappedAddresses
    private var policy: MappedPolicy
    private let worker: LaneBench
    private let memory: [PlainMemory]
    private var seconds: UInt64 = 0

    init(flows: Int, hosts: Int) throws {
        (flowCount, self.hosts) = (flows, hosts)
        addresses = try MappedAddresses(slots: AddressMapWriter.slots(forAddresses: hosts + 16))
        policy = try MappedPolicy(Self.policy(generation: 1, SmallPolicy.allowed))
        for host in 0..<hosts {
            try addresses.writer.claim(
                Address(v4: 0x0a00_0000 | UInt32(host)), labelSet: host < hosts / 2 ? 0 : 1, workload: UInt32(host))
        }
        var shape = PairShape()
        // A few places more than the flows need, so that none has to move.
        (shape.flows, shape.frames, shape.ringSize, shape.events) = (flows + flows / 16 + 64, Self.frames, 256, 1 << 16)
        let umem = PlainMemory(byteCount: shape.frames * 2048)
        let handOffs = PlainMemory(byteCount: HandOffTable.byteCount(workers: 1, capacity: shape.handOffs))
        let free = PlainMemory(byteCount: FreeList.byteCount(capacity: shape.frames))
        worker = try LaneBench(LaneParts(shape, queue: 0, umem: umem, free: free, handOffs: handOffs))
        memory = [umem, handOffs, free]
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

    private var now: Moment {
        Moment(nanoseconds: Self.time(CLOCK_MONOTONIC) + seconds * 1_000_000_000, wall: 1_800_000_000 + seconds)
    }

    var isQuiet: Bool { worker.isQuiet }
    var used: Int { worker.lane.flows.used }

    /// One turn; how many nanoseconds of the thread's own time it took: what others do on the processor is not its matter.
    func turn() -> UInt64 {
        let (moment, start) = (now, Self.time(CLOCK_THREAD_CPUTIME_ID))
        _ = worker.lane.turn(by: PolicyInForce(snapshot: policy.snapshot, map: addresses.map), at: moment)
        return Self.time(CLOCK_THREAD_CPUTIME_ID) - start
    }

    private static func time(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Takes the records of the last turns; how many they were since the last call.
    func takeRecords() -> Int { worker.takeEvents().count }

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
        for bytes in burst { _ = worker.ports[port].receive(bytes) }
        let length = turn()
        for port in worker.ports { _ = port.send() }
        return length
    }
}
