// SPDX-License-Identifier: Apache-2.0
import Flow
import Glibc
import Layout
import Net
import Record
import Ring
import TestSupport
import Testing

@testable import Engine

@Suite("Memory of the data process") struct DataMemoryTests {
    let files: MachineFiles

    init() throws { files = try MachineFiles() }

    static func key(_ number: UInt32) -> FlowKey4 {
        FlowKey4(low: 0x0a00_0001, high: 0x0a00_0002, ports: number << 16 | 443, vlans: 0, tunnel: 0, context: 6 << 24)
    }

    /// Puts so many flows into a worker's table.
    func open(_ count: UInt32, worker: Int) {
        _ = files.withTable4(worker) { table in
            for number in 0..<count {
                let key = Self.key(number)
                _ = table.insert(key, hash: table.hash(key), state: .established, initiator: .low, now: 0)
            }
        }
    }

    @Test func `a fresh start makes every frame free at home`() throws {
        _ = try files.data(isFresh: true)
        for worker in 0..<2 {
            var list = files.freeList(worker)
            var found: Set<UInt64> = []
            while let address = list.pop() { found.insert(address) }
            #expect(found == Set((0..<128 as Range<UInt64>).map { (UInt64(worker) * 128 + $0) * 2048 }))
        }
    }

    @Test func `frames between workers are counted as lost, whichever way they went, and the rings are empty`() throws {
        _ = try files.data(isFresh: true)
        for number in 0..<3 as Range<UInt64> {
            _ = files.ring(from: 0, to: 1).push(Descriptor(address: number, length: 60, options: 0))
        }
        for number in 0..<5 as Range<UInt64> {
            _ = files.ring(from: 1, to: 0).push(Descriptor(address: number, length: 60, options: 1))
        }
        _ = files.ring(from: 1, to: 0, returning: true).push(Descriptor(address: 0, length: 0))
        let data = try files.data(isFresh: true)
        let lost = Int(DropReason.lostWithWorker.number)
        let counters = unsafe [data.counters(ofWorker: 0).pointee, data.counters(ofWorker: 1).pointee]
        #expect(counters[0].ports[1].dropped[lost] == 5 && counters[0].ports[1].received == 5)
        #expect(counters[1].ports[0].dropped[lost] == 3 && counters[1].ports[0].received == 3)
        #expect(counters[0].ports[0].received == 0 && counters[1].ports[1].received == 0)
        for returning in [false, true] {
            #expect(files.ring(from: 0, to: 1, returning: returning).count == 0)
            #expect(files.ring(from: 1, to: 0, returning: returning).count == 0)
        }
    }

    @Test(.timeLimit(.minutes(1))) func `a damaged position of a ring costs no more than the ring holds`() throws {
        unsafe files.umem.base.storeBytes(
            of: UInt64.max / 2, toByteOffset: files.layout.handOffs + HandOffRing.byteCount(capacity: 1024), as: UInt64.self)
        #expect(files.ring(from: 0, to: 1).count == UInt64.max / 2)
        let data = try files.data(isFresh: true)
        #expect(files.ring(from: 0, to: 1).count == 0)
        #expect(unsafe data.counters(ofWorker: 1).pointee.ports[0].received <= 1024)
    }

    @Test func `a hand-over keeps the fragments that wait; after a crash they are counted as lost and forgotten`() throws {
        let data = try files.data(isFresh: true)
        var reading = Reading()
        reading.kind = .fragment
        reading.fragmentOffset = 64
        reading.end = 100
        let piece = FragmentPiece(of: reading, pair: 0, port: 1)
        let isHeld = files.withFragments(1) { table in
            guard
                case .waits(let number) = table.add(piece, table.hash(piece.key), facts: FragmentFacts(), FlowSettings(), now: 0)
            else { return false }
            return table.hold(number, address: 256, length: 60, port: 1, FlowSettings()) == nil
        }
        #expect(isHeld == true)
        unsafe data.counters(ofWorker: 1).pointee.ports[1].received = 1
        unsafe data.counters(ofWorker: 1).pointee.ports[1].held = 1
        let successor = try files.data(isFresh: false)
        #expect(files.withFragments(1) { $0.heldCount } == 1)
        #expect(unsafe successor.counters(ofWorker: 1).pointee.ports[1].held == 1)
        let restarted = try files.data(isFresh: true)
        #expect(files.withFragments(1) { $0.heldCount + $0.used } == 0)
        let counters = unsafe restarted.counters(ofWorker: 1).pointee.ports[1]
        #expect(counters.held == 0 && counters.dropped[Int(DropReason.lostWithWorker.number)] == 1 && counters.received == 1)
    }

    @Test func `hand-over takes frames and flows as they are`() throws {
        _ = try files.data(isFresh: true)
        open(10, worker: 0)
        var list = files.freeList(0)
        for _ in 0..<100 { _ = list.pop() }
        _ = files.ring(from: 0, to: 1).push(Descriptor(address: 0, length: 60))
        let secret = files.secret
        let data = try files.data(isFresh: false)
        #expect(files.freeList(0).count == 28)
        #expect(files.ring(from: 0, to: 1).count == 1)
        #expect(files.withTable4(0) { $0.used } == 10)
        #expect(files.secret[0] == secret[0] && files.secret[15] == secret[15])
        #expect(unsafe data.counters(ofWorker: 1).pointee.ports[0].received == 0)
    }

    @Test func `the first start draws a secret and lays out empty tables`() throws {
        #expect(files.withTable4(0) { _ in true } == nil)
        _ = try files.data(isFresh: true)
        let secret = files.secret
        #expect(Set((0..<16).map { secret[$0] }).count == 16)
        #expect((0..<2).allSatisfy { worker in files.withTable4(worker) { $0.used } == 0 })
        let others = try MachineFiles()
        _ = try others.data(isFresh: true)
        #expect(others.secret[0] != secret[0])
    }

    @Test func `flows outlive a worker that was killed`() throws {
        _ = try files.data(isFresh: true)
        open(100, worker: 0)
        open(7, worker: 1)
        let secret = files.secret
        _ = try files.data(isFresh: true)
        #expect(files.secret[3] == secret[3])
        #expect(files.withTable4(0) { $0.used } == 100)
        #expect(files.withTable4(1) { $0.used } == 7)
        let found = files.withTable4(0) { table in
            (0..<100 as Range<UInt32>).allSatisfy { table.find(Self.key($0), hash: table.hash(Self.key($0))) != .max }
        }
        #expect(found == true)
    }

    @Test func `a table with damage that can be mended keeps its flows`() throws {
        _ = try files.data(isFresh: true)
        open(100, worker: 0)
        // A list head that leads nowhere.
        let header = unsafe (files.flows.base + files.tables.table4(ofWorker: 0)).assumingMemoryBound(to: FlowTableHeader.self)
        unsafe header.pointee.free = 3
        unsafe header.pointee.used = 4711
        #expect(files.withTable4(0) { $0.check() != nil } == true)
        _ = try files.data(isFresh: true)
        #expect(files.withTable4(0) { $0.check() == nil } == true)
        #expect(files.withTable4(0) { $0.used } == 100)
    }

    @Test func `a table that is none any more is replaced by an empty one, and the others stay`() throws {
        _ = try files.data(isFresh: true)
        open(100, worker: 0)
        open(7, worker: 1)
        unsafe files.flows.base.storeBytes(of: 1, toByteOffset: files.tables.table4(ofWorker: 0), as: UInt64.self)
        _ = try files.data(isFresh: true)
        #expect(files.withTable4(0) { $0.used } == 0)
        #expect(files.withTable4(0) { $0.check() == nil } == true)
        #expect(files.withTable4(1) { $0.used } == 7)
    }

    @Test func `noise in a table neither traps nor stays`() throws {
        for seed in 0..<20 as Range<UInt64> {
            _ = try files.data(isFresh: true)
            open(100, worker: 0)
            var random = PacketRandom(seed: seed)
            let start = files.tables.table4(ofWorker: 0)
            let length = files.tables.table6(ofWorker: 0) - start
            for _ in 0..<50 {
                unsafe files.flows.base.storeBytes(
                    of: random.next(), toByteOffset: start + Int(random.next() % UInt64(length / 8 - 1)) * 8, as: UInt64.self)
            }
            _ = try files.data(isFresh: true)
            #expect(files.withTable4(0) { $0.check() == nil } == true, "seed \(seed)")
        }
    }

    @Test func `descriptors that do not fit the plan are refused`() throws {
        #expect(throws: RingError.self) { _ = try DataMemory(files.plan, [], isFresh: true) }
        #expect(throws: RingError.self) { _ = try DataMemory(files.plan, files.descriptors() + [-1], isFresh: true) }
        var swapped = files.descriptors()
        swapped.swapAt(DataFiles.board, DataFiles.counters)
        #expect(throws: RingError.self) { _ = try DataMemory(files.plan, swapped, isFresh: true) }
        var plan = files.plan
        plan.pairs[0].framesPerWorker = 64
        #expect(throws: RingError.self) { _ = try DataMemory(plan, files.descriptors(), isFresh: true) }
        plan = files.plan
        plan.pairs[0].queues = 0
        #expect(throws: RingError.self) { _ = try DataMemory(plan, files.descriptors(), isFresh: true) }
    }

    @Test func `the mode word is mapped for reading and its descriptor given up`() throws {
        let descriptors = files.descriptors()
        let data = try DataMemory(files.plan, descriptors, isFresh: true)
        let place = DataFiles.mode(ofPair: 0, in: files.plan)
        #expect(data.descriptors.count == descriptors.count)
        #expect(data.descriptors[place] == data.descriptors[DataFiles.board])
        for (index, descriptor) in data.descriptors.enumerated() where index != place {
            #expect(descriptor == descriptors[index])
        }
    }

    private func inode(behind descriptor: Int32) -> ino_t? {
        var facts = stat()
        return unsafe fstat(descriptor, &facts) == 0 ? facts.st_ino : nil
    }

    @Test func `what stood in the places of a waiting pair's sockets is closed when they come, and rings are counted anew`()
        throws
    {
        var plan = files.plan
        plan.pairs[0].isWaiting = 1
        let places = 2 * Int(plan.pairs[0].queues)
        let standIns = (0..<places).map { _ in dup(files.board.descriptor) }
        let data = try DataMemory(plan, files.descriptors().dropLast(places) + standIns, isFresh: true)
        for worker in 0..<2 { unsafe data.counters(ofWorker: worker).pointee.ports[1].ringPosition = 7 }
        let sockets = (0..<places).map { _ in unsafe Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC) }
        try data.takeSockets(sockets, ofPair: 0, files.plan)
        #expect(Array(data.descriptors.suffix(places)) == sockets)
        // Another test may have got the numbers by now.
        let board = inode(behind: data.descriptors[DataFiles.board])
        #expect(board != nil && standIns.allSatisfy { inode(behind: $0) != board })
        for worker in 0..<2 { #expect(unsafe data.counters(ofWorker: worker).pointee.ports[1].ringPosition == 0) }
    }

    @Test func `a lane without a socket is refused with a reason`() throws {
        let data = try files.data(isFresh: true)
        #expect(throws: RingError.self) { _ = try data.lane(pair: 0, queue: 0) }
    }
}
