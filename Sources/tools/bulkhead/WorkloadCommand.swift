// SPDX-License-Identifier: Apache-2.0
import API
import ArgumentParser
import Telemetry

/// `bulkhead workload`: the inventory of the running daemon.
struct WorkloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workload", abstract: "Show and change the workloads that the daemon knows.",
        discussion: """
            Workloads come from the files that the configuration names, and from here. Those from here may have a lease, at whose end they
            are gone unless it is renewed. An address that two claim is nobody's until one of them ends.
            """,
        subcommands: [
            WorkloadListCommand.self, WorkloadAddCommand.self, WorkloadImportCommand.self, WorkloadLabelCommand.self,
            WorkloadRenewCommand.self, WorkloadRemoveCommand.self,
        ])
}

/// `bulkhead workload list`.
struct WorkloadListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show the workloads in force, by name.",
        discussion: """
              bulkhead workload list
              bulkhead workload list --json | jq -r 'select(.contested != []) | .name'
            """)

    @Flag(name: .long, help: "One JSON object a line.")
    var json = false

    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        var next: String?
        var rows = [["NAME", "ADDRESSES", "ZONES", "LABELS", "LEASE UNTIL", "ORIGIN"]]
        repeat {
            let more = next.map { "&after=\(DaemonClient.escaped($0))" } ?? ""
            let page = try DaemonClient.decode(WorkloadPage.self, try await daemon.client.get("/v1/workloads?limit=1000\(more)"))
            if json {
                for workload in page.workloads { say(try DaemonClient.encode(workload)) }
            } else {
                rows += page.workloads.map(\.row)
            }
            next = page.next
        } while next != nil
        if !json { say(rows.count > 1 ? Columns.text(rows) : "there are no workloads") }
    }
}

extension WorkloadReport {
    fileprivate var row: [String] {
        let claimed = addresses.map { contested.contains($0) ? "\($0) (contested)" : $0 }
        let labels = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return [
            name, claimed.joined(separator: ","), zones.isEmpty ? "any" : zones.joined(separator: ","),
            labels.joined(separator: ","), leaseUntil ?? "", origin,
        ]
    }
}

/// What the verbs share that change the inventory.
struct InventoryOptions: ParsableArguments {
    @Flag(name: .long, help: "One JSON document for machines.")
    var json = false

    @OptionGroup var daemon: DaemonOptions

    /// Tells what came of a change.
    func tell(_ body: String, _ what: String) throws {
        let report = try DaemonClient.decode(InventoryReport.self, body)
        if json { return say(body) }
        let names = report.workloads.prefix(10).map(TerminalText.escaped).joined(separator: ", ")
        let more = report.workloads.count > 10 ? " and \(report.workloads.count - 10) more" : ""
        say(
            "\(names)\(more): \(what), in force with inventory epoch \(report.epoch) of generation \(report.generation) "
                + "after \(report.microseconds) µs")
        for address in report.contested {
            complain(
                "\(TerminalText.escaped(address)) is claimed by another workload too: it has nobody's labels until one of them ends"
            )
        }
    }
}
