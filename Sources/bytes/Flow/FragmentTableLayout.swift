// SPDX-License-Identifier: Apache-2.0
internal import Net

/// How large a fragment table is: the same for every worker, so that its memory is known before anything is configured.
public enum FragmentTableSize {
    /// Datagrams that may be incomplete at a worker; a power of two.
    @inlinable public static var datagrams: Int { @_noLocks get { 1024 } }
    /// Fragments that a worker may hold; a power of two. Of a worker's frames never more than an eighth are held.
    @inlinable public static var frames: Int { @_noLocks get { 1024 } }
    /// Fragments of one datagram that may be held: what 64 KiB make at an MTU of 576 bytes.
    @inlinable public static var framesOfDatagram: Int { @_noLocks get { 128 } }
    /// Counters of sources; those whose hashes meet share their limits.
    @inlinable static var sources: Int { @_noLocks get { 1024 } }
    /// Buckets of the index, eight places each: twice as many places as datagrams.
    @inlinable static var buckets: Int { @_noLocks get { 256 } }
    /// Words of one bitmap: a bit for each of the 8,192 units of 8 bytes that a datagram has.
    @inlinable static var words: Int { @_noLocks get { 128 } }
}

/// Where the parts of a fragment table lie, in bytes from its start.
enum FragmentTableLayout {
    static var index: Int { FragmentTableHeader.size }
    static var entries: Int { index + FragmentTableSize.buckets * 32 }
    static var held: Int { entries + FragmentTableSize.datagrams * MemoryLayout<FragmentEntry>.stride }
    static var sources: Int { held + FragmentTableSize.frames * MemoryLayout<HeldEntry>.stride }
    static var maps: Int { sources + FragmentTableSize.sources * MemoryLayout<FragmentSource>.stride }
    static var byteCount: Int { maps + FragmentTableSize.datagrams * 2 * FragmentTableSize.words * 8 }
}

/// The first 64 bytes of a fragment table's memory.
struct FragmentTableHeader: BitwiseCopyable {
    /// `BKHDFRAG` as a little-endian number.
    static let magic: UInt64 = 0x4741_5246_4448_4b42
    static let version: UInt32 = 1
    static let size = 64

    var magic = FragmentTableHeader.magic
    var version = FragmentTableHeader.version
    /// Datagrams in the table.
    var used: UInt32 = 0
    /// Fragments held.
    var held: UInt32 = 0
    /// First and last datagram in the order in which they time out; `.max` for none.
    var oldest: UInt32 = .max
    var newest: UInt32 = .max
    /// First and last datagram whose held fragments may go; `.max` for none.
    var readyFirst: UInt32 = .max
    var readyLast: UInt32 = .max
    /// First of the free entries of either kind; `.max` for none.
    var freeDatagram: UInt32 = 0
    var freeHeld: UInt32 = 0
    var reserved: InlineArray<3, UInt32> = .init(repeating: 0)
}

/// What a table knows of a datagram.
struct FragmentEntry: BitwiseCopyable {
    /// Nothing was seen of it: the entry is free.
    static var free: UInt8 { @_noLocks get { 0 } }
    /// Its first fragment has not come.
    static var headless: UInt8 { @_noLocks get { 1 } }
    /// Its facts are known.
    static var known: UInt8 { @_noLocks get { 2 } }
    /// Two of its fragments contradict each other: none of the others passes.
    static var dead: UInt8 { @_noLocks get { 3 } }

    var key: FragmentKey
    var facts: FragmentFacts
    /// When its first-arrived fragment came, or the contradiction, in ticks.
    var since: UInt32
    /// Its length in bytes, which the last fragment tells; 0 before.
    var total: UInt32
    /// One past the highest byte that came; behind the entry's life, how far its bitmaps were used.
    var highest: UInt32
    /// Units that came.
    var units: UInt32
    /// The turn in which a fragment of it was last told to wait.
    var waitedIn: UInt32
    /// Neighbours in the order of timeouts; `next` also in the list of free entries.
    var next: UInt32
    var previous: UInt32
    /// The next datagram whose held fragments may go.
    var readyNext: UInt32
    /// First and last held fragment.
    var heldFirst: UInt32
    var heldLast: UInt32
    /// Held fragments.
    var held: UInt16
    /// Its source's counters.
    var source: UInt16
    var state: UInt8
    /// Of a dead one, the `DropReason`'s number for what comes of it.
    var reason: UInt8
    /// Whether it stands in the list of those whose held fragments may go.
    var isReady: Bool
}

/// A frame that is held.
struct HeldEntry: BitwiseCopyable {
    var address: UInt64
    var length: UInt32
    /// The next of its datagram or of the free list, and in the top bit the port that it came in by.
    var nextAndPort: UInt32

    @_noLocks init(address: UInt64, length: UInt32, nextAndPort: UInt32) {
        self.address = address
        self.length = length
        self.nextAndPort = nextAndPort
    }
}

/// What one source has in the table.
struct FragmentSource: BitwiseCopyable {
    var datagrams: UInt16 = 0
    var frames: UInt16 = 0
}
