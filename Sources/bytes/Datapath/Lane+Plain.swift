// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Flow
internal import Net
internal import Record
internal import Ring
internal import Wire

// The short way: a plain packet (`readPlain` in Wire) of an established flow whose verdict is in force, or a datagram of a connection that
// was refused a moment ago. It is recognised without a reading being made of it, and passes the three stages of a burst by a few
// compares each. Whatever is not so goes the long way from its start, and nothing was changed until then: a frame that was recognised
// and finds no verdict is read after all.

extension Lane {
    /// What makes a frame plain under a policy. Where a zone is on the link itself none is: each sender is looked at then.
    @_noLocks @inline(always)
    func plainTerms(_ policy: borrowing PolicyInForce) -> PlainTerms? {
        guard !policy.snapshot.isAnyZoneOnLink else { return nil }
        return PlainTerms(
            pair: pair, verifiesChecksum: settings.verifiesChecksums != 0, own: (ports[0].ownAddress, ports[1].ownAddress))
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

    /// Second stage: looks into the bucket, and asks for the entry that it suggests, or where there is none for the lines of a refusal.
    @_noLocks @inline(always)
    mutating func suggestPlain(_ index: Int) {
        let number = flows.candidate(burst.hashes[index], isIPv4: burst.plain[index].isIPv4)
        burst.candidates[index] = number
        guard !number.isNone else { return denials.prefetch(burst.hashes[index], isIPv4: burst.plain[index].isIPv4) }
        flows.prefetchEntry(number)
    }

    /// Third stage: lets the frame pass, or ends it; false where it goes the long way.
    @_noLocks @inline(always)
    mutating func judgePlain(_ index: Int, _ stamps: FlowStamps, _ now: Moment) -> Bool {
        guard burst.isPlain(index), foreignOwner(index) == nil else { return false }
        let number = burst.candidates[index]
        guard !number.isNone else { return dropRemembered(index, stamps, now) }
        guard let place = flows.same(burst.keys[index], number) else { return false }
        let descriptor = burst.descriptors[index]
        let port = UInt8(truncatingIfNeeded: descriptor.options & 1)
        guard place.take(burst.plain[index], port: port, length: descriptor.length, stamps, now: now.ticks) else { return false }
        burst.verdict = .forward
        forward(descriptor, from: Int(port), at: now)
        return true
    }

    /// Ends a datagram of no flow whose like was refused a moment ago, as `openFlow` does after reading it; false of any other. Of TCP only a
    /// SYN is asked for, which is not plain.
    @_noLocks @inline(never)
    private mutating func dropRemembered(_ index: Int, _ stamps: FlowStamps, _ now: Moment) -> Bool {
        let packet = burst.plain[index]
        // Somebody may have asked for it.
        guard packet.isDatagram, !expected.isAnythingExpected(at: now.nanoseconds) else { return false }
        let descriptor = burst.descriptors[index]
        let port = UInt8(truncatingIfNeeded: descriptor.options & 1)
        let denial = denials.find(
            burst.keys[index], packet.sender, isIPv4: packet.isIPv4, hash: burst.hashes[index], port: port,
            generation: stamps.generation, epoch: stamps.epoch, now: now.ticks)
        // An answer needs a reading.
        guard let denial, !denial.isReject else { return false }
        reporter.suppress()
        unsafe counters.pointee.refusedAgain &+= 1
        burst.verdict = .drop(denial.reason)
        drop(Frame(address: descriptor.address, length: descriptor.length), from: Int(port), because: denial.reason)
        return true
    }

    /// The first two stages of the long way for a frame that was recognised and found no verdict.
    @_noLocks @inline(never)
    mutating func readAfterAll(_ index: Int, by policy: borrowing PolicyInForce, at now: Moment) {
        read(index, by: policy, at: now)
        suggest(index)
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
            guard let key = readPlain4(frame, terms, into: &packet) else { return nil }
            keys.v4 = key
            return flows.hash(key)
        }
        guard family == 6, let key = readPlain6(frame, terms, into: &packet) else { return nil }
        keys.v6 = key
        return flows.hash(key)
    }
}
