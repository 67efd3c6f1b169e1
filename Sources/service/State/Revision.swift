// SPDX-License-Identifier: Apache-2.0

/// One complete policy that was ever asked for: all documents beside the inventory, and what became of them.
///
/// Revisions are a line, not a tree: each has the number behind the last one. The one that serves is the latest that was confirmed; one
/// that awaits its confirmation is in force meanwhile and gives way to the one before when its time is over.
public struct Revision: Codable, Hashable, Sendable {
    /// Where a revision came from.
    public enum Source: String, Codable, Sendable, CaseIterable {
        /// The files that the configuration names, at a start or a reload.
        case files
        /// A client's `policy apply`.
        case applied
        /// A return to an earlier one.
        case rollback
    }
    /// What became of it.
    public enum Outcome: String, Codable, Sendable, CaseIterable {
        /// In force until its deadline, unless somebody confirms it.
        case pending
        /// It stands.
        case confirmed
        /// Taken back: not confirmed in time, or it denied more than was allowed it.
        case rolledBack
        /// The data process refused it after it had been written down; it never was in force.
        case refused
    }

    /// From 1, without gaps.
    public var number: Int64
    /// When it was accepted, in nanoseconds since 1970.
    public var time: Int64
    /// SHA-256 of `documents`, as 64 hexadecimal digits.
    public var digest: String
    /// Where it came from.
    public var source: Source
    /// The revision that a rollback returned to.
    public var returnsTo: Int64?
    /// Who asked for it.
    public var actor: Actor
    /// Why, in the words of whoever asked.
    public var reason: String?
    /// What became of it.
    public var outcome: Outcome
    /// When it goes back unless it is confirmed, in nanoseconds since 1970; for `pending`.
    public var deadline: Int64?
    /// The terms on which it is pending, where whoever added it said any.
    public var probation: Probation?
    /// All documents in the language's normal form, as YAML.
    public var documents: String
    /// Where each document and its rules were written (see `PolicyReport.Written`), as JSON.
    public var places: String

    /// A revision.
    public init(
        number: Int64, time: Int64, digest: String, source: Source, returnsTo: Int64? = nil, actor: Actor, reason: String? = nil,
        outcome: Outcome, deadline: Int64? = nil, probation: Probation? = nil, documents: String, places: String
    ) {
        self.number = number
        self.time = time
        self.digest = digest
        self.source = source
        self.returnsTo = returnsTo
        self.actor = actor
        self.reason = reason
        self.outcome = outcome
        self.deadline = deadline
        self.probation = probation
        self.documents = documents
        self.places = places
    }
}
