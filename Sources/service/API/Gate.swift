// SPDX-License-Identifier: Apache-2.0
internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTPTypes
internal import NIOSSL
internal import Synchronization
internal import Telemetry

/// Lets connections in, as many as may be, and finds out who is at their other end; HTTP is the library's own channel behind it.
///
/// A connection too many is answered at once and closed, so that it holds nothing: waiting in the backlog it would keep everybody else
/// out for as long as it likes. Each server has its own gate: whatever happens at the TLS port, the unix socket stays open to the
/// machine's own people.
struct Gate: ServerChildChannel {
    /// A connection, set up.
    struct Value: ServerChildChannelValue {
        let channel: any Channel
        let http: HTTP1Channel.Value
        /// The version of the clients' authorities that the handshake is held against.
        let trust: UInt64
    }

    private let http: HTTP1Channel
    private let limits: APISettings.Limits
    private let book: RoleBook
    private let tally: Tally
    private let tls: TLSFiles?
    private let open = Crowd()

    init(
        _ responder: @escaping HTTPChannelHandler.Responder, limits: APISettings.Limits, book: RoleBook, tally: Tally,
        tls: TLSFiles?
    ) {
        var configuration = HTTP1Channel.Configuration(
            additionalChannelHandlers: [Patience(limits, tally), UnreadableRequest(limits)],
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: limits.head, maxHeaderListSize: limits.head, maxHeaderFieldCount: limits.headerFields))
        // Patience holds all deadlines.
        configuration.idleTimeout = nil
        http = HTTP1Channel(responder: responder, configuration: configuration)
        self.limits = limits
        self.book = book
        self.tally = tally
        self.tls = tls
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let current = tls?.current
        return channel.eventLoop.makeCompletedFuture {
            // A TLS client says that it ends in TLS; one that only stops sending is gone.
            if tls != nil { try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: false) }
            if let current { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: current.context)) }
        }.flatMap {
            http.setup(channel: channel, logger: logger)
        }.map { Value(channel: channel, http: $0, trust: current?.trust ?? 0) }
    }

    func handle(value: Value, logger: Logger) async {
        let peer: Connection.Peer
        if tls != nil {
            // The server listens only once there are good files; whatever else happens, nobody speaks here without a handshake.
            guard value.trust > 0 else { return await close(value, answering: nil) }
            peer = .remote(address: value.channel.remoteAddress?.ipAddress ?? "unknown")
        } else {
            guard let credentials = await PeerCredentials(value.channel) else { return await close(value, answering: nil) }
            peer = .process(credentials)
        }
        let connection = Connection(value.channel, peer, book, trust: tls.map { ($0, value.trust) })
        guard open.enter(connection.key, limits) else {
            tally.count(\.crowded)
            let problem = Problem(.serviceUnavailable, "there are too many connections; close some of yours, or try again later")
            return await close(value, answering: tls == nil ? problem : nil)
        }
        tally.count(\.accepted)
        tally.count(\.connections)
        defer {
            open.leave(connection.key)
            tally.leave()
        }
        await Connection.$current.withValue(connection) {
            await withTaskCancellationHandler {
                await http.handle(value: value.http, logger: logger)
            } onCancel: {
                // The library only stops reading, and a client that is gone without a word would be waited for.
                value.channel.close(promise: nil)
            }
        }
    }

    /// Ends a connection that was not let in.
    private func close(_ value: Value, answering problem: Problem?) async {
        try? await value.http.executeThenClose { _, outbound in
            guard let problem else { return }
            let body = JSON.body(problem)
            var fields = HTTPFields()
            fields[.contentType] = "application/problem+json"
            fields[.contentLength] = String(body.readableBytes)
            fields[.connection] = "close"
            try await outbound.write(.head(.init(status: .init(code: problem.status), headerFields: fields)))
            try await outbound.write(.body(body))
            try await outbound.write(.end(nil))
        }
    }
}

/// Connections that are open, by peer.
private final class Crowd: Sendable {
    private let open = Mutex<(all: Int, each: [String: Int])>((0, [:]))

    /// Takes one in; false where there are as many as may be.
    func enter(_ key: String, _ limits: APISettings.Limits) -> Bool {
        open.withLock { open in
            let mine = open.each[key, default: 0]
            guard open.all < limits.connections, mine < limits.connectionsPerPeer else { return false }
            open.all += 1
            open.each[key] = mine + 1
            return true
        }
    }

    /// Lets one out.
    func leave(_ key: String) {
        open.withLock { open in
            open.all -= 1
            let left = open.each[key, default: 1] - 1
            open.each[key] = left > 0 ? left : nil
        }
    }
}
