// SPDX-License-Identifier: Apache-2.0

/// A file of documents as a client sends it: its name stands in places, its text in no other file.
public struct DocumentFile: Codable, Hashable, Sendable {
    /// The name as the client knows it; its ending says the language where the text does not.
    public var name: String
    /// The text.
    public var text: String
    /// A file.
    public init(name: String, text: String) {
        self.name = name
        self.text = text
    }
}

/// What `POST /v1/policy` takes.
public struct ApplyRequest: Codable, Hashable, Sendable {
    /// The documents: all of them, or all policies of `namespace`.
    public var files: [DocumentFile]
    /// Replaces only this namespace's policies; the whole set where absent.
    public var namespace: String?
    /// Says what would come of it and changes nothing.
    public var dryRun: Bool?
    /// Seconds, 1 to 86,400, within which the revision must be confirmed or goes back.
    public var confirm: UInt32?
    /// Whether a confirmation may come over a way that began before the publication.
    public var console: Bool?
    /// Goes back when more distinct (class, class, service) that the old set allows are denied by the new one within the window.
    public var maxNewDenies: UInt32?
    /// Whether foreign documents may lose what has no native form.
    public var lossy: Bool?
    /// Why.
    public var reason: String?
    /// Only if this revision serves now; refused as a conflict otherwise.
    public var ifRevision: Int64?
    /// Whether it is meant that the files hold no document, which takes all policies away.
    public var allowEmpty: Bool?
    /// A request for a whole set.
    public init(files: [DocumentFile]) { self.files = files }
}

/// What `POST /v1/policy/revisions/N/confirm` takes.
public struct ConfirmRequest: Codable, Hashable, Sendable {
    /// The caller says that they reach the box by another way than through it; told in the audit log.
    public var console: Bool?
    /// An empty request.
    public init() {}
}

/// What `POST /v1/policy/revisions/N/rollback` takes.
public struct RollbackRequest: Codable, Hashable, Sendable {
    /// As in `ApplyRequest`.
    public var dryRun: Bool?
    /// As in `ApplyRequest`.
    public var confirm: UInt32?
    /// As in `ApplyRequest`.
    public var console: Bool?
    /// As in `ApplyRequest`.
    public var maxNewDenies: UInt32?
    /// As in `ApplyRequest`.
    public var reason: String?
    /// An empty request.
    public init() {}
}

/// What came of a change, or would.
public struct ChangeReport: Codable, Sendable {
    /// A box of what differs.
    public struct Box: Codable, Hashable, Sendable {
        /// Who, in words.
        public var sources: String
        /// To whom, in words.
        public var destinations: String
        /// On what, as policies write it.
        public var services: [String]
        /// allow, deny or reject before.
        public var old: String
        /// allow, deny or reject behind it.
        public var new: String
        /// Whether it lets more through.
        public var widening: Bool

        /// A box.
        public init(sources: String, destinations: String, services: [String], old: String, new: String, widening: Bool) {
            (self.sources, self.destinations, self.services) = (sources, destinations, services)
            (self.old, self.new, self.widening) = (old, new, widening)
        }
    }

    /// A live flow that the new set would not allow.
    public struct Cut: Codable, Hashable, Sendable {
        /// Who opened it: address and port.
        public var source: String
        /// To whom: address and port.
        public var destination: String
        /// What it is: `tcp/5432`.
        public var service: String
        /// Names of the workloads at its ends, as they were when it began; absent where there are none, or nobody knows.
        public var sourceWorkload, destinationWorkload: String?
        /// deny or reject.
        public var new: String

        /// A flow without workloads.
        public init(source: String, destination: String, service: String, new: String) {
            (self.source, self.destination, self.service, self.new) = (source, destination, service, new)
        }
    }

    /// `unchanged`, `checked` (a dry run), `published`, `pending` (published, and awaiting its confirmation), or `unanswered`: published,
    /// and the data process has not said yet whether it takes it. Of a reload also `reread`: the files of policies say what they said, and
    /// all else was taken up anew; and `held`: the same, and what the files of policies say now waits for the end of a pending revision.
    public var outcome: String
    /// The revision; `nil` of a dry run, and where nothing changed. Of `reread` and `held` the one that goes on.
    public var revision: RevisionReport?
    /// The generation in force behind it.
    public var generation: UInt32
    /// What differs, widening first, at most 200.
    public var boxes: [Box]
    /// How many boxes differ in all.
    public var boxCount: Int
    /// Whether everything was compared; with false more may differ.
    public var compared: Bool
    /// How many live flows the old set allows and the new one does not; `nil` where nobody counted.
    public var flowsCut: UInt64?
    /// How many live flows were looked at for that, and how many there are in the tables.
    public var flowsKnown, flowsLive: UInt64?
    /// The first of those that would be cut, 100 at most.
    public var cuts: [Cut]?
    /// Findings of lint that the old set did not have, each with its place.
    public var findings: [String]
    /// What foreign documents say and the set does not.
    public var losses: [String]

    /// What came of a change: nothing was compared or found.
    public init(outcome: String, revision: RevisionReport?, generation: UInt32) {
        (self.outcome, self.revision, self.generation) = (outcome, revision, generation)
        (boxes, boxCount, compared, findings, losses) = ([], 0, false, [], [])
    }
}

/// A revision as the API tells it.
public struct RevisionReport: Codable, Hashable, Sendable {
    /// Its number.
    public var revision: Int64
    /// When, RFC 3339.
    public var time: String
    /// SHA-256 of its documents.
    public var digest: String
    /// files, applied or rollback.
    public var source: String
    /// The revision that a rollback returned to.
    public var returnsTo: Int64?
    /// Who asked for it.
    public var actor: String
    /// Why.
    public var reason: String?
    /// pending, confirmed, rolledBack or refused.
    public var outcome: String
    /// Whether it is in force now.
    public var inForce: Bool
    /// When it goes back, RFC 3339; while it is pending.
    public var deadline: String?
    /// All documents as YAML; only where one revision was asked for.
    public var documents: String?

    /// A revision of a source, by somebody; `time` is RFC 3339.
    public init(
        revision: Int64, time: String, digest: String, source: String, actor: String, outcome: String, inForce: Bool
    ) {
        (self.revision, self.time, self.digest, self.source) = (revision, time, digest, source)
        (self.actor, self.outcome, self.inForce) = (actor, outcome, inForce)
    }
}
