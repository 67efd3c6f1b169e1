// SPDX-License-Identifier: Apache-2.0
import Foundation
import Net
import Record
import Telemetry
import Testing

@Suite struct ObservingManual {
    @Test func `every metric has its row in the manual, and every row its metric`() throws {
        let file = URL(filePath: #filePath).appending(path: "../../../docs/observing.md").standardized
        let manual = try String(contentsOf: file, encoding: .utf8)
        var told: Set<Substring> = []
        for line in manual.split(separator: "\n") where line.hasPrefix("| `bulkhead_") {
            let names = line.split(separator: "|").first ?? ""
            told.formUnion(names.matches(of: /`([a-z_]+)`/).map(\.1))
        }
        let queue = StatusReport.Queue(queue: 0, counters: QueueCounters(), kernel: KernelStatistics())
        var status = StatusReport(
            generation: 1, epoch: 1, processes: [.init(name: "data", pid: 1, restarts: 0)],
            pairs: [.init(name: "edge", mode: "closed", owner: "queue")],
            ports: [.init(name: "left", pair: "edge", link: "up", xdp: "native", copy: "copy", queues: [queue])],
            flows: .init(capacity: 1, used: 0), checksums: .init(completed: 0))
        status.workers = [.init(pair: "edge", queue: 0, counters: WorkerCounters())]
        var hits = Hits()
        hits.add(event { $0.ingressRecord = 2 })
        let page = Metrics(status: status, hits: hits, events: .init(published: 1)).text
        #expect(told == Set(page.matches(of: #/# TYPE ([a-z_]+) /#).map(\.1)))
    }
}
