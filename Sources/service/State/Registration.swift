// SPDX-License-Identifier: Apache-2.0

/// A workload that came through the API and not from a file.
public struct Registration: Codable, Hashable, Sendable {
    /// `namespace/name`, or the name alone.
    public var name: String
    /// The workload's document in the language's normal form, as YAML.
    public var document: String
    /// Who registered it; a caller that may not change everything may only change its own.
    public var actor: Actor
    /// When it was registered, in nanoseconds since 1970: of equal claims on an address none wins, and both say since when.
    public var since: Int64
    /// When it ends unless it is renewed, in nanoseconds since 1970; `nil` for one that lasts.
    public var leaseUntil: Int64?

    /// A registration.
    public init(name: String, document: String, actor: Actor, since: Int64, leaseUntil: Int64? = nil) {
        self.name = name
        self.document = document
        self.actor = actor
        self.since = since
        self.leaseUntil = leaseUntil
    }
}

/// Registrations that come or go together, all or none, with their lines of the audit log.
public struct RegistrationChange: Sendable {
    /// Those that come, or take the place of those with their names.
    public var coming: [Registration]
    /// The names of those that go; one that is not there is no error.
    public var going: [String]
    /// What is written into the audit log with it.
    public var lines: [AuditEvent]

    /// A change.
    public init(coming: [Registration] = [], going: [String] = [], lines: [AuditEvent] = []) {
        self.coming = coming
        self.going = going
        self.lines = lines
    }
}
