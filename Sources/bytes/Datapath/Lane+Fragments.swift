// SPDX-License-Identifier: Apache-2.0
internal import Flow
internal import Net
internal import Record
internal import Ring

// Fragments: each goes its way alone, with the ports of its datagram's first one (see FragmentTable). Where a pair has several workers,
// the datagram has an owner of its own, because only the first fragment tells whose flow it is: a fragment goes there first, and from
// there to the owner of the flow, with what the first one said in its own headroom. A frame that was held goes the same way.

extension Lane {
    /// The bit of `Descriptor.options` that says that the frame's facts are in its headroom.
    @inlinable static var hasFacts: UInt32 { @_noLocks get { 2 } }

    /// Adds a fragment to its datagram: the frame is resolved behind this, or is to be held, or another worker's, or ends.
    @_noLocks @inline(never)
    mutating func gather(_ index: Int, by policy: borrowing PolicyInForce, at now: Moment) {
        let descriptor = burst.notes[index].descriptor
        if descriptor.options & Lane.hasFacts != 0 { return resolve(index, by: umem.facts(of: descriptor)) }
        let port = descriptor.options & 1
        let fragment = FragmentPiece(of: burst.readings[index], pair: pair, port: UInt8(truncatingIfNeeded: port))
        let hash = fragments.hash(fragment.key)
        if ownerByHash {
            burst.notes[index].owner = UInt8(truncatingIfNeeded: Lane.owner(of: hash, among: handOffs.workers))
            guard burst.notes[index].owner == queue else { return }
        }
        // No error is long enough to need fragments (RFC 1812, 4.3.2.3; RFC 4443, 2.4): the quoted packet would stand in one of them only.
        let isError = burst.readings[index].marks.rawValue & Reading.Marks.icmpError.rawValue != 0
        let facts = FragmentFacts(of: burst.readings[index])
        switch fragments.add(fragment, hash, facts: facts, fault: isError ? .badICMP : nil, settings, now: now.ticks) {
        case .known(let facts): resolve(index, by: facts)
        // Until it is held, the datagram's number stands where a flow's hash would.
        case .waits(let number): burst.notes[index].hash = UInt64(number)
        case .refused(let reason, let number):
            burst.notes[index].reason = reason
            while let frame = fragments.takeDead(number) {
                if capture.isArmed { seeHeld(frame, because: reason, policy, at: now.nanoseconds) }
                drop(frame, because: reason)
            }
        }
    }

    /// Gives a fragment in hand what its datagram's first one said.
    @_noLocks
    private mutating func resolve(_ index: Int, by facts: FragmentFacts) {
        facts.give(to: &burst.readings[index])
        burst.facts[index] = facts
        burst.notes[index].steps |= FrameNote.resolved
    }

    /// The descriptor by which a frame in hand goes to another worker: a resolved fragment takes its facts along. `nil` where they find
    /// no room in the frame.
    @_noLocks
    func descriptorToPass(_ index: Int) -> Descriptor? {
        var descriptor = burst.notes[index].descriptor
        guard burst.isResolved(index) else { return descriptor }
        guard umem.keep(burst.facts[index], with: descriptor) else { return nil }
        descriptor.options |= Lane.hasFacts
        return descriptor
    }

    /// Keeps a fragment that waits for its datagram's first; says why where there is no room for it, and it has ended then.
    @_noLocks @inline(never)
    mutating func hold(_ index: Int, from port: Int) -> DropReason? {
        let descriptor = burst.notes[index].descriptor
        let frame = Frame(address: descriptor.address, length: descriptor.length)
        let number = UInt32(truncatingIfNeeded: burst.notes[index].hash)
        if let reason = fragments.hold(
            number, address: frame.address, length: frame.length, port: UInt32(truncatingIfNeeded: port), settings)
        {
            drop(frame, from: port, because: reason)
            return reason
        }
        // The table has it now.
        _ = frame.surrender()
        unsafe counters.pointee.ports[port].held &+= 1
        return nil
    }

    /// Takes fragments in hand that need to wait no more; says how many.
    @_noLocks
    mutating func takeReleased() -> UInt32 {
        var count: UInt32 = 0
        burst.areVerified = false
        burst.isOfOnePort = false
        while count < Lane.burstSize, !fragments.isEmpty, let (frame, facts) = fragments.nextReleased() {
            var descriptor = Descriptor(address: frame.address, length: frame.length, options: frame.port)
            unsafe counters.pointee.ports[Int(frame.port & 1)].held &-= 1
            guard umem.keep(facts, with: descriptor) else {
                drop(Frame(address: frame.address, length: frame.length), from: Int(frame.port & 1), because: .fragmentLimit)
                continue
            }
            descriptor.options |= Lane.hasFacts
            burst.notes[Int(count)].descriptor = descriptor
            count &+= 1
        }
        noteReleased(count)
        return count
    }

    /// Ends the turn where nothing was left to release. The verdict that is kept is that on what came in.
    @_noLocks
    private mutating func noteReleased(_ count: UInt32) {
        if count > 0 {
            if !burst.isReleasing { burst.verdictOfReceived = burst.verdict }
            burst.isReleasing = true
        } else {
            if burst.isReleasing { burst.verdict = burst.verdictOfReceived }
            burst.isReleasing = false
            fragments.endTurn()
        }
    }

    /// Ends datagrams whose fragments did not all come in time, a few each turn.
    @_noLocks
    mutating func expireFragments(by policy: borrowing PolicyInForce, at now: Moment) {
        guard !fragments.isEmpty else { return }
        var steps = 64
        while let frame = fragments.nextExpired(now: now.ticks, timeout: settings.fragmentTimeout, steps: &steps) {
            if capture.isArmed { seeHeld(frame, because: .fragmentTimeout, policy, at: now.nanoseconds) }
            drop(frame, because: .fragmentTimeout)
        }
    }

    /// Drops every frame that is held, and says how many.
    @_noLocks
    mutating func dropHeld(because reason: DropReason, at nanoseconds: UInt64) -> UInt32 {
        var (number, count): (UInt32, UInt32) = (0, 0)
        while let frame = fragments.takeAny(from: &number) {
            if capture.isArmed {
                let descriptor = Descriptor(address: frame.address, length: frame.length, options: frame.port & 1)
                seeStale(descriptor, because: reason, isHeld: true, at: nanoseconds)
            }
            drop(frame, because: reason)
            count &+= 1
        }
        return count
    }

    /// Ends the way of a frame that was held.
    @_noLocks
    private mutating func drop(_ frame: HeldFrame, because reason: DropReason) {
        let port = Int(frame.port & 1)
        unsafe counters.pointee.ports[port].held &-= 1
        drop(Frame(address: frame.address, length: frame.length), from: port, because: reason)
    }
}

extension UMEM {
    /// Writes facts into a frame's headroom, right before its first byte; false where there is no room, which no kernel leaves so
    /// (XDP_PACKET_HEADROOM is 256 bytes).
    @_noLocks
    func keep(_ facts: FragmentFacts, with descriptor: Descriptor) -> Bool {
        guard contains(descriptor.address, length: descriptor.length),
            descriptor.address &- frameStart(descriptor.address) >= 16
        else { return false }
        // 16 bytes of the frame's own memory, by the guard.
        unsafe (bytes(at: descriptor.address) - 16).storeBytes(of: facts, as: FragmentFacts.self)
        return true
    }

    /// The facts that lie in a frame's headroom.
    @_noLocks
    func facts(of descriptor: Descriptor) -> FragmentFacts {
        // Only `keep` lets a descriptor say that they are there.
        unsafe (bytes(at: descriptor.address) - 16).loadUnaligned(as: FragmentFacts.self)
    }
}
