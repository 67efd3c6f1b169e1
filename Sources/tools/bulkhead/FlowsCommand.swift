// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Telemetry

/// `bulkhead flows`.
struct FlowsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flows", abstract: "Show flows that started, ended or were refused, and why.",
        discussion: """
            Live, and from the store as far back as it goes. Conditions of one kind are alternatives, different kinds must all hold, and
            --not before one turns it round:

              bulkhead flows --last 20
              bulkhead flows --follow --decision deny --not --port 53
              bulkhead flows --since 2h --from shop/ --to 10.0.0.0/8 --output table
              bulkhead flows --audit deny
              bulkhead flows --follow --workload shop/db-1 --json | jq .cause
            """)

    /// How flows are written.
    enum Output: String, ExpressibleByArgument, CaseIterable {
        /// A line for each.
        case compact
        /// Columns.
        case table
        /// A JSON object a line.
        case json
    }

    @OptionGroup var daemon: DaemonOptions

    @Flag(name: .shortAndLong, help: "Go on with what happens from now on.")
    var follow = false

    @Option(name: .shortAndLong, help: "How flows are written: compact, table or json.")
    var output = Output.compact

    @Flag(name: .long, help: "The same as --output json.")
    var json = false

    @Option(name: .long, help: "How many of the most recent flows to show (default: 100, and 0 with --follow).")
    var last: Int?

    @OptionGroup(title: "Conditions") var filter: FlowFilterOptions

    /// What `GET /v1/flows` answers.
    private struct Recent: Decodable {
        let flows: [FlowReport]
        let lost: UInt64
    }
    /// What `event: lost` carries.
    private struct Lost: Codable {
        let lost: UInt64
    }

    func validate() throws {
        _ = try filter.conditions()
        if let last, !(0...100_000).contains(last) { throw ValidationError("--last is a number from 0 to 100000") }
        if follow && filter.until != nil { throw ValidationError("--follow has no end, so --until says nothing") }
    }

    func run() async throws {
        let query = try filter.query()
        let count = last ?? (follow ? 0 : 100)
        var table = FlowTable(colour: isatty(STDOUT_FILENO) == 1)
        if count > 0 {
            let body = try await daemon.client.get("/v1/flows?" + (query + ["last=\(count)"]).joined(separator: "&"))
            for flow in try DaemonClient.decode(Recent.self, body).flows { try show(flow, &table) }
        }
        guard follow else { return }
        try await daemon.client.follow("/v1/flows?" + (query + ["follow=true"]).joined(separator: "&")) { name, data in
            switch name {
            case "flow": try show(try DaemonClient.decode(FlowReport.self, data), &table)
            case "lost" where json || output == .json: say(data)
            case "lost":
                complain("(\(try DaemonClient.decode(Lost.self, data).lost) events are missing here: too many to keep up)")
            default: break
            }
        }
    }

    private func show(_ flow: FlowReport, _ table: inout FlowTable) throws {
        switch json ? .json : output {
        case .compact: say(flow.line(colour: table.colour))
        case .table: say(table.line(flow))
        case .json: say(try DaemonClient.encode(flow))
        }
    }
}

/// Flows in columns. They are as wide as what they held so far, because a stream has no end to wait for.
struct FlowTable {
    /// Whether decisions are coloured.
    let colour: Bool
    private var widths = [27, 7, 24, 24, 10, 8, 0]
    private var hasHead = false

    init(colour: Bool) { self.colour = colour }

    /// The line of a flow, below the head if it is the first.
    mutating func line(_ flow: FlowReport) -> String {
        let row = [
            flow.time, flow.event, flow.party(flow.source), flow.party(flow.destination), flow.service, flow.decision,
            flow.cause?.text ?? flow.reason ?? "",
        ].map(TerminalText.escaped)
        for column in row.indices.dropLast() { widths[column] = max(widths[column], row[column].count) }
        defer { hasHead = true }
        let head = hasHead ? "" : padded(["TIME", "EVENT", "FROM", "TO", "SERVICE", "DECISION", "WHY"], decision: nil) + "\n"
        return head + padded(row, decision: flow.decision)
    }

    private func padded(_ row: [String], decision: String?) -> String {
        row.indices.map { column in
            let text = row[column] + String(repeating: " ", count: max(0, widths[column] - row[column].count))
            guard colour, column == 5, let decision else { return text }
            return "\u{1b}[\(decision == "allow" ? 32 : 31)m\(text)\u{1b}[0m"
        }.joined(separator: "  ").trimmingSuffix(" ")
    }
}

extension String {
    /// Without the signs at its end.
    fileprivate func trimmingSuffix(_ sign: Character) -> String {
        var text = self[...]
        while text.last == sign { text = text.dropLast() }
        return String(text)
    }
}

extension FlowReport {
    /// An end by its workload's name, else by its address.
    fileprivate func party(_ end: End) -> String { end.workload ?? end.address }
}
