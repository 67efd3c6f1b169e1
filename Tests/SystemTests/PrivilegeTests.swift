// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite struct Privilege {
        /// What the kernel says about a process, by its first word.
        private func facts(_ pid: Int32) throws -> [String: String] {
            let lines = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8).split(separator: "\n")
            let pairs = lines.compactMap { line -> (String, String)? in
                let parts = line.split(separator: ":", maxSplits: 1)
                return parts.count == 2
                    ? (String(parts[0]), parts[1].split(whereSeparator: \.isWhitespace).joined(separator: " ")) : nil
            }
            return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
        }

        private func expectConfined(_ lab: Lab, _ name: String, user: String, capabilities: String) throws {
            let facts = try facts(try lab.status().process(name).pid)
            #expect(facts["Uid"] == Array(repeating: user, count: 4).joined(separator: " "), "\(name)")
            #expect(facts["CapPrm"] == capabilities && facts["CapEff"] == capabilities, "\(name)")
            #expect(facts["CapInh"] == "0000000000000000" && facts["CapAmb"] == "0000000000000000", "\(name)")
            #expect(facts["NoNewPrivs"] == "1" && facts["Seccomp"] == "2", "\(name)")
            #expect(facts["Groups"] == "", "\(name)")
        }

        private static let none = "0000000000000000"

        /// Six; and CAP_IPC_LOCK where the machine does not let the limit of pinned memory be lifted.
        private func keepers(_ lab: Lab) throws -> String {
            let limits = try String(contentsOfFile: "/proc/\(lab.status().process("keeper").pid)/limits", encoding: .utf8)
            let line = limits.split(separator: "\n").first { $0.hasPrefix("Max locked memory") } ?? ""
            return line.contains("unlimited") ? "00000080000030e0" : "00000080000070e0"
        }

        @Test func `of each process is what it needs, also after it was started again`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.start()
            for _ in 0..<2 {
                try expectConfined(lab, "keeper", user: "0", capabilities: keepers(lab))
                try expectConfined(lab, "data", user: "65534", capabilities: Self.none)
                try expectConfined(lab, "control", user: "0", capabilities: Self.none)
                for name in ["data", "control"] {
                    let pid = try lab.status().process(name).pid
                    kill(pid, SIGKILL)
                    try lab.waitForRestart(of: name, after: pid, within: 10)
                }
            }
        }

        @Test func `of users that the configuration names is all that data and control have`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            // Users that every Debian has.
            let configuration = """
                pairs: [{name: wire, ports: [p0, p1]}]
                policies: [\(lab.folder.path)/policy.yaml]
                state: \(lab.folder.path)/state
                run: \(lab.folder.path)/run
                users: {data: games, control: daemon}

                """
            try configuration.write(to: lab.configurationFile, atomically: true, encoding: .utf8)
            let run = try lab.start()
            let socket = lab.folder.path + "/run/bulkhead.sock"
            let text = try Command.run(Requirement.binary, "status", "--json", "--socket", socket)
            let status = try JSONDecoder().decode(Status.self, from: Data(text.utf8))
            #expect(try facts(status.process("data").pid)["Uid"] == "5 5 5 5")
            #expect(try facts(status.process("control").pid)["Uid"] == "1 1 1 1")
            let stream = try Stream(lab, from: lab.web, to: lab.db, rate: 2000)
            kill(run.pid, SIGHUP)
            pause(0.5)
            #expect(try stream.finish().lost == 0)
            func owner(_ path: String) throws -> Int? {
                try FileManager.default.attributesOfItem(atPath: lab.folder.path + path)[.ownerAccountID] as? Int
            }
            #expect(
                try owner("/state") == 1 && owner("/run") == 0 && owner("/run/keeper") == 0 && owner("/run/bulkhead.sock") == 1)
            // What is keeper's can neither be entered nor replaced by control's user.
            for command in ["ls \(lab.folder.path)/run/keeper", "mv \(lab.folder.path)/run/keeper \(lab.folder.path)/run/mine"] {
                #expect(
                    try Command.attempt(["setpriv", "--reuid=1", "--regid=1", "--clear-groups", "sh", "-c", command]).code != 0)
            }
            #expect(try run.end() == "ready\n")
        }

        @Test func `that is not there, or root's, is refused with the place in the configuration`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            for (name, what) in [("no-such-user", "there is no user"), ("root", "is root")] {
                try lab.writeConfiguration("users: {control: \(name)}\n")
                let run = try lab.launch()
                #expect(try run.waitForEnd(within: 10) == 1)
                #expect(run.errors.contains(lab.configurationFile.path + ":") && run.errors.contains(what), "\(run.errors)")
            }
        }

        @Test func `that data tries to use in spite of its filter is told in the journal`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            let run = try lab.start()
            let data = try lab.status().process("data").pid
            // The signal by which the kernel ends it; that it does so, the filter's own tests show.
            kill(data, SIGSYS)
            try lab.waitForRestart(of: "data", after: data, within: 5)
            #expect(run.errors.contains("killed by its system call filter (SIGSYS)"))
        }

        @Test func `without a sandbox is warned of`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.writeConfiguration("sandbox: off\n")
            let run = try lab.start()
            #expect(run.errors.contains("sandbox is off"))
            #expect(try facts(try lab.status().process("data").pid)["Seccomp"] == "0")
        }
    }
}
