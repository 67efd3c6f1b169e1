// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension SystemTests {
    /// What questions and changes of workloads cost the frames: pairs of runs with and without them, one after the other, at half the
    /// rate that the appliance sustains.
    @Suite(
        .enabled(
            if: ProcessInfo.processInfo.environment["BULKHEAD_OPERATE_PAIRS"] != nil,
            "a comparison of ten runs: scripts/soak operate --load"))
    struct OperateLoad {
        private static func number(_ name: String, otherwise usual: Int) -> Int {
            ProcessInfo.processInfo.environment[name].flatMap(Int.init) ?? usual
        }
        /// Pairs of runs, and seconds of traffic in each run.
        private let pairs = number("BULKHEAD_OPERATE_PAIRS", otherwise: 5)
        private let seconds = number("BULKHEAD_OPERATE_SECONDS", otherwise: 30)

        /// Questions for status and moves of workloads in a second.
        private static let (questions, moves) = (1000, 100)
        /// What the worker's time for a frame may grow by under them.
        private static let allowance = 1.05

        @Test func `a thousand questions and a hundred moves a second cost the frames nothing`() throws {
            let lab = try Lab(.init(policy: LoadTraffic.policy, launcher: ["taskset", "-c", LoadTraffic.processors]))
            defer { lab.remove() }
            try lab.start()
            let traffic = LoadTraffic(lab: lab)
            let sustained = try traffic.sustainedRate()
            figure("sustained", "\(sustained) frames a second of \(LoadTraffic.flows) flows; half of that is offered")
            var runs: [(quiet: Run, loaded: Run)] = []
            for number in 0..<pairs {
                let isFirstQuiet = number % 2 == 0
                let first = try run(traffic, rate: sustained / 2, isLoaded: !isFirstQuiet)
                let second = try run(traffic, rate: sustained / 2, isLoaded: isFirstQuiet)
                runs.append(isFirstQuiet ? (first, second) : (second, first))
                for (name, run) in [("quiet", runs[number].quiet), ("loaded", runs[number].loaded)] {
                    figure("pair \(number + 1), \(name)", run.summary)
                }
            }
            try judge(runs)
            #expect(try lab.status().process("control").restarts == 0)
            #expect(try lab.status().process("data").restarts == 0)
        }

        /// What a run came to.
        private struct Run {
            let traffic: LoadTraffic.Outcome
            /// Nanoseconds of the worker's thread for each frame.
            let cost: Double
            /// What the clients say of themselves: those that ask, then those that move.
            let clients: [Clients]

            var summary: String {
                let asked = clients.map {
                    "\($0.answered) of \($0.asked) answered in \($0.seconds.short) s, slowest \($0.slowest.short) ms"
                }
                return (["\(traffic.sent) sent, \(traffic.lost) lost, \(cost.short) ns of the worker a frame"] + asked)
                    .joined(separator: "; ")
            }
        }

        /// What Tests/Traffic/clients.py prints.
        private struct Clients: Decodable {
            let asked: Int
            let answered: Int
            let refused: Int
            let slowest: Double
            let seconds: Double
            enum CodingKeys: String, CodingKey {
                case asked, answered, refused, seconds
                case slowest = "slowest_ms"
            }
        }

        /// Sends for a while, with the clients beside it from before the first frame until behind the last, or without.
        private func run(_ traffic: LoadTraffic, rate: Int, isLoaded: Bool) throws -> Run {
            let lab = traffic.lab
            let program = Requirement.traffic.appending(path: "clients.py").path
            let beside = try (isLoaded ? [("ask", Self.questions), ("move", Self.moves)] : []).map { verb, rate in
                try Companion(
                    ["taskset", "-c", LoadTraffic.clientProcessors, program, verb, lab.socket, "\(rate)", "\(seconds + 3)"],
                    in: lab.folder, name: "\(verb)-\(UInt32.random(in: .min ... .max))")
            }
            if isLoaded { pause(1) }
            let data = try lab.status().process("data").pid
            let before = try LoadTraffic.workerTime(of: data)
            let outcome = try traffic.send(rate: rate, seconds: seconds)
            let used = try LoadTraffic.workerTime(of: data) - before
            #expect(beside.allSatisfy { $0.isRunning }, "the clients were done before the frames")
            for client in beside {
                let code = try client.waitForEnd(within: 30)
                #expect(code == 0, "\(client.errors)")
            }
            return Run(
                traffic: outcome, cost: Double(used) / Double(max(1, outcome.sent - outcome.lost)),
                clients: try beside.map { try JSONDecoder().decode(Clients.self, from: Data($0.output.utf8)) })
        }

        /// Holds the pairs against what is promised. Of each figure the middle one: a stall of the machine that meets one run decides
        /// nothing.
        private func judge(_ runs: [(quiet: Run, loaded: Run)]) throws {
            func middle<Value: Comparable>(_ values: [Value]) -> Value { values.sorted()[values.count / 2] }
            let ratio = middle(runs.map { $0.loaded.cost / $0.quiet.cost })
            let lost = (quiet: middle(runs.map(\.quiet.traffic.lost)), loaded: middle(runs.map(\.loaded.traffic.lost)))
            figure(
                "middle of \(pairs) pairs",
                "the worker's time a frame with load is \(String(format: "%.3f", ratio)) of that without; "
                    + "\(lost.loaded) lost with, \(lost.quiet) without")
            #expect(ratio <= Self.allowance)
            #expect(lost.loaded <= lost.quiet)
            for (quiet, loaded) in runs {
                let sent = [quiet.traffic.sent, loaded.traffic.sent].sorted()
                #expect(Double(sent[0]) >= 0.98 * Double(sent[1]), "the generator did not keep its rate: is the machine quiet?")
            }
            for run in runs.map(\.loaded) {
                #expect(run.clients.allSatisfy { $0.refused == 0 && $0.answered == $0.asked })
                for (clients, rate) in zip(run.clients, [Self.questions, Self.moves]) {
                    #expect(Double(clients.answered) >= 0.99 * Double(rate) * clients.seconds, "\(run.summary)")
                }
            }
        }
    }
}
