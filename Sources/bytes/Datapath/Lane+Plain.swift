// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Flow
internal import Net
internal import Record
internal import Ring
internal import Wire

// The short way: a plain packet (`readPlain` in Wire) of an established flow whose verdict is in force, or a datagram of a connection that
// was refused a moment ago. It is recognised without a reading being made of it, and passes the stages of a burst by a few
// compares each. Whatever is not so goes the long way from its start, and nothing was changed until then: a frame that was recognised
// and finds no verdict is read after all.

extension Lane {
    /// What makes a frame plain under a policy. Where a zone is on the link itself none is: each sender is looked at then.
    @_noLocks @inline(always)
    func plainTerms(_ policy: borrowing PolicyInForce) -> PlainTerms? {
        guard !policy.snapshot.isAnyZoneOnLink else { return nil }
        return PlainTerms(
            pair: pair, verifiesChecksum: settings.verifiesChecksums != 0 && !burst.areVerified,
            own: (ports[0].ownAddress, ports[1].ownAddress))
    }

    /// First stage: recognises the frame, hashes its key and asks for its bucket; false where it has to be read.
    @_noLocks @inline(always)
    mutating func readPlain(_ index: Int, _ terms: PlainTerms?) -> Bool {
        let descriptor = burst.descriptors[index]
        // A kernel or driver that lies about a descriptor must not make us read elsewhere.
        guard let terms, umem.contains(descriptor.address, length: descriptor.length),
            let hash = umem.readPlain(descriptor, terms, flows, &burst.keys[index], into: &burst.plain[index])
        else { return false }
        burst.hashes[index] = hash
        burst.steps[index] = BurstNotes.plain
        if ownerByHash { noteOwner(index) }
        return true
    }

    /// Last stage: lets the frame pass, or ends it; false where it goes the long way.
    @_noLocks @inline(always)
    mutating func judgePlain(_ index: Int, _ stamps: FlowStamps, _ now: Moment) -> Bool {
        guard burst.isPlain(index), foreignOwner(index) == nil else { return false }
        let number = burst.candidates[index]
        guard !number.isNone else { return dropRefused(index, stamps, now) }
        guard let place = flows.same(burst.keys[index], number) else { return false }
        let descriptor = burst.descriptors[index]
        let port = UInt8(truncatingIfNeeded: descriptor.options & 1)
        guard
            place.take(
                burst.plain[index], sender: burst.keys[index].sender, port: port, length: descriptor.length, stamps,
                now: now.ticks)
        else { return false }
        burst.verdict = .forward
        forward(descriptor, from: Int(port), at: now)
        return true
    }

    /// Ends a datagram of no flow whose like was refused a moment ago (see `prepareOpenings`), as `openFlow` does after reading it; false of
    /// any other.
    @_noLocks @inline(__always)
    private mutating func dropRefused(_ index: Int, _ stamps: FlowStamps, _ now: Moment) -> Bool {
        // Somebody may have asked for it, or a frame before it in the burst have opened its flow.
        guard burst.steps[index] & BurstNotes.refused != 0, !expected.isAnythingExpected(at: now.nanoseconds),
            flows.candidate(burst.hashes[index], isIPv4: burst.keys[index].isIPv4).isNone,
            let denial = denial(index, generation: stamps.generation, epoch: stamps.epoch, now), !denial.isReject
        else { return false }
        noteAgain()
        let (descriptor, reason) = (burst.descriptors[index], denial.reason)
        burst.verdict = .drop(reason)
        drop(Frame(address: descriptor.address, length: descriptor.length), from: Int(descriptor.options & 1), because: reason)
        return true
    }

    /// The first two stages of the long way for a frame that was recognised and found no verdict. Its checksum was verified where that is
    /// asked for, and to do so again would cost as much as all the rest.
    @_noLocks @inline(never)
    mutating func readAfterAll(_ index: Int, by policy: borrowing PolicyInForce, at now: Moment) {
        if settings.verifiesChecksums != 0 { burst.descriptors[index] = burst.descriptors[index].verified() }
        read(index, by: policy, at: now)
        _ = suggest(index)
    }
}

extension UMEM {
    /// The one door from a descriptor to a span; the caller has checked that the descriptor lies inside the UMEM. The hash of the packet's
    /// flow, whose bucket is asked for; `nil` where it is none that is plain. Each family goes its own way to the end, so that its key
    /// stays in registers.
    @_semantics("no_performance_analysis") @inline(always)
    func readPlain(
        _ descriptor: Descriptor, _ terms: PlainTerms, _ flows: borrowing FlowTables, _ keys: inout FlowKeys,
        into packet: inout PlainPacket
    ) -> UInt64? {
        let frame = unsafe RawSpan(_unsafeStart: bytes(at: descriptor.address), byteCount: Int(descriptor.length))
        let family = plainFamily(frame, terms)
        if family == 4 {
            guard let (key, sender) = readPlain4(frame, terms, into: &packet) else { return nil }
            (keys.v4, keys.sender, keys.isIPv4) = (key, sender, true)
            return flows.hash(key)
        }
        guard family == 6, let (key, sender) = readPlain6(frame, terms, into: &packet) else { return nil }
        (keys.v6, keys.sender, keys.isIPv4) = (key, sender, false)
        return flows.hash(key)
    }
}
