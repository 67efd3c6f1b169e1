// SPDX-License-Identifier: Apache-2.0
import Classifier
import Net
import TestSupport

extension FuzzTarget {
    /// Snapshot images: the input is a whole image, whose size in the header is put right so that the rest is read.
    static let snapshotImage = FuzzTarget(
        "snapshot-image", "an image is refused, or every lookup in it ends inside it and names a record that it has",
        seeds: SnapshotImages.seeds, mutate: SnapshotImages.mutated, flaw: SnapshotImages.flaw)
}

private enum SnapshotImages {
    private static let web = ServiceKey.tcp(443)

    /// Small images of every kind: no side at all, sides with services, records with successors, zones.
    @Sendable static func seeds() -> [FuzzTarget.Seed] {
        var sides = SmallPolicy()
        sides.ingress(of: SmallPolicy.ownClass(0), from: SmallPolicy.anyone, web)
        sides.egress(of: SmallPolicy.ownClass(1), to: SmallPolicy.ownClass(0), 0...4_000_000, SmallPolicy.rejected)
        var chain = sides
        var last = SideRecord()
        last.decision = 1
        let end = chain.add(SideRecord())
        var first = last
        (first.validUntil, first.successor, first.flags) = (5, end + 2, SideRecord.lease)
        _ = chain.add(first)
        _ = chain.add(last)
        chain.ingress(of: SmallPolicy.ownClass(2), from: SmallPolicy.nobody, web, end + 1)
        var zones = sides
        var entry = ZoneEntry()
        (entry.port, entry.zone) = (1, 1)
        zones.zones = [entry]
        return [("nothing", SmallPolicy(labelSets: 1)), ("sides", sides), ("chain", chain), ("zones", zones)].compactMap {
            name, policy in
            (try? policy.image()).map { (name, $0) }
        }
    }

    /// One word of the image changed, mostly to a number near those that are right.
    @Sendable static func mutated(_ input: [UInt8], _ random: inout PacketRandom) -> [UInt8] {
        var image = input
        guard image.count >= 4 else { return seeds().randomElement(using: &random)?.bytes ?? [] }
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let place = Int.random(in: 0...(image.count - 4) / 4, using: &random) * 4
            let near = UInt32.random(in: 0...20, using: &random)
            let word = [near, 0 &- near, near << 29, .random(in: 0 ... .max, using: &random)].randomElement(using: &random) ?? 0
            for index in 0..<4 { image[place + index] = UInt8(truncatingIfNeeded: word >> UInt32(8 * index)) }
        }
        return image
    }

    @Sendable static func flaw(_ input: [UInt8]) -> String? {
        var bytes = input
        // The size is the first thing that a change of length would spoil.
        if bytes.count >= 24 { for index in 0..<8 { bytes[16 + index] = UInt8(truncatingIfNeeded: bytes.count >> (8 * index)) } }
        let memory = PlainMemory(bytes)
        guard let snapshot = unsafe try? Snapshot(validating: memory.base, byteCount: bytes.count),
            let addresses = try? MappedAddresses(slots: 64)
        else { return nil }
        let sources = [
            Address(v4: 0x0a00_0001), Address(v4: 0x0a00_0002), Address(high: 0xfd << 56, low: 1), Address(v4: 0xe000_0001),
        ]
        for (number, source) in sources.enumerated() {
            // A label set beyond the image's counts as contested; so the last one may.
            _ = try? addresses.writer.claim(source, labelSet: UInt32(number), workload: UInt32(number))
        }
        let others = sources + [Address(v4: 1), Address(high: 0, low: 0), Address(high: .max, low: .max)]
        for source in others {
            for destination in others {
                if let flaw = flaw(snapshot, source, destination, addresses.map) { return "\(source) to \(destination): \(flaw)" }
            }
        }
        return memory.isMarginIntact ? nil : "something was written"
    }

    /// What one connection's judgements say that cannot be.
    private static func flaw(
        _ snapshot: Snapshot, _ source: Address, _ destination: Address, _ map: AddressMap
    ) -> String? {
        for zone in [0, 1, 9] as [ZoneNumber] {
            let from = snapshot.owner(of: source, zone: zone, in: map)
            let to = snapshot.owner(of: destination, zone: zone &+ 1, in: map)
            guard from.classNumber < snapshot.classCount, to.classNumber < snapshot.classCount else {
                return "a class beyond all"
            }
            snapshot.prefetchClasses(source: from, destination: to)
            snapshot.prefetchFilters(source: from, destination: to)
            snapshot.prefetchRows(source: from, destination: to)
            snapshot.prefetchTables(source: from, destination: to)
            for service in [0, web.lowerBound, web.upperBound + 1, ServiceKey.end - 1, .max] {
                for (now, port) in [(0, 0), (5, 53), (UInt64.max, UInt16.max)] as [(UInt64, UInt16)] {
                    let judged = snapshot.judge(
                        source: from, destination: to, sourceZone: zone, destinationZone: zone,
                        service: ServiceKey(rawValue: service),
                        sourcePort: port, now: now)
                    let group = snapshot.judgeGroup(
                        source: from, destination: to, sourceZone: zone, destinationZone: zone,
                        service: ServiceKey(rawValue: service),
                        sourcePort: port, now: now)
                    for record in [judged.egress, judged.ingress, group.egress] where record != SnapshotLayout.none {
                        guard snapshot.record(record) != nil else { return "record \(record) of \(snapshot.recordCount)" }
                    }
                }
            }
        }
        return nil
    }
}
