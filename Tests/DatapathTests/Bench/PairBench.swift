// SPDX-License-Identifier: Apache-2.0
import Classifier
import Datapath
import Flow
import Net
import Record
import Ring
import TestSupport
import Testing

/// What became of a frame.
enum Fate: Equatable {
    /// It left by the other port, with these bytes.
    case forwarded([UInt8])
    case dropped(DropReason)
    /// It was neither, or more than one thing.
    case unclear(String)
}

/// The workers of a pair over one packet memory, a policy and addresses, and a clock. After each step the ledger can be asked
/// whether every frame is in exactly one place.
@safe final class PairBench {
    let shape: PairShape
    let workers: [LaneBench]
    let addresses: MappedAddresses
    private(set) var policy: MappedPolicy
    var clock = ManualClock()
    private let umem: PlainMemory
    private let free: [PlainMemory]
    private let handOffs: PlainMemory

    init(_ shape: PairShape = PairShape(), _ policy: SmallPolicy = .town()) throws {
        self.shape = shape
        let umem = PlainMemory(byteCount: shape.workers * shape.frames * 2048)
        let handOffs = PlainMemory(byteCount: HandOffTable.byteCount(workers: shape.workers, capacity: shape.handOffs))
        let free = (0..<shape.workers).map { _ in
            PlainMemory(byteCount: FreeList.byteCount(capacity: shape.frames * shape.workers))
        }
        let expected = ExpectedReplies(workers: shape.workers)
        workers = try (0..<shape.workers).map { queue in
            try LaneBench(LaneParts(shape, queue: queue, umem: umem, free: free[queue], handOffs: handOffs, expected: expected))
        }
        self.umem = umem
        self.handOffs = handOffs
        self.free = free
        self.policy = try MappedPolicy(policy)
        addresses = try MappedAddresses()
        try settle(addresses)
        turnAll()
    }

    /// The only worker, or the first.
    var worker: LaneBench { workers[0] }
    var now: Moment { Moment(nanoseconds: clock.nanoseconds, wall: clock.wall) }
    var inForce: PolicyInForce { PolicyInForce(snapshot: policy.snapshot, map: addresses.map) }

    /// Puts another policy in force, as publication would between two turns.
    func publish(_ policy: SmallPolicy) throws { self.policy = try MappedPolicy(policy) }

    /// One turn of a worker; how many frames it handled.
    @discardableResult
    func turn(_ worker: Int = 0) -> UInt32 { workers[worker].lane.turn(by: inForce, at: now) }

    /// One turn of each worker.
    func turnAll() { for worker in workers.indices { turn(worker) } }

    /// Receives frames by a port of a worker, without a turn.
    func receive(_ packets: [Packet], port: Int = 0, worker: Int = 0) throws {
        for packet in packets {
            guard workers[worker].ports[port].receive(packet.bytes) else { throw BenchError.noFreeFrame }
        }
    }

    /// Lets one frame go its whole way through the first worker.
    func fate(of packet: Packet, port: Int = 0) throws -> Fate { try fate(of: packet.bytes, port: port) }

    func fate(of bytes: [UInt8], port: Int = 0) throws -> Fate {
        let before = worker.counters.ports[port]
        guard worker.ports[port].receive(bytes) else { throw BenchError.noFreeFrame }
        turn()
        let after = worker.counters.ports[port]
        let reasons = DropReason.allCases.filter { after.dropped[Int($0.number)] != before.dropped[Int($0.number)] }
        let sent = worker.ports[1 - port].send()
        // What was sent is taken back, so that the next frame finds the fill rings full.
        turn()
        guard after.received == before.received + 1, after.receivedBytes == before.receivedBytes + UInt64(bytes.count) else {
            return .unclear("not counted as received")
        }
        if after.forwarded == before.forwarded + 1, reasons.isEmpty, sent.count == 1,
            after.forwardedBytes == before.forwardedBytes + UInt64(bytes.count)
        {
            return .forwarded(sent[0])
        }
        if after.forwarded == before.forwarded, sent.isEmpty, reasons.count == 1,
            after.droppedInAll == before.droppedInAll + 1
        {
            return .dropped(reasons[0])
        }
        return .unclear("forwarded \(after.forwarded - before.forwarded), sent \(sent.count), dropped for \(reasons)")
    }

    /// Demands that a frame leaves by the other port as it came.
    func expectForwarded(_ packet: Packet, port: Int = 0, _ location: SourceLocation = #_sourceLocation) throws {
        #expect(try fate(of: packet, port: port) == .forwarded(packet.bytes), "\(packet)", sourceLocation: location)
    }

    /// Demands that a frame ends here for a reason.
    func expectDropped(
        _ packet: Packet, _ reason: DropReason, port: Int = 0, _ location: SourceLocation = #_sourceLocation
    ) throws {
        #expect(try fate(of: packet, port: port) == .dropped(reason), "\(packet)", sourceLocation: location)
    }

    /// What is wrong with frames, counters or memory; `nil` when nothing is.
    var fault: String? {
        for worker in workers {
            if let fault = worker.accountingFault ?? worker.memoryFault { return fault }
        }
        guard ([umem, handOffs] + free).allSatisfy(\.isMarginIntact) else { return "something was written beside its memory" }
        return ledger.fault
    }

    /// Where all frames are.
    var ledger: FrameLedger {
        var ledger = FrameLedger(frames: shape.workers * shape.frames, frameSize: 2048)
        for (number, worker) in workers.enumerated() {
            for port in 0..<2 { worker.ports[port].enter(into: &ledger, as: "port \(port) of worker \(number)") }
            worker.lane.fragments.forEachHeld { ledger.note($0.address, in: "held by worker \(number)") }
            let top = unsafe free[number].base.load(as: UInt64.self)
            for slot in 0..<Int(top) {
                let address = unsafe free[number].base.load(fromByteOffset: 64 + slot * 8, as: UInt64.self)
                ledger.note(address, in: "free list of worker \(number)")
            }
        }
        let size = HandOffRing.byteCount(capacity: shape.handOffs)
        for ring in 0..<(2 * shape.workers * shape.workers) {
            let producer = unsafe handOffs.base.load(fromByteOffset: ring * size, as: UInt64.self)
            var position = unsafe handOffs.base.load(fromByteOffset: ring * size + 64, as: UInt64.self)
            while position != producer {
                let slot = ring * size + 128 + Int(position & UInt64(shape.handOffs - 1)) * 16
                ledger.note(unsafe handOffs.base.load(fromByteOffset: slot, as: UInt64.self), in: "hand-off ring \(ring)")
                position += 1
            }
        }
        return ledger
    }
}
