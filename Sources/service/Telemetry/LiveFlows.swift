// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Record

/// Who the ends of live flows are. A worker looks that up when it judges a flow; what it tells of the flow later, at intervals and at
/// its end, names addresses only, and gets the names here that the flow began with.
public struct LiveFlows: Sendable {
    /// What tells one live flow from another. VLANs and tunnels are part of it; the zones follow from them.
    public struct Key: Hashable, Sendable {
        var source, destination: Address
        var ports, vlans, tunnel: UInt32
        var number, kind, pair: UInt8

        init(_ record: borrowing FlowRecord) {
            (source, destination) = (record.source, record.destination)
            ports = UInt32(record.sourcePort) << 16 | UInt32(record.destinationPort)
            (vlans, tunnel, kind) = (record.vlans, record.tunnelIdentifier, record.tunnelKind)
            (number, pair) = (record.protocolNumber, record.pair)
        }
    }

    private typealias Ends = (source: FlowEvent.Place, destination: FlowEvent.Place)

    private let capacity: Int
    private var flows: [Key: Ends] = [:]

    /// No flows; at most `capacity` are remembered, later ones keep their addresses.
    public init(capacity: Int = 500_000) { self.capacity = capacity }

    /// How many are remembered.
    public var count: Int { flows.count }

    /// The event with the names of its ends, which a start or a change brings along.
    public mutating func named(_ event: FlowEvent) -> FlowEvent {
        guard let kind = FlowRecord.Event(rawValue: event.record.event), kind != .refused else { return event }
        let key = Key(event.record)
        let isNamed = event.record.sourceWorkload != FlowRecord.none32 || event.record.destinationWorkload != FlowRecord.none32
        if kind == .start || (kind == .change && isNamed) {
            if flows.count < capacity || flows[key] != nil { flows[key] = (event.source, event.destination) }
            return event
        }
        guard let ends = flows[key] else { return event }
        if kind == .end { flows[key] = nil }
        guard !isNamed else { return event }
        var named = event
        (named.source, named.destination) = (ends.source, ends.destination)
        return named
    }
}
