// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Synchronization

/// What an operator should know for as long as it lasts: a bypass, a revision that awaits its confirmation, a state that cannot be
/// written. Whoever finds such a thing raises it under its name and clears it when it is over; `status` lists what stands.
public final class Conditions: Sendable {
    private let standing = Mutex<[String: StatusReport.Condition]>([:])

    /// Nothing stands.
    public init() {}

    /// Raises a condition, or tells it anew: it stands since it was first raised, and the detail is what is said now.
    public func raise(_ name: String, _ detail: String) {
        let now = Self.now
        standing.withLock { standing in
            standing[name] = StatusReport.Condition(name: name, since: standing[name].flatMap(\.since) ?? now, detail: detail)
        }
    }

    /// Ends a condition; nothing happens where it does not stand.
    public func clear(_ name: String) { standing.withLock { _ = $0.removeValue(forKey: name) } }

    /// Raises a condition, or clears it where there is nothing to say of it.
    public func set(_ name: String, _ detail: String?) {
        if let detail { raise(name, detail) } else { clear(name) }
    }

    /// What stands, by name.
    public var all: [StatusReport.Condition] {
        standing.withLock { $0.values.sorted { $0.name < $1.name } }
    }

    private static var now: String {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)).description
    }
}
