// SPDX-License-Identifier: Apache-2.0
internal import State
internal import Synchronization

/// How often a refused caller is written down: twenty times at once and then once in ten seconds, with how many were left out. A line
/// of the audit log costs a write that waits for the disk, which nobody without a role shall be able to ask for at will.
final class RefusalNotes: Sendable {
    private let rate = RateLimit(perSecond: 0.1, burst: 20)
    private let left = Mutex<[String: Int]>([:])

    /// Whether an attempt is to be written down now, and how many before it were not; `nil` where it is not.
    func take(_ actor: Actor, now: UInt64) -> Int? {
        let isWritten = rate.take(actor.name, now: now)
        return left.withLock { left in
            if isWritten { return left.removeValue(forKey: actor.name) ?? 0 }
            if left[actor.name] != nil || left.count < 1024 { left[actor.name, default: 0] += 1 }
            return nil
        }
    }
}
