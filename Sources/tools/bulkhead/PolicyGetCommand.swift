// SPDX-License-Identifier: Apache-2.0
import API
import ArgumentParser
import Policy
import PolicyText
import Telemetry

/// `bulkhead policy get`.
struct PolicyGetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Print the policy in force, or that of files, in the normal form of the language.",
        discussion: """
            The text reads back as the same set, whatever language its documents were written in.

              bulkhead policy get > in-force.yaml
              bulkhead policy get --revision 5 > five.yaml
              bulkhead policy get --policies network-policies/ --workloads pods.yaml
            """)

    @OptionGroup var set: PolicySetOptions

    @Option(
        name: .long, help: .init("An earlier revision's documents, by its number in `bulkhead policy history`.", valueName: "n"))
    var revision: Int64?

    @Flag(name: .long, help: "One JSON document: generation (0 for files), documents, their places, zones and failsafe.")
    var json = false

    func validate() throws {
        guard revision == nil || set.asksDaemon else { throw ValidationError("--revision is of the daemon, not of files") }
    }

    func run() async throws {
        if let revision {
            let body = try await set.daemon.client.get("/v1/policy/revisions/\(revision)")
            let report = try DaemonClient.decode(RevisionReport.self, body)
            let documents = report.documents ?? ""
            return say(json ? body : "# revision \(report.revision), \(TerminalText.escaped(report.outcome))\n" + documents)
        }
        if set.asksDaemon {
            let body = try await set.daemon.client.get("/v1/policy")
            let report = try DaemonClient.decode(PolicyReport.self, body)
            return say(json ? body : "# generation \(report.generation)\n" + report.documents)
        }
        let reading = try await set.read()
        let report = PolicyReport(generation: 0, set: reading.set, zones: reading.zones, failsafe: reading.failsafe)
        say(json ? try DaemonClient.encode(report) : report.documents)
    }
}
