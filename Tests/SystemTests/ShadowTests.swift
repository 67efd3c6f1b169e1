// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// A change that is rehearsed on real traffic before it bites.
    @Suite struct Shadowing {
        private static let otherPort = 5434
        /// Openings a second, and seconds.
        private static let (floodRate, floodSeconds) = (50_000, 2)

        @Test func `what a candidate would cut is named, nothing is cut, and applied it cuts just that`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.writePolicy(ports: [Lab.allowedPort, Self.otherPort])
            try lab.start()
            let servers = try [Lab.allowedPort, Self.otherPort].map { try web(lab, $0) }
            defer { for server in servers { _ = try? server.end() } }
            let stream = try Stream(lab, from: lab.web, to: lab.db, rate: 1000)
            try eventually("the stream's start", within: 20) { try !lab.flows("--event", "start", "--protocol", "udp").isEmpty }
            let candidate = try candidate(lab) { $0.replacing("tcp/\(Lab.allowedPort), udp/\(Lab.allowedPort), ", with: "") }
            let begun = try lab.bulkhead("policy", "shadow", "start", candidate, "--for", "10m").expectSuccess()
            #expect(begun.output.contains("tcp/\(Lab.allowedPort)") && begun.output.contains("nothing is cut"), "\(begun.output)")
            for port in [Lab.allowedPort, Self.otherPort] {
                for _ in 0..<5 { #expect(try fetch(lab, port) == "200") }
            }
            let report = try settled(lab, judged: 10)
            #expect(report.rows.count == 1 && report.counts.closes == 5 && report.counts.opens == 0, "\(report)")
            let row = try #require(report.rows.first)
            #expect(row.service == "tcp/\(Lab.allowedPort)" && row.connections == 5 && row.old == "allow" && row.new == "deny")
            #expect(row.source.seen == ["shop/web-1"] && row.destination.seen == ["shop/db-1"])
            #expect(row.example.cause?.rule == "from-web" && row.example.candidate?.cause?.end == "tier")
            #expect(row.example.candidate?.cause?.nearest.first?.policy == "shop/db")
            #expect(report.lost.values.allSatisfy { $0 == 0 }, "\(report.lost)")
            let told = try lab.bulkhead("policy", "shadow", "report").expectSuccess().output
            #expect(told.contains("allow -> deny  shop app=web -> shop app=db, tcp/\(Lab.allowedPort): 5 connections"), "\(told)")
            #expect(try lab.status().conditions?.contains { $0.name == "candidate" } == true)
            let metrics = try lab.metrics()
            #expect(metrics.contains("bulkhead_shadow_connections_total{effect=\"closes\"} 5\n"))
            let arrivals = try stream.finish()
            #expect(arrivals.lost == 0, "\(arrivals.summary)")
            try lab.bulkhead("policy", "apply", candidate).expectSuccess()
            #expect(try fetch(lab, Lab.allowedPort) == "000" && fetch(lab, Self.otherPort) == "200")
            try eventually("the end of the run", within: 10) { try settled(lab, judged: 10).state == "ended" }
        }

        @Test func `a storm of starts delays no frame, and what is not judged is counted`() throws {
            let rules = [
                "{name: from-web, action: allow, from: {selector: 'app == \"web\"'}, services: [udp/5432]}",
                "{name: flood, action: allow, from: {}, services: [tcp/\(Self.otherPort)]}",
            ]
            let lab = try Lab(.init(flowCapacity: 1 << 19, policy: Documents.set(ingress: rules)))
            defer { lab.remove() }
            try lab.start()
            let candidate = try candidate(lab) { $0.replacing("name: flood, action: allow", with: "name: flood, action: deny") }
            var before: UInt64 = 0
            // A kernel's own word now and then must not fall between the count and the run's begin.
            try eventually("a begin in peace", within: 30) {
                _ = try lab.bulkhead("policy", "shadow", "stop")
                before = try lab.quietFlows()
                try lab.bulkhead("policy", "shadow", "start", candidate).expectSuccess()
                return try lab.quietFlows() == before
            }
            let stream = try Stream(lab, from: lab.web, to: lab.db, rate: 2000)
            let sent = try Command.run(
                lab.web.namespace.command([
                    Requirement.traffic.appending(path: "flood.py").path, "send", "eth0", "02:00:00:00:00:15", lab.db.ipv4,
                    "\(Self.otherPort)", "\(Self.floodRate)", "\(Self.floodSeconds)", "\(Self.floodRate * Self.floodSeconds)",
                ]))
            let arrivals = try stream.finish()
            pause(2)
            var report = try settled(lab, judged: 1)
            var decided: UInt64 = 0
            try eventually("every start judged or counted", within: 60, every: 0.5) {
                decided = try lab.quietFlows() - before
                report = try settled(lab, judged: 1)
                return report.known == decided
            }
            let ticks = try lab.shadowTicks()
            #expect(arrivals.lost == 0, "\(arrivals.summary)")
            #expect(report.known == decided && report.counts.closes > 1000 && report.rowCount >= 1)
            figure(
                "shadowed storm",
                "\(sent.split(separator: "\n").last ?? ""): \(decided) decided = \(report.counts.judged) judged + "
                    + "\(report.counts.unjudged) not policy's + \(report.counts.untold) told as a number + \(report.lost) lost; "
                    + "\(ticks * 10) ms of the judge; \(arrivals.summary)"
            )
        }

        private func web(_ lab: Lab, _ port: Int) throws -> Companion {
            let server = try Companion(
                lab.db.namespace.command([
                    "python3", "-u", "-m", "http.server", "\(port)", "--bind", lab.db.ipv4, "--directory", lab.folder.path,
                ]), in: lab.folder, name: "http-\(port)")
            try eventually("a web server", within: 20) { server.output.contains("Serving HTTP") }
            return server
        }

        /// What web gets from db's server: an HTTP status, 000 where none comes.
        private func fetch(_ lab: Lab, _ port: Int) throws -> String {
            try Command.attempt(
                lab.web.namespace.command([
                    "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "2", "http://\(lab.db.ipv4):\(port)/",
                ])
            ).output
        }

        /// A file of the policy that the lab was started with, changed.
        private func candidate(_ lab: Lab, _ change: (String) -> String) throws -> String {
            let text = try String(contentsOf: lab.folder.appending(path: "policy.yaml"), encoding: .utf8)
            let file = lab.folder.appending(path: "candidate.yaml")
            try change(text).write(to: file, atomically: true, encoding: .utf8)
            return file.path
        }

        /// The report, once so many connections were judged.
        private func settled(_ lab: Lab, judged: UInt64) throws -> ShadowSeen {
            var report: ShadowSeen?
            try eventually("\(judged) judged", within: 20, every: 0.1) {
                let text = try lab.bulkhead("policy", "shadow", "report", "--json").expectSuccess().output
                report = try JSONDecoder().decode(ShadowSeen.self, from: Data(text.utf8))
                return report?.counts.judged ?? 0 >= judged
            }
            return try #require(report)
        }
    }
}

extension Lab {
    /// Connections that workers have decided.
    fileprivate func quietFlows() throws -> UInt64 {
        let flows = try quietStatus().flows
        return flows.admitted + flows.refused
    }

    /// CPU time of the thread that judges, in hundredths of a second; 0 where it has another name.
    fileprivate func shadowTicks() throws -> Int {
        let tasks = "/proc/\(try status().process("control").pid)/task"
        for task in try FileManager.default.contentsOfDirectory(atPath: tasks) {
            guard let line = try? String(contentsOfFile: "\(tasks)/\(task)/stat", encoding: .utf8), line.contains("(shadow)")
            else {
                continue
            }
            let fields = line.split(separator: ")").last?.split(separator: " ") ?? []
            return fields.count > 12 ? (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0) : 0
        }
        return 0
    }

    /// What Prometheus would scrape.
    fileprivate func metrics() throws -> String {
        try Command.run("curl", "-s", "--unix-socket", socket, "http://bulkhead/metrics")
    }
}

/// `bulkhead policy shadow report --json`, as far as tests read it.
private struct ShadowSeen: Decodable {
    struct Counts: Decodable { let judged, same, closes, opens, unjudged, untold: UInt64 }
    struct End: Decodable { let seen: [String] }
    struct Example: Decodable {
        struct Cause: Decodable {
            struct Near: Decodable { let policy: String }
            let rule, end: String?
            let nearest: [Near]
        }
        struct Candidate: Decodable { let cause: Cause? }
        let cause: Cause?
        let candidate: Candidate?
    }
    struct Row: Decodable {
        let source, destination: End
        let service, old, new: String
        let connections: UInt64
        let example: Example
    }
    let state: String
    let counts: Counts
    let lost: [String: UInt64]
    let rowCount: Int
    let rows: [Row]

    /// Connections of which the report says something, if only that they were lost.
    var known: UInt64 {
        counts.judged + counts.unjudged + counts.untold + (lost["worker"] ?? 0) + (lost["queue"] ?? 0)
    }
}
