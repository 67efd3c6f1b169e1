// SPDX-License-Identifier: Apache-2.0
internal import Analysis
internal import Compiler
internal import Net
internal import Policy
internal import Record
internal import Synchronization
internal import Telemetry

/// What the rules of one published generation name, for hit counters: asked by the thread that observes, never on the way to publishing.
/// Of the set only what rules and address sets say is kept; workloads are asked for as they are now, because there may be a million of
/// them and several generations are remembered.
final class NamedRules: NamedValues {
    private let set: PolicySet
    private let hosts: [Prefix]
    private let zones: [String]
    private let inForce: PolicyInForce
    private let made = Mutex<ValueIndex?>(nil)

    /// The rules of a set with the zones' names by number.
    init(_ set: PolicySet, _ failsafe: Failsafe, zones: [String], inForce: PolicyInForce) {
        self.set = set.withoutWorkloads
        hosts = failsafe.addresses
        self.zones = zones
        self.inForce = inForce
    }

    private var index: ValueIndex {
        made.withLock { made in
            let index = made ?? ValueIndex(set, hosts: hosts)
            made = index
            return index
        }
    }

    func listed() -> [ListedRule] {
        index.listed().map { rule in
            let decision = rule.action == .log ? "log" : rule.action.rawValue
            return ListedRule(
                rule: .init(side: rule.side.rawValue, policy: rule.policy, rule: rule.rule, decision: decision),
                action: rule.action.rawValue, place: "\(rule.place)", note: Self.note(rule),
                values: rule.values.map { .init(field: $0.field, text: $0.text) })
        }
    }

    /// Why records cannot tell of a rule.
    private static func note(_ rule: ValueIndex.Listed) -> String? {
        if rule.isAudit { return "it is in audit and decides nothing: see bulkhead flows --audit" }
        if rule.action == .pass { return "it passes to the next tier, and what decides there is counted" }
        return nil
    }

    func held(of rule: Hits.Rule, in event: FlowEvent) -> HeldValues {
        guard let side = PolicySide(rawValue: rule.side) else { return HeldValues(values: nil) }
        let record = event.record
        let answer = index.answer(
            policy: rule.policy, rule: rule.rule, side: side, from: end(record.source, record.sourceZone, event.source),
            to: end(record.destination, record.destinationZone, event.destination),
            service: ServiceKey(IPProtocol(rawValue: record.protocolNumber), port: record.destinationPort),
            sourcePort: record.sourcePort, at: UInt64(clamping: event.time.nanoseconds / 1_000_000_000))
        return HeldValues(
            values: answer.values?.map { .init(field: $0.field, text: $0.text) }, isLasting: answer.isLasting)
    }

    private func end(_ address: Address, _ zone: UInt16, _ place: FlowEvent.Place) -> ValueIndex.End {
        let workload = place.workload.flatMap { name in
            let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
            return inForce.seenWorkload(parts.count == 2 ? ObjectName(parts[1], namespace: parts[0]) : ObjectName(name))
        }
        return ValueIndex.End(
            address: address, zone: Int(zone) < zones.count ? zones[Int(zone)] : Zone.implicit, workload: workload)
    }
}
