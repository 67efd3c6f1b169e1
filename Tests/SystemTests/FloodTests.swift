// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension SystemTests {
    /// Opening frames from random sources through real ports, at half of the rate that the appliance sustains, beside connections that live and
    /// requests that are asked. `BULKHEAD_FLOOD_FRAMES` says how many frames; it makes the table as large as it is to be proved for, looks for
    /// the rate as long as its definition asks, and has the times judged. Without it one short flood shows what can be lost.
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
            let rate = try sustainedRate(lab, capacity) / 2
            // What is touched until the waiting share was full once, and the ring of events went round, is not a leak.
            for _ in 0..<10 where try lab.status().flows.evicted ?? 0 < 20_000 { _ = try flood(lab, rate: rate, 2, capacity) }
            _ = try drained(lab, capacity)
            // From here on counters do not rest: a connection asks every hundredth of a second.
            let held = try program(
                lab, ["hold", lab.db.ipv4, "\(Lab.allowedPort)", "\(Self.connections)"], at: lab.web, "hold", "holding")
            // Nobody answers the flood: the frames of the other port's ring are touched by what answers requests.
            for _ in 0..<60 where try lab.status().port("p1").forwarded < 10_000 { _ = try ask(lab, 1) }
            let memory = try residentMemory(lab)
            var (calm, flooded): ([Double], [Double]) = ([], [])
            var sent = 0
            let rounds = Self.frames == nil ? 1 : 3
            let seconds = Self.frames.map { Double($0) / rate / Double(rounds) } ?? 2
            var recovery = 0.0
            for _ in 0..<rounds {
                calm.append(try ask(lab, Self.frames == nil ? 1 : 4).median)
                let flood = try startFlood(lab, rate: Int(rate), seconds: seconds + 1, capacity)
                let asked = try ask(lab, seconds)
                #expect(asked.failed == 0, "\(asked.failed) of \(asked.asked) requests failed")
                flooded.append(asked.median)
                sent += try flood.outcome().sent
                recovery = max(recovery, try drained(lab, capacity))
            }
            let now = try residentMemory(lab)
            let (grown, touched) = (now.own - memory.own, now.files - memory.files)
            let after = try ask(lab, 1)
            #expect(after.failed == 0)
            let ended: Held = try lastLine(of: held.end(within: 60))
            #expect(ended.alive == Self.connections, "\(ended.lost) connections lost")
            #expect(ended.failed == 0, "\(ended.failed) of \(ended.asked) answers failed on live connections")
            try server.end()
            let usual = calm.sorted()[rounds / 2]
            let ratio = flooded.sorted()[rounds / 2] / usual
            let status = try lab.quietStatus()
            figure("flood", "\(sent) SYNs at \(Int(rate)) a second, \(status.flows.evicted ?? 0) gave way")
            let times = [calm, flooded].map { $0.map { ($0 * 1000).short }.joined(separator: ", ") }
            figure("flood: a request in ms", "without \(times[0]); with \(times[1])")
            figure(
                "flood: memory",
                "grew by \(grown) KiB, and \(touched) KiB of its files were touched first; drained after \((recovery / 1000).short) s"
            )
            // Half a MiB is the allocator's and the runtime's own. Files have the length that they were reserved with at the start.
            #expect(grown < 512)
            #expect(status.dropped("flowTableFull") == 0)
            guard let frames = Self.frames else { return }
            #expect(sent >= frames, "the sender made \(sent) frames")
            #expect(ratio <= 2, "a request takes \(ratio.short) times as long")
            #expect(after.median <= 2 * usual, "behind the flood a request takes \((after.median / usual).short) times as long")
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
            let asked: Int
            let failed: Int
        }
        private struct Sent: Decodable {
            let sent: Int
            let seconds: Double
        }
        /// What became of a flood.
        private struct Crossed {
            let sent: Double
            let forwarded: Double
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

        /// A flood of so many SYNs a second, and how many were sent and crossed.
        private func flood(_ lab: Lab, rate: Double, _ seconds: Double, _ capacity: Int) throws -> Crossed {
            let before = try lab.quietStatus().port("p0").forwarded
            let sent = try startFlood(lab, rate: Int(rate), seconds: seconds, capacity).outcome()
            let forwarded = try lab.quietStatus().port("p0").forwarded - before
            return Crossed(sent: Double(sent.sent), forwarded: Double(forwarded), seconds: sent.seconds)
        }

        /// The highest rate of SYNs at which at most a thousandth is lost in ten seconds, found by halving to 2 % below what crosses when as
        /// many are offered as the sender makes. In the short form that itself.
        private func sustainedRate(_ lab: Lab, _ capacity: Int) throws -> Double {
            let most = try flood(lab, rate: 0, 2, capacity)
            let top = most.forwarded / most.seconds
            guard Self.frames != nil else { return top }
            var (low, high, rate) = (0.0, top, top)
            while high - low > 0.02 * top {
                let found = try flood(lab, rate: rate, 10, capacity)
                // A sender that falls behind has not offered the rate.
                figure("flood: at \(Int(rate)) a second", "\(Int(found.sent)) sent, \(Int(found.forwarded)) crossed")
                let isHeld = found.forwarded >= 0.999 * found.sent && found.sent >= 0.98 * rate * found.seconds
                if isHeld { low = rate } else { high = rate }
                rate = (low + high) / 2
            }
            guard low > 0 else {
                figure("flood: sustained", "no rate; \(Int(top)) that cross at most stand for it")
                return top
            }
            figure("flood: sustained", "\(Int(low)) SYNs a second of \(Int(top)) that cross at most")
            return low
        }

        /// How long it takes, in milliseconds, until half of the waiting share is free.
        private func drained(_ lab: Lab, _ capacity: Int) throws -> Double {
            try eventually("half of the waiting share free", within: 10, every: 0.1) { try waiting(lab) <= UInt64(capacity / 8) }
        }

        private func ask(_ lab: Lab, _ seconds: Double) throws -> Asked {
            let file = Requirement.traffic.appending(path: "flood.py").path
            return try lastLine(
                of: Command.run(lab.web.namespace.command([file, "ask", lab.db.ipv4, "\(Lab.allowedPort)", "\(seconds)"])))
        }

        private func waiting(_ lab: Lab) throws -> UInt64 { try lab.status().flows.waiting ?? 0 }

        /// What the data process keeps in memory of its own, and what it has touched so far of files that are as long as they will ever
        /// be, both in KiB (proc(5): `RssAnon`; `RssShmem` of `status`).
        private func residentMemory(_ lab: Lab) throws -> (own: Int, files: Int) {
            let pid = try lab.status().process("data").pid
            let lines = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8).split(separator: "\n")
            func field(_ name: String) throws -> Int {
                let words = try #require(lines.first { $0.hasPrefix("\(name):") }).split(whereSeparator: \.isWhitespace)
                return try #require(Int(words[1]))
            }
            return (try field("RssAnon"), try field("RssShmem"))
        }
    }
}

/// What a program printed last, decoded.
private func lastLine<Outcome: Decodable>(of output: String) throws -> Outcome {
    let line = output.split(separator: "\n").last.map(String.init) ?? ""
    return try JSONDecoder().decode(Outcome.self, from: Data(line.utf8))
}
