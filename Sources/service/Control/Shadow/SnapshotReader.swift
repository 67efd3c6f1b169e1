// SPDX-License-Identifier: Apache-2.0
internal import Analysis
internal import Classifier
internal import Compiler
internal import Glibc
internal import Layout
internal import Net
internal import Record
internal import Telemetry

/// A generation as workers read it, in control: the same image, the same address map, which its writer changes meanwhile, and the same
/// lookups. Any thread may ask.
@safe final class SnapshotReader: Sendable {
    private let image: SharedMemory
    private let addresses: SharedMemory
    private let snapshot: Snapshot
    private let map: AddressMap
    private let decoder: FlowDecoder

    /// Maps an image, whose descriptor stays the caller's, beside an address map; `names` says what its numbers mean.
    init(image descriptor: Int32, addresses: SharedMemory, names: PublishedNames) throws {
        let own = dup(descriptor)
        guard own >= 0 else { throw KeeperError.incomplete("a descriptor for a snapshot") }
        image = try SharedMemory(adopting: own, writable: false)
        self.addresses = addresses
        // Both are mapped as long as this object lives, the image is sealed, and the map is read as one that changes.
        snapshot = try unsafe Snapshot(validating: image.base, byteCount: image.byteCount)
        map = try unsafe AddressMap(validating: addresses.base, byteCount: addresses.byteCount)
        var decoder = FlowDecoder(pairs: [])
        decoder.learn(names)
        self.decoder = decoder
    }

    /// The generation of the image.
    var generation: UInt32 { snapshot.generation }

    /// What the snapshot says of the connection that a record tells of, at a time in unix seconds. Its ends are seen in the zones in which
    /// this generation sees them, by port, tags and tunnel.
    func judge(_ record: FlowRecord, at second: UInt64) -> Judgement {
        let zones = zones(of: record)
        let service = ServiceKey(IPProtocol(rawValue: record.protocolNumber), port: record.destinationPort)
        return snapshot.judge(
            NumberedConnection(
                from: record.source, in: zones.source, to: record.destination, in: zones.destination, service: service,
                sourcePort: record.sourcePort, time: second), in: map)
    }

    /// The event that it would have been under a judgement of this generation.
    func event(_ event: FlowEvent, judged judgement: Judgement) -> FlowEvent {
        var record = event.record
        let isAllowed = judgement.decision == .allow
        record.event = (isAllowed ? FlowRecord.Event.start : .refused).rawValue
        record.decision = judgement.decision.rawValue
        record.auditDecision = judgement.auditDecision
        record.reason = isAllowed ? FlowRecord.none8 : judgement.reason.rawValue
        (record.egressRecord, record.ingressRecord) = (judgement.egress, judgement.ingress)
        // Numbers of a generation that is none.
        (record.sourceClass, record.destinationClass, record.generation, record.suppressed) = (0, 0, 0, 0)
        (record.sourceZone, record.destinationZone) = zones(of: record)
        // Its distance from the wall clock, as whoever drained it knew it.
        let offset = event.time.nanoseconds &- Int64(truncatingIfNeeded: record.time)
        var candidate = decoder.decode(record, wallOffset: offset)
        (candidate.source, candidate.destination) = (event.source, event.destination)
        (candidate.pair, candidate.port) = (event.pair, event.port)
        return candidate
    }

    private func zones(of record: FlowRecord) -> (source: ZoneNumber, destination: ZoneNumber) {
        let (vlans, tunnel) = (
            VLANTags(word: record.vlans), Tunnel(kindNumber: record.tunnelKind, identifier: record.tunnelIdentifier, depth: 0)
        )
        return (
            snapshot.zone(pair: record.pair, port: record.port, vlans: vlans, tunnel: tunnel),
            snapshot.zone(pair: record.pair, port: 1 &- record.port, vlans: vlans, tunnel: tunnel)
        )
    }
}
