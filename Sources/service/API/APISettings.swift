// SPDX-License-Identifier: Apache-2.0

/// How the API is served: what the configuration's `socket`, `api` and `roles` say.
public struct APISettings: Hashable, Sendable {
    /// The server for other machines: mutual TLS 1.3, or nothing.
    public struct TLS: Hashable, Sendable {
        /// Address to listen at.
        public var host: String
        /// Port to listen at.
        public var port: Int
        /// Files in PEM: the server's certificate with what stands between it and its root, its key, and the authorities of clients.
        public var certificate, key, clientAuthority: String

        /// A server's place and files.
        public init(host: String, port: Int, certificate: String, key: String, clientAuthority: String) {
            self.host = host
            self.port = port
            self.certificate = certificate
            self.key = key
            self.clientAuthority = clientAuthority
        }
    }

    /// How much clients may take.
    public struct Limits: Hashable, Sendable {
        /// Connections of each of the servers.
        public var connections = 256
        /// Connections of one user, or of one address.
        public var connectionsPerPeer = 64
        /// Requests of one caller in a second; twice as many at once.
        public var requestsPerSecond = 4000
        /// Bytes of a request that brings documents.
        public var documents = 16 << 20
        /// Bytes of a request that brings fields.
        public var fields = 64 << 10
        /// Bytes of all requests that are being read at one time.
        public var reading = 64 << 20
        /// Bytes of a request's head, and its header fields.
        public var head = 16 << 10, headerFields = 64
        /// Time from a connection to its first request, handshake included.
        public var firstRequest = Duration.seconds(10)
        /// Time from one answer to the next request.
        public var idle = Duration.seconds(60)
        /// Time from a request's head to its end.
        public var wholeRequest = Duration.seconds(30)
        /// Time in which a client must take something of an answer.
        public var progress = Duration.seconds(15)

        /// The usual limits.
        public init() {}
    }

    /// The unix socket's path.
    public var socket: String
    /// The group that may write to it, by name or number; `bulkhead` where the machine has it and nothing is said.
    public var group: String?
    /// The server for other machines.
    public var tls: TLS?
    /// Who may what; see `Roles`.
    public var roles: [RoleBinding]?
    /// How much clients may take.
    public var limits = Limits()

    /// A server on a unix socket, and every choice left to its default.
    public init(socket: String) { self.socket = socket }
}
