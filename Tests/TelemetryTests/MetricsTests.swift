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

@Suite struct MetricsPages {
    private var page: String {
        var hits = Hits()
        hits.add(event { $0.ingressRecord = 2 })
        return Metrics(status: status, hits: hits, events: .init(published: 1)).text
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
                #expect(UInt64(line.split(separator: " ").last ?? "") != nil)
            }
        }
        #expect(Set(helped).count == helped.count)
    }

    @Test func `every drop reason is a series, also at nought`() {
        for reason in DropReason.allCases { #expect(page.contains("reason=\"\(reason.name)\"} 0")) }
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
