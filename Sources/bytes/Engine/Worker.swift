// SPDX-License-Identifier: Apache-2.0
internal import CXDP
internal import Datapath
internal import Glibc
internal import Layout
internal import Net
internal import Record
internal import Ring
internal import Synchronization

/// What a worker needs beside its lane, all of it plain values and pointers to memory that outlives the thread.
@safe struct WorkerPost {
    /// Number among all workers.
    let number: Int
    /// What an idle worker does.
    let poll: PairPlan.Poll
    /// Whether the sockets are zero-copy.
    let isZeroCopy: Bool
    /// The policy in force.
    let cell: Unmanaged<PolicyCell>
    /// The worker's turn word on the board: odd while it holds a snapshot.
    let turn: UnsafePointer<Atomic<UInt64>>
    /// Its sleep mark.
    let sleeping: UnsafePointer<Atomic<UInt64>>
    /// Its order to park.
    let park: UnsafePointer<Atomic<UInt64>>
    /// Its answer to that order.
    let parked: UnsafePointer<Atomic<UInt64>>
    /// The sleep marks of the pair's workers, by their number in it.
    let pairSleeping: InlineArray<16, UnsafePointer<Atomic<UInt64>>>
    /// By which second policy expires.
    let clock: PolicyClockWords
    /// The pair's mode word and epoch.
    let mode: UnsafePointer<UInt32>
    /// Since when connections are under way that the tables may not hold.
    let grace: UnsafePointer<Atomic<UInt64>>
    /// What control asks about a connection.
    let question: SequencedSlot<TraceQuestion>
    /// Where this worker answers.
    let answer: SequencedSlot<TraceAnswer>
    /// The worker's own counters.
    let counters: UnsafeMutablePointer<WorkerCounters>
    /// The end of a socket pair on which others wake this worker.
    let wake: Int32
    /// The ends on which to wake the others of the pair, by their number in it.
    let others: InlineArray<16, Int32>
}

/// A worker's loop: turn, kick, sleep. The only clock of the data path is read here, once a turn.
struct Worker: ~Copyable {
    /// Turns without a frame before an idle worker sleeps.
    static let spins = 200
    /// Longest sleep, so that a worker's heartbeat is seen at least ten times a second.
    static let sleepMilliseconds: Int32 = 100

    /// The park word's value when a port is gone.
    static let halted: UInt64 = 2

    var lane: Lane
    let post: WorkerPost
    /// A pause between two turns that is longer than this, in nanoseconds, means that the worker was stopped: it sleeps 100 ms at most by
    /// itself.
    var longestPause: UInt64 = 250_000_000
    /// End of the last turn.
    private var lastTurn: UInt64
    /// The mode word's epoch that the worker has seen.
    private var epoch: UInt32
    private var turnCount: UInt64
    /// Which question was looked at last, by its slot's sequence.
    private var asked: UInt64
    private var idle = 0
    private var clock: PolicyClock
    /// Whether each port had its link when last looked at.
    private var hadLink: InlineArray<2, Bool> = .init(repeating: true)

    init(lane: consuming Lane, post: WorkerPost) {
        self.lane = lane
        self.post = post
        clock = PolicyClock(post.clock)
        lastTurn = unsafe cxdp_monotonic_ns()
        epoch = unsafe UInt32(truncatingIfNeeded: cxdp_read_mode(post.mode) >> 32)
        turnCount = unsafe post.turn.pointee.load(ordering: .relaxed) | 1
        turnCount &+= 1
        // What was asked before it began is for another.
        asked = post.question.sequence
    }

    /// Runs until it is asked to park, and says so when it has.
    mutating func run() {
        unsafe post.counters.pointee.loseUntoldRefusals()
        while unsafe post.park.pointee.load(ordering: .acquiring) == 0 { step() }
        if unsafe post.park.pointee.load(ordering: .acquiring) == Worker.halted { giveUp() } else { flush() }
        unsafe post.parked.pointee.store(1, ordering: .releasing)
    }

    /// One turn and what follows it.
    @_noLocks
    mutating func step() {
        let handled = turn()
        if handled > 0 {
            idle = 0
            return
        }
        idle &+= 1
        switch post.poll {
        case .wait: if idle > Worker.spins { sleep() } else { unsafe cxdp_pause() }
        case .spin: unsafe cxdp_pause()
        case .busy:
            for port in 0..<2 { _ = unsafe cxdp_xsk_receive_kick(lane.ports[port].socket) }
        }
    }

    /// A turn under an odd turn word: from here to its end the snapshot stays.
    @_noLocks
    private mutating func turn() -> UInt32 {
        turnCount &+= 1
        unsafe post.turn.pointee.store(turnCount, ordering: .sequentiallyConsistent)
        defer {
            turnCount &+= 1
            unsafe post.turn.pointee.store(turnCount, ordering: .sequentiallyConsistent)
        }
        let now = unsafe cxdp_monotonic_ns()
        dropWhatIsStale(now)
        watchLinks()
        guard let policy = unsafe post.cell._withUnsafeGuaranteedRef({ unsafe $0.load() }) else { return 0 }
        let moment = unsafe Moment(nanoseconds: now, wall: clock.second(wall: cxdp_wall_seconds(), at: now))
        let handled = unsafe lane.turn(by: policy.pointee, at: moment)
        // Stopped inside the turn: what it was about to send is as old as the pause.
        if unsafe cxdp_monotonic_ns() &- now > longestPause { withdrawStale() }
        kick(0)
        kick(1)
        wakeOthers()
        if post.question.sequence != asked { answer(by: unsafe policy.pointee, at: moment) }
        lastTurn = unsafe cxdp_monotonic_ns()
        if handled > 0 {
            unsafe post.counters.pointee.turns &+= 1
            let length = lastTurn &- now
            if unsafe length > post.counters.pointee.longestTurn { unsafe post.counters.pointee.longestTurn = length }
            if unsafe post.counters.pointee.turns & 255 == 0 { unsafe post.counters.pointee.cpuTime = cxdp_thread_cpu_ns() }
        }
        return handled
    }

    /// Answers what control asks about a connection: one lookup, when the burst's frames are on their way. A question that is just being
    /// written is answered in the next turn.
    @_noLocks @inline(never)
    private mutating func answer(by policy: PolicyInForce, at now: Moment) {
        let sequence = post.question.sequence
        guard let question = post.question.read() else { return }
        asked = sequence
        guard question.number != 0, lane.isAsked(question) else { return }
        var answer = lane.answer(question, by: policy, at: now)
        answer.worker = UInt32(truncatingIfNeeded: post.number)
        post.answer.write(answer)
    }

    /// After a pause that the worker did not choose, or a change of the mode word, nothing that waited may leave.
    @_noLocks
    private mutating func dropWhatIsStale(_ now: UInt64) {
        let seen = unsafe UInt32(truncatingIfNeeded: cxdp_read_mode(post.mode) >> 32)
        let wasStopped = now &- lastTurn > longestPause
        if wasStopped { withdrawStale() }
        if wasStopped || seen != epoch {
            epoch = seen
            // Keeper writes it before the mode.
            lane.oweGrace(from: unsafe post.grace.pointee.load(ordering: .acquiring))
            _ = lane.dropStale(at: now)
        }
    }

    /// Takes back what was pushed before a pause and never sent. A zero-copy driver has sent it long since.
    @_semantics("no_performance_analysis") @inline(never)
    private mutating func withdrawStale() {
        guard !post.isZeroCopy else { return }
        for port in 0..<2 { _ = lane.withdraw(port, because: .stale) }
    }

    /// A port that has just lost its link keeps nothing to send.
    @_noLocks
    private mutating func watchLinks() {
        for port in 0..<2 {
            let has = lane.ports[port].hasLink
            if !has && hadLink[port] { withdraw(port) }
            hadLink[port] = has
        }
    }

    /// Apart from the hot path: it happens once for each loss of link.
    @_semantics("no_performance_analysis") @inline(never)
    private mutating func withdraw(_ port: Int) { _ = lane.withdraw(port) }

    /// Lets the kernel send. In copy mode one call sends at most 32 frames, so it is repeated as long as that helps.
    @_noLocks
    private mutating func kick(_ port: Int) {
        guard lane.ports[port].rings.transmit.needsWakeUp else { return }
        var pending = lane.ports[port].rings.transmit.pending
        var tries = 0
        while pending > 0 && tries < 64 {
            let result = unsafe cxdp_xsk_kick(lane.ports[port].socket)
            let left = lane.ports[port].rings.transmit.pending
            // No link, no device, or no progress (a zero-copy driver sends later): the next turn tries again, or keeper makes a new
            // socket.
            if result == -ENETDOWN || result == -ENXIO || left == pending { return }
            pending = left
            tries &+= 1
        }
    }

    /// Wakes the sleeping owners of frames that were handed over in this turn.
    @_noLocks
    private mutating func wakeOthers() {
        var bits = lane.handedTo
        lane.handedTo = 0
        guard bits != 0 else { return }
        // The frames must be in their rings before the marks are read, as the sleeper sets its mark before it looks into the rings:
        // without the fence both could look too early, and a frame would wait for the sleep's end.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        while bits != 0 {
            let other = bits.trailingZeroBitCount
            bits &= bits &- 1
            if unsafe post.pairSleeping[other].pointee.load(ordering: .sequentiallyConsistent) != 0 {
                _ = unsafe cxdp_wake(post.others[other])
            }
        }
    }

    /// Sleeps until a frame comes, somebody wakes the worker, or it is time for a heartbeat.
    @_noLocks
    private mutating func sleep() {
        unsafe post.sleeping.pointee.store(1, ordering: .sequentiallyConsistent)
        defer { unsafe post.sleeping.pointee.store(0, ordering: .sequentiallyConsistent) }
        // Whoever passed a frame before it could see the mark has left it in a ring: look once more, and not before the mark is
        // there.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard lane.isQuietNow() else { return }
        var fds: InlineArray<3, pollfd> = .init(repeating: pollfd(fd: post.wake, events: Int16(POLLIN), revents: 0))
        fds[0].fd = lane.ports[0].socket
        fds[1].fd = lane.ports[1].socket
        let ready = pollThree(&fds)
        if ready > 0 && fds[2].revents != 0 { _ = unsafe cxdp_drain(post.wake) }
        idle = 0
        // The sleep was the worker's own choice: it is no pause.
        let now = unsafe cxdp_monotonic_ns()
        if now &- lastTurn < longestPause { lastTurn = now }
    }

    /// The pointer to the descriptors is made apart, because hot code cannot take one.
    @_semantics("no_performance_analysis") @inline(never)
    private func pollThree(_ fds: inout InlineArray<3, pollfd>) -> Int32 {
        unsafe withUnsafeMutablePointer(to: &fds) { pointer in
            unsafe pointer.withMemoryRebound(to: pollfd.self, capacity: 3) { array in
                unsafe cxdp_poll(array, 3, Worker.sleepMilliseconds)
            }
        }
    }

    /// Before the pair is halted: what the rings hold will not be sent, and nobody comes after to take it.
    private mutating func giveUp() {
        _ = lane.dropStale(at: unsafe cxdp_monotonic_ns())
        lane.tellRefusals(at: lastTurn)
        for port in 0..<2 where !post.isZeroCopy { _ = lane.withdraw(port) }
        for port in 0..<2 { unsafe post.counters.pointee.ports[port].ringPosition = 0 }
        unsafe post.counters.pointee.cpuTime = cxdp_thread_cpu_ns()
    }

    /// Before parking: everything pushed is submitted, and the frames of other workers are left in their rings for who comes.
    private mutating func flush() {
        lane.submit()
        lane.tellRefusals(at: lastTurn)
        kick(0)
        kick(1)
        unsafe post.counters.pointee.cpuTime = cxdp_thread_cpu_ns()
    }
}
