// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension SystemTests {
    /// What questions and changes of workloads cost the frames: pairs of runs with and without, one after the other.
    @Suite(
        .enabled(
            if: ProcessInfo.processInfo.environment["BULKHEAD_OPERATE_PAIRS"] != nil,
            "a comparison of ten runs: scripts/soak operate --load"))
    struct OperateLoad {
        private static let policy = """
            apiVersion: bulkhead/v1
            kind: Workload
            metadata: {name: senders, namespace: shop, labels: {app: load}}
            spec: {addresses: [198.18.0.0/16]}
            ---
            apiVersion: bulkhead/v1
            kind: Workload
            metadata: {name: receivers, namespace: shop, labels: {app: load}}
            spec: {addresses: [198.19.0.0/16]}
            ---
            apiVersion: bulkhead/v1
            kind: Workload
            metadata: {name: first, namespace: shop, labels: {app: web}}
            spec: {addresses: [10.97.0.1]}
            ---
            apiVersion: bulkhead/v1
            kind: Policy
            metadata: {name: load, namespace: shop}
            spec:
              subject: {selector: 'app == "load"'}
              rules:
                - {action: allow, from: {selector: 'app == "load"'}, services: [any]}
                - {action: allow, to: {selector: 'app == "load"'}, services: [any]}

            """
        private static let (flows, rate, seconds) = (10_000, 200_000, 10)

        /// What a run came to.
        private struct Run {
            /// Frames sent and lost.
            var sent, lost: Int
            /// Nanoseconds of the data process for each frame, user and system.
            var cost: Double
            /// What the clients say of themselves.
            var clients: [Clients]
        }

        private struct Clients: Decodable {
            let asked: Int
            let answered: Int
            let refused: Int
            let slowest: Double
            enum CodingKeys: String, CodingKey {
                case asked, answered, refused
                case slowest = "slowest_ms"
            }
        }

        @Test func `a thousand questions and a hundred moves a second cost the frames nothing`() throws {
            let pairs = ProcessInfo.processInfo.environment["BULKHEAD_OPERATE_PAIRS"].flatMap(Int.init) ?? 1
            let lab = try Lab(.init(policy: Self.policy))
            defer { lab.remove() }
            try lab.start()
            var runs: [(quiet: Run, loaded: Run)] = []
            for number in 0..<pairs {
                let isFirstQuiet = number % 2 == 0
                let first = try run(lab, isLoaded: !isFirstQuiet)
                let second = try run(lab, isLoaded: isFirstQuiet)
                runs.append(isFirstQuiet ? (first, second) : (second, first))
                for (name, run) in [("quiet", runs[number].quiet), ("loaded", runs[number].loaded)] {
                    let clients = run.clients.map { "\($0.answered) of \($0.asked) answered, slowest \($0.slowest.short) ms" }
                    figure(
                        "pair \(number + 1), \(name)",
                        "\(run.sent) sent, \(run.lost) lost, \(run.cost.short) ns of data a frame"
                            + (clients.isEmpty ? "" : "; " + clients.joined(separator: "; ")))
                }
            }
            let quiet = runs.map(\.quiet.cost).sorted()[pairs / 2]
            let loaded = runs.map(\.loaded.cost).sorted()[pairs / 2]
            figure("median of \(pairs) pairs", "\(quiet.short) ns a frame without, \(loaded.short) ns with load")
            #expect(runs.allSatisfy { $0.loaded.clients.allSatisfy { $0.refused == 0 } })
            #expect(try lab.status().process("control").restarts == 0)
        }

        /// Sends for a while, with the clients beside it or without.
        private func run(_ lab: Lab, isLoaded: Bool) throws -> Run {
            let sink = try Companion(
                lab.db.namespace.command([Requirement.binary, "lab", "sink", "eth0", "--json"]), in: lab.folder,
                name: "sink-\(UInt32.random(in: .min ... .max))")
            try eventually("the sink", within: 10) { sink.output.contains("listening") }
            let clients = Requirement.traffic.appending(path: "clients.py").path
            var beside: [Companion] = []
            if isLoaded {
                for (verb, rate) in [("ask", 1000), ("move", 100)] {
                    beside.append(
                        try Companion(
                            [clients, verb, lab.socket, "\(rate)", "\(Self.seconds)"], in: lab.folder,
                            name: "\(verb)-\(UInt32.random(in: .min ... .max))"))
                }
            }
            let data = try lab.status().process("data").pid
            let before = try cpu(of: data)
            let sender = try lab.web.namespace.run(
                Requirement.binary, "lab", "send", "eth0", "--to", "02:00:00:00:00:15", "--flows", "\(Self.flows)", "--rate",
                "\(Self.rate)", "--duration", "\(Self.seconds)", "--json")
            pause(0.5)
            let used = try cpu(of: data) - before
            for client in beside { try client.waitForEnd(within: 30) }
            let counted = try sink.end()
            let (sent, lost) = (try number("frames", in: sender), try number("lost", in: counted))
            return Run(
                sent: sent, lost: lost, cost: used * 1e9 / Double(max(1, sent)),
                clients: try beside.map { try JSONDecoder().decode(Clients.self, from: Data($0.output.utf8)) })
        }

        /// Seconds of processor time that a process has used.
        private func cpu(of pid: Int32) throws -> Double {
            let line = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
            let fields = line.split(separator: ")").last?.split(separator: " ") ?? []
            guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
                throw Trouble("the times of \(pid) cannot be read")
            }
            return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
        }

        /// A number of the last line of JSON that has it.
        private func number(_ key: String, in text: String) throws -> Int {
            for line in text.split(separator: "\n").reversed() {
                let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                if let found = (object?[key] as? NSNumber)?.intValue { return found }
            }
            throw Trouble("there is no \(key) in \(text)")
        }
    }
}
