// SPDX-License-Identifier: Apache-2.0
internal import Synchronization
internal import Telemetry

/// Counts what the servers do, and how much of what is shared they have given out.
final class Tally: Sendable {
    private let counters = Mutex(StatusReport.APICounters())
    private let reading = Mutex(0)
    private let limit: Int

    /// A tally that lets so many bytes of requests be read at one time.
    init(reading limit: Int) { self.limit = limit }

    /// The counters now.
    var report: StatusReport.APICounters { counters.withLock { $0 } }

    /// Counts one of something.
    func count(_ what: WritableKeyPath<StatusReport.APICounters, UInt64>) { counters.withLock { $0[keyPath: what] += 1 } }

    /// A connection has ended.
    func leave() { counters.withLock { $0.connections -= 1 } }

    /// Room for a request's bytes, to be given back with `release`; false where others have it all.
    func reserve(_ bytes: Int) -> Bool {
        reading.withLock { taken in
            guard taken + bytes <= limit else { return false }
            taken += bytes
            return true
        }
    }

    /// Gives room back.
    func release(_ bytes: Int) { reading.withLock { $0 -= bytes } }
}
