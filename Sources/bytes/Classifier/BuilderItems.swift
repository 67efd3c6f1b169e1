// SPDX-License-Identifier: Apache-2.0

/// What a class is to both sides, as a `SnapshotBuilder` takes it.
@frozen public struct ClassEntry: BitwiseCopyable, Sendable {
    /// Row of its egress side, `SnapshotLayout.none` where nothing judges it.
    public var egressRow: UInt32 = SnapshotLayout.none
    /// Row of its ingress side, `SnapshotLayout.none` where nothing judges it.
    public var ingressRow: UInt32 = SnapshotLayout.none
    /// First of its ancestors in the builder's `ancestors`.
    public var firstAncestor: UInt32 = 0
    /// How many, at most `SnapshotLayout.maximumAncestors`.
    public var ancestorCount: UInt16 = 0
    /// Bit 0: a workload's. Bit 1: a block that workloads claim in other zones only.
    public var flags: UInt16 = 0
    /// A class that nothing judges.
    public init() {}

    /// `flags`: addresses of this class are a workload's.
    @inlinable public static var workload: UInt16 { @_noLocks get { 1 } }
    /// `flags`: workloads claim the addresses of this class, but in other zones only.
    @inlinable public static var elsewhere: UInt16 { @_noLocks get { 2 } }
    /// Every bit of `flags` that means something.
    static let allFlags: UInt16 = 3
}

/// (row, class of the peer) -> service table, as a `SnapshotBuilder` takes it.
@frozen public struct RowEntry: BitwiseCopyable, Sendable {
    /// The row.
    public var row: UInt32 = SnapshotLayout.none
    /// The peer's class.
    public var peer: UInt32 = 0
    /// The service table.
    public var table: UInt32 = 0
    /// An entry of no row.
    public init() {}
    /// An entry.
    @inlinable public init(row: UInt32, peer: UInt32, table: UInt32) {
        self.row = row
        self.peer = peer
        self.table = table
    }
}

/// A service table, as a `SnapshotBuilder` takes it: a run of intervals, of which the first starts at 0.
@frozen public struct TableEntry: BitwiseCopyable, Sendable {
    /// First interval.
    public var first: UInt32 = 0
    /// How many, at least 1.
    public var count: UInt32 = 0
    /// An empty table.
    public init() {}
    /// A run.
    @inlinable public init(first: UInt32, count: UInt32) {
        self.first = first
        self.count = count
    }
}
