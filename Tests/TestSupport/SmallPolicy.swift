// SPDX-License-Identifier: Apache-2.0
public import Classifier
public import Net

/// A policy of a few classes, written as sides that let services in or out, laid out as the Snapshot image that workers read.
///
/// Class 0 is nobody's, 1 is contested, 2 stands for any; each label set has the class behind them, unless a test says otherwise.
public struct SmallPolicy: Sendable {
    /// The class of addresses that nobody claims.
    public static let nobody: UInt32 = 0
    /// The class of contested addresses.
    public static let contested: UInt32 = 1
    /// The class that a rule for everyone names.
    public static let anyone: UInt32 = 2

    /// Side records that every policy has, by number; those of a test follow.
    public static let itself: UInt32 = 0
    /// "Contested", a denial.
    public static let contestedRecord: UInt32 = 1
    /// "Unjudged", a denial unless `isUnjudgedAllowed`.
    public static let unjudged: UInt32 = 2
    /// A denial.
    public static let denied: UInt32 = 3
    /// An allowance for ever.
    public static let allowed: UInt32 = 4
    /// A rejection.
    public static let rejected: UInt32 = 5

    /// The policy generation.
    public var generation: UInt32
    /// The class of each label set.
    public var labelSets: [UInt32]
    /// Side records.
    public var records: [SideRecord]
    /// What no side judges.
    public var unjudgedRecord = SmallPolicy.unjudged
    /// Where the zones lie; zone 0 is everywhere else.
    public var zones: [ZoneEntry] = []
    /// Facts of the zones by number.
    public var zoneFacts: [ZoneFacts] = []
    /// The table of layer 2.
    public var links = LinkTable()
    /// What is said of connections.
    public var flows = FlowSettings()
    private var sides: [Side: [(services: ClosedRange<UInt32>, record: UInt32)]] = [:]

    private struct Side: Hashable {
        let isEgress: Bool
        let own, peer: UInt32
    }

    /// A policy without rules: no side judges anything.
    public init(generation: UInt32 = 1, labelSets count: Int = 4) {
        self.generation = generation
        labelSets = (0..<UInt32(count)).map { Self.anyone + 1 + $0 }
        records = Array(repeating: SideRecord(), count: 6)
        for (number, decision) in [(1, Decision.deny), (2, .deny), (3, .deny), (5, .reject)] {
            records[number].decision = decision.rawValue
        }
        records[1].flags = SideRecord.contested
        records[2].flags = SideRecord.unjudged
    }

    /// The class of a label set.
    public static func ownClass(_ labelSet: UInt32) -> UInt32 { anyone + 1 + labelSet }

    /// Adds a side record and gives its number.
    public mutating func add(_ record: SideRecord) -> UInt32 {
        records.append(record)
        return UInt32(records.count - 1)
    }

    /// The ingress side of a class: what it says to a peer class for a range of services. What is not said is denied; a later word
    /// on the same service counts.
    public mutating func ingress(
        of own: UInt32, from peer: UInt32, _ services: ClosedRange<UInt32> = 0...(ServiceKey.end - 1), _ record: UInt32 = allowed
    ) {
        sides[Side(isEgress: false, own: own, peer: peer), default: []].append((services, record))
    }

    /// The egress side of a class, in the same way.
    public mutating func egress(
        of own: UInt32, to peer: UInt32, _ services: ClosedRange<UInt32> = 0...(ServiceKey.end - 1), _ record: UInt32 = allowed
    ) {
        sides[Side(isEgress: true, own: own, peer: peer), default: []].append((services, record))
    }

    /// The image.
    public func image() throws(SnapshotError) -> [UInt8] {
        var builder = SnapshotBuilder()
        builder.generation = generation
        builder.contestedClass = Self.contested
        builder.contestedRecord = Self.contestedRecord
        builder.itselfRecord = Self.itself
        builder.labelSets = labelSets
        builder.records = records
        builder.zones = zones
        builder.zoneFacts = zoneFacts
        builder.links = links
        builder.flowSettings = flows
        builder.zoneCount = UInt32(zones.map(\.zone).max() ?? 0) + 1
        builder.zonePairs = Array(repeating: unjudgedRecord, count: Int(builder.zoneCount * builder.zoneCount))
        builder.ancestors = [Self.anyone]
        for number in 0...max(Self.anyone, labelSets.max() ?? 0) {
            var entry = ClassEntry()
            if sides.keys.contains(where: { !$0.isEgress && $0.own == number }) { entry.ingressRow = 2 * number }
            if sides.keys.contains(where: { $0.isEgress && $0.own == number }) { entry.egressRow = 2 * number + 1 }
            if number > Self.anyone || number == Self.nobody { entry.ancestorCount = 1 }
            if number > Self.anyone { entry.flags = ClassEntry.workload }
            builder.classes.append(entry)
        }
        // In one order always: the images are stored as seeds of the fuzzer.
        let ordered = sides.sorted { one, other in
            let (first, second) = (one.key, other.key)
            return (first.own, first.peer, first.isEgress ? 1 : 0) < (second.own, second.peer, second.isEgress ? 1 : 0)
        }
        for (side, rules) in ordered { add(side, rules, to: &builder) }
        return try builder.build()
    }

    private func add(
        _ side: Side, _ rules: [(services: ClosedRange<UInt32>, record: UInt32)], to builder: inout SnapshotBuilder
    ) {
        let ends = rules.flatMap { [$0.services.lowerBound, $0.services.upperBound + 1] }
        let cuts = Set([0] + ends).filter { $0 < ServiceKey.end }
        var table = TableEntry()
        table.first = UInt32(builder.intervals.count)
        for start in cuts.sorted() {
            let record = rules.last { $0.services.contains(start) }?.record ?? Self.denied
            builder.intervals.append(IntervalEntry(start: start, record: record))
        }
        table.count = UInt32(cuts.count)
        var row = RowEntry()
        row.row = 2 * side.own + (side.isEgress ? 1 : 0)
        row.peer = side.peer
        row.table = UInt32(builder.tables.count)
        builder.rows.append(row)
        builder.tables.append(table)
    }
}

extension ServiceKey {
    /// One port of TCP as a range of services.
    public static func tcp(_ port: UInt16) -> ClosedRange<UInt32> { one(ServiceKey(.tcp, port: port)) }
    /// One port of UDP.
    public static func udp(_ port: UInt16) -> ClosedRange<UInt32> { one(ServiceKey(.udp, port: port)) }
    /// Echo requests of both families.
    public static var echo: [ClosedRange<UInt32>] {
        [one(ServiceKey(.icmp, type: 8, code: 0)), one(ServiceKey(.icmp6, type: 128, code: 0))]
    }

    private static func one(_ key: ServiceKey) -> ClosedRange<UInt32> { key.rawValue...key.rawValue }
}

/// An image in memory, and the view of it.
@safe public final class MappedPolicy: Sendable {
    private let memory: PlainMemory
    /// The view; valid as long as this object lives.
    public let snapshot: Snapshot

    /// Lays a policy out and checks it as the data process does.
    public init(_ policy: SmallPolicy) throws {
        memory = PlainMemory(try policy.image())
        snapshot = unsafe try Snapshot(validating: memory.base, byteCount: memory.byteCount)
    }
}

/// An address map in memory, with its writer and the view of it.
@safe public final class MappedAddresses {
    private let memory: PlainMemory
    /// Who changes the map.
    public var writer: AddressMapWriter
    /// The view; valid as long as this object lives.
    public let map: AddressMap

    /// An empty map.
    public init(slots: Int = 1024) throws {
        memory = PlainMemory(byteCount: AddressMapLayout.byteCount(slots: slots))
        writer = unsafe AddressMapWriter(formatting: memory.base, slots: slots, serial: 1, seed: 0x5eed, epoch: 1)
        map = unsafe try AddressMap(validating: memory.base, byteCount: memory.byteCount)
    }
}
