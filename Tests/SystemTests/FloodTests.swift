// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension SystemTests {
    /// Opening frames from random sources through real ports, at half of what the appliance can take. `BULKHEAD_FLOOD_FRAMES` makes the
    /// floods longer and the table as large as it is to be proved for, and has the times judged.
    @Suite struct Floods {
        /// All frames of the long form.
        private static let frames = ProcessInfo.processInfo.environment["BULKHEAD_FLOOD_FRAMES"].flatMap { Int($0) }
        private static let connections = 1000
        private static let floodPort = 5433

        @Test func `a flood takes no connection, no memory and little time, and is forgotten within ten seconds`() throws {
            let capacity = Self.frames == nil ? 65_536 : 1 << 20
            let lab = try Lab(.init(flowCapacity: capacity, policy: Self.policy))
            defer { lab.remove() }
            try lab.start()
            let server = try program(lab, ["serve", lab.db.ipv4, "\(Lab.allowedPort)"], at: lab.db, "serve", "listening")
            let held = try program(
                lab, ["hold", lab.db.ipv4, "\(Lab.allowedPort)", "\(Self.connections)"], at: lab.web, "hold", "holding")
            var rate = try sustainedRate(lab, capacity) / 2
            // What is touched until the waiting share was full once, and the ring of events went round, is not a leak.
            for _ in 0..<10 where try lab.status().flows.evicted ?? 0 < 20_000 { rate = try sustainedRate(lab, capacity) / 2 }
            try eventually("waiting flows gone", within: 60, every: 0.5) { try waiting(lab) < 100 }
            let memory = try residentMemory(lab)
            var (calm, flooded): ([Double], [Double]) = ([], [])
            var sent = 0
            let seconds = Self.frames.map { Double($0) / rate / 3 } ?? 2
            for _ in 0..<3 {
                calm.append(try ask(lab, 2).median)
                let flood = try startFlood(lab, rate: Int(rate), seconds: seconds + 1, capacity)
                let asked = try ask(lab, seconds)
                #expect(asked.failed == 0, "\(asked.failed) of \(asked.asked) requests failed")
                flooded.append(asked.median)
                sent += try flood.outcome().sent
            }
            let grown = try residentMemory(lab) - memory
            let drained = try eventually("half of the waiting share free", within: 10, every: 0.1) {
                try waiting(lab) <= UInt64(capacity / 8)
            }
            let after = try ask(lab, 2)
            #expect(after.failed == 0)
            let ended: Held = try lastLine(of: held.end(within: 60))
            #expect(ended.alive == Self.connections, "\(ended.lost) connections lost")
            try server.end()
            let ratio = flooded.sorted()[1] / calm.sorted()[1]
            let status = try lab.quietStatus()
            figure("flood", "\(sent) SYNs at \(Int(rate)) a second, \(status.flows.evicted ?? 0) gave way")
            let times = [calm, flooded].map { $0.map { ($0 * 1000).short }.joined(separator: ", ") }
            figure("flood: a request in ms", "without \(times[0]); with \(times[1])")
            figure("flood: memory", "grew by \(grown) KiB; drained after \((drained / 1000).short) s")
            // Half a MiB is the allocator's and the runtime's own.
            #expect(grown < 512)
            #expect(status.dropped("flowTableFull") == 0)
            if Self.frames != nil { #expect(ratio <= 2, "a request takes \(ratio.short) times as long") }
        }

        /// What a flood's frame meets: db lets anybody in.
        private static let policy = """
            apiVersion: bulkhead/v1
            kind: Workload
            metadata: {name: db-1, namespace: shop, labels: {app: db}}
            spec: {addresses: [10.9.0.21]}
            ---
            apiVersion: bulkhead/v1
            kind: Policy
            metadata: {name: db, namespace: shop}
            spec:
              subject: {selector: 'app == "db"'}
              isolates: {ingress: all}
              rules:
                - {action: allow, from: {}, services: [tcp/\(Lab.allowedPort), tcp/\(floodPort)]}

            """

        private struct Asked: Decodable {
            let asked: Int
            let failed: Int
            let median: Double
        }
        private struct Held: Decodable {
            let alive: Int
            let lost: Int
        }
        private struct Sent: Decodable {
            let sent: Int
            let seconds: Double
        }
        /// A sender that ends by itself.
        private struct Sender {
            let companion: Companion
            func outcome() throws -> Sent {
                try companion.waitForEnd(within: 120)
                return try lastLine(of: companion.output)
            }
        }

        private func program(
            _ lab: Lab, _ arguments: [String], at workload: Lab.Workload, _ name: String, _ line: String
        ) throws -> Companion {
            let file = Requirement.traffic.appending(path: "flood.py").path
            let companion = try Companion(workload.namespace.command([file] + arguments), in: lab.folder, name: name)
            try companion.waitForLine(line, within: 60)
            return companion
        }

        private func startFlood(_ lab: Lab, rate: Int, seconds: Double, _ capacity: Int) throws -> Sender {
            Sender(
                companion: try program(
                    lab,
                    [
                        "send", "eth0", "02:00:00:00:00:15", lab.db.ipv4, "\(Self.floodPort)", "\(rate)", "\(seconds)",
                        "\(capacity / 2)",
                    ], at: lab.web, "flood-\(UInt32.random(in: .min ... .max))", "ready"))
        }

        /// How many SYNs a second cross when as many are offered as the sender can make.
        private func sustainedRate(_ lab: Lab, _ capacity: Int) throws -> Double {
            let before = try lab.quietStatus().port("p0").forwarded
            let sent = try startFlood(lab, rate: 0, seconds: 2, capacity).outcome()
            return Double(try lab.quietStatus().port("p0").forwarded - before) / sent.seconds
        }

        private func ask(_ lab: Lab, _ seconds: Double) throws -> Asked {
            let file = Requirement.traffic.appending(path: "flood.py").path
            return try lastLine(
                of: Command.run(lab.web.namespace.command([file, "ask", lab.db.ipv4, "\(Lab.allowedPort)", "\(seconds)"])))
        }

        private func waiting(_ lab: Lab) throws -> UInt64 { try lab.status().flows.waiting ?? 0 }

        /// What the data process keeps in memory, in KiB (proc(5): the second field of `statm`, in pages of 4 KiB).
        private func residentMemory(_ lab: Lab) throws -> Int {
            let pid = try lab.status().process("data").pid
            let fields = try String(contentsOfFile: "/proc/\(pid)/statm", encoding: .utf8).split(separator: " ")
            return (Int(fields[1]) ?? 0) * 4
        }
    }
}

/// What a program printed last, decoded.
private func lastLine<Outcome: Decodable>(of output: String) throws -> Outcome {
    let line = output.split(separator: "\n").last.map(String.init) ?? ""
    return try JSONDecoder().decode(Outcome.self, from: Data(line.utf8))
}
