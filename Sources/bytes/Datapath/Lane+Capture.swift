// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Flow
internal import Net
internal import Record
internal import Ring
internal import Wire

// Frames are copied for a capture by whoever decides what becomes of them: the worker that owns their flow. Each has up to two sights:
//
//     before   as it came into the burst, staged before anything changes it
//     after    what stands in the transmit rings behind its judgement that did not stand there before: the frame itself, and what Bulkhead
//              says because of it
//
// So no way of a frame through the rooms needs to know of captures, and none can be missed: what the rings hold is what leaves. A frame
// that another worker owns is seen there; one that is held is seen when it goes on or ends.

extension Lane {
    /// Copies the frames in hand aside that the order in force may want; false where it wants none. Plain packets are recognised by now, and
    /// chosen by their keys alone; whatever changes a frame comes behind this.
    @_noLocks @inline(never)
    mutating func stage(_ count: UInt32, by policy: borrowing PolicyInForce, at now: Moment) -> Bool {
        guard capture.isOn(at: now.nanoseconds) else { return false }
        capture.clear()
        let (notes, quick) = (burst.notes.view, capture.quick)
        for index in 0..<Int(count) {
            if notes[index].steps & FrameNote.plain != 0, quick.rulesOut(notes[index].keys) { continue }
            let descriptor = notes[index].descriptor
            // A kernel or driver that lies about a descriptor must not make us read elsewhere.
            guard umem.contains(descriptor.address, length: descriptor.length) else { continue }
            var frame = StagedFrame()
            frame.fault = readThrough(descriptor, policy, into: &frame.reading)
            guard capture.order.wants(frame.reading) else { continue }
            frame.length = descriptor.length
            frame.captured = capture.order.cut(descriptor.length, frame.reading, isRead: frame.fault == nil)
            unsafe umem.copy(descriptor, UInt32(frame.captured), to: capture.place(index))
            capture.staged[index] = frame
            capture.stage(index)
        }
        return capture.isAnyStaged
    }

    /// Judges the frames in hand one by one, as `handle` does, and copies what the order wants of each.
    @_noLocks @inline(never)
    mutating func judgeSeen(_ count: UInt32, _ stamps: FlowStamps, by policy: PolicyInForce, at now: Moment) {
        let notes = burst.notes.view
        for index in 0..<Int(count) {
            let sent = (ports[0].rings.transmit.position, ports[1].rings.transmit.position)
            // What stays so is held, or another worker's.
            burst.verdict = .hold
            judgeOne(index, notes, by: policy, stamps, at: now)
            guard capture.isStaged(index), let fate = CapturedFate(burst.verdict) else { continue }
            see(index, fate, behind: sent, policy, now)
        }
    }

    /// Copies a staged frame whose fate is known, and what was sent because of it.
    @_noLocks
    private mutating func see(
        _ index: Int, _ fate: CapturedFate, behind sent: (UInt32, UInt32), _ policy: borrowing PolicyInForce, _ now: Moment
    ) {
        if burst.isResolved(index) {
            burst.facts[index].give(to: &capture.staged[index].reading)
            guard capture.order.wantsTransport(capture.staged[index].reading) else { return }
        }
        guard capture.order.wants(fate.kind, because: fate.reason), let serial = capture.admit(at: now.nanoseconds) else {
            return
        }
        let descriptor = burst.notes[index].descriptor
        let port = UInt8(truncatingIfNeeded: descriptor.options & 1)
        var frame = facts(of: capture.staged[index], fate, port: port, policy, now)
        frame.serial = serial
        if burst.isReleasing { frame.marks |= CapturedFrame.Marks.held }
        let room = capture.ring.room()
        var used: UInt64 = 0
        if capture.order.sights & CaptureOrder.Bits.before != 0, room > 0 {
            unsafe capture.write(frame, UnsafeRawPointer(capture.place(index)), at: 0)
            used = 1
        }
        var isWhole = room > 0
        if capture.order.sights & CaptureOrder.Bits.after != 0 {
            isWhole = seeSent(by: 0, from: sent.0, descriptor, frame, room, &used) && isWhole
            isWhole = seeSent(by: 1, from: sent.1, descriptor, frame, room, &used) && isWhole
        }
        if !isWhole { capture.ring.lose() }
        capture.ring.publish(used)
    }

    /// Copies what a port was given to send since `start` into the slots from `used` on; false where they did not suffice.
    @_noLocks
    private mutating func seeSent(
        by port: Int, from start: UInt32, _ trigger: Descriptor, _ before: CapturedFrame, _ room: UInt64, _ used: inout UInt64
    ) -> Bool {
        var position = start
        while position != ports[port].rings.transmit.position {
            guard used < room else { return false }
            let descriptor = ports[port].rings.transmit[position]
            position &+= 1
            guard umem.contains(descriptor.address, length: descriptor.length) else { continue }
            var (frame, reading) = (before, Reading())
            let isOwn = descriptor.address != trigger.address
            let fault = umem.read(descriptor, into: &reading)
            let cut = isOwn ? capture.order.cut(descriptor.length, reading, isRead: fault == nil) : UInt32(before.captured)
            frame.sight = isOwn ? CapturedFrame.Sight.generated.number : CapturedFrame.Sight.after.number
            frame.port = UInt8(truncatingIfNeeded: port)
            frame.length = descriptor.length
            frame.captured = UInt16(truncatingIfNeeded: cut)
            unsafe capture.write(frame, UnsafeRawPointer(umem.bytes(at: descriptor.address)), at: used)
            used &+= 1
        }
        return true
    }

    /// Copies a held frame that ends without its first fragment.
    @_noLocks @inline(never)
    mutating func seeHeld(
        _ frame: HeldFrame, because reason: DropReason, _ policy: borrowing PolicyInForce, at nanoseconds: UInt64
    ) {
        let descriptor = Descriptor(address: frame.address, length: frame.length, options: frame.port & 1)
        guard let (staged, serial) = stageEnd(descriptor, reason, at: nanoseconds) else { return }
        let now = Moment(nanoseconds: nanoseconds, wall: 0)
        var seen = facts(
            of: staged, CapturedFate(.drop, reason.number), port: UInt8(truncatingIfNeeded: frame.port & 1), policy, now)
        seen.marks |= CapturedFrame.Marks.held
        seen.serial = serial
        writeEnd(seen, descriptor)
    }

    /// Copies a frame that is dropped unjudged because it is old. Nobody is asked about it: there may be no policy to ask.
    @_noLocks @inline(never)
    mutating func seeStale(_ descriptor: Descriptor, because reason: DropReason, isHeld: Bool, at nanoseconds: UInt64) {
        guard let (staged, serial) = stageEnd(descriptor, reason, at: nanoseconds) else { return }
        var seen = CapturedFrame()
        let port = UInt8(truncatingIfNeeded: descriptor.options & 1)
        note(staged, CapturedFate(.drop, reason.number), port: port, nanoseconds, in: &seen)
        if isHeld { seen.marks |= CapturedFrame.Marks.held }
        seen.serial = serial
        writeEnd(seen, descriptor)
    }

    /// A frame that ends without being judged, and its number; `nil` where it is not wanted, or there is no room for it.
    @_noLocks
    private mutating func stageEnd(
        _ descriptor: Descriptor, _ reason: DropReason, at nanoseconds: UInt64
    ) -> (StagedFrame, UInt64)? {
        guard capture.isOn(at: nanoseconds), umem.contains(descriptor.address, length: descriptor.length) else { return nil }
        var staged = StagedFrame()
        staged.fault = umem.read(descriptor, into: &staged.reading)
        guard capture.order.wants(staged.reading), capture.order.wants(.drop, because: reason.number),
            capture.order.sights & CaptureOrder.Bits.before != 0, let serial = capture.admit(at: nanoseconds)
        else { return nil }
        guard capture.ring.room() > 0 else {
            capture.ring.lose()
            return nil
        }
        staged.length = descriptor.length
        staged.captured = capture.order.cut(descriptor.length, staged.reading, isRead: staged.fault == nil)
        return (staged, serial)
    }

    @_noLocks
    private mutating func writeEnd(_ frame: CapturedFrame, _ descriptor: Descriptor) {
        unsafe capture.write(frame, UnsafeRawPointer(umem.bytes(at: descriptor.address)), at: 0)
        capture.ring.publish(1)
    }

    /// Reads a frame's headers, those inside its tunnels where policy judges these.
    @_noLocks
    private func readThrough(
        _ descriptor: Descriptor, _ policy: borrowing PolicyInForce, into reading: inout Reading
    ) -> DropReason? {
        if let reason = umem.read(descriptor, into: &reading) { return reason }
        while reading.carried.kind.number != 0, policy.snapshot.judgesInside(of: reading.carried, pair: pair) {
            let outer = reading
            if let reason = umem.readInner(descriptor, of: outer, into: &reading) { return reason }
        }
        return nil
    }
}

/// What became of a frame, with the number of the reason.
struct CapturedFate: BitwiseCopyable {
    let kind: CapturedFrame.Fate
    /// A `DropReason`'s number, or none.
    let reason: UInt8

    @_noLocks
    init(_ kind: CapturedFrame.Fate, _ reason: UInt8) {
        self.kind = kind
        self.reason = reason
    }

    /// The fate that a verdict is; `nil` where it is none yet.
    @_noLocks
    init?(_ verdict: Verdict) {
        switch verdict {
        case .forward: self.init(.forward, .max)
        case .drop(let reason): self.init(.drop, reason.number)
        case .reject(let reason): self.init(.reject, reason.number)
        case .inspect: self.init(.drop, DropReason.unjudged.number)
        case .hold: return nil
        }
    }
}

extension UMEM {
    /// The door to a frame's bytes; the caller has checked that the descriptor lies inside the UMEM, and that it has as many.
    @_semantics("no_performance_analysis")
    func copy(_ descriptor: Descriptor, _ count: UInt32, to place: UnsafeMutableRawPointer) {
        unsafe place.copyMemory(from: bytes(at: descriptor.address), byteCount: Int(count))
    }
}
