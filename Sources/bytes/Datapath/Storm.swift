// SPDX-License-Identifier: Apache-2.0

/// How many group frames a port may still bring in: so many a second, and as many at once after a quiet second. A loop beside the
/// appliance, or one broken card, multiplies broadcasts until nothing else has room; here they cross at a bounded rate only, and each
/// of them costs a look at policy only while the budget lasts.
///
/// Kept, as `ReplyBudget` is, as the time at which an even pace would bring the next frame; but the pace is a parameter, because a
/// new generation may bring another one.
struct StormBudget: BitwiseCopyable {
    /// Nanoseconds of one second, which is the burst.
    private static var second: UInt64 { @_noLocks get { 1_000_000_000 } }
    /// When the next frame is due at an even pace, in nanoseconds of the turn's clock.
    private var due: UInt64 = 0

    /// Takes a frame out of the budget of `limit` a second (at most a million; 0 for no limit); false when there is none.
    @_noLocks
    mutating func take(limit: UInt32, at now: UInt64) -> Bool {
        guard limit > 0 else { return true }
        let interval = StormBudget.second / UInt64(limit)
        let start = due > now ? due : now
        guard start &- now <= StormBudget.second &- interval else { return false }
        due = start &+ interval
        return true
    }
}
