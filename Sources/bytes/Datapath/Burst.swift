// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Flow
public import Net
internal import Record
internal import Ring
internal import Wire

// A worker's turn, in path order. This file is the whole way of a frame; each line is a call into a room.
//
//     completion ring ─► free list ─► fill ring          what was sent comes back, the kernel gets free frames
//     receive ring, hand-off rings ─► the burst in hand  at most 64 frames a port and turn
//       plain     what most frames are goes a short way  (Lane+Plain: recognised, suggested, passed)
//       read      bytes -> reading, or a reason          (Wire)
//       enter     the tunnel that policy judges inside   (Wire)
//       verify    the transport's checksum               (Wire)
//       gather    fragments: ports of the first, or hold (Flow)
//       own       whose flow is it? ─► hand-off ring     another worker's
//       suggest   bucket -> the entry it is likely to be (Flow; each stage asks for the memory that the next one reads, in a loop
//                                                         of its own over the burst, so that the waits overlap)
//       prepare   the questions of first frames          (Lane+Openings)
//       judge     layer 2, known flow, or policy         (Flow, Classifier)
//     verdict ─► transmit ring of the other port, or free list; what is rejected, an answer to the port that it came in by
//
// The order is not free: the completion ring is drained first, because the kernel stops sending when it is full; the fill ring is
// filled before receiving, because an empty one deadlocks a port whose frames all wait; what was pushed is submitted before the
// engine makes its wake-up call. Receiving stops at what the burst holds: under overload the NIC drops, which costs nothing.

extension Lane {
    /// One turn over both ports and what other workers passed; says how many frames it handled. The engine kicks afterwards.
    @_noLocks
    public mutating func turn(by policy: PolicyInForce, at now: Moment) -> UInt32 {
        var handled: UInt32 = 0
        adopt(policy)
        takeHome()
        for port in 0..<2 {
            complete(port)
            refill(port)
            let count = receive(port)
            handle(count, by: policy, at: now)
            handled &+= count
        }
        var other = 0
        while ownerByHash && other < handOffs.workers {
            let count = takeOver(from: other)
            handle(count, by: policy, at: now)
            handled &+= count
            other &+= 1
        }
        var released = takeReleased()
        while released > 0 {
            handle(released, by: policy, at: now)
            released = takeReleased()
        }
        ports[0].rings.transmit.submit()
        ports[1].rings.transmit.submit()
        sweepSome(after: handled, by: policy, at: now)
        expire(by: policy, at: now)
        return handled
    }

    /// The stages over the `count` frames in hand.
    @_noLocks
    mutating func handle(_ count: UInt32, by policy: PolicyInForce, at now: Moment) {
        guard count > 0 else { return }
        let stamps = FlowStamps(
            generation: policy.snapshot.generation, epoch: policy.map.epoch, wall: now.wall, timer: now.seconds)
        let others = recogniseAll(Int(count), policy)
        let isSeen = capture.isArmed && stage(count, by: policy, at: now)
        if others > 0 { readOthers(Int(count), by: policy, at: now) }
        var unknown = suggestPlain(Int(count))
        if others > 0 { unknown &+= suggestOthers(Int(count)) }
        if unknown > 0 { prepareOpenings(count, by: policy, stamps, at: now) }
        if isSeen { return judgeSeen(count, stamps, by: policy, at: now) }
        if burst.isOfOnePort { return judgeReceived(Int(count), by: policy, stamps, at: now) }
        judgeMixed(Int(count), by: policy, stamps, at: now)
    }

    /// The last stage over the frames in hand, which came in by one port: each ends its way. What belongs to the ports is found once.
    @_noLocks @inline(never)
    private mutating func judgeReceived(
        _ count: Int, by policy: borrowing PolicyInForce, _ stamps: FlowStamps, at now: Moment
    ) {
        let notes = burst.notes.view
        let port = Int(notes[0].port)
        var sent = Sent()
        for index in notes.places(count) where !judgePlain(index, notes, from: port, stamps, now, &sent) {
            settle(index, by: policy, at: now)
        }
        account(sent, from: port)
    }

    /// The same over frames that other workers passed, or that were held.
    @_noLocks @inline(never)
    private mutating func judgeMixed(
        _ count: Int, by policy: borrowing PolicyInForce, _ stamps: FlowStamps, at now: Moment
    ) {
        let notes = burst.notes.view
        for index in 0..<count { judgeOne(index, notes, by: policy, stamps, at: now) }
    }

    /// The same of one frame.
    @_noLocks @inline(__always)
    mutating func judgeOne(
        _ index: Int, _ notes: ColumnView<FrameNote>, by policy: borrowing PolicyInForce, _ stamps: FlowStamps, at now: Moment
    ) {
        let port = Int(notes[index].port)
        var sent = Sent()
        guard judgePlain(index, notes, from: port, stamps, now, &sent) else { return settle(index, by: policy, at: now) }
        account(sent, from: port)
    }

    /// What becomes of a frame that did not go the short way.
    @_noLocks @inline(never)
    mutating func settle(_ index: Int, by policy: PolicyInForce, at now: Moment) {
        if let owner = foreignOwner(index) { return handOver(index, to: owner) }
        if burst.isPlain(index) { readAfterAll(index, by: policy, at: now) }
        burst.verdict = judge(index, by: policy, at: now)
        dispatch(index, burst.verdict, at: now)
    }

    /// The verdict on the frame that was judged last, for whoever feeds one frame a turn; what it released does not count.
    public var lastVerdict: Verdict { burst.verdict }

    /// What was read from that frame, with what is known of its datagram; `nil` where it belongs to no flow. Where frames were released,
    /// it may be the reading of one of these, which is of the same flow.
    public var lastReading: Reading? {
        guard burst.isPlain(0) else { return isPacket(0) ? burst.readings[0] : nil }
        var reading = Reading()
        return umem.read(burst.notes[0].descriptor, into: &reading) == nil ? reading : nil
    }

    /// Takes what the port has received; the frames are in hand from here on, and their first lines on their way.
    @_noLocks @inline(always)
    mutating func receive(_ port: Int) -> UInt32 {
        let count = ports[port].rings.receive.peek(Lane.burstSize)
        guard count > 0 else { return 0 }
        burst.areVerified = false
        burst.isOfOnePort = true
        let (received, notes, umem) = (ports[port].rings.receive.view, burst.notes.view, self.umem)
        var bytes: UInt64 = 0
        for offset in 0..<count {
            var descriptor = received[offset]
            descriptor.options = UInt32(truncatingIfNeeded: port)
            bytes &+= UInt64(descriptor.length)
            notes[Int(offset)].descriptor = descriptor
            umem.prefetch(descriptor.address)
        }
        ports[port].rings.receive.release(count)
        burst.areLong = bytes > UInt64(count) &* BurstNotes.shortFrame
        unsafe counters.pointee.ports[port].received &+= UInt64(count)
        unsafe counters.pointee.ports[port].receivedBytes &+= bytes
        unsafe counters.pointee.ports[port].ringPosition &+= UInt64(count)
        return count
    }

    /// Reads the frame's headers, those inside a tunnel where policy judges these, and asks for the bucket of its flow.
    @_noLocks @inline(never)
    mutating func read(_ index: Int, by policy: borrowing PolicyInForce, at now: Moment) {
        let descriptor = burst.notes[index].descriptor
        burst.notes[index].steps = 0
        burst.notes[index].owner = queue
        // A kernel or driver that lies about a descriptor must not make us read elsewhere.
        guard umem.contains(descriptor.address, length: descriptor.length) else {
            burst.notes[index].reason = .truncated
            return
        }
        burst.notes[index].reason = umem.read(descriptor, into: &burst.readings[index])
        guard burst.notes[index].reason == nil else { return }
        if burst.readings[index].carried.kind.number != 0 {
            enterTunnel(index, by: policy)
            guard burst.notes[index].reason == nil else { return }
        }
        if settings.verifiesChecksums != 0 {
            verifyChecksum(index)
            guard burst.notes[index].reason == nil else { return }
        }
        if case .fragment = burst.readings[index].kind { gather(index, by: policy, at: now) }
        guard isPacket(index) else { return }
        if burst.readings[index].marks.rawValue & Reading.Marks.icmpError.rawValue != 0 { return readQuoted(index) }
        findBucket(index)
    }

    /// The hash of the frame's flow, and its owner; asks for the bucket.
    @_noLocks @inline(always)
    mutating func findBucket(_ index: Int) {
        burst.notes[index].hash = flows.hash(burst.readings[index], keeping: &burst.notes[index].keys)
        if ownerByHash { noteOwner(index) }
    }

    /// Who owns what has the hash.
    @_noLocks @discardableResult
    mutating func noteOwner(_ index: Int) -> UInt8 {
        let owner = UInt8(truncatingIfNeeded: Lane.owner(of: burst.notes[index].hash, among: handOffs.workers))
        burst.notes[index].owner = owner
        return owner
    }

    /// Looks into the buckets of the packets that were read for the entries that they suggest, and asks for these; says for how many there
    /// is none.
    @_noLocks @inline(never)
    private mutating func suggestOthers(_ count: Int) -> Int {
        var unknown = 0
        for index in 0..<count where !burst.isPlain(index) && suggest(index) { unknown &+= 1 }
        return unknown
    }

    /// The same of one frame that was read; true where there is none.
    @_noLocks @inline(__always)
    mutating func suggest(_ index: Int) -> Bool {
        guard isPacket(index) else {
            burst.notes[index].candidate = .none
            return false
        }
        let number = flows.suggest(burst.notes[index].hash, isIPv4: burst.notes[index].keys.isIPv4)
        burst.notes[index].candidate = number
        return number.isNone
    }

    /// Whether the frame has a transport whose ports are known, and so belongs to a flow.
    @_noLocks @inline(always)
    func isPacket(_ index: Int) -> Bool {
        guard burst.notes[index].reason == nil else { return false }
        if case .packet = burst.readings[index].kind { return true }
        return burst.isResolved(index)
    }

    /// The worker that owns the frame's flow, or the datagram that it is a fragment of, where that is another one.
    @_noLocks @inline(always)
    func foreignOwner(_ index: Int) -> Int? {
        guard ownerByHash, burst.notes[index].owner != queue else { return nil }
        return Int(burst.notes[index].owner)
    }

    /// The worker that owns a flow, by bits of its hash that choose neither the bucket in the flow table (the upper 32) nor the tag in
    /// it (the lowest 16): else each worker's flows would crowd in a part of its buckets.
    @_noLocks
    static func owner(of hash: UInt64, among workers: Int) -> Int {
        Int(truncatingIfNeeded: ((hash >> 16 & 0xffff) &* UInt64(workers)) >> 16)
    }

    /// The end of a frame's way: exactly one ring, or the free list.
    @_noLocks @inline(always)
    mutating func dispatch(_ index: Int, _ verdict: Verdict, at now: Moment) {
        let descriptor = burst.notes[index].descriptor
        let port = Int(descriptor.options & 1)
        switch verdict {
        case .forward: forward(descriptor, from: port, at: now)
        case .drop(let reason): drop(Frame(address: descriptor.address, length: descriptor.length), from: port, because: reason)
        case .reject(let reason):
            answer(index, at: now)
            drop(Frame(address: descriptor.address, length: descriptor.length), from: port, because: reason)
        case .hold: if let reason = hold(index, from: port) { burst.verdict = .drop(reason) }
        case .inspect:
            // Nothing yields it yet, because no rule inspects. A frame that came here would be unjudged.
            drop(Frame(address: descriptor.address, length: descriptor.length), from: port, because: .unjudged)
        }
    }

    /// Ends a frame's way, counted under its reason.
    @_noLocks
    mutating func drop(_ frame: consuming Frame, from port: Int, because reason: DropReason) {
        unsafe counters.pointee.ports[port].dropped[Int(reason.number)] &+= 1
        release(frame.surrender().address)
    }
}

extension UMEM {
    /// The one door from a descriptor to a span; the caller has checked that the descriptor lies inside the UMEM.
    @_semantics("no_performance_analysis")
    func read(_ descriptor: Descriptor, into reading: inout Reading) -> DropReason? {
        unsafe Wire.read(
            RawSpan(_unsafeStart: bytes(at: descriptor.address), byteCount: Int(descriptor.length)), into: &reading)
    }
}
