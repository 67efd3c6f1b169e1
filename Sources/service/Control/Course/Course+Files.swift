// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Logging
internal import Net
internal import Policy
internal import PolicyText
internal import State
internal import Telemetry

// What the configured files say: read again when somebody asks, and those of workloads also by themselves.

extension Course {
    /// Nanoseconds between two looks at the files of workloads.
    private static let lookInterval: UInt64 = 1_000_000_000

    /// Reads the configuration's files again, as SIGHUP does.
    func reload(by caller: Caller) async throws -> ChangeReport {
        try await attempt("policy.reload", of: nil, by: caller) {
            try await inTurn { try await takeUp(by: caller.actor) }
        }
    }

    /// Reads everything again for SIGHUP; requests that come while one waits for its turn become one.
    func reload() {
        guard !isReloadWanted else { return }
        isReloadWanted = true
        Task {
            do {
                _ = try await inTurn(isOwn: true) {
                    isReloadWanted = false
                    return try await takeUp(by: .daemon("SIGHUP"))
                }
            } catch {
                isReloadWanted = false
                let refusal = Self.refusal(error)
                for fault in refusal.faults.isEmpty ? [refusal.detail] : refusal.faults { around.log.error("\(fault)") }
                around.log.error("nothing was changed: generation \(last.generation) stays")
                log(event("policy.reload", nil, .daemon("SIGHUP"), .failed, refusal.faults.first ?? refusal.detail))
            }
        }
    }

    /// Reads configuration, policies and workloads, and brings into force what they say; whoever asked, the condition `files` stands from
    /// a failure to the next success.
    private func takeUp(by actor: Actor) async throws -> ChangeReport {
        do {
            let report = try await readAgain(by: actor)
            around.conditions.clear("files")
            return report
        } catch {
            let refusal = Self.refusal(error)
            around.conditions.raise("files", refusal.faults.first ?? refusal.detail)
            throw error
        }
    }

    /// Policies that say what they said when they were last taken up leave in force what was applied since.
    private func readAgain(by actor: Actor) async throws -> ChangeReport {
        let (old, file) = (configuration, opening.configuration.file)
        let looked = FileMarks(configuration.workloads)
        let (next, contents) = try await offload {
            var next = try Configuration.load(file)
            // Ports and paths are those of the start.
            (next.pairs, next.zones, next.policies, next.workloads) = (old.pairs, old.zones, old.policies, old.workloads)
            return (next, try FileContents(next))
        }
        let written = WrittenDocuments(contents.policies)
        let isOther = reopenStore() || written.text != (filesText ?? serving.text)
        var coming = parts
        coming.workloads = contents.workloads
        let isTaken = isOther && serving.probation == nil
        if isTaken || written.text == serving.text { coming.base = contents.policies }
        let publication = try await prepare(coming, next)
        if isTaken {
            let revision = writeDown(written, actor)
            try await establish(publication, coming, written.text, revision)
            filesText = written.text
            // What was told with the publication compared with the files of before.
            tell()
        } else {
            try await establish(publication, coming, serving.text, serving.revision, isNew: false)
            around.log.info("the files of policies have not changed: \(servingName) stays")
        }
        (configuration, marks) = (next, looked)
        // The store and the log were opened at the start, and what control may write to was settled then.
        let isKept = opening.configuration.records.isKept(with: next.records)
        around.conditions.set(
            "records", isKept ? nil : "`records` has changed: all but its interval acts after a restart of bulkhead")
        await hearer?(next)
        if isOther && !isTaken {
            around.conditions.raise(
                "files-differ", "the files say something else, and \(servingName) awaits its confirmation: reload behind it")
        }
        if isTaken || outcome == "unanswered" { return report(outcome, Review()) }
        return report(isOther ? "held" : "reread", Review())
    }

    /// Opens a state that could not be opened at the start; whether it is there now, so that what serves gets its revision.
    private func reopenStore() -> Bool {
        guard store == nil else { return false }
        storeFault = nil
        openStore()
        guard store != nil else { return false }
        loadRegistrations()
        around.conditions.clear("state")
        return true
    }

    /// The revision of changed files. Where it cannot be written down the files serve all the same: they are where they are.
    private func writeDown(_ written: WrittenDocuments, _ actor: Actor) -> Revision? {
        do {
            return try add(Entry(source: .files, actor: actor, action: "policy.files"), written)
        } catch {
            stateFailed(storeFault ?? "\(error)")
            return nil
        }
    }

    /// Looks whether a file of workloads is another one now, and reads them then. What is not understood changes nothing.
    func lookAtFiles() async {
        let now = clock.boot()
        guard let marks, now >= lookAt, !configuration.workloads.isEmpty else { return }
        let paths = configuration.workloads
        guard let seen = try? await offload({ FileMarks(paths) }) else { return }
        // Very many files take their time: most of it is left to others.
        lookAt = clock.boot() + max(Self.lookInterval, 20 * (clock.boot() - now))
        guard seen != marks else { return }
        self.marks = seen
        do {
            try await inTurn(isOwn: true) { try await takeUpWorkloads() }
            around.conditions.clear("workload-files")
            around.log.info("the files of workloads have changed and are in force")
        } catch {
            let refusal = Self.refusal(error)
            for fault in refusal.faults.isEmpty ? [refusal.detail] : refusal.faults { around.log.error("\(fault)") }
            around.conditions.raise(
                "workload-files", "\(refusal.faults.first ?? refusal.detail); the workloads that were in force stay")
        }
    }

    /// Brings into force what the files of workloads say: in the address map alone where workloads are all that changed and the image
    /// knows their label sets, as a new generation else.
    private func takeUpWorkloads() async throws {
        let configuration = configuration
        let contents = try await offload { try FileContents(configuration) }
        var coming = parts
        coming.workloads = contents.workloads
        let (old, set) = (parts, coming)
        let changes = try await offload { try SetParts.changes(from: old, to: set) }
        if let changes, let live, changes.allSatisfy({ Self.isLight($0.value, live) }), !changes.keys.contains(where: isBlock) {
            parts.workloads = coming.workloads
            shadowed = parts.shadowed
            if enter(changes, fromFiles: true) {
                log(event("workload.files", "\(changes.count) workloads", .daemon("files"), .done, nil))
                return tell()
            }
        }
        // Clients' workloads came, went and moved while the files were compared; from here on the journal knows of them.
        coming.registered = parts.registered
        let publication = try await prepare(coming, configuration)
        try await establish(publication, coming, serving.text, serving.revision, isNew: false)
        log(event("workload.files", "generation \(publication.generation)", .daemon("files"), .done, nil))
    }

    /// Whether the address map alone can take up what became of a workload.
    private static func isLight(_ workload: Workload?, _ live: Publication) -> Bool { workload.map(live.admits) ?? true }

    /// Whether the workload that has the name now owns blocks, which stand in the image.
    private func isBlock(_ name: ObjectName) -> Bool {
        around.inForce.workload(name)?.addresses.contains { !$0.isHost } ?? false
    }
}

extension SetParts {
    /// The workloads that differ between two states of the files, by what they are now; `nil` where something else differs as well. Throws
    /// where the new state contradicts itself.
    static func changes(from old: SetParts, to new: SetParts) throws(PolicyError) -> [ObjectName: Workload?]? {
        let (before, after) = (others(old.workloads), others(new.workloads))
        guard before == after else { return nil }
        _ = try new.set()
        var changes: [ObjectName: Workload?] = [:]
        var known: [ObjectName: Workload] = [:]
        for case .workload(let workload) in old.workloads { known[workload.name] = workload }
        for case .workload(let workload) in new.workloads {
            let earlier = known.removeValue(forKey: workload.name)
            if earlier.map({ !$0.isSame(as: workload) }) ?? true { changes[workload.name] = .some(workload) }
        }
        for name in known.keys { changes[name] = .some(nil) }
        // A name that both files and clients use belongs to the files, so that it changes hands.
        guard changes.keys.allSatisfy({ old.registered[$0] == nil }) else { return nil }
        return changes
    }

    /// What is no workload, in normal form, in its order.
    private static func others(_ documents: [Document]) -> [String] {
        documents.compactMap { document in
            if case .workload = document { nil } else { document.yaml }
        }
    }
}

extension Workload {
    /// Whether two workloads are the same to policy and to the address map, wherever they are written.
    func isSame(as other: Workload) -> Bool {
        name == other.name && labels == other.labels && serviceAccount == other.serviceAccount
            && Set(addresses) == Set(other.addresses) && hardwareAddresses == other.hardwareAddresses && zones == other.zones
            && services == other.services && isImported == other.isImported
    }
}
