// SPDX-License-Identifier: Apache-2.0
public import Net
internal import Record
internal import Ring

// Where frames come from and go to beside the transmit rings: the kernel's fill and completion rings, the free list, and the rings
// between workers. A frame that another worker is at home with goes back to it, because the UMEM is divided evenly and a worker
// that only gives would run dry.

extension Lane {
    /// Takes back what the port has sent.
    @_noLocks
    mutating func complete(_ port: Int) {
        let count = ports[port].rings.completion.peek(.max)
        guard count > 0 else { return }
        let completed = ports[port].rings.completion.view
        if ownerByHash {
            for offset in 0..<count { release(completed[offset]) }
        } else {
            free.push(count, of: completed, in: umem)
        }
        ports[port].rings.completion.release(count)
    }

    /// Gives the kernel free frames to receive into.
    @_noLocks
    mutating func refill(_ port: Int) {
        // A quarter of the ring at a time, so that the position is published rarely.
        let room = ports[port].rings.fill.free(512)
        guard room >= 64 else { return }
        if ports[port].rings.fill.push(atMost: room, of: &free) > 0 { ports[port].rings.fill.submit() }
    }

    /// Makes a frame free: here, or at home.
    @_noLocks
    mutating func release(_ address: UInt64) {
        // What names no frame is none: a descriptor that lies must not come back to the kernel as a free frame.
        guard umem.contains(address, length: 0) else { return }
        let start = umem.frameStart(address)
        guard ownerByHash else {
            _ = free.push(start)
            return
        }
        let home = umem.homeWorker(of: start)
        if home == Int(queue) || home >= handOffs.workers {
            _ = free.push(start)
        } else if !handOffs.ring(from: Int(queue), to: home, returning: true).push(Descriptor(address: start, length: 0)) {
            // The way home is full: the frame stays here. No frame is lost, and the home worker still has its own fill rings.
            _ = free.push(start)
        }
    }

    /// Takes frames that other workers have finished with.
    @_noLocks
    mutating func takeHome() {
        guard ownerByHash else { return }
        for other in 0..<handOffs.workers where other != Int(queue) {
            let ring = handOffs.ring(from: other, to: Int(queue), returning: true)
            var budget = 256
            while budget > 0, let descriptor = ring.pop() {
                _ = free.push(descriptor.address)
                budget &-= 1
            }
        }
    }

    /// Takes frames that another worker received and this one owns; they are in hand from here on, and counted as received here.
    @_noLocks
    mutating func takeOver(from other: Int) -> UInt32 {
        guard other != Int(queue) else { return 0 }
        let ring = handOffs.ring(from: other, to: Int(queue), returning: false)
        var count: UInt32 = 0
        burst.areVerified = true
        burst.isOfOnePort = false
        while count < Lane.burstSize, let descriptor = ring.pop() {
            burst.notes[Int(count)].descriptor = descriptor
            if !descriptor.isVerified { burst.areVerified = false }
            let port = Int(descriptor.options & 1)
            unsafe counters.pointee.ports[port].received &+= 1
            unsafe counters.pointee.ports[port].receivedBytes &+= UInt64(descriptor.length)
            count &+= 1
        }
        if count > 0 { unsafe counters.pointee.takenOver &+= UInt64(count) }
        return count
    }

    /// Passes a frame in hand to the worker that owns its flow; it is no longer counted as received here.
    @_noLocks
    mutating func handOver(_ index: Int, to owner: Int) {
        let descriptor = burst.notes[index].descriptor
        let port = Int(descriptor.options & 1)
        guard var passed = descriptorToPass(index) else {
            let frame = Frame(address: descriptor.address, length: descriptor.length)
            return dropUnsent(frame, from: port, because: .fragmentLimit)
        }
        if settings.verifiesChecksums != 0 { passed = passed.verified() }
        guard handOffs.ring(from: Int(queue), to: owner, returning: false).push(passed) else {
            let frame = Frame(address: descriptor.address, length: descriptor.length)
            return dropUnsent(frame, from: port, because: .handOffFull)
        }
        unsafe counters.pointee.ports[port].received &-= 1
        unsafe counters.pointee.ports[port].receivedBytes &-= UInt64(descriptor.length)
        unsafe counters.pointee.handedOver &+= 1
        handedTo |= 1 << UInt32(truncatingIfNeeded: owner)
    }

    /// Drops whatever waits in the receive rings, in the rings of other workers, and for the first fragment of its datagram: it came
    /// before a pause, a hang or a change of mode, and nothing old is sent late. The time, in nanoseconds of the monotonic clock, is for
    /// a capture alone.
    @_noLocks
    public mutating func dropStale(at nanoseconds: UInt64 = 0) -> UInt32 {
        var dropped: UInt32 = 0
        for port in 0..<2 {
            var count = receive(port)
            while count > 0 {
                dropInHand(count, because: .stale, at: nanoseconds)
                dropped &+= count
                count = receive(port)
            }
        }
        dropped &+= dropHeld(because: .stale, at: nanoseconds)
        guard ownerByHash else { return dropped }
        for other in 0..<handOffs.workers where other != Int(queue) {
            // As many as wait now: what the other worker adds meanwhile is fresh.
            var waiting = handOffs.ring(from: other, to: Int(queue), returning: false).count
            while waiting > 0 {
                let count = takeOver(from: other)
                guard count > 0 else { break }
                dropInHand(count, because: .stale, at: nanoseconds)
                dropped &+= count
                waiting = waiting > UInt64(count) ? waiting &- UInt64(count) : 0
            }
        }
        return dropped
    }

    /// Takes back what waits in the transmit ring of a port that has lost its link, or of any port after a pause, so that it does not
    /// leave late. The slots stay and name no valid address: the kernel skips them, counted as invalid, and completes none. Only in
    /// copy mode, or while the port is down: a zero-copy driver reads the ring by itself.
    public mutating func withdraw(_ port: Int, because reason: DropReason = .linkDown) -> UInt32 {
        let from = 1 - port
        var taken: [Descriptor] = []
        taken.reserveCapacity(64)
        ports[port].rings.transmit.withdraw(replacingWith: Descriptor(address: .max, length: 0)) { old in
            if old.address != .max { taken.append(old) }
        }
        for descriptor in taken {
            release(descriptor.address)
            guard umem.frameStart(descriptor.address) != descriptor.address else {
                // One of our own, which came in by no port (see `answer`).
                unsafe counters.pointee.ports[port].generated &-= 1
                continue
            }
            unsafe counters.pointee.ports[from].forwarded &-= 1
            unsafe counters.pointee.ports[from].forwardedBytes &-= UInt64(descriptor.length)
            unsafe counters.pointee.ports[from].dropped[Int(reason.number)] &+= 1
        }
        return UInt32(taken.count)
    }

    @_noLocks
    private mutating func dropInHand(_ count: UInt32, because reason: DropReason, at nanoseconds: UInt64) {
        for index in 0..<Int(count) {
            let descriptor = burst.notes[index].descriptor
            if capture.isArmed { seeStale(descriptor, because: reason, isHeld: false, at: nanoseconds) }
            let frame = Frame(address: descriptor.address, length: descriptor.length)
            drop(frame, from: Int(descriptor.options & 1), because: reason)
        }
    }
}

extension Lane {
    /// Hands everything that was pushed to the kernel.
    @_noLocks
    public func submit() {
        ports[0].rings.transmit.submit()
        ports[1].rings.transmit.submit()
        ports[0].rings.fill.submit()
        ports[1].rings.fill.submit()
    }

    /// Whether nothing waits for this worker: neither in its receive rings nor in the rings of the others, nor for the kernel to be
    /// asked again to send by a port with a link; and no flow for being judged again.
    @_noLocks
    public func isQuietNow() -> Bool {
        if rounds.isUnderWay { return false }
        for port in 0..<2 {
            guard ports[port].rings.receive.peek(1) == 0 else { return false }
            if ports[port].hasLink && ports[port].rings.transmit.pending > 0 { return false }
        }
        guard ownerByHash else { return true }
        for other in 0..<handOffs.workers where other != Int(queue) {
            if handOffs.ring(from: other, to: Int(queue), returning: false).count > 0 { return false }
        }
        return true
    }
}
