// SPDX-License-Identifier: Apache-2.0
import API
import ArgumentParser
import Telemetry

/// `bulkhead bypass`.
struct BypassCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bypass", abstract: "Let everything pass unjudged for a while.",
        discussion: """
            It ends by itself, also when the daemon is restarted meanwhile, and `bulkhead status` says so for as long as it lasts.
            Connections that begin in it are picked up when it ends, as after a restart.

              bulkhead bypass --for 15m --reason "vendor is on the line"
              bulkhead bypass --end
            """)

    @Option(name: .customLong("for"), help: .init("How long, 1s to 1d.", valueName: "time"))
    var length: Seconds?

    @Option(name: .long, help: .init("Why; it stands in the audit log.", valueName: "text"))
    var reason: String?

    @Flag(name: .long, help: "End it now.")
    var end = false

    @Flag(name: .long, help: "One JSON document for machines.")
    var json = false

    @OptionGroup var daemon: DaemonOptions

    func validate() throws {
        guard end || length != nil else { throw ValidationError("say how long, --for 15m, or --end") }
        guard !end || (length == nil && reason == nil) else { throw ValidationError("--end goes alone") }
        try length?.check("--for", 1...86_400, "1s to 1d")
        if !end && !(reason?.contains { !$0.isWhitespace } ?? false) {
            throw ValidationError("say why, in a few words: --reason TEXT")
        }
    }

    func run() async throws {
        let request = length.map { BypassRequest(seconds: $0.count, reason: reason ?? "") }
        let body = try await daemon.client.ask(end ? .delete : .post, "/v1/bypass", body: request)
        let report = try DaemonClient.decode(BypassReport.self, body)
        if json { return say(body) }
        say(
            report.active
                ? "everything passes unjudged until \(TerminalText.escaped(report.until ?? "it is ended")); `bulkhead bypass --end` ends it"
                : "no bypass is on: policy judges")
    }
}

/// `bulkhead reload`.
struct ReloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Have the daemon read its configuration, policies and workloads again.",
        discussion: """
            As a hangup signal to `bulkhead run` does. What cannot be read is told with its place and changes nothing; policies that were
            applied stay in force while the configured files say what they said before. Exit 1 also where the data process has not answered
            for ten seconds, and where changed policies wait because a revision awaits its confirmation.

              bulkhead reload
            """)

    @Flag(name: .long, help: "One JSON document for machines.")
    var json = false

    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        let body = try await daemon.client.ask(.post, "/v1/reload")
        try ChangeReport.tell(body, json: json)
    }
}
