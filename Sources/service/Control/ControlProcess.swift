// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Glibc
internal import Layout
internal import Logging
internal import Policy
internal import ServiceLifecycle
internal import UnixSignals

/// The control process: configuration, policy, API, telemetry. Keeper starts it and starts it again; no frame waits for it.
public enum ControlProcess {
    /// The descriptor at which keeper leaves the channel to it.
    static let channel: Int32 = 3

    /// Runs the process with what stands behind `control` on its command line: `--config FILE`. Returns the exit code: 0 after an
    /// orderly end, 1 when something is wrong, which stands on standard error then, 2 when nobody but keeper should have called it.
    public static func run(arguments: [String]) async -> Int32 {
        guard arguments.count == 2, arguments[0] == "--config" else {
            complain("bulkhead control is started by `bulkhead run --config FILE`")
            return 2
        }
        let channel = Channel(adopting: channel)
        guard channel.peer != nil else {
            complain("bulkhead control is started by `bulkhead run --config FILE`")
            return 2
        }
        // Sockets and files are for our group at most; set before there is another thread.
        umask(0o007)
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            // The server's own voice: it tells every start and stop, which ours tells better.
            if label == APIServer.label { handler.logLevel = .critical }
            return handler
        }
        return await run(
            configuration: arguments[1], channel: channel, log: Logger(label: "control"), signals: [.sigterm, .sigint])
    }

    /// Runs a session over a channel to keeper until it ends; the exit code.
    static func run(configuration: String, channel: Channel, log: Logger, signals: [UnixSignal]) async -> Int32 {
        let link = KeeperLink(channel)
        defer { link.hangUp() }
        let session = ControlSession(configuration: configuration, link: link, log: log)
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: session, successTerminationBehavior: .gracefullyShutdownGroup)],
                gracefulShutdownSignals: signals, logger: log))
        do {
            try await group.run()
            return 0
        } catch let error as PolicyError {
            // Bare, so that people and editors find the place.
            complain("\(error)")
        } catch {
            log.error("\(error)")
        }
        return 1
    }

    private static func complain(_ text: String) {
        let line = Array((text + "\n").utf8)
        _ = unsafe write(STDERR_FILENO, line, line.count)
    }
}
