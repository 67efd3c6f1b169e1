// SPDX-License-Identifier: Apache-2.0
import API
import ArgumentParser
import Telemetry

/// `bulkhead policy shadow`.
struct ShadowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shadow", abstract: "Rehearse a change: judge a candidate on live connections, and cut none of them.",
        discussion: """
            The policy in force decides alone. The daemon asks the candidate about every connection that starts or is refused, and keeps
            those that it would decide otherwise, with what settled them on either side:

              bulkhead policy shadow start policies/ --for 1h --reason "ticket 7"
              bulkhead policy shadow report
              bulkhead policy shadow report --closes --follow
              bulkhead policy shadow stop
              bulkhead policy apply policies/ --confirm 60s

            What is not seen is counted and said: connections that were open before, what came too fast, and what policy alone does not
            decide. One candidate is shadowed at a time. It ends by itself, with control's restart too, which `bulkhead status` says.
            """,
        subcommands: [
            ShadowStartCommand.self, ShadowStatusCommand.self, ShadowReportCommand.self, ShadowStopCommand.self,
        ])
}

/// `bulkhead policy shadow start`.
struct ShadowStartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Judge a candidate on live connections from now on.",
        discussion: """
            The documents are read, checked and compared as by `bulkhead policy apply --dry-run`: they are the whole set of policies, with
            --namespace all policies of that namespace. Workloads that come, go and move do so for the candidate as well, and when
            the policy in force changes the candidate is compiled anew beside it.

              bulkhead policy shadow start policies/ --for 8h
              bulkhead policy shadow start shop.yaml --namespace shop

            Exit codes: 0 it runs; 1 refused, with the places on standard error; 2 wrong usage.
            """)

    @Argument(help: .init("Files, and folders with all .yaml, .yml and .json below them.", valueName: "path"))
    var paths: [String]

    @Option(name: .customLong("for"), help: .init("How long, 1s to 31d.", valueName: "time"))
    var length = Seconds(3600)

    @Option(
        name: .long,
        help: .init(
            "Replace the policies of this namespace and nothing else; an editor's only namespace is implied.", valueName: "name"))
    var namespace: String?

    @Option(name: .long, help: .init("Why; it stands in the report and in the audit log.", valueName: "text"))
    var reason: String?

    @Flag(name: .long, help: "Leave out what has no native form in importable documents, and say what.")
    var lossy = false

    @Flag(name: .long, help: "Shadow the absence of all policies where the files hold no document; refused otherwise.")
    var allowEmpty = false

    @Flag(name: .long, help: "One JSON document for machines.")
    var json = false

    @OptionGroup var daemon: DaemonOptions

    func validate() throws { try length.check("--for", ShadowRequest.lengths, "1s to 31d") }

    func run() async throws {
        var request = ShadowRequest(files: try DocumentFile.read(paths), seconds: length.count)
        (request.namespace, request.reason) = (namespace, reason)
        (request.lossy, request.allowEmpty) = (lossy ? true : nil, allowEmpty ? true : nil)
        let body = try await daemon.client.ask(.post, "/v1/policy/shadow", body: request)
        guard !json else { return say(body) }
        let start = try DaemonClient.decode(ShadowStart.self, body)
        say(start.change.differences(.ofTerminal).joined(separator: "\n"))
        say(
            "the candidate is judged on live connections until \(TerminalText.escaped(start.shadow.until)), and nothing is cut:\n"
                + "  bulkhead policy shadow report")
    }
}

/// `bulkhead policy shadow status`.
struct ShadowStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Say how the run stands, in a few lines.",
        discussion: "Exit codes: 0 a candidate is shadowed; 1 none is, or the daemon cannot be asked.")

    @Flag(name: .long, help: "One JSON document for machines.")
    var json = false

    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let body = try await daemon.client.get("/v1/policy/shadow?limit=1")
        let report = try DaemonClient.decode(ShadowReport.self, body)
        say(json ? body : report.summary.joined(separator: "\n"))
        if report.state != "running" { throw Outcome.failed }
    }
}

/// `bulkhead policy shadow stop`.
struct ShadowStopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "End the run; its report stays until the next one begins, or control ends.")

    @Flag(name: .long, help: "One JSON document for machines.")
    var json = false

    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let body = try await daemon.client.ask(.delete, "/v1/policy/shadow")
        let report = try DaemonClient.decode(ShadowReport.self, body)
        say(json ? body : report.summary.joined(separator: "\n"))
    }
}
