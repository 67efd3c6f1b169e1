// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Keeper
import Logging

/// `bulkhead run`: the daemon, in the foreground.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run the firewall in the foreground; prints `ready` when policy is in force.",
        discussion: """
            Needs root, and keeps six capabilities of it. SIGHUP reads policies and workloads again; SIGUSR2 becomes the binary on disk,
            without losing a frame; SIGTERM and Ctrl-C end in good order.

              bulkhead run --config /etc/bulkhead/bulkhead.yaml
              bulkhead run --config /etc/bulkhead/bulkhead.yaml --take-over    # after an update: no frame is lost
            """)

    @Option(name: .long, help: "The configuration file; `bulkhead check --config FILE` says whether it is understood.")
    var config: String

    @Flag(name: .long, help: "Take ports, flows and memory over from the running daemon, which ends.")
    var takeOver = false

    func run() throws {
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        let code = KeeperProcess.run(configuration: config, takeOver: takeOver)
        if code != 0 { throw Outcome(exitCode: code) }
    }
}
