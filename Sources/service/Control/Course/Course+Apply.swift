// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Analysis
internal import Compiler
internal import Logging
internal import Policy
internal import PolicyText
internal import State
internal import Telemetry

// Changes of policy: applied by a client, or returned to.

extension Course {
    /// Seconds that a change may give itself.
    private static let seconds: ClosedRange<UInt32> = 1...86_400
    /// Seconds for which new denies are counted where there is no time to confirm.
    private static let usualTrial: UInt32 = 60

    /// A change of policy that somebody asked for.
    private struct Proposal: Sendable {
        var base: [Document]
        var losses: [String] = []
        var entry: Entry
        var isDryRun: Bool
    }

    /// Checks, compares and publishes a set, or refuses it with nothing changed.
    func apply(_ request: ApplyRequest, by caller: Caller) async throws -> ChangeReport {
        let isDryRun = request.dryRun ?? false
        return try await attempt("policy.apply", of: request.namespace.map { "namespace \($0)" }, by: caller) {
            try Self.check(confirm: request.confirm)
            let contents = try await contents(of: request.files, isLossy: request.lossy, mayBeEmpty: request.allowEmpty)
            return try await inTurn {
                try admit(isDryRun)
                if let wanted = request.ifRevision, wanted != serving.revision?.number {
                    throw Refusal(
                        .conflict, "revision \(wanted) does not serve, \(servingName) does; look at what changed, and ask again")
                }
                let namespace = request.namespace ?? caller.grants.onlyNamespace
                let base = try scoped(contents.documents, to: namespace)
                if let refusal = caller.grants.refusal(changing: parts.base, to: base) { throw refusal }
                var entry = Entry(source: .applied, actor: caller.actor, action: "policy.apply", reason: request.reason)
                (entry.confirm, entry.console) = (request.confirm, request.console ?? false)
                entry.maxNewDenies = request.maxNewDenies
                return try await propose(
                    Proposal(base: base, losses: contents.losses.map(\.description), entry: entry, isDryRun: isDryRun))
            }
        }
    }

    /// What files say that somebody sent as a set.
    func contents(of sent: [DocumentFile], isLossy: Bool?, mayBeEmpty: Bool?) async throws -> Loader.Contents {
        let contents = try await read(sent, isLossy: isLossy ?? false)
        guard !contents.documents.isEmpty || mayBeEmpty ?? false else {
            throw Refusal(
                .unprocessable,
                "the files hold no document, and none would take all policies away; is the path right? --allow-empty means it")
        }
        return contents
    }

    /// Publishes an earlier revision's documents as a new one. Returning to the confirmed one while another is pending takes that back.
    func rollBack(to number: Int64, _ request: RollbackRequest, by caller: Caller) async throws -> ChangeReport {
        try await attempt("policy.rollback", of: "revision \(number)", by: caller) {
            try Self.check(confirm: request.confirm)
            return try await inTurn {
                let isDryRun = request.dryRun ?? false
                let isReturn = try serving.probation != nil && number == store?.serving()?.number
                if isReturn && !isDryRun {
                    if let refusal = try refusal(of: caller, returningTo: store?.serving()) { throw refusal }
                    try await goBack(request.reason ?? "taken back", by: caller.actor)
                    return report(outcome, Review())
                }
                try admit(isDryRun)
                guard let store, let revision = try store.revision(number) else {
                    throw Refusal(.missing, "there is no revision \(number); see `bulkhead policy history`")
                }
                if let refusal = try refusal(of: caller, returningTo: revision) { throw refusal }
                let base = try Self.documents(of: revision)
                var entry = Entry(source: .rollback, actor: caller.actor, action: "policy.rollback", reason: request.reason)
                (entry.confirm, entry.console) = (request.confirm, request.console ?? false)
                (entry.maxNewDenies, entry.returnsTo) = (request.maxNewDenies, number)
                return try await propose(Proposal(base: base, entry: entry, isDryRun: isDryRun))
            }
        }
    }

    /// Why somebody may not decide between a revision and what serves; `nil` where they may. Operators may, whatever differs; an editor
    /// only where all that differs is theirs.
    func refusal(of caller: Caller, returningTo revision: Revision?) throws -> Refusal? {
        guard !caller.grants.isOperator, let revision else { return nil }
        return caller.grants.refusal(changing: parts.base, to: try Self.documents(of: revision))
    }

    private static func check(confirm: UInt32?) throws {
        guard let confirm, !seconds.contains(confirm) else { return }
        throw Refusal(.invalid, "a revision can be confirmed within \(seconds.lowerBound) to \(seconds.upperBound) seconds")
    }

    /// Whether anything can be changed now.
    private func admit(_ isDryRun: Bool) throws {
        guard live != nil else { throw Refusal(.unavailable, "no policy is in force yet; try again in a moment") }
        guard !isDryRun else { return }
        guard store != nil else { throw Refusal(.unavailable, storeFault ?? "there is no state") }
        guard serving.probation == nil else {
            throw Refusal(.conflict, "\(servingName) awaits its confirmation: confirm it or take it back first")
        }
    }

    /// What the serving revision is called.
    var servingName: String { serving.revision.map { "revision \($0.number)" } ?? "what the configured files say" }

    /// All documents of the set that an apply means: the given ones, or, where they are one namespace's, those with the rest of what serves.
    func scoped(_ documents: [Document], to namespace: String?) throws -> [Document] {
        guard let namespace else { return documents }
        func isOfNamespace(_ document: Document) -> Bool {
            if case .policy(let policy) = document { policy.name.namespace == namespace } else { false }
        }
        let others = documents.filter { !isOfNamespace($0) }
        guard others.isEmpty else {
            throw Refusal(
                .forbidden, "only policies of namespace \(namespace) are replaced; nothing was changed",
                faults: others.map { "\($0.place): \($0.kind) \"\($0.name)\" is none of them" })
        }
        return parts.base.filter { !isOfNamespace($0) } + documents
    }

    /// Compares a proposal with what is in force, and unless it is a dry run brings it into force.
    private func propose(_ proposal: Proposal) async throws -> ChangeReport {
        let written = WrittenDocuments(proposal.base)
        guard written.text != serving.text else {
            return report(unanswered.isEmpty ? "unchanged" : "unanswered", Review(), losses: proposal.losses)
        }
        var next = parts
        next.base = proposal.base
        let review = try await review(next)
        guard proposal.entry.maxNewDenies == nil || review.views != nil else {
            throw Refusal(
                .unprocessable,
                "both sets together have more than \(comparedSize) rules and workloads, so that new denies cannot be counted; "
                    + "nothing was changed: ask without a number of new denies")
        }
        guard !proposal.isDryRun else { return report("checked", review, losses: proposal.losses) }
        // Workloads came, went and moved while the sets were compared; from here on the journal knows of them.
        next.registered = parts.registered
        let publication = try await prepare(next, configuration)
        let revision = try add(proposal.entry, written)
        try await establish(publication, next, written.text, revision)
        if let most = proposal.entry.maxNewDenies, let views = review.views {
            let length = UInt64(proposal.entry.confirm ?? Self.usualTrial) * 1_000_000_000
            watch.begin(
                publication.generation, NewDenials(old: views.old, new: views.new, limit: Int(most)), until: clock.boot() + length
            )
        }
        return report(outcome, review, losses: proposal.losses)
    }

    /// What a set would do, beside what is in force.
    func review(_ next: SetParts) async throws -> Review {
        guard let live else { return Review() }
        let old = around.inForce.set ?? live.set
        let (zones, failsafe) = (live.zones, live.failsafe)
        let (configuration, ports) = (configuration, around.ports)
        let (time, most, flows) = (UInt64(clamping: clock.wall() / 1_000_000_000), comparedSize, around.flows)
        var review = try await offload {
            var review = try Review(
                old: old, new: try next.set(),
                zones: (zones, try PolicySource.placements(configuration.zones, ports)),
                failsafe: (failsafe, configuration.failsafe), at: time, most: most)
            review.look(at: flows.now, at: time)
            return review
        }
        review.liveFlows = around.board.status().flows.used
        return review
    }

    /// Brings a generation into force whose revision is written down already; a new revision is taken back where that fails. One that is
    /// not answered counts from now on, as what comes next builds on it, and is taken back when data refuses it later.
    func establish(
        _ publication: Publication, _ next: SetParts, _ text: String, _ revision: Revision?, isNew: Bool = true,
        registrations: [ObjectName: (before: Registered?, now: Registered?)] = [:]
    ) async throws {
        let answer: Answer
        let before = standing
        do {
            answer = try await bring(publication)
        } catch {
            if isNew { settle(revision, as: .refused, "\(error)") }
            throw error
        }
        guard answer != .refused else {
            if isNew { settle(revision, as: .refused, "the data process refused generation \(publication.generation)") }
            throw Refusal(
                .failed,
                "the data process refused generation \(publication.generation): the journal says why; nothing was changed")
        }
        // A trial is the revision's, through every generation that inventory or configuration gives it.
        if isNew || revision?.number != serving.revision?.number { watch.end() }
        // Registrations may have changed meanwhile; what they are now is in the map.
        (parts.base, parts.workloads) = (next.base, next.workloads)
        shadowed = parts.shadowed
        let pending = revision?.outcome == .pending
        serving = Serving(
            revision: revision?.bare, source: revision?.source ?? .files, text: text,
            probation: pending ? revision.map(probation) : nil)
        // It may have come into force since nobody waits for it any more.
        if answer == .silent, (live?.generation ?? 0) < publication.generation {
            unanswered.append(
                Unanswered(
                    generation: publication.generation, revision: isNew ? revision : nil, before: before,
                    registrations: registrations))
        }
        around.conditions.clear("revision")
        tell()
    }
}
