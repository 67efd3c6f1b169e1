// SPDX-License-Identifier: Apache-2.0
import API
import ArgumentParser
import Telemetry

/// `bulkhead policy history`.
struct PolicyHistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show the revisions of policy, newest first: when, whose, why, and what became of each.",
        discussion: """
            The one in force is marked "*".

              bulkhead policy history --limit 5
              bulkhead policy get --revision 5 > five.yaml
            """)

    @Option(name: .long, help: .init("How many to show.", valueName: "n"))
    var limit = 20

    @Option(name: .long, help: .init("Only those before this one.", valueName: "revision"))
    var before: Int64?

    @Flag(name: .long, help: "One JSON document for machines; `next` is what --before takes to go on.")
    var json = false

    @OptionGroup var daemon: DaemonOptions

    func validate() throws {
        guard (1...1000).contains(limit) else { throw ValidationError("--limit is a number from 1 to 1000") }
    }

    func run() async throws {
        let more = before.map { "&before=\($0)" } ?? ""
        let body = try await daemon.client.get("/v1/policy/revisions?limit=\(limit)\(more)")
        let page = try DaemonClient.decode(RevisionPage.self, body)
        if json { return say(body) }
        guard !page.revisions.isEmpty else { return say("there is no revision yet") }
        let rows = page.revisions.map { revision in
            [
                revision.inForce ? "*" : "", String(revision.revision), revision.time, revision.outcome, revision.told,
                revision.actor, revision.reason ?? "",
            ]
        }
        say(Columns.text([["", "REVISION", "TIME", "OUTCOME", "SOURCE", "ACTOR", "REASON"]] + rows))
        if let next = page.next { say("older ones: --before \(next)") }
    }
}

extension RevisionReport {
    /// Where it came from: `rollback to 5` for a return.
    fileprivate var told: String { returnsTo.map { "\(source) to \($0)" } ?? source }
}

/// A table for people.
enum Columns {
    /// Rows of equal cells as aligned lines, each safe for a terminal.
    static func text(_ rows: [[String]]) -> String {
        let rows = rows.map { $0.map(TerminalText.escaped) }
        let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")[...]
            while line.last == " " { line.removeLast() }
            return String(line)
        }.joined(separator: "\n")
    }
}
