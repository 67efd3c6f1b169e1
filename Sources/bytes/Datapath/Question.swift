// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Flow
internal import Net

/// What policy is asked about a connection: who opens it, to whom, between which zones, for which service. The same for its first
/// frame and for a flow that is judged again, whichever way the frame at hand goes.
struct Question: BitwiseCopyable {
    let source: Owner
    let destination: Owner
    let sourceZone: ZoneNumber
    let destinationZone: ZoneNumber
    let service: ServiceKey
    /// The port that the initiator speaks from; asked only of protocols that have ports.
    let sourcePort: UInt16
    /// The epoch read before the owners, so that a change in between is noticed by the next frame.
    let epoch: UInt32

    /// An empty question, to be asked later.
    @_noLocks
    init() {
        source = Owner(classNumber: 0)
        destination = Owner(classNumber: 0)
        sourceZone = 0
        destinationZone = 0
        service = ServiceKey(rawValue: 0)
        sourcePort = 0
        epoch = 0
    }

    /// The question that a first frame puts, arrived on `port` of its pair.
    @_noLocks
    init(of reading: borrowing Reading, port: UInt8, _ policy: PolicyInForce, pair: UInt8) {
        self.init(
            from: reading.source, to: reading.destination, service: reading.service, sourcePort: reading.sourcePort,
            vlans: reading.vlans, tunnel: reading.tunnel, pair: pair, port: port, policy)
    }

    /// The question about a flow whose initiator came in by `port` of its pair.
    @_noLocks
    init(of flow: FlowIdentity, port: UInt8, _ policy: PolicyInForce, pair: UInt8) {
        self.init(
            from: flow.source.address, to: flow.destination.address,
            service: ServiceKey(flow.protocolNumber, port: flow.destination.port), sourcePort: flow.source.port,
            vlans: VLANTags(word: flow.vlans), tunnel: flow.around, pair: pair, port: port, policy)
    }

    /// The question from its parts; the initiator came in by `port`.
    @_noLocks
    init(
        from: Address, to: Address, service: ServiceKey, sourcePort: UInt16, vlans: VLANTags, tunnel: Tunnel, pair: UInt8,
        port: UInt8, _ policy: PolicyInForce
    ) {
        // Both slots are asked for before either is read, so that their ways overlap.
        policy.map.prefetch(from)
        policy.map.prefetch(to)
        epoch = policy.map.epoch
        sourceZone = policy.snapshot.zone(pair: pair, port: port, vlans: vlans, tunnel: tunnel)
        destinationZone = policy.snapshot.zone(pair: pair, port: 1 &- port, vlans: vlans, tunnel: tunnel)
        source = policy.snapshot.owner(of: from, zone: sourceZone, in: policy.map)
        destination = policy.snapshot.owner(of: to, zone: destinationZone, in: policy.map)
        self.service = service
        self.sourcePort = sourcePort
    }

    /// Policy's answer.
    @_noLocks
    func judge(_ policy: PolicyInForce, _ now: Moment) -> Judgement {
        policy.snapshot.judge(
            source: source, destination: destination, sourceZone: sourceZone, destinationZone: destinationZone, service: service,
            sourcePort: sourcePort, now: now.wall)
    }
}
