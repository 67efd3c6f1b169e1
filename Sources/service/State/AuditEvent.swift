// SPDX-License-Identifier: Apache-2.0

/// What a line of the audit log will say, before it has a place in the log.
public struct AuditEvent: Hashable, Sendable {
    /// When, in nanoseconds since 1970.
    public var time: Int64
    /// Who.
    public var actor: Actor
    /// What: a word and a dot and a word.
    public var action: String
    /// On what. Never a secret.
    public var object: String?
    /// What came of it.
    public var result: AuditEntry.Result
    /// Why, or what was wrong.
    public var reason: String?
    /// Digest of the revision in force before.
    public var old: String?
    /// Digest of the revision in force behind it.
    public var new: String?

    /// An event.
    public init(
        _ action: String, of object: String?, by actor: Actor, _ result: AuditEntry.Result, reason: String? = nil,
        old: String? = nil, new: String? = nil, time: Int64
    ) {
        self.time = time
        self.actor = actor
        self.action = action
        self.object = object
        self.result = result
        self.reason = reason
        self.old = old
        self.new = new
    }
}
