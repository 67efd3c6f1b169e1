// SPDX-License-Identifier: Apache-2.0
import Foundation
import Net
import Record
import Telemetry

// What control spends on a flow record, on one thread: putting names to it, adding it to edges and hits, and writing it to the store.
// `bulkhead-perf-store SECONDS FOLDER` prints one JSON object.

/// Nanoseconds of processor time that this process has taken.
func processorTime() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
}

/// What took how long.
struct Figures: Encodable {
    var records = 0
    var seconds = 0.0
    var cpuSeconds = 0.0
    var recordsPerSecond = 0.0
    var decoded, tables, written: Double
    var bytesPerRecord = 0.0
}

/// Names of 1,000 workloads and the causes of 2,000 rules.
func names() -> PublishedNames {
    let causes = (0..<2000).map { number in
        Cause(
            side: number % 2 == 0 ? .egress : .ingress,
            layers: [
                .init(
                    layer: .network, decision: .allow, tier: "default", policy: "shop/policy-\(number / 10)",
                    rule: "rule-\(number)")
            ])
    }
    return PublishedNames(
        generation: 1, epoch: 1,
        causes: CauseTable(generation: 1, causes: causes, records: causes.indices.map { (UInt32($0), UInt32.max) }),
        zones: ["lan", "dmz"], workloads: (0..<1000).map { "shop/workload-\($0)" },
        labels: (0..<1000).map { ["app": "app-\($0 % 50)", "env": "live"] })
}

/// A burst of records as a worker writes them: starts and ends of connections between changing workloads.
func burst(_ number: Int, at time: UInt64) -> [FlowRecord] {
    (0..<1000).map { step in
        var record = FlowRecord()
        let flow = number * 1000 + step / 2 * 2
        record.event = (step % 2 == 0 ? FlowRecord.Event.start : .end).rawValue
        (record.sourceWorkload, record.destinationWorkload) = (UInt32(flow % 1000), UInt32(flow / 7 % 1000))
        record.source = Address(high: 0, low: 0xffff_0a00_0000 + UInt64(record.sourceWorkload))
        record.destination = Address(high: 0, low: 0xffff_0a01_0000 + UInt64(record.destinationWorkload))
        (record.sourcePort, record.destinationPort) = (UInt16(truncatingIfNeeded: flow), UInt16(443 + flow % 20))
        (record.protocolNumber, record.generation, record.epoch) = (6, 1, 1)
        (record.egressRecord, record.ingressRecord) = (UInt32(flow % 1000) * 2, UInt32(flow % 1000) * 2 + 1)
        (record.time, record.firstSeen) = (time, time)
        return record
    }
}

guard CommandLine.arguments.count == 3, let seconds = Double(CommandLine.arguments[1]) else {
    FileHandle.standardError.write(Data("bulkhead-perf-store SECONDS FOLDER\n".utf8))
    exit(2)
}
let file = CommandLine.arguments[2] + "/flows.db"
let store = try FlowStore(file: file)
var decoder = FlowDecoder(pairs: [PairNames(name: "edge", ports: ["left", "right"])])
decoder.learn(names())
var (live, edges, hits) = (LiveFlows(), EdgeTable(), Hits())
var figures = Figures(decoded: 0, tables: 0, written: 0)
let clock = ContinuousClock()
let (began, beganCPU) = (clock.now, processorTime())
var tidied = clock.now

func timed(_ sum: inout Double, _ body: () throws -> Void) rethrows {
    let start = clock.now
    try body()
    sum += (clock.now - start) / .nanoseconds(1)
}

while (clock.now - began) / .seconds(1) < seconds {
    let wall = Int64(Date().timeIntervalSince1970 * 1e9)
    let records = burst(figures.records / 1000, at: UInt64(wall))
    var events: [FlowEvent] = []
    timed(&figures.decoded) { events = records.map { live.named(decoder.decode($0, wallOffset: 0)) } }
    timed(&figures.tables) {
        for event in events {
            edges.add(event)
            hits.add(event)
        }
    }
    try timed(&figures.written) {
        try store.write(events)
        // As often as control does.
        if (clock.now - tidied) / .seconds(1) >= 60 {
            tidied = clock.now
            while try store.tidy(at: Timestamp(nanoseconds: wall)) {}
            try store.replace(edges: Array(edges.all))
        }
    }
    figures.records += records.count
}
figures.seconds = (clock.now - began) / .seconds(1)
figures.cpuSeconds = (processorTime() - beganCPU) / 1e9
figures.recordsPerSecond = Double(figures.records) / figures.seconds
for path in [\Figures.decoded, \.tables, \.written] { figures[keyPath: path] /= Double(figures.records) }
let size = (try FileManager.default.attributesOfItem(atPath: file)[.size] as? NSNumber)?.doubleValue ?? 0
figures.bytesPerRecord = size / Double(figures.records)
print(String(decoding: try JSONEncoder().encode(figures), as: UTF8.self))
