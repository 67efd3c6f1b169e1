// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension SystemTests.SideBySide {
    /// `bulkhead doctor`, and the same checks at the start.
    @Suite struct Doctor {
        /// What `doctor --json` says, as far as tests read it.
        struct Report: Decodable {
            struct Finding: Decodable {
                let code: String
                let severity: String
                let port: String?
                let command: String?
            }
            struct Step: Decodable {
                let name: String
                let good: Bool?
            }
            let ok: Bool
            let findings: [Finding]
            let self_test: [Step]?

            /// Codes that are more than notes.
            var codes: [String] { findings.filter { $0.severity != "note" }.map(\.code) }
        }

        private func doctor(_ lab: Lab, _ options: String...) throws -> (report: Report, code: Int32) {
            let arguments = [Requirement.binary, "doctor", "--json"] + options
            let outcome = try Command.attempt(lab.appliance.command(arguments))
            #expect(outcome.errors == "")
            return (try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8)), outcome.code)
        }

        @Test func `what is in the way of a pair is told with the command that mends it, and the start logs the same`() throws {
            let lab = try Lab(.init(fail: "open"))
            defer { lab.remove() }
            let config = ["--config", lab.configurationFile.path]
            #expect(try doctor(lab, config[0], config[1]).report.codes == [])
            try lab.web.namespace.run("ethtool", "-K", "eth0", "gro", "off", "tx", "on")
            let (report, code) = try doctor(lab, config[0], config[1])
            #expect(code == 0 && report.ok, "warnings are no errors")
            #expect(report.codes == ["farEndChecksum", "farEndGRO"] && report.findings.contains { $0.port == "p0" })
            let run = try lab.start()
            for code in report.codes { #expect(run.errors.contains("(\(code))"), "\(run.errors)") }
            for command in report.findings.filter({ $0.severity == "warning" }).compactMap(\.command) {
                try Command.run("sh", "-c", command)
            }
            // With the daemon running: the program on the ports is ours.
            #expect(try doctor(lab, config[0], config[1]).report.codes == [])
        }

        @Test func `what keeps a pair from working is exit code 1, and keeps the start away from the ports`() throws {
            let lab = try Lab(.init(queues: 2))
            defer { lab.remove() }
            try lab.appliance.run("ethtool", "-L", "p1", "rx", "1", "tx", "1")
            let (report, code) = try doctor(lab, "--config", lab.configurationFile.path)
            #expect(code == 1 && !report.ok && report.codes.contains("queuesDiffer"))
            let run = try lab.launch()
            #expect(try run.waitForEnd(within: 20) == 1)
            #expect(run.errors.contains("(queuesDiffer)"))
            #expect(try lab.ports.allSatisfy { try !$0.hasProgram() } && lab.appliance.pins == [])
        }

        @Test func `the self-test passes beside a daemon and leaves nothing`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.start()
            let pins = lab.appliance.pins
            let (report, code) = try doctor(lab, "--self-test")
            #expect(code == 0 && report.self_test?.count == 8 && report.self_test?.contains { $0.good == false } == false)
            #expect(lab.appliance.pins == pins)
            // The same when it is ended in the middle.
            let cut = try Companion(
                lab.appliance.command([Requirement.binary, "doctor", "--self-test"]), in: lab.folder, name: "doctor")
            pause(0.5)
            kill(cut.pid, SIGINT)
            try cut.waitForEnd(within: 5)
            #expect(try !lab.appliance.run("ip", "-brief", "link").contains("bh-in"))
            #expect(lab.appliance.pins == pins)
        }

        @Test func `a port that is not there, an unknown option and a bad file have their exit codes`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            let (report, code) = try doctor(lab, "no-such-port")
            #expect(code == 1 && report.codes == ["portMissing"])
            #expect(try Command.attempt([Requirement.binary, "doctor", "--colour"]).code == 2)
            let missing = try Command.attempt([Requirement.binary, "doctor", "--config", "/does/not/exist"])
            #expect(missing.code == 1 && missing.errors.contains("/does/not/exist"))
            let text = try Command.attempt(lab.appliance.command([Requirement.binary, "doctor", "p0"]))
            #expect(text.output.contains("p0: veth, link up, MTU 1500, 1 queue") && !text.output.contains("\u{1b}"))
        }
    }
}
