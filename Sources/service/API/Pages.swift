// SPDX-License-Identifier: Apache-2.0

/// What `GET /v1/policy/revisions` answers.
public struct RevisionPage: Codable, Hashable, Sendable {
    /// Revisions from the newest, without their documents.
    public var revisions: [RevisionReport]
    /// What `before` has to be for the next page; absent where this is the last one.
    public var next: Int64?
    /// A page.
    public init(revisions: [RevisionReport], next: Int64?) {
        self.revisions = revisions
        self.next = next
    }
}

/// What `GET /v1/workloads` answers.
public struct WorkloadPage: Codable, Hashable, Sendable {
    /// Workloads by name.
    public var workloads: [WorkloadReport]
    /// What `after` has to be for the next page; absent where this is the last one.
    public var next: String?
    /// A page.
    public init(workloads: [WorkloadReport], next: String?) {
        self.workloads = workloads
        self.next = next
    }
}

/// What `GET /v1/audit` answers.
public struct AuditPage: Codable, Hashable, Sendable {
    /// Lines from the newest.
    public var entries: [AuditReport]
    /// What `before` has to be for the next page; absent where this is the last one.
    public var next: Int64?
    /// A page.
    public init(entries: [AuditReport], next: Int64?) {
        self.entries = entries
        self.next = next
    }
}
