// SPDX-License-Identifier: Apache-2.0

/// What `POST /v1/workloads` takes: workloads as documents, or an inventory as `policy import` reads it.
public struct RegisterRequest: Codable, Hashable, Sendable {
    /// The files.
    public var files: [DocumentFile]
    /// Seconds, 10 to 2,592,000, after which they end unless renewed; they last where absent.
    public var lease: UInt32?
    /// A request.
    public init(files: [DocumentFile], lease: UInt32? = nil) {
        self.files = files
        self.lease = lease
    }
}

/// What `PATCH /v1/workloads/NAME` takes: a label that is null goes, another one comes; an empty request renews the lease.
public struct UpdateRequest: Codable, Hashable, Sendable {
    /// Labels by key.
    public var labels: [String: String?]?
    /// A new lease in seconds; the old length where absent.
    public var lease: UInt32?
    /// An empty request.
    public init() {}
}

/// A workload as the API tells it.
public struct WorkloadReport: Codable, Hashable, Sendable {
    /// `namespace/name`, or the name alone.
    public var name: String
    /// Its labels.
    public var labels: [String: String]
    /// Its addresses.
    public var addresses: [String]
    /// Zones it may appear in; any where empty.
    public var zones: [String]
    /// Where it is written (`file:line:column`), or `registered by WHO`.
    public var origin: String
    /// When its lease ends, RFC 3339.
    public var leaseUntil: String?
    /// Those of its addresses that another one claims as well: nobody's labels, denied.
    public var contested: [String]

    /// A workload without a lease of which nothing is contested.
    public init(name: String, labels: [String: String], addresses: [String], zones: [String], origin: String) {
        (self.name, self.labels, self.addresses) = (name, labels, addresses)
        (self.zones, self.origin, contested) = (zones, origin, [])
    }
}

/// What came of a change of the inventory.
public struct InventoryReport: Codable, Hashable, Sendable {
    /// The inventory epoch in force behind it.
    public var epoch: UInt32
    /// The generation in force; a label set that no policy knew yet takes a new one.
    public var generation: UInt32
    /// Names of what changed.
    public var workloads: [String]
    /// From acceptance to the last slot of the address map written, in microseconds.
    public var microseconds: UInt64
    /// Addresses that became contested.
    public var contested: [String]

    /// What came of a change.
    public init(epoch: UInt32, generation: UInt32, workloads: [String], microseconds: UInt64, contested: [String]) {
        (self.epoch, self.generation, self.workloads) = (epoch, generation, workloads)
        (self.microseconds, self.contested) = (microseconds, contested)
    }
}

/// What `POST /v1/bypass` takes.
public struct BypassRequest: Codable, Hashable, Sendable {
    /// Seconds, 1 to 86,400.
    public var seconds: UInt32
    /// Why; must be said.
    public var reason: String
    /// A request.
    public init(seconds: UInt32, reason: String) {
        self.seconds = seconds
        self.reason = reason
    }
}

/// Whether everything is forwarded.
public struct BypassReport: Codable, Hashable, Sendable {
    /// Whether a bypass is on.
    public var active: Bool
    /// When it ends, RFC 3339.
    public var until: String?
    /// Who began it.
    public var actor: String?
    /// Why.
    public var reason: String?

    /// Whether one is on, and no more.
    public init(active: Bool) { self.active = active }
}

/// A line of the audit log as the API tells it.
public struct AuditReport: Codable, Hashable, Sendable {
    /// Its number.
    public var number: Int64
    /// When, RFC 3339.
    public var time: String
    /// Who, and from where.
    public var actor: String
    /// What.
    public var action: String
    /// On what.
    public var object: String?
    /// done, refused or failed.
    public var result: String
    /// Why, or what was wrong.
    public var reason: String?
    /// Digests of the revision in force before and behind it.
    public var old, new: String?
    /// The line's own digest.
    public var digest: String

    /// A line; `time` is RFC 3339.
    public init(number: Int64, time: String, actor: String, action: String, result: String, digest: String) {
        (self.number, self.time, self.actor) = (number, time, actor)
        (self.action, self.result, self.digest) = (action, result, digest)
    }
}
