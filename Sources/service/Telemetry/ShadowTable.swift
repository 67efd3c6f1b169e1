// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Record

/// What a candidate generation does to a connection that the policy in force has decided.
public enum ShadowEffect: String, Sendable, CaseIterable {
    /// It was allowed and would not be.
    case closes
    /// It was not allowed and would be.
    case opens
    /// It was denied and would be rejected, or the other way round.
    case changes

    /// The effect of one decision in another one's place; `nil` for none.
    init?(from old: Decision, to new: Decision) {
        if old == new { return nil }
        self = old == .allow ? .closes : new == .allow ? .opens : .changes
    }
}

/// Connections that a candidate decides otherwise, by kind: who they are to policy (zone, namespace and labels), the service, and what settles
/// them on either side of the change. Bounded: kinds that find no room are counted.
struct ShadowTable: Sendable {
    /// Kinds that are told apart.
    static let capacity = 10_000
    /// Ends of a kind that are named.
    static let namedEnds = 8

    /// An end as policy sees it: addresses that are no workload's are one to each zone.
    struct Party: Hashable, Sendable {
        var zone: String
        /// Of the workload; `nil` for a global one, and for an address that is none.
        var namespace: String?
        /// `nil` for an address that is no workload's.
        var labels: [String: String]?

        init(_ place: FlowEvent.Place) {
            zone = place.zone
            namespace = place.namespace.map(String.init)
            labels = place.workload == nil ? nil : place.labels
        }
    }

    /// A decision and what settled it.
    struct Said: Hashable, Sendable {
        var decision: UInt8
        var side: PolicySide?
        var deciding: SideReport?

        init(_ event: FlowEvent) {
            decision = event.record.decision
            (side, deciding) = (event.cause?.side, event.cause.map(SideReport.init))
        }
    }

    /// What makes two connections of one kind.
    struct Key: Hashable, Sendable {
        var source, destination: Party
        var protocolNumber: UInt8
        var port: UInt16
        var old, new: Said
    }

    /// Names of a few ends, and whether there are more.
    struct Ends: Sendable {
        private(set) var names: [String] = []
        private(set) var areMore = false

        mutating func add(_ place: FlowEvent.Place, _ address: Address) {
            if areMore { return }
            let name = place.workload ?? address.description
            if names.contains(name) { return }
            if names.count < ShadowTable.namedEnds { names.append(name) } else { areMore = true }
        }
    }

    /// The connections of a kind.
    struct Row: Sendable {
        var effect: ShadowEffect
        var sources = Ends()
        var destinations = Ends()
        var connections: UInt64 = 0
        var first: Timestamp
        var last: Timestamp
        /// The last of them.
        var example: FlowEvent
    }

    private(set) var rows: [Key: Row] = [:]
    private let most: Int

    init(capacity: Int = ShadowTable.capacity) { most = capacity }

    /// Takes a connection in; false where its kind finds no room.
    mutating func add(_ event: FlowEvent, _ effect: ShadowEffect, _ candidate: FlowEvent) -> Bool {
        let key = Key(
            source: Party(event.source), destination: Party(event.destination), protocolNumber: event.record.protocolNumber,
            port: event.record.destinationPort, old: Said(event), new: Said(candidate))
        guard rows[key] != nil || rows.count < most else { return false }
        rows[key, default: Row(effect: effect, first: event.time, last: event.time, example: event)].add(event)
        return true
    }
}

extension ShadowTable.Row {
    fileprivate mutating func add(_ event: FlowEvent) {
        sources.add(event.source, event.record.source)
        destinations.add(event.destination, event.record.destination)
        connections += 1
        (first, last) = (min(first, event.time), max(last, event.time))
        example = event
    }
}
