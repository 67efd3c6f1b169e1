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

    // Each stage over a burst is a function of its own that calls no other, so that its loop has all registers to itself.

    /// First stage: recognises plain packets without a tag, hashes their keys and asks for their buckets. Says how many frames it left.
    @_noLocks @inline(always)
    mutating func recogniseAll(_ count: Int, _ policy: borrowing PolicyInForce) -> Int {
        asksAhead(plainTerms(policy)) ? recogniseLong(count, policy) : recogniseShort(count, policy)
    }

    /// Over short frames, or whose bytes nobody reads.
    @_noLocks @inline(never)
    private mutating func recogniseShort(_ count: Int, _ policy: borrowing PolicyInForce) -> Int {
        recogniseEach(count, policy, asksAhead: false)
    }

    /// Over frames whose bytes are asked for ahead.
    @_noLocks @inline(never)
    private mutating func recogniseLong(_ count: Int, _ policy: borrowing PolicyInForce) -> Int {
        recogniseEach(count, policy, asksAhead: true)
    }

    @_noLocks @inline(__always)
    private mutating func recogniseEach(_ count: Int, _ policy: borrowing PolicyInForce, asksAhead: Bool) -> Int {
        let notes = burst.notes.view
        guard let terms = plainTerms(policy) else {
            for index in 0..<count { notes[index].steps = 0 }
            return count
        }
        var others = 0
        for index in notes.places(count) {
            if asksAhead { askAhead(of: index, count, notes) }
            if !umem.recognise(terms, flows, &notes[index]) {
                others &+= 1
            } else if ownerByHash {
                noteOwner(ofPlain: index, notes)
            }
        }
        return others
    }

    /// Recognises those behind a tag, and reads all other frames.
    @_noLocks @inline(never)
    mutating func readOthers(_ count: Int, by policy: borrowing PolicyInForce, at now: Moment) {
        let (notes, terms) = (burst.notes.view, plainTerms(policy))
        for index in 0..<count where notes[index].steps & FrameNote.plain == 0 {
            if notes[index].steps == FrameNote.tagged, let terms, umem.recogniseTagged(terms, flows, &notes[index]) {
                if ownerByHash { noteOwner(ofPlain: index, notes) }
            } else {
                read(index, by: policy, at: now)
            }
        }
    }

    @_noLocks @inline(always)
    private mutating func noteOwner(ofPlain index: Int, _ notes: ColumnView<FrameNote>) {
        noteOwner(index)
        if notes[index].owner != queue { notes[index].steps |= FrameNote.foreign }
    }

    /// Second stage: looks into the buckets for the entries that they suggest, and asks for these; says for how many there is none. What
    /// another worker owns is looked up there.
    @_noLocks @inline(never)
    mutating func suggestPlain(_ count: Int) -> Int {
        let notes = burst.notes.view
        var unknown = 0
        for index in notes.places(count)
        where notes[index].steps & (FrameNote.plain | FrameNote.foreign) == FrameNote.plain {
            let number = flows.suggest(notes[index].hash, isIPv4: notes[index].keys.isIPv4)
            notes[index].candidate = number
            if number.isNone { unknown &+= 1 }
        }
        return unknown
    }

    /// Last stage: lets the frame pass, or ends it; false where it goes the long way. `port` is the one it came in by; what is sent is added
    /// to `sent`, for the caller to count.
    @_noLocks @inline(always)
    mutating func judgePlain(
        _ index: Int, _ notes: ColumnView<FrameNote>, from port: Int, _ stamps: FlowStamps, _ now: Moment, _ sent: inout Sent
    ) -> Bool {
        guard notes[index].steps & (FrameNote.plain | FrameNote.foreign) == FrameNote.plain else { return false }
        let number = notes[index].candidate
        guard !number.isNone else { return dropRefused(index, notes, from: port, now) }
        let sender = notes[index].keys.sender
        guard let place = flows.same(notes[index].keys, number),
            place.admits(notes[index].plain, sender: sender, port: UInt8(truncatingIfNeeded: port), stamps)
        else { return false }
        place.take(notes[index].plain, sender: sender, length: notes[index].length, now: now.ticks)
        burst.verdict = .forward
        if send(notes[index].descriptor, from: port, at: now) { sent.count(notes[index].length) }
        return true
    }

    /// Ends a datagram of no flow whose like was refused a moment ago (see `prepareOpenings`), as `openFlow` does after reading it; false of
    /// any other.
    @_noLocks @inline(__always)
    private mutating func dropRefused(
        _ index: Int, _ notes: ColumnView<FrameNote>, from port: Int, _ now: Moment
    ) -> Bool {
        // Somebody may have asked for it since, or a frame before it in the burst have opened its flow or taken the refusal's line.
        guard notes[index].steps & FrameNote.refused != 0, let reason = notes[index].reason,
            !expected.isAnythingExpected(at: now.nanoseconds),
            flows.inserted &+ denials.displacements == burst.changesBefore
                || isRefusedStill(index, notes)
        else { return false }
        noteAgain()
        let descriptor = notes[index].descriptor
        burst.verdict = .drop(reason)
        drop(Frame(address: descriptor.address, length: descriptor.length), from: port, because: reason)
        return true
    }

    /// Whether neither of it has happened, in a burst that has opened flows or displaced refusals.
    @_noLocks @inline(never)
    private func isRefusedStill(_ index: Int, _ notes: ColumnView<FrameNote>) -> Bool {
        denials.displacements == burst.displacedBefore
            && flows.candidate(notes[index].hash, isIPv4: notes[index].keys.isIPv4).isNone
    }

    /// The first two stages of the long way for a frame that was recognised and found no verdict. Its checksum was verified where that is
    /// asked for, and to do so again would cost as much as all the rest.
    @_noLocks @inline(never)
    mutating func readAfterAll(_ index: Int, by policy: borrowing PolicyInForce, at now: Moment) {
        if settings.verifiesChecksums != 0 { burst.notes[index].descriptor = burst.notes[index].descriptor.verified() }
        read(index, by: policy, at: now)
        _ = suggest(index)
    }
}

extension UMEM {
    /// The one door from a descriptor to a span. Whether the frame is a plain packet without a tag, whose flow's bucket is asked for; else its
    /// note says `tagged` where `recogniseTagged` has to go on, and the rest of it means nothing. Each family goes its own way to the end,
    /// so that its key stays in registers.
    @_semantics("no_performance_analysis") @inline(always)
    func recognise(_ terms: PlainTerms, _ flows: borrowing FlowTables, _ note: inout FrameNote) -> Bool {
        note.steps = 0
        let descriptor = note.descriptor
        // A kernel or driver that lies about a descriptor must not make us read elsewhere.
        guard contains(descriptor.address, length: descriptor.length) else { return false }
        let frame = unsafe RawSpan(_unsafeStart: bytes(at: descriptor.address), byteCount: Int(descriptor.length))
        let family = plainFamily(frame, terms)
        if family == 4 { return recognise4(frame, .untagged, terms, flows, &note) }
        if family == 6 { return recognise6(frame, .untagged, terms, flows, &note) }
        if family == 1 { note.steps = FrameNote.tagged }
        return false
    }

    /// Goes on with a frame that has a tag; whether it is a plain packet.
    @_semantics("no_performance_analysis") @inline(__always)
    func recogniseTagged(_ terms: PlainTerms, _ flows: borrowing FlowTables, _ note: inout FrameNote) -> Bool {
        let descriptor = note.descriptor
        guard contains(descriptor.address, length: descriptor.length) else { return false }
        let frame = unsafe RawSpan(_unsafeStart: bytes(at: descriptor.address), byteCount: Int(descriptor.length))
        let (family, link) = plainFamilyBehindTag(frame)
        if family == 4 { return recognise4(frame, link, terms, flows, &note) }
        return family == 6 && recognise6(frame, link, terms, flows, &note)
    }

    @_semantics("no_performance_analysis") @inline(always)
    private func recognise4(
        _ frame: borrowing RawSpan, _ link: PlainLink, _ terms: PlainTerms, _ flows: borrowing FlowTables, _ note: inout FrameNote
    ) -> Bool {
        guard let (key, sender) = readPlain4(frame, link, terms, into: &note.plain) else { return false }
        (note.keys.v4, note.keys.sender, note.keys.isIPv4) = (key, sender, true)
        (note.hash, note.steps) = (flows.hash(key), FrameNote.plain)
        return true
    }

    @_semantics("no_performance_analysis") @inline(always)
    private func recognise6(
        _ frame: borrowing RawSpan, _ link: PlainLink, _ terms: PlainTerms, _ flows: borrowing FlowTables, _ note: inout FrameNote
    ) -> Bool {
        guard let (key, sender) = readPlain6(frame, link, terms, into: &note.plain) else { return false }
        (note.keys.v6, note.keys.sender, note.keys.isIPv4) = (key, sender, false)
        (note.hash, note.steps) = (flows.hash(key), FrameNote.plain)
        return true
    }
}
