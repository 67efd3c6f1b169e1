// SPDX-License-Identifier: Apache-2.0
internal import Classifier
public import Ring

/// The first 64 bytes of every memory file that keeper makes: what it is, by which layout, how large. A file of another version or
/// size is not adopted: a new binary with a new layout starts afresh instead of misreading the old one's memory. The snapshot image
/// and the address map begin with the same magic, version and size, in headers of their own (see Classifier).
@frozen public struct MemoryHeader: BitwiseCopyable, Sendable, Equatable {
    /// What a memory file holds.
    @frozen public enum Kind: UInt32, Sendable, CaseIterable {
        /// Packet memory of a pair with its free lists and hand-off rings.
        case umem = 1
        /// Flow and fragment tables of a pair's workers.
        case flows
        /// Counters of all workers.
        case counters
        /// Event rings of all workers.
        case events
        /// Heartbeats, link states, processes and the plan.
        case board
    }

    /// `BKHDMEMF` as a little-endian number.
    public static let magicNumber: UInt64 = 0x464d_454d_4448_4b42
    /// Changes with every change of any file's layout.
    public static let currentVersion: UInt32 = 6
    /// Bytes of the header; what follows is 64-byte aligned.
    public static let size = 64

    /// `magicNumber`.
    public var magic: UInt64 = MemoryHeader.magicNumber
    /// `currentVersion`.
    public var version: UInt32 = MemoryHeader.currentVersion
    /// A `Kind`'s number.
    public var kind: UInt32
    /// Bytes of the whole file that are in use.
    public var byteCount: UInt64
    /// A number that tells the geometry: files of another one are not adopted.
    public var geometry: UInt64
    /// The port pair, or 0 for files of all pairs.
    public var pair: UInt64 = 0
    /// Room up to 64 bytes.
    public var reserved: InlineArray<3, UInt64> = .init(repeating: 0)

    /// A header of a file.
    public init(_ kind: Kind, byteCount: Int, geometry: UInt64, pair: Int = 0) {
        self.kind = kind.rawValue
        self.byteCount = UInt64(byteCount)
        self.geometry = geometry
        self.pair = UInt64(pair)
    }

    /// Two headers describe the same file.
    public static func == (a: MemoryHeader, b: MemoryHeader) -> Bool {
        a.magic == b.magic && a.version == b.version && a.kind == b.kind && a.byteCount == b.byteCount && a.geometry == b.geometry
            && a.pair == b.pair
    }
}

extension MemoryFile {
    /// Writes the header of a new file.
    public func write(_ header: MemoryHeader) {
        // `base` is page-aligned and the file is longer than any header.
        unsafe base.storeBytes(of: header, as: MemoryHeader.self)
    }

    /// Refuses a file that is not what the header says, or shorter than it claims.
    public func expect(_ header: MemoryHeader) throws(RingError) {
        guard byteCount >= MemoryHeader.size else { throw .foreign("a memory file is too short for its header") }
        let found = unsafe base.load(as: MemoryHeader.self)
        guard found == header, UInt64(byteCount) >= header.byteCount else {
            throw .foreign(
                "a memory file of kind \(found.kind), version \(found.version), geometry \(found.geometry) does not fit")
        }
    }
}
