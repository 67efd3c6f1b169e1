// SPDX-License-Identifier: Apache-2.0

/// One line of the audit log: a change, or a refused attempt at one. Each line's digest covers the line before it.
public struct AuditEntry: Codable, Hashable, Sendable {
    /// What was decided about the attempt.
    public enum Result: String, Codable, Sendable, CaseIterable {
        /// Done.
        case done
        /// Refused: whoever asked may not, or what they asked for is wrong.
        case refused
        /// Begun and not finished: the daemon could not.
        case failed
    }

    /// From 1, without gaps.
    public var number: Int64
    /// When, in nanoseconds since 1970.
    public var time: Int64
    /// Who.
    public var actor: Actor
    /// What: `policy.apply`, `policy.confirm`, `policy.rollback`, `bypass.begin`, `bypass.end`, `workload.add`, … A word and a dot and a word.
    public var action: String
    /// On what: `revision 7`, `workload shop/web-1`. Never a secret.
    public var object: String?
    /// What came of it.
    public var result: Result
    /// Why, or what was wrong.
    public var reason: String?
    /// Digest of the revision in force before.
    public var old: String?
    /// Digest of the revision in force behind it.
    public var new: String?
    /// HMAC-SHA256 over the entry before and this one's fields, as 64 hexadecimal digits.
    public var digest: String

    /// An entry.
    public init(
        number: Int64, time: Int64, actor: Actor, action: String, object: String? = nil, result: Result, reason: String? = nil,
        old: String? = nil, new: String? = nil, digest: String
    ) {
        self.number = number
        self.time = time
        self.actor = actor
        self.action = action
        self.object = object
        self.result = result
        self.reason = reason
        self.old = old
        self.new = new
        self.digest = digest
    }
}
