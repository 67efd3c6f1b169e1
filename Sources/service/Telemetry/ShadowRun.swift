// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Record
internal import Synchronization

/// The book of one shadow run: what a candidate made of the connections that came while it ran. One judges and writes, others read; it stays
/// readable when the run has ended.
public final class ShadowRun: Sendable {
    /// What a run is begun with.
    public struct Facts: Sendable {
        /// Who began it.
        public var actor: String
        /// Why.
        public var reason: String?
        /// The namespace whose policies the candidate replaces; `nil` for a whole set.
        public var namespace: String?
        /// Rules of the candidate.
        public var rules: Int
        /// When it began.
        public var since: Timestamp
        /// When it ends by itself.
        public var until: Timestamp

        /// A run of a whole set.
        public init(actor: String, rules: Int, since: Timestamp, until: Timestamp) {
            (self.actor, self.rules, self.since, self.until) = (actor, rules, since, until)
        }
    }

    /// What became of a connection that the candidate was asked about.
    public enum Outcome: Sendable {
        /// It decides otherwise, and how.
        case judged(FlowEvent)
        /// It decides the same.
        case same
        /// More than policy was asked, so that its word says nothing.
        case unjudged
    }

    /// How a run came to its end.
    public enum End: Sendable {
        /// Its time is over.
        case over
        /// Somebody or something ended it.
        case ended(String)

        var words: (state: String, why: String) {
            switch self {
            case .over: ("over", "its time is over")
            case .ended(let why): ("ended", why)
            }
        }
    }

    private struct State {
        var facts: Facts
        var counts = ShadowReport.Counts()
        var lost = ShadowReport.Lost()
        var table: ShadowTable
        var renewed = 0
        var isBehind = false
        var end: End?
    }

    /// Connections that the candidate decides otherwise, one by one; closed with the run's end.
    public let hub: EventHub
    private let state: Mutex<State>

    /// A run without connections yet; `kinds` are told apart at most.
    public init(_ facts: Facts, kinds: Int? = nil) {
        hub = EventHub(subscribers: 16)
        state = Mutex(State(facts: facts, table: ShadowTable(capacity: kinds ?? ShadowTable.capacity)))
    }

    /// Takes connections in with what the candidate said, in their order, the number of refusals that were told as a number, and what was lost
    /// before them: by workers, and because they came too fast.
    public func note(
        _ judged: [(event: FlowEvent, outcome: Outcome)], untold: UInt64 = 0, lostByWorkers: UInt64 = 0, unqueued: UInt64 = 0
    ) {
        var told: [FlowEvent] = []
        state.withLock { state in
            state.counts.untold += untold
            state.lost.worker &+= lostByWorkers
            state.lost.queue += unqueued
            for (event, outcome) in judged {
                switch outcome {
                case .same: state.counts.count(nil)
                case .unjudged: state.counts.unjudged += 1
                case .judged(let candidate): Self.note(event, candidate, &state, &told)
                }
            }
        }
        hub.lose(lostByWorkers &+ unqueued)
        hub.publish(told)
    }

    private static func note(_ event: FlowEvent, _ candidate: FlowEvent, _ state: inout State, _ told: inout [FlowEvent]) {
        guard let old = event.decision, let new = candidate.decision, let effect = ShadowEffect(from: old, to: new) else {
            return state.counts.count(nil)
        }
        state.counts.count(effect)
        var differing = event
        differing.candidate = FlowEvent.Candidate(candidate)
        if !state.table.add(differing, effect, candidate) { state.lost.table += 1 }
        told.append(differing)
    }

    /// The candidate is behind what it stands on.
    public func fallBehind() { state.withLock { $0.isBehind = true } }

    /// The candidate was compiled again, with so many rules.
    public func renew(rules: Int) {
        state.withLock { state in
            state.isBehind = false
            state.renewed += 1
            state.facts.rules = rules
        }
    }

    /// Ends the run, and the streams of those who follow it; what comes later changes nothing.
    public func finish(_ end: End) {
        let isFirst = state.withLock { state in
            defer { if state.end == nil { state.end = end } }
            return state.end == nil
        }
        if isFirst { hub.close() }
    }

    /// Whether it has not ended.
    public var isRunning: Bool { state.withLock { $0.end == nil } }
    /// What was counted.
    public var counts: ShadowReport.Counts { state.withLock { $0.counts } }
    /// What was lost.
    public var lost: ShadowReport.Lost {
        var lost = state.withLock { $0.lost }
        lost.reader = hub.counts.undelivered
        return lost
    }

    /// The run as it stands, with the first rows that fit.
    public func report(_ filter: ShadowFilter = ShadowFilter(), limit: Int = 100) -> ShadowReport {
        let state = state.withLock { $0 }
        let (facts, words) = (state.facts, state.end?.words)
        let fitting = state.table.rows.filter { filter.matches($0.value) }
        let shown = fitting.sorted { ShadowReport.Row.goesFirst($0, $1) }.prefix(max(0, limit))
        return ShadowReport(
            state: words?.state ?? "running", end: words?.why, since: facts.since.description, until: facts.until.description,
            actor: facts.actor, reason: facts.reason, namespace: facts.namespace, rules: facts.rules, renewed: state.renewed,
            behind: state.isBehind && words == nil, counts: state.counts, lost: lost, rowCount: fitting.count,
            rows: shown.map { ShadowReport.Row($0.key, $0.value) })
    }
}

/// The shadow run of a daemon: the one that runs or, until another begins, the one that ran last.
public final class ShadowSlot: Sendable {
    private struct State {
        var run: ShadowRun?
        var earlier = (counts: ShadowReport.Counts(), lost: ShadowReport.Lost())
    }
    private let state = Mutex(State())

    /// No run.
    public init() {}

    /// The run, if there was one.
    public var run: ShadowRun? { state.withLock { $0.run } }

    /// Puts another run into the place of the one that has ended.
    public func begin(_ run: ShadowRun) {
        state.withLock { state in
            if let last = state.run {
                state.earlier.counts += last.counts
                state.earlier.lost += last.lost
            }
            state.run = run
        }
    }

    /// What all runs have counted and lost, and whether one runs.
    var totals: (counts: ShadowReport.Counts, lost: ShadowReport.Lost, isRunning: Bool) {
        var (run, sums) = state.withLock { ($0.run, $0.earlier) }
        guard let run else { return (sums.counts, sums.lost, false) }
        sums.counts += run.counts
        sums.lost += run.lost
        return (sums.counts, sums.lost, run.isRunning)
    }
}
