// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Hummingbird
public import Telemetry

/// The HTTP server on a unix socket. Whoever may write to the socket may ask: its mode is 0660, so the folder's group decides.
///
/// It binds a name of its own beside the socket and renames it into place when it listens: a client meets the old daemon or the
/// new one during a hand-over, never none, and an old daemon that ends late cannot remove the new one's socket. The process's umask
/// should keep others out of the moment before the mode is set; under the socket's own name there is no such moment.
public struct APIServer: Sendable {
    /// The label under which the server's library logs.
    public static let label = "bulkhead-http"

    private let socket: String
    private let routes: Routes

    /// A server for the socket at `socket`; nothing happens before `run`. `policy` is the set in force, `nil`
    /// before there is one; `log` takes what an operator should read.
    public init(
        socket: String, status: any StatusSource, policy: @escaping @Sendable () -> PolicyReport?, hub: EventHub,
        heartbeat: Duration = .seconds(15), log: @escaping @Sendable (String) -> Void
    ) {
        self.socket = socket
        routes = Routes(status: status, policy: policy, hub: hub, heartbeat: heartbeat, log: log)
    }

    /// Serves until graceful shutdown or cancellation, then removes the socket. `onListening` is called once clients can connect,
    /// or with an error's text when the socket could not be put into its place.
    public func run(onListening: @escaping @Sendable (String?) async -> Void) async throws {
        let own = "\(socket).\(getpid())"
        let placed = Placed()
        let application = Application(
            router: routes.router(),
            configuration: .init(address: .unixDomainSocket(path: own), serverName: Self.label),
            onServerRunning: { _ in await onListening(placed.place(own, at: socket)) })
        defer { placed.remove(socket) }
        try await application.run()
    }
}
