// SPDX-License-Identifier: Apache-2.0

/// Lays plain sections out as a Snapshot image. It knows the image's size before it builds, and refuses what does not fit.
///
/// The builder does not judge what the numbers mean: `Snapshot.init(validating:byteCount:)` does, for every image alike.
public struct SnapshotBuilder {
    /// The policy generation, from 1.
    public var generation: UInt32 = 1
    /// How many zones there are; zone 0 is always there.
    public var zoneCount: UInt32 = 1
    /// The class of a contested address.
    public var contestedClass: UInt32 = 0
    /// The side record that says "contested".
    public var contestedRecord: UInt32 = 0
    /// The side record that says "a workload always reaches itself".
    public var itselfRecord: UInt32 = 0
    /// Where the zones lie, most specific first.
    public var zones: [ZoneEntry] = []
    /// The class of each label set of the inventory.
    public var labelSets: [UInt32] = []
    /// The prefixes and their classes.
    public var prefixes = PrefixTrie()
    /// Pairs of classes, and of class and tagged zone, that make another class; each pair once.
    public var combined: [CombinedEntry] = []
    /// What each class is.
    public var classes: [ClassEntry] = []
    /// Lists of ancestors, nearest first.
    public var ancestors: [UInt32] = []
    /// The service table of each (row, class of peer); each pair once.
    public var rows: [RowEntry] = []
    /// Runs of intervals.
    public var tables: [TableEntry] = []
    /// Intervals of all service tables.
    public var intervals: [IntervalEntry] = []
    /// Side records, each before its successor.
    public var records: [SideRecord] = []
    /// The record of each pair of zones, row by row.
    public var zonePairs: [UInt32] = []
    /// Facts of each zone by number; none of those that are not named.
    public var zoneFacts: [ZoneFacts] = []
    /// The table of layer 2.
    public var links = LinkTable()

    /// A builder without sections.
    public init() {}

    /// The image, or the figure that broke: more bytes than `limit`, or more items in a section than a number can name.
    public func build(limit: Int = 1 << 30) throws(SnapshotError) -> [UInt8] {
        let trie = prefixes.build()
        let counts = sectionCounts(nodes: trie.nodes.count, values: trie.values.count)
        var header = SnapshotHeader()
        var offset = SnapshotLayout.headerSize
        for section in SnapshotLayout.Section.allCases {
            let (count, stride) = counts[section.rawValue]
            guard count < 1 << 31 else { throw .capacity(what: "items of section \(section)", needed: count, limit: 1 << 31 - 1) }
            header.sections[section.rawValue].offset = UInt64(offset)
            header.sections[section.rawValue].count = UInt64(count)
            offset += (count * stride + 7) & ~7
        }
        guard offset <= limit else { throw .capacity(what: "bytes of the image", needed: offset, limit: limit) }
        header.generation = generation
        header.size = UInt64(offset)
        header.zoneCount = zoneCount
        header.contestedClass = contestedClass
        header.contestedRecord = contestedRecord
        header.itselfRecord = itselfRecord
        return image(header, trie.nodes, trie.values)
    }

    /// Items and their stride, by section.
    private func sectionCounts(nodes: Int, values: Int) -> [(count: Int, stride: Int)] {
        [
            (zones.count, MemoryLayout<ZoneEntry>.stride), (labelSets.count, 4), (nodes, MemoryLayout<TrieNode>.stride),
            (values, 4), (Self.slots(combined.count), MemoryLayout<CombinedEntry>.stride),
            (classes.count, MemoryLayout<ClassEntry>.stride), (ancestors.count, 4),
            (Self.slots(rows.count), MemoryLayout<RowEntry>.stride), (tables.count, MemoryLayout<TableEntry>.stride),
            (intervals.count, MemoryLayout<IntervalEntry>.stride), (records.count, MemoryLayout<SideRecord>.stride),
            (zonePairs.count, 4), (Int(zoneCount), 4), (1, MemoryLayout<LinkTable>.stride),
        ]
    }

    private func image(_ header: SnapshotHeader, _ nodes: [TrieNode], _ values: [UInt32]) -> [UInt8] {
        var image = [UInt8](repeating: 0, count: Int(header.size))
        unsafe image.withUnsafeMutableBytes { bytes in
            unsafe bytes.storeBytes(of: header, as: SnapshotHeader.self)
        }
        func put<Item: BitwiseCopyable>(_ items: [Item], _ section: SnapshotLayout.Section) {
            let offset = Int(header.sections[section.rawValue].offset)
            unsafe items.withUnsafeBytes { source in
                unsafe image.withUnsafeMutableBytes { target in
                    // The header's offsets were laid out for exactly these counts.
                    unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: source)
                }
            }
        }
        put(zones, .zones)
        put(labelSets, .labelSets)
        put(nodes, .trieNodes)
        put(values, .trieValues)
        put(Self.hash(combined, empty: CombinedEntry()) { ($0.labelClass, $0.prefixClass) }, .combined)
        put(classes, .classes)
        put(ancestors, .ancestors)
        put(Self.hash(rows, empty: RowEntry()) { ($0.row, $0.peer) }, .rows)
        put(tables, .tables)
        put(intervals, .intervals)
        put(records, .records)
        put(zonePairs, .zonePairs)
        put((0..<Int(zoneCount)).map { $0 < zoneFacts.count ? zoneFacts[$0].rawValue : 0 }, .zoneFacts)
        put([links], .links)
        return image
    }

    /// Slots of an open-addressed hash: a power of two, at most half full, so that a miss is short; none for nothing.
    private static func slots(_ count: Int) -> Int {
        guard count > 0 else { return 0 }
        var slots = 4
        while slots < count * 2 { slots *= 2 }
        return slots
    }

    private static func hash<Item>(_ items: [Item], empty: Item, key: (Item) -> (UInt32, UInt32)) -> [Item] {
        let count = slots(items.count)
        var slots = [Item](repeating: empty, count: count)
        for item in items {
            let (first, second) = key(item)
            var slot = Int(spread(first, second)) & (count - 1)
            while key(slots[slot]).0 != SnapshotLayout.none { slot = (slot + 1) & (count - 1) }
            slots[slot] = item
        }
        return slots
    }
}
