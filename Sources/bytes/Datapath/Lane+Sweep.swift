// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Flow
internal import Net
internal import Record
internal import Ring

// Flows that send nothing are judged again too. A frame's flow is judged when the frame comes; for the others a hand goes round both
// tables, a slice of a few flows behind each burst, and finds those whose stamps are old or whose verdict has lapsed.
//
// A round begins when the generation is another one, in the middle of a round too: the hand stays where it is and goes round once
// from there, so that generations that come fast do not keep it at the same entries. A new epoch begins one only when the last is
// over and some time has passed, because an inventory may change many times a second: what changes meanwhile waits for the next
// round, and is judged by its next frame before that. So does a verdict that lapses: the earliest such second is known.
//
// There is no clock here, so a slice is bounded by counts: entries looked at, and flows judged. The measured times are in
// `docs/connections.md`.

/// The rounds over a worker's tables.
struct Sweep: ~Copyable {
    /// Flows that are judged side by side, so that the waits for their lines overlap.
    static var batch: Int { @_noLocks get { 16 } }
    /// Nanoseconds between the begins of two rounds that no new generation asks for, at least.
    static var pause: UInt64 { @_noLocks get { 1_000_000_000 } }

    /// The hand of each family.
    var hand4 = SweepHand()
    var hand6 = SweepHand()
    /// The generation and the epoch for which the round at hand, or the last one, began; 0 before the first.
    var generation: UInt32 = 0
    var epoch: UInt32 = 0
    /// When it began, and from when the next one may begin that no new generation asks for, in nanoseconds of the turn's clock.
    var began: UInt64 = 0
    var notBefore: UInt64 = 0
    /// The earliest unix second at which a verdict lapses that was given since the round began; `.max` for none.
    var lapse: UInt32 = .max
    /// The same for the seconds of the monotonic clock.
    var timer: UInt32 = .max
    /// The flows at hand, and what policy is asked about them.
    var numbers = Column<FlowNumber>(repeating: .none)
    var questions = Column<Question>(repeating: Question())

    /// Whether entries are still to be looked at.
    var isUnderWay: Bool { @_noLocks get { hand4.left | hand6.left != 0 } }

    /// Keeps the second at which a verdict lapses.
    @_noLocks
    mutating func noteLapse(_ second: UInt32, isTimed: Bool) {
        if isTimed { timer = min(timer, second) } else { lapse = min(lapse, second) }
    }

    /// Whether some verdict has lapsed that held when it was met.
    @_noLocks
    func hasLapse(at now: Moment) -> Bool {
        let (wall, timed) = (min(lapse, min(hand4.lapse, hand6.lapse)), min(timer, min(hand4.timer, hand6.timer)))
        return (wall != .max && now.wall >= UInt64(wall)) || (timed != .max && now.seconds >= UInt64(timed))
    }
}

extension Lane {
    /// Judges some of the flows again that send nothing, fewer behind a burst of many frames. Flows that end here are reported.
    @_noLocks
    mutating func sweepSome(after handled: UInt32, by policy: borrowing PolicyInForce, at now: Moment) {
        beginRound(policy, now)
        guard rounds.isUnderWay else { return }
        let isBusy = handled >= 16
        var steps = isBusy ? 128 : 512
        var batches = isBusy ? 1 : 2
        while batches > 0, steps > 0, rounds.isUnderWay {
            let count = gatherStale(most: isBusy ? 4 : Sweep.batch, &steps, policy, now)
            judgeGathered(count, policy, now)
            batches &-= 1
        }
        if !rounds.isUnderWay {
            let length = now.nanoseconds &- rounds.began
            // At most a quarter of the time goes into rounds that no new generation asks for.
            rounds.notBefore = now.nanoseconds &+ max(Sweep.pause, 3 &* length)
        }
    }

    /// Begins a round where there is cause for one.
    @_noLocks
    private mutating func beginRound(_ policy: borrowing PolicyInForce, _ now: Moment) {
        let (generation, epoch) = (policy.snapshot.generation, policy.map.epoch)
        if generation == rounds.generation {
            guard !rounds.isUnderWay, now.nanoseconds >= rounds.notBefore else { return }
            guard rounds.hasLapse(at: now) || epoch != rounds.epoch else { return }
        }
        rounds.generation = generation
        rounds.epoch = epoch
        rounds.began = now.nanoseconds
        rounds.lapse = .max
        rounds.timer = .max
        flows.beginRound(isIPv4: true, &rounds.hand4)
        flows.beginRound(isIPv4: false, &rounds.hand6)
    }

    /// Finds the next stale flows and asks for what it takes to judge them; says how many.
    @_noLocks
    private mutating func gatherStale(
        most: Int, _ steps: inout Int, _ policy: borrowing PolicyInForce, _ now: Moment
    ) -> Int {
        let stamp = FlowStamp(generation: policy.snapshot.generation, epoch: policy.map.epoch, wall: now.wall, timer: now.seconds)
        var count = 0
        while count < most, steps > 0 {
            let isIPv4 = rounds.hand4.left > 0
            let number =
                isIPv4
                ? flows.nextStale(isIPv4: true, stamp, &rounds.hand4, steps: &steps)
                : flows.nextStale(isIPv4: false, stamp, &rounds.hand6, steps: &steps)
            if number.isNone {
                if rounds.isUnderWay { continue }
                return count
            }
            flows.prefetchDetail(number)
            let identity = flows.identity(of: number)
            policy.map.prefetch(identity.source.address)
            policy.map.prefetch(identity.destination.address)
            rounds.numbers[count] = number
            count &+= 1
        }
        return count
    }

    /// Judges them, each step over all of them.
    @_noLocks
    private mutating func judgeGathered(_ count: Int, _ policy: borrowing PolicyInForce, _ now: Moment) {
        for index in 0..<count {
            rounds.questions[index] = question(of: rounds.numbers[index], policy)
            policy.snapshot.prefetchClasses(
                source: rounds.questions[index].source, destination: rounds.questions[index].destination)
        }
        for index in 0..<count {
            policy.snapshot.prefetchFilters(
                source: rounds.questions[index].source, destination: rounds.questions[index].destination)
        }
        for index in 0..<count {
            policy.snapshot.prefetchRows(
                source: rounds.questions[index].source, destination: rounds.questions[index].destination)
        }
        for index in 0..<count {
            policy.snapshot.prefetchTables(
                source: rounds.questions[index].source, destination: rounds.questions[index].destination)
        }
        for index in 0..<count {
            _ = judgeAlone(rounds.numbers[index], rounds.questions[index], policy, now)
        }
    }
}
