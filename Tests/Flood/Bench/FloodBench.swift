// SPDX-License-Identifier: Apache-2.0
import Classifier
import Datapath
import Flow
import Glibc
import Net
import Record
import Ring
import TestSupport

/// One worker over plain memory, in front of a web server that lets everybody in to port 443 and a database that lets nobody in.
@safe final class FloodBench {
    let worker: LaneBench
    private let policy: MappedPolicy
    private let addresses: MappedAddresses
    private var nanoseconds: UInt64 = 1 << 40
    private let memory: [PlainMemory]
    /// Flow records read so far.
    private(set) var records = 0

    static let web: Address = "10.255.0.2"
    static let db: Address = "10.255.0.3"

    init(capacity: Int) throws {
        var shape = PairShape()
        (shape.flows, shape.frames, shape.ringSize, shape.events) = (capacity, 2048, 512, 1 << 14)
        let umem = PlainMemory(byteCount: shape.frames * 2048)
        let handOffs = PlainMemory(byteCount: HandOffTable.byteCount(workers: 1, capacity: shape.handOffs))
        let free = PlainMemory(byteCount: FreeList.byteCount(capacity: shape.frames))
        worker = try LaneBench(
            LaneParts(
                shape, queue: 0, umem: umem, free: free, handOffs: handOffs, expected: ExpectedReplies(workers: 1)))
        memory = [umem, handOffs, free]
        var policy = SmallPolicy()
        policy.ingress(of: SmallPolicy.ownClass(1), from: SmallPolicy.anyone, ServiceKey.tcp(443))
        policy.ingress(of: SmallPolicy.ownClass(2), from: SmallPolicy.anyone, 0...0, SmallPolicy.denied)
        self.policy = try MappedPolicy(policy)
        addresses = try MappedAddresses()
        try addresses.writer.claim(Self.web, labelSet: 1, workload: 1)
        try addresses.writer.claim(Self.db, labelSet: 2, workload: 2)
        turn()
    }

    /// Lets time pass.
    func pass(nanoseconds passed: UInt64) { nanoseconds += passed }

    /// One turn of the worker; how long it took, in nanoseconds.
    @discardableResult
    func turn() -> UInt64 {
        let inForce = PolicyInForce(snapshot: policy.snapshot, map: addresses.map)
        let begin = Self.time()
        _ = worker.lane.turn(by: inForce, at: Moment(nanoseconds: nanoseconds, wall: nanoseconds / 1_000_000_000))
        return Self.time() - begin
    }

    /// Lets frames in by a port, in one burst, and takes away what they led to; how long the turn took for each, and how many left.
    func burst(_ frames: [[UInt8]], port: Int = 0) -> (nanoseconds: Double, sent: Int) {
        for frame in frames { precondition(worker.ports[port].receive(frame), "a free frame for each of a burst") }
        let took = turn()
        let sent = worker.ports[0].send().count + worker.ports[1].send().count
        records += worker.takeEvents().count
        // What was sent is taken back before the next burst.
        turn()
        return (Double(took) / Double(max(1, frames.count)), sent)
    }

    /// Nanoseconds of a clock that only goes forward.
    static func time() -> UInt64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }

    /// Resident memory of this process in KiB (proc(5): the second field of `statm`, in pages of 4 KiB).
    static func residentMemory() -> Int {
        guard let file = unsafe fopen("/proc/self/statm", "r") else { return 0 }
        defer { unsafe fclose(file) }
        var text = [CChar](repeating: 0, count: 128)
        guard unsafe fgets(&text, CInt(text.count), file) != nil else { return 0 }
        let fields = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4 : 0
    }
}

/// TCP segments made by writing four fields into a template, because a builder's would cost more than what is measured.
struct Segment {
    private let template: [UInt8]

    init(to: Address, _ flags: TCPFlags, acknowledgement: UInt32 = 0) {
        let packet =
            Ethernet() / IPv4(from: "10.0.0.1", to: to)
            / TCP(from: 1, to: 443, flags, sequence: 1000, acknowledgement: acknowledgement)
        template = packet.bytes
    }

    /// The segment of a source.
    func from(_ address: UInt32, _ port: UInt16, sequence: UInt32 = 1000) -> [UInt8] {
        var bytes = template
        for byte in 0..<4 {
            bytes[26 + byte] = UInt8(truncatingIfNeeded: address >> UInt32(24 - 8 * byte))
            bytes[38 + byte] = UInt8(truncatingIfNeeded: sequence >> UInt32(24 - 8 * byte))
        }
        (bytes[34], bytes[35]) = (UInt8(truncatingIfNeeded: port >> 8), UInt8(truncatingIfNeeded: port))
        (bytes[24], bytes[25], bytes[50], bytes[51]) = (0, 0, 0, 0)
        write(Self.sum(bytes[14..<34], 0), at: 24, in: &bytes)
        // The pseudo-header: both addresses, the protocol, the length (RFC 9293, 3.1).
        let length = Int(bytes[16]) << 8 + Int(bytes[17]) - 20
        var pseudo = UInt32(6 + length)
        for place in stride(from: 26, to: 34, by: 2) { pseudo += UInt32(bytes[place]) << 8 | UInt32(bytes[place + 1]) }
        write(Self.sum(bytes[34..<(34 + length)], pseudo), at: 50, in: &bytes)
        return bytes
    }

    private func write(_ sum: UInt16, at place: Int, in bytes: inout [UInt8]) {
        (bytes[place], bytes[place + 1]) = (UInt8(truncatingIfNeeded: sum >> 8), UInt8(truncatingIfNeeded: sum))
    }

    /// The internet checksum (RFC 1071) of an even number of bytes, with something added.
    private static func sum(_ bytes: ArraySlice<UInt8>, _ first: UInt32) -> UInt16 {
        var sum = first
        for place in stride(from: bytes.startIndex, to: bytes.endIndex, by: 2) {
            sum += UInt32(bytes[place]) << 8 | UInt32(bytes[place + 1])
        }
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        return ~UInt16(sum)
    }
}
