// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Telemetry

/// `bulkhead status`.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show what is in force, the processes, and what each queue counts.",
        discussion: """
            received = forwarded + dropped + held; every dropped frame has one reason.

              bulkhead status
              bulkhead status --json | jq '.ports[].queues[].dropped'
            """)

    @OptionGroup var daemon: DaemonOptions

    @Flag(name: .long, help: "One JSON document for machines, every drop reason listed.")
    var json = false

    func run() async throws {
        let body = try await daemon.client.get("/v1/status")
        if json { say(body) } else { say(try DaemonClient.decode(StatusReport.self, body).table) }
    }
}
