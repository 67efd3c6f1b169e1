// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Record

/// A flow event as the API writes it and the client reads it: one JSON object of text and numbers.
public struct FlowReport: Codable, Hashable, Sendable {
    /// An end of a flow.
    public struct End: Codable, Hashable, Sendable {
        /// The address as text.
        public var address: String
        /// The port; `nil` for protocols without.
        public var port: UInt16?
        /// `namespace/name` of the workload, if the address is one's.
        public var workload: String?
        /// The zone.
        public var zone: String
    }
    /// Frames and bytes of one direction.
    public struct Count: Codable, Hashable, Sendable {
        /// Frames.
        public var frames: UInt64
        /// Bytes of whole frames.
        public var bytes: UInt64
    }
    /// The tunnel that the flow runs in.
    public struct Tunnel: Codable, Hashable, Sendable {
        /// ipip, gre, vxlan, geneve.
        public var kind: String
        /// Network identifier or key.
        public var identifier: UInt32
    }

    /// When, RFC 3339.
    public var time: String
    /// When the flow's first frame came, RFC 3339.
    public var firstSeen: String
    /// start, change, update, end or refused.
    public var event: String
    /// allow, deny or reject.
    public var decision: String
    /// The drop reason's name, for refused frames.
    public var reason: String?
    /// What audit would have decided.
    public var audit: String?
    /// tcp, udp, sctp, icmp, icmp6, or the number.
    public var `protocol`: String
    /// ICMP type.
    public var type: UInt8?
    /// ICMP code.
    public var code: UInt8?
    /// Who opened the flow.
    public var source: End
    /// Whom it was opened to.
    public var destination: End
    /// The port pair.
    public var pair: String
    /// Port that the frame came in by.
    public var port: String
    /// The queue.
    public var queue: UInt8
    /// VLAN identifiers, outermost first.
    public var vlans: [UInt16]
    /// The tunnel, if any.
    public var tunnel: Tunnel?
    /// From opener to responder.
    public var forward: Count
    /// From responder to opener.
    public var reverse: Count
    /// The policy generation that judged.
    public var generation: UInt32
    /// The inventory epoch that judged.
    public var epoch: UInt32
    /// What the source's side said.
    public var egress: SideReport?
    /// What the destination's side said.
    public var ingress: SideReport?
    /// What settled it.
    public var cause: CauseReport?
    /// Events like this one that were left out before it.
    public var suppressed: UInt32
    /// What a candidate would decide; only where one is shadowed and decides otherwise.
    public var candidate: CandidateReport?

    /// The report of an event.
    public init(_ event: FlowEvent) {
        let record = event.record
        let number = IPProtocol(rawValue: record.protocolNumber)
        time = event.time.description
        firstSeen = event.firstSeen.description
        self.event = FlowRecord.Event(rawValue: record.event)?.name ?? String(record.event)
        decision = event.decision.map { String(describing: $0) } ?? String(record.decision)
        reason = event.reason?.name
        audit = Decision(rawValue: record.auditDecision).map { String(describing: $0) }
        self.protocol = number.name
        type = number.isICMP ? UInt8(record.destinationPort >> 8) : nil
        code = number.isICMP ? UInt8(truncatingIfNeeded: record.destinationPort) : nil
        source = End(
            address: record.source.description, port: number.hasPorts ? record.sourcePort : nil, workload: event.source.workload,
            zone: event.source.zone)
        destination = End(
            address: record.destination.description, port: number.hasPorts ? record.destinationPort : nil,
            workload: event.destination.workload, zone: event.destination.zone)
        pair = event.pair
        port = event.port
        queue = record.queue
        vlans =
            VLANTags(outer: UInt16(record.vlans >> 16), inner: UInt16(truncatingIfNeeded: record.vlans)).identifiers
        tunnel = Net.Tunnel.Kind(rawValue: record.tunnelKind).flatMap {
            $0 == .none ? nil : Tunnel(kind: String(describing: $0), identifier: record.tunnelIdentifier)
        }
        forward = Count(frames: record.forwardFrames, bytes: record.forwardBytes)
        reverse = Count(frames: record.reverseFrames, bytes: record.reverseBytes)
        generation = record.generation
        epoch = record.epoch
        egress = event.egress.map(SideReport.init)
        ingress = event.ingress.map(SideReport.init)
        cause = event.explainedCause.map { CauseReport($0, generation: record.generation) }
        suppressed = record.suppressed
        candidate = event.candidate.map { CandidateReport($0.event) }
    }
}
