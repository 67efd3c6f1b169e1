// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Logging
internal import Policy
internal import PolicyText
internal import State
internal import Telemetry

// What data says of a generation: at once, as a rule; later, or never, where it hangs or is just being started again.

/// A generation that data has not answered for too long, and what goes on if it never does.
struct Unanswered: Sendable {
    /// The generation.
    var generation: UInt32
    /// The revision that was written down for it; `nil` where it brought no new one.
    var revision: Revision?
    /// What served before.
    var before: Standing
    /// Registrations that came with it, as they were before and as they are with it.
    var registrations: [ObjectName: (before: Registered?, now: Registered?)] = [:]
}

/// What serves, apart from registrations.
struct Standing: Sendable {
    /// The serving revision.
    var serving: Course.Serving
    /// Its documents.
    var base: [Document]
    /// What the files of workloads say.
    var workloads: [Document]
    /// What the files of policies said when they were last taken up.
    var filesText: String?
}

extension Course {
    /// What serves now, to come back to it.
    var standing: Standing {
        Standing(serving: serving, base: parts.base, workloads: parts.workloads, filesText: filesText)
    }

    /// What serves as far as data has said so: what an unanswered generation would bring does not.
    var answered: Serving { unanswered.first?.before.serving ?? serving }

    /// The number of the revision that is in force; `nil` where none of this process's is.
    var revisionInForce: Int64? { live == nil ? nil : answered.revision?.number }

    /// What a change that was published is called: whether it must be confirmed, or data has yet to take it.
    var outcome: String {
        if unanswered.last?.generation == last.generation { return "unanswered" }
        return serving.probation == nil ? "published" : "pending"
    }

    /// Workers are where a generation is in force.
    func entered(_ generation: UInt32) {
        if let publication = onTheWay.first(where: { $0.generation == generation }) { live = publication }
        onTheWay.removeAll { $0.generation <= generation }
        unanswered.removeAll { $0.generation <= generation }
        around.inForce.enter(generation)
        around.names.enter(generation)
        rehearseAnew()
        around.log.info("generation \(generation) is in force")
        around.conditions.clear("refused")
        for number in answers.keys where number <= generation {
            answers.removeValue(forKey: number)?.continuation.resume(returning: number == generation ? .inForce : .silent)
        }
        tell()
    }

    /// Data refused a generation. Whoever waits for it hears it; where nobody does any more, what came with it is taken back.
    func refused(_ generation: UInt32) {
        onTheWay.removeAll { $0.generation == generation }
        around.inForce.refuse(generation)
        around.log.error("the data process refused generation \(generation); what was in force stays in force")
        if let answer = answers.removeValue(forKey: generation) {
            return answer.continuation.resume(returning: .refused)
        }
        Task { try? await inTurn(isOwn: true) { takeBack(generation) } }
    }

    /// Takes back what a generation would have brought that data refused after nobody waited for it any more.
    private func takeBack(_ generation: UInt32) {
        let revision = unanswered.first { $0.generation == generation }?.revision
        let what = revision.map { ", so that revision \($0.number) does not serve" } ?? ""
        let detail = "the data process refused generation \(generation)\(what): the journal says why"
        around.conditions.raise("refused", "\(detail); what was in force before it stays")
        guard let index = unanswered.firstIndex(where: { $0.generation == generation }) else { return }
        let late = unanswered.remove(at: index)
        giveBack(late.registrations)
        rehearseAnew()
        guard index == unanswered.endIndex else {
            // Another one is on its way behind it; what that falls back to is what was before both.
            unanswered[index].before = late.before
            if revision?.number != serving.revision?.number { settle(revision, as: .refused, detail) }
            return tell()
        }
        settle(revision, as: .refused, detail)
        (serving, filesText) = (late.before.serving, late.before.filesText)
        (parts.base, parts.workloads) = (late.before.base, late.before.workloads)
        shadowed = parts.shadowed
        watch.end()
        tell()
    }

    /// Puts registrations back that came with a refused generation, but for those that have changed since.
    private func giveBack(_ registrations: [ObjectName: (before: Registered?, now: Registered?)]) {
        let back = registrations.filter { name, change in
            let known = parts.registered[name]
            return known?.since == change.now?.since && known?.workload.labels == change.now?.workload.labels
        }.mapValues(\.before)
        guard !back.isEmpty else { return }
        commit(back)
        undo(back)
    }

    /// Says what became of a revision, in the store and in the audit log.
    func settle(_ revision: Revision?, as outcome: Revision.Outcome, _ reason: String) {
        guard let revision else { return }
        do {
            try store?.settle(
                revision.number, as: outcome,
                auditing: event("policy.refused", "revision \(revision.number)", .daemon("data"), .failed, reason))
        } catch {
            around.log.error("revision \(revision.number) was \(outcome.rawValue), and that cannot be written down: \(error)")
        }
    }
}
