// SPDX-License-Identifier: Apache-2.0

/// How many replies may still be sent: so many a second, and so many at once after a quiet time (a token bucket). Whoever provokes
/// more than that gets silence, so that nobody can make a firewall throw packets at a third party at any rate that harms
/// (RFC 1812, 4.3.2.8; RFC 4443, 2.4 f).
///
/// It is kept as the time at which the next reply would be due if they came at an even pace (the "generic cell rate algorithm" of
/// ITU-T I.371): one number, no rounding, nothing to be refilled. Time is a parameter.
@frozen public struct ReplyBudget: BitwiseCopyable, Sendable {
    /// Nanoseconds between two replies at an even pace; 0 where none may be sent.
    @usableFromInline let interval: UInt64
    /// Replies a second, as asked for.
    public let perSecond: UInt32
    /// How far ahead of the even pace the due time may run, in nanoseconds.
    @usableFromInline let allowance: UInt64
    /// When the next reply is due, in nanoseconds of the clock that `spend` is told.
    @usableFromInline var due: UInt64 = 0

    /// A full budget of `perSecond` replies a second (at most 10⁹), `burst` of them at once; either 0 means that none is ever sent.
    @_noLocks public init(perSecond: UInt32, burst: UInt32) {
        self.perSecond = perSecond
        let pace = UInt64(min(perSecond, 1_000_000_000))
        interval = pace == 0 || burst == 0 ? 0 : 1_000_000_000 / pace
        // Less than 2³² times 10⁹, which fits.
        allowance = interval * UInt64(burst)
    }

    /// Takes one reply out of the budget; `false` when there is none. `now` is in nanoseconds; should it ever lie before an earlier
    /// one, the budget counts as just spent, and is whole again after the usual time.
    @_noLocks @inlinable public mutating func spend(at now: UInt64) -> Bool {
        guard interval > 0 else { return false }
        let latest = now &+ allowance
        guard latest >= now else { return false }
        if due > latest { due = latest }
        let start = due > now ? due : now
        guard latest &- start >= interval else { return false }
        due = start &+ interval
        return true
    }
}
