// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// What questions and changes of workloads cost the frames: pairs of runs with and without them, one after the other, at half the
    /// rate that the appliance sustains.
    @Suite(
        .enabled(
            if: ProcessInfo.processInfo.environment["BULKHEAD_OPERATE_PAIRS"] != nil,
            "a comparison of ten runs: scripts/soak operate --load"))
    struct OperateLoad {
        /// Pairs of runs, and seconds of traffic in each run.
        private let pairs = LoadTraffic.number("BULKHEAD_OPERATE_PAIRS", otherwise: 5)
        private let seconds = LoadTraffic.number("BULKHEAD_OPERATE_SECONDS", otherwise: 30)

        /// Questions for status and moves of workloads in a second.
        private static let (questions, moves) = (1000, 100)
        /// What the worker's time for a frame may grow by under them.
        private static let allowance = 1.05

        @Test func `a thousand questions and a hundred moves a second cost the frames nothing`() throws {
            let lab = try Lab(.init(policy: LoadTraffic.policy, launcher: ["taskset", "-c", LoadTraffic.processors]))
            defer { lab.remove() }
            try LoadTraffic.beside {
                try lab.start()
                let traffic = LoadTraffic(lab: lab)
                let rate = try traffic.halfOfSustained()
                let runs = try LoadPairs(pairs) { isLoaded in
                    guard isLoaded else { return try LoadRun.measure(traffic, rate: rate, seconds: seconds) }
                    return try loaded(traffic, rate: rate)
                }
                runs.judge()
                #expect(runs.ratio <= Self.allowance)
            }
            #expect(try lab.status().process("control").restarts == 0)
            #expect(try lab.status().process("data").restarts == 0)
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
            var summary: String { "\(answered) of \(asked) answered in \(seconds.short) s, slowest \(slowest.short) ms" }
        }

        /// Sends for a while, with the clients beside it from before the first frame until behind the last.
        private func loaded(_ traffic: LoadTraffic, rate: Int) throws -> LoadRun {
            let lab = traffic.lab
            let program = Requirement.traffic.appending(path: "clients.py").path
            let rates = [("ask", Self.questions), ("move", Self.moves)]
            let beside = try rates.map { verb, rate in
                try Companion(
                    ["taskset", "-c", LoadTraffic.clientProcessors, program, verb, lab.socket, "\(rate)", "\(seconds + 4)"],
                    in: lab.folder, name: "\(verb)-\(UInt32.random(in: .min ... .max))")
            }
            pause(1)
            var run = try LoadRun.measure(traffic, rate: rate, seconds: seconds)
            #expect(beside.allSatisfy { $0.isRunning }, "the clients were done before the frames")
            for (client, (verb, rate)) in zip(beside, rates) {
                let code = try client.waitForEnd(within: 30)
                #expect(code == 0, "\(client.errors)")
                let told = try JSONDecoder().decode(Clients.self, from: Data(client.output.utf8))
                run.notes.append("\(verb): \(told.summary)")
                #expect(told.refused == 0 && told.answered == told.asked)
                #expect(Double(told.answered) >= 0.99 * Double(rate) * told.seconds, "\(verb): \(told.summary)")
            }
            return run
        }
    }
}
