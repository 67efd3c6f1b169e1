// SPDX-License-Identifier: Apache-2.0
internal import API
internal import FoundationEssentials
internal import Glibc
internal import Layout
internal import Logging
internal import Policy
internal import Sandbox
internal import ServiceLifecycle
internal import UnixSignals

/// The control process: configuration, policy, API, telemetry. Keeper starts it and starts it again; no frame waits for it.
public enum ControlProcess {
    /// The descriptor at which keeper leaves the channel to it.
    static let channel: Int32 = 3

    /// The most seconds that keeper takes to answer the first message: it makes folders.
    static let patience: Int32 = 10

    /// A process that has given up what it does not need, and is ready to run.
    public struct Start: Sendable {
        let configuration: String
        let channel: Channel
        let sandbox: SandboxMode
    }

    /// How a start went.
    public enum Beginning: Sendable {
        /// It can run.
        case ready(Start)
        /// It ends with this exit code; why stands on standard error.
        case over(Int32)
    }

    /// Gives up what this process does not need, in the order in which that can be done: capabilities and user first, then, when
    /// the configuration has said which folders it needs and keeper has made them, files and system calls. What stands behind
    /// `control` on the command line is `--config FILE --identity USER:GROUP`; without an identity the user stays. To be called
    /// before the process has a second thread: most of it holds for the calling thread and those that it starts.
    public static func begin(arguments: [String]) -> Beginning {
        let channel = Channel(adopting: channel)
        let identity = arguments.count == 4 && arguments[2] == "--identity" ? Identity(arguments[3]) : nil
        guard arguments.first == "--config", arguments.count == 2 || identity != nil, channel.peer != nil else {
            complain("bulkhead control is started by `bulkhead run --config FILE`")
            return .over(2)
        }
        // Sockets and files are for our group at most.
        umask(0o007)
        do {
            // Its user's other groups stay: a socket can be given to one of them (`api.group`), and to no other.
            try Privileges.drop(to: identity, groups: identity?.otherGroups ?? [])
            try Privileges.forbidDumps()
            let configuration = try Configuration.load(arguments[1])
            guard try isPrepared(configuration, channel) else { return .over(0) }
            try confine(configuration)
            return .ready(Start(configuration: arguments[1], channel: channel, sandbox: configuration.sandbox))
        } catch let error as PolicyError {
            // Bare, so that people and editors find the place.
            complain("\(error)")
        } catch {
            complain("bulkhead control: \(error)")
        }
        return .over(1)
    }

    /// Lets keeper make the folders, and goes where no worker is. False when it wants this process to end instead.
    private static func isPrepared(_ configuration: Configuration, _ channel: Channel) throws -> Bool {
        try channel.send(Message(.prepare, plan: try configuration.preparation()))
        while true {
            guard channel.isReadable(within: patience * 1000) else { throw KeeperError.incomplete("no answer") }
            let (message, descriptors) = try channel.receive()
            KeeperLink.Incoming(message: message, descriptors: descriptors).dismiss()
            switch message.kind {
            case .prepared:
                if !message.processors.hold() { Placement.giveWay() }
                return true
            case .stop: return false
            // A reload that was asked for meanwhile: everything is just being read.
            default: continue
            }
        }
    }

    /// Holds the process to its files and system calls from now on.
    private static func confine(_ configuration: Configuration) throws {
        // The socket's folder must be there when the rules are made.
        let folder = Configuration.parent(of: configuration.socket)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try configuration.fileRules.install(configuration.sandbox)
        try SystemCallFilter.control.install(configuration.sandbox)
    }

    /// Runs the process until it ends; the exit code: 0 after an orderly end, 1 when something is wrong, which stands on standard
    /// error then.
    public static func run(_ start: Start) async -> Int32 {
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            // The server's own voice: it tells every start and stop, which ours tells better.
            if label == APIServer.label { handler.logLevel = .critical }
            return handler
        }
        let log = Logger(label: "control")
        if start.sandbox != .enforce {
            log.warning("sandbox is \(start.sandbox.word): processes are not held to the system calls and files that they need")
        } else if FileRules.version == 0 {
            log.warning("this kernel has no Landlock: control is held to its system calls, and not to its files")
        }
        return await run(
            configuration: start.configuration, channel: start.channel, log: log, signals: [.sigterm, .sigint])
    }

    /// Runs a session over a channel to keeper until it ends, which whoever is being served may hold up so long; the exit code.
    static func run(
        configuration: String, channel: Channel, log: Logger, signals: [UnixSignal], patience: Duration = ControlSession.patience
    ) async -> Int32 {
        let link = KeeperLink(channel)
        defer { link.hangUp() }
        let session = ControlSession(configuration: configuration, link: link, log: log, patience: patience)
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
