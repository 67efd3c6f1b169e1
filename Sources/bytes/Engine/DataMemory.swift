// SPDX-License-Identifier: Apache-2.0
internal import CXDP
internal import Datapath
internal import Flow
internal import Glibc
internal import Layout
internal import Net
internal import Record
internal import Ring
internal import Synchronization

/// Everything that keeper handed to the data process, mapped and checked: the plan, the board, the counters, the event rings, and
/// for each pair its UMEM, its flow tables, its mode word and its sockets. Kept for the life of the process, and handed on as it
/// came.
@safe final class DataMemory {
    private(set) var plan: Plan
    /// The descriptors in the order of `DataFiles`; owned by the files below, but for the sockets, which are owned here. Those of
    /// the mode words are closed once mapped, because whoever holds one could write it; the board's stands in their places.
    private(set) var descriptors: [Int32]
    let board: Board
    private let boardFile: SharedMemory
    private let counters: SharedMemory
    private let events: SharedMemory
    /// What control asks of the workers.
    let inquiries: Inquiries
    private let umems: [SharedMemory]
    private let flows: [SharedMemory]
    private let modes: [UnsafePointer<UInt32>]
    /// The rings of each socket, by its place among the descriptors, from the start of its worker on.
    private var mappings: [Int: RingMapping] = [:]
    /// What the workers of each pair let expect; gone with the process, as it holds for seconds only.
    private let expected: [ExpectedReplies]

    /// Maps what came with a `start` message. With `isFresh` every frame is free and the flow tables are checked; else both are
    /// taken over as another process left them.
    init(_ plan: Plan, _ descriptors: [Int32], isFresh: Bool) throws {
        guard plan.fault == nil, plan.workers > 0, plan.workers <= Plan.maximumWorkers,
            descriptors.count == DataFiles.count(in: plan)
        else { throw RingError.foreign("keeper's plan does not fit its \(descriptors.count) descriptors") }
        self.plan = plan
        self.descriptors = descriptors
        let pairs = 0..<Int(plan.pairCount)
        boardFile = try SharedMemory(
            adopting: descriptors[DataFiles.board],
            expecting: MemoryHeader(.board, byteCount: BoardLayout.byteCount, geometry: BoardLayout.geometry))
        unsafe board = Board(base: boardFile.base)
        counters = try SharedMemory(adopting: descriptors[DataFiles.counters], expecting: CountersLayout.header)
        events = try SharedMemory(adopting: descriptors[DataFiles.events], expecting: EventsLayout(plan).header)
        let inquiriesLayout = InquiriesLayout(plan)
        inquiries = Inquiries(
            try SharedMemory(adopting: descriptors[DataFiles.inquiries], expecting: inquiriesLayout.header), inquiriesLayout)
        umems = try pairs.map { pair in
            try SharedMemory(
                adopting: descriptors[DataFiles.umem(ofPair: pair, in: plan)],
                expecting: UMEMLayout(plan.pairs[pair]).header(pair: pair))
        }
        flows = try pairs.map { pair in
            try SharedMemory(
                adopting: descriptors[DataFiles.flows(ofPair: pair, in: plan)],
                expecting: FlowsLayout(plan.pairs[pair]).header(pair: pair))
        }
        expected = pairs.map { ExpectedReplies(workers: Int(plan.pairs[$0].queues)) }
        unsafe modes = try pairs.map { pair in
            var words: UnsafePointer<UInt32>?
            let result = unsafe cxdp_map_mode(descriptors[DataFiles.mode(ofPair: pair, in: plan)], &words)
            guard result == 0, let words = unsafe words else { throw RingError.memory("cannot map a mode word", errno: -result) }
            return unsafe words
        }
        for pair in pairs {
            let place = DataFiles.mode(ofPair: pair, in: plan)
            close(descriptors[place])
            self.descriptors[place] = descriptors[DataFiles.board]
        }
        if isFresh {
            pairs.forEach(prepare)
            prepareTables()
        }
    }

    /// Frames and tables for workers that follow nobody, or one that was killed.
    private func prepare(_ pair: Int) {
        let layout = UMEMLayout(plan.pairs[pair])
        let handOffs = handOffTable(pair, layout)
        // All are counted before any is emptied: each worker's losses lie in the rings of the others.
        for worker in 0..<layout.workers {
            countLost(pair, worker, handOffs)
            countHeld(pair, worker)
        }
        for worker in 0..<layout.workers {
            let counters = unsafe counters(ofWorker: plan.firstWorker(ofPair: pair) + worker)
            // The rings of new sockets begin at 0, whatever became of those before.
            for port in 0..<2 { unsafe counters.pointee.ports[port].ringPosition = 0 }
            for other in 0..<layout.workers {
                handOffs.ring(from: worker, to: other, returning: false).reset()
                handOffs.ring(from: worker, to: other, returning: true).reset()
            }
            var free = freeList(pair, worker, layout)
            free.refill(worker: worker, framesPerWorker: layout.framesPerWorker, frameSize: layout.frameSize)
        }
        let secret = unsafe secret(pair)
        if unsafe secret.pointee[0] == 0 {
            var random = SystemRandomNumberGenerator()
            for word in 0..<16 { unsafe secret.pointee[word] = random.next() | 1 }
        }
        let tables = FlowsLayout(plan.pairs[pair])
        for worker in 0..<tables.workers {
            // What it holds are frames, which are free by now.
            unsafe FragmentTable.format(base: flows[pair].base + tables.fragments(ofWorker: worker))
        }
    }

    /// Tables that killed workers left are taken over where they are sound, and replaced by empty ones where not: then the pair's
    /// connections may be picked up for a while.
    private func prepareTables() {
        var places: [TablePlace] = []
        for pair in 0..<Int(plan.pairCount) {
            let tables = FlowsLayout(plan.pairs[pair])
            for worker in 0..<tables.workers {
                for isIPv4 in [true, false] {
                    let offset = isIPv4 ? tables.table4(ofWorker: worker) : tables.table6(ofWorker: worker)
                    unsafe places.append(
                        TablePlace(
                            pair: pair, worker: worker, isIPv4: isIPv4, base: flows[pair].base + offset,
                            capacity: tables.capacity,
                            secret: secret(pair).pointee))
                }
            }
        }
        var recovery = TableRecovery(places, threads: ProcessorSet.allowed().numbers.count)
        for refusal in recovery.run() {
            let place = refusal.place
            let counters = unsafe counters(ofWorker: plan.firstWorker(ofPair: place.pair) + place.worker)
            unsafe counters.pointee.replacedTables &+= 1
            FlowsLayout.oweGrace(in: flows[place.pair], from: unsafe cxdp_monotonic_ns())
            _ = DataProcess.complain(
                "pair \(plan.pairs[place.pair].name): the \(place.isIPv4 ? "IPv4" : "IPv6") flow table of worker \(place.worker) is "
                    + "refused (\(refusal.why)) and starts empty: its connections are judged anew")
        }
    }

    /// Frames that a killed worker had put into the rings of others are lost with it.
    private func countLost(_ pair: Int, _ worker: Int, _ handOffs: HandOffTable) {
        let counters = unsafe counters(ofWorker: plan.firstWorker(ofPair: pair) + worker)
        for other in 0..<handOffs.workers where other != worker {
            let ring = handOffs.ring(from: other, to: worker, returning: false)
            // No more than the ring holds, whatever its positions say.
            for _ in 0..<UMEMLayout.handOffCapacity {
                guard let descriptor = ring.pop() else { break }
                let port = Int(descriptor.options & 1)
                unsafe counters.pointee.ports[port].received &+= 1
                unsafe counters.pointee.ports[port].dropped[Int(DropReason.lostWithWorker.number)] &+= 1
            }
        }
    }

    /// Frames that a killed worker held are lost with it.
    private func countHeld(_ pair: Int, _ worker: Int) {
        let counters = unsafe counters(ofWorker: plan.firstWorker(ofPair: pair) + worker)
        for port in 0..<2 {
            let held = unsafe counters.pointee.ports[port].held
            unsafe counters.pointee.ports[port].dropped[Int(DropReason.lostWithWorker.number)] &+= held
            unsafe counters.pointee.ports[port].held = 0
        }
    }

    /// Closes the sockets of a pair whose workers have stopped; the board's descriptor stands in their places.
    func closeSockets(ofPair pair: Int) {
        plan.pairs[pair].isWaiting = 1
        for place in socketPlaces(ofPair: pair) where descriptors[place] != descriptors[DataFiles.board] {
            close(descriptors[place])
            descriptors[place] = descriptors[DataFiles.board]
            mappings[place] = nil
        }
    }

    /// Maps the rings of a pair's sockets: to be called before its workers start, which make their lanes on threads of their own.
    func mapRings(ofPair pair: Int) throws {
        for place in socketPlaces(ofPair: pair) where mappings[place] == nil {
            mappings[place] = try RingMapping(socket: descriptors[place], size: plan.pairs[pair].ringSize)
        }
    }

    /// Takes new sockets of a pair that was halted: every frame is free, and the tables stay as the workers left them. The
    /// descriptors are owned from now on.
    func takeSockets(_ sockets: [Int32], ofPair pair: Int, _ next: Plan) throws {
        let places = socketPlaces(ofPair: pair)
        let (old, new) = (plan.pairs[pair], next.pairs[pair])
        guard sockets.count == places.count, old.isWaiting == 1, new.queues == old.queues, new.ringSize == old.ringSize,
            UMEMLayout(new) == UMEMLayout(old), FlowsLayout(new) == FlowsLayout(old)
        else {
            for descriptor in sockets { close(descriptor) }
            throw RingError.foreign("the sockets of pair \(pair)")
        }
        // What stands in their places since the start, if the pair waited already then.
        closeSockets(ofPair: pair)
        for (place, socket) in zip(places, sockets) { descriptors[place] = socket }
        plan.pairs[pair] = new
        prepare(pair)
    }

    private func socketPlaces(ofPair pair: Int) -> Range<Int> {
        let first = DataFiles.socket(ofPair: pair, queue: 0, port: 0, in: plan)
        return first..<(first + 2 * Int(plan.pairs[pair].queues))
    }

    /// A worker's lane over this memory, with its positions as they are now.
    func lane(pair: Int, queue: Int) throws -> Lane {
        let pairPlan = plan.pairs[pair]
        let layout = UMEMLayout(pairPlan)
        let tables = FlowsLayout(pairPlan)
        let worker = plan.firstWorker(ofPair: pair) + queue
        guard
            let flows4 = unsafe FlowTable<FlowKey4>(
                base: flows[pair].base + tables.table4(ofWorker: queue), capacity: tables.capacity, secret: secret(pair).pointee),
            let flows6 = unsafe FlowTable<FlowKey6>(
                base: flows[pair].base + tables.table6(ofWorker: queue), capacity: tables.capacity, secret: secret(pair).pointee),
            let fragments = unsafe FragmentTable(
                base: flows[pair].base + tables.fragments(ofWorker: queue), frames: layout.framesPerWorker,
                secret: secret(pair).pointee)
        else { throw RingError.foreign("a flow table") }
        let ports = try InlineArray<2, PortQueue> { port in try portQueue(pair, queue, port) }
        var lane = unsafe Lane(
            pair: UInt8(pair), queue: UInt8(queue), ownerByHash: pairPlan.ownerByHash != 0, ports: ports,
            umem: umem(pair, layout),
            free: freeList(pair, queue, layout), handOffs: handOffTable(pair, layout),
            flows: FlowTables(v4: flows4, v6: flows6, pair: UInt8(pair)),
            flowCapacity: tables.capacity, fragments: fragments, counters: counters(ofWorker: worker),
            events: eventProducer(worker), expected: expected[pair],
            capture: CaptureTap(
                armed: inquiries.armed, orders: inquiries.order, ring: CaptureProducer(base: inquiries.ring(ofWorker: worker))))
        lane.oweGrace(from: unsafe FlowsLayout.graceWord(in: flows[pair]).pointee.load(ordering: .acquiring))
        return lane
    }

    /// What a worker needs beside its lane.
    func post(pair: Int, queue: Int, cell: PolicyCell, wake: Int32, others: InlineArray<16, Int32>) -> WorkerPost {
        let first = plan.firstWorker(ofPair: pair)
        let pairSleeping = unsafe InlineArray<16, UnsafePointer<Atomic<UInt64>>> { other in
            unsafe board.word(.sleeping, ofWorker: min(first + other, Plan.maximumWorkers - 1))
        }
        let number = first + queue
        return unsafe WorkerPost(
            number: number, poll: PairPlan.Poll(rawValue: plan.pairs[pair].poll) ?? .wait,
            isZeroCopy: plan.pairs[pair].ports[0].isZeroCopy == 1, cell: Unmanaged.passUnretained(cell),
            turn: board.word(.turn, ofWorker: number), sleeping: board.word(.sleeping, ofWorker: number),
            park: board.word(.park, ofWorker: number), parked: board.word(.parked, ofWorker: number), pairSleeping: pairSleeping,
            clock: PolicyClockWords(board), mode: modes[pair], grace: FlowsLayout.graceWord(in: flows[pair]),
            question: inquiries.question, answer: inquiries.answer(ofWorker: number),
            counters: counters(ofWorker: number), wake: wake, others: others)
    }

    /// A worker's counters.
    func counters(ofWorker worker: Int) -> UnsafeMutablePointer<WorkerCounters> {
        unsafe (counters.base + CountersLayout.worker(worker)).assumingMemoryBound(to: WorkerCounters.self)
    }

    private func portQueue(_ pair: Int, _ queue: Int, _ port: Int) throws -> PortQueue {
        let place = DataFiles.socket(ofPair: pair, queue: queue, port: port, in: plan)
        // The mapping stays until the pair is halted, which waits for its workers.
        guard let mapping = mappings[place] else { throw RingError.foreign("a socket without rings") }
        return unsafe PortQueue(
            rings: mapping.rings, socket: descriptors[place], maximumFrame: plan.pairs[pair].ports[port].maximumFrame,
            hardwareAddress: MACAddress(bits: plan.pairs[pair].ports[port].hardwareAddress),
            linkWord: board.linkWord(ofPair: pair, port: port))
    }

    private func eventProducer(_ worker: Int) -> EventProducer {
        unsafe EventProducer(base: events.base + EventsLayout(plan).ring(ofWorker: worker), capacity: Plan.eventCapacity)
    }

    private func secret(_ pair: Int) -> UnsafeMutablePointer<HashSecret> {
        unsafe (flows[pair].base + FlowsLayout.secret).assumingMemoryBound(to: HashSecret.self)
    }

    private func umem(_ pair: Int, _ layout: UMEMLayout) -> UMEM {
        unsafe UMEM(
            frames: umems[pair].base + layout.frames, frameSize: layout.frameSize, framesPerWorker: layout.framesPerWorker,
            workers: layout.workers)
    }

    private func freeList(_ pair: Int, _ worker: Int, _ layout: UMEMLayout) -> FreeList {
        unsafe FreeList(
            base: umems[pair].base + layout.freeList(ofWorker: worker), capacity: layout.framesPerWorker * layout.workers)
    }

    private func handOffTable(_ pair: Int, _ layout: UMEMLayout) -> HandOffTable {
        unsafe HandOffTable(
            base: umems[pair].base + layout.handOffs, workers: layout.workers, capacity: UMEMLayout.handOffCapacity)
    }
}
