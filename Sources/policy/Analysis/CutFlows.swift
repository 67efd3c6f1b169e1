// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Compiler
public import Net
public import Record

/// The live flows that a new set would cut: those that the old set allows and the new one does not. What lives without the old set's
/// word (a reply to a group, a connection that was opened in a bypass) is not the change's doing, and counts for nothing.
public struct CutFlows: Sendable {
    /// A flow that would be cut.
    public struct Cut: Sendable {
        /// What is known of the flow.
        public let record: FlowRecord
        /// What the new set decides instead.
        public let decision: Decision
    }

    /// Flows that are told one by one at most.
    public static let told = 100

    private let views: [PolicyView]
    /// How many flows were looked at, and how many of them would be cut.
    public private(set) var looked: UInt64 = 0, count: UInt64 = 0
    /// The first of those that would be cut.
    public private(set) var cuts: [Cut] = []

    /// No flow was looked at yet; both sets as they are compiled.
    public init(old: PolicyView, new: PolicyView) { views = [old, new] }

    /// Looks at a live flow, of which tuple, tags, tunnel, pair and the initiator's port have to be known; `time` is in unix seconds.
    public mutating func look(_ record: FlowRecord, at time: UInt64) {
        looked += 1
        let decision = views[1].decision(on: record, at: time)
        guard decision != .allow, views[0].decision(on: record, at: time) == .allow else { return }
        count += 1
        if cuts.count < Self.told { cuts.append(Cut(record: record, decision: decision)) }
    }
}

extension PolicyView {
    /// What the snapshot says of a flow when it is judged again, as its worker asks: its zones follow from where it came in.
    fileprivate func decision(on record: FlowRecord, at time: UInt64) -> Decision {
        let vlans = VLANTags(word: record.vlans)
        // Only whether there is one, and its identifier, tell zones apart.
        let kind = Tunnel.Kind(rawValue: record.tunnelKind) ?? .none
        let tunnel = Tunnel(kind, identifier: record.tunnelIdentifier, depth: kind == .none ? 0 : 1)
        let zones = [record.port, 1 &- record.port].map {
            snapshot.zone(pair: record.pair, port: $0, vlans: vlans, tunnel: tunnel)
        }
        let source = snapshot.owner(of: record.source, zone: zones[0], in: memory.map)
        if source.isElsewhere { return .deny }
        return snapshot.judge(
            source: source, destination: snapshot.owner(of: record.destination, zone: zones[1], in: memory.map),
            sourceZone: zones[0], destinationZone: zones[1],
            service: ServiceKey(IPProtocol(rawValue: record.protocolNumber), port: record.destinationPort),
            sourcePort: record.sourcePort, now: time
        ).decision
    }
}
