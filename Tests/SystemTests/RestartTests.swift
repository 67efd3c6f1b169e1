// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension SystemTests {
    /// Connections that are under way when something of Bulkhead ends. `scripts/soak restart` runs the same with more of them.
    @Suite struct Restart {
        private static func number(_ name: String, otherwise usual: Int) -> Int {
            ProcessInfo.processInfo.environment[name].flatMap(Int.init) ?? usual
        }
        /// Live connections.
        private let connections = number("BULKHEAD_CONNECTIONS", otherwise: 1000)
        /// Flows that stand in the table without being used.
        private let flows = number("BULKHEAD_FLOWS", otherwise: 20_000)

        /// A second port that policy opens at first.
        private static let otherPort = 5434

        /// A running laboratory whose policy opens both ports.
        private func lab(_ settings: Lab.Settings = Lab.Settings()) throws -> Lab {
            let lab = try Lab(settings)
            try lab.writePolicy(ports: [Lab.allowedPort, Self.otherPort])
            return lab
        }

        private func expectAll(_ counts: [LiveConnections.Count], _ comment: Comment) {
            #expect(counts.allSatisfy { $0.answered == $0.open && $0.broken == 0 }, comment)
            #expect(counts.reduce(0) { $0 + $1.open } == connections, comment)
        }

        private func killData(_ lab: Lab) throws {
            let data = try lab.status().process("data").pid
            kill(data, SIGKILL)
            try lab.waitForRestart(of: "data", after: data, within: 20)
        }

        @Test func `live connections outlive a take-over and the death of data, and none escapes a new policy`() throws {
            let lab = try lab()
            defer { lab.remove() }
            let first = try lab.start()
            #expect(try lab.status().flows.grace == 0, "a first start has nothing to pick up")
            let live = try LiveConnections(lab, count: connections, ports: [Lab.allowedPort, Self.otherPort])
            expectAll(try live.census(), "before anything happens")
            let second = try lab.start("--take-over")
            #expect(try first.waitForEnd(within: 10) == 0)
            expectAll(try live.census(), "after a take-over")
            try killData(lab)
            expectAll(try live.census(), "after the death of data")
            let status = try lab.status()
            #expect(status.flows.replaced == 0 && status.flows.grace == 0)
            #expect(status.flows.used >= connections)
            try lab.writePolicy(ports: [Lab.allowedPort])
            kill(second.pid, SIGHUP)
            try eventually("the new policy", within: 10, every: 0.05) { try lab.status().generation > status.generation }
            let counts = try live.census(withSilence: true)
            #expect(counts.map(\.answered) == [counts[0].open, 0], "\(counts)")
            let attempt: Transfer.Attempt = try Transfer.run(
                "connect", at: lab.web, address: lab.db.ipv4, port: Self.otherPort, 2)
            #expect(!attempt.connected)
            try live.end()
            figure(
                "live connections",
                "\(connections) over take-over and kill -9 data, none lost; a new policy cut \(counts[1].open)")
        }

        @Test func `data that dies with a table of many flows keeps them all and is back within a second`() throws {
            let lab = try Lab(.init(flowCapacity: 65_536 + flows))
            defer { lab.remove() }
            let began = Moment.now
            try lab.start(within: 120)
            let started = Moment.now.milliseconds(since: began)
            try FlowFile(lab).fill(flows)
            let stream = try Stream(lab, from: lab.web, to: lab.db)
            try killData(lab)
            pause(2)
            let arrivals = try stream.finish()
            #expect(arrivals.gap < 1000)
            let status = try lab.status()
            // Policy allows none of them, so that the sweep ends them by and by: what counts is that the table was kept.
            #expect(status.flows.replaced == 0)
            let again = try Stream(lab, from: lab.web, to: lab.db)
            try lab.start("--take-over", within: 60)
            pause(1)
            let handedOver = try again.finish()
            #expect(handedOver.lost == 0 && handedOver.gap <= 20)
            figure(
                "\(flows) flows",
                "started in \(started.short) ms; kill -9 data: \(arrivals.summary); take-over: \(handedOver.summary)")
        }

        @Test func `a damaged table is replaced, and connections under way have a grace`() throws {
            let lab = try lab()
            defer { lab.remove() }
            let run = try lab.start()
            let live = try LiveConnections(lab, count: 100, ports: [Lab.allowedPort, Self.otherPort])
            try FlowFile(lab).damage()
            try killData(lab)
            let status = try lab.status()
            #expect(status.flows.replaced == 1)
            #expect((1...30).contains(status.flows.grace))
            #expect(run.errors.contains("is refused"))
            // What policy denies stays denied.
            let server = try Transfer.serve(lab, "serve", at: lab.db, address: lab.db.ipv4, port: Lab.deniedPort)
            let attempt: Transfer.Attempt = try Transfer.run(
                "connect", at: lab.web, address: lab.db.ipv4, port: Lab.deniedPort, 2)
            #expect(!attempt.connected)
            try server.end()
            try live.end()
        }

        @Test(arguments: ["closed", "open"])
        func `only what lost a table or let frames pass unjudged grants a grace`(fail: String) throws {
            let lab = try Lab(.init(fail: fail))
            defer { lab.remove() }
            let first = try lab.start()
            #expect(try lab.status().flows.grace == 0, "a first start has nothing to pick up: \(first.errors)")
            try killData(lab)
            // In closed the table was kept and nothing passed meanwhile; in open the kernel forwarded what nobody judged.
            try eventually("the grace to be what it should", within: 5) {
                try (lab.status().flows.grace > 0) == (fail == "open")
            }
            #expect(first.errors.contains("passed unjudged") == (fail == "open"))
            let data = try lab.status().process("data").pid
            kill(first.pid, SIGKILL)
            kill(data, SIGKILL)
            try first.waitForEnd(within: 5)
            let second = try lab.start()
            try eventually("a grace", within: 5) { try lab.status().flows.grace > 0 }
            #expect(second.errors.contains("an earlier run's flow tables are lost"))
        }

        @Test func `a port that was taken down by a keeper that died with data comes up again`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            for port in ["p0", "p1"] {
                try Command.run("ip", "-n", lab.appliance.name, "link", "set", port, "promisc", "off")
            }
            let first = try lab.start()
            let data = try lab.status().process("data").pid
            try lab.web.interface.set(up: false)
            try eventually("no link at the other side", within: 3) { try !lab.db.interface.hasLink() }
            kill(first.pid, SIGKILL)
            kill(data, SIGKILL)
            try first.waitForEnd(within: 5)
            try lab.web.interface.set(up: true)
            let second = try lab.start()
            try eventually("a link at the other side", within: 5) { try lab.db.interface.hasLink() }
            try second.end()
            for port in ["p0", "p1"] {
                let shown = try Command.run("ip", "-n", lab.appliance.name, "-d", "link", "show", "dev", port)
                #expect(shown.contains("promiscuity 0"), "\(shown)")
            }
        }
    }
}
