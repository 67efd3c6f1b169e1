// SPDX-License-Identifier: Apache-2.0
public import Net

/// The first 256 bytes of a flow table's memory: what it is, where its lists begin, what has happened to it, its secret. Written by the worker
/// that owns the table; others may read the numbers for display, each on its own.
@frozen public struct FlowTableHeader: BitwiseCopyable, Sendable {
    /// `BKHDFLOW` as a little-endian number.
    public static let magic: UInt64 = 0x574f_4c46_4448_4b42
    /// Changes with every change of entry, its states, detail, bucket or header; another version is not adopted.
    public static let version: UInt32 = 4
    /// Bytes that the header takes at the start of the memory.
    public static let size = 256

    /// `FlowTableHeader.magic`.
    public var magic: UInt64 = FlowTableHeader.magic
    /// `FlowTableHeader.version`.
    public var version: UInt32 = FlowTableHeader.version
    /// Bytes of a key, which tells the families apart.
    public var keySize: UInt32 = 0
    /// Entries.
    public var capacity: UInt32 = 0
    /// Buckets of the index.
    public var buckets: UInt32 = 0
    /// Flows in the table.
    public var used: UInt32 = 0
    /// Flows that wait: half open, one-sided, or answered once.
    public var waiting: UInt32 = 0
    /// Those of `waiting` that are in no list, because they never give way.
    public var sheltered: UInt32 = 0
    /// Entries from this number on were never used.
    public var fresh: UInt32 = 0
    /// First entry of the list of free ones, or `FlowLink.end`.
    public var free: UInt32 = FlowLink.end
    /// First entry of the list of waiting flows, which is in the order of their opening, or `FlowLink.end`.
    public var oldest: UInt32 = FlowLink.end
    /// Last entry of that list, or `FlowLink.end`.
    public var newest: UInt32 = FlowLink.end
    /// The entry that expiry looks at next.
    public var hand: UInt32 = 0
    /// When expiry last moved the hand, in ticks.
    public var handTick: UInt32 = 0
    /// Flows that were ever inserted.
    public var inserted: UInt64 = 0
    /// Flows that ended because they were quiet for too long.
    public var expired: UInt64 = 0
    /// Waiting flows that gave their place to a newer one.
    public var evicted: UInt64 = 0
    /// Flows that ended for another reason of the caller's.
    public var removed: UInt64 = 0
    /// Insertions that found no place.
    public var refused: UInt64 = 0
    /// Contradictions met (and survived) in the table's memory; 0 unless something else wrote there.
    public var damaged: UInt64 = 0
    /// Flows that were opened by a frame from the middle of a connection.
    public var pickedUp: UInt64 = 0
    /// Until when such frames may open flows after a restart, in nanoseconds of the monotonic clock; 0 for not.
    public var graceUntil: UInt64 = 0

    /// The words that the table's keys are hashed with.
    public var secret = HashSecret(repeating: 0)

    /// An empty table's header.
    @inlinable public init(keySize: UInt32, capacity: UInt32, buckets: UInt32) {
        self.keySize = keySize
        self.capacity = capacity
        self.buckets = buckets
    }
}

/// The values of `FlowDetail.next` and `previous` that are not an entry's number.
@frozen public enum FlowLink {
    /// The entry is in no list.
    @inlinable public static var none: UInt32 { @_noLocks get { .max } }
    /// The entry is the last of its list, or the first; as a list's head: the list is empty.
    @inlinable public static var end: UInt32 { @_noLocks get { .max - 1 } }
}

/// Why a flow leaves the table; decides which counter it is added to.
@frozen public enum FlowEnding: UInt8, Sendable {
    /// It was quiet for longer than its state allows.
    case expired = 0
    /// It was waiting, and a newer flow needed the place.
    case evicted
    /// The caller has its own reason.
    case removed

    /// The case's number, for hot code.
    @inlinable public var number: UInt8 { @_noLocks get { unsafe unsafeBitCast(self, to: UInt8.self) } }
}
