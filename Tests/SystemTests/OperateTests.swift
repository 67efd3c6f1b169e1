// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// What operators and their programs do to the daemon while frames pass. `scripts/soak operate` runs the same for longer.
    @Suite struct Operate {
        /// Seconds that each storm lasts.
        private let seconds = ProcessInfo.processInfo.environment["BULKHEAD_OPERATE_SECONDS"].flatMap(Double.init) ?? 5

        @Test func `ten reloads a second cost no frame`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            let run = try lab.start()
            let stream = try Stream(lab, from: lab.web, to: lab.db, rate: 5000)
            let before = try lab.status().generation
            let end = Date().addingTimeInterval(seconds)
            var reloads = 0
            while end.timeIntervalSinceNow > 0 {
                // Every other one brings another policy.
                try lab.writePolicy(ports: reloads % 2 == 0 ? [Lab.allowedPort, Lab.deniedPort] : [Lab.allowedPort])
                kill(run.pid, SIGHUP)
                reloads += 1
                pause(0.1)
            }
            pause(1)
            let arrivals = try stream.finish()
            let status = try lab.status()
            #expect(arrivals.lost == 0 && arrivals.duplicated == 0, "\(arrivals.summary)")
            #expect(status.generation > before + 1)
            #expect(try status.process("control").restarts == 0)
            figure("reload storm", "\(reloads) reloads, \(status.generation - before) generations; \(arrivals.summary)")
        }

        @Test func `clients that say half and wait keep nobody else from asking`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.start()
            let stream = try Stream(lab, from: lab.web, to: lab.db, rate: 5000)
            let idle = try Companion(
                [Requirement.traffic.appending(path: "clients.py").path, "stall", lab.socket, "48"], in: lab.folder, name: "stall"
            )
            try idle.waitForLine("stalled", within: 20)
            let end = Date().addingTimeInterval(seconds)
            var (asked, slowest) = (0, 0.0)
            while end.timeIntervalSinceNow > 0 {
                let began = Moment.now
                _ = try lab.status()
                slowest = max(slowest, Moment.now.milliseconds(since: began))
                asked += 1
            }
            try idle.end()
            let arrivals = try stream.finish()
            #expect(arrivals.lost == 0 && slowest < 5000)
            #expect(try lab.status().process("control").restarts == 0)
            figure("48 stalled clients", "\(asked) times status, the slowest \(slowest.short) ms; \(arrivals.summary)")
        }

        @Test func `a full disk refuses changes with its reason, and room takes them again`() throws {
            let lab = try Lab()
            let state = lab.folder.appending(path: "state")
            try FileManager.default.createDirectory(at: state, withIntermediateDirectories: true)
            try Command.run("mount", "-t", "tmpfs", "-o", "size=1m", "bulkhead-lab", state.path)
            defer {
                for pid in lab.appliance.processes { kill(pid, SIGKILL) }
                pause(0.2)
                _ = try? Command.attempt(["umount", "-l", state.path])
                lab.remove()
            }
            try lab.start()
            let stream = try Stream(lab, from: lab.web, to: lab.db, rate: 2000)
            let ballast = state.appending(path: "ballast")
            _ = try Command.attempt(["dd", "if=/dev/zero", "of=\(ballast.path)", "bs=4k", "status=none"])
            let refused = try lab.bulkhead("policy", "apply", try lab.locked(), "--reason", String(repeating: "why ", count: 200))
            #expect(refused.code == 1 && refused.errors.contains("state.db"), "\(refused.errors)")
            #expect(try lab.status().generation == 1)
            #expect(try lab.bulkhead("workload", "add", "--name", "shop/x", "--address", "10.9.0.99").code == 1)
            try FileManager.default.removeItem(at: ballast)
            try lab.bulkhead("workload", "add", "--name", "shop/x", "--address", "10.9.0.99").expectSuccess()
            try lab.bulkhead("policy", "apply", try lab.locked(), "--confirm", "1s").expectSuccess()
            try eventually("the old policy", within: 5) { try lab.status().policy?.revision == 1 }
            // Whatever came of the changes, frames go by what is in force: half a second's worth behind the last of them.
            let before = Moment.now
            pause(1)
            #expect(try stream.finish().frames.count { $0.arrived > before } > 500)
        }

        @Test func `a dry run names the live connections that the set would cut, and cuts none of them`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.start()
            try lab.writePolicy(ports: [Lab.allowedPort, Lab.deniedPort])
            let file = lab.folder.appending(path: "policy.yaml").path
            try lab.bulkhead("policy", "apply", file).expectSuccess()
            let live = try LiveConnections(lab, count: 8, ports: [Lab.allowedPort, Lab.deniedPort])
            try lab.writePolicy(ports: [Lab.allowedPort])
            struct Answer: Decodable {
                struct Cut: Decodable { let source, destination, service, sourceWorkload, destinationWorkload, new: String }
                let flowsCut, flowsKnown, flowsLive: Int
                let cuts: [Cut]
            }
            var answer: Answer?
            // The drain is some milliseconds behind.
            try eventually("all connections", within: 5, every: 0.1) {
                let text = try lab.bulkhead("policy", "apply", file, "--dry-run", "--json").expectSuccess().output
                answer = try JSONDecoder().decode(Answer.self, from: Data(text.utf8))
                return answer?.flowsKnown ?? 0 >= 8
            }
            let told = try #require(answer)
            #expect(told.flowsCut == 4 && told.cuts.count == 4 && told.flowsLive >= 8)
            #expect(
                told.cuts.allSatisfy {
                    $0.destination == "\(lab.db.ipv4):\(Lab.deniedPort)" && $0.source.hasPrefix("\(lab.web.ipv4):")
                        && $0.service == "tcp/\(Lab.deniedPort)" && $0.sourceWorkload == "shop/web-1"
                        && $0.destinationWorkload == "shop/db-1" && $0.new == "deny"
                }, "\(told)")
            let census = try live.census()
            #expect(census.allSatisfy { $0.open == 4 && $0.answered == 4 && $0.broken == 0 }, "\(census)")
            try live.end()
        }

        @Test func `registrations of known label sets are in force within a millisecond`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.start()
            let count = ProcessInfo.processInfo.environment["BULKHEAD_OPERATE_WORKLOADS"].flatMap(Int.init) ?? 2000
            var text = ""
            for number in 0..<count {
                text += """
                    ---
                    apiVersion: bulkhead/v1
                    kind: Workload
                    metadata: {namespace: shop, name: w-\(number), labels: {app: web}}
                    spec: {addresses: [10.\(100 + number / 65536).\(number / 256 % 256).\(number % 256)]}

                    """
            }
            let file = lab.folder.appending(path: "many.yaml")
            try text.write(to: file, atomically: true, encoding: .utf8)
            try lab.bulkhead("workload", "add", file.path).expectSuccess()
            let generation = try lab.status().generation
            struct Answer: Decodable { let microseconds: Int }
            var took: [Int] = []
            for number in 0..<100 {
                let answer = try lab.bulkhead(
                    "workload", "add", "--name", "shop/moving", "--address", "10.99.0.\(number + 1)", "--label", "app=web",
                    "--json"
                ).expectSuccess()
                took.append(try JSONDecoder().decode(Answer.self, from: Data(answer.output.utf8)).microseconds)
            }
            took.sort()
            #expect(try lab.status().generation == generation)
            #expect(took[50] < 1000, "\(took)")
            figure(
                "moved beside \(count) workloads",
                "from acceptance to the slot: median \(took[50]) µs, p99 \(took[98]) µs, most \(took[99]) µs")
        }
    }
}
