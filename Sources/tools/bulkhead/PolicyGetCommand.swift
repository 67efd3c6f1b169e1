// SPDX-License-Identifier: Apache-2.0
import API
import ArgumentParser
import Policy
import PolicyText

/// `bulkhead policy get`.
struct PolicyGetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Print the policy in force, or that of files, in the normal form of the language.",
        discussion: """
            The text reads back as the same set, whatever language its documents were written in.

              bulkhead policy get > in-force.yaml
              bulkhead policy get --policies network-policies/ --workloads pods.yaml
            """)

    @OptionGroup var set: PolicySetOptions

    @Flag(name: .long, help: "One JSON document: generation (0 for files), documents, their places, zones and failsafe.")
    var json = false

    func run() async throws {
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
