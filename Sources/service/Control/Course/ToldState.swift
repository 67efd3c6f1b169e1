// SPDX-License-Identifier: Apache-2.0
internal import Analysis
internal import Net
internal import Record
internal import Synchronization
internal import Telemetry

/// What `status` says of the course, for those who ask from any thread and must not wait.
final class ToldState: Sendable {
    /// What is told.
    struct Facts: Sendable {
        /// Which policy serves.
        var policy: StatusReport.PolicyState?
        /// When it goes back, in nanoseconds of the boot-time clock, while it is pending.
        var deadline: UInt64?
        /// The inventory's epoch.
        var epoch: UInt32 = 0
    }

    private let facts = Mutex(Facts())

    /// Tells something else from now on.
    func tell(_ change: (inout Facts) -> Void) { facts.withLock { change(&$0) } }

    /// What is told now.
    var now: Facts { facts.withLock { $0 } }
}

/// Looks at what is denied while a new revision is on trial, and counts what the one before would have allowed.
final class DenialWatch: Sendable {
    private struct Trial {
        /// The revision's first generation; those behind it are the same revision's as long as the trial lasts.
        var generation: UInt32
        var denials: NewDenials
        /// When it is over, in nanoseconds of the boot-time clock.
        var until: UInt64
    }

    private let trial = Mutex<Trial?>(nil)

    /// Begins a trial of a revision, from a generation on; an earlier one is over.
    func begin(_ generation: UInt32, _ denials: NewDenials, until: UInt64) {
        trial.withLock { $0 = Trial(generation: generation, denials: denials, until: until) }
    }

    /// Ends the trial.
    func end() { trial.withLock { $0 = nil } }

    /// Takes note of what was denied.
    func note(_ events: [FlowEvent]) {
        trial.withLock { trial in
            guard let generation = trial?.generation else { return }
            for event in events where event.record.generation >= generation && event.decision != .allow {
                trial?.denials.note(
                    event.record, zones: (event.source.zone, event.destination.zone),
                    at: UInt64(clamping: event.time.nanoseconds / 1_000_000_000))
            }
        }
    }

    /// What was denied too often, once it is too much; a trial whose time is over ends.
    func excess(at now: UInt64) -> [String]? {
        trial.withLock { current in
            guard let found = current else { return nil }
            if found.denials.isExceeded || now >= found.until { current = nil }
            return found.denials.isExceeded ? found.denials.examples : nil
        }
    }
}
