// SPDX-License-Identifier: Apache-2.0
public import Net

// The fragment table: virtual reassembly. Fragments are not put together; they go on one by one, as they came, each with the ports of
// its datagram's first one, so that policy and the flow judge it as they would judge the whole packet.
//
//     header   64 bytes: list heads, counters                                    (FragmentTableHeader)
//     index    256 buckets of eight words: 16-bit tag, 16-bit number plus one    (FragmentTable+Index)
//     entries  a datagram each: key, facts, length, lists
//     held     a frame each that waits for its datagram's first
//     sources  how much each source has of both
//     maps     for each datagram two bits for each of its 8,192 units of 8 bytes (FragmentTable+Units)
//
// Problem. Only the first fragment names the ports, and any may come first. Who passes later ones unseen lets anything through; who
// keeps them for all can be filled up; and where two fragments overlap, the host may keep the other copy than the one that was judged
// (RFC 1858, RFC 5722).
//
// Answer. What overlaps ends the datagram: of two bits a unit, one says that the unit came and one that a fragment began there, so that
// an overlap is told from an exact copy, and either costs a few words, whatever was there before. A copy is dropped and the datagram
// lives (RFC 8200, 4.5); a dead one is remembered for a whole timeout, and nothing of it passes. A datagram of which everything came is
// forgotten at once, because senders use their numbers again (RFC 6864). A fragment without its first waits, and goes behind it in
// the order in which it came.
//
// Bounds. So many datagrams, so many frames, of one source and in all, and nothing that is in the table gives way to what is new: a
// flood loses its own fragments, counted, and after the timeout it has lost its places too. Every step here takes a bounded number of
// words: two buckets, one piece of a bitmap, or the at most 128 frames of a datagram. All time out alike, so that the oldest is the
// first of a list.
//
// Damage. Another process may have written the memory (hand-over). Each number is masked to its array before it is used and each loop
// is bounded, so that wrong bytes lose datagrams and neither trap nor hang. After a crash the table is not taken over: the frames that it
// names are somebody else's by then.
//
// Owner. One worker writes. Nothing here is atomic.

/// A table of incomplete datagrams over one memory area. See the essay at the head of this file.
@safe public struct FragmentTable: ~Copyable {
    let header: UnsafeMutablePointer<FragmentTableHeader>
    let index: UnsafeMutablePointer<UInt32>
    let entries: UnsafeMutablePointer<FragmentEntry>
    let held: UnsafeMutablePointer<HeldEntry>
    let sources: UnsafeMutablePointer<FragmentSource>
    let maps: UnsafeMutablePointer<UInt64>
    let secret: HashSecret
    /// Fragments that may be held in all.
    let mostHeld: UInt32
    /// Counts turns, so that a fragment that was told to wait in this one is known before it is held.
    var turn: UInt32 = 0

    /// Bytes that a table needs: a multiple of 64.
    public static var byteCount: Int { (FragmentTableLayout.byteCount + 63) & ~63 }

    /// Adopts the table that the memory holds; `nil` where it holds none, as fresh memory does: `format` it then.
    ///
    /// - Parameters:
    ///   - base: `byteCount` bytes, 64-byte aligned, that outlive the table.
    ///   - frames: frames of the worker's packet memory, of which at most an eighth is held.
    ///   - secret: what the keys are hashed with, the same for all workers of a pair.
    @unsafe public init?(base: UnsafeMutableRawPointer, frames: Int, secret: HashSecret) {
        // The caller vouches for the area; every pointer below stays inside it by the layout's sums, and every number is masked.
        unsafe header = base.assumingMemoryBound(to: FragmentTableHeader.self)
        unsafe index = (base + FragmentTableLayout.index).assumingMemoryBound(to: UInt32.self)
        unsafe entries = (base + FragmentTableLayout.entries).assumingMemoryBound(to: FragmentEntry.self)
        unsafe held = (base + FragmentTableLayout.held).assumingMemoryBound(to: HeldEntry.self)
        unsafe sources = (base + FragmentTableLayout.sources).assumingMemoryBound(to: FragmentSource.self)
        unsafe maps = (base + FragmentTableLayout.maps).assumingMemoryBound(to: UInt64.self)
        self.secret = secret
        mostHeld = UInt32(max(1, min(FragmentTableSize.frames, frames / 8)))
        guard unsafe header.pointee.magic == FragmentTableHeader.magic,
            unsafe header.pointee.version == FragmentTableHeader.version
        else { return nil }
    }

    /// Writes an empty table, whatever the memory held.
    @unsafe public static func format(base: UnsafeMutableRawPointer) {
        let layout = FragmentTableLayout.self
        // The bitmaps are cleared when a datagram takes them, as far as its entry says that they were used.
        unsafe (base + layout.index).initializeMemory(as: UInt8.self, repeating: 0, count: layout.maps - layout.index)
        let entries = unsafe (base + layout.entries).assumingMemoryBound(to: FragmentEntry.self)
        for number in 0..<FragmentTableSize.datagrams {
            let isLast = number + 1 == FragmentTableSize.datagrams
            unsafe entries[number].next = isLast ? .max : UInt32(number + 1)
            unsafe entries[number].highest = 0xffff
        }
        let held = unsafe (base + layout.held).assumingMemoryBound(to: HeldEntry.self)
        for number in 0..<FragmentTableSize.frames {
            unsafe held[number].nextAndPort = number + 1 == FragmentTableSize.frames ? Link.none : UInt32(number + 1)
        }
        unsafe base.storeBytes(of: FragmentTableHeader(), as: FragmentTableHeader.self)
    }

    /// Datagrams in the table.
    public var used: Int { @_noLocks get { unsafe Int(header.pointee.used) } }
    /// Fragments held.
    public var heldCount: Int { @_noLocks get { unsafe Int(header.pointee.held) } }
    /// Whether the table holds nothing at all, so that no turn need look at it.
    public var isEmpty: Bool { @_noLocks get { unsafe header.pointee.used == 0 } }

    /// Keyed hash of a datagram's key, which names its owner among workers too.
    @_noLocks public func hash(_ key: FragmentKey) -> UInt64 { key.hash(secret) }

    /// A datagram's entry. The mask keeps any number inside the array.
    @_noLocks func entry(_ number: UInt32) -> UnsafeMutablePointer<FragmentEntry> {
        unsafe entries + Int(number & UInt32(truncatingIfNeeded: FragmentTableSize.datagrams &- 1))
    }

    /// The counters of a datagram's source.
    @_noLocks func source(_ number: UInt16) -> UnsafeMutablePointer<FragmentSource> {
        unsafe sources + Int(number & UInt16(truncatingIfNeeded: FragmentTableSize.sources &- 1))
    }
}

/// What becomes of a fragment that was added to its datagram.
@frozen public enum FragmentStep: BitwiseCopyable, Sendable {
    /// Its datagram's facts are known and nothing of it waits: it goes on, and is judged by them.
    case known(FragmentFacts)
    /// It waits: `hold` it under the datagram's number.
    case waits(UInt32)
    /// It ends here. Where the datagram died of it, `takeDead` gives what was held of it under the number.
    case refused(DropReason, datagram: UInt32)
}

/// A frame that was held.
@frozen public struct HeldFrame: BitwiseCopyable, Sendable {
    /// Its address in the packet memory.
    public let address: UInt64
    /// Its bytes.
    public let length: UInt32
    /// The port that it came in by.
    public let port: UInt32

    @_noLocks init(_ entry: HeldEntry) {
        address = entry.address
        length = entry.length
        port = entry.nextAndPort >> 31
    }
}

/// Numbers of held frames in lists: 31 bits, of which all ones end a list.
enum Link {
    static var none: UInt32 { @_noLocks get { 0x7fff_ffff } }
}
