// SPDX-License-Identifier: Apache-2.0

/// What a layer-7 program must see before a connection, or a request on it, may pass. The model carries it whole; what cannot run it
/// refuses the set (`PolicySet.unenforceable`).
public struct LayerSevenProgram: Hashable, Sendable {
    /// What is looked at.
    public enum Match: Hashable, Sendable {
        /// HTTP requests, of which one of these must match; an empty list lets every request pass.
        case http([HTTPMatch])
        /// The server name of a TLS handshake (RFC 6066, 3).
        case tls([DNSPattern])
        /// The name that a DNS query asks for.
        case dns([DNSPattern])

        /// Its name, as policies write it.
        public var name: String {
            switch self {
            case .http: "http"
            case .tls: "tls"
            case .dns: "dns"
            }
        }
    }

    /// What is looked at.
    public var match: Match
    /// Which program runs where several match the same connection: the smallest; without one it comes last.
    public var priority: Int?

    /// A program.
    public init(_ match: Match, priority: Int? = nil) {
        self.match = match
        self.priority = priority
    }
}

/// One kind of HTTP request: every field that is there must hold, and a field with a list when one of its values does.
public struct HTTPMatch: Hashable, Sendable {
    /// A header field.
    public struct Header: Hashable, Sendable {
        /// Its name, in lower case.
        public var name: String
        /// What it must look like.
        public var value: TextPattern
        /// A header field.
        public init(name: String, value: TextPattern) {
            self.name = name.lowercased()
            self.value = value
        }
    }

    /// Methods.
    public var methods: [TextPattern]?
    /// Methods that it must not have.
    public var notMethods: [TextPattern]?
    /// Paths.
    public var paths: [TextPattern]?
    /// Paths that it must not have.
    public var notPaths: [TextPattern]?
    /// Hosts; case does not matter.
    public var hosts: [TextPattern]?
    /// Hosts that it must not have.
    public var notHosts: [TextPattern]?
    /// Header fields, all of which it must have.
    public var headers: [Header]?

    /// Every request.
    public init() {}
}
