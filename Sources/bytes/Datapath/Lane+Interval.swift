// SPDX-License-Identifier: Apache-2.0
internal import Flow
internal import Net
internal import Record

// What live flows have carried is told at intervals, because a connection may live for days. A hand goes once round both tables in
// each interval, as far in each turn as the time that has passed asks for, and tells of the flows that have had a frame since it went
// round last. It takes no more than half of the event ring: where starts and ends need it, it waits.

/// The rounds in which live flows are told of.
struct Intervals: ~Copyable {
    /// Entries looked at in one turn at most, about 5 µs.
    static var steps: UInt64 { @_noLocks get { 1024 } }
    /// Flows told of in one turn at most.
    static var most: Int { @_noLocks get { 32 } }

    /// The hand of each family.
    var hand4 = SweepHand()
    var hand6 = SweepHand()
    /// When the round at hand began, in nanoseconds of the turn's clock; 0 before the first.
    var began: UInt64 = 0
    /// Entries that the round at hand has to look at, and those that it has.
    var (whole, done): (UInt64, UInt64) = (0, 0)
}

extension Lane {
    /// Tells of some of the flows that have had frames in the interval that is over.
    @_noLocks
    mutating func tellIntervals(at now: Moment) {
        let length = UInt64(settings.recordSeconds) &* 1_000_000_000
        guard length > 0 else { return }
        let elapsed = now.nanoseconds &- intervals.began
        // A round that is late goes to its end: no flow is passed over.
        if intervals.began == 0 || (elapsed >= length && intervals.done == intervals.whole) {
            intervals.began = now.nanoseconds
            flows.beginRound(isIPv4: true, &intervals.hand4)
            flows.beginRound(isIPv4: false, &intervals.hand6)
            intervals.whole = UInt64(intervals.hand4.left) &+ UInt64(intervals.hand6.left)
            intervals.done = 0
            return
        }
        // At most 2^28 entries and 18 hours in nanoseconds would leave 64 bits: thousandths of the interval do.
        let due = intervals.whole &* min(elapsed / (length / 1000), 1000) / 1000
        guard due > intervals.done, reporter.hasRoom else { return }
        tellSome(min(due &- intervals.done, Intervals.steps), now)
    }

    @_noLocks
    private mutating func tellSome(_ most: UInt64, _ now: Moment) {
        // The hand was last here an interval ago, sooner or later as the table has grown or shrunk since: rather told twice than never.
        let age = 2 &* UInt32(settings.recordSeconds) &* FlowTimeouts.ticks(seconds: 1)
        var (steps, left) = (Int(most), Intervals.most)
        while steps > 0, left > 0, intervals.hand4.left | intervals.hand6.left != 0 {
            let isIPv4 = intervals.hand4.left > 0
            let number =
                isIPv4
                ? flows.nextSeen(isIPv4: true, within: age, now: now.ticks, &intervals.hand4, steps: &steps)
                : flows.nextSeen(isIPv4: false, within: age, now: now.ticks, &intervals.hand6, steps: &steps)
            guard !number.isNone else { continue }
            report(.update, number, now)
            left &-= 1
        }
        intervals.done = intervals.whole &- UInt64(intervals.hand4.left) &- UInt64(intervals.hand6.left)
    }
}
