// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension SystemTests {
    /// Nothing that was decided is missing: what is in the store and what is in a loss counter is what the workers counted. `scripts/soak
    /// records` sets `BULKHEAD_RECORDS_SECONDS` for longer.
    @Suite struct Sums {
        private static let seconds = ProcessInfo.processInfo.environment["BULKHEAD_RECORDS_SECONDS"].flatMap(Double.init) ?? 6
        private static let floodPort = 5434
        private static let rules = [
            "{action: deny, mode: audit, from: {selector: 'app == \"web\"'}, services: [tcp/5432]}",
            "{action: allow, from: {selector: 'app == \"web\"'}, services: [tcp/5432, udp/5432]}",
            "{action: reject, from: {selector: 'app == \"web\"'}, services: [tcp/5435]}",
            "{action: allow, from: {}, services: [tcp/\(floodPort)]}",
        ]

        /// What the store holds of both kinds of decisions.
        private struct Stored {
            var admitted: UInt64 = 0
            var refused: UInt64 = 0
            var lost: UInt64 = 0
        }

        @Test func `every decision of mixed traffic is in the store or counted as lost`() throws {
            let records = "records: {interval: 1s, store: {events: 100000000}}"
            let lab = try Lab(.init(flowCapacity: 262_144, configuration: records, policy: Documents.set(ingress: Self.rules)))
            defer { lab.remove() }
            try lab.start()
            let server = try Companion(
                lab.db.namespace.command([
                    Requirement.traffic.appending(path: "connections.py").path, "serve", lab.db.ipv4, "\(Lab.allowedPort)",
                ]), in: lab.folder, name: "server")
            try server.waitForLine("listening", within: 10)
            let end = Date().addingTimeInterval(Self.seconds)
            var rounds = 0
            repeat {
                try lab.attempt(port: Lab.allowedPort, count: 20)
                try lab.attempt(port: Lab.deniedPort, count: 2)
                try lab.attempt(port: 5435, count: 5)
                try lab.scan(ports: 10_000..<13_000, rate: 5000)
                // Refusals that were to be told as a number within a second end with the worker.
                if rounds == 1 {
                    let data = try lab.status().process("data").pid
                    try lab.scan(ports: 13_000..<13_500, rate: 5000)
                    kill(data, SIGKILL)
                    try lab.waitForRestart(of: "data", after: data, within: 5)
                }
                // Nobody drains meanwhile: what the ring does not take is lost, and counted.
                try flood(lab, stops: rounds % 4 == 0)
                rounds += 1
            } while end.timeIntervalSinceNow > 0
            try server.end()
            try compare(lab, rounds)
        }

        /// SYNs from everywhere as fast as they go, for a second.
        private func flood(_ lab: Lab, stops: Bool) throws {
            let control = try lab.status().process("control").pid
            if stops { kill(control, SIGSTOP) }
            defer { if stops { kill(control, SIGCONT) } }
            try Command.run(
                lab.web.namespace.command([
                    Requirement.traffic.appending(path: "flood.py").path, "send", "eth0", "02:00:00:00:00:15", lab.db.ipv4,
                    "\(Self.floodPort)", "0", "1", "32768",
                ]))
        }

        /// Holds the store against the counters, once nothing is under way any more.
        private func compare(_ lab: Lab, _ rounds: Int) throws {
            // What was refused is told within a second, when the worker wakes up.
            pause(2.5)
            var stored = Stored()
            try eventually("sums of \(Self.seconds) s", within: 60, every: 1) {
                let before = try lab.quietStatus().records?.taken
                stored = try sums(lab)
                let status = try lab.status()
                return status.records?.taken == before && stored.admitted + losses(status).admitted == status.flows.admitted
            }
            let status = try lab.status()
            let lost = losses(status)
            #expect(stored.admitted + lost.admitted == status.flows.admitted)
            #expect(stored.refused + lost.refused == status.flows.refused)
            #expect(stored.refused + lost.refused > UInt64(rounds) * 3000 && stored.admitted > UInt64(rounds) * 20)
            let worker = try #require(status.records?.lost.first { $0.place == "worker" })
            #expect(worker.records > 0 && worker.admitted > 0, "the ring was never full")
            #expect(rounds < 2 || worker.refused > 0, "the worker that was killed had nothing left to tell")
            #expect(stored.lost == worker.records, "the store's own count of lost records")
            let audited = try lab.flows("--audit", "deny", "--decision", "allow", "--last", "20")
            #expect(audited.count == 20 && audited.allSatisfy { $0.destination.port == Lab.allowedPort }, "\(audited)")
            figure(
                "sums",
                "\(status.flows.admitted) admitted = \(stored.admitted) stored + \(lost.admitted) lost; \(status.flows.refused) refused = "
                    + "\(stored.refused) stored + \(lost.refused) lost; \(worker.records) records lost by the worker")
        }

        /// What all places lost.
        private func losses(_ status: Status) -> Stored {
            (status.records?.lost ?? []).reduce(into: Stored()) {
                $0.admitted += $1.admitted
                $0.refused += $1.refused
                $0.lost += $1.records
            }
        }

        /// Counts the rows of the store. A record lies in its row as it is, and `sqlite3` is not on every machine: Python reads it.
        private func sums(_ lab: Lab) throws -> Stored {
            let program = Requirement.traffic.appending(path: "stored.py").path
            let text = try Command.run([program, lab.folder.appending(path: "state/flows.db").path])
            struct Counted: Decodable { let admitted, refused, lost: UInt64 }
            let counted = try JSONDecoder().decode(Counted.self, from: Data(text.utf8))
            return Stored(admitted: counted.admitted, refused: counted.refused, lost: counted.lost)
        }
    }
}
