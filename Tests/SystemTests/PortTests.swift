// SPDX-License-Identifier: Apache-2.0
import Foundation
import Layout
import Synchronization
import TestSupport
import Testing

extension SystemTests {
    @Suite struct Port {
        /// The workloads behind a second pair.
        private static let others = """
            apiVersion: bulkhead/v1
            kind: Workload
            metadata: {name: web-2, namespace: shop, labels: {app: web}}
            spec: {addresses: [10.9.1.11]}
            ---
            apiVersion: bulkhead/v1
            kind: Workload
            metadata: {name: db-2, namespace: shop, labels: {app: db}}
            spec: {addresses: [10.9.1.21]}
            ---

            """

        /// A laboratory with a second pair, `p2` and `p3`, between the same workloads: 10.9.1.11 and 10.9.1.21 at `eth1`.
        private func lab() throws -> (lab: Lab, other: (web: Lab.Workload, db: Lab.Workload)) {
            let lab = try Lab()
            let (fw, queues) = (lab.appliance.name, ["numrxqueues", "1", "numtxqueues", "1"])
            for (workload, port, address) in [(lab.web, "p2", "10.9.1.11"), (lab.db, "p3", "10.9.1.21")] {
                let name = workload.namespace.name
                try Command.run(
                    ["ip", "-n", fw, "link", "add", port] + queues + ["type", "veth", "peer", "name", "eth1", "netns", name]
                        + queues)
                try Command.run("ip", "-n", fw, "link", "set", port, "promisc", "on", "addrgenmode", "none", "up")
                try Command.run("ip", "-n", name, "link", "set", "eth1", "addrgenmode", "none", "up")
                try workload.namespace.run("ethtool", "-K", "eth1", "gro", "on", "tx", "off", "tso", "off")
                try Command.run("ip", "-n", name, "address", "add", address + "/24", "dev", "eth1")
            }
            try lab.writePolicy(ports: [Lab.allowedPort], documents: Self.others)
            let configuration = lab.configuration.replacingOccurrences(
                of: "policies:", with: "  - {name: other, ports: [p2, p3]}\npolicies:")
            try configuration.write(to: lab.configurationFile, atomically: true, encoding: .utf8)
            let web = Lab.Workload(namespace: lab.web.namespace, ipv4: "10.9.1.11", ipv6: lab.web.ipv6)
            return (lab, (web, Lab.Workload(namespace: lab.db.namespace, ipv4: "10.9.1.21", ipv6: lab.db.ipv6)))
        }

        /// Whether an echo comes back.
        private func answers(_ lab: Lab) throws -> Bool {
            try Command.attempt(lab.web.namespace.command(["ping", "-n", "-c", "1", "-W", "1", lab.db.ipv4])).code == 0
        }

        @Test
        func `that vanishes halts its pair, and goes on under policy when it is back, while the other pair does not notice`()
            throws
        {
            let (lab, other) = try lab()
            defer { lab.remove() }
            let run = try lab.start()
            let steady = try Stream(lab, from: other.web, to: other.db, rate: 5000)
            let server = try Transfer.serve(lab, "echo", at: lab.db, address: lab.db.ipv4, port: Lab.allowedPort)
            #expect(try answers(lab))
            for round in 1...2 {
                try Command.run("ip", "-n", lab.appliance.name, "link", "del", "p0")
                try eventually("status to show it", within: 3, every: 0.02) { try lab.status().port("p0").link == "gone" }
                #expect(try lab.ports[1].hasLink() == false, "the other side does not learn of it")
                try lab.connect(lab.web, to: "p0", hardwareAddress: "02:00:00:00:00:0b")
                let up = Moment.now
                try eventually("the port to be back", within: 5, every: 0.02) { try lab.status().port("p0").link == "up" }
                try lab.introduce()
                try eventually("the pair to go on", within: 5, every: 0.02) { try answers(lab) }
                let back = Moment.now.milliseconds(since: up)
                figure("a port that came back, round \(round)", "its pair forwards after \(back.short) ms")
                let attempt: Transfer.Attempt = try Transfer.run(
                    "connect", at: lab.web, address: lab.db.ipv4, port: Lab.deniedPort, 1)
                #expect(!attempt.connected, "policy is not in force on the port that came back")
            }
            let arrivals = try steady.finish()
            #expect(arrivals.lost == 0 && arrivals.duplicated == 0)
            #expect(arrivals.gap < 50)
            figure("the other pair meanwhile", arrivals.summary)
            let status = try lab.quietStatus()
            #expect(try status.process("data").restarts == 0)
            for port in status.ports {
                #expect(port.received == port.forwarded + port.queues.reduce(0) { $0 + $1.allDropped + $1.held }, "\(port.name)")
            }
            try server.end()
            _ = run
        }

        @Test func `that is gone costs the only pair nothing but its frames when keeper dies or becomes a new binary`() throws {
            let lab = try Lab(.init(fail: "open"))
            defer { lab.remove() }
            let first = try lab.start()
            let server = try Transfer.serve(lab, "echo", at: lab.db, address: lab.db.ipv4, port: Lab.allowedPort)
            #expect(try answers(lab))
            let used = try lab.status().flows.used
            try Command.run("ip", "-n", lab.appliance.name, "link", "del", "p0")
            try eventually("status to show it", within: 3, every: 0.02) { try lab.status().port("p0").link == "gone" }
            let data = try lab.status().process("data").pid
            kill(first.pid, SIGKILL)
            let second = try lab.start()
            #expect(try lab.status().process("data").pid == data)
            kill(second.pid, SIGUSR2)
            try lab.waitForRestart(of: "data", after: data, within: 10)
            try eventually("ready again", within: 10) { second.output == "ready\nready\n" }
            let status = try lab.status()
            #expect(try status.process("keeper").pid == second.pid && status.process("data").restarts == 0)
            #expect(status.flows.used == used && status.flows.replaced == 0 && status.flows.grace == 0)
            try lab.connect(lab.web, to: "p0", hardwareAddress: "02:00:00:00:00:0b")
            try lab.introduce()
            try eventually("the pair to go on", within: 5, every: 0.02) {
                try lab.status().port("p0").link == "up" && answers(lab)
            }
            // Between the ports' return and the sockets' the kernel has forwarded by itself.
            try eventually("a grace", within: 5) { try lab.status().flows.grace > 0 }
            #expect(second.errors.contains("frames have passed unjudged"))
            try server.end()
        }

        @Test func `that is gone keeps neither data nor keeper from starting again`() throws {
            let (lab, other) = try lab()
            defer { lab.remove() }
            let first = try lab.start()
            try Command.run("ip", "-n", lab.appliance.name, "link", "del", "p0")
            try eventually("status to show it", within: 3, every: 0.02) { try lab.status().port("p0").link == "gone" }
            let data = try lab.status().process("data").pid
            kill(data, SIGKILL)
            try lab.waitForRestart(of: "data", after: data, within: 5)
            // As if the pair's worker had been killed in the middle of its turn: a new policy waits for those that run.
            let memory = try lab.memory(named: "bulkhead-board")
            let board = unsafe Board(base: memory.base)
            unsafe board.word(.turn, ofWorker: 0).pointee.store(4711, ordering: .sequentiallyConsistent)
            let generation = try lab.status().generation
            try lab.writePolicy(ports: [Lab.allowedPort, Lab.deniedPort - 100], documents: Self.others)
            kill(first.pid, SIGHUP)
            try eventually("the new policy", within: 10, every: 0.05) { try lab.status().generation > generation }
            kill(first.pid, SIGKILL)
            let second = try lab.start()
            try lab.start("--take-over")
            try second.waitForEnd(within: 10)
            let steady = try Stream(lab, from: other.web, to: other.db, rate: 5000)
            pause(0.5)
            let arrivals = try steady.finish()
            #expect(arrivals.lost == 0, "\(arrivals.summary)")
            try lab.connect(lab.web, to: "p0", hardwareAddress: "02:00:00:00:00:0b")
            try lab.introduce()
            try eventually("the pair to go on", within: 5, every: 0.02) { try answers(lab) }
        }
    }
}
