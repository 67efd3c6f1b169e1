// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import ServiceLifecycle
internal import Synchronization
public import Telemetry

/// The HTTP servers: one on a unix socket, and where the configuration says so one for other machines over mutual TLS.
///
/// The unix server binds a name of its own beside the socket and renames it into place when it listens: a client meets the old daemon or
/// the new one during a hand-over, never none, and an old daemon that ends late cannot remove the new one's socket. The process's umask
/// should keep others out of the moment before the mode is set; under the socket's own name there is no such moment.
///
/// Nothing about TLS keeps the daemon from its work: files that cannot be used, or an address that is taken, are a condition in `status`,
/// and tried again.
public final class APIServer: Sendable {
    /// The label under which the server's library logs.
    public static let label = "bulkhead-http"
    /// How often TLS files are looked at, and an address that was taken is tried again.
    public static let glance = Duration.seconds(5)

    private let settings: APISettings
    private let book: RoleBook
    private let tally: Tally
    private let files: TLSFiles?
    private let glance: Duration
    private let log: @Sendable (String) -> Void
    private let routes: Routes
    /// What the servers themselves have to say in `status`.
    private let conditions = Conditions()
    private let address = Mutex<String?>(nil)

    /// A server; nothing happens before `run`. `log` takes what an operator should read. A `heartbeat` goes into streams, `glance` is how
    /// often the TLS files are looked at, `now` the clock that requests are counted by, in nanoseconds.
    public init(
        _ settings: APISettings, plane: any ControlPlane, hub: EventHub, observations: Observations? = nil,
        slot: ShadowSlot = ShadowSlot(), heartbeat: Duration = .seconds(15),
        glance: Duration = APIServer.glance, now: @escaping @Sendable () -> UInt64 = { BootTime.now },
        log: @escaping @Sendable (String) -> Void
    ) {
        self.settings = settings
        self.glance = glance
        self.log = log
        let files = settings.tls.map { TLSFiles($0, log: log) }
        self.files = files
        book = RoleBook(settings.roles)
        tally = Tally(reading: settings.limits.reading)
        routes = Routes(
            plane: plane, hub: hub, observations: observations, slot: slot, heartbeat: heartbeat, limits: settings.limits,
            tally: tally,
            conditions: { [conditions] in conditions.all + (files?.conditions(now: Int64(time(nil))) ?? []) }, now: now,
            log: log)
    }

    /// Puts other roles into force, for connections that are open too. Names that are new have an effect once they are found.
    public func replaceRoles(_ roles: [RoleBinding]?) async { book.replace(roles) }

    /// Where the TLS server listens now; `nil` while it does not.
    public var secureAddress: String? { address.withLock { $0 } }

    /// Serves until graceful shutdown or cancellation, then removes the socket. `onListening` is called once clients can connect to the
    /// unix socket, or with an error's text when the socket could not be put into its place.
    public func run(onListening: @escaping @Sendable (String?) async -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await self.serveLocally(onListening) }
            // These two only end with the first one.
            group.addTask { try? await self.lookUpNames() }
            if let tls = settings.tls, let files { group.addTask { try? await self.serveSecurely(tls, files) } }
            try await group.next()
        }
    }

    private func lookUpNames() async throws {
        while true {
            await book.resolve()
            try await Task.sleep(for: RoleBook.interval)
        }
    }
}

extension APIServer {
    private func serveLocally(_ onListening: @escaping @Sendable (String?) async -> Void) async throws {
        let (path, placed) = ("\(settings.socket).\(getpid())", Placed())
        let group = await group()
        let application = application(at: .unixDomainSocket(path: path), tls: nil) { [self] _ in
            if let group, !placed.give(path, to: group) {
                say("socket-group", "the API's socket cannot be given to group \(group): the daemon is no member of it")
            }
            await onListening(placed.place(path, at: settings.socket))
        }
        defer { placed.remove(settings.socket) }
        try await application.run()
    }

    /// The group that may write to the socket: the one that is configured, else `bulkhead` where the machine has it.
    private func group() async -> UInt32? {
        guard let name = settings.group else { return await RoleBook.aside { Accounts.group("bulkhead") } }
        if let number = UInt32(name) { return number }
        let number = await RoleBook.aside { Accounts.group(name) }
        if number == nil {
            say("socket-group", "there is no group \(name): only the daemon's own group may write to the API's socket")
        }
        return number
    }

    /// Raises a condition, and logs it.
    private func say(_ name: String, _ detail: String) {
        if conditions.all.contains(where: { $0.name == name && $0.detail == detail }) { return }
        conditions.raise(name, detail)
        log(detail)
    }

    /// Serves over TLS as soon as there are good files and the address is free, and looks at the files meanwhile.
    private func serveSecurely(_ tls: APISettings.TLS, _ files: TLSFiles) async throws {
        files.look(now: Int64(time(nil)))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while true {
                    try await Task.sleep(for: self.glance)
                    files.look(now: Int64(time(nil)))
                }
            }
            group.addTask {
                while !Task.isShuttingDownGracefully {
                    if files.current != nil { await self.listen(tls, files) }
                    try await Task.sleep(for: self.glance)
                }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    /// One life of the TLS server; an address that cannot be had is a condition.
    private func listen(_ tls: APISettings.TLS, _ files: TLSFiles) async {
        let application = application(at: .hostname(tls.host, port: tls.port), tls: files) { [self] port in
            conditions.clear("api-address")
            let listening = "\(tls.host):\(port ?? tls.port)"
            address.withLock { $0 = listening }
            log("the API listens at \(listening) over TLS")
        }
        do {
            try await application.run()
        } catch {
            say("api-address", "the API cannot listen at \(tls.host):\(tls.port): \(Self.why(error))")
        }
        address.withLock { $0 = nil }
    }

    /// Why an address cannot be had, and what to do.
    private static func why(_ error: any Error) -> String {
        switch (error as? IOError)?.errnoCode {
        case EADDRINUSE: "another program listens there; end it, or give `api.tls.listen` another port"
        case EADDRNOTAVAIL: "this machine has no such address; add it, or change `api.tls.listen`"
        case EACCES, EPERM: "control may not take a port below 1024; give `api.tls.listen` a higher one"
        case let code?: unsafe "\(String(cString: strerror(code))); `api.tls.listen` in the configuration names it"
        case nil: "the name is not known, or no address; `api.tls.listen` in the configuration names it"
        }
    }

    private func application(
        at address: BindAddress, tls: TLSFiles?, onListening: @escaping @Sendable (Int?) async -> Void
    ) -> Application<RouterResponder<Exchange>> {
        let (limits, book, tally) = (settings.limits, book, tally)
        return Application(
            router: routes.router(),
            server: HTTPServerBuilder { Gate($0, limits: limits, book: book, tally: tally, tls: tls) },
            configuration: .init(address: address, serverName: Self.label),
            onServerRunning: { await onListening($0.localAddress?.port) }, logger: Logger(label: Self.label))
    }
}
