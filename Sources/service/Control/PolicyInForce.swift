// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Compiler
internal import Policy
internal import Synchronization

/// The set of the generation in force, for clients that ask for it; what is on its way stands beside it until it is there.
final class PolicyInForce: Sendable {
    private struct Published {
        var generation: UInt32
        var set: PolicySet
        var zones: [ZonePlacement]
        var failsafe: Failsafe
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

    /// What clients are told; `nil` before anything that this process published is in force.
    var report: PolicyReport? {
        let current = state.withLock { $0.current }
        return current.map { PolicyReport(generation: $0.generation, set: $0.set, zones: $0.zones, failsafe: $0.failsafe) }
    }

    /// What the generation in force keeps open, whatever its policies say.
    var failsafe: Failsafe { state.withLock { $0.current?.failsafe } ?? Failsafe() }
}
