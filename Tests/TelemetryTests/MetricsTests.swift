// SPDX-License-Identifier: Apache-2.0
import Net
import Record
import Telemetry
import Testing

private let status = StatusReport(
    generation: 3, epoch: 7, processes: [.init(name: "keeper", pid: 1, restarts: 0), .init(name: "data", pid: 0, restarts: 2)],
    pairs: [.init(name: "edge", mode: "closed", owner: "queue")],
    ports: [
        .init(
            name: "le\"ft\n", pair: "edge", link: "up", xdp: "native", copy: "copy",
            queues: [.init(queue: 0, counters: QueueCounters(), kernel: KernelStatistics())])
    ],
    flows: .init(capacity: 1024, used: 5), checksums: .init(completed: 0))

/// The same with a worker that has been busy.
private var busy: StatusReport {
    var (report, counters) = (status, WorkerCounters())
    (counters.turns, counters.longestTurn, counters.cpuTime, counters.handedOver) = (812, 1_204_999, 3_250_000_000, 5)
    report.workers = [.init(pair: "edge", queue: 0, counters: counters)]
    return report
}

@Suite struct MetricsPages {
    private var page: String {
        var hits = Hits()
        hits.add(event { $0.ingressRecord = 2 })
        return Metrics(status: busy, hits: hits, events: .init(published: 1)).text
    }

    @Test func `every family has its help and its type before its samples, and once`() {
        var (helped, typed): ([Substring], [Substring: Substring]) = ([], [:])
        for line in page.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 3)
            if line.hasPrefix("# HELP ") {
                helped.append(words[2])
                #expect(words.count == 4)
            } else if line.hasPrefix("# TYPE ") {
                #expect(typed.updateValue(words[3], forKey: words[2]) == nil)
                #expect(helped.last == words[2])
            } else {
                let name = line.prefix { $0 != "{" && $0 != " " }
                #expect(helped.last == name)
                #expect((typed[name] == "counter") == name.hasSuffix("_total"))
                #expect(Double(line.split(separator: " ").last ?? "") != nil)
            }
        }
        #expect(Set(helped).count == helped.count)
    }

    @Test func `every drop reason is a series, also at nought`() {
        for reason in DropReason.allCases { #expect(page.contains("reason=\"\(reason.name)\"} 0")) }
    }

    @Test func `a worker's longest turn and CPU time are told, to machines and to people`() {
        #expect(page.contains(#"bulkhead_worker_longest_turn_seconds{pair="edge",queue="0"} 0.001204999"#))
        #expect(page.contains(#"bulkhead_worker_cpu_seconds_total{pair="edge",queue="0"} 3.250000000"#))
        #expect(page.contains(#"bulkhead_worker_frames_handed_over_total{pair="edge",queue="0"} 5"#))
        #expect(busy.table.contains("\n  worker 0: 812 turns, the longest 1.204 ms, 3.250 s of CPU time\n"))
    }

    @Test func `a name cannot end its label`() {
        #expect(page.contains(#"port="le\"ft\\u{a}""#))
    }

    @Test func `a rule that has decided has its count`() {
        #expect(
            page.contains(#"bulkhead_rule_hits_total{side="ingress",policy="shop/db",rule="sql",decision="allow"} 1"#))
        #expect(page.contains(#"bulkhead_connections_total{decision="allow"} 1"#))
        #expect(page.contains(#"bulkhead_process_up{process="data"} 0"#))
    }
}
