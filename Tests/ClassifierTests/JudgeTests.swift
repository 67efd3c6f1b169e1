// SPDX-License-Identifier: Apache-2.0
import Classifier
import Net
import Testing

/// An image of one subject class and a few peers, put together by hand.
private func image(records: [SideRecord], intervals: [IntervalEntry] = [IntervalEntry(start: 0, record: 0)]) -> SnapshotBuilder {
    var builder = SnapshotBuilder()
    var contested = SideRecord()
    (contested.decision, contested.flags) = (1, SideRecord.contested)
    var unjudged = SideRecord()
    (unjudged.decision, unjudged.flags) = (1, SideRecord.unjudged)
    builder.records = records + [contested, unjudged, SideRecord()]
    let first = UInt32(records.count)
    (builder.contestedRecord, builder.itselfRecord) = (first, first + 2)
    builder.zonePairs = [first + 1]
    var subject = ClassEntry()
    (subject.egressRow, subject.ingressRow) = (0, 0)
    // 0: nobody, 1: contested, 2: the subject.
    builder.classes = [ClassEntry(), ClassEntry(), subject]
    builder.contestedClass = 1
    builder.labelSets = [2]
    var table = TableEntry()
    table.count = UInt32(intervals.count)
    builder.tables = [table]
    builder.intervals = intervals
    var row = RowEntry()
    (row.row, row.peer, row.table) = (0, 0, 0)
    builder.rows = [row]
    return builder
}

private let web = ServiceKey(.tcp, port: 443)

@Suite struct Judging {
    private func judge(_ snapshot: Snapshot, _ from: ClassNumber, _ to: ClassNumber, now: UInt64 = 0) -> Judgement {
        snapshot.judge(
            source: Owner(classNumber: from), destination: Owner(classNumber: to), sourceZone: 0, destinationZone: 0,
            service: web,
            sourcePort: 50_000, now: now)
    }

    @Test func `audit beside a deny that expires gives way to its successor`() throws {
        var first = SideRecord()
        (first.decision, first.audit, first.cause, first.auditCause) = (1, 0, 3, 4)
        (first.validUntil, first.successor) = (1_000, 1)
        var second = SideRecord()
        (second.decision, second.audit, second.validUntil, second.successor) = (2, 255, 2_000, 2)
        var last = SideRecord()
        (last.decision, last.change) = (0, SideRecord.Change.drain.rawValue)
        last.drainSeconds = 30
        let memory = Memory(try image(records: [first, second, last]).build())
        let snapshot = try memory.snapshot()

        let before = judge(snapshot, 2, 0, now: 999)
        #expect(before.egress == 0 && before.decision == .deny && before.auditDecision == 0 && before.validUntil == 1_000)
        #expect(before.reason == .denied && before.ingress == SnapshotLayout.none)
        let between = judge(snapshot, 2, 0, now: 1_000)
        #expect(between.egress == 1 && between.decision == .reject && between.auditDecision == 255)
        let after = judge(snapshot, 2, 0, now: 2_000)
        #expect(after.egress == 2 && after.decision == .allow && after.validUntil == .max)
        #expect(after.change == .drain && after.drainSeconds == 30)
    }

    @Test func `what no side judges gets its zone pair's setting`() throws {
        let memory = Memory(try image(records: [SideRecord()]).build())
        let judged = judge(try memory.snapshot(), 0, 0)
        #expect(judged.decision == .deny && judged.reason == .unjudged && judged.egress == 2)
    }

    @Test func `a contested end is denied on its own side`() throws {
        let memory = Memory(try image(records: [SideRecord()]).build())
        let snapshot = try memory.snapshot()
        let from = judge(snapshot, 1, 2)
        #expect(from.decision == .deny && from.reason == .contested && from.egress == 1)
        let to = judge(snapshot, 0, 1)
        #expect(to.decision == .deny && to.reason == .contested && to.ingress == 1)
    }

    @Test func `a workload always reaches itself`() throws {
        var deny = SideRecord()
        deny.decision = 1
        let memory = Memory(try image(records: [deny]).build())
        let me = Owner(classNumber: 2, labelSet: 0, workload: 5)
        let judged = try memory.snapshot().judge(
            source: me, destination: me, sourceZone: 0, destinationZone: 0, service: web, sourcePort: 50_000, now: 0)
        #expect(judged.decision == .allow && judged.egress == 3 && judged.ingress == 3)
    }

    @Test func `numbers of another generation count as contested`() throws {
        let memory = Memory(try image(records: [SideRecord()]).build())
        let judged = judge(try memory.snapshot(), 2_000_000, 2)
        #expect(judged.decision == .deny && judged.reason == .contested)
    }

    @Test func `the first side that does not allow decides, and the stricter change governs`() throws {
        var reject = SideRecord()
        (reject.decision, reject.change) = (2, SideRecord.Change.keep.rawValue)
        var deny = SideRecord()
        (deny.decision, deny.change) = (1, SideRecord.Change.reset.rawValue)
        var builder = image(records: [reject, deny])
        // Egress row 0 rejects, ingress row 1 denies, towards the subject's own class.
        builder.classes[2].ingressRow = 1
        builder.intervals = [IntervalEntry(start: 0, record: 0), IntervalEntry(start: 0, record: 1)]
        builder.tables = [TableEntry(), TableEntry()]
        for index in 0..<2 {
            (builder.tables[index].first, builder.tables[index].count) = (UInt32(index), 1)
        }
        builder.rows = (0..<2 as Range<UInt32>).map { number in
            var row = RowEntry()
            (row.row, row.peer, row.table) = (number, 2, number)
            return row
        }
        let memory = Memory(try builder.build())
        let judged = judge(try memory.snapshot(), 2, 2)
        #expect(judged.egress == 0 && judged.ingress == 1 && judged.decision == .reject && judged.change == .reset)
    }

    @Test func `a service table is read at every boundary`() throws {
        let starts: [UInt32] = [0, ServiceKey(.tcp, port: 80).rawValue, ServiceKey(.tcp, port: 81).rawValue, 7 << 16]
        var deny = SideRecord()
        deny.decision = 1
        let intervals = zip(starts, [0, 1, 0, 1] as [UInt32]).map { IntervalEntry(start: $0, record: $1) }
        let memory = Memory(try image(records: [SideRecord(), deny], intervals: intervals).build())
        let snapshot = try memory.snapshot()
        func decision(_ service: UInt32) -> Decision {
            snapshot.judge(
                source: Owner(classNumber: 2), destination: Owner(classNumber: 0), sourceZone: 0, destinationZone: 0,
                service: ServiceKey(rawValue: service), sourcePort: 50_000, now: 0
            ).decision
        }
        for (index, start) in starts.enumerated() {
            #expect(decision(start) == (index % 2 == 0 ? .allow : .deny))
            if start > 0 { #expect(decision(start - 1) == (index % 2 == 0 ? .deny : .allow)) }
        }
        #expect(decision(ServiceKey.end - 1) == .deny)
    }
}

@Suite struct Prefixes {
    /// The class of an address in an image that has only these prefixes.
    private func classes(_ prefixes: [(String, UInt32)], of addresses: [String]) throws -> [ClassNumber] {
        var builder = image(records: [SideRecord()])
        builder.classes += [ClassEntry](repeating: ClassEntry(), count: 20)
        for (prefix, value) in prefixes { builder.prefixes.insert(.of(prefix), value) }
        let memory = Memory(try builder.build())
        let snapshot = try memory.snapshot()
        let map = emptyMap()
        let view = try map.addressMap()
        return addresses.map { snapshot.owner(of: .of($0), zone: 0, in: view).classNumber }
    }

    @Test func `nine nested prefixes each own what the next does not`() throws {
        let nest = [0, 8, 12, 16, 20, 24, 28, 30, 32].enumerated().map { index, length in
            (
                "\(length == 0 ? "0.0.0.0" : length < 16 ? "10.0.0.0" : length < 24 ? "10.1.0.0" : "10.1.1.0")/\(length)",
                UInt32(index + 3)
            )
        }
        let found = try classes(
            nest.shuffled(),
            of: [
                "11.0.0.1", "10.200.0.1", "10.2.0.1", "10.1.200.1", "10.1.2.1", "10.1.1.200", "10.1.1.9", "10.1.1.1", "10.1.1.0",
            ])
        #expect(found == Array(3...11))
    }

    @Test func `a prefix speaks of its own family only`() throws {
        let found = try classes([("::/0", 3), ("fd00::/8", 4)], of: ["10.0.0.1", "2001:db8::1", "fd00::1", "::1"])
        #expect(found == [0, 3, 4, 3])
        let both = try classes([("::/0", 3), ("0.0.0.0/0", 5)], of: ["10.0.0.1", "::fffe:ffff:1", "::2"])
        #expect(both == [5, 3, 3])
    }

    @Test func `an IPv6 host route of the last bit is found`() throws {
        let found = try classes(
            [("fd00::/64", 3), ("fd00::8000:0:0:1/128", 4), ("fd00::8000:0:0:0/65", 5)],
            of: ["fd00::8000:0:0:1", "fd00::8000:0:0:2", "fd00::1", "fd01::1"])
        #expect(found == [4, 5, 3, 0])
    }
}

@Suite struct Zones {
    @Test func `the first entry that fits gives the zone`() throws {
        var tagged = ZoneEntry()
        (tagged.pair, tagged.port, tagged.zone, tagged.vlans) = (0, 1, 2, VLANTags(7).word)
        var tunnel = ZoneEntry()
        (tunnel.pair, tunnel.port, tunnel.zone, tunnel.tunnel) = (0, 1, 3, 5_000)
        var port = ZoneEntry()
        (port.pair, port.port, port.zone) = (0, 1, 1)
        var builder = image(records: [SideRecord()])
        builder.zones = [tagged, tunnel, port]
        builder.zoneCount = 4
        builder.zonePairs = [UInt32](repeating: 0, count: 16)
        let memory = Memory(try builder.build())
        let snapshot = try memory.snapshot()
        #expect(snapshot.zone(pair: 0, port: 1, vlans: VLANTags(7), tunnel: Tunnel()) == 2)
        #expect(snapshot.zone(pair: 0, port: 1, vlans: VLANTags(8), tunnel: Tunnel()) == 1)
        #expect(snapshot.zone(pair: 0, port: 1, vlans: VLANTags(), tunnel: Tunnel(.vxlan, identifier: 5_000, depth: 1)) == 3)
        #expect(snapshot.zone(pair: 0, port: 0, vlans: VLANTags(7), tunnel: Tunnel()) == 0)
        #expect(snapshot.zone(pair: 1, port: 1, vlans: VLANTags(7), tunnel: Tunnel()) == 0)
    }
}
