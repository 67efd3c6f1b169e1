// SPDX-License-Identifier: Apache-2.0
import Foundation
import Net
import Record
import Telemetry
import Testing

@Suite struct StatusReports {
    private func report() -> StatusReport {
        var counters = QueueCounters()
        (counters.received, counters.forwarded, counters.held, counters.generated) = (100, 90, 1, 2)
        counters.dropped[Int(DropReason.denied.number)] = 8
        counters.dropped[Int(DropReason.truncated.number)] = 1
        var kernel = KernelStatistics()
        (kernel.receiveRingFull, kernel.fillRingEmpty) = (3, 4)
        let queue = StatusReport.Queue(queue: 0, counters: counters, kernel: kernel)
        return StatusReport(
            generation: 2, epoch: 5,
            processes: [
                .init(name: "keeper", pid: 10, restarts: 0), .init(name: "data", pid: 11, restarts: 1),
                .init(name: "control", pid: 12, restarts: 0),
            ],
            pairs: [.init(name: "edge", mode: "closed", owner: "queue")],
            ports: [.init(name: "left", pair: "edge", link: "up", xdp: "native", copy: "copy", queues: [queue])],
            flows: .init(capacity: 1024, used: 7), checksums: .init(completed: 9),
            failsafe: [
                .init(list: "box", name: "ssh", services: ["tcp/22"], from: ["10.0.0.0/8", "zone lan"], to: ["192.0.2.1"])
            ])
    }

    @Test func `the JSON has the keys that others rely on, and lists every reason`() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let text = String(decoding: try encoder.encode(report()), as: UTF8.self)
        let reasons = DropReason.allCases.sorted { $0.name < $1.name }.map { reason in
            let count = reason == .denied ? 8 : reason == .truncated ? 1 : 0
            return "\"\(reason.name)\":\(count)"
        }.joined(separator: ",")
        #expect(
            text
                == #"{"checksums":{"completed":9},"epoch":5,"failsafe":[{"from":["10.0.0.0\/8","zone lan"],"list":"box","name":"ssh","#
                + #""services":["tcp\/22"],"to":["192.0.2.1"]}],"flows":{"capacity":1024,"used":7},"generation":2,"#
                + #""pairs":[{"mode":"closed","name":"edge","owner":"queue"}],"#
                + #""ports":[{"copy":"copy","link":"up","name":"left","pair":"edge","queues":[{"dropped":{"# + reasons
                + #"},"forwarded":90,"generated":2,"held":1,"kernel":{"rx_dropped":0,"rx_fill_ring_empty_descs":4,"#
                + #""rx_invalid_descs":0,"rx_ring_full":3,"tx_invalid_descs":0,"tx_ring_empty_descs":0},"queue":0,"#
                + #""received":100}],"xdp":"native"}],"processes":[{"name":"keeper","pid":10,"restarts":0},"#
                + #"{"name":"data","pid":11,"restarts":1},{"name":"control","pid":12,"restarts":0}]}"#)
        #expect(try JSONDecoder().decode(StatusReport.self, from: Data(text.utf8)) == report())
    }

    @Test func `the table shows each queue in one row with why frames were dropped`() {
        #expect(
            report().table == """
                policy generation 2, inventory epoch 5
                processes: keeper 10, data 11 (restarted once), control 12
                flows: 7 of 1024
                checksums: 9 completed
                failsafe ssh (box): tcp/22 from 10.0.0.0/8, zone lan to 192.0.2.1

                pair edge: closed
                  port left: link up, xdp native, copy
                  PORT  QUEUE  RECEIVED  FORWARDED  DROPPED  HELD  GENERATED  WHY DROPPED
                  left      0       100         90        9     1          2  denied 8, truncated 1, kernel 3
                """)
    }

    @Test func `the table says which processors workers have, and which are left to the rest`() {
        var report = report()
        report.processors = "0-2"
        report.workers = [.init(pair: "edge", queue: 0, counters: WorkerCounters(), processor: 3)]
        let lines = report.table.split(separator: "\n").map(String.init)
        #expect(lines[1] == "processes: keeper 10, data 11 (restarted once), control 12; on processors 0-2")
        #expect(lines.contains("  worker 0 on processor 3: 0 turns, the longest 0.000 ms, 0.000 s of CPU time"), "\(lines)")
    }
}
