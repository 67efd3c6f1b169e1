// SPDX-License-Identifier: Apache-2.0
public import Net

// A bucket is one line of cache:
//
//     0   10 tags of 16 bits; 0 is a free place
//     20  how many keys whose first bucket this is lie in their second one
//     24  10 words of 32 bits: the entry's number, and in the top bit whether this is its key's second bucket
//
// Tags are compared four at a time in ordinary registers, without a branch.

/// A free place in the index.
@frozen @usableFromInline struct Vacancy {
    /// The bucket.
    @usableFromInline var bucket: UInt32
    /// The place in it, 0 to 9.
    @usableFromInline var slot: Int
    /// Whether it is the key's second bucket.
    @usableFromInline var isSecond: Bool

    @_noLocks @inlinable init(bucket: UInt32, slot: Int, isSecond: Bool) {
        self.bucket = bucket
        self.slot = slot
        self.isSecond = isSecond
    }
}

extension FlowTable {
    @inlinable static var numberMask: UInt32 { 0x7fff_ffff }
    @inlinable static var secondBit: UInt32 { 0x8000_0000 }

    /// The 16 bits of the hash that stand in the bucket for the key; never 0.
    @inlinable static func tag(_ hash: UInt64) -> UInt64 {
        let tag = hash & 0xffff
        return tag == 0 ? 1 : tag
    }

    /// The key's first bucket, by the high half of the hash.
    @inlinable func first(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: ((hash >> 32) &* UInt64(buckets)) >> 32) }

    /// The other bucket of a tag that lies in the given one. The two add up to a number that follows from the tag, so that each
    /// leads to the other.
    @inlinable func other(_ bucket: UInt32, tag: UInt64) -> UInt32 {
        let sum = UInt32(truncatingIfNeeded: ((tag &* 0x9E37_79B1 & 0xffff_ffff) &* UInt64(buckets)) >> 32)
        return sum >= bucket ? sum &- bucket : sum &+ buckets &- bucket
    }

    /// The bucket's first byte; `number` is below `buckets`, because it comes from a hash.
    @inlinable func bucket(_ number: UInt32) -> UnsafeMutableRawPointer { unsafe index + Int(number) &* 64 }

    /// The entry's first byte; the caller has compared `number` with `limit`.
    @inlinable func entry(_ number: UInt32) -> UnsafeMutableRawPointer {
        unsafe entries + Int(number) &* FlowTableLayout<Key>.stride
    }

    /// The entry's key; the caller has compared `number` with `limit`.
    @inlinable @inline(__always) func key(at number: UInt32) -> UnsafeMutablePointer<Key> {
        unsafe entry(number).assumingMemoryBound(to: Key.self)
    }

    /// What stands behind the key; the caller has compared `number` with `limit`.
    @inlinable @inline(__always) func body(_ number: UInt32) -> UnsafeMutablePointer<FlowEntry> {
        // Both key sizes are multiples of 8, which is what an entry is aligned to.
        unsafe (entry(number) + MemoryLayout<Key>.size).assumingMemoryBound(to: FlowEntry.self)
    }

    /// The places of a bucket that hold a tag: bit `16 × (place mod 4) + place / 4` each.
    @inlinable @inline(__always) func slots(of bucket: UnsafeMutableRawPointer, holding tag: UInt64) -> UInt64 {
        let pattern = tag &* 0x0001_0001_0001_0001
        // 24 aligned bytes of the bucket: ten tags and the count, which the last mask leaves out.
        let a = unsafe Self.zeros(bucket.load(as: UInt64.self) ^ pattern)
        let b = unsafe Self.zeros(bucket.load(fromByteOffset: 8, as: UInt64.self) ^ pattern)
        let c = unsafe Self.zeros(bucket.load(fromByteOffset: 16, as: UInt64.self) ^ pattern) & 0x8000_8000
        return a >> 15 | b >> 14 | c >> 13
    }

    /// The top bit of each 16-bit part that is zero.
    @inlinable @inline(__always) static func zeros(_ parts: UInt64) -> UInt64 {
        let low: UInt64 = 0x7fff_7fff_7fff_7fff
        return ~(((parts & low) &+ low) | parts | low)
    }

    /// The first place of a set of places that is not empty.
    @inlinable @inline(__always) static func slot(_ places: UInt64) -> Int {
        let bit = places.trailingZeroBitCount
        return (bit & 3) << 2 | bit >> 4
    }

    @inlinable @inline(__always) func word(of bucket: UnsafeMutableRawPointer, _ slot: Int) -> UInt32 {
        // A place is 0 to 15 however it was found, and 24 + 4 × 9 is the last word of the bucket.
        unsafe bucket.load(fromByteOffset: 24 &+ 4 &* slot, as: UInt32.self)
    }

    @inlinable func strays(of bucket: UnsafeMutableRawPointer) -> UInt32 {
        unsafe bucket.load(fromByteOffset: 20, as: UInt32.self)
    }

    @inlinable func addStrays(_ number: UInt32, _ change: Int32) {
        let bucket = unsafe bucket(number)
        let strays = unsafe strays(of: bucket)
        // Never below 0: a count that was damaged would otherwise wrap, which costs lookups a bucket for ever.
        guard change > 0 || strays > 0 else { return }
        unsafe bucket.storeBytes(of: strays &+ UInt32(bitPattern: change), toByteOffset: 20, as: UInt32.self)
    }

    /// The state's byte of an entry.
    @inlinable func state(_ number: UInt32) -> UInt8 {
        unsafe entry(number).load(fromByteOffset: FlowTableLayout<Key>.stateOffset, as: UInt8.self)
    }

    @inlinable static func isLive(_ state: UInt8) -> Bool { state &- 1 < 7 }
    @inlinable static func isWaiting(_ state: UInt8) -> Bool {
        state == FlowState.synSent.number || state == FlowState.synReceived.number || state == FlowState.oneSided.number
            || state == FlowState.answered.number
    }

    /// The number of the key's entry if this bucket holds it, or `.max`.
    @inlinable @inline(__always) func search(_ bucket: UnsafeMutableRawPointer, tag: UInt64, key: Key) -> UInt32 {
        var matches = unsafe slots(of: bucket, holding: tag)
        while matches != 0 {
            let number = unsafe word(of: bucket, Self.slot(matches)) & Self.numberMask
            matches &= matches &- 1
            guard number < limit else { continue }
            // In bounds by the line above.
            if unsafe Key.same(self.key(at: number).pointee, key), Self.isLive(state(number)) { return number }
        }
        return .max
    }

    /// A free place for a hash: in its first bucket, in its second, or where one or two entries can move out of the way.
    @inlinable func vacancy(_ hash: UInt64) -> Vacancy? {
        let tag = Self.tag(hash)
        let home = first(hash)
        let away = other(home, tag: tag)
        let free = unsafe slots(of: bucket(home), holding: 0)
        if free != 0 { return Vacancy(bucket: home, slot: Self.slot(free), isSecond: false) }
        let second = unsafe slots(of: bucket(away), holding: 0)
        if second != 0 { return Vacancy(bucket: away, slot: Self.slot(second), isSecond: true) }
        for depth in 0..<2 {
            let slot = displace(from: home, depth: depth)
            if slot >= 0 { return Vacancy(bucket: home, slot: slot, isSecond: false) }
            let secondSlot = displace(from: away, depth: depth)
            if secondSlot >= 0 { return Vacancy(bucket: away, slot: secondSlot, isSecond: true) }
        }
        return nil
    }

    /// Moves one entry of a full bucket to its other bucket and returns the place that it leaves, or -1. With a depth of 1 a full
    /// other bucket is first made to give one of its own away.
    @inlinable @inline(never) func displace(from full: UInt32, depth: Int) -> Int {
        let source = unsafe bucket(full)
        for slot in 0..<10 {
            // Ten tags of 2 bytes lie at the bucket's start.
            let tag = unsafe source.load(fromByteOffset: 2 &* slot, as: UInt16.self)
            let target = other(full, tag: UInt64(tag))
            guard target != full else { continue }
            let free = unsafe slots(of: bucket(target), holding: 0)
            let place = free != 0 ? Self.slot(free) : depth > 0 ? displace(from: target, depth: 0) : -1
            // What the other bucket gave away did not come here: there is no place.
            guard place >= 0 else { continue }
            move(slot, of: full, to: place, of: target)
            return slot
        }
        return -1
    }

    /// Moves an entry to its other bucket, and counts it where it counts.
    @inlinable func move(_ slot: Int, of full: UInt32, to place: Int, of target: UInt32) {
        let source = unsafe bucket(full)
        let tag = unsafe source.load(fromByteOffset: 2 &* slot, as: UInt16.self)
        let word = unsafe word(of: source, slot)
        write(tag, word: word ^ Self.secondBit, bucket: target, slot: place)
        unsafe source.storeBytes(of: 0, toByteOffset: 2 &* slot, as: UInt16.self)
        let wasSecond = word & Self.secondBit != 0
        addStrays(wasSecond ? target : full, wasSecond ? -1 : 1)
    }

    /// Writes a place of the index: the word first, for the tag is what makes it valid.
    @inlinable func write(_ tag: UInt16, word: UInt32, bucket number: UInt32, slot: Int) {
        let bucket = unsafe bucket(number)
        unsafe bucket.storeBytes(of: word, toByteOffset: 24 &+ 4 &* slot, as: UInt32.self)
        unsafe bucket.storeBytes(of: tag, toByteOffset: 2 &* slot, as: UInt16.self)
    }

    /// Puts an entry's number into a place that `vacancy` found for its hash.
    @inlinable func occupy(_ vacancy: Vacancy, hash: UInt64, number: UInt32) {
        let tag = Self.tag(hash)
        write(
            UInt16(truncatingIfNeeded: tag), word: vacancy.isSecond ? number | Self.secondBit : number, bucket: vacancy.bucket,
            slot: vacancy.slot)
        if vacancy.isSecond { addStrays(other(vacancy.bucket, tag: tag), 1) }
    }

    /// Takes an entry's number out of the index; false where it does not stand there.
    @inlinable func vacate(_ number: UInt32, hash: UInt64) -> Bool {
        let tag = Self.tag(hash)
        let home = first(hash)
        if clear(number, tag: tag, in: home, isSecond: false) { return true }
        guard clear(number, tag: tag, in: other(home, tag: tag), isSecond: true) else { return false }
        addStrays(home, -1)
        return true
    }

    @inlinable func clear(_ number: UInt32, tag: UInt64, in bucketNumber: UInt32, isSecond: Bool) -> Bool {
        let bucket = unsafe bucket(bucketNumber)
        let wanted = isSecond ? number | Self.secondBit : number
        var matches = unsafe slots(of: bucket, holding: tag)
        while matches != 0 {
            let slot = Self.slot(matches)
            matches &= matches &- 1
            guard unsafe word(of: bucket, slot) == wanted else { continue }
            unsafe bucket.storeBytes(of: 0, toByteOffset: 2 &* slot, as: UInt16.self)
            return true
        }
        return false
    }
}
