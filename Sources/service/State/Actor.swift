// SPDX-License-Identifier: Apache-2.0

/// Who did something: a user of this machine, the subject of a certificate, or the daemon itself.
public struct Actor: Codable, Hashable, Sendable {
    /// How the daemon knows.
    public enum Kind: String, Codable, Sendable, CaseIterable {
        /// The kernel named the user at the other end of the unix socket.
        case unix
        /// A client certificate, checked against the configured authority.
        case certificate
        /// The daemon itself: a start, a deadline that passed, a file that changed.
        case daemon
    }

    /// How the daemon knows.
    public var kind: Kind
    /// User name or number, SPIFFE URI or distinguished name; what of the daemon for `daemon`.
    public var name: String
    /// The user's number, for `unix`.
    public var uid: UInt32?
    /// From where: the peer's process for `unix`, address and port for `certificate`.
    public var origin: String?

    /// Somebody.
    public init(kind: Kind, name: String, uid: UInt32? = nil, origin: String? = nil) {
        self.kind = kind
        self.name = name
        self.uid = uid
        self.origin = origin
    }

    /// The daemon, by what of it acted.
    public static func daemon(_ what: String) -> Actor { Actor(kind: .daemon, name: what) }

    /// Somebody in words: `ada (uid 1000) at process 812`.
    public var text: String {
        var text = kind == .daemon ? "bulkhead (\(name))" : name
        if let uid, name != String(uid) { text += " (uid \(uid))" }
        return origin.map { "\(text) at \($0)" } ?? text
    }
}
