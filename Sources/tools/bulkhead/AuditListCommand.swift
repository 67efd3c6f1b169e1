// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import State
import Telemetry

/// `bulkhead audit list`.
struct AuditListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show the latest changes and refused attempts.",
        discussion: """
            Asks the daemon, which shows the audit log to administrators; with --state it reads a state folder without one. The newest line
            comes first.

              bulkhead audit list
              bulkhead audit list --limit 500 --json | jq '.entries[] | select(.result == "refused")'
            """)

    @OptionGroup var daemon: DaemonOptions

    @Option(name: .long, help: "A state folder to read instead of asking the daemon.")
    var state: String?

    @Option(name: .long, help: "How many lines, 1 to 1000.")
    var limit = 50

    @Option(name: .long, help: "Only lines before the one of this number.")
    var before: Int64?

    @Flag(name: .long, help: "One JSON document for machines.")
    var json = false

    func validate() throws {
        guard 1...1_000 ~= limit else {
            throw ValidationError("--limit takes 1 to 1000; `bulkhead audit export` prints everything")
        }
        guard before ?? 1 >= 1 else { throw ValidationError("lines are numbered from 1") }
    }

    func run() async throws {
        guard let state else {
            let answer = try await daemon.client.get("/v1/audit?limit=\(limit)" + (before.map { "&before=\($0)" } ?? ""))
            if json { say(answer) } else { tell(try DaemonClient.decode(AuditPage.self, answer)) }
            return
        }
        let lines = try AuditReader.latest(inFolder: state, before: before, limit: limit + 1)
        let page = AuditPage(
            entries: lines.prefix(limit).map { AuditRow($0.entry) },
            next: lines.count > limit ? lines[limit - 1].entry.number : nil)
        if json { say(try DaemonClient.encode(page)) } else { tell(page) }
    }

    private func tell(_ page: AuditPage) {
        for row in page.entries { say(row.text) }
        if let next = page.next { complain("older ones: --before \(next)") }
    }
}

/// A page of the audit log, as the API answers it.
private struct AuditPage: Codable {
    var entries: [AuditRow]
    /// What `--before` has to be for the next one.
    var next: Int64?
}

/// A line of the audit log, as the API tells it.
private struct AuditRow: Codable {
    var number: Int64
    var time, actor, action: String
    var object: String?
    var result: String
    var reason, old, new: String?
    var digest: String

    init(_ entry: AuditEntry) {
        (number, time) = (entry.number, Timestamp(nanoseconds: entry.time).description)
        actor = entry.actor.text
        (action, object, result) = (entry.action, entry.object, entry.result.rawValue)
        (reason, old, new, digest) = (entry.reason, entry.old, entry.new, entry.digest)
    }

    /// One line for people. Everything in it may come from outside.
    var text: String {
        var parts = ["\(number)", time, result, action]
        if let object { parts.append(object) }
        parts.append("by \(actor)")
        if old != nil || new != nil { parts.append("\(old?.prefix(12) ?? "-") -> \(new?.prefix(12) ?? "-")") }
        if let reason { parts.append("(\(reason))") }
        return Visible.text(parts.joined(separator: "  "), atMost: 4_000)
    }
}
