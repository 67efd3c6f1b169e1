// SPDX-License-Identifier: Apache-2.0
public import Synchronization
public import Net

// The flow table: a fixed number of connections in memory that the caller gives, so that another process can take it over.
//
//     header   256 bytes: identity, list heads, counters                            (FlowTableHeader)
//     index    buckets of 64 bytes: ten 16-bit tags, a count, ten 32-bit words      (FlowTable+Index)
//     entries  96 bytes each (IPv4) or 128 (IPv6): all that an established frame reads or writes
//     details  24 bytes each: what only judging, reporting and ending read
//
// Problem. A firewall looks up every frame among up to ten million flows, and whoever sends to it chooses the keys. So: no chain
// may grow, nothing may rehash or allocate, and an established frame may touch three lines of cache, no more.
//
// Answer. A key has two buckets and lies in one of ten places in either. The first is preferred, so that most lookups read one
// bucket; each bucket counts the keys that had to stray to their second, so that a miss reads one bucket too where none did. The
// second bucket follows from the first and the tag alone, and the first from the second: an entry moves to its other bucket
// without its key being read. Insertion moves at most two entries (partial-key cuckoo hashing, two steps). At the highest load, 25
// flows to 3 buckets, one step fails about once in 10⁸ insertions and two were not seen to fail; a key that finds no place is
// refused as if the table were full. The hash is keyed with random words, so that nobody can choose keys that meet.
//
// Time. Frames write `lastSeen` and nothing else. A hand goes round the entries, a few at each call, and finds those that were
// quiet for too long (FlowTable+Expiry). Flows that are half open, one-sided or answered once stand also in a list in the order of their
// opening, linked both ways so that whoever goes on or ends leaves it at once (FlowTable+Waiting): when the table or the list is full, the
// oldest of them gives way, and no established flow ever does.
//
// Lookup in stages over a burst, one small loop each, so that many lines are on their way at once: `hash` and `prefetchIndex`, then
// `suggest`, then `find`. Measured on a test VM with a full table of a million flows: 41 ns against 120 without.
//
// Damage. A process may be killed at any instruction, and the memory outlives it. Each number that is read from memory is compared
// with the capacity before it is used, each loop has a bound of its own, and a state byte is looked at as a byte before anything
// treats it as a `FlowState`. So wrong bytes can lose flows, but can neither trap nor hang. What a killed worker leaves is read and
// put right, or refused, before another worker goes on with it (FlowTableRecovery).
//
// Owner. One worker writes. Nothing here is atomic.

/// A table of flows over one memory area. See the essay at the head of this file.
@safe public struct FlowTable<Key: FlowKey>: ~Copyable {
    @usableFromInline let header: UnsafeMutablePointer<FlowTableHeader>
    @usableFromInline let index: UnsafeMutableRawPointer
    @usableFromInline let entries: UnsafeMutableRawPointer
    @usableFromInline let details: UnsafeMutablePointer<FlowDetail>
    @usableFromInline let limit: UInt32
    @usableFromInline let buckets: UInt32
    /// Never read. A struct with an atomic has an address, and borrowing it hands that on; of a struct without one the compiler makes a
    /// copy for each call that is not inlined, which cost an established frame four copies of both tables.
    @usableFromInline let anchor = Atomic<UInt8>(0)
    /// How flows are kept and followed; may be changed at any time.
    public var settings: FlowSettings
    /// How far the timeouts of waiting flows have shrunk, in parts of `fullPressure`; see `FlowTable+Waiting`.
    @usableFromInline var pressure: UInt32 = 0
    /// Flows that wait in the list of another table with which this one shares its limit.
    @usableFromInline var listedBeside = 0
    /// SYNs whose answer decides what they were.
    @usableFromInline var syns = RememberedSYNs()

    /// Adopts the table that the memory holds; `nil` where it holds none of this key, capacity and secret, as fresh memory does:
    /// `format` it then. Only the identity is looked at: after a crash `FlowTableRecovery` comes first.
    ///
    /// - Parameters:
    ///   - base: `byteCount(capacity:)` bytes, 64-byte aligned, that outlive the table.
    ///   - capacity: how many flows the table holds, 1 to 2³⁰.
    ///   - secret: the words that the table's keys were hashed with; with others nothing would be found.
    ///   - settings: how flows are kept and followed.
    @inlinable public init?(
        base: UnsafeMutableRawPointer, capacity: Int, secret: HashSecret, settings: FlowSettings = FlowSettings()
    ) {
        let layout = FlowTableLayout<Key>(capacity: capacity)
        // The caller vouches for the area; every pointer below stays inside it by the layout's sums.
        unsafe header = base.assumingMemoryBound(to: FlowTableHeader.self)
        unsafe index = base + layout.index
        unsafe entries = base + layout.entries
        unsafe details = (base + layout.details).assumingMemoryBound(to: FlowDetail.self)
        limit = UInt32(capacity)
        buckets = UInt32(layout.buckets)
        self.settings = settings
        guard unsafe layout.matches(header.pointee), adopt(secret) else { return nil }
    }

    /// Keeps the secret in an empty table; false where flows were stored under another one.
    @inlinable func adopt(_ secret: HashSecret) -> Bool {
        if unsafe header.pointee.inserted == 0 { unsafe header.pointee.secret = secret }
        for i in 0..<16 where unsafe header.pointee.secret[i] != secret[i] { return false }
        return true
    }

    /// Bytes that a table of the given capacity needs: a multiple of 64.
    @inlinable public static func byteCount(capacity: Int) -> Int { FlowTableLayout<Key>(capacity: capacity).byteCount }

    /// Writes an empty table, whatever the memory held. Entries are not touched, so that fresh memory stays untouched until used.
    public static func format(base: UnsafeMutableRawPointer, capacity: Int) {
        let layout = FlowTableLayout<Key>(capacity: capacity)
        // The caller vouches for `byteCount` bytes.
        unsafe (base + layout.index).initializeMemory(as: UInt64.self, repeating: 0, count: layout.buckets * 8)
        unsafe base.initializeMemory(as: UInt64.self, repeating: 0, count: FlowTableHeader.size / 8)
        unsafe base.storeBytes(of: layout.header, as: FlowTableHeader.self)
    }

    /// How many flows the table holds at most.
    @inlinable public var capacity: Int { @_noLocks get { Int(limit) } }
    /// How many flows it holds now.
    @inlinable public var used: Int { @_noLocks get { unsafe Int(header.pointee.used) } }
    /// How many of them wait: half open, one-sided, or answered once.
    @inlinable public var waiting: Int { @_noLocks get { unsafe Int(header.pointee.waiting) } }
    /// All numbers of the header, for display; without the secret.
    @inlinable public var statistics: FlowTableHeader {
        @_noLocks get {
            var copy = unsafe header.pointee
            copy.secret = HashSecret(repeating: 0)
            return copy
        }
    }

    /// The keyed hash of a key: first stage of a lookup.
    @inlinable @inline(__always) public func hash(_ key: Key) -> UInt64 { unsafe Self.stir(key.hash(header.pointee.secret)) }

    /// The key's own hash is linear in its words, so that neighbouring addresses and ports give evenly spaced hashes, which under an
    /// unlucky secret pile up in a few buckets (a run of 20,000 ports failed at 2,500). Two foldings and two multiplications, which
    /// merge no two hashes, take the evenness away.
    @inlinable @inline(__always) static func stir(_ hash: UInt64) -> UInt64 {
        var x = (hash ^ hash >> 32) &* 0xd6e8_feb8_6659_fd93
        x = (x ^ x >> 32) &* 0xd6e8_feb8_6659_fd93
        return x ^ x >> 32
    }

    /// Second stage: brings the key's bucket into the cache.
    @inlinable @inline(__always) public func prefetchIndex(_ hash: UInt64) { unsafe prefetch(bucket(first(hash))) }

    /// Third stage: the entry that the key's first bucket suggests by its tag, or the second where keys strayed; `.max` where
    /// neither does. No key is compared yet.
    @inlinable @inline(__always) public func candidate(_ hash: UInt64) -> UInt32 {
        let (home, tag) = (first(hash), Self.tag(hash))
        var bucket = unsafe bucket(home)
        var matches = unsafe slots(of: bucket, holding: tag)
        if matches == 0 {
            guard unsafe strays(of: bucket) != 0 else { return .max }
            unsafe bucket = self.bucket(other(home, tag: tag))
            matches = unsafe slots(of: bucket, holding: tag)
            guard matches != 0 else { return .max }
        }
        let number = unsafe word(of: bucket, Self.slot(matches)) & Self.numberMask
        return number < limit ? number : .max
    }

    /// The same, and brings the entry into the cache.
    @inlinable @inline(always) public func suggest(_ hash: UInt64) -> UInt32 {
        let number = candidate(hash)
        guard number != .max else { return .max }
        // `candidate` has compared it with the capacity.
        unsafe prefetch(entry(number))
        unsafe prefetch(entry(number) + 64)
        return number
    }

    /// Brings an entry into the cache; of a number that is none nothing.
    @inlinable @inline(__always) func prefetchEntry(_ number: UInt32) {
        guard number < limit else { return }
        unsafe prefetch(entry(number))
        unsafe prefetch(entry(number) + 64)
    }

    /// Fourth stage: the number of the key's entry, or `.max`. An entry that is found has a valid state.
    @inlinable @inline(__always) public func find(_ key: Key, hash: UInt64, candidate: UInt32) -> UInt32 {
        if candidate < limit {
            // In bounds by the line above.
            if unsafe Key.same(self.key(at: candidate).pointee, key), Self.isLive(state(candidate)) { return candidate }
        }
        return find(key, hash: hash)
    }

    /// All stages after the hash in one, for a lookup that stands alone.
    @inlinable @inline(never) public func find(_ key: Key, hash: UInt64) -> UInt32 {
        let home = first(hash)
        let tag = Self.tag(hash)
        let bucket = unsafe bucket(home)
        let number = unsafe search(bucket, tag: tag, key: key)
        if number != .max { return number }
        guard unsafe strays(of: bucket) != 0 else { return .max }
        return unsafe search(self.bucket(other(home, tag: tag)), tag: tag, key: key)
    }

    /// The entry of a number that `find`, `insert`, `nextExpired` or `oldestWaiting` gave.
    @inlinable public subscript(number: UInt32) -> FlowEntry {
        @inline(__always) unsafeAddress {
            precondition(number < limit)
            // In bounds by the line above, and trivial: any bytes are an entry but for the state, see the essay.
            return unsafe UnsafePointer(body(number))
        }
        unsafeMutableAddress {
            precondition(number < limit)
            return unsafe body(number)
        }
    }

    /// Where an entry lies, for `FlowTables`.
    @inlinable @inline(__always) func address(_ number: UInt32) -> UnsafePointer<FlowEntry> {
        precondition(number < limit)
        return unsafe UnsafePointer(body(number))
    }

    /// The key of an entry.
    @inlinable public func key(of number: UInt32) -> Key {
        precondition(number < limit)
        return unsafe key(at: number).pointee
    }

    /// The detail of an entry. `next` and `previous` belong to the table: leave them as they are.
    @inlinable public subscript(detail number: UInt32) -> FlowDetail {
        unsafeAddress {
            precondition(number < limit)
            return unsafe UnsafePointer(details + Int(number))
        }
        unsafeMutableAddress {
            precondition(number < limit)
            return unsafe details + Int(number)
        }
    }

    /// Who both ends were, and what both sides said, when the flow was judged last.
    @inlinable public func grounds(of number: UInt32) -> FlowGrounds {
        let word = self[number].grounds
        let (low, high) = (self[detail: number].lowGrounds, self[detail: number].highGrounds)
        let egress = (word >> 24) << 16 | (high >> 24) << 8 | low >> 24
        return FlowGrounds(
            sourceClass: Self.widened(low), destinationClass: Self.widened(high), egressRecord: Self.widened(egress),
            ingressRecord: Self.widened(word))
    }

    /// Keeps them.
    @inlinable public mutating func setGrounds(_ grounds: FlowGrounds, of number: UInt32) {
        let egress = Self.narrowed(grounds.egressRecord)
        self[number].grounds = Self.narrowed(grounds.ingressRecord) | (egress >> 16) << 24
        self[detail: number].lowGrounds = Self.narrowed(grounds.sourceClass) | egress << 24
        self[detail: number].highGrounds = Self.narrowed(grounds.destinationClass) | (egress >> 8) << 24
    }

    /// A number of 24 bits; all ones is none.
    @inlinable @inline(__always) static func widened(_ word: UInt32) -> UInt32 {
        word & 0xff_ffff == 0xff_ffff ? .max : word & 0xff_ffff
    }

    @inlinable @inline(__always) static func narrowed(_ number: UInt32) -> UInt32 { number < 0xff_ffff ? number : 0xff_ffff }
}
