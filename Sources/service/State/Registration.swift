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
