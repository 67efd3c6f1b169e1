// SPDX-License-Identifier: Apache-2.0
extension FlowTable {
    /// The number of the next live flow that has had a frame in the last `age` ticks, or `.max` when the steps are spent or the round is
    /// over; each step is an entry looked at. Condemned flows have been told of.
    @inlinable @inline(never) public func nextSeen(within age: UInt32, now: UInt32, _ hand: inout SweepHand, steps: inout Int)
        -> UInt32
    {
        let span = unsafe min(header.pointee.fresh, limit)
        while steps > 0, hand.left > 0 {
            guard span > 0 else {
                hand.left = 0
                return .max
            }
            steps &-= 1
            hand.left &-= 1
            let number = hand.position < span ? hand.position : 0
            hand.position = number &+ 1
            guard Self.isLive(state(number)) else { continue }
            // In bounds: `span` is at most `limit`.
            let entry = unsafe body(number)
            if unsafe entry.pointee.isCondemned { continue }
            // Ticks wrap; the difference to now does not, within 52 days.
            if unsafe now &- entry.pointee.lastSeen <= age { return number }
        }
        return .max
    }
}

extension FlowTables {
    /// The next flow of a family that has had a frame lately, see `FlowTable.nextSeen`.
    @inlinable public func nextSeen(
        isIPv4: Bool, within age: UInt32, now: UInt32, _ hand: inout SweepHand, steps: inout Int
    ) -> FlowNumber {
        FlowNumber(
            isIPv4
                ? v4.nextSeen(within: age, now: now, &hand, steps: &steps)
                : v6.nextSeen(within: age, now: now, &hand, steps: &steps), isIPv4: isIPv4)
    }
}
