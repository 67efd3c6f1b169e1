// SPDX-License-Identifier: Apache-2.0

/// What a class is to both sides, all in one cache line.
@frozen public struct ClassLine: BitwiseCopyable, Sendable {
    /// First of the lines of its egress side's row.
    public var egressFirst: UInt32 = 0
    /// How many, 0 where nothing judges it.
    public var egressLines: UInt32 = 0
    /// First of the lines of its ingress side's row.
    public var ingressFirst: UInt32 = 0
    /// How many, 0 where nothing judges it.
    public var ingressLines: UInt32 = 0
    /// How many ancestors it has, at most `SnapshotLayout.maximumAncestors`.
    public var ancestorCount: UInt16 = 0
    /// As in `ClassEntry`.
    public var flags: UInt16 = 0
    /// What its egress side says of the header's `root`, as a line of its row does.
    public var egressRoot: UInt32 = 0
    /// Its ancestors, nearest first; 0 behind the last.
    public var ancestors: InlineArray<9, UInt32> = .init(repeating: 0)
    /// What its ingress side says of the header's `root`, as a line of its row does.
    public var ingressRoot: UInt32 = 0
    /// A class that nothing judges.
    public init() {}
}

/// Eight slots of a row: (class of the peer) -> service table. A row is a run of such lines; a class is looked for from the line that
/// its number's hash names, up to a line with an empty slot, at most once around.
@frozen public struct PeerLine: BitwiseCopyable, Sendable {
    /// Classes of peers, `SnapshotLayout.none` in an empty slot.
    public var peers: SIMD8<UInt32> = .init(repeating: .max)
    /// One more than the first interval of the peer's service table; 0 in an empty slot.
    public var tables: SIMD8<UInt32> = .init(repeating: 0)
    /// Eight empty slots.
    public init() {}

    /// The table of a peer, 0 for none: all eight compared at once, without a branch that could be guessed wrongly.
    @_noLocks @inlinable @inline(__always) func table(of peer: UInt32) -> UInt32 {
        tables.replacing(with: SIMD8(repeating: 0), where: peers .!= SIMD8(repeating: peer)).wrappedSum()
    }

    /// Whether a slot is empty. Slots are filled from the first one on.
    @inlinable var hasRoom: Bool { @_noLocks get { peers[7] == SnapshotLayout.none } }

    /// The bits of a class in its home line's filter: two of 64. Three in a hundred of the classes that a row does not name find both set by
    /// others; with one bit it would be one in eight, each of which reads a line for nothing.
    @_noLocks @inlinable @inline(__always) static func bits(of peer: UInt32) -> UInt64 {
        let spread = peer &* 0x85EB_CA6B
        return 1 &<< UInt64(truncatingIfNeeded: spread &>> 26) | 1 &<< UInt64(truncatingIfNeeded: spread &>> 20 & 63)
    }

    /// The line of a row of so many in which a class is looked for first.
    @_noLocks @inlinable @inline(__always) static func home(of peer: UInt32, lines: UInt32) -> UInt32 {
        UInt32(truncatingIfNeeded: (UInt64(peer &* 0x9E37_79B1) &* UInt64(lines)) >> 32)
    }
}

/// From `start` up to the next interval's start: one side record. The first interval of a table starts at 0 whatever it says: there
/// `start` is how many intervals the table has.
@frozen public struct IntervalEntry: BitwiseCopyable, Sendable {
    /// First service key, or first source port.
    public var start: UInt32 = 0
    /// A `RecordWord`. In a `SnapshotBuilder` the plain number of a side record, or `SnapshotLayout.none`.
    public var record: UInt32 = SnapshotLayout.none
    /// An interval.
    @inlinable public init(start: UInt32 = 0, record: UInt32 = SnapshotLayout.none) {
        self.start = start
        self.record = record
    }
}

/// What stands in an interval: `none` where the side does not judge; else the number of a side record in the lower 29 bits, or, with
/// both upper bits, the first interval of a table over source ports. Bit 29 says that the record only decides, and then the upper
/// bits are its decision.
public enum RecordWord {
    /// Set where the record has nothing to say beside its decision and its cause.
    @inlinable public static var plain: UInt32 { @_noLocks get { 1 << 29 } }
    /// The bits of the number.
    @inlinable public static var number: UInt32 { @_noLocks get { 1 << 29 &- 1 } }
    /// The upper bits of a word that names a table over source ports.
    @inlinable public static var split: UInt32 { @_noLocks get { 3 << 30 } }
    /// The most side records, and the most intervals, that a word can name.
    public static let limit = 1 << 29 - 1

    /// Whether a word names a table over source ports.
    @_noLocks @inlinable static func isSplit(_ word: UInt32) -> Bool { word >> 30 == 3 && word != SnapshotLayout.none }

    /// The word of a record's number.
    static func word(_ number: UInt32, of record: SideRecord) -> UInt32 {
        record.onlyDecides ? UInt32(record.decision) << 30 | plain | number : number
    }
}
