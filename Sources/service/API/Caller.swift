// SPDX-License-Identifier: Apache-2.0
public import State

/// Whoever asks over one connection: who they are, what they may, and since when they are connected.
public struct Caller: Sendable {
    /// Who.
    public var actor: Actor
    /// What they may.
    public var grants: Grants
    /// When their way to here began, in nanoseconds of the boot-time clock: the TLS handshake, or the login behind the process at
    /// the other end of the unix socket. `nil` where nobody can tell. A confirmation must come over a way that began after the
    /// publication, because an old one may live on where a new one would be denied.
    public var began: UInt64?

    /// A caller.
    public init(actor: Actor, grants: Grants, began: UInt64?) {
        self.actor = actor
        self.grants = grants
        self.began = began
    }
}

/// What somebody may do: the sum of the roles that the configuration binds to them.
public struct Grants: Hashable, Sendable {
    /// What a policy editor may change: policies of one namespace, in the tiers that are named.
    public struct Edit: Hashable, Sendable {
        /// The namespace.
        public var namespace: String
        /// The tiers; the built-in one where none is named.
        public var tiers: Set<String>
        /// An editor's range.
        public init(namespace: String, tiers: Set<String>) {
            self.namespace = namespace
            self.tiers = tiers
        }
    }

    /// May see everything but the audit log's and captures' contents.
    public var isViewer = false
    /// May besides operate: workloads, bypass, confirm and roll back what is theirs to confirm, reload, capture.
    public var isOperator = false
    /// May change policies within these ranges.
    public var edits: Set<Edit> = []
    /// May do everything.
    public var isAdministrator = false

    /// Nothing.
    public init() {}

    /// Everything.
    public static var all: Grants {
        var grants = Grants()
        (grants.isViewer, grants.isOperator, grants.isAdministrator) = (true, true, true)
        return grants
    }
}
