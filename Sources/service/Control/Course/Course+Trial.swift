// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Logging
internal import Policy
internal import State
internal import Telemetry

// A revision on trial: confirmed, or taken back by itself.

extension Course {
    /// Confirms the pending revision.
    func confirm(_ number: Int64, _ request: ConfirmRequest, by caller: Caller) async throws -> RevisionReport {
        try await attempt("policy.confirm", of: "revision \(number)", by: caller) {
            try await inTurn {
                let revision = try pending(number)
                let probation = revision.terms
                if let refusal = try refusal(of: caller, returningTo: store?.serving()) { throw refusal }
                if !(request.console ?? false) && !probation.console {
                    try Self.check(caller, probation, number)
                }
                guard clock.boot() < probation.deadline else {
                    throw Refusal(.conflict, "the time to confirm revision \(number) is over: it goes back")
                }
                guard let store else { throw Refusal(.unavailable, storeFault ?? "there is no state") }
                let reason = request.console == true ? "at the console" : nil
                try store.settle(
                    number, as: .confirmed,
                    auditing: event("policy.confirm", "revision \(number)", caller.actor, .done, reason, new: revision.digest))
                serving.probation = nil
                serving.revision?.outcome = .confirmed
                serving.revision?.deadline = nil
                tell()
                around.log.info("revision \(number) is confirmed by \(caller.actor.name)")
                return try report(of: number)
            }
        }
    }

    /// The terms and the digest of the revision that is to be confirmed.
    private func pending(_ number: Int64) throws -> (terms: Probation, digest: String) {
        if let revision = serving.revision, revision.number == number, let terms = serving.probation {
            return (terms, revision.digest)
        }
        guard let known = try store?.revision(number) else { throw Refusal(.missing, "there is no revision \(number)") }
        switch known.outcome {
        case .confirmed: throw Refusal(.conflict, "revision \(number) is confirmed already")
        case .rolledBack: throw Refusal(.conflict, "revision \(number) was taken back; apply it again")
        case .refused: throw Refusal(.conflict, "the data process refused revision \(number)")
        case .pending: throw Refusal(.conflict, "revision \(number) does not serve")
        }
    }

    /// A confirmation must come over a way that was opened under the new policy: an old one may live on where a new one is denied.
    private static func check(_ caller: Caller, _ probation: Probation, _ number: Int64) throws {
        guard let began = caller.began else {
            throw Refusal(
                .conflict,
                "nobody can tell when your login began, so it does not show that revision \(number) lets you in; "
                    + "confirm over TLS, or with --console if you sit at the box")
        }
        guard began > probation.published else {
            throw Refusal(
                .conflict,
                "your login is older than revision \(number) and does not show that it lets you in: "
                    + "log in anew and confirm from there, or with --console if you sit at the box")
        }
    }

    /// Takes the pending revision back, or the one that denied too much: the latest confirmed one before it serves again.
    func goBack(_ reason: String, by actor: Actor) async throws {
        guard let revision = serving.revision, let store else { return }
        around.log.warning("revision \(revision.number) goes back: \(reason)")
        let target: Revision?
        do {
            try store.settle(
                revision.number, as: .rolledBack,
                auditing: event("policy.rollback", "revision \(revision.number)", actor, .done, reason))
            target = try store.serving()
        } catch {
            // Its deadline is in the store: a control that starts later finds it over. What is in force now goes back in any case.
            around.conditions.raise("state", "\(error)")
            around.log.error("that revision \(revision.number) goes back cannot be written down: \(error)")
            target = try store.history(before: revision.number, limit: 1000).first { $0.outcome == .confirmed }
                .flatMap { try store.revision($0.number) }
        }
        guard let target else { throw Refusal(.failed, "there is no earlier revision") }
        var next = parts
        next.base = try Self.documents(of: target)
        try await establish(try await prepare(next, configuration), next, target.documents, target, isNew: false)
        around.conditions.clear("rollback")
    }

    /// Takes back what its time is over for, and what denies too much.
    func judgeTrial() async {
        let now = clock.boot()
        if let denied = watch.excess(at: now), let number = serving.revision?.number {
            excess = (number, "it denies more that was allowed than it may, among it \(denied.joined(separator: "; "))")
        }
        guard now >= retryAt, let number = serving.revision?.number, let reason = faultOfTrial(at: now) else { return }
        do {
            try await inTurn(isOwn: true) {
                // Somebody may have confirmed it, or applied another, in the meantime.
                guard serving.revision?.number == number, faultOfTrial(at: now) != nil else { return }
                try await goBack(reason, by: .daemon("trial"))
            }
        } catch {
            around.conditions.raise("rollback", "revision \(number) should go back and cannot: \(error); tried again each second")
            around.log.error("revision \(number) should go back and cannot: \(error)")
            retryAt = now + 1_000_000_000
        }
    }

    /// Why the serving revision must go back; `nil` where it may stay.
    private func faultOfTrial(at now: UInt64) -> String? {
        if let excess, excess.revision == serving.revision?.number { return excess.reason }
        guard let probation = serving.probation, now >= probation.deadline else { return nil }
        return "not confirmed in time"
    }
}
