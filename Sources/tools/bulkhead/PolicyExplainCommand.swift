// SPDX-License-Identifier: Apache-2.0
import Analysis
import ArgumentParser
import Policy

/// `bulkhead policy explain`.
struct PolicyExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Say what becomes of one connection, and why.",
        discussion: """
            FROM and TO are an address, NAMESPACE/WORKLOAD, or a workload's name where only one has it; SERVICE is written as in
            policies (tcp/443, icmp, icmp/8.0, 47), or is a name of the destination's. The decision comes from the compiled policy, by
            the code that judges frames; the way to it is told tier by tier, with the place of every rule.

              bulkhead policy explain web-1 db-1 tcp/5432 --policies policies/
              bulkhead policy explain 192.0.2.7 shop/db-1 sql

            Without files and configuration it asks the policy in force. A denied connection is an answer, not exit code 1.
            """)

    @Argument(help: "Who opens the connection.")
    var from: String

    @Argument(help: "To whom.")
    var to: String

    @Argument(help: "What for.")
    var service: String

    @OptionGroup var set: PolicySetOptions
    @OptionGroup var time: TimeOptions

    @Option(name: .long, help: "The zone that the source is seen in.")
    var zoneFrom: String?

    @Option(name: .long, help: "The zone that the destination is seen in.")
    var zoneTo: String?

    @Option(name: .long, help: "The source's port; 50000 if absent.")
    var sourcePort: UInt16?

    @Flag(name: .long, help: "One JSON document for machines.")
    var json = false

    func run() async throws {
        let explanation = try await set.view().explain(
            from: from, to: to, service: service, zoneFrom: zoneFrom, zoneTo: zoneTo, sourcePort: sourcePort,
            at: try time.unixSeconds())
        say(json ? explanation.json : explanation.text(.ofTerminal))
    }
}
