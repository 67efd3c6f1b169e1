// SPDX-License-Identifier: Apache-2.0
public import Net

/// By what flows are judged now: another generation or epoch in an entry, or a verdict that has lapsed, makes its flow stale.
@frozen public struct FlowStamp: BitwiseCopyable, Sendable {
    /// The policy generation in force.
    public let generation: UInt32
    /// The inventory epoch.
    public let epoch: UInt32
    /// Unix seconds.
    public let wall: UInt64
    /// Seconds of the monotonic clock.
    public let timer: UInt64

    /// A stamp from its numbers.
    @_noLocks @inlinable public init(generation: UInt32, epoch: UInt32, wall: UInt64, timer: UInt64) {
        self.generation = generation
        self.epoch = epoch
        self.wall = wall
        self.timer = timer
    }

    /// Whether a flow was judged by another policy, or only until a second that has come.
    @inlinable @inline(__always) public func isOther(than entry: borrowing FlowEntry) -> Bool {
        if entry.generation != generation { return true }
        if entry.epoch != epoch { return true }
        return entry.isDue(wall: wall, timer: timer)
    }
}

/// A hand that goes once round the entries of a table, from wherever it stands, and finds the flows that are stale: those that send
/// nothing are judged again too. It belongs to the worker and not to the table: a new worker begins a round anyway.
@frozen public struct SweepHand: BitwiseCopyable, Sendable {
    /// The entry that it looks at next.
    @usableFromInline var position: UInt32 = 0
    /// Entries that it has still to look at; 0 when the round is over.
    public var left: UInt32 = 0
    /// The earliest unix second at which a verdict lapses that it met and that held; `.max` for none.
    public var lapse: UInt32 = .max
    /// The earliest second of the monotonic clock at which one does; `.max` for none.
    public var timer: UInt32 = .max

    /// A hand at rest.
    @_noLocks @inlinable public init() {}

    /// Keeps until when an entry's verdict holds.
    @_noLocks @inlinable mutating func note(_ entry: borrowing FlowEntry) {
        if entry.isTimed { timer = min(timer, entry.validUntil) } else { lapse = min(lapse, entry.validUntil) }
    }
}

extension FlowTable {
    /// Lets a hand begin a round, also in the middle of another: what it has seen before it will see again.
    @inlinable public func beginRound(_ hand: inout SweepHand) {
        hand.left = unsafe min(header.pointee.fresh, limit)
        hand.lapse = .max
        hand.timer = .max
    }

    /// The number of the next stale flow, or `.max` when the steps are spent or the round is over; each step is an entry looked at.
    /// Condemned flows are left where they are: their next segment ends them.
    @inlinable @inline(never) public func nextStale(_ stamp: FlowStamp, _ hand: inout SweepHand, steps: inout Int) -> UInt32 {
        while true {
            let number = nextLive(&hand, steps: &steps)
            guard number != .max else { return .max }
            let entry = unsafe body(number)
            if unsafe stamp.isOther(than: entry.pointee) { return number }
            hand.note(unsafe entry.pointee)
        }
    }

    /// The number of the next flow that is alive and not condemned, or `.max` when the steps are spent or the round is over.
    @inlinable @inline(__always) func nextLive(_ hand: inout SweepHand, steps: inout Int) -> UInt32 {
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
            // In bounds: `span` is at most `limit`.
            if Self.isLive(state(number)), unsafe !body(number).pointee.isCondemned { return number }
        }
        return .max
    }

    /// Brings what is needed to judge a flow again beside its entry into the cache.
    @inlinable @inline(__always) public func prefetchDetail(_ number: UInt32) {
        guard number < limit else { return }
        unsafe prefetch(details + Int(number))
    }
}

extension FlowTables {
    /// Lets a family's hand begin a round, see `FlowTable.beginRound`.
    @inlinable public func beginRound(isIPv4: Bool, _ hand: inout SweepHand) {
        if isIPv4 { v4.beginRound(&hand) } else { v6.beginRound(&hand) }
    }

    /// The next stale flow of a family, see `FlowTable.nextStale`.
    @inlinable public func nextStale(isIPv4: Bool, _ stamp: FlowStamp, _ hand: inout SweepHand, steps: inout Int) -> FlowNumber {
        FlowNumber(
            isIPv4 ? v4.nextStale(stamp, &hand, steps: &steps) : v6.nextStale(stamp, &hand, steps: &steps), isIPv4: isIPv4)
    }

    /// Brings a flow's detail into the cache.
    @inlinable @inline(__always) public func prefetchDetail(_ number: FlowNumber) {
        if number.isIPv4 { v4.prefetchDetail(number.entry) } else { v6.prefetchDetail(number.entry) }
    }
}

/// Flows that have ended as far as policy goes, and stay only until a segment comes by which both ends can be reset: nothing passes.
/// They are marked as outlived under the change mode that resets, which no living flow is, and bear the generation that none has.
extension FlowEntry {
    /// Whether the flow is condemned.
    @inlinable public var isCondemned: Bool {
        @_noLocks get { marks.rawValue & FlowMarks.outlived.rawValue != 0 && change == 3 }
    }

    /// Condemns the flow.
    @_noLocks @inlinable public mutating func condemn() {
        marks = FlowMarks(rawValue: marks.rawValue | FlowMarks.outlived.rawValue)
        change = 3
        generation = 0
    }
}
