// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Record

/// Which flow events somebody wants to see: conditions by key, as the API and the command line name them.
///
/// Conditions of one key are alternatives, different keys must all hold, and of those that are negated none may hold. So
/// `decision=deny&from=shop/&not-port=53` is what is denied to anybody in `shop`, name lookups left out.
public struct FlowFilter: Sendable, Hashable {
    /// What is asked of an event.
    public enum Key: String, CaseIterable, Sendable {
        /// Either end, see `FlowParty`.
        case workload
        /// Who opened the connection.
        case from
        /// To whom.
        case to
        /// Either end is a workload with this label: `app=web`, or `app` whatever its value.
        case label
        /// Either end is a workload of this namespace.
        case namespace
        /// Either end lies in this zone.
        case zone
        /// Either end has this address, or one of this block.
        case ip
        /// Either end has this port.
        case port
        /// tcp, udp, sctp, icmp, icmp6, or a number.
        case `protocol`
        /// allow, deny or reject.
        case decision
        /// A drop reason's name.
        case reason
        /// What audit would have decided: allow, deny or reject.
        case audit
        /// A policy that had the last word on one of the sides, `namespace/name`.
        case policy
        /// start, change, update, end or refused.
        case event
    }

    struct Condition: Hashable, Sendable {
        var key: Key
        var isNegated: Bool
        var test: ConditionTest
    }

    private(set) var conditions: [Condition] = []
    /// Nothing before this time.
    public var since: Timestamp?
    /// Nothing at this time or later.
    public var until: Timestamp?

    /// A filter that lets everything pass.
    public init() {}

    /// Whether the event is wanted.
    public func matches(_ event: FlowEvent) -> Bool {
        if let since, event.time < since { return false }
        if let until, event.time >= until { return false }
        var (wanted, met): (Set<Key>, Set<Key>) = ([], [])
        for condition in conditions {
            if condition.isNegated {
                if condition.test.holds(for: condition.key, event) { return false }
            } else {
                wanted.insert(condition.key)
                if !met.contains(condition.key), condition.test.holds(for: condition.key, event) { met.insert(condition.key) }
            }
        }
        return wanted == met
    }

    /// Adds a condition, negated where the key begins with `not-`; `since` and `until` take nanoseconds since 1970. Returns what is
    /// wrong with the value or the key.
    public mutating func set(_ name: String, to value: String) -> String? {
        if name == "since" || name == "until" {
            guard let time = Int64(value), time >= 0 else { return "\(value) is no time: nanoseconds since 1970" }
            if name == "since" { since = Timestamp(nanoseconds: time) } else { until = Timestamp(nanoseconds: time) }
            return nil
        }
        guard conditions.count < Self.most else { return "a filter has \(Self.most) conditions at most" }
        let isNegated = name.hasPrefix("not-")
        guard let key = Key(rawValue: isNegated ? String(name.dropFirst(4)) : name) else {
            return
                "\(name) is no filter: \(Key.allCases.map(\.rawValue).joined(separator: ", ")), each also with not- before it, "
                + "since and until"
        }
        switch ConditionTest.reading(value, for: key) {
        case .success(let test): conditions.append(Condition(key: key, isNegated: isNegated, test: test))
        case .failure(let fault): return fault.text
        }
        return nil
    }

    /// Conditions of a filter at most: each costs a look at each event.
    public static let most = 64
}

/// What a condition compares with.
enum ConditionTest: Hashable, Sendable {
    case party(FlowParty)
    case label(key: String, value: String?)
    case text(String)
    case block(Prefix)
    case number(UInt16)
    case decision(Decision)
    case reason(DropReason)

    struct Fault: Error { let text: String }

    static func reading(_ value: String, for key: FlowFilter.Key) -> Result<ConditionTest, Fault> {
        func wrong(_ text: String) -> Result<ConditionTest, Fault> { .failure(Fault(text: text)) }
        switch key {
        case .workload, .from, .to: return .success(.party(FlowParty(value)))
        case .label:
            let parts = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let name = parts.first, !name.isEmpty else { return wrong("\(value) is no label: app=web, or app") }
            return .success(.label(key: name, value: parts.count > 1 ? parts[1] : nil))
        case .namespace, .zone, .policy: return .success(.text(value))
        case .ip:
            guard let block = Prefix(value) else { return wrong("\(value) is no IPv4 or IPv6 address or block") }
            return .success(.block(block))
        case .port:
            guard let port = UInt16(value) else { return wrong("\(value) is no port, 0 to 65535") }
            return .success(.number(port))
        case .protocol:
            guard let number = IPProtocol(named: value) else {
                return wrong("\(value) is no protocol: tcp, udp, sctp, icmp, icmp6 or a number from 0 to 255")
            }
            return .success(.number(UInt16(number.rawValue)))
        case .decision, .audit:
            guard let decision = Decision.allCases.first(where: { String(describing: $0) == value }) else {
                return wrong("\(value) is no decision: allow, deny or reject")
            }
            return .success(.decision(decision))
        case .reason:
            guard let reason = DropReason.allCases.first(where: { $0.name == value }) else {
                return wrong("\(value) is no drop reason; `bulkhead status --json` lists them all")
            }
            return .success(.reason(reason))
        case .event:
            guard FlowRecord.Event.allCases.contains(where: { $0.name == value }) else {
                return wrong("\(value) is no event: \(FlowRecord.Event.allCases.map(\.name).joined(separator: ", "))")
            }
            return .success(.text(value))
        }
    }

    func holds(for key: FlowFilter.Key, _ event: FlowEvent) -> Bool {
        let record = event.record
        switch self {
        case .party(let party):
            return (key != .to && party.is(event.source, record.source))
                || (key != .from && party.is(event.destination, record.destination))
        case .label(let name, let value):
            return [event.source, event.destination].contains { place in
                guard let found = place.labels[name] else { return false }
                return value == nil || found == value
            }
        case .block(let block): return block.contains(record.source) || block.contains(record.destination)
        case .decision(let decision):
            return key == .audit ? record.auditDecision == decision.rawValue : event.decision == decision
        case .reason(let reason): return event.reason == reason
        case .number(let number):
            if key == .protocol { return UInt16(record.protocolNumber) == number }
            return IPProtocol(rawValue: record.protocolNumber).hasPorts
                && (record.sourcePort == number || record.destinationPort == number)
        case .text(let text):
            switch key {
            case .zone: return event.source.zone == text || event.destination.zone == text
            case .namespace: return event.source.namespace == text[...] || event.destination.namespace == text[...]
            case .policy: return [event.egress, event.ingress].contains { $0?.deciding?.policy == text }
            default: return FlowRecord.Event(rawValue: record.event)?.name == text
            }
        }
    }
}

/// An end of a flow as somebody writes it: an address or a block, `namespace/` for all of a namespace, else a workload's name.
struct FlowParty: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case block(Prefix)
        case namespace(String)
        case workload(String)
    }

    let kind: Kind

    init(_ text: String) {
        if let block = Prefix(text) {
            kind = .block(block)
        } else if text.hasSuffix("/") {
            kind = .namespace(String(text.dropLast()))
        } else {
            kind = .workload(text)
        }
    }

    /// Whether an end is meant.
    func `is`(_ place: FlowEvent.Place, _ address: Address) -> Bool {
        switch kind {
        case .block(let block): block.contains(address)
        case .namespace(let name): place.namespace == name[...]
        case .workload(let name): place.workload == name
        }
    }
}
