// SPDX-License-Identifier: Apache-2.0
import Net
import Record
import Telemetry
import TestSupport

/// A record as a worker writes it, with the given fields set.
func record(_ change: (inout FlowRecord) -> Void = { _ in }) -> FlowRecord {
    var record = FlowRecord()
    record.source = Address("10.9.0.11")
    record.destination = Address("10.9.0.21")
    record.sourcePort = 50000
    record.destinationPort = 5432
    record.protocolNumber = IPProtocol.tcp.rawValue
    record.generation = 3
    record.epoch = 7
    record.sourceWorkload = 0
    record.destinationWorkload = 1
    record.egressRecord = 0
    record.ingressRecord = 1
    change(&record)
    return record
}

/// Two causes: an egress that a rule allows, and an ingress that the tier's end denies.
func names(generation: UInt32 = 3, epoch: UInt32 = 7) -> PublishedNames {
    let near = Cause.Near(policy: "shop/db", rule: "sql-from-web", failed: [#"from: app == "web""#])
    let causes = [
        Cause(
            side: .egress,
            layers: [
                .init(layer: .zone, decision: .allow, end: .failsafe),
                .init(layer: .network, decision: .allow, tier: "default", policy: "shop/web", rule: "1"),
            ]),
        Cause(side: .ingress, layers: [.init(layer: .network, decision: .deny, tier: "default", end: .tier, nearest: [near])]),
        Cause(
            side: .ingress, layers: [.init(layer: .network, decision: .allow, tier: "default", policy: "shop/db", rule: "sql")]),
    ]
    let none = UInt32.max
    return PublishedNames(
        generation: generation, epoch: epoch,
        causes: CauseTable(generation: generation, causes: causes, records: [(0, none), (1, none), (2, 1)]),
        zones: ["default", "lan"], workloads: ["shop/web-1", "shop/db-1"],
        labels: [["app": "web", "tier": "front"], ["app": "db"]])
}

/// A decoder that knows one generation.
func decoder() -> FlowDecoder {
    var decoder = FlowDecoder(pairs: [PairNames(name: "edge", ports: ["left", "right"])])
    decoder.learn(names())
    return decoder
}

/// An event of a record, with monotonic and wall clock the same.
func event(_ change: (inout FlowRecord) -> Void = { _ in }) -> FlowEvent { decoder().decode(record(change), wallOffset: 0) }
