// SPDX-License-Identifier: Apache-2.0
internal import Net
public import Record

/// The flows that live, as far as records tell of them, and who their ends are. A worker looks that up when it judges a flow; what it
/// tells of the flow later, at intervals and at its end, names addresses only, and gets the names here that the flow began with.
///
/// They lie in many small tables, so that a copy costs nothing and whoever goes on writing copies one of them at a time.
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

    /// A flow that lives.
    public struct Flow: Sendable {
        /// Who opened it, and to whom; `nil` of one that began before anybody looked.
        public var ends: (source: FlowEvent.Place, destination: FlowEvent.Place)?
        /// The port of its pair by which its initiator came in.
        var port: UInt8
    }

    private static let parts = 256

    private let capacity: Int
    private var flows = [[Key: Flow]](repeating: [:], count: LiveFlows.parts)
    /// How many are remembered.
    public private(set) var count = 0

    /// No flows; at most `capacity` are remembered, later ones keep their addresses.
    public init(capacity: Int = 500_000) { self.capacity = capacity }

    /// The event with the names of its ends, which a start or a change brings along.
    public mutating func named(_ event: FlowEvent) -> FlowEvent {
        guard let kind = FlowRecord.Event(rawValue: event.record.event), kind != .refused else { return event }
        let key = Key(event.record)
        let part = Self.part(of: key)
        let isNamed = event.record.sourceWorkload != FlowRecord.none32 || event.record.destinationWorkload != FlowRecord.none32
        let known = flows[part][key]
        if kind == .start || (kind == .change && isNamed) {
            remember(key, part, Flow(ends: (event.source, event.destination), port: event.record.port), isNew: known == nil)
            return event
        }
        if kind == .end {
            if known != nil {
                flows[part][key] = nil
                count -= 1
            }
        } else if known == nil {
            remember(key, part, Flow(ends: nil, port: event.record.port), isNew: true)
        }
        guard let ends = known?.ends, !isNamed else { return event }
        var named = event
        (named.source, named.destination) = (ends.source, ends.destination)
        return named
    }

    /// Calls `body` with each flow, and with what a record of it would say of where it runs.
    public func forEach(_ body: (Flow, FlowRecord) -> Void) {
        for part in flows {
            for (key, flow) in part { body(flow, key.record(port: flow.port)) }
        }
    }

    /// What is known of the flow that a record tells of; `nil` where nothing is.
    public func flow(_ record: FlowRecord) -> Flow? {
        let key = Key(record)
        return flows[Self.part(of: key)][key]
    }

    private mutating func remember(_ key: Key, _ part: Int, _ flow: Flow, isNew: Bool) {
        guard count < capacity || !isNew else { return }
        flows[part][key] = flow
        count += isNew ? 1 : 0
    }

    /// The tables' own hash scatters within one; which one it is takes a plain mix of what differs most.
    private static func part(of key: Key) -> Int {
        let mixed = (key.source.low ^ key.destination.low &* 31 ^ UInt64(key.ports)) &* 0x9e37_79b9_7f4a_7c15
        return Int(truncatingIfNeeded: mixed >> 56)
    }
}

extension LiveFlows.Key {
    /// As a record has it; `port` is the initiator's.
    fileprivate func record(port: UInt8) -> FlowRecord {
        var record = FlowRecord()
        (record.source, record.destination) = (source, destination)
        (record.sourcePort, record.destinationPort) = (UInt16(ports >> 16), UInt16(truncatingIfNeeded: ports))
        (record.vlans, record.tunnelIdentifier, record.tunnelKind) = (vlans, tunnel, kind)
        (record.protocolNumber, record.pair, record.port) = (number, pair, port)
        return record
    }
}
