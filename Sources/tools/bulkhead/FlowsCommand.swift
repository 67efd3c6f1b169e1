// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Telemetry

/// `bulkhead flows`.
struct FlowsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flows", abstract: "Show flows that started, ended or were refused, and why.",
        discussion: """
              bulkhead flows --last 20
              bulkhead flows --follow --decision deny
              bulkhead flows --follow --workload shop/db-1 --json | jq .cause
            """)

    @OptionGroup var daemon: DaemonOptions

    @Flag(name: .shortAndLong, help: "Go on with what happens from now on.")
    var follow = false

    @Flag(name: .long, help: "One JSON object a line.")
    var json = false

    @Option(name: .long, help: "How many of the most recent flows to show (default: 100, and 0 with --follow).")
    var last: Int?

    @Option(name: .long, help: "Only where either end is this workload, NAMESPACE/NAME.")
    var workload: String?

    @Option(name: .long, help: "Only where either end has this address.")
    var address: String?

    @Option(name: .long, help: "Only where either end has this port.")
    var port: String?

    @Option(name: .long, help: "Only connections that got this: allow, deny or reject.")
    var decision: String?

    @Option(name: .long, help: "Only this: start, change, update, end or refused.")
    var event: String?

    /// What `GET /v1/flows` answers.
    private struct Recent: Decodable {
        let flows: [FlowReport]
        let lost: UInt64
    }
    /// What `event: lost` carries.
    private struct Lost: Codable {
        let lost: UInt64
    }

    private var conditions: [(key: String, value: String)] {
        let all = [("workload", workload), ("address", address), ("port", port), ("decision", decision), ("event", event)]
        return all.compactMap { key, value in value.map { (key, $0) } }
    }

    func validate() throws {
        var filter = FlowFilter()
        for (key, value) in conditions {
            if let fault = filter.set(key, to: value) { throw ValidationError(fault) }
        }
        if let last, !(0...4096).contains(last) { throw ValidationError("--last is a number from 0 to 4096") }
    }

    func run() async throws {
        let query = conditions.map { "\($0.key)=\(DaemonClient.escaped($0.value))" }
        let count = last ?? (follow ? 0 : 100)
        if count > 0 {
            let body = try await daemon.client.get("/v1/flows?" + (query + ["last=\(count)"]).joined(separator: "&"))
            for flow in try DaemonClient.decode(Recent.self, body).flows { try show(flow) }
        }
        guard follow else { return }
        try await daemon.client.follow("/v1/flows?" + (query + ["follow=true"]).joined(separator: "&")) { name, data in
            switch name {
            case "flow": try show(try DaemonClient.decode(FlowReport.self, data))
            case "lost" where json: say(data)
            case "lost":
                complain("(\(try DaemonClient.decode(Lost.self, data).lost) events are missing here: too many to keep up)")
            default: break
            }
        }
    }

    private func show(_ flow: FlowReport) throws {
        say(json ? try DaemonClient.encode(flow) : flow.line(colour: isatty(STDOUT_FILENO) == 1))
    }
}
