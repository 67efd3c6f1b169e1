// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Compiler
internal import Policy
internal import Synchronization

/// The set of the generation in force, for clients that ask for it; what is on its way stands beside it until it is there. Workloads that
/// changed since a generation was made are kept beside its set, and put into it when somebody asks.
final class PolicyInForce: Sendable {
    private struct Published {
        var generation: UInt32
        var set: PolicySet
        var zones: [ZonePlacement]
        var failsafe: Failsafe
        /// What workloads are now that changed since; nothing where they are gone.
        var changes: [ObjectName: Workload?] = [:]
    }

    private struct State {
        var current: Published?
        var coming: [Published] = []
    }

    private let state = Mutex(State())

    /// A generation is on its way.
    func publish(_ generation: UInt32, _ set: PolicySet, _ zones: [ZonePlacement], _ failsafe: Failsafe) {
        state.withLock { $0.coming.append(Published(generation: generation, set: set, zones: zones, failsafe: failsafe)) }
    }

    /// A generation has come into force, and with it those before are gone.
    func enter(_ generation: UInt32) {
        state.withLock { state in
            if let entered = state.coming.first(where: { $0.generation == generation }) { state.current = entered }
            state.coming.removeAll { $0.generation <= generation }
        }
    }

    /// A generation was refused.
    func refuse(_ generation: UInt32) { state.withLock { $0.coming.removeAll { $0.generation == generation } } }

    /// Workloads of a generation have changed, whether it is in force or on its way.
    func change(_ changes: [ObjectName: Workload?], in generation: UInt32) {
        state.withLock { state in
            for (name, now) in changes {
                if state.current?.generation == generation { state.current?.changes[name] = .some(now) }
                for index in state.coming.indices where state.coming[index].generation == generation {
                    state.coming[index].changes[name] = .some(now)
                }
            }
        }
    }

    /// What clients are told; `nil` before anything that this process published is in force.
    var report: PolicyReport? {
        guard let current = settled else { return nil }
        return PolicyReport(generation: current.generation, set: current.set, zones: current.zones, failsafe: current.failsafe)
    }

    /// The set in force, its workloads as they are now.
    var set: PolicySet? { settled?.set }

    /// What the generation in force keeps open, whatever its policies say.
    var failsafe: Failsafe { state.withLock { $0.current?.failsafe } ?? Failsafe() }

    /// A workload in force.
    func workload(_ name: ObjectName) -> Workload? {
        guard let current = state.withLock({ $0.current }) else { return nil }
        if let changed = current.changes[name] { return changed }
        return current.set.workload(named: name)
    }

    /// Workloads in force by name, those behind a name where one is given, so many at most.
    func workloads(after name: ObjectName?, limit: Int) -> [Workload] {
        let workloads = settled?.set.workloads ?? []
        let first = name.map { name in PolicySet.first(in: workloads) { name < $0.name } } ?? 0
        return Array(workloads[first...].prefix(max(0, limit)))
    }

    /// What is in force, with its changes put into the set, which is done once for all that ask.
    private var settled: Published? {
        guard let current = state.withLock({ $0.current }), !current.changes.isEmpty else { return state.withLock { $0.current } }
        var settled = current
        (settled.set, settled.changes) = (current.set.changing(current.changes), [:])
        state.withLock { state in
            guard state.current?.generation == current.generation else { return }
            // What changed meanwhile stays beside it.
            for (name, now) in state.current?.changes ?? [:] {
                let isSettled = current.changes[name].map {
                    $0.map { a in now.map { a.isSame(as: $0) } ?? false } ?? (now == nil)
                }
                if !(isSettled ?? false) { settled.changes[name] = .some(now) }
            }
            state.current = settled
        }
        settled.changes = [:]
        return settled
    }
}

extension PolicySet {
    /// A workload by its name: they are in the order of names.
    func workload(named name: ObjectName) -> Workload? {
        let index = Self.first(in: workloads) { !($0.name < name) }
        return index < workloads.count && workloads[index].name == name ? workloads[index] : nil
    }

    /// The index of the first workload that is such, of workloads of which all behind it are as well.
    static func first(in workloads: [Workload], where isSuch: (Workload) -> Bool) -> Int {
        var (low, high) = (0, workloads.count)
        while low < high {
            let middle = (low + high) / 2
            if isSuch(workloads[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
