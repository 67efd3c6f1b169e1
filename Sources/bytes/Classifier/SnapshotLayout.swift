// SPDX-License-Identifier: Apache-2.0

/// The Snapshot image: everything that policy says, as one relocatable block of offsets, compiled by control, read by workers.
///
///     (zone, address) -> class -> row of each side x class of the peer -> service table -> side record
///
/// A connection is judged by two sides that know nothing of each other: the source's egress and the destination's ingress. So the
/// image holds no pairs of classes with a merged outcome, which would grow with the product of both, but a row of each side for
/// each class, shared by all classes whose row is the same. A row and a peer class lead to a service table; where the row does not
/// name the peer's class, the class's ancestors are tried, nearest first (the prefixes that hold it, at last "any"): at most
/// `maximumAncestors + 1` probes a side, a miss included. The service table is a sorted list of disjoint intervals over protocol and
/// port that covers all services; its value is a side record, or a table of the same form over source ports.
///
/// What a first frame waits for is memory, not arithmetic, so the image is cut by cache lines. All that a class is, as a subject and
/// as a peer, is one line (`ClassLine`). A row is a run of lines of its own, so that all ancestors of a peer are looked for in the
/// same few lines, each compared in one step (`PeerLine`); a filter of 64 bits for each line says of most classes that a row does not
/// name that it does not, so that the line is not read. A service table lies inside one line as long as it has no more than eight
/// intervals, and says the decision itself where its record has nothing else to say (`RecordWord`), so that the record is not read.
///
/// The image is plain memory: every section is an offset from its start and a count of fixed-size items, 64-byte aligned,
/// little-endian as the machine is. It is checked whole, once, when it is mapped (`Snapshot.init(validating:)`): each section lies
/// inside the image and every number in it points to something that exists. After that no reader checks again, so that a faulty
/// control can be wrong, but cannot crash a worker. The file is sealed against writing, so that what was checked stays so.
public enum SnapshotLayout {
    /// `BKHDSNAP` as a little-endian number.
    public static let magic: UInt64 = 0x5041_4e53_4448_4b42
    /// Changes with every change of any section; another version is not adopted.
    public static let version: UInt32 = 6
    /// Bytes of the header, with room for more sections.
    public static let headerSize = 512
    /// Nested prefixes above a class that a lookup tries; the compiler flattens deeper nesting to this.
    public static let maximumAncestors = 9
    /// Successors behind one side record, so that following them has an end.
    public static let maximumSuccessors = 256
    /// Neighbouring slots in use in a hash; at half load the longest run of a million is about a hundred.
    public static let maximumRun = 1_024
    /// Neighbouring full lines in the rows, so that a miss has an end soon.
    public static let maximumFullLines = 64
    /// One more than the classes and the side records there may be: a flow's entry keeps them in 24 bits (`FlowGrounds`).
    public static let groundsLimit = 0xff_ffff
    /// Trie nodes from which on the image has shortcuts for IPv4: the trie's own answers behind two bytes of the address.
    public static let nodesForShortcuts = 256
    /// "No such number" in every section.
    @inlinable public static var none: UInt32 { @_noLocks get { .max } }

    /// The sections, in the order of their entries in the header.
    public enum Section: Int, CaseIterable, Sendable {
        /// `ZoneEntry`: where a zone lies on this appliance, most specific first.
        case zones = 0
        /// `UInt32` for each (label set, in the inventory's numbering): its class.
        case labelSets
        /// `TrieNode` of the prefix trie over the 128-bit space; node 0 is its root.
        case trieNodes
        /// `TrieWay` of the runs of nodes that have more than `TrieNode.runsInline` of them.
        case trieRuns
        /// `TrieWay` behind each of the 65,536 first halves of an IPv4 address, or none at all.
        case shortcuts
        /// `CombinedEntry`, an open-addressed hash: (class of label set, class of prefix) -> class of both.
        case combined
        /// `ClassLine` for each class.
        case classes
        /// `PeerLine` of all rows.
        case rows
        /// `UInt64` for each line of `rows`: a filter of the classes that are looked for from that line on.
        case filters
        /// `IntervalEntry` of all service tables.
        case intervals
        /// `SideRecord`, interned.
        case records
        /// `UInt32` side record for each (zone of source, zone of destination), row by row: what unjudged traffic gets.
        case zonePairs
        /// `ZoneFacts` of each zone.
        case zoneFacts
        /// `LinkTable`, exactly one.
        case links
        /// `FlowSettings`, exactly one.
        case flowSettings
    }
}

/// The header of a Snapshot image: identity first, then one (offset, count) for each section.
@frozen public struct SnapshotHeader: BitwiseCopyable, Sendable {
    /// `SnapshotLayout.magic`.
    public var magic: UInt64 = SnapshotLayout.magic
    /// `SnapshotLayout.version`.
    public var version: UInt32 = SnapshotLayout.version
    /// The policy generation, from 1.
    public var generation: UInt32 = 0
    /// Bytes of the whole image.
    public var size: UInt64 = 0
    /// How many zones there are; `zonePairs` has its square.
    public var zoneCount: UInt32 = 0
    /// The class of a contested address.
    public var contestedClass: UInt32 = 0
    /// The side record that says "contested".
    public var contestedRecord: UInt32 = 0
    /// The side record that says "a workload always reaches itself".
    public var itselfRecord: UInt32 = 0
    /// The class at which most ways from ancestor to ancestor end: what sides say of it stands in the lines of their own classes.
    public var root: UInt32 = 0
    /// Room up to a multiple of 8; 0.
    public var reserved: UInt32 = 0
    /// (offset in bytes, count of items) of each section.
    public var sections: InlineArray<15, SectionEntry> = .init(repeating: SectionEntry())

    /// An empty header.
    public init() {}
}

/// Where a section lies.
@frozen public struct SectionEntry: BitwiseCopyable, Sendable {
    /// Bytes from the image's start; a multiple of 64.
    public var offset: UInt64 = 0
    /// Items, not bytes.
    public var count: UInt64 = 0
    /// An empty section.
    public init() {}
}

/// Where a zone lies: the port of a pair, with tags and tunnel if it is that narrow.
@frozen public struct ZoneEntry: BitwiseCopyable, Sendable {
    /// The port pair, or 255 for any.
    public var pair: UInt8 = 255
    /// The port of the pair: 0, 1, or 255 for any.
    public var port: UInt8 = 255
    /// The zone.
    public var zone: UInt16 = 0
    /// `VLANTags.word`, or `SnapshotLayout.none` for any tags.
    public var vlans: UInt32 = SnapshotLayout.none
    /// Tunnel identifier, or `SnapshotLayout.none` for any.
    public var tunnel: UInt32 = SnapshotLayout.none
    /// An entry that fits everything.
    public init() {}
}

/// (class of a label set, class of a prefix) -> the class that both together make. In the same hash stand the pairs of
/// (class, zone) that policies tell apart: there `prefixClass` is `zoneTag | zone`. A pair that is not there is what its first
/// half is alone.
@frozen public struct CombinedEntry: BitwiseCopyable, Sendable {
    /// Set in `prefixClass` where its low 16 bits are a zone.
    @inlinable public static var zoneTag: UInt32 { @_noLocks get { 0x8000_0000 } }
    /// Class of the label set, `SnapshotLayout.none` in an empty slot.
    public var labelClass: UInt32 = SnapshotLayout.none
    /// Class of the prefix, or a tagged zone.
    public var prefixClass: UInt32 = 0
    /// The class of both.
    public var combined: UInt32 = 0
    /// An empty slot.
    public init() {}
}
