// SPDX-License-Identifier: Apache-2.0
internal import API
internal import FoundationEssentials
internal import Layout
internal import Logging
internal import ServiceLifecycle
internal import Telemetry

/// One life of the control process, from the configuration to the last message:
///
///     configuration, documents ─► orders ─► files ─► API listens ─► publish ─► in force ─► reload … stop
///
/// What is wrong before anything is in force ends the process; what is wrong later is logged, and what is in force stays.
struct ControlSession: Service {
    /// A sign of life goes to keeper this often; keeper restarts a control that is silent for ten seconds.
    static let aliveInterval = Duration.seconds(1)

    let configuration: String
    let link: KeeperLink
    let log: Logger

    /// Runs until keeper says stop or goes away, or the process is asked to end. Throws what ended it before its time.
    func run() async throws {
        // A task of its own: compiling takes as long as it takes.
        let alive = Task {
            while !Task.isCancelled {
                try link.send(Message(.alive))
                try await Task.sleep(for: Self.aliveInterval)
            }
        }
        defer { alive.cancel() }
        // Not `cancelOnGracefulShutdown`: it would take messages ahead of whoever listens next, and lose them.
        try await withGracefulShutdownHandler {
            try await work()
        } onGracefulShutdown: {
            link.stopListening()
        }
    }

    private func work() async throws {
        let path = configuration
        let (configuration, source) = try await offload {
            let configuration = try Configuration.load(path)
            var source = PolicySource(configuration)
            // Once for its errors, before keeper touches a port; the generation's number is known only afterwards.
            _ = try source.compile(generation: 1, ports: configuration.ports)
            return (configuration, source)
        }
        try link.send(Message(.orders, plan: configuration.plan))
        guard let (files, last) = try await files() else { return }
        try await serve(configuration, files, source, last)
    }

    /// Waits for keeper's answer to the orders; `nil` when it wants us to end instead.
    private func files() async throws -> (KeeperFiles, last: (generation: UInt32, epoch: UInt32))? {
        for await incoming in link.incoming {
            switch incoming.message.kind {
            case .files:
                let arguments = incoming.message.arguments
                let last = (UInt32(truncatingIfNeeded: arguments[0]), UInt32(truncatingIfNeeded: arguments[1]))
                return (try KeeperFiles(incoming.descriptors), last)
            case .stop: return nil
            default: incoming.dismiss()
            }
        }
        guard Task.isShuttingDownGracefully else { throw KeeperError.gone }
        return nil
    }

    private func serve(
        _ configuration: Configuration, _ files: KeeperFiles, _ source: PolicySource, _ last: (generation: UInt32, epoch: UInt32)
    ) async throws {
        let (hub, names, inForce) = (EventHub(), KnownNames(files.plan), PolicyInForce())
        let recorder = Recorder(configuration, log: log)
        let folder = URL(fileURLWithPath: configuration.socket).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let api = APIService(
            server: APIServer(
                socket: configuration.socket, status: BoardStatus(files: files, failsafe: { inForce.failsafe }),
                policy: { inForce.report }, hub: hub
            ) { [log] in
                log.error("\($0)")
            })
        let follower = Follower(
            link: link, hub: hub, listening: api.listening, log: log,
            publisher: Publisher(source, plan: files.plan, names: names, inForce: inForce, last: last),
            inForce: inForce, isInForce: last.generation > 0)
        // Ended in reverse: first the follower, which ends the streams, then the server, which waits for its clients.
        var group = ServiceGroupConfiguration(
            services: [
                .init(service: recorder),
                .init(service: EventDrain(files: files, names: names, hub: hub, observations: recorder.observations)),
                .init(service: api),
                .init(service: follower, successTerminationBehavior: .gracefullyShutdownGroup),
            ], logger: log)
        group.maximumGracefulShutdownDuration = .seconds(3)
        try await ServiceGroup(configuration: group).run()
    }
}

/// The API's server as a service, and word of when clients can connect.
struct APIService: Service {
    let server: APIServer
    /// One item: `nil` when the server listens, else what went wrong.
    let listening: AsyncStream<String?>
    private let tell: AsyncStream<String?>.Continuation

    init(server: APIServer) {
        self.server = server
        (listening, tell) = AsyncStream.makeStream()
    }

    func run() async throws {
        do {
            try await server.run { [tell] in tell.yield($0) }
        } catch {
            tell.yield("the API cannot listen: \(error)")
            throw error
        }
    }
}
