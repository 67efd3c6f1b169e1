// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Analysis
internal import FoundationEssentials
internal import Logging
internal import Policy
internal import State
internal import Telemetry

// Which revision serves after a start.

extension Course {
    /// Opens the state, decides which revision serves, and brings it into force. Throws where nothing can.
    func start() async throws {
        openStore()
        loadRegistrations()
        recallBypass()
        // As they were before they were read, so that what changes meanwhile is noticed, also where data refuses the first generation.
        marks = opening.marks
        try await inTurn {
            try chooseRevision()
            while true {
                do {
                    try await enterFirst()
                    break
                } catch let error where serving.probation != nil || serving.revision != nil && !(error is ControlError) {
                    // Data may refuse one on trial; what was confirmed before it serves then.
                    try fallBack(because: error)
                }
            }
            await resumeWatch()
        }
    }

    func openStore() {
        if store == nil {
            do { store = try StateStore(folder: configuration.state) } catch { storeFault = "\(error)" }
        }
        if let damage = store?.damage {
            around.conditions.raise("state-damaged", "\(damage); the configured files serve")
            around.log.error("\(damage); the configured files serve")
        }
        if let storeFault { stateFailed(storeFault) }
        if store != nil { clock.anchor(in: configuration.state + "/" + DaemonClock.file) }
    }

    /// Tells that nothing can be written down.
    func stateFailed(_ fault: String) {
        around.conditions.raise("state", "\(fault); changes by clients are refused, reloads of the files are not")
        around.log.error("\(fault)")
    }

    func loadRegistrations() {
        guard let store else { return }
        do {
            for registration in try store.registrations() {
                do {
                    let registered = try Registered(registration)
                    parts.registered[registered.workload.name] = registered
                } catch {
                    around.log.error("\(error); it is left out")
                }
            }
        } catch { stateFailed("\(error)") }
    }

    /// Decides which revision serves.
    private func chooseRevision() throws {
        if let contents = opening.contents { parts.workloads = contents.workloads }
        guard let store else { return try takeFiles() }
        do {
            if let pending = try store.pending() {
                if probation(of: pending).deadline > clock.boot() {
                    filesText = try store.latest(from: .files)?.documents
                    return try take(pending)
                }
                try store.settle(
                    pending.number, as: .rolledBack,
                    auditing: event(
                        "policy.rollback", "revision \(pending.number)", .daemon("start"), .done, "not confirmed in time"))
                around.log.warning("revision \(pending.number) was not confirmed in time: it has gone back")
            }
            try chooseConfirmed(store)
        } catch let error as StateError {
            storeFault = error.description
            stateFailed(error.description)
            try takeFiles()
        }
    }

    private func chooseConfirmed(_ store: StateStore) throws {
        filesText = try store.latest(from: .files)?.documents
        let confirmed = try store.serving()
        guard let contents = opening.contents else {
            around.conditions.raise("files", opening.fault ?? "the configured files are not understood")
            around.log.error("\(opening.fault ?? ""); the revision that served before serves")
            if let confirmed { try take(confirmed) }
            return
        }
        let written = WrittenDocuments(contents.policies)
        guard let confirmed, written.text == filesText else {
            try takeFiles()
            serving.revision = try add(Entry(source: .files, actor: .daemon("start"), action: "policy.files"), written).bare
            filesText = written.text
            return
        }
        try take(confirmed)
        // The same documents, at the places where they stand now.
        if confirmed.documents == written.text { parts.base = contents.policies }
    }

    /// The files serve, without a revision so far.
    private func takeFiles() throws {
        guard let contents = opening.contents else { throw ControlError.files(opening.fault ?? "") }
        (parts.base, parts.workloads) = (contents.policies, contents.workloads)
        serving = Serving(text: WrittenDocuments(contents.policies).text)
    }

    /// A revision of the store serves.
    func take(_ revision: Revision) throws {
        parts.base = try Self.documents(of: revision)
        serving = Serving(
            revision: revision.bare, source: revision.source, text: revision.documents,
            probation: revision.outcome == .pending ? probation(of: revision) : nil)
    }

    /// A revision's documents at their places.
    static func documents(of revision: Revision) throws(PolicyError) -> [Document] {
        let written = try? JSONDecoder().decode([WrittenDocuments.Written].self, from: Data(revision.places.utf8))
        return try WrittenDocuments(text: revision.documents, written: written ?? [])
            .documents(from: "(revision \(revision.number))")
    }

    private func enterFirst() async throws {
        shadowed = parts.shadowed
        let publication = try await prepare(parts, configuration)
        switch try await bring(publication) {
        case .inForce: tell()
        case .refused:
            around.conditions.raise(
                "refused",
                "the data process refused generation \(publication.generation), the first of this control: what an earlier one "
                    + "published stays in force, the journal says why; change the policy, or the files of workloads")
            throw ControlError.refused(publication.generation)
        case .silent:
            around.conditions.raise(
                "unanswered", "generation \(publication.generation) is published, and the data process has not taken it yet")
            around.log.error("generation \(publication.generation) is published, and data has not taken it yet")
        }
    }

    /// Counts new denies for the rest of the window where an earlier control had begun to.
    private func resumeWatch() async {
        guard let probation = serving.probation, let most = probation.maxNewDenies else { return }
        do {
            guard let confirmed = try store?.serving() else { return }
            var earlier = parts
            earlier.base = try Self.documents(of: confirmed)
            let (before, after, failsafe, size) = (earlier, parts, configuration.failsafe, comparedSize)
            let zones = try PolicySource.placements(configuration.zones, around.ports)
            let time = UInt64(clamping: clock.wall() / 1_000_000_000)
            let review = try await offload {
                try Review(
                    old: try before.set(), new: try after.set(), zones: (zones, zones), failsafe: (failsafe, failsafe), at: time,
                    most: size)
            }
            guard let views = review.views else { return around.log.error("\(servingName) is too large to count its new denies") }
            watch.begin(
                last.generation, NewDenials(old: views.old, new: views.new, limit: Int(most)), until: probation.deadline)
        } catch { around.log.error("new denies of \(servingName) are not counted any more: \(error)") }
    }

    /// A revision that does not go together with what the files of workloads and the configuration say now gives way: one that is pending
    /// to the confirmed one, that to the files.
    private func fallBack(because error: any Error) throws {
        let number = serving.revision?.number ?? 0
        around.conditions.raise("revision", "revision \(number) cannot serve: \(error)")
        around.log.error("revision \(number) cannot serve: \(error)")
        guard let store, serving.probation != nil else { return try takeFiles() }
        try store.settle(
            number, as: .rolledBack,
            auditing: event("policy.rollback", "revision \(number)", .daemon("start"), .done, "it cannot serve: \(error)"))
        guard let confirmed = try store.serving() else { return try takeFiles() }
        try take(confirmed)
    }
}

extension Revision {
    /// Itself without its documents.
    var bare: Revision {
        var copy = self
        (copy.documents, copy.places) = ("", "")
        return copy
    }
}
