// SPDX-License-Identifier: Apache-2.0
internal import API
internal import FoundationEssentials
internal import Layout
internal import Sandbox
internal import Glibc
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
    /// As long as keeper waits for the end.
    static let patience = Duration.seconds(3)

    let configuration: String
    let link: KeeperLink
    let log: Logger
    /// The clocks that deadlines go by.
    var clock = DaemonClock.system
    /// How long whoever is being served may hold up an orderly end.
    var patience = Self.patience

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
        let opening = try await offload { try Opening(path) }
        let clock = ClockFile(stateFolder: opening.configuration.state).read()
        try link.send(Message(.orders, clock.latest, clock.beforeLeap, plan: opening.configuration.plan))
        guard let (files, last) = try await files() else { return }
        try await serve(opening, files, last)
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

    /// What keeps the processes from less than they could be kept from; `nil` where nothing does.
    private static func looseness(_ plan: Plan) -> String? {
        guard let mode = SandboxMode(rawValue: UInt8(truncatingIfNeeded: plan.sandbox)), mode != .enforce else { return nil }
        return "sandbox is \(mode.word): files and system calls are not held back; write `sandbox: enforce` and start again"
    }

    private static func rootness() -> String? {
        guard geteuid() == 0 else { return nil }
        return
            "control runs as root, without capabilities: make a user \"bulkhead\", or name one in users.control, and start again"
    }

    private func serve(_ opening: Opening, _ files: KeeperFiles, _ last: (generation: UInt32, epoch: UInt32)) async throws {
        let (hub, inForce, conditions) = (EventHub(), PolicyInForce(), Conditions())
        let live = LiveTable()
        conditions.set("sandbox", Self.looseness(files.plan))
        conditions.set("control-as-root", Self.rootness())
        let configuration = opening.configuration
        let recorder = Recorder(configuration, log: log)
        let names = KnownNames(files.plan, observations: recorder.observations)
        let folder = URL(fileURLWithPath: configuration.socket).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let desk = CaptureDesk(files, names, inForce)
        let course = Course(
            .init(
                link: link, log: log, names: names, inForce: inForce, conditions: conditions, flows: live,
                board: BoardStatus(files: files, failsafe: { inForce.failsafe }), tracing: Tracing(files), clock: clock,
                ports: files.ports, desk: desk),
            opening, last: last)
        let server = APIServer(
            configuration.api, plane: course, hub: hub, observations: recorder.observations,
            slot: course.around.shadow
        ) { [log] in
            // What is wrong stands as a condition as well; most lines say that something is ready or has changed.
            log.notice("\($0)")
        }
        await course.tellReloads { await server.replaceRoles($0.api.roles) }
        let api = APIService(server: server)
        let follower = Follower(
            link: link, hub: hub, desk: desk, listening: api.listening, course: course, isInForce: last.generation > 0)
        // Ended in reverse: first the follower, which ends the streams, then the server, which waits for its clients.
        var group = ServiceGroupConfiguration(
            services: [
                .init(
                    service: ClockSaver(file: ClockFile(stateFolder: configuration.state), board: files.board, log: log)),
                .init(service: recorder),
                .init(
                    service: EventDrain(
                        files: files, names: names, hub: hub, watch: course.watch, shadow: course.shadowDoor,
                        observations: recorder.observations, live: live)),
                .init(service: api),
                .init(service: follower, successTerminationBehavior: .gracefullyShutdownGroup),
            ], logger: log)
        group.maximumGracefulShutdownDuration = patience
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
