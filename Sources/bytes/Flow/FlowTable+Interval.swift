// SPDX-License-Identifier: Apache-2.0
extension FlowTable {
    /// The number of the next live flow that has had a frame in the last `age` ticks, or `.max` when the steps are spent or the round is
    /// over; each step is an entry looked at. Condemned flows have been told of.
    @inlinable @inline(never) public func nextSeen(within age: UInt32, now: UInt32, _ hand: inout SweepHand, steps: inout Int)
        -> UInt32
    {
        while true {
            let number = nextLive(&hand, steps: &steps)
            guard number != .max else { return .max }
            // Ticks wrap; the difference to now does not, within 52 days.
            if unsafe now &- body(number).pointee.lastSeen <= age { return number }
        }
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
