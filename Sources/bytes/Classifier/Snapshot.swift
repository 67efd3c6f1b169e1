// SPDX-License-Identifier: Apache-2.0
public import Net

/// A view of a mapped Snapshot image, and the only way to read one. It owns nothing: whoever mapped the image keeps it mapped
/// until no worker holds the view.
///
/// The contract with the bytes: `init(validating:byteCount:)` reads the whole image once and throws unless every number in it
/// points to something that exists. Afterwards no lookup checks a number of the image again; what is checked at every call is
/// what comes from outside the image (the address map's label sets, classes and zones that a caller kept from another generation).
/// So the memory must not change after it was checked: control seals the file before it hands it over.
@safe @frozen public struct Snapshot: @unchecked Sendable {
    @usableFromInline let zones: UnsafeBufferPointer<ZoneEntry>
    @usableFromInline let labelSets: UnsafeBufferPointer<UInt32>
    @usableFromInline let trieNodes: UnsafeBufferPointer<TrieNode>
    @usableFromInline let trieRuns: UnsafeBufferPointer<UInt32>
    @usableFromInline let combined: UnsafeBufferPointer<CombinedEntry>
    @usableFromInline let shortcuts: UnsafeBufferPointer<UInt32>
    @usableFromInline let classes: UnsafeBufferPointer<ClassLine>
    @usableFromInline let rows: UnsafeBufferPointer<PeerLine>
    @usableFromInline let filters: UnsafeBufferPointer<UInt64>
    @usableFromInline let intervals: UnsafeBufferPointer<IntervalEntry>
    @usableFromInline let records: UnsafeBufferPointer<SideRecord>
    @usableFromInline let zonePairs: UnsafeBufferPointer<UInt32>
    @usableFromInline let zoneFacts: UnsafeBufferPointer<UInt32>
    @usableFromInline let links: UnsafePointer<LinkTable>
    @usableFromInline let flows: UnsafePointer<FlowSettings>
    @usableFromInline let zoneCount: UInt32
    @usableFromInline let contestedClass: UInt32
    @usableFromInline let contestedRecord: UInt32
    @usableFromInline let itselfRecord: UInt32
    @usableFromInline let root: UInt32
    /// The `TrieWay` behind the 12 bytes that every mapped address shares.
    @usableFromInline var wayOfIPv4: UInt32 = 0
    /// Whether any class differs by zone, so that the step is left out where none does.
    @usableFromInline var zonesMatter = false
    /// Whether any prefix tells host addresses of the same label set apart, so that their prefixes are looked up only then.
    @usableFromInline var prefixesSplitHosts = false
    /// Whether the workloads of any zone are on the link itself, so that no sender is looked up where none are.
    public private(set) var isAnyZoneOnLink = false
    /// Whether some rule says `track: none`, so that frames which open no flow may pass all the same.
    public private(set) var isAnyRuleStateless = false
    /// Whether any zone lies in a tunnel, so that what tunnels carry is looked at only then.
    @usableFromInline var isAnyZoneInTunnel = false
    /// The policy generation, from 1.
    public let generation: UInt32

    /// A view of the image at `base`, which is 8-byte aligned and stays mapped and unchanged as long as the view is used.
    ///
    /// Throws `SnapshotError` with the section and the item that is wrong; an image that is refused was never looked up.
    public init(validating base: UnsafeRawPointer, byteCount: Int) throws(SnapshotError) {
        let header = try unsafe Snapshot.header(at: base, byteCount: byteCount)
        unsafe zones = try Snapshot.items(.zones, header, base)
        unsafe labelSets = try Snapshot.items(.labelSets, header, base)
        unsafe trieNodes = try Snapshot.items(.trieNodes, header, base)
        unsafe trieRuns = try Snapshot.items(.trieRuns, header, base)
        unsafe combined = try Snapshot.items(.combined, header, base)
        unsafe shortcuts = try Snapshot.items(.shortcuts, header, base)
        unsafe classes = try Snapshot.items(.classes, header, base)
        unsafe rows = try Snapshot.items(.rows, header, base)
        unsafe filters = try Snapshot.items(.filters, header, base)
        unsafe intervals = try Snapshot.items(.intervals, header, base)
        unsafe records = try Snapshot.items(.records, header, base)
        unsafe zonePairs = try Snapshot.items(.zonePairs, header, base)
        unsafe zoneFacts = try Snapshot.items(.zoneFacts, header, base)
        let tables: UnsafeBufferPointer<LinkTable> = unsafe try Snapshot.items(.links, header, base)
        guard tables.count == 1, let table = tables.baseAddress else {
            throw .section(.links, offset: 0, count: UInt64(tables.count))
        }
        unsafe links = unsafe table
        let settings: UnsafeBufferPointer<FlowSettings> = unsafe try Snapshot.items(.flowSettings, header, base)
        guard settings.count == 1, let first = settings.baseAddress else {
            throw .section(.flowSettings, offset: 0, count: UInt64(settings.count))
        }
        unsafe flows = unsafe first
        zoneCount = header.zoneCount
        contestedClass = header.contestedClass
        contestedRecord = header.contestedRecord
        itselfRecord = header.itselfRecord
        root = header.root
        generation = header.generation
        try validate()
        (zonesMatter, prefixesSplitHosts) = combinations()
        isAnyRuleStateless = (0..<recordTotal).contains { sideRecord($0).flags & SideRecord.stateless != 0 }
        isAnyZoneOnLink = (0..<zoneCount).contains { isOnLink(ZoneNumber($0)) }
        isAnyZoneInTunnel = (0..<zoneEntryTotal).contains { zoneEntry($0).tunnel != SnapshotLayout.none }
        wayOfIPv4 = prefixesOfIPv4()
    }

    /// What the configuration says of connections.
    @inlinable public var flowSettings: FlowSettings { @_noLocks get { unsafe flows.pointee } }

    /// The zone of a frame by the port it came in by, its tags and its tunnel: the first entry that fits, else zone 0.
    @_noLocks @inlinable public func zone(pair: UInt8, port: UInt8, vlans: VLANTags, tunnel: Tunnel) -> ZoneNumber {
        var number: UInt32 = 0
        while number < zoneEntryTotal {
            let entry = zoneEntry(number)
            let fitsPort = (entry.pair == .max || entry.pair == pair) && (entry.port == .max || entry.port == port)
            let fitsTags = entry.vlans == SnapshotLayout.none || entry.vlans == vlans.word
            // An identifier of 0 is a tunnel's too: what has no tunnel fits only entries that name none.
            let fitsTunnel =
                entry.tunnel == SnapshotLayout.none || (tunnel.kind.number != 0 && entry.tunnel == tunnel.identifier)
            if fitsPort && fitsTags && fitsTunnel { return entry.zone }
            number &+= 1
        }
        return 0
    }

    /// Whether policy judges what a tunnel carries on a pair: some zone of the pair lies in a tunnel with this identifier.
    @_noLocks @inlinable public func judgesInside(of tunnel: Tunnel, pair: UInt8) -> Bool {
        guard isAnyZoneInTunnel, tunnel.kind.number != 0 else { return false }
        var number: UInt32 = 0
        while number < zoneEntryTotal {
            let entry = zoneEntry(number)
            // A key of GRE may be all ones, which stands for no tunnel here, and which no configuration can name.
            if entry.tunnel == tunnel.identifier, entry.tunnel != SnapshotLayout.none, entry.pair == .max || entry.pair == pair {
                return true
            }
            number &+= 1
        }
        return false
    }

    /// Whether policy judges what some tunnels carry on a pair.
    @_noLocks @inlinable public func judgesInside(pair: UInt8) -> Bool {
        guard isAnyZoneInTunnel else { return false }
        var number: UInt32 = 0
        while number < zoneEntryTotal {
            let entry = zoneEntry(number)
            if entry.tunnel != SnapshotLayout.none, entry.pair == .max || entry.pair == pair { return true }
            number &+= 1
        }
        return false
    }

    /// How many classes the image has.
    public var classCount: Int { Int(classTotal) }
    /// How many side records the image has.
    public var recordCount: Int { Int(recordTotal) }
    /// How many zones the image has.
    public var zonesInUse: Int { Int(zoneCount) }
    /// How many label sets the image knows; a larger number in the address map counts as contested.
    public var labelSetCount: Int { Int(labelSetTotal) }

    /// A side record; `nil` for a number of another generation.
    public func record(_ number: UInt32) -> SideRecord? { number < recordTotal ? sideRecord(number) : nil }
}
