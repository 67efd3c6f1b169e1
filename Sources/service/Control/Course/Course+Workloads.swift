// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Classifier
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
            let contents = try await read(request.files)
            var workloads: [ObjectName: Workload] = [:]
            for document in contents.documents {
                guard case .workload(let workload) = document else {
                    throw Refusal(
                        .invalid, "only workloads are registered; nothing was changed",
                        faults: ["\(document.place): \(document.kind) \"\(document.name)\" is none"])
                }
                try Self.check(workload.labels)
                guard workloads.updateValue(workload, forKey: workload.name) == nil else {
                    throw Refusal(.invalid, "workload \"\(workload.name)\" is there twice; nothing was changed")
                }
            }
            guard !workloads.isEmpty else { throw Refusal(.invalid, "there is no workload in what was sent") }
            return try await bring("workload.add", by: caller.actor) {
                for workload in workloads.values { try self.admit(workload, by: caller) }
                return workloads.mapValues {
                    .some(Registered($0, by: caller.actor, lease: request.lease, at: self.clock.steady))
                }
            }
        }
    }

    /// Removes a registration.
    func unregister(_ name: String, by caller: Caller) async throws -> InventoryReport {
        try await attempt("workload.remove", of: "workload \(name)", by: caller) {
            try await bring("workload.remove", by: caller.actor) {
                [try self.owned(name, by: caller).workload.name: nil as Registered?]
            }
        }
    }

    /// Sets and removes labels of a registered workload, or renews its lease.
    func update(_ name: String, _ request: UpdateRequest, by caller: Caller) async throws -> InventoryReport {
        let isRenewal = request.labels?.isEmpty ?? true
        let action = isRenewal ? "workload.renew" : "workload.label"
        return try await attempt(action, of: "workload \(name)", by: caller) {
            try Self.check(lease: request.lease)
            try Self.check((request.labels ?? [:]).compactMapValues { $0 })
            return try await bring(action, by: caller.actor) {
                let known = try self.owned(name, by: caller)
                var workload = known.workload
                for (key, value) in request.labels ?? [:] { workload.labels[key] = value }
                let next = Registered(workload, by: known.actor, lease: request.lease ?? known.lease, at: self.clock.steady)
                return [workload.name: .some(next)]
            }
        }
    }

    /// Ends what nobody renewed.
    func endLeases() async {
        guard clock.boot() >= leasesAt, !leasesThatAreOver.isEmpty else { return }
        do {
            _ = try await bring("workload.expire", by: .daemon("lease"), isOwn: true) {
                Dictionary(uniqueKeysWithValues: self.leasesThatAreOver.map { ($0, nil) })
            }
            around.conditions.clear("leases")
        } catch {
            let fault = "\(leasesThatAreOver.count) leases are over, and their workloads cannot be taken away: \(error)"
            around.conditions.raise("leases", fault)
            around.log.error("\(fault)")
            leasesAt = clock.boot() + 1_000_000_000
        }
    }

    private var leasesThatAreOver: [ObjectName] {
        let now = clock.steady
        return parts.registered.values.filter { $0.until.map { $0 <= now } ?? false }.map(\.workload.name)
    }

    /// What documents demand of labels is demanded of everybody who sends some.
    private static func check(_ labels: [String: String]) throws {
        for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
            if let fault = Label.fault(key: key, value: value) { throw Refusal(.invalid, "\(fault); nothing was changed") }
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
    /// generation. What is to become of whom is asked when it is about to happen, and asked again by whoever had to wait for the turn:
    /// somebody else may have been there before.
    private func bring(
        _ action: String, by actor: Actor, isOwn: Bool = false, _ proposal: @escaping () throws -> Changes
    ) async throws -> InventoryReport {
        guard isOwn || live != nil else { throw Refusal(.unavailable, "no policy is in force yet; try again in a moment") }
        if isMovable(try proposal()), let report = try await moveTogether(action, by: actor, proposal) { return report }
        return try await inTurn(isOwn: isOwn) {
            let changes = try proposal()
            if isLight(changes) { return try await move(changes, action, by: actor) }
            return try await compile(changes, action, by: actor)
        }
    }

    /// Whether changes need not wait for their turn.
    func isMovable(_ changes: Changes) -> Bool { isLight(changes) && compiling.isDisjoint(with: changes.keys) }

    /// Whether the address map alone can take changes up.
    private func isLight(_ changes: Changes) -> Bool {
        changes.allSatisfy { name, now in
            let hadBlocks = parts.registered[name]?.workload.addresses.contains { !$0.isHost } ?? false
            return !hadBlocks && (now.map { live?.admits($0.workload) ?? false } ?? (live != nil))
        }
    }

    /// Brings changes into force in the address map alone. Has the turn.
    private func move(_ changes: Changes, _ action: String, by actor: Actor) async throws -> InventoryReport {
        let before = contested(among: changes)
        try writeDown(changes, action, by: actor)
        let accepted = clock.boot()
        if !moveNow(changes) { try await renew() }
        return report(of: changes, since: accepted, contested: before)
    }

    /// Brings what is written down into every map. False where one has no room.
    func moveNow(_ changes: Changes) -> Bool {
        commit(changes)
        return enter(changes.mapValues { $0?.workload })
    }

    /// Brings changes into force as a new generation. Has the turn.
    private func compile(_ changes: Changes, _ action: String, by actor: Actor) async throws -> InventoryReport {
        compiling = Set(changes.keys)
        defer { compiling = [] }
        let before = contested(among: changes)
        var coming = parts
        for (name, now) in changes { coming.registered[name] = now }
        let publication = try await prepare(coming, configuration)
        try writeDown(changes, action, by: actor)
        let accepted = clock.boot()
        let old = parts.registered
        commit(changes)
        try await publish(publication, orElse: old, changes)
        return report(of: changes, since: accepted, contested: before)
    }

    func contested(among changes: Changes) -> [Address] {
        addresses(of: changes).filter { live?.isContested($0) ?? false }
    }

    /// What came of changes that were accepted at a moment of the boot-time clock, when these addresses were contested.
    func report(of changes: Changes, since accepted: UInt64, contested before: [Address]) -> InventoryReport {
        let took = clock.boot() - accepted
        tell()
        return InventoryReport(
            epoch: live?.epoch ?? 0, generation: live?.generation ?? 0, workloads: changes.keys.map(\.description).sorted(),
            microseconds: took / 1000, contested: contested(among: changes).filter { !before.contains($0) }.map(\.description))
    }

    private func addresses(of changes: Changes) -> [Address] {
        changes.values.flatMap { $0?.workload.addresses.filter(\.isHost).map(\.address) ?? [] }
    }

    private func writeDown(_ changes: Changes, _ action: String, by actor: Actor) throws {
        guard let store else { throw Refusal(.unavailable, storeFault ?? "there is no state") }
        try store.register(written(changes, action, by: actor))
        around.conditions.clear("state")
    }

    /// Changes as the store takes them, with a line for each name.
    func written(_ changes: Changes, _ action: String, by actor: Actor) -> RegistrationChange {
        RegistrationChange(
            coming: changes.values.compactMap { $0?.registration },
            going: changes.filter { $0.value == nil }.keys.map(\.description),
            lines: changes.keys.map(\.description).sorted().map { event(action, "workload \($0)", actor, .done, nil) })
    }

    func commit(_ changes: Changes) {
        for (name, now) in changes {
            parts.registered[name] = now
            if now == nil { shadowed.remove(name) }
        }
    }

    /// Publishes registrations that are written down; where that fails they are as they were.
    private func publish(_ publication: Publication, orElse old: [ObjectName: Registered], _ changes: Changes) async throws {
        do {
            try await establish(
                publication, parts, serving.text, serving.revision, isNew: false,
                registrations: Dictionary(uniqueKeysWithValues: changes.map { ($0, (before: old[$0], now: $1)) }))
        } catch {
            let back: Changes = Dictionary(uniqueKeysWithValues: changes.keys.map { ($0, old[$0]) })
            commit(back)
            undo(back)
            throw error
        }
    }

    /// Writes down that registrations are again what they were, because data refused what came with them.
    func undo(_ back: Changes) {
        do { try writeDown(back, "workload.undo", by: .daemon("data")) } catch {
            around.log.error("registrations were refused, and that cannot be written down: \(error)")
        }
    }
}
