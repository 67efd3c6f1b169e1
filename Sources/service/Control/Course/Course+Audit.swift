// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Compiler
internal import FoundationEssentials
internal import Logging
internal import Policy
internal import State
internal import Telemetry

// What is written down of a change, and of an attempt at one.

/// What a new revision is, beside its documents.
struct Entry: Sendable {
    /// Where it comes from.
    var source: Revision.Source
    /// Who asked for it.
    var actor: Actor
    /// What the audit log calls that.
    var action: String
    /// Why.
    var reason: String?
    /// The revision that a rollback returns to.
    var returnsTo: Int64?
    /// Seconds within which it must be confirmed.
    var confirm: UInt32?
    /// Whether a confirmation may come over a way that began before.
    var console = false
    /// More new denies than this take it back.
    var maxNewDenies: UInt32?
}

extension Course {
    /// A line for the audit log, as of now.
    func event(
        _ action: String, _ object: String?, _ actor: Actor, _ result: AuditEntry.Result, _ reason: String?,
        new: String? = nil
    ) -> AuditEvent {
        AuditEvent(
            action, of: object, by: actor, result, reason: reason, old: serving.revision?.digest, new: new, time: clock.wall())
    }

    /// Writes a line. What was done stands, whether it can be written or not; that it could not is told.
    func log(_ event: AuditEvent) {
        do {
            try store?.log(event)
            tellWitness()
        } catch {
            around.conditions.raise("state", "\(error)")
            around.log.error("the audit log has no line of \(event.action): \(error)")
        }
    }

    /// Writes a revision down, with its line of the audit log.
    func add(_ entry: Entry, _ written: WrittenDocuments) throws(StateError) -> Revision {
        guard let store else { throw StateError(storeFault ?? "there is no state") }
        var probation: Probation?
        if let seconds = entry.confirm {
            let now = clock.boot()
            probation = Probation(
                bootID: clock.bootID, published: now, deadline: now + UInt64(seconds) * 1_000_000_000, console: entry.console,
                maxNewDenies: entry.maxNewDenies)
        }
        let places = (try? JSONEncoder().encode(written.written)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
        let template = event(entry.action, nil, entry.actor, .done, entry.reason)
        let revision = try store.add(
            source: entry.source, returnsTo: entry.returnsTo, actor: entry.actor, reason: entry.reason, documents: written.text,
            places: places, time: clock.wall(), deadline: entry.confirm.map { clock.steady + Int64($0) * 1_000_000_000 },
            probation: probation,
            auditing: { revision in
                var line = template
                line.object = "revision \(revision.number)" + (revision.returnsTo.map { ", as revision \($0)" } ?? "")
                return line
            })
        around.conditions.clear("state")
        tellWitness()
        return revision
    }

    /// The change stands; that the head file beside the log is behind is told, because a cut log could not be told from a whole one.
    private func tellWitness() { around.conditions.set("audit-head", store?.witnessFault) }

    /// The terms of a revision that is pending, by this boot's clock. One of another boot has what the wall clock leaves it, and never more
    /// than it was given.
    func probation(of revision: Revision) -> Probation {
        if let known = revision.probation, known.bootID == clock.bootID { return known }
        let length =
            revision.probation.map { $0.deadline - min($0.deadline, $0.published) }
            ?? UInt64(clamping: (revision.deadline ?? 0) - revision.time)
        let left = min(length, UInt64(clamping: (revision.deadline ?? 0) - clock.steady))
        return Probation(
            bootID: clock.bootID, published: 0, deadline: clock.boot() + left, console: revision.probation?.console ?? false,
            maxNewDenies: revision.probation?.maxNewDenies)
    }

    /// Does what somebody asked for, and writes down what was refused or failed. What was done writes its own line.
    func attempt<Value: Sendable>(
        _ action: String, of object: String?, by caller: Caller, _ body: () async throws -> Value
    ) async throws -> Value {
        do {
            return try await body()
        } catch {
            let refusal = Self.refusal(error)
            let isRefused = refusal.kind != .failed && refusal.kind != .unavailable
            let reason = ([refusal.detail] + refusal.faults.prefix(1)).joined(separator: ": ")
            note(action, object, caller.actor, isRefused ? .refused : .failed, reason)
            throw refusal
        }
    }

    /// What an error is to whoever asked.
    static func refusal(_ error: any Error) -> Refusal {
        switch error {
        case let refusal as Refusal: refusal
        case CompileError.policy(let error): refusal(error)
        case let error as PolicyError:
            Refusal(
                .unprocessable,
                error.all.count == 1 ? "the documents have a fault" : "the documents have \(error.all.count) faults",
                faults: error.all.map(\.description))
        case let error as CompileError: Refusal(.unprocessable, "the set cannot be compiled: \(error)")
        case let error as StateError: Refusal(.unavailable, error.description)
        default: Refusal(.failed, "\(error)")
        }
    }

    /// Writes down an attempt that the API refused.
    func note(refused action: String, of object: String?, reason: String, by caller: Caller) {
        note(action, object, caller.actor, .refused, reason)
    }

    /// Writes down an attempt that came to nothing; of a caller who goes on trying some, with the number of those between.
    private func note(_ action: String, _ object: String?, _ actor: Actor, _ result: AuditEntry.Result, _ reason: String) {
        guard let left = notes.take(actor, action, at: clock.boot()) else { return }
        log(event(action, object, actor, result, left > 0 ? "\(reason); \(left) more before it are not written down" : reason))
    }

    /// Writes down how many attempts were left out of those who try no more.
    func tellLeftOut() {
        let now = clock.boot()
        guard now >= notesAt else { return }
        notesAt = now + RefusalNotes.interval
        for left in notes.overdue(at: now) {
            log(event(left.action, nil, left.actor, .refused, "\(left.count) more attempts came to nothing, this was the last"))
        }
    }
}
