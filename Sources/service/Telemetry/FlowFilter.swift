// SPDX-License-Identifier: Apache-2.0
public import Net
internal import Record

/// Which flow events somebody wants to see. All conditions must hold; one that is `nil` always does.
public struct FlowFilter: Sendable, Hashable {
    /// Either end is this workload, `namespace/name`.
    public var workload: String?
    /// Either end has this address.
    public var address: Address?
    /// Either end has this port.
    public var port: UInt16?
    /// What became of the connection.
    public var decision: Decision?
    /// What happened, by the event's name.
    public var event: String?

    /// A filter that lets everything pass.
    public init() {}

    /// Whether the event is wanted.
    public func matches(_ event: FlowEvent) -> Bool {
        let record = event.record
        if let workload, event.source.workload != workload, event.destination.workload != workload { return false }
        if let address, record.source != address, record.destination != address { return false }
        if let port {
            guard IPProtocol(rawValue: record.protocolNumber).hasPorts else { return false }
            guard record.sourcePort == port || record.destinationPort == port else { return false }
        }
        if let decision, event.decision != decision { return false }
        if let name = self.event, FlowRecord.Event(rawValue: record.event)?.name != name { return false }
        return true
    }
}

extension FlowFilter {
    /// Sets the condition of a key as the API and the command line name it. Returns what is wrong with the value or the key.
    public mutating func set(_ key: String, to value: String) -> String? {
        switch key {
        case "workload":
            workload = value
        case "address":
            guard let parsed = Address(value) else { return "\(value) is no IPv4 or IPv6 address" }
            address = parsed
        case "port":
            guard let parsed = UInt16(value) else { return "\(value) is no port, 0 to 65535" }
            port = parsed
        case "decision":
            guard let parsed = Decision.allCases.first(where: { String(describing: $0) == value }) else {
                return "\(value) is no decision: allow, deny or reject"
            }
            decision = parsed
        case "event":
            guard FlowRecord.Event.allCases.contains(where: { $0.name == value }) else {
                return "\(value) is no event: \(FlowRecord.Event.allCases.map(\.name).joined(separator: ", "))"
            }
            event = value
        default:
            return "\(key) is no filter: workload, address, port, decision, event"
        }
        return nil
    }
}
