// SPDX-License-Identifier: Apache-2.0
public import Net

/// A flow of either family: the number of its entry, and which table it is in.
@frozen public struct FlowNumber: BitwiseCopyable, Sendable {
    /// The entry's number, with the top bit set for IPv6; all ones for none.
    public let rawValue: UInt32

    /// The number of an entry, or none for `.max`.
    @_noLocks @inlinable init(_ number: UInt32, isIPv4: Bool) {
        rawValue = number == .max ? .max : isIPv4 ? number : number | 0x8000_0000
    }

    /// No flow.
    @inlinable public static var none: FlowNumber { @_noLocks get { FlowNumber(.max, isIPv4: true) } }
    /// Whether it is no flow.
    @inlinable public var isNone: Bool { @_noLocks get { rawValue == .max } }
    /// Whether the flow is in the table of IPv4.
    @inlinable public var isIPv4: Bool { @_noLocks get { rawValue >> 31 == 0 } }
    /// The entry's number in its table.
    @inlinable var entry: UInt32 { @_noLocks get { rawValue & 0x7fff_ffff } }
}

/// What a flow's key says, of either family.
@frozen public struct FlowIdentity: BitwiseCopyable, Sendable {
    /// Address and port of the initiator.
    public let source: (address: Address, port: UInt16)
    /// Address and port of the responder.
    public let destination: (address: Address, port: UInt16)
    /// The transport's protocol.
    public let protocolNumber: IPProtocol
    /// VLAN tags as `VLANTags.word`.
    public let vlans: UInt32
    /// Tunnel identifier.
    public let tunnel: UInt32
    /// `protocol << 24 | pair << 16 | tunnel kind << 8 | tunnel depth`.
    public let context: UInt32

    /// The tunnel that the flow runs in; none for the frame's own headers.
    @inlinable public var around: Tunnel {
        @_noLocks get {
            Tunnel(
                kindNumber: UInt8(truncatingIfNeeded: context >> 8), identifier: tunnel, depth: UInt8(truncatingIfNeeded: context)
            )
        }
    }

    @inlinable init<Key: FlowKey>(_ key: Key, initiator: FlowEnd) {
        let ends = key.ends
        (source, destination) = initiator == .low ? (ends.low, ends.high) : (ends.high, ends.low)
        protocolNumber = key.protocolNumber
        (vlans, tunnel, context) = (key.vlans, key.tunnel, key.context)
    }
}

/// The key of a frame's flow, of either family, and the end that sent the frame: made once, and looked up some stages later.
@frozen public struct FlowKeys: BitwiseCopyable, Sendable {
    // The shorter key stands behind the longer one, beside what goes for both: so that whoever keeps more of a frame right behind these
    // has all of IPv4 in one line of cache.
    /// Of an IPv6 flow; else left as it was.
    public var v6 = FlowKey6(
        low: Address(high: 0, low: 0), high: Address(high: 0, low: 0), ports: 0, vlans: 0, tunnel: 0, context: 0)
    /// Of an IPv4 flow; else left as it was.
    public var v4 = FlowKey4(low: 0, high: 0, ports: 0, vlans: 0, tunnel: 0, context: 0)
    /// The end that sent the frame.
    public var sender = FlowEnd.low
    /// Which of both it is.
    public var isIPv4 = true

    /// No key.
    @inlinable public init() {}

    /// The key of a reading on the given pair.
    @inlinable public init(of reading: borrowing Reading, pair: UInt8) { note(reading, pair: pair) }

    /// Makes it the key of a reading; that of the other family stays as it was.
    @inlinable @inline(always) mutating func note(_ reading: borrowing Reading, pair: UInt8) {
        isIPv4 = reading.isIPv4
        if isIPv4 {
            (v4, sender) = FlowKey4.make(of: reading, pair: pair)
        } else {
            (v6, sender) = FlowKey6.make(of: reading, pair: pair)
        }
    }
}

/// A worker's tables of both families behind one face, so that what judges flows is written once and is not generic. Nothing here carries
/// `@_noLocks`: in a debug build the compiler sees no generic body of another file, and proves it where hot code of another room calls.
@safe public struct FlowTables: ~Copyable {
    /// Flows over IPv4.
    public var v4: FlowTable<FlowKey4>
    /// Flows over IPv6.
    public var v6: FlowTable<FlowKey6>
    /// The port pair's number, a part of every key.
    public let pair: UInt8

    /// Tables of a pair's worker.
    public init(v4: consuming FlowTable<FlowKey4>, v6: consuming FlowTable<FlowKey6>, pair: UInt8) {
        self.v4 = v4
        self.v6 = v6
        self.pair = pair
    }

    /// Flows of both families that were ever inserted.
    @inlinable public var inserted: UInt64 { get { unsafe v4.header.pointee.inserted &+ v6.header.pointee.inserted } }

    /// Flows of both families.
    @inlinable public var used: Int { get { v4.used &+ v6.used } }

    /// TCP flows that were opened by a segment from the middle of a connection.
    @inlinable public var pickedUp: UInt64 { get { unsafe v4.header.pointee.pickedUp &+ v6.header.pointee.pickedUp } }

    /// The words that the keys are hashed with.
    public var secret: HashSecret { unsafe v4.header.pointee.secret }

    /// How flows are kept and followed.
    @inlinable public var settings: FlowSettings {
        get { v4.settings }
        set {
            v4.settings = newValue
            v6.settings = newValue
        }
    }

    /// Until when segments from the middle of a connection may open flows after a restart, in nanoseconds of the monotonic clock; 0 for
    /// not.
    @inlinable public var graceUntil: UInt64 {
        get { v4.graceUntil }
        set {
            v4.graceUntil = newValue
            v6.graceUntil = newValue
        }
    }

    // The stages of a lookup, see `FlowTable`.

    /// First and second stage: the hash of a reading's key; its bucket is asked for.
    @inlinable @inline(__always) public func hash(_ reading: borrowing Reading) -> UInt64 {
        if reading.isIPv4 {
            let hash = v4.hash(FlowKey4.make(of: reading, pair: pair).key)
            v4.prefetchIndex(hash)
            return hash
        }
        let hash = v6.hash(FlowKey6.make(of: reading, pair: pair).key)
        v6.prefetchIndex(hash)
        return hash
    }

    /// First and second stage, which keep the key for the fourth.
    @inlinable @inline(always) public func hash(_ reading: borrowing Reading, keeping keys: inout FlowKeys) -> UInt64 {
        keys.note(reading, pair: pair)
        return keys.isIPv4 ? hash(keys.v4) : hash(keys.v6)
    }

    /// Third stage: the entry that the hash's bucket suggests, or none.
    @inlinable @inline(always) public func candidate(_ hash: UInt64, isIPv4: Bool) -> FlowNumber {
        FlowNumber(isIPv4 ? v4.candidate(hash) : v6.candidate(hash), isIPv4: isIPv4)
    }

    /// The same, and brings the entry into the cache.
    @inlinable @inline(always) public func suggest(_ hash: UInt64, isIPv4: Bool) -> FlowNumber {
        if isIPv4 { return FlowNumber(v4.suggest(hash), isIPv4: true) }
        return FlowNumber(v6.suggest(hash), isIPv4: false)
    }

    /// Fourth stage: the flow of a reading, and the end that sent it.
    @inlinable @inline(__always) public func find(
        _ reading: borrowing Reading, hash: UInt64, candidate: FlowNumber
    ) -> (number: FlowNumber, sender: FlowEnd) {
        let suggested = candidate.isNone ? .max : candidate.entry
        if reading.isIPv4 {
            let (key, sender) = FlowKey4.make(of: reading, pair: pair)
            return (FlowNumber(v4.find(key, hash: hash, candidate: suggested), isIPv4: true), sender)
        }
        let (key, sender) = FlowKey6.make(of: reading, pair: pair)
        return (FlowNumber(v6.find(key, hash: hash, candidate: suggested), isIPv4: false), sender)
    }

    /// First and second stage for a key that is made.
    @inlinable @inline(always) public func hash(_ key: FlowKey4) -> UInt64 {
        let hash = v4.hash(key)
        v4.prefetchIndex(hash)
        return hash
    }

    /// The same over IPv6.
    @inlinable @inline(always) public func hash(_ key: FlowKey6) -> UInt64 {
        let hash = v6.hash(key)
        v6.prefetchIndex(hash)
        return hash
    }

    /// Fourth stage: where the candidate's entry lies, if it is the flow of the key; `nil` where `find` has to look on.
    @inlinable @inline(always) public func confirm(_ keys: borrowing FlowKeys, _ candidate: FlowNumber) -> FlowPlace? {
        guard let place = same(keys, candidate), FlowTable<FlowKey4>.isLive(place.state) else { return nil }
        return place
    }

    /// As `confirm`, without a look at the state: the entry may be of a flow that is over.
    @inlinable @inline(always) public func same(_ keys: borrowing FlowKeys, _ candidate: FlowNumber) -> FlowPlace? {
        if candidate.isIPv4 {
            guard candidate.rawValue < v4.limit else { return nil }
            // In bounds by the line above; below the same.
            guard unsafe FlowKey4.same(v4.key(at: candidate.rawValue).pointee, keys.v4) else { return nil }
            return unsafe FlowPlace(entry: v4.body(candidate.rawValue))
        }
        guard candidate.entry < v6.limit, unsafe FlowKey6.same(v6.key(at: candidate.entry).pointee, keys.v6) else { return nil }
        return unsafe FlowPlace(entry: v6.body(candidate.entry))
    }

    /// Where the entry of a flow lies.
    @inlinable @inline(always) public func place(of number: FlowNumber) -> FlowPlace {
        // Both tables compare the number with their capacity.
        unsafe FlowPlace(
            entry: UnsafeMutablePointer(mutating: number.isIPv4 ? v4.address(number.entry) : v6.address(number.entry)))
    }

    /// Fourth stage: the flow of a key.
    @inlinable @inline(always) public func find(
        _ keys: borrowing FlowKeys, hash: UInt64, candidate: FlowNumber
    ) -> FlowNumber {
        let suggested = candidate.isNone ? .max : candidate.entry
        if keys.isIPv4 { return FlowNumber(v4.find(keys.v4, hash: hash, candidate: suggested), isIPv4: true) }
        return FlowNumber(v6.find(keys.v6, hash: hash, candidate: suggested), isIPv4: false)
    }

    /// Adds the flow that a reading opens; none where there is no place, see `FlowTable.insert`. Both families share one limit of
    /// waiting flows.
    @inlinable public mutating func insert(
        _ reading: borrowing Reading, hash: UInt64, state: FlowState, now: UInt32
    ) -> FlowNumber {
        lookBeside()
        if reading.isIPv4 {
            let (key, sender) = FlowKey4.make(of: reading, pair: pair)
            return FlowNumber(v4.insert(key, hash: hash, state: state, initiator: sender, now: now), isIPv4: true)
        }
        let (key, sender) = FlowKey6.make(of: reading, pair: pair)
        return FlowNumber(v6.insert(key, hash: hash, state: state, initiator: sender, now: now), isIPv4: false)
    }

    /// The entry of a flow.
    @inlinable public subscript(number: FlowNumber) -> FlowEntry {
        @inline(__always) unsafeAddress {
            // Both tables compare the number with their capacity.
            unsafe number.isIPv4 ? v4.address(number.entry) : v6.address(number.entry)
        }
        @inline(__always) unsafeMutableAddress {
            unsafe UnsafeMutablePointer(mutating: number.isIPv4 ? v4.address(number.entry) : v6.address(number.entry))
        }
    }

    /// Sets a mark of a flow.
    @inlinable public mutating func mark(_ number: FlowNumber, _ mark: FlowMarks) {
        self[number].marks = FlowMarks(rawValue: self[number].marks.rawValue | mark.rawValue)
    }

    /// Takes a mark off a flow.
    @inlinable public mutating func unmark(_ number: FlowNumber, _ mark: FlowMarks) {
        self[number].marks = FlowMarks(rawValue: self[number].marks.rawValue & ~mark.rawValue)
    }

    /// For how many ticks a flow may be quiet as it is now.
    @inlinable public func allowance(of number: FlowNumber) -> UInt32 {
        number.isIPv4 ? v4.allowance(of: number.entry) : v6.allowance(of: number.entry)
    }

    /// The detail of a flow.
    @inlinable public subscript(detail number: FlowNumber) -> FlowDetail {
        get { number.isIPv4 ? v4[detail: number.entry] : v6[detail: number.entry] }
    }

    /// Keeps the handle of a flow's layer-7 inspection.
    @inlinable public mutating func setInspection(_ handle: UInt32, of number: FlowNumber) {
        if number.isIPv4 { v4[detail: number.entry].inspection = handle } else { v6[detail: number.entry].inspection = handle }
    }

    /// What a flow's key says.
    @inlinable public func identity(of number: FlowNumber) -> FlowIdentity {
        if number.isIPv4 { return FlowIdentity(v4.key(of: number.entry), initiator: v4[number.entry].initiator) }
        return FlowIdentity(v6.key(of: number.entry), initiator: v6[number.entry].initiator)
    }

    /// Who both ends were, and what both sides said, when the flow was judged last.
    @inlinable public func grounds(of number: FlowNumber) -> FlowGrounds {
        number.isIPv4 ? v4.grounds(of: number.entry) : v6.grounds(of: number.entry)
    }

    /// Keeps them.
    @inlinable public mutating func setGrounds(_ grounds: FlowGrounds, of number: FlowNumber) {
        if number.isIPv4 { v4.setGrounds(grounds, of: number.entry) } else { v6.setGrounds(grounds, of: number.entry) }
    }

    /// Follows a flow by one frame, see `FlowTable.track`.
    @inlinable @inline(__always) public mutating func track(
        _ number: FlowNumber, _ reading: borrowing Reading, sender: FlowEnd, length: Int, now: UInt32
    ) -> Match {
        number.isIPv4
            ? v4.track(number.entry, reading, sender: sender, length: length, now: now)
            : v6.track(number.entry, reading, sender: sender, length: length, now: now)
    }

    /// Lets a SYN of the responder's pass, see `FlowTable.cross`.
    @inlinable public mutating func cross(
        _ number: FlowNumber, _ reading: borrowing Reading, sender: FlowEnd, length: Int, now: UInt32
    ) {
        if number.isIPv4 {
            v4.cross(number.entry, reading, sender: sender, length: length, now: now)
        } else {
            v6.cross(number.entry, reading, sender: sender, length: length, now: now)
        }
    }

    /// Makes a flow the one that its remembered SYN opens, see `FlowTable.replace`.
    @inlinable public mutating func replace(_ number: FlowNumber, now: UInt32) {
        if number.isIPv4 { v4.replace(number.entry, now: now) } else { v6.replace(number.entry, now: now) }
    }

    /// Makes a fresh flow one that was picked up, see `FlowTable.pickUp`.
    @inlinable public mutating func pickUp(_ number: FlowNumber, isReply: Bool) {
        if number.isIPv4 { v4.pickUp(number.entry, isReply: isReply) } else { v6.pickUp(number.entry, isReply: isReply) }
    }

    /// Forgets the numbers of a connection that is known, see `FlowTable.forgetWindows`.
    @inlinable public mutating func forgetWindows(_ number: FlowNumber) {
        if number.isIPv4 { v4.forgetWindows(number.entry) } else { v6.forgetWindows(number.entry) }
    }

    /// Makes the receiver of a flow's first frame its initiator, who expects such frames.
    @inlinable public mutating func turnRound(_ number: FlowNumber) {
        let turned = self[number].marks.rawValue ^ FlowMarks.initiatorIsHigh.rawValue
        self[number].marks = FlowMarks(rawValue: turned | FlowMarks.expectsReplies.rawValue)
    }

    /// Ends a flow.
    @inlinable public mutating func remove(_ number: FlowNumber, as ending: FlowEnding = .removed) {
        if number.isIPv4 { v4.remove(number.entry, as: ending) } else { v6.remove(number.entry, as: ending) }
    }

    /// The waiting flow of either family that was opened first, see `FlowTable.oldestWaiting`.
    @inlinable public mutating func oldestWaiting() -> FlowNumber {
        let first4 = FlowNumber(v4.oldestWaiting(), isIPv4: true)
        let first6 = FlowNumber(v6.oldestWaiting(), isIPv4: false)
        guard !first4.isNone, !first6.isNone else { return first4.isNone ? first6 : first4 }
        // Ticks wrap: the sign of their difference says which is older.
        let isOlder4 = Int32(bitPattern: self[detail: first4].firstSeen &- self[detail: first6].firstSeen) <= 0
        return isOlder4 ? first4 : first6
    }

    /// Asks for what the next ends of waiting flows of a family touch, see `FlowTable.prefetchOldest`.
    @inlinable public func prefetchOldest(isIPv4: Bool) {
        if isIPv4 { v4.prefetchOldest() } else { v6.prefetchOldest() }
    }

    /// Flows of both families that wait: half open, one-sided, or answered once.
    @inlinable public var waiting: Int { get { v4.waiting &+ v6.waiting } }

    /// Keeps a waiting flow from giving way, unless `most` flows do so already, see `FlowTable.shelter`.
    @inlinable public mutating func shelter(_ number: FlowNumber, most: Int) {
        let room = unsafe most &- Int(v4.header.pointee.sheltered &+ v6.header.pointee.sheltered)
        guard room > 0 else { return }
        if number.isIPv4 {
            _ = unsafe v4.shelter(number.entry, most: room &+ Int(v4.header.pointee.sheltered))
        } else {
            _ = unsafe v6.shelter(number.entry, most: room &+ Int(v6.header.pointee.sheltered))
        }
    }

    /// Lets it give way again, see `FlowTable.expose`.
    @inlinable public mutating func expose(_ number: FlowNumber) {
        if number.isIPv4 { v4.expose(number.entry) } else { v6.expose(number.entry) }
    }

    /// Tells each table how many wait in the other.
    @inlinable mutating func lookBeside() {
        v4.listedBeside = v6.listed
        v6.listedBeside = v4.listed
    }

    /// How many steps of a family's hand are due, see `FlowTable.stepsDue`.
    @inlinable public mutating func stepsDue(isIPv4: Bool, now: UInt32, most: Int) -> Int {
        lookBeside()
        return isIPv4 ? v4.stepsDue(now: now, most: most) : v6.stepsDue(now: now, most: most)
    }

    /// Gives back steps of a family's hand, see `FlowTable.postpone`.
    @inlinable public mutating func postpone(_ steps: Int, isIPv4: Bool) {
        if isIPv4 { v4.postpone(steps) } else { v6.postpone(steps) }
    }

    /// The next flow of a family that was quiet for too long, see `FlowTable.nextExpired`.
    @inlinable public mutating func nextExpired(isIPv4: Bool, now: UInt32, steps: inout Int) -> FlowNumber {
        FlowNumber(
            isIPv4 ? v4.nextExpired(now: now, steps: &steps) : v6.nextExpired(now: now, steps: &steps), isIPv4: isIPv4)
    }
}
