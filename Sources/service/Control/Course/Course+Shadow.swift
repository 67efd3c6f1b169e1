// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Compiler
internal import Dialects
internal import Logging
internal import Policy
internal import PolicyText
internal import State
internal import Synchronization
internal import Telemetry

// A candidate that is judged on live connections while the policy in force decides alone.

/// A shadow run as the course keeps it.
struct Rehearsal {
    /// Who began it.
    var actor: Actor
    /// What they sent.
    var documents: [Document]
    /// The namespace whose policies that replaces; `nil` for a whole set.
    var namespace: String?
    /// The candidate as it was last compiled; its map follows the inventory.
    var publication: Publication
    /// Judges by it.
    let judge: ShadowJudge
    /// When it ends, in nanoseconds of the boot-time clock.
    var until: UInt64
    /// Whether something that the candidate stands on has changed since it was compiled.
    var isStale = false
    /// When it may be compiled again, by the same clock: what changes all the time must not keep the turn.
    var renewAt: UInt64 = 0
}

/// The judge of the run that is on, for those who drain the workers' rings.
final class ShadowDoor: Sendable {
    private let judge = Mutex<ShadowJudge?>(nil)

    /// Lets events in to a judge, or to nobody.
    func open(to next: ShadowJudge?) { judge.withLock { $0 = next } }

    /// Takes events to the judge, and how many starts and refusals no record of a worker tells.
    func take(_ events: [FlowEvent], lost: UInt64) { judge.withLock { $0 }?.take(events, lost: lost) }
}

extension Course {
    /// Judges a candidate on live connections from now on. It is read, checked and compared as for a dry run.
    func startShadow(_ request: ShadowRequest, by caller: Caller) async throws -> ShadowStart {
        try await attempt("shadow.start", of: request.namespace.map { "namespace \($0)" }, by: caller) {
            guard ShadowRequest.lengths.contains(request.seconds) else {
                throw Refusal(.invalid, "a run has 1 second to 31 days")
            }
            let contents = try await contents(of: request.files, isLossy: request.lossy, mayBeEmpty: request.allowEmpty)
            return try await inTurn {
                guard live != nil else { throw Refusal(.unavailable, "no policy is in force yet; try again in a moment") }
                if let rehearsal {
                    throw Refusal(
                        .conflict,
                        "\(rehearsal.actor.text) shadows a candidate already; bulkhead policy shadow stop ends that")
                }
                let namespace = request.namespace ?? caller.grants.onlyNamespace
                let base = try scoped(contents.documents, to: namespace)
                if let refusal = caller.grants.refusal(changing: parts.base, to: base) { throw refusal }
                let written = WrittenDocuments(base)
                guard written.text != serving.text else {
                    throw Refusal(.unprocessable, "the candidate says what is in force: shadowing it would show nothing")
                }
                var next = parts
                next.base = base
                let review = try await review(next)
                // Workloads came, went and moved while the sets were compared; from here on the journal knows of them.
                next.registered = parts.registered
                let (publication, readers, isBehind) = try await candidate(next)
                let change = report("checked", review, losses: contents.losses.map(\.description))
                let report = begin(request, contents.documents, namespace, publication, readers, isBehind: isBehind, by: caller)
                log(event("shadow.start", namespace.map { "namespace \($0)" }, caller.actor, .done, request.reason))
                return ShadowStart(change: change, shadow: report)
            }
        }
    }

    /// Ends the run. Operators may end any, an editor only their own.
    func stopShadow(by caller: Caller) async throws -> ShadowReport {
        try await attempt("shadow.end", of: nil, by: caller) {
            let wasLost = around.conditions.all.contains { $0.name == "candidate-lost" }
            around.conditions.clear("candidate-lost")
            guard let rehearsal else {
                if wasLost, let last = around.shadow.run { return last.report() }
                throw Refusal(.missing, "no candidate is shadowed" + (wasLost ? "; that one was lost is noted" : ""))
            }
            let isOwn = rehearsal.actor.kind == caller.actor.kind && rehearsal.actor.name == caller.actor.name
            guard caller.grants.isOperator || caller.grants.isAdministrator || isOwn else {
                throw Refusal(.forbidden, "the run is \(rehearsal.actor.text)'s")
            }
            end(rehearsal, .ended("stopped by \(caller.actor.text)"))
            log(event("shadow.end", nil, caller.actor, .done, nil))
            return rehearsal.judge.run.report()
        }
    }

    /// Ends a run whose time is over, and compiles its candidate anew where what it stands on has changed.
    func tendShadow() async {
        guard let rehearsal else { return }
        let now = clock.boot()
        if now >= rehearsal.until {
            end(rehearsal, .over)
            return log(event("shadow.end", nil, .daemon("deadline"), .done, nil))
        }
        guard rehearsal.isStale, now >= rehearsal.renewAt else { return }
        do {
            try await inTurn(isOwn: true) { try await renewShadow() }
        } catch {
            let refusal = Self.refusal(error)
            let why = "the candidate does not go together with what serves now: \(refusal.faults.first ?? refusal.detail)"
            guard let current = self.rehearsal, current.judge === rehearsal.judge else { return }
            endVisibly(current, why)
        }
    }

    /// Says what an earlier control did not come to say: that its run ended with it.
    func tellLostShadow() {
        guard let note = ShadowNote.read(in: configuration.state) else { return }
        let why =
            "the candidate that \(note.actor) shadowed from \(note.since), to be until \(note.until), was lost with control's restart"
        around.conditions.raise("candidate-lost", "\(why): start it again, or bulkhead policy shadow stop")
        around.log.warning("\(why)")
        log(event("shadow.end", nil, .daemon("restart"), .done, why))
        ShadowNote.remove(in: configuration.state)
    }

    /// Brings workloads into line in the candidate's map as well.
    func rehearse(_ changes: [ObjectName: Workload?]) {
        guard let rehearsal else { return }
        // What stands in a document, the candidate's or a file's, is the document's, as it is in force.
        for (name, now) in changes where !rehearsal.publication.isWritten(name) {
            guard let now else {
                rehearsal.publication.remove(name)
                continue
            }
            if !rehearsal.publication.admits(now) || (try? rehearsal.publication.put(now)) == nil { rehearseAnew() }
        }
    }

    /// The candidate is to be compiled again: what it stands on has changed.
    func rehearseAnew() {
        guard rehearsal != nil else { return }
        rehearsal?.isStale = true
        rehearsal?.judge.run.fallBehind()
    }
}

extension Course {
    /// Compiles a candidate beside what is in force, and what both are asked by. Workloads that come meanwhile are in it, but for those
    /// that its image cannot tell: with one of these it is behind.
    private func candidate(_ next: SetParts) async throws -> (Publication, ShadowJudge.Readers, isBehind: Bool) {
        let publication = try await prepare(next, configuration)
        let isBehind = bringUp(publication)
        guard let live else { throw Refusal(.unavailable, "no policy is in force; try again in a moment") }
        return (publication, ShadowJudge.Readers(candidate: try publication.reader(), inForce: try live.reader()), isBehind)
    }

    private func begin(
        _ request: ShadowRequest, _ documents: [Document], _ namespace: String?, _ publication: Publication,
        _ readers: ShadowJudge.Readers, isBehind: Bool, by caller: Caller
    ) -> ShadowReport {
        let since = clock.wall()
        let length = Int64(request.seconds) * 1_000_000_000
        var facts = ShadowRun.Facts(
            actor: caller.actor.text, rules: publication.figures.rules, since: Timestamp(nanoseconds: since),
            until: Timestamp(nanoseconds: since + length))
        (facts.reason, facts.namespace) = (request.reason, namespace)
        let run = ShadowRun(facts)
        let (board, clock) = (around.board, clock)
        let judge = ShadowJudge(
            run, since: EventDrain.monotonic, readers, latest: { board.latestSecond }, wall: { clock.wall() })
        rehearsal = Rehearsal(
            actor: caller.actor, documents: documents, namespace: namespace, publication: publication, judge: judge,
            until: clock.boot() + UInt64(length))
        if isBehind { rehearseAnew() }
        around.shadow.begin(run)
        shadowDoor.open(to: judge)
        around.conditions.clear("candidate-lost")
        around.conditions.raise(
            "candidate",
            "a candidate of \(facts.actor)'s is judged on live connections until \(facts.until): bulkhead policy shadow report"
        )
        let note = ShadowNote(actor: facts.actor, since: facts.since.description, until: facts.until.description)
        do { try note.write(in: configuration.state) } catch {
            around.log.warning("a restart of control will not say that the shadow run ended with it: \(error)")
        }
        around.log.info("a candidate of \(facts.actor)'s is shadowed until \(facts.until)")
        return run.report()
    }

    /// Compiles the candidate for what serves now. Where that is the candidate itself the run has served its purpose.
    private func renewShadow() async throws {
        guard let current = rehearsal, current.isStale else { return }
        let base = try scoped(current.documents, to: current.namespace)
        guard WrittenDocuments(base).text != serving.text else {
            end(current, .ended("the candidate is in force as \(servingName)"))
            return log(event("shadow.end", nil, .daemon("shadow"), .done, "the candidate is in force"))
        }
        rehearsal?.isStale = false
        var next = parts
        next.base = base
        let began = clock.boot()
        let (publication, readers, isBehind) = try await candidate(next)
        // Somebody may have ended it meanwhile.
        guard rehearsal?.judge === current.judge else { return }
        rehearsal?.publication = publication
        let now = clock.boot()
        rehearsal?.renewAt = now + max(1_000_000_000, 5 * (now - began))
        current.judge.replace(readers)
        current.judge.run.renew(rules: publication.figures.rules)
        if isBehind || rehearsal?.isStale ?? false { rehearseAnew() }
    }

    private func end(_ rehearsal: Rehearsal, _ end: ShadowRun.End) {
        shadowDoor.open(to: nil)
        rehearsal.judge.finish(end)
        self.rehearsal = nil
        around.conditions.clear("candidate")
        ShadowNote.remove(in: configuration.state)
        around.log.info("no candidate is shadowed any more")
    }

    private func endVisibly(_ rehearsal: Rehearsal, _ why: String) {
        end(rehearsal, .ended(why))
        around.conditions.raise("candidate-lost", "\(why): start it again, or bulkhead policy shadow stop")
        around.log.warning("\(why)")
        log(event("shadow.end", nil, .daemon("shadow"), .failed, why))
    }
}
