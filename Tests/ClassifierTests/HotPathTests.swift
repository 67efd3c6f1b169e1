// SPDX-License-Identifier: Apache-2.0
import Classifier
import Net
import TestSupport
import Testing

/// The whole decision as a worker makes it: that this compiles in another module, in debug builds too, is the proof that it neither
/// locks nor allocates.
@_noLocks private func decide(
    _ reading: borrowing Reading, pair: UInt8, port: UInt8, _ snapshot: borrowing Snapshot, _ map: borrowing AddressMap,
    now: UInt64
) -> Judgement {
    let from = snapshot.zone(pair: pair, port: port, vlans: reading.vlans, tunnel: reading.tunnel)
    let to = snapshot.zone(pair: pair, port: port ^ 1, vlans: reading.vlans, tunnel: reading.tunnel)
    let source = snapshot.owner(of: reading.source, zone: from, in: map)
    let destination = snapshot.owner(of: reading.destination, zone: to, in: map)
    return snapshot.judge(
        source: source, destination: destination, sourceZone: from, destinationZone: to, service: reading.service,
        sourcePort: reading.sourcePort, now: now)
}

@Suite struct HotPath {
    @Test func `a reading is decided without locks from another module`() throws {
        var generator = Seeded(4)
        let slow = SlowClassifier(random: &generator)
        let image = Memory(try slow.builder.build())
        let map = emptyMap()
        var reading = Reading()
        (reading.source, reading.destination) = (.of("10.0.0.8"), .of("10.1.0.8"))
        (reading.protocolNumber, reading.destinationPort) = (.tcp, 443)
        let judged = decide(reading, pair: 0, port: 0, try image.snapshot(), try map.addressMap(), now: 3)
        let (source, destination) = (slow.owner(of: reading.source, zone: 0), slow.owner(of: reading.destination, zone: 0))
        let expected = slow.judge(source, destination, (0, 0), reading.service, now: 3)
        #expect(judged.egress == expected.egress && judged.ingress == expected.ingress)
    }

    @Test func `change modes keep the numbers that hot code gives them`() {
        #expect(SideRecord.Change.allCases.map(\.rawValue) == [0, 1, 2, 3])
        #expect(SideRecord.Change.reevaluate.rawValue == 0 && SideRecord.Change.keep.rawValue == 1)
        #expect(SideRecord.Change.drain.rawValue == 2 && SideRecord.Change.reset.rawValue == 3)
    }
}
