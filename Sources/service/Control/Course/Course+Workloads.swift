// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Classifier
internal import Dialects
internal import Logging
internal import Net
internal import Policy
internal import PolicyText
internal import State
internal import Telemetry

// Workloads that come through the API.

extension Course {
    /// Seconds that a lease may have.
    private static let leases: ClosedRange<UInt32> = 10...2_592_000

    /// What is to become of registrations: what each name has then, or nothing.
    typealias Changes = [ObjectName: Registered?]

    /// Registers workloads, or puts them in the place of those with their names; all or none.
    func register(_ request: RegisterRequest, by caller: Caller) async throws -> InventoryReport {
        try await attempt("workload.add", of: nil, by: caller) {
            try Self.check(lease: request.lease)
            let files = request.files.map { (name: $0.name, text: $0.text) }
            let contents = try await offload { try Loader.contents(texts: files, dialects: Dialect.readers()) }
            var changes: Changes = [:]
            for document in contents.documents {
                guard case .workload(let workload) = document else {
                    throw Refusal(
                        .invalid, "only workloads are registered; nothing was changed",
                        faults: ["\(document.place): \(document.kind) \"\(document.name)\" is none"])
                }
                try admit(workload, by: caller)
                guard changes[workload.name] == nil else {
                    throw Refusal(.invalid, "workload \"\(workload.name)\" is there twice; nothing was changed")
                }
                changes[workload.name] = .some(
                    Registered(workload, by: caller.actor, lease: request.lease, at: clock.steady))
            }
            guard !changes.isEmpty else { throw Refusal(.invalid, "there is no workload in what was sent") }
            return try await bring(changes, "workload.add", by: caller.actor)
        }
    }

    /// Removes a registration.
    func unregister(_ name: String, by caller: Caller) async throws -> InventoryReport {
        try await attempt("workload.remove", of: "workload \(name)", by: caller) {
            let known = try owned(name, by: caller)
            return try await bring([known.workload.name: nil as Registered?], "workload.remove", by: caller.actor)
        }
    }

    /// Sets and removes labels of a registered workload, or renews its lease.
    func update(_ name: String, _ request: UpdateRequest, by caller: Caller) async throws -> InventoryReport {
        let isRenewal = request.labels?.isEmpty ?? true
        let action = isRenewal ? "workload.renew" : "workload.label"
        return try await attempt(action, of: "workload \(name)", by: caller) {
            try Self.check(lease: request.lease)
            let known = try owned(name, by: caller)
            var workload = known.workload
            for (key, value) in request.labels ?? [:] { workload.labels[key] = value }
            let next = Registered(workload, by: known.actor, lease: request.lease ?? known.lease, at: clock.steady)
            return try await bring([workload.name: .some(next)], action, by: caller.actor)
        }
    }

    /// Ends what nobody renewed.
    func endLeases() async {
        let now = clock.steady
        let over = parts.registered.values.filter { $0.until.map { $0 <= now } ?? false }.map(\.workload.name)
        guard !over.isEmpty, clock.boot() >= leasesAt else { return }
        do {
            _ = try await bring(
                Dictionary(uniqueKeysWithValues: over.map { ($0, nil) }), "workload.expire", by: .daemon("lease"),
                isOwn: true)
            around.conditions.clear("leases")
        } catch {
            around.conditions.raise("leases", "\(over.count) leases are over, and their workloads cannot be taken away: \(error)")
            around.log.error("\(over.count) leases are over, and their workloads cannot be taken away: \(error)")
            leasesAt = clock.boot() + 1_000_000_000
        }
    }

    private static func check(lease: UInt32?) throws {
        guard let lease, !leases.contains(lease) else { return }
        throw Refusal(.invalid, "a lease has \(leases.lowerBound) to \(leases.upperBound) seconds")
    }

    /// Whether somebody may register a workload.
    private func admit(_ workload: Workload, by caller: Caller) throws {
        if let known = parts.registered[workload.name], !shadowed.contains(workload.name) {
            return try admit(known, by: caller)
        }
        guard let written = around.inForce.workload(workload.name) else { return }
        throw Refusal(.conflict, "workload \"\(workload.name)\" stands in a document at \(written.place); change it there")
    }

    private func admit(_ known: Registered, by caller: Caller) throws {
        let isOwn = known.actor.kind == caller.actor.kind && known.actor.name == caller.actor.name
        guard caller.grants.isAdministrator || isOwn else {
            throw Refusal(.forbidden, "workload \"\(known.workload.name)\" was registered by \(known.actor.name)")
        }
    }

    private func owned(_ name: String, by caller: Caller) throws -> Registered {
        let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
        let object = parts.count == 2 ? ObjectName(parts[1], namespace: parts[0]) : ObjectName(name)
        guard let known = self.parts.registered[object] else {
            guard let written = around.inForce.workload(object) else {
                throw Refusal(.missing, "there is no workload \"\(name)\"")
            }
            throw Refusal(.conflict, "workload \"\(name)\" stands in a document at \(written.place); change it there")
        }
        try admit(known, by: caller)
        return known
    }

    /// Writes changes down and brings them into force: in the address map alone where the image knows all label sets, else as a new
    /// generation.
    private func bring(_ changes: Changes, _ action: String, by actor: Actor, isOwn: Bool = false) async throws
        -> InventoryReport
    {
        guard isOwn || live != nil else { throw Refusal(.unavailable, "no policy is in force yet; try again in a moment") }
        let before = addresses(of: changes).filter { live?.isContested($0) ?? false }
        let isLight = changes.allSatisfy { name, now in
            let hadBlocks = parts.registered[name]?.workload.addresses.contains { !$0.isHost } ?? false
            return !hadBlocks && (now.map { live?.admits($0.workload) ?? false } ?? (live != nil))
        }
        var accepted: UInt64 = 0
        if isLight {
            try writeDown(changes, action, by: actor)
            accepted = clock.boot()
            commit(changes)
            let visible = changes.filter { !shadowed.contains($0.key) }
            if !enter(visible.mapValues { $0?.workload }) { try await inTurn(isOwn: true) { try await renew() } }
        } else {
            try await inTurn(isOwn: isOwn) {
                var coming = parts
                for (name, now) in changes { coming.registered[name] = now }
                let publication = try await prepare(coming, configuration)
                try writeDown(changes, action, by: actor)
                accepted = clock.boot()
                let old = parts.registered
                commit(changes)
                try await publish(publication, orElse: old, changes)
            }
        }
        let took = clock.boot() - accepted
        tell()
        let contested = addresses(of: changes).filter { self.live?.isContested($0) ?? false }
        return InventoryReport(
            epoch: self.live?.epoch ?? 0, generation: self.live?.generation ?? 0,
            workloads: changes.keys.map(\.description).sorted(), microseconds: took / 1000,
            contested: contested.filter { !before.contains($0) }.map(\.description))
    }

    private func addresses(of changes: Changes) -> [Address] {
        changes.values.flatMap { $0?.workload.addresses.filter(\.isHost).map(\.address) ?? [] }
    }

    private func writeDown(_ changes: Changes, _ action: String, by actor: Actor) throws {
        guard let store else { throw Refusal(.unavailable, storeFault ?? "there is no state") }
        let lines = changes.keys.map(\.description).sorted().map { event(action, "workload \($0)", actor, .done, nil) }
        let (there, gone) = (changes.values.compactMap { $0?.registration }, changes.filter { $0.value == nil }.keys)
        if !there.isEmpty { try store.register(there, auditing: lines) }
        if !gone.isEmpty { try store.unregister(gone.map(\.description), auditing: there.isEmpty ? lines : []) }
        around.conditions.clear("state")
    }

    private func commit(_ changes: Changes) {
        for (name, now) in changes {
            if let now { parts.registered[name] = now } else { parts.registered.removeValue(forKey: name) }
        }
    }

    /// Brings workloads into line in every map that workers read or are about to. False where a map has no room, so that a new generation is
    /// needed.
    func enter(_ changes: [ObjectName: Workload?]) -> Bool {
        journal?.formUnion(changes.keys)
        do {
            for publication in [live].compactMap({ $0 }) + onTheWay {
                for (name, now) in changes {
                    if let now { try publication.put(now) } else { publication.remove(name) }
                }
                around.names.extend(publication.generation, workloads: publication.newNames())
            }
        } catch { return false }
        rehearse(changes)
        around.inForce.change(changes)
        return true
    }

    /// A new generation of what serves, with a larger map.
    private func renew() async throws {
        let publication = try await prepare(parts, configuration)
        try await establish(publication, parts, serving.text, serving.revision, isNew: false)
    }

    /// Publishes registrations that are written down; where that fails they are as they were.
    private func publish(_ publication: Publication, orElse old: [ObjectName: Registered], _ changes: Changes) async throws {
        do {
            try await establish(publication, parts, serving.text, serving.revision, isNew: false)
        } catch {
            let back = Dictionary(uniqueKeysWithValues: changes.keys.map { ($0, old[$0]) })
            commit(back)
            do {
                try writeDown(back, "workload.undo", by: .daemon("data"))
            } catch let fault { around.log.error("registrations were refused, and that cannot be written down: \(fault)") }
            throw error
        }
    }
}
