// SPDX-License-Identifier: Apache-2.0
public import Net

/// Where the parts of a flow table lie in its memory, in bytes from its start.
@frozen public struct FlowTableLayout<Key: FlowKey> {
    /// Entries.
    public let capacity: Int
    /// Buckets of 64 bytes: three to 25 flows, which fills ten places to 83 %, and two more for small tables.
    public let buckets: Int

    /// The layout of a table of 1 to 2³⁰ flows.
    @inlinable public init(capacity: Int) {
        precondition(capacity > 0 && capacity <= 1 << 30)
        self.capacity = capacity
        buckets = capacity * 3 / 25 + 2
    }

    /// Bytes from an entry to the next: whole half lines, so that an entry never touches more than two.
    @inlinable public static var stride: Int {
        @_noLocks get { (MemoryLayout<Key>.size &+ MemoryLayout<FlowEntry>.size &+ 31) & ~31 }
    }
    /// Where in an entry the state's byte lies. It is read as a byte, because damaged memory may hold what is no `FlowState`.
    @inlinable public static var stateOffset: Int { @_noLocks get { MemoryLayout<Key>.size &+ 44 } }

    /// First byte of the index.
    @inlinable public var index: Int { FlowTableHeader.size }
    /// First byte of the entries.
    @inlinable public var entries: Int { index + buckets * 64 }
    /// First byte of the details.
    @inlinable public var details: Int { entries + (capacity * Self.stride + 63) & ~63 }
    /// Bytes of the whole table.
    @inlinable public var byteCount: Int { details + (capacity * MemoryLayout<FlowDetail>.stride + 63) & ~63 }

    /// The header of an empty table.
    @inlinable public var header: FlowTableHeader {
        FlowTableHeader(keySize: UInt32(MemoryLayout<Key>.size), capacity: UInt32(capacity), buckets: UInt32(buckets))
    }

    /// Whether a header is that of a table of this layout.
    @inlinable public func matches(_ other: FlowTableHeader) -> Bool {
        other.magic == FlowTableHeader.magic && other.version == FlowTableHeader.version
            && other.keySize == UInt32(MemoryLayout<Key>.size) && other.capacity == UInt32(capacity)
            && other.buckets == UInt32(buckets)
    }
}
