// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension SystemTests.SideBySide {
    /// Who runs where: nobody of the daemon's on the processor of a worker, while there is another.
    @Suite(.enabled(if: ProcessInfo.processInfo.activeProcessorCount > 1, "there is one processor")) struct Placing {
        private static let last = ProcessInfo.processInfo.activeProcessorCount - 1
        /// What is left beside one worker.
        private static let others = last == 1 ? "0" : "0-\(last - 1)"

        /// Where a thread may run, and how it stands behind others.
        private struct Thread: CustomStringConvertible {
            let name, processors: String
            let nice, policy: Int
            var description: String { "\(name) on \(processors), nice \(nice), policy \(policy)" }

            init(_ folder: String) throws {
                func text(_ file: String) throws -> String { try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8) }
                name = try text("comm").trimmingCharacters(in: .whitespacesAndNewlines)
                let line = try text("status").split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
                processors = (line?.split(separator: "\t").last).map(String.init) ?? ""
                // proc(5), stat: behind the name in brackets, field 3 first; 19 is nice, 41 the policy.
                let fields = try (text("stat").split(separator: ")").last ?? "").split(separator: " ")
                (nice, policy) = (Int(fields[16]) ?? -1, Int(fields[38]) ?? -1)
            }
        }

        private func threads(_ lab: Lab, _ process: String) throws -> [Thread] {
            let folder = "/proc/\(try lab.status().process(process).pid)/task"
            // Threads come and go.
            return try FileManager.default.contentsOfDirectory(atPath: folder).compactMap { try? Thread("\(folder)/\($0)") }
        }

        private func expectApart(_ lab: Lab) throws {
            for process in ["keeper", "control", "data"] {
                for thread in try threads(lab, process) {
                    let place = thread.name.hasPrefix("worker-") ? "\(Self.last)" : Self.others
                    #expect(thread.processors == place && thread.policy == 0 && thread.nice == 0, "\(process): \(thread)")
                }
            }
            struct Places: Decodable {
                struct Worker: Decodable { let processor: Int }
                let processors: String
                let workers: [Worker]
            }
            let text = try lab.bulkhead("status", "--json").expectSuccess().output
            let told = try JSONDecoder().decode(Places.self, from: Data(text.utf8))
            #expect(told.processors == Self.others && told.workers.map(\.processor) == [Self.last])
        }

        @Test func `the worker has the last processor, and everything else the others, also when started again`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            let run = try lab.start()
            try expectApart(lab)
            for process in ["control", "data"] {
                let pid = try lab.status().process(process).pid
                kill(pid, SIGKILL)
                try lab.waitForRestart(of: process, after: pid, within: 20)
                try expectApart(lab)
            }
            // The same process becomes the binary anew, and must not take what it kept off for all that there is.
            let data = try lab.status().process("data").pid
            kill(run.pid, SIGUSR2)
            try lab.waitForRestart(of: "data", after: data, within: 20)
            try expectApart(lab)
        }

        @Test(arguments: [([], "processors: shared"), (["taskset", "-c", "0"], "")])
        func `where control shares the worker's processor it gives way`(launcher: [String], configuration: String) throws {
            let lab = try Lab(.init(configuration: configuration, launcher: launcher))
            defer { lab.remove() }
            try lab.start()
            let all = launcher.isEmpty ? "0-\(Self.last)" : "0"
            for thread in try threads(lab, "control") {
                #expect(thread.processors == all && thread.policy == 3 && thread.nice == 10, "\(thread)")
            }
            for thread in try threads(lab, "data") {
                let isWorker = thread.name.hasPrefix("worker-")
                #expect(thread.processors == (isWorker && launcher.isEmpty ? "\(Self.last)" : all), "\(thread)")
                #expect(thread.policy == 0 && thread.nice == 0, "\(thread)")
            }
            // sched(7): where processes are grouped by session, the group gives way too.
            let group = try? String(contentsOfFile: "/proc/\(lab.status().process("control").pid)/autogroup", encoding: .utf8)
            if let group, group.contains("nice") { #expect(group.hasSuffix("nice 10\n"), "\(group)") }
            let status = try lab.bulkhead("status").expectSuccess().output
            #expect(status.contains("worker 0 on processor ") && !status.contains("; on processors"), "\(status)")
        }
    }
}
