// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Flow
internal import Net
internal import Ring
internal import Wire

// The short way: a plain segment (`readPlain` in Wire) of an established connection, whose flow's verdict is in force. It is recognised
// without a reading being made of it, and passes the three stages of a burst by a few compares each. Whatever is not so goes the long way
// from its start, and nothing was changed until then: a frame that was recognised and does not pass is read after all.

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
            umem.readPlain(descriptor, terms, &burst.keys[index], into: &burst.segments[index])
        else { return false }
        burst.hashes[index] = flows.hash(burst.keys[index], isIPv4: burst.segments[index].isIPv4)
        burst.steps[index] = BurstNotes.plain
        if ownerByHash { noteOwner(index) }
        return true
    }

    /// Second stage: looks into the bucket, and asks for the entry that it suggests.
    @_noLocks @inline(always)
    mutating func suggestPlain(_ index: Int) {
        burst.candidates[index] = flows.candidate(burst.hashes[index], isIPv4: burst.segments[index].isIPv4)
        flows.prefetchEntry(burst.candidates[index])
    }

    /// Third stage: lets the frame pass; false where it goes the long way.
    @_noLocks @inline(always)
    mutating func passPlain(_ index: Int, _ stamps: FlowStamps, _ now: Moment) -> Bool {
        guard burst.isPlain(index), foreignOwner(index) == nil,
            let place = flows.same(burst.keys[index], burst.candidates[index])
        else { return false }
        let descriptor = burst.descriptors[index]
        let port = UInt8(truncatingIfNeeded: descriptor.options & 1)
        guard place.take(burst.segments[index], port: port, length: descriptor.length, stamps, now: now.ticks) else { return false }
        burst.verdict = .forward
        forward(descriptor, from: Int(port), at: now)
        return true
    }

    /// The stages of the long way for a frame that was recognised and did not pass.
    @_noLocks @inline(never)
    mutating func readAfterAll(_ index: Int, by policy: borrowing PolicyInForce, at now: Moment) {
        read(index, by: policy, at: now)
        suggest(index)
    }
}

extension UMEM {
    /// The one door from a descriptor to a span; the caller has checked that the descriptor lies inside the UMEM.
    @_semantics("no_performance_analysis") @inline(always)
    func readPlain(
        _ descriptor: Descriptor, _ terms: PlainTerms, _ keys: inout FlowKeys, into segment: inout PlainSegment
    ) -> Bool {
        unsafe Wire.readPlain(
            RawSpan(_unsafeStart: bytes(at: descriptor.address), byteCount: Int(descriptor.length)), terms, &keys.v4, &keys.v6,
            into: &segment)
    }
}
