// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// A bucket of tokens for each of many keys: one token goes with each act, and they come back at a fixed rate.
///
/// The table is bounded. A bucket that is full again is as good as none, so those are thrown out first; where every bucket is in use
/// all newcomers share one.
final class RateLimit: Sendable {
    private struct Bucket {
        var tokens: Double
        var time: UInt64
    }

    private let perSecond, burst: Double
    private let capacity: Int
    private let buckets = Mutex<(own: [String: Bucket], shared: Bucket?)>(([:], nil))

    /// So many acts a second, so many at once, for so many keys.
    init(perSecond: Double, burst: Double, capacity: Int = 1024) {
        self.perSecond = perSecond
        self.burst = burst
        self.capacity = capacity
    }

    /// Takes a token of a key at a time in nanoseconds; false where there is none.
    func take(_ key: String, now: UInt64) -> Bool {
        buckets.withLock { buckets in
            if buckets.own[key] == nil && buckets.own.count >= capacity {
                buckets.own = buckets.own.filter { filled($0.value, now).tokens < burst }
            }
            guard buckets.own[key] != nil || buckets.own.count < capacity else { return spend(&buckets.shared, now) }
            return spend(&buckets.own[key], now)
        }
    }

    private func spend(_ bucket: inout Bucket?, _ now: UInt64) -> Bool {
        var current = filled(bucket ?? Bucket(tokens: burst, time: now), now)
        defer { bucket = current }
        guard current.tokens >= 1 else { return false }
        current.tokens -= 1
        return true
    }

    private func filled(_ bucket: Bucket, _ now: UInt64) -> Bucket {
        let passed = Double(now > bucket.time ? now - bucket.time : 0) / 1e9
        return Bucket(tokens: min(burst, bucket.tokens + passed * perSecond), time: max(now, bucket.time))
    }
}
