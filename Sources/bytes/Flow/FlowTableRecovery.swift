// SPDX-License-Identifier: Apache-2.0
public import Net

// A table that a killed worker has left is taken over, if it is sound. Problem: it may hold ten million flows, nothing passes until
// it is trusted, and a kill between two instructions leaves it a little wrong as a rule rather than as an exception.
//
// Answer, in time that grows with the table's memory and with nothing else:
//
//   1. Entries are read once, in order. Of 64 live ones the hashes are made, then their buckets asked for, then these searched: so
//      many lines of the index are on their way at once, although they are met in random order.
//   2. The index is read once, in order: its used places are counted, and each bucket's count of strays is compared with what the
//      entries have said. As many places as entries that found theirs: then no place leads anywhere else.
//   3. Lists and numbers that follow from the entries are not checked but made anew: following a list of ten million through memory
//      would take longer than all the rest.
//
// Both readings go in parts, so that all processors take part; each part has its own tally and its own counts of strays.
//
// What a kill leaves (an entry without its place, a place too many, a count not yet raised) is put right, and all is read again. A
// worker does one thing at a time, so that is a handful; a table with more contradictions than that was written by somebody else, is
// not to be trusted in what cannot be checked either, and is refused.

/// What has become of a table that a killed worker has left.
public enum FlowTableOutcome: Equatable, Sendable {
    /// It is sound: every flow is where it belongs, lists and numbers are new.
    case kept
    /// Something was put right: read everything again.
    case again
    /// It holds more contradictions than a kill leaves: replace it.
    case refused(contradictions: Int)
}

/// Takes over the table that a killed worker has left: `readEntries` of all parts, then `readIndex` of all parts, then `conclude`, and
/// all of it again while that says `.again`. Parts of one reading may run at the same time, and nobody else may touch the table.
@safe public final class FlowTableRecovery<Key: FlowKey>: @unchecked Sendable {
    /// Contradictions with which a table is still mended: a kill leaves fewer than ten.
    @inlinable public static var mostContradictions: Int { 64 }
    /// More parts than this are not taken: each costs a byte for each bucket.
    @inlinable public static var mostParts: Int { 8 }
    /// Readings after which a table that still has contradictions is refused.
    @inlinable public static var mostRounds: Int { 3 }

    @usableFromInline let table: FlowTable<Key>
    /// How many parts each reading has.
    public let parts: Int
    /// Entries that were ever used.
    @usableFromInline let fresh: UInt32
    /// The states of these.
    @usableFromInline let states: UnsafeMutablePointer<UInt8>
    /// For each part and bucket how many entries of the part have strayed from it. No bucket is the first of 255 keys unless by damage.
    @usableFromInline let strays: UnsafeMutablePointer<UInt8>
    /// What each part has found; parts write their own at the same time.
    @usableFromInline let tallies: UnsafeMutablePointer<FlowTally>
    @usableFromInline var rounds = 0

    /// A recovery of a table that identifies itself as one; its header is believed after this comparison only.
    public init?(_ table: consuming FlowTable<Key>, parts: Int) {
        let found = table.statistics.fresh
        guard found <= table.limit else { return nil }
        let parts = max(1, min(parts, Self.mostParts))
        self.parts = parts
        fresh = found
        unsafe states = .allocate(capacity: Int(found) + 1)
        unsafe strays = .allocate(capacity: Int(table.buckets) * parts)
        unsafe tallies = .allocate(capacity: parts)
        unsafe tallies.initialize(repeating: FlowTally(), count: parts)
        self.table = table
    }

    deinit {
        unsafe states.deallocate()
        unsafe strays.deallocate()
        unsafe tallies.deinitialize(count: parts)
        unsafe tallies.deallocate()
    }

    /// First reading: each live entry of a part is looked for in the index, and its links are taken off.
    @inlinable public func readEntries(_ part: Int) {
        let own = unsafe strays + part * Int(table.buckets)
        unsafe own.initialize(repeating: 0, count: Int(table.buckets))
        var tally = FlowTally()
        var batch = FlowBatch()
        for number in Self.share(part, of: fresh, parts) {
            // In bounds: `fresh` is at most the capacity.
            let state = table.state(number)
            unsafe states[Int(number)] = state
            table.unlink(number)
            guard state != 0 else { continue }
            guard FlowTable<Key>.isLive(state) else {
                tally.note(invalid: number)
                continue
            }
            let hash = unsafe table.hash(table.key(at: number).pointee)
            tally.live += 1
            if FlowTable<Key>.isWaiting(state) { tally.waiting.append(table.opened(number)) }
            if batch.add(number, hash) { unsafe place(&batch, own, &tally) }
        }
        unsafe place(&batch, own, &tally)
        unsafe tallies[part] = tally
    }

    /// Looks for a batch of entries in their buckets.
    @inlinable func place(_ batch: inout FlowBatch, _ own: UnsafeMutablePointer<UInt8>, _ tally: inout FlowTally) {
        // Small loops, each of which asks for all its lines before the next one waits for the first of them.
        for i in 0..<batch.count { table.prefetchIndex(batch.hashes[i]) }
        var strayed = 0
        for i in 0..<batch.count {
            let (number, hash) = (batch.numbers[i], batch.hashes[i])
            if table.holds(number, tag: FlowTable<Key>.tag(hash), in: table.first(hash)) { continue }
            (batch.numbers[strayed], batch.hashes[strayed]) = (number, hash)
            strayed += 1
        }
        for i in 0..<strayed {
            let hash = batch.hashes[i]
            unsafe prefetch(table.bucket(table.other(table.first(hash), tag: FlowTable<Key>.tag(hash))))
        }
        for i in 0..<strayed {
            let (number, hash) = (batch.numbers[i], batch.hashes[i])
            let (home, tag) = (table.first(hash), FlowTable<Key>.tag(hash))
            if table.holds(number | FlowTable<Key>.secondBit, tag: tag, in: table.other(home, tag: tag)) {
                // In bounds: a bucket's number comes from a hash.
                unsafe own[Int(home)] &+= 1
            } else {
                tally.note(unplaced: number)
            }
        }
        batch.count = 0
    }

    /// Second reading: the used places of a part of the index are counted, and the counts of strays are compared and written right.
    @inlinable public func readIndex(_ part: Int) {
        var (places, wrong) = (0, 0)
        for bucket in Self.share(part, of: table.buckets, parts) {
            let line = unsafe table.bucket(bucket)
            places += unsafe 10 - table.slots(of: line, holding: 0).nonzeroBitCount
            var expected: UInt32 = 0
            for other in 0..<parts { unsafe expected += UInt32(strays[other * Int(table.buckets) + Int(bucket)]) }
            if unsafe table.strays(of: line) != expected {
                unsafe line.storeBytes(of: expected, toByteOffset: 20, as: UInt32.self)
                wrong += 1
            }
        }
        unsafe (tallies[part].places, tallies[part].wrongStrays) = (places, wrong)
    }

    /// Says what has become of the table after both readings, having put right what could be.
    @inlinable public func conclude() -> FlowTableOutcome {
        rounds += 1
        let sum = (0..<parts).reduce(into: FlowTally()) { unsafe $0.add(tallies[$1]) }
        let surplus = sum.places - (sum.live - sum.unplacedCount)
        let structural = sum.invalidCount + sum.unplacedCount + abs(surplus)
        let contradictions = structural + sum.wrongStrays
        guard contradictions <= Self.mostContradictions, rounds <= Self.mostRounds else {
            return .refused(contradictions: contradictions)
        }
        guard structural == 0 else {
            mendIndex(sum)
            return .again
        }
        makeLists(sum)
        assert(table.check() == nil)
        return .kept
    }

    /// Entries whose state is none are freed, places that lead nowhere or to an entry that has another are emptied, and entries without
    /// a place get one.
    @inlinable func mendIndex(_ sum: FlowTally) {
        for number in sum.invalid {
            table.setState(number, 0)
            unsafe states[Int(number)] = 0
        }
        var seen = FlowBits(count: Int(fresh))
        var suspects = sum.unplaced
        forEachPlace { bucket, slot, number in
            guard number < fresh, unsafe FlowTable<Key>.isLive(states[Int(number)]) else { return table.empty(bucket, slot) }
            if !seen.insert(number) { suspects.append(number) }
        }
        var doubtful = FlowBits(count: Int(fresh))
        for number in suspects { _ = doubtful.insert(number) }
        var placed: Set<UInt32> = []
        if !suspects.isEmpty {
            forEachPlace { bucket, slot, number in
                guard doubtful.contains(number) else { return }
                if !table.belongs(number, bucket, slot) || !placed.insert(number).inserted { table.empty(bucket, slot) }
            }
        }
        for number in sum.unplaced where !placed.contains(number) {
            if !table.index(number) { table.setState(number, 0) }
        }
    }

    /// Every used place: its bucket, its slot, and the entry's number as it stands there.
    @inlinable func forEachPlace(_ body: (UInt32, Int, UInt32) -> Void) {
        for bucket in 0..<table.buckets {
            let line = unsafe table.bucket(bucket)
            for slot in 0..<10 where unsafe line.load(fromByteOffset: 2 * slot, as: UInt16.self) != 0 {
                body(bucket, slot, unsafe table.word(of: line, slot) & FlowTable<Key>.numberMask)
            }
        }
    }

    /// The lists of free and of waiting entries, and the numbers of flows, from the entries. Waiting flows come in the order of their
    /// opening.
    @inlinable func makeLists(_ sum: FlowTally) {
        table.emptyLists(used: UInt32(sum.live), waiting: UInt32(sum.waiting.count))
        for flow in FlowOpening.inOrder(sum.waiting) { table.enlist(flow.number) }
        for number in (0..<fresh).reversed() where unsafe states[Int(number)] == 0 { table.release(number) }
    }

    /// A part's share of so many numbers.
    @inlinable static func share(_ part: Int, of count: UInt32, _ parts: Int) -> Range<UInt32> {
        let (count, part, parts) = (UInt64(count), UInt64(part), UInt64(parts))
        return UInt32(count * part / parts)..<UInt32(count * (part + 1) / parts)
    }
}
