// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// What being observed costs the frames. Everything that observes is on at once: records of starts, ends and of each live flow every
    /// second, kept in the store and in a file and followed by a reader; a policy in audit over every flow; a candidate in its shadow; a
    /// capture with a filter; metrics scraped and hits asked for each second.
    @Suite struct SeeLoad {
        /// Pairs of runs, and seconds of traffic in each run.
        private static let pairs = LoadTraffic.number("BULKHEAD_SEE_PAIRS", otherwise: 0)
        private let seconds = LoadTraffic.number("BULKHEAD_SEE_SECONDS", otherwise: 25)
        /// Of the flows so many end each second, and others begin.
        private static let newShare = 0.1

        private static let audit = """
            ---
            apiVersion: bulkhead/v1
            kind: Policy
            metadata: {name: tried, namespace: shop}
            spec:
              mode: audit
              order: 1
              subject: {selector: 'app == "load"'}
              rules: [{action: deny, from: {selector: 'app == "load"'}, services: [udp/5432]}]

            """
        private static let everything = "records: {interval: 1s, file: {path: logs/flows.jsonl, megabytes: 64, keep: 2}}\n"
        private static let nothing = "records: {interval: never, store: {events: 0}}\n"

        @Test(.enabled(if: pairs > 0, "a comparison of ten runs: scripts/soak see --load"))
        func `being observed by everything at once loses no frame at half the sustained rate`() throws {
            let lab = try lab()
            defer { lab.remove() }
            try LoadTraffic.beside {
                let traffic = LoadTraffic(lab: lab)
                let rate = try unobserved(lab) { try traffic.halfOfSustained() }
                try LoadPairs(Self.pairs) { isObserved in
                    if isObserved { return try observed(traffic, rate: rate, seconds: seconds) }
                    return try unobserved(lab) {
                        try LoadRun.measure(traffic, rate: rate, seconds: seconds, newShare: Self.newShare)
                    }
                }.judge()
            }
        }

        @Test func `everything that observes is on at once, and no frame is lost`() throws {
            let lab = try lab()
            defer { lab.remove() }
            // A rate at which a worker on a machine that does other things too is not late by its ring.
            let run = try observed(LoadTraffic(lab: lab), rate: 20_000, seconds: 3)
            figure("observed", run.summary)
            #expect(run.traffic.lost == 0)
        }

        /// An appliance whose processes have all processors but the generator's; nothing runs yet.
        private func lab() throws -> Lab {
            let lab = try Lab(
                .init(flows: ", timeouts: {udp-one-sided: 1s}", policy: "", launcher: ["taskset", "-c", LoadTraffic.processors]))
            let logs = lab.folder.appending(path: "logs")
            try FileManager.default.createDirectory(at: logs, withIntermediateDirectories: true)
            try lab.write(LoadTraffic.policy.replacing("services: [any]", with: "services: [udp/1]"), to: "candidate.yaml")
            return lab
        }

        /// What `body` answers while a daemon runs that tells as little as can be.
        private func unobserved<Answer>(_ lab: Lab, _ body: () throws -> Answer) throws -> Answer {
            try lab.writeConfiguration(Self.nothing)
            try lab.write(LoadTraffic.policy)
            let daemon = try lab.start()
            let answer = try body()
            try daemon.end()
            return answer
        }

        /// A run while everything looks on, each part of which must have seen something.
        private func observed(_ traffic: LoadTraffic, rate: Int, seconds: Int) throws -> LoadRun {
            let lab = traffic.lab
            try lab.writeConfiguration(Self.everything)
            try lab.write(LoadTraffic.policy + Self.audit)
            let daemon = try lab.start()
            try lab.bulkhead("policy", "shadow", "start", "\(lab.folder.path)/candidate.yaml", "--for", "10m").expectSuccess()
            let watchers = try Watchers(lab, seconds: seconds + 5)
            pause(1)
            var run = try LoadRun.measure(traffic, rate: rate, seconds: seconds, newShare: Self.newShare)
            let seen = try watchers.finish()
            run.notes.append(seen.summary)
            #expect(seen.followed > seconds * LoadTraffic.flows / 4, "\(seen)")
            #expect(seen.scrapes >= seconds / 2 && seen.packets > 0, "\(seen)")
            try expectSeen(lab)
            let status = try lab.status()
            let lost = status.records?.lost.reduce(0) { $0 + $1.records } ?? 0
            run.notes.append("\(status.records?.taken ?? 0) records, \(lost) of them lost")
            #expect(try status.process("control").restarts == 0 && status.process("data").restarts == 0)
            try daemon.end()
            return run
        }

        /// The store, the file, audit, hits and the candidate know of the flows.
        private func expectSeen(_ lab: Lab) throws {
            struct Report: Decodable {
                struct Counts: Decodable { let judged, closes: UInt64 }
                let counts: Counts
            }
            let report = try lab.bulkhead("policy", "shadow", "report", "--json").expectSuccess().output
            let counts = try JSONDecoder().decode(Report.self, from: Data(report.utf8)).counts
            #expect(counts.closes >= UInt64(LoadTraffic.flows) / 2, "\(counts)")
            // What audit says stands in the record of the decision.
            for conditions in [["start", "--audit", "deny"], ["update"], ["end"]] {
                let found = try lab.bulkhead(["flows", "--json", "--last", "5", "--event"] + conditions)
                #expect(found.output.split(separator: "\n").count == 5, "\(conditions): \(found)")
            }
            let file = try FileManager.default.attributesOfItem(atPath: lab.folder.path + "/logs/flows.jsonl")
            #expect(file[.size] as? Int ?? 0 > 0)
        }

        /// Those who ask all the while.
        private struct Watchers {
            /// What they came to.
            struct Seen {
                let followed, scrapes, packets: Int
                var summary: String { "\(followed) events followed, \(scrapes) scrapes, \(packets) packets captured" }
            }

            let follower, scraper, capture: Companion

            init(_ lab: Lab, seconds: Int) throws {
                func watch(_ name: String, _ script: String) throws -> Companion {
                    try Companion(
                        ["taskset", "-c", LoadTraffic.clientProcessors, "sh", "-c", script], in: lab.folder,
                        name: "\(name)-\(UInt32.random(in: .min ... .max))")
                }
                let (binary, socket) = ("'\(Requirement.binary)'", "--socket '\(lab.socket)'")
                follower = try watch("follow", "timeout \(seconds) \(binary) flows --follow --json \(socket) | wc -l")
                let page = "curl -sS --fail --unix-socket '\(lab.socket)' -o /dev/null http://bulkhead/metrics"
                let hits = "\(binary) policy hits --json \(socket) > /dev/null"
                let round = "while \(page) && \(hits); do echo; sleep 1; done"
                scraper = try watch("scrape", "timeout \(seconds) sh -c \"\(round)\" | wc -l")
                // Flows of the first ten seconds, and of the next ten: the others are looked at and not taken.
                let filter = "--ip 198.18.39.0/28 --ip 198.18.78.0/28"
                capture = try watch(
                    "capture",
                    "\(binary) capture \(socket) --json \(filter) --for \(seconds)s --output '\(lab.folder.path)/seen.pcapng'")
            }

            func finish() throws -> Seen {
                for watcher in [follower, scraper, capture] {
                    let code = try watcher.waitForEnd(within: 20)
                    #expect(code == 0 && watcher.errors.isEmpty, "\(watcher.errors)")
                }
                struct Summary: Decodable { let packets: Int }
                return Seen(
                    followed: Int(follower.output.trimmed) ?? 0, scrapes: Int(scraper.output.trimmed) ?? 0,
                    packets: try JSONDecoder().decode(Summary.self, from: Data(capture.output.utf8)).packets)
            }
        }
    }
}

extension String {
    /// Without what is blank around it.
    fileprivate var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
