// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension SystemTests {
    @Suite struct HandOver {
        @Test func `a second run takes over from the first without losing a frame`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            let first = try lab.start()
            let stream = try Stream(lab, from: lab.web, to: lab.db)
            let denied = try Stream(lab, from: lab.web, to: lab.db, port: Lab.deniedPort, rate: 1000)
            let second = try lab.start("--take-over")
            #expect(try first.waitForEnd(within: 10) == 0)
            pause(1)
            let arrivals = try stream.finish()
            #expect(try denied.finish().frames.isEmpty)
            #expect(arrivals.lost == 0 && arrivals.duplicated == 0)
            #expect(arrivals.gap <= 20)
            #expect(try lab.status().process("keeper").pid == second.pid)
            figure("take-over", arrivals.summary)
        }

        @Test func `a run that is told of a new binary becomes it, as the same process and without losing a frame`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            let run = try lab.start()
            let live = try LiveConnections(lab, count: 200, ports: [Lab.allowedPort])
            let stream = try Stream(lab, from: lab.web, to: lab.db)
            for round in 1...2 {
                let data = try lab.status().process("data").pid
                kill(run.pid, SIGUSR2)
                try lab.waitForRestart(of: "data", after: data, within: 10)
                try eventually("ready again", within: 10) { run.output == String(repeating: "ready\n", count: round + 1) }
                #expect(try lab.status().process("keeper").pid == run.pid && !isAlive(data))
            }
            pause(0.5)
            let arrivals = try stream.finish()
            #expect(arrivals.lost == 0 && arrivals.duplicated == 0)
            #expect(try live.census().allSatisfy { $0.answered == 200 && $0.broken == 0 })
            #expect(try run.end().hasPrefix("ready\n"))
            figure("becoming the new binary, twice", arrivals.summary)
        }
    }

    @Suite struct Steering {
        /// Lets a workload send everything by one of its two queues, whichever flow it belongs to.
        private func steer(_ workload: Lab.Workload, by queue: Int) throws {
            let folder = "/sys/class/net/eth0/queues"
            let everyCPU = String((UInt64(1) << UInt64(min(ProcessInfo.processInfo.processorCount, 32))) - 1, radix: 16)
            try workload.namespace.shell(
                "echo 0 > \(folder)/tx-\(1 - queue)/xps_cpus && echo \(everyCPU) > \(folder)/tx-\(queue)/xps_cpus")
        }

        @Test func `flows whose directions come in by different queues pass between workers`() throws {
            let lab = try Lab(.init(queues: 2))
            defer { lab.remove() }
            try steer(lab.web, by: 0)
            try steer(lab.db, by: 1)
            try lab.start()
            for address in [lab.db.ipv4, lab.db.ipv6] {
                let said = try lab.web.namespace.run("ping", "-n", "-c", "20", "-i", "0.02", "-W", "2", address)
                #expect(said.contains("20 received"), "\(said)")
                let server = try Transfer.serve(lab, "serve", at: lab.db, address: address, port: Lab.allowedPort)
                for _ in 0..<4 {
                    let sent: Transfer.Outcome = try Transfer.run(
                        "send", at: lab.web, address: address, port: Lab.allowedPort, 5_000_000)
                    #expect(sent.answer.sha256 == sent.sha256)
                }
                try server.end()
            }
            let byQueue = try lab.ports.map { try $0.framesByQueue() }
            try #require(byQueue.allSatisfy { $0.count == 2 })
            #expect(byQueue[0][1] == 0 && byQueue[1][0] == 0, "the steering is not wrong: \(byQueue)")
            let status = try lab.quietStatus()
            try #require(status.ports.allSatisfy { $0.queues.count == 2 }, "a queue has no worker")
            // What a worker owns counts as received by it, whoever's queue it came by.
            let crossed = status.ports[0].queues[1].received + status.ports[1].queues[0].received
            #expect(crossed > 0, "no frame went from worker to worker")
            for reason in ["notOpening", "unrelatedICMP", "handOffFull", "lostWithWorker"] {
                #expect(status.dropped(reason) == 0, "\(reason)")
            }
            figure("wrong steering", "\(crossed) frames went from worker to worker, kernel saw \(byQueue)")
        }
    }
}
