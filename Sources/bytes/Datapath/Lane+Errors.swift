// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Net

extension Lane {
    /// Finds the flow that an ICMP error speaks of: its hash and owner.
    @_noLocks @inline(never)
    mutating func readQuoted(_ index: Int) { findBucket(index) }

    /// The verdict on an ICMP error.
    @_noLocks @inline(never)
    mutating func judgeError(_ index: Int, _ policy: borrowing PolicyInForce, _ now: Moment) -> Verdict {
        .drop(.unrelatedICMP)
    }
}
