// SPDX-License-Identifier: Apache-2.0
import Classifier
import Net
import TestSupport
import Testing

@Suite struct Snapshots {
    @Test func `random images answer as the slow classifier does`() throws {
        let seed = UInt64.random(in: 0...999_999)
        print("seed \(seed)")
        var generator = Seeded(seed)
        for round in 0..<200 {
            var slow = SlowClassifier(random: &generator)
            let image = Memory(try slow.builder.build())
            let snapshot = try image.snapshot()
            let map = emptyMap()
            var writer = unsafe AddressMapWriter(formatting: map.base, slots: 64, serial: 1, seed: seed)
            for workload in 0..<UInt32(12) {
                let address = SlowClassifier.address(&generator)
                let zone = Bool.random(using: &generator) ? AddressMapLayout.anyZone : UInt16.random(in: 0..<4, using: &generator)
                // The last label set is one that this snapshot does not know.
                let labelSet = UInt32.random(in: 0...8, using: &generator)
                slow.claims.append((address, zone, labelSet, workload))
                try writer.claim(address, zone: zone, labelSet: labelSet, workload: workload)
            }
            let view = try map.addressMap()
            for _ in 0..<100 {
                let zones = (
                    ZoneNumber.random(in: 0..<UInt16(slow.builder.zoneCount), using: &generator),
                    ZoneNumber.random(in: 0..<UInt16(slow.builder.zoneCount), using: &generator)
                )
                let (from, to) = (SlowClassifier.address(&generator), SlowClassifier.address(&generator))
                let service = ServiceKey(rawValue: .random(in: 0..<ServiceKey.end, using: &generator))
                let now = UInt64.random(in: 0...25, using: &generator)
                let source = snapshot.owner(of: from, zone: zones.0, in: view)
                let destination = snapshot.owner(of: to, zone: zones.1, in: view)
                let expected = (slow.owner(of: from, zone: zones.0), slow.owner(of: to, zone: zones.1))
                #expect(same(source, expected.0), "round \(round): \(from) in \(zones.0)")
                #expect(same(destination, expected.1), "round \(round): \(to) in \(zones.1)")
                let judged = snapshot.judge(
                    source: source, destination: destination, sourceZone: zones.0, destinationZone: zones.1, service: service,
                    sourcePort: 50_000, now: now)
                let slowly = slow.judge(expected.0, expected.1, zones, service, now: now)
                #expect(judged.egress == slowly.egress && judged.ingress == slowly.ingress, "round \(round): \(from) -> \(to)")
                #expect(judged.decision.rawValue == slowly.decision)
                let toGroup = snapshot.judgeGroup(
                    source: source, destination: destination, sourceZone: zones.0, destinationZone: zones.1, service: service,
                    sourcePort: 50_000, now: now)
                let slowlyToGroup = slow.judgeGroup(expected.0, expected.1, zones, service, now: now)
                #expect(
                    toGroup.egress == slowlyToGroup.record && toGroup.ingress == SnapshotLayout.none, "round \(round): \(from)")
                #expect(toGroup.decision.rawValue == slowlyToGroup.decision)
            }
        }
    }

    private func same(_ a: Owner, _ b: Owner) -> Bool {
        a.classNumber == b.classNumber && a.labelSet == b.labelSet && a.workload == b.workload && a.isElsewhere == b.isElsewhere
    }

    @Test func `an image with one wrong byte is refused or harmless`() throws {
        let seed = UInt64.random(in: 0...999_999)
        print("seed \(seed)")
        var generator = Seeded(seed)
        var refused = 0
        for _ in 0..<20 {
            let slow = SlowClassifier(random: &generator)
            let image = Memory(try slow.builder.build())
            let map = try emptyMap().addressMap()
            for turn in 0..<1_000 {
                let offset = Int.random(in: 0..<image.count, using: &generator) & (turn % 2 == 0 ? ~0 : ~3)
                let saved = turn % 2 == 0 ? UInt32(image[offset]) : image.word(at: offset)
                if turn % 2 == 0 {
                    image[offset] = .random(in: 0...255, using: &generator)
                } else {
                    let near = UInt32.random(in: 0...40, using: &generator)
                    image.setWord([near, near &- 1, .random(in: 0 ... .max, using: &generator), .max][turn / 2 % 4], at: offset)
                }
                do {
                    let snapshot = try image.snapshot()
                    lookUpEverything(snapshot, map, &generator)
                } catch {
                    refused += 1
                }
                if turn % 2 == 0 { image[offset] = UInt8(saved) } else { image.setWord(saved, at: offset) }
            }
        }
        #expect(refused > 1_000, "the check refuses next to nothing")
    }

    /// What a worker could ask of a snapshot that passed its check; any trap or endless loop fails the test by itself.
    private func lookUpEverything(_ snapshot: Snapshot, _ map: AddressMap, _ generator: inout Seeded) {
        for _ in 0..<4 {
            let zone = UInt16.random(in: 0...UInt16.max, using: &generator)
            _ = snapshot.zone(pair: 0, port: 1, vlans: VLANTags(7), tunnel: Tunnel(.vxlan, identifier: 3))
            _ = snapshot.setting(of: LinkProtocol.allCases.randomElement(using: &generator) ?? .none)
            _ = snapshot.setting(ofEtherType: .random(in: 0 ... .max, using: &generator))
            _ = (snapshot.isOnLink(zone), snapshot.hasDHCPServer(zone), snapshot.stormFrames)
            let source = snapshot.owner(of: SlowClassifier.address(&generator), zone: zone, in: map)
            var destination = snapshot.owner(of: SlowClassifier.address(&generator), zone: zone & 3, in: map)
            if zone % 3 == 0 { destination.classNumber = .random(in: 0 ... .max, using: &generator) }
            _ = snapshot.isWorkload(destination)
            _ = snapshot.judgeGroup(
                source: source, destination: destination, sourceZone: zone, destinationZone: 0, service: ServiceKey(rawValue: 0),
                sourcePort: 50_000, now: 0)
            _ = snapshot.judge(
                source: source, destination: destination, sourceZone: zone, destinationZone: zone & 1,
                service: ServiceKey(rawValue: .random(in: 0 ... .max, using: &generator)),
                sourcePort: 50_000, now: .random(in: 0...30, using: &generator))
        }
    }

    @Test func `a cut or foreign file is refused with its reason`() throws {
        var generator = Seeded(1)
        let bytes = try SlowClassifier(random: &generator).builder.build()
        #expect(throws: SnapshotError.tooShort(bytes: 100)) { try Memory(Array(bytes.prefix(100))).snapshot() }
        #expect(throws: SnapshotError.tooShort(bytes: bytes.count - 8)) { try Memory(bytes.dropLast(8)).snapshot() }
        let foreign = Memory(bytes)
        foreign[0] = 0
        #expect(throws: SnapshotError.self) { try foreign.snapshot() }
        let other = Memory(bytes)
        other[8] = 9
        #expect(throws: SnapshotError.version(9)) { try other.snapshot() }
    }

    @Test func `a peer that stands twice in a row's line is refused, because a lookup would add up both`() throws {
        var builder = SnapshotBuilder()
        var subject = ClassEntry()
        subject.egressRow = 0
        builder.classes = [subject, ClassEntry()]
        builder.records = [SideRecord()]
        builder.zonePairs = [0]
        var table = TableEntry()
        table.count = 1
        builder.tables = [table]
        builder.intervals = [IntervalEntry(start: 0, record: 0)]
        builder.rows = (0..<2 as Range<UInt32>).map { peer in
            var row = RowEntry()
            (row.row, row.peer) = (0, peer)
            return row
        }
        let image = Memory(try builder.build())
        _ = try image.snapshot()
        let line = Int(image.word(at: 48 + SnapshotLayout.Section.rows.rawValue * 16))
        let peers = [image.word(at: line), image.word(at: line + 4)]
        #expect(Set(peers) == [0, 1])
        image.setWord(peers[0], at: line + 4)
        #expect(throws: SnapshotError.item(.rows, number: 0)) { try image.snapshot() }
    }

    @Test func `an image over its limit is refused with the figure`() throws {
        var generator = Seeded(2)
        let builder = SlowClassifier(random: &generator).builder
        let size = try builder.build().count
        #expect(throws: SnapshotError.capacity(what: "bytes of the image", needed: size, limit: size - 1)) {
            try builder.build(limit: size - 1)
        }
    }
}
