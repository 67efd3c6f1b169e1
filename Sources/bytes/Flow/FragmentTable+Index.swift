// SPDX-License-Identifier: Apache-2.0
internal import Net

// The index: a key has two buckets of eight places and lies in the one that had more room when it came. With twice as many places as
// datagrams a place is there in practice always; where it is not, the datagram is refused as if the table were full.

extension FragmentTable {
    /// The datagram of a key; `nil` where nothing of it is known.
    @_noLocks func find(_ key: FragmentKey, _ hash: UInt64) -> UInt32? {
        if let number = find(key, hash, bucket: first(hash)) { return number }
        return find(key, hash, bucket: second(hash))
    }

    /// Enters a datagram's number; false where both buckets are full.
    @_noLocks func enter(_ number: UInt32, _ hash: UInt64) -> Bool {
        let (one, other) = (first(hash), second(hash))
        let bucket = freePlaces(one) >= freePlaces(other) ? one : other
        for place in 0..<8 where unsafe index[bucket &* 8 &+ place] == 0 {
            unsafe index[bucket &* 8 &+ place] = tag(hash) | (number &+ 1)
            return true
        }
        return false
    }

    /// Takes a datagram's number out.
    @_noLocks func leave(_ number: UInt32, _ hash: UInt64) {
        let word = tag(hash) | (number &+ 1)
        for place in 0..<8 {
            if unsafe index[first(hash) &* 8 &+ place] == word { unsafe index[first(hash) &* 8 &+ place] = 0 }
            if unsafe index[second(hash) &* 8 &+ place] == word { unsafe index[second(hash) &* 8 &+ place] = 0 }
        }
    }

    @_noLocks private func find(_ key: FragmentKey, _ hash: UInt64, bucket: Int) -> UInt32? {
        for place in 0..<8 {
            let word = unsafe index[bucket &* 8 &+ place]
            guard word & 0xffff != 0, word & 0xffff_0000 == tag(hash) else { continue }
            let number = word & 0xffff &- 1
            if unsafe FragmentKey.same(entry(number).pointee.key, key) { return number }
        }
        return nil
    }

    @_noLocks private func freePlaces(_ bucket: Int) -> Int {
        var count = 0
        for place in 0..<8 where unsafe index[bucket &* 8 &+ place] == 0 { count &+= 1 }
        return count
    }

    @_noLocks private func tag(_ hash: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: hash & 0xffff) << 16 }

    @_noLocks private func first(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 32 & 0xff) }

    /// Never the first one.
    @_noLocks private func second(_ hash: UInt64) -> Int {
        let other = Int(truncatingIfNeeded: hash >> 48 & 0xff)
        return other == first(hash) ? other ^ 1 : other
    }
}
