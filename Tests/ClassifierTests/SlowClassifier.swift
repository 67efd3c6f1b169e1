// SPDX-License-Identifier: Apache-2.0
import Classifier
import Net
import TestSupport

/// The obvious way to read the sections of an image: lists searched from end to end. The image must agree with it.
struct SlowClassifier {
    struct Pair: Hashable {
        var first: UInt32
        var second: UInt32
    }

    var builder = SnapshotBuilder()
    var prefixes: [(prefix: Prefix, value: UInt32)] = []
    var claims: [(address: Address, zone: UInt16, labelSet: UInt32, workload: UInt32)] = []

    func owner(of address: Address, zone: ZoneNumber) -> Owner {
        let here = claims.filter { $0.address == address && ($0.zone == zone || $0.zone == AddressMapLayout.anyZone) }
        let named = here.contains { $0.zone == zone }
        let claim = named ? here.first { $0.zone == zone } : here.first
        if let claim, Set(here.map(\.workload)).count > 1 || Int(claim.labelSet) >= builder.labelSets.count {
            return Owner(classNumber: builder.contestedClass)
        }
        let longest = prefixes.filter { $0.prefix.contains(address) }.max { $0.prefix.length < $1.prefix.length }
        let prefixClass = longest?.value ?? 0
        guard let claim else {
            let number = combined(prefixClass, CombinedEntry.zoneTag | UInt32(zone))
            let flags = builder.classes[Int(number)].flags
            let isClaimed = claims.contains { $0.address == address }
            return Owner(
                classNumber: number,
                isElsewhere: flags & ClassEntry.elsewhere != 0 || (isClaimed && flags & ClassEntry.workload == 0))
        }
        let both = combined(builder.labelSets[Int(claim.labelSet)], prefixClass)
        return Owner(
            classNumber: combined(both, CombinedEntry.zoneTag | UInt32(zone)), labelSet: claim.labelSet, workload: claim.workload)
    }

    private func combined(_ first: UInt32, _ second: UInt32) -> UInt32 {
        builder.combined.first { $0.labelClass == first && $0.prefixClass == second }?.combined ?? first
    }

    func side(_ row: UInt32, _ peer: UInt32, _ service: ServiceKey) -> UInt32 {
        guard row != SnapshotLayout.none else { return SnapshotLayout.none }
        let entry = builder.classes[Int(peer)]
        let ancestors = builder.ancestors[Int(entry.firstAncestor)..<Int(entry.firstAncestor) + Int(entry.ancestorCount)]
        for candidate in [peer] + ancestors {
            guard let found = builder.rows.first(where: { $0.row == row && $0.peer == candidate }) else { continue }
            let table = builder.tables[Int(found.table)]
            let intervals = builder.intervals[Int(table.first)..<Int(table.first + table.count)]
            return intervals.last { $0.start <= service.rawValue }?.record ?? SnapshotLayout.none
        }
        return SnapshotLayout.none
    }

    func judge(
        _ source: Owner, _ destination: Owner, _ zones: (ZoneNumber, ZoneNumber), _ service: ServiceKey, now: UInt64
    ) -> (egress: UInt32, ingress: UInt32, decision: UInt8) {
        var egress = side(builder.classes[Int(source.classNumber)].egressRow, destination.classNumber, service)
        var ingress = side(builder.classes[Int(destination.classNumber)].ingressRow, source.classNumber, service)
        if source.classNumber == builder.contestedClass { egress = builder.contestedRecord }
        if destination.classNumber == builder.contestedClass { ingress = builder.contestedRecord }
        if source.workload == destination.workload && source.workload != SnapshotLayout.none {
            (egress, ingress) = (builder.itselfRecord, builder.itselfRecord)
        }
        if egress == SnapshotLayout.none && ingress == SnapshotLayout.none {
            egress = builder.zonePairs[Int(zones.0) * Int(builder.zoneCount) + Int(zones.1)]
        }
        let both = [egress, ingress].map { number -> UInt32 in
            var record = number
            while record != SnapshotLayout.none, builder.records[Int(record)].validUntil <= now {
                record = builder.records[Int(record)].successor
            }
            return record
        }
        let decisions = both.filter { $0 != SnapshotLayout.none }.map { builder.records[Int($0)].decision }
        return (both[0], both[1], decisions.first { $0 != 0 } ?? 0)
    }

    func judgeGroup(
        _ source: Owner, _ destination: Owner, _ zones: (ZoneNumber, ZoneNumber), _ service: ServiceKey, now: UInt64
    ) -> (record: UInt32, decision: UInt8) {
        var record = side(builder.classes[Int(source.classNumber)].egressRow, destination.classNumber, service)
        if source.classNumber == builder.contestedClass { record = builder.contestedRecord }
        if record == SnapshotLayout.none { record = builder.zonePairs[Int(zones.0) * Int(builder.zoneCount) + Int(zones.1)] }
        while builder.records[Int(record)].validUntil <= now { record = builder.records[Int(record)].successor }
        return (record, builder.records[Int(record)].decision)
    }
}

extension SlowClassifier {
    /// A random image that is small enough for collisions of every kind: nested prefixes, zones, chains of successors.
    init(random generator: inout Seeded) {
        let classCount = UInt32.random(in: 3...24, using: &generator)
        let recordCount = UInt32.random(in: 4...30, using: &generator)
        let rowCount = UInt32.random(in: 1...6, using: &generator)
        builder.generation = UInt32.random(in: 1...9, using: &generator)
        builder.zoneCount = UInt32.random(in: 1...4, using: &generator)
        builder.contestedClass = 1
        builder.records = (0..<recordCount).map { Self.record($0, of: recordCount, &generator) }
        builder.contestedRecord = recordCount - 1
        builder.itselfRecord = recordCount - 2
        builder.labelSets = (0..<8).map { _ in UInt32.random(in: 0..<classCount, using: &generator) }
        builder.zonePairs = (0..<builder.zoneCount * builder.zoneCount).map { _ in
            UInt32.random(in: 0..<recordCount, using: &generator)
        }
        for _ in 0..<classCount {
            var entry = ClassEntry()
            entry.egressRow = Bool.random(using: &generator) ? .random(in: 0..<rowCount, using: &generator) : SnapshotLayout.none
            entry.ingressRow = Bool.random(using: &generator) ? .random(in: 0..<rowCount, using: &generator) : SnapshotLayout.none
            entry.firstAncestor = UInt32(builder.ancestors.count)
            entry.flags = .random(in: 0...3, using: &generator)
            entry.ancestorCount = .random(in: 0...UInt16(SnapshotLayout.maximumAncestors), using: &generator)
            builder.ancestors += (0..<entry.ancestorCount).map { _ in .random(in: 0..<classCount, using: &generator) }
            builder.classes.append(entry)
        }
        addTables(&generator, recordCount)
        addPairs(&generator, classCount: classCount, rowCount: rowCount)
        addPrefixes(&generator, classCount)
    }

    private static func record(_ number: UInt32, of count: UInt32, _ generator: inout Seeded) -> SideRecord {
        var record = SideRecord()
        record.decision = .random(in: 0...2, using: &generator)
        record.audit = Bool.random(using: &generator) ? 255 : .random(in: 0...2, using: &generator)
        record.change = .random(in: 0...3, using: &generator)
        record.flags = .random(in: 0...7, using: &generator)
        if number + 3 < count && Bool.random(using: &generator) {
            record.validUntil = .random(in: 0...20, using: &generator)
            record.successor = .random(in: number + 1..<count, using: &generator)
        }
        return record
    }

    private mutating func addTables(_ generator: inout Seeded, _ recordCount: UInt32) {
        for _ in 0..<6 {
            var table = TableEntry()
            table.first = UInt32(builder.intervals.count)
            let starts = Set((0..<4).map { _ in UInt32.random(in: 0..<ServiceKey.end, using: &generator) }).union([0]).sorted()
            for start in starts {
                let judges = UInt8.random(in: 0..<4, using: &generator) > 0
                let record = judges ? UInt32.random(in: 0..<recordCount, using: &generator) : SnapshotLayout.none
                builder.intervals.append(IntervalEntry(start: start, record: record))
            }
            table.count = UInt32(starts.count)
            builder.tables.append(table)
        }
    }

    private mutating func addPairs(_ generator: inout Seeded, classCount: UInt32, rowCount: UInt32) {
        for row in 0..<rowCount {
            for peer in 0..<classCount where UInt8.random(in: 0..<4, using: &generator) == 0 {
                var entry = RowEntry()
                (entry.row, entry.peer, entry.table) = (row, peer, .random(in: 0..<6, using: &generator))
                builder.rows.append(entry)
            }
        }
        for first in 0..<classCount {
            for second in (0..<classCount).map({ $0 }) + (0..<builder.zoneCount).map({ $0 | CombinedEntry.zoneTag })
            where UInt8.random(in: 0..<6, using: &generator) == 0 {
                var entry = CombinedEntry()
                (entry.labelClass, entry.prefixClass) = (first, second)
                entry.combined = .random(in: 0..<classCount, using: &generator)
                builder.combined.append(entry)
            }
        }
    }

    private mutating func addPrefixes(_ generator: inout Seeded, _ classCount: UInt32) {
        var seen: Set<Prefix> = []
        for _ in 0..<20 {
            let address = Self.address(&generator)
            let length = Int.random(in: 0...(address.isIPv4 ? 32 : 128), using: &generator)
            let bits = address.isIPv4 ? length + 96 : length
            let high = bits >= 64 ? UInt64.max : ~(UInt64.max >> UInt64(bits))
            let low = bits <= 64 ? 0 : bits == 128 ? UInt64.max : ~(UInt64.max >> UInt64(bits - 64))
            let first = Address(high: address.high & high, low: address.low & low)
            guard let prefix = Prefix(first, length: length), seen.insert(prefix).inserted else { continue }
            let value = UInt32.random(in: 0..<classCount, using: &generator)
            prefixes.append((prefix, value))
            builder.prefixes.insert(prefix, value)
        }
    }

    /// Addresses of few bits, so that random ones often meet.
    static func address(_ generator: inout Seeded) -> Address {
        let host = UInt32.random(in: 0..<8, using: &generator)
        let net = UInt32.random(in: 0..<4, using: &generator)
        if Bool.random(using: &generator) { return Address(v4: 0x0a00_0000 | net << 16 | host << 3) }
        return Address(high: 0xfd00_0000_0000_0000 | UInt64(net) << 20, low: UInt64(host) << 40 | UInt64(net))
    }
}
