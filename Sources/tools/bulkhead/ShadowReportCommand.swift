// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Telemetry

/// `bulkhead policy shadow report`.
struct ShadowReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Show the connections that the candidate decides otherwise, and why.",
        discussion: """
            By kind: who they are to policy, on which service, what they got and what they would get. With --flows one by one, the last of
            them, and with --follow those from now on. Conditions are those of `bulkhead flows`, of what was decided; --policy
            means the candidate's too. Conditions on single ends and times need --flows or --follow.

              bulkhead policy shadow report --closes --namespace shop
              bulkhead policy shadow report --flows --last 20 --from shop/web-1
              bulkhead policy shadow report --follow --json | jq .candidate.cause

            Exit codes: 0 the report was told, whatever it says; 1 there was no run, or the daemon cannot be asked; 2 wrong usage.
            """)

    @Flag(name: .long, help: "Connections one by one.")
    var flows = false

    @Flag(name: .shortAndLong, help: "Go on with connections from now on, until the run ends.")
    var follow = false

    @Flag(name: .long, help: "Only what was allowed and would not be.")
    var closes = false

    @Flag(name: .long, help: "Only what was not allowed and would be.")
    var opens = false

    @Option(name: .long, help: "How many kinds to show, up to 1000 (default: 100).")
    var limit: Int?

    @Option(name: .long, help: "With --flows: how many of the last connections to show (default: 100, and 0 with --follow).")
    var last: Int?

    @Flag(name: .long, help: "One JSON document for machines; with --flows and --follow an object a line.")
    var json = false

    @OptionGroup var daemon: DaemonOptions

    @OptionGroup(title: "Conditions") var filter: FlowFilterOptions

    /// What the calls for connections answer, as far as it is read.
    private struct Recent: Decodable { let flows: [FlowReport] }
    private struct Lost: Decodable { let lost: UInt64 }
    private struct Over: Decodable { let end: String }

    func validate() throws {
        let conditions = try filter.conditions()
        if let limit, !(1...1000).contains(limit) { throw ValidationError("--limit is a number from 1 to 1000") }
        if let last, !(0...100_000).contains(last) { throw ValidationError("--last is a number from 0 to 100000") }
        if follow && filter.until != nil { throw ValidationError("--follow has no end, so --until says nothing") }
        if flows || follow {
            if limit != nil { throw ValidationError("--limit counts kinds; of connections say --last") }
            return
        }
        if last != nil { throw ValidationError("--last goes with --flows or --follow") }
        var kinds = ShadowFilter()
        for (key, value) in conditions where kinds.set(key, to: value) != nil {
            throw ValidationError("--\(key) tells apart connections of one kind: ask for them one by one, with --flows")
        }
    }

    func run() async throws {
        let effects = (closes ? ["effect=closes"] : []) + (opens ? ["effect=opens"] : [])
        let query = try filter.query() + effects
        guard flows || follow else { return try await showKinds(query) }
        let count = last ?? (follow ? 0 : 100)
        if count > 0 {
            let body = try await daemon.client.get(Self.target("/flows", query + ["last=\(count)"]))
            for flow in try DaemonClient.decode(Recent.self, body).flows { try show(flow) }
        }
        guard follow else { return }
        try await daemon.client.follow(Self.target("/flows", query + ["follow=true"])) { name, data in
            switch name {
            case "flow": try show(try DaemonClient.decode(FlowReport.self, data))
            case "lost" where json: say(data)
            case "lost":
                complain("(\(try DaemonClient.decode(Lost.self, data).lost) connections are missing here: too many to keep up)")
            case "over":
                let end = try DaemonClient.decode(Over.self, data).end
                if json { say(data) } else { complain("the run has ended: \(TerminalText.escaped(end))") }
                throw Outcome(exitCode: 0)
            default: break
            }
        }
    }

    private func showKinds(_ query: [String]) async throws {
        let body = try await daemon.client.get(Self.target("", query + ["limit=\(limit ?? 100)"]))
        guard !json else { return say(body) }
        let report = try DaemonClient.decode(ShadowReport.self, body)
        let colour = isatty(STDOUT_FILENO) == 1
        for row in report.rows { say(row.text { Self.marked($0, $1, colour) }.joined(separator: "\n")) }
        if report.rowCount > report.rows.count { say("… and \(report.rowCount - report.rows.count) more kinds: --limit") }
        say(report.summary.joined(separator: "\n"))
    }

    private func show(_ flow: FlowReport) throws {
        say(json ? try DaemonClient.encode(flow) : flow.line(colour: isatty(STDOUT_FILENO) == 1))
    }

    private static func target(_ path: String, _ query: [String]) -> String {
        "/v1/policy/shadow\(path)?\(query.joined(separator: "&"))"
    }

    /// `allow -> deny`, in the colour of what it becomes.
    private static func marked(_ old: String, _ new: String, _ colour: Bool) -> String {
        let text = TerminalText.escaped("\(old) -> \(new)")
        return colour ? "\u{1b}[\(new == "allow" ? 32 : 31)m\(text)\u{1b}[0m" : text
    }
}
