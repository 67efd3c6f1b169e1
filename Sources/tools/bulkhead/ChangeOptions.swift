// SPDX-License-Identifier: Apache-2.0
import API
import Analysis
import ArgumentParser
import Telemetry

/// The options of verbs that change the policy in force.
struct ChangeOptions: ParsableArguments {
    @Flag(name: .long, help: "Say what would come of it, and change nothing.")
    var dryRun = false

    @Option(name: .long, help: .init("Go back by itself unless somebody confirms within this long: 60s, 5m.", valueName: "time"))
    var confirm: Seconds?

    @Flag(
        name: .long,
        help: "With --confirm: a confirmation may come over a login that began before the change, because you sit at the machine."
    )
    var console = false

    @Option(
        name: .long,
        help: .init(
            "Go back when more than this many kinds of connections that were allowed are denied within the time of --confirm, or a minute.",
            valueName: "n"))
    var maxNewDenies: UInt32?

    @Option(name: .long, help: .init("Why; it stands in the history and in the audit log.", valueName: "text"))
    var reason: String?

    @Flag(name: .long, help: "One JSON document for machines.")
    var json = false

    func validate() throws {
        try confirm?.check("--confirm", 1...86_400, "1s to 1d")
        if console && confirm == nil { throw ValidationError("--console goes with --confirm") }
    }

    /// Tells what came of a change, and what to do next.
    func tell(_ body: String) throws { try ChangeReport.tell(body, json: json) }
}

extension ChangeReport {
    /// Tells what came of a change, and what to do next; fails where it was not taken up, or not yet.
    static func tell(_ body: String, json: Bool) throws {
        let report = try DaemonClient.decode(Self.self, body)
        say(json ? body : report.text(.ofTerminal))
        if ["unanswered", "held"].contains(report.outcome) { throw Outcome.failed }
    }

    /// The report for people: what differs, what was found, and what to do next.
    func text(_ style: Style) -> String { (differences(style) + ending).joined(separator: "\n") }

    /// What differs and what was found, for people.
    func differences(_ style: Style) -> [String] {
        // Names come from elsewhere, colour from here.
        let safe = TerminalText.escaped
        var lines = losses.map { "lost: \(safe($0))" } + findings.map(safe)
        lines += boxes.map {
            style.difference(
                from: safe($0.sources), to: safe($0.destinations), services: $0.services.map(safe), old: $0.old, new: $0.new)
        }
        if boxCount > boxes.count { lines.append("… and \(boxCount - boxes.count) more boxes") }
        if boxCount > 0 {
            let widening = boxes.count(where: \.widening)
            lines.append(
                "\(boxCount) \(boxCount == 1 ? "box differs" : "boxes differ"), \(widening) of those shown let more through")
        }
        if !compared && !["unchanged", "reread", "held"].contains(outcome) {
            lines.append("not everything was compared; more may differ")
        }
        return lines + cutLines.map(safe)
    }

    /// Which live flows the set does not allow any more.
    private var cutLines: [String] {
        guard let flowsCut, let flowsKnown else { return [] }
        var lines = (cuts ?? []).map { cut in
            let ends = [(cut.sourceWorkload, cut.source), (cut.destinationWorkload, cut.destination)].map { name, address in
                (name.map { "\($0) " } ?? "") + address
            }
            return "cuts \(ends[0]) -> \(ends[1]), \(cut.service): \(cut.new)"
        }
        if flowsCut > lines.count { lines.append("… and \(flowsCut - UInt64(lines.count)) more") }
        lines.append("\(flowsCut) of \(flowsKnown) live \(flowsKnown == 1 ? "flow" : "flows") would be cut")
        if let flowsLive, flowsLive > flowsKnown {
            lines.append("\(flowsLive - flowsKnown) more are in the tables, of which nothing was told since control's start")
        }
        return lines
    }

    private var ending: [String] {
        let name = revision.map { "revision \($0.revision)" } ?? "the set"
        switch outcome {
        case "unchanged": return ["nothing changes: the set in force says the same"]
        case "reread":
            return [
                "the files of policies say what they said: \(name) goes on;",
                "configuration and workloads are in force as their files say now, with generation \(generation)",
            ]
        case "held":
            return [
                "configuration and workloads are in force as their files say now, with generation \(generation);",
                "the files of policies say something else, which waits: \(name) awaits its confirmation, reload behind it",
            ]
        case "checked": return ["nothing was changed: this was a dry run"]
        case "pending":
            let number = revision.map { String($0.revision) } ?? "REVISION"
            return [
                "\(name) is in force with generation \(generation), until \(revision?.deadline ?? "its deadline") unless it is confirmed;",
                "log in anew, so that you see that you still can, and say there:", "  bulkhead policy confirm \(number)",
            ]
        case "unanswered":
            return [
                "\(name) is published, and the data process has not answered for ten seconds: generation \(generation) goes on until it",
                "does, and for good if it refuses; see `bulkhead status`",
            ]
        default: return ["\(name) is in force with generation \(generation)"]
        }
    }
}
