// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Analysis
internal import Net
internal import Policy
internal import State
internal import Telemetry

// What is told of revisions, workloads and the audit log.

extension Course {
    /// Addresses that `status` lists as contested.
    private static let toldContested = 100

    /// Revisions from the newest, without their documents.
    func history(before: Int64?, limit: Int) throws -> [RevisionReport] {
        guard let store else { throw Refusal(.unavailable, storeFault ?? "there is no state") }
        return try store.history(before: before, limit: limit).map { report($0, documents: nil) }
    }

    /// One revision with its documents.
    func revision(_ number: Int64) throws -> RevisionReport {
        guard let store else { throw Refusal(.unavailable, storeFault ?? "there is no state") }
        guard let revision = try store.revision(number) else { throw Refusal(.missing, "there is no revision \(number)") }
        return report(revision, documents: Self.readable(try Self.documents(of: revision)))
    }

    /// Documents as a text that means the same to whoever reads it anywhere: namespaces that only imported documents name are among them.
    private static func readable(_ documents: [Document]) -> String {
        var (named, native, declared): (Set<String>, Set<String>, Set<String>) = ([], [], [])
        for document in documents {
            if case .namespace(let namespace) = document { declared.insert(namespace.name) }
            guard let name = document.name.namespace else { continue }
            if document.isImported { named.insert(name) } else { native.insert(name) }
        }
        let missing = named.subtracting(native).subtracting(declared).sorted()
        return WrittenDocuments(missing.map { .namespace(.imported($0)) } + documents).text
    }

    /// A revision after a change.
    func report(of number: Int64) throws -> RevisionReport {
        guard let revision = try store?.revision(number) else { throw Refusal(.missing, "there is no revision \(number)") }
        return report(revision, documents: nil)
    }

    private func report(_ revision: Revision, documents: String?) -> RevisionReport {
        let isPending = revision.outcome == .pending
        let left = isPending ? probation(of: revision).deadline : 0
        let now = clock.boot()
        var told = RevisionReport(
            revision: revision.number, time: Timestamp(nanoseconds: revision.time).description, digest: revision.digest,
            source: revision.source.rawValue, actor: revision.actor.text, outcome: revision.outcome.rawValue,
            inForce: revision.number == revisionInForce)
        (told.returnsTo, told.reason, told.documents) = (revision.returnsTo, revision.reason, documents)
        if isPending {
            told.deadline = Timestamp(nanoseconds: clock.wall() + Int64(clamping: left) - Int64(clamping: now)).description
        }
        return told
    }

    /// What came of a change.
    func report(_ outcome: String, _ review: Review, losses: [String] = []) -> ChangeReport {
        let isTold = !["unchanged", "checked"].contains(outcome)
        var report = ChangeReport(
            outcome: outcome, revision: isTold ? serving.revision.map { self.report($0, documents: nil) } : nil,
            generation: live?.generation ?? 0)
        (report.boxes, report.boxCount, report.compared) = (review.boxes, review.boxCount, review.isComplete)
        (report.findings, report.losses) = (review.findings, losses)
        if let cuts = review.cuts {
            (report.flowsCut, report.flowsKnown, report.flowsLive) = (cuts.count, cuts.looked, review.liveFlows)
            report.cuts = review.toldCuts
        }
        return report
    }

    /// Workloads in force, by name, those behind `after` where it is given.
    func workloads(after: String?, limit: Int) throws -> [WorkloadReport] {
        let parts = after?.split(separator: "/", maxSplits: 1).map(String.init) ?? []
        let mark = parts.count == 2 ? ObjectName(parts[1], namespace: parts[0]) : after.map { ObjectName($0) }
        return around.inForce.workloads(after: mark, limit: limit).map(report)
    }

    private func report(_ workload: Workload) -> WorkloadReport {
        let registered = shadowed.contains(workload.name) ? nil : parts.registered[workload.name]
        let contested = workload.addresses.filter { $0.isHost && live?.isContested($0.address) ?? false }
        var report = WorkloadReport(
            name: workload.name.description, labels: workload.labels,
            addresses: workload.addresses.map { $0.isHost ? "\($0.address)" : "\($0)" }, zones: workload.zones,
            origin: registered.map { "registered by \($0.actor.text)" } ?? workload.place.description)
        report.leaseUntil = registered?.until.map { Timestamp(nanoseconds: clock.wall(at: $0)).description }
        report.contested = contested.map { "\($0.address)" }
        return report
    }

    /// Lines of the audit log from the newest.
    func auditLog(before: Int64?, limit: Int) throws -> [AuditReport] {
        guard let store else { throw Refusal(.unavailable, storeFault ?? "there is no state") }
        return try store.auditLog(before: before, limit: limit).map { entry in
            var line = AuditReport(
                number: entry.number, time: Timestamp(nanoseconds: entry.time).description, actor: entry.actor.text,
                action: entry.action, result: entry.result.rawValue, digest: entry.digest)
            (line.object, line.reason, line.old, line.new) = (entry.object, entry.reason, entry.old, entry.new)
            return line
        }
    }

    /// Tells `status` how things stand.
    func tell() {
        let shown = answered
        var state = StatusReport.PolicyState(
            source: shown.source.rawValue, outcome: shown.probation == nil ? "confirmed" : "pending")
        (state.revision, state.digest) = (shown.revision?.number, shown.revision?.digest)
        state.filesDiffer = filesText.map { $0 != shown.text } ?? false
        state.registrations = parts.registered.count
        state.contested = (live?.contested(limit: Self.toldContested) ?? []).map(\.description)
        let (deadline, epoch) = (shown.probation?.deadline, live?.epoch ?? 0)
        around.conditions.set(
            "unanswered",
            unanswered.last.map {
                "generation \($0.generation) is published, and the data process has not answered for ten seconds: what was in force "
                    + "before it goes on until it does, and for good if it refuses; the journal says what data does"
            })
        around.conditions.set(
            "pending", serving.probation == nil ? nil : "\(servingName) goes back unless it is confirmed: bulkhead policy confirm"
        )
        around.conditions.set(
            "files-differ", state.filesDiffer ? "\(servingName) serves, and the files of policies say something else" : nil)
        around.conditions.set(
            "contested",
            state.contested.isEmpty
                ? nil
                : Self.counted(state.contested.count, "address is", "addresses are")
                    + " claimed by several workloads and denied: bulkhead workload list")
        around.conditions.set(
            "shadowed",
            shadowed.isEmpty
                ? nil
                : Self.counted(shadowed.count, "registered workload stands", "registered workloads stand")
                    + " in documents too, which go first")
        told.tell { ($0.policy, $0.deadline, $0.epoch) = (state, deadline, epoch) }
    }

    /// A number with what it counts and what that does.
    private static func counted(_ count: Int, _ one: String, _ several: String) -> String {
        "\(count) \(count == 1 ? one : several)"
    }
}
