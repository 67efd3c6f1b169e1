// SPDX-License-Identifier: Apache-2.0
public import Net

/// How many new flows each source may open: so many a second, and so many at once after a quiet time. A source is an IPv4 address, or
/// the /64 of an IPv6 address, because who has one address there has them all.
///
/// Kept for each source as the time at which its next flow would be due at an even pace (the "generic cell rate algorithm", see
/// `ReplyBudget`), in a table of fixed size: 4,096 buckets of 64 bytes with four sources each. Which bucket is a source's, nobody can
/// know who does not know the secret. A source that finds its bucket full takes the place of the one that is due first, which has
/// spent least.
///
/// The error is on one side: whoever is pushed out begins anew with a full burst, so that nobody is ever limited for what another did.
/// Somebody with more than some 10,000 addresses at once escapes the limit by that, as whoever forges addresses escapes any limit by
/// address; the cap on waiting flows is what holds then.
///
/// Private to a worker, and asked for nothing where no limit is set.
@safe public struct SourceLimits: ~Copyable {
    /// Buckets; a power of two.
    @inlinable static var buckets: UInt64 { @_noLocks get { 4096 } }
    /// Sources of a bucket.
    @inlinable static var ways: Int { @_noLocks get { 4 } }

    /// A source and when its next flow is due, in nanoseconds.
    @frozen @usableFromInline struct Slot: BitwiseCopyable {
        @usableFromInline var tag: UInt64
        @usableFromInline var due: UInt64

        @_noLocks @inlinable init(tag: UInt64, due: UInt64) {
            self.tag = tag
            self.due = due
        }
    }

    @usableFromInline let slots: UnsafeMutablePointer<Slot>
    @usableFromInline let secret: InlineArray<2, UInt64>

    /// A table that knows no source, under the secret of the process.
    public init(secret: HashSecret) {
        self.secret = [secret[0] | 1, secret[1]]
        let count = Int(SourceLimits.buckets) * SourceLimits.ways
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<Slot>.stride, alignment: 64)
        unsafe slots = bytes.initializeMemory(as: Slot.self, repeating: Slot(tag: 0, due: 0), count: count)
    }

    deinit { unsafe UnsafeMutableRawPointer(slots).deallocate() }

    /// Takes a new flow out of the budget of its source; false when there is none left. `rate` is flows a second, `burst` flows at
    /// once, both at least 1; `now` is in nanoseconds.
    @_noLocks @inlinable public mutating func take(_ source: Address, rate: UInt32, burst: UInt32, at now: UInt64) -> Bool {
        let tag = tag(of: source)
        let first = Int(truncatingIfNeeded: (tag >> 32) & (SourceLimits.buckets &- 1)) &* SourceLimits.ways
        var place = first
        var number = 0
        var isKnown = false
        while number < SourceLimits.ways && !isKnown {
            // In bounds: the bucket's number is below `buckets`.
            let slot = unsafe slots[first &+ number]
            if slot.tag == tag {
                place = first &+ number
                isKnown = true
            } else if unsafe slot.due < slots[place].due {
                place = first &+ number
            }
            number &+= 1
        }
        // At most 10⁹ times 10⁷, which fits.
        let interval = 1_000_000_000 / UInt64(max(1, rate))
        let allowance = interval &* UInt64(max(1, burst))
        var due = unsafe isKnown ? slots[place].due : now
        // A time that lies too far ahead is of another clock, or of another pace.
        if due > now &+ allowance { due = now &+ allowance }
        let start = due > now ? due : now
        let isAllowed = now &+ allowance &- start >= interval
        unsafe slots[place] = Slot(tag: tag, due: isAllowed ? start &+ interval : due)
        return isAllowed
    }

    /// 64 bits of a source, no two sources of one family having the same: a multiplication by an odd number merges none.
    @_noLocks @inlinable func tag(of source: Address) -> UInt64 {
        let prefix = source.isIPv4 ? UInt64(source.v4) : source.high
        var x = (prefix ^ secret[1] &* (source.isIPv4 ? 1 : 3)) &* secret[0]
        x = (x ^ x >> 32) &* 0xd6e8_feb8_6659_fd93
        x = (x ^ x >> 32) &* secret[0]
        return x ^ x >> 32
    }
}
