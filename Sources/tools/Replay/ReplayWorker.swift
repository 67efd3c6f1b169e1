// SPDX-License-Identifier: Apache-2.0
package import Datapath
package import Flow
package import Net
internal import Record
internal import Ring
internal import Synchronization

/// A worker of one pair over memory of this process: the lane is the daemon's own, and this is the kernel and keeper around it. It
/// takes one frame a turn, so that what became of each can be told from where it went.
@safe package final class ReplayWorker {
    /// Frames as large as the largest capture holds, behind the kernel's headroom.
    private static let frameSize = 131_072
    private static let headroom: UInt64 = 256
    /// More than both fill rings and all that may be held.
    private static let frames = 2_048
    /// More than one frame and the held ones of its datagram.
    private static let ringSize: UInt32 = 256
    private static let events = 1_024

    private let pair: UInt8
    private var lane: Lane
    private var kernels: [KernelPort]
    private let umem = ReplayMemory(byteCount: ReplayWorker.frames * ReplayWorker.frameSize)
    private let counters = ReplayMemory(byteCount: MemoryLayout<WorkerCounters>.size)
    private let parts: [ReplayMemory]
    private var records: EventConsumer
    private var clock: UInt64 = 0

    /// The kernel's side of a port.
    private final class KernelPort {
        var ends: KernelEnds
        init(_ ends: consuming KernelEnds) { self.ends = ends }
    }

    /// A worker of a pair with empty tables for so many flows; its monotonic clock begins at `now`, in nanoseconds.
    package init(pair: UInt8, flows: Int, now: UInt64) {
        self.pair = pair
        let size = Self.ringSize
        let rings = (0..<2).map { _ in ReplayMemory(byteCount: SocketRings.byteCount(size: size)) }
        let link = ReplayMemory(byteCount: 64)
        let free = ReplayMemory(byteCount: FreeList.byteCount(capacity: Self.frames))
        let handOffs = ReplayMemory(byteCount: HandOffTable.byteCount(workers: 1, capacity: 64))
        let events = ReplayMemory(byteCount: EventRingLayout.byteCount(capacity: Self.events))
        let flows4 = ReplayMemory(byteCount: FlowTable<FlowKey4>.byteCount(capacity: flows))
        let flows6 = ReplayMemory(byteCount: FlowTable<FlowKey6>.byteCount(capacity: flows))
        let fragments = ReplayMemory(byteCount: FragmentTable.byteCount)
        parts = rings + [link, free, handOffs, events, flows4, flows6, fragments]
        unsafe FlowTable<FlowKey4>.format(base: flows4.base, capacity: flows)
        unsafe FlowTable<FlowKey6>.format(base: flows6.base, capacity: flows)
        unsafe FragmentTable.format(base: fragments.base)
        let secret = HashSecret { _ in .random(in: 0 ... .max) }
        // Every piece below is as long as its own `byteCount` says, zeroed, page-aligned, and lives as long as the lane.
        guard let table4 = unsafe FlowTable<FlowKey4>(base: flows4.base, capacity: flows, secret: secret),
            let table6 = unsafe FlowTable<FlowKey6>(base: flows6.base, capacity: flows, secret: secret),
            // As many may be held as by a worker of a large machine.
            let fragmentTable = unsafe FragmentTable(base: fragments.base, frames: 8 * FragmentTableSize.frames, secret: secret)
        else { preconditionFailure("a table that was just formatted is whole") }
        let linkWord = unsafe UnsafePointer(link.base.assumingMemoryBound(to: Atomic<UInt32>.self))
        unsafe linkWord.pointee.store(1, ordering: .relaxed)
        kernels = rings.map { unsafe KernelPort(SocketRings.kernelEnds(base: $0.base, size: size)) }
        let ports = InlineArray<2, PortQueue> { number in
            unsafe PortQueue(
                rings: SocketRings(base: rings[number].base, size: size), socket: -1, maximumFrame: .max, linkWord: linkWord)
        }
        unsafe records = EventConsumer(base: events.base, capacity: Self.events)
        lane = unsafe Lane(
            pair: pair, queue: 0, ownerByHash: false, ports: ports,
            umem: UMEM(frames: umem.base, frameSize: Self.frameSize, framesPerWorker: Self.frames, workers: 1),
            free: FreeList(base: free.base, capacity: Self.frames),
            handOffs: HandOffTable(base: handOffs.base, workers: 1, capacity: 64),
            flows: FlowTables(v4: table4, v6: table6, pair: pair), flowCapacity: flows, fragments: fragmentTable,
            counters: counters.base.assumingMemoryBound(to: WorkerCounters.self),
            events: EventProducer(base: events.base, capacity: Self.events))
        lane.free.refill(worker: 0, framesPerWorker: Self.frames, frameSize: Self.frameSize)
        clock = now
    }

    /// What became of frames in one turn.
    package struct Outcome {
        /// The frame that was fed: where it went, or `hold`.
        package var verdict: Verdict
        /// Its address, by which it is known if it is released later.
        var address: UInt64
        /// Its flow as it stands behind the frame, if it has one: who opened it towards whom, and how far it has come.
        package var flow: (text: String, state: FlowState)?
        /// Addresses of frames that were held before and left now.
        var released: [UInt64]
        /// Addresses of frames that were held before and ended now, or while time went by.
        var ended: [(address: UInt64, reason: DropReason)]
        /// Frames of our own that went back out of the port that the frame came in by.
        package var replies: [[UInt8]]
        /// How long the turn took that brought it in.
        package var duration: Duration
    }

    /// Lets a frame go its whole way; `nil` where no free frame was left for it.
    package func feed(_ bytes: [UInt8], port: Int, by policy: PolicyInForce, at now: Moment) -> Outcome? {
        guard bytes.count <= Self.frameSize - Int(Self.headroom) else { return nil }
        let waiting = held
        pass(until: now, by: policy)
        let left = held
        let kernel = kernels[port]
        guard kernel.ends.fill.peek(1) == 1, kernel.ends.receive.free(1) > 0 else { return nil }
        let address = kernel.ends.fill[0] + Self.headroom
        kernel.ends.fill.release(1)
        umem.write(bytes, at: Int(address))
        kernel.ends.receive.push(Descriptor(address: address, length: UInt32(bytes.count)))
        kernel.ends.receive.submit()
        let before = counted
        let duration = ContinuousClock().measure { _ = lane.turn(by: policy, at: now) }
        let sent = send(1 - port).map(\.address)
        // What is sent back is our own: a reply.
        let replies = send(port).map { umem.bytes(at: Int($0.address), count: Int($0.length)) }
        let (after, verdict) = (held, fate(of: address, sent))
        var reasons = gained(port, since: before)
        if let own = verdict.reason, let place = reasons.firstIndex(of: own) { reasons.remove(at: place) }
        let lost = left.filter { !after.contains($0) && !sent.contains($0) }
        while records.drain(limit: Self.events, { _ in }) > 0 {}
        return Outcome(
            verdict: verdict, address: address, flow: flow(), released: sent.filter { $0 != address },
            // Nothing but time ends them without a frame. What one frame ends is of one datagram, and ends for one reason.
            ended: waiting.filter { !left.contains($0) }.map { ($0, .fragmentTimeout) } + zip(lost, reasons).map { ($0, $1) },
            replies: replies, duration: duration)
    }

    /// What became of the frame that was fed.
    private func fate(of address: UInt64, _ sent: [UInt64]) -> Verdict {
        if sent.contains(address) { return .forward }
        return held.contains(address) ? .hold : lane.lastVerdict
    }

    /// The flow of the frame that was fed as it stands now.
    private func flow() -> (text: String, state: FlowState)? {
        guard let reading = lane.lastReading else { return nil }
        let number = lane.flows.find(reading, hash: lane.flows.hash(reading), candidate: .none).number
        return number.isNone ? nil : (describe(lane.flows.identity(of: number)), lane.flows[number].state)
    }

    /// Addresses of the frames that wait, in the order of their datagrams.
    private var held: [UInt64] {
        guard lane.fragments.heldCount > 0 else { return [] }
        var addresses: [UInt64] = []
        lane.fragments.forEachHeld { addresses.append($0.address) }
        return addresses
    }

    /// Lets connections be under way that the tables do not hold, from a second of the monotonic clock on, as after a restart.
    package func oweGrace(from now: Moment) { lane.oweGrace(from: now.nanoseconds) }

    /// Puts a flow into the table as a worker elsewhere has it: opened by a frame of this reading, in a state, with what `fill` writes into
    /// its entry. False where there is no place for it.
    package func restore(_ opening: Reading, _ state: FlowState, at now: Moment, _ fill: (inout FlowEntry) -> Void) -> Bool {
        let number = lane.flows.insert(opening, hash: lane.flows.hash(opening), state: state, now: now.ticks)
        guard !number.isNone else { return false }
        fill(&lane.flows[number])
        return true
    }

    /// Flows that the worker keeps.
    var flows: Int { lane.flows.used }

    /// Turns without a frame up to a moment, so that what was quiet for too long ends when it would have.
    private func pass(until now: Moment, by policy: PolicyInForce) {
        let step: UInt64 = 50_000_000
        let most: UInt64 = 10_000
        // The table tells times apart that lie up to 26 days from each other: a longer silence is passed in parts.
        let longest: UInt64 = 20 * 86_400 * 1_000_000_000
        while now.nanoseconds > clock + longest {
            let part = clock + longest
            for number in 0..<200 as Range<UInt64> {
                clock = part + number * step
                _ = lane.turn(by: policy, at: Moment(nanoseconds: clock, wall: now.wall))
            }
        }
        if now.nanoseconds > clock + step * most { clock = now.nanoseconds - step * most }
        while clock + step < now.nanoseconds {
            clock += step
            _ = lane.turn(by: policy, at: Moment(nanoseconds: clock, wall: now.wall))
        }
        clock = max(clock, now.nanoseconds)
        // A worker that was never asked has given the kernel no free frame yet; and a turn ends only so many that waited for too long.
        var before: Int
        repeat {
            before = lane.fragments.heldCount
            _ = lane.turn(by: policy, at: now)
        } while lane.fragments.heldCount < before
    }

    /// Takes what the port would send, and says that it was sent; the bytes stay until the next turn.
    private func send(_ port: Int) -> [Descriptor] {
        let kernel = kernels[port]
        let count = kernel.ends.transmit.peek(.max)
        let descriptors = (0..<count).map { kernel.ends.transmit[$0] }
        kernel.ends.transmit.release(count)
        for descriptor in descriptors {
            _ = kernel.ends.completion.free(1)
            kernel.ends.completion.push(descriptor.address)
        }
        kernel.ends.completion.submit()
        return descriptors
    }

    private var counted: WorkerCounters { unsafe counters.base.load(as: WorkerCounters.self) }

    /// The reasons for which frames were dropped, one for each.
    private func gained(_ port: Int, since before: WorkerCounters) -> [DropReason] {
        DropReason.allCases.flatMap { reason in
            let place = Int(reason.number)
            let count = counted.ports[port].dropped[place] - before.ports[port].dropped[place]
            return [DropReason](repeating: reason, count: Int(count))
        }
    }
}

/// A flow in words: protocol, initiator, responder.
private func describe(_ flow: FlowIdentity) -> String {
    let (from, to, number) = (flow.source, flow.destination, flow.protocolNumber)
    guard number.hasPorts else { return "\(number.name) \(from.address) > \(to.address)" }
    func end(_ end: (address: Address, port: UInt16)) -> String {
        end.address.isIPv4 ? "\(end.address):\(end.port)" : "[\(end.address)]:\(end.port)"
    }
    return "\(number.name) \(end(from)) > \(end(to))"
}
