// SPDX-License-Identifier: Apache-2.0
public import Net

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
    /// What the configuration says of connections.
    public var flowSettings = FlowSettings()

    /// A builder without sections.
    public init() {}

    /// Bytes that the image will take: known before any of them is written.
    public func byteCount() throws(SnapshotError) -> Int { try SnapshotPlan(self).size }

    /// The image, or the figure that broke: more bytes than `limit`, or more items in a section than a number can name.
    public func build(limit: Int = 1 << 30) throws(SnapshotError) -> [UInt8] {
        let plan = try SnapshotPlan(self)
        guard plan.size <= limit else { throw .capacity(what: "bytes of the image", needed: plan.size, limit: limit) }
        return plan.image(of: self)
    }
}

/// Where everything in an image will lie.
struct SnapshotPlan {
    /// The header, whole.
    let header: SnapshotHeader
    private let trie: (nodes: [TrieNode], runs: [UInt32])
    private let hasShortcuts: Bool
    private let rows: RowPlan
    private let tables: TablePlan

    init(_ builder: borrowing SnapshotBuilder) throws(SnapshotError) {
        trie = builder.prefixes.build()
        hasShortcuts = trie.nodes.count >= SnapshotLayout.nodesForShortcuts
        rows = try RowPlan(builder.rows, tables: builder.tables.count)
        tables = try TablePlan(builder.tables, builder.intervals, records: builder.records.count)
        let counts: [(count: Int, stride: Int)] = [
            (builder.zones.count, MemoryLayout<ZoneEntry>.stride), (builder.labelSets.count, 4),
            (trie.nodes.count, MemoryLayout<TrieNode>.stride), (trie.runs.count, 4),
            (hasShortcuts ? 65_536 : 0, 4),
            (Self.slots(builder.combined.count), MemoryLayout<CombinedEntry>.stride),
            (builder.classes.count, MemoryLayout<ClassLine>.stride), (rows.lines, MemoryLayout<PeerLine>.stride),
            (rows.lines, 8),
            (tables.count, MemoryLayout<IntervalEntry>.stride), (builder.records.count, MemoryLayout<SideRecord>.stride),
            (builder.zonePairs.count, 4), (Int(builder.zoneCount), 4), (1, MemoryLayout<LinkTable>.stride),
            (1, MemoryLayout<FlowSettings>.stride),
        ]
        guard builder.classes.count < SnapshotLayout.groundsLimit else {
            throw .capacity(what: "classes", needed: builder.classes.count, limit: SnapshotLayout.groundsLimit)
        }
        var header = SnapshotHeader()
        var offset = SnapshotLayout.headerSize
        for section in SnapshotLayout.Section.allCases {
            let (count, stride) = counts[section.rawValue]
            guard count < 1 << 31 else { throw .capacity(what: "items of section \(section)", needed: count, limit: 1 << 31 - 1) }
            header.sections[section.rawValue].offset = UInt64(offset)
            header.sections[section.rawValue].count = UInt64(count)
            offset += (count * stride + 63) & ~63
        }
        header.generation = builder.generation
        header.size = UInt64(offset)
        header.zoneCount = builder.zoneCount
        header.contestedClass = builder.contestedClass
        header.contestedRecord = builder.contestedRecord
        header.itselfRecord = builder.itselfRecord
        header.root = RowPlan.root(of: builder.classes, ancestors: builder.ancestors)
        self.header = header
    }

    /// Bytes of the image.
    var size: Int { Int(header.size) }

    /// The image.
    func image(of builder: borrowing SnapshotBuilder) -> [UInt8] {
        var image = [UInt8](repeating: 0, count: size)
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
        put(builder.zones, .zones)
        put(builder.labelSets, .labelSets)
        put(trie.nodes, .trieNodes)
        put(trie.runs, .trieRuns)
        if hasShortcuts { put(PrefixTrie.shortcuts(in: trie.nodes, trie.runs), .shortcuts) }
        put(Self.hash(builder.combined), .combined)
        let roots = rows.roots(builder.rows, of: header.root, starts: tables.starts)
        put(rows.classes(builder.classes, ancestors: builder.ancestors, roots: roots), .classes)
        let filled = rows.filled(builder.rows, starts: tables.starts)
        put(filled.lines, .rows)
        put(filled.filters, .filters)
        put(tables.filled(builder.tables, builder.intervals, builder.records), .intervals)
        put(builder.records, .records)
        put(builder.zonePairs, .zonePairs)
        let facts = builder.zoneFacts
        put((0..<Int(builder.zoneCount)).map { $0 < facts.count ? facts[$0].rawValue : 0 }, .zoneFacts)
        put([builder.links], .links)
        put([builder.flowSettings], .flowSettings)
        return image
    }

    /// Slots of an open-addressed hash: a power of two, at most half full, so that a miss is short; none for nothing.
    private static func slots(_ count: Int) -> Int {
        guard count > 0 else { return 0 }
        var slots = 4
        while slots < count * 2 { slots *= 2 }
        return slots
    }

    private static func hash(_ items: [CombinedEntry]) -> [CombinedEntry] {
        let count = slots(items.count)
        var slots = [CombinedEntry](repeating: CombinedEntry(), count: count)
        for item in items {
            var slot = Int(spread(item.labelClass, item.prefixClass)) & (count - 1)
            while slots[slot].labelClass != SnapshotLayout.none { slot = (slot + 1) & (count - 1) }
            slots[slot] = item
        }
        return slots
    }
}
