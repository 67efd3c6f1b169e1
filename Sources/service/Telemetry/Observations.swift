// SPDX-License-Identifier: Apache-2.0
internal import Foundation
internal import Synchronization

/// What becomes of flow events beside being handed to those who follow them: edges, hits, the store, the log file and syslog. A thread of its own does
/// all of it, so that neither a slow disk nor a slow listener delays whoever drains the workers' rings; what it cannot take in is lost and counted.
public final class Observations: Sendable {
    /// Events that wait at most, about a tenth of a gigabyte.
    public static let capacity = 200_000
    /// Seconds between two looks at what has become too old.
    private static let tidyInterval: Int64 = 60
    /// Events already counted by the edges that a restart reads again, to know how far the live flows among them had come.
    private static let recalled = 200_000
    /// Seconds between two times that hit counters are written down: what a killed control has not written is lost, and counted as such.
    private static let hitInterval: Int64 = 10
    /// Events that are counted in one go: between two of these whoever asks has a turn.
    private static let slice = 1_000

    /// What was counted since the start.
    public struct Counts: Sendable, Hashable {
        /// Events taken in.
        public var taken: UInt64 = 0
        /// Records that workers could not write; whoever reads their counters knows what these told. Workers say it, so that the sum wraps.
        public var lostByWorkers: UInt64 = 0
        /// Events that came faster than they were kept.
        public var unqueued = Losses()
        /// Events that the store could not write.
        public var unstored = Losses()
        /// Events that the log file or the system's log could not take.
        public var unlogged: UInt64 = 0
        /// Nothing yet.
        public init() {}
    }

    private struct Pending {
        var events: [FlowEvent] = []
        var lost: UInt64 = 0
        /// Records that are in no hit: lost before, or without room here.
        var unseen: UInt64 = 0
        /// Refusals that no record tells.
        var untold: UInt64 = 0
        /// What has come into force since.
        var entered: (any NamedValues)?
        var isClosed = false
        /// What was counted when it came. Not among the tables: whoever drains does not wait for whoever counts.
        var taken: UInt64 = 0
        var lostByWorkers: UInt64 = 0
        var unqueued = Losses()
    }
    /// What is done with the store. Each part's fault stands until that part succeeds.
    private enum Part: CaseIterable {
        case events, edges, recall, hits, tidying
    }
    private struct Tables {
        var edges = EdgeTable()
        var hits = Hits()
        var counts = Counts()
        var faults: [Part: String] = [:]
        /// Whether the edges that were written down are among `edges`: until then none is written over them.
        var areEdgesRead = false
        /// Whether the hit counters that were written down are among `hits`: until then none is written over them.
        var areHitsRead = false
        /// Connections that were counted and stored before that: to the store they look like those that nobody has counted.
        var ahead: UInt64 = 0
    }

    private let pending = Mutex(Pending())
    private let tables = Mutex(Tables())
    private let work = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)
    private let store: FlowStore?
    private let logs: [any FlowLog]

    /// Observations that are kept in a store, where there is one, and told to logs. The thread runs until `close`.
    public init(store: FlowStore?, logs: [any FlowLog] = []) {
        self.store = store
        self.logs = logs
        readEdges()
        readHits()
        Thread.detachNewThread { [self] in run() }
    }

    /// Takes events in, how many records a worker lost before them, and how many refusals ended untold with an earlier one; never waits.
    public func take(_ events: [FlowEvent], lost: UInt64, untold: UInt64 = 0) {
        guard !events.isEmpty || lost > 0 || untold > 0 else { return }
        pending.withLock { pending in
            pending.untold &+= untold
            pending.lost &+= lost
            pending.lostByWorkers &+= lost
            let room = max(0, Self.capacity - pending.events.count)
            pending.events += events.prefix(room)
            pending.taken += UInt64(min(events.count, room))
            let left = events.dropFirst(room)
            pending.unqueued.add(left)
            pending.unseen &+= lost &+ UInt64(left.count)
        }
        work.signal()
    }

    /// A generation has come into force: its rules are those whose hits are told from now on.
    public func enter(_ named: any NamedValues) {
        pending.withLock { $0.entered = named }
        work.signal()
    }

    /// Events that fit a filter, oldest first, the last `limit` of them; from the store, so as far back as it goes. `nil` without a store.
    public func flows(_ filter: FlowFilter, limit: Int) throws(FlowStoreError) -> [FlowEvent]? {
        guard let store else { return nil }
        return try store.events(filter, limit: limit)
    }

    /// The map of what was seen.
    public func map(by groups: [String], since: Timestamp? = nil) -> ServiceMap {
        let edges = tables.withLock { $0.edges }
        return ServiceMap(edges, by: groups) { edge in since.map { edge.last >= $0 } ?? true }
    }

    /// What each rule has decided, and what of it held.
    public var hits: Hits { tables.withLock { $0.hits } }
    /// What was hit of what is in force.
    public func hits(_ selection: HitReport.Selection) -> HitReport { hits.report(selection, at: Self.now) }
    /// What was counted since the start.
    public var counts: Counts {
        var counts = tables.withLock { $0.counts }
        pending.withLock { pending in
            (counts.taken, counts.lostByWorkers, counts.unqueued) = (pending.taken, pending.lostByWorkers, pending.unqueued)
        }
        return counts
    }
    /// What went wrong last with the store; `nil` while nothing does.
    public var fault: String? { tables.withLock { tables in Part.allCases.compactMap { tables.faults[$0] }.first } }
    /// What went wrong last with a log; `nil` while nothing does.
    public var logFault: String? { logs.lazy.compactMap(\.fault).first }

    /// Keeps what waits, and ends the thread. Nothing is taken in afterwards.
    public func close() {
        pending.withLock { $0.isClosed = true }
        work.signal()
        ended.wait()
    }

    private func run() {
        recall()
        var (tidied, written, isTidying) = (Self.now, Self.now, false)
        while true {
            _ = work.wait(timeout: isTidying ? .now() : .now() + .seconds(Int(Self.hitInterval)))
            let next = pending.withLock { pending in
                defer { (pending.events, pending.lost, pending.unseen, pending.untold, pending.entered) = ([], 0, 0, 0, nil) }
                return pending
            }
            let (entered, isClosed) = (next.entered, next.isClosed)
            if next.unseen > 0 || next.untold > 0 { tables.withLock { $0.hits.lose(next.unseen, untold: next.untold) } }
            keep(next.events, next.lost)
            let now = Self.now
            if let entered {
                let rules = entered.listed()
                tables.withLock { $0.hits.enter(rules, at: now) }
            }
            if isClosed || Self.isDue(written, Self.hitInterval, now) {
                written = now
                writeHits(at: now)
            }
            if isClosed || Self.isDue(tidied, Self.tidyInterval, now) {
                (tidied, isTidying) = (now, true)
                saveEdges()
            }
            if isClosed { break }
            if isTidying { isTidying = tidy(at: now) }
        }
        for log in logs { log.close() }
        ended.signal()
    }

    private func keep(_ events: [FlowEvent], _ lost: UInt64) {
        guard !events.isEmpty || lost > 0 else { return }
        for start in stride(from: 0, to: events.count, by: Self.slice) {
            tables.withLock { tables in
                for event in events[start..<min(start + Self.slice, events.count)] {
                    tables.edges.add(event)
                    tables.hits.add(event)
                }
            }
        }
        do {
            try store?.write(events, lost: lost)
            if store != nil {
                tables.withLock { tables in
                    tables.faults[.events] = nil
                    if !tables.areHitsRead { tables.ahead += UInt64(events.count(where: Hits.counts)) }
                }
            }
        } catch {
            tables.withLock { tables in
                tables.counts.unstored.add(events)
                tables.faults[.events] = "\(error)"
            }
        }
        for log in logs {
            let left = log.write(events, lost: lost)
            if left > 0 { tables.withLock { $0.counts.unlogged += UInt64(left) } }
        }
    }

    /// Goes on with the map where an earlier process was cut short: the store has events that the edges of its last minute do not count.
    private func recall() {
        // Later the store's events are among those that this process counts.
        guard let store, tables.withLock({ $0.areEdgesRead }) else { return }
        attempt(.recall) {
            try store.replay(counted: Self.recalled) { event, isCounted in
                tables.withLock { $0.edges.recall(event, isCounted: isCounted) }
            }
        }
    }

    /// Does something with the store, and notes how it went; whether it went well.
    @discardableResult
    private func attempt(_ part: Part, _ body: () throws -> Void) -> Bool {
        do {
            try body()
            tables.withLock { $0.faults[part] = nil }
            return true
        } catch {
            tables.withLock { $0.faults[part] = "\(error)" }
            return false
        }
    }

    /// Goes on with the edges that were written down, if they can be read.
    private func readEdges() {
        guard let store else { return }
        attempt(.edges) {
            let edges = try store.edges()
            tables.withLock { tables in
                tables.areEdgesRead = true
                for edge in edges { tables.edges.restore(edge, at: Self.now) }
            }
        }
    }

    /// Goes on with the hit counters that were written down, if they can be read.
    private func readHits() {
        guard let store else { return }
        attempt(.hits) {
            let kept = try store.hits()
            tables.withLock { tables in
                tables.areHitsRead = true
                guard var kept else { return }
                kept.uncounted.lost -= min(kept.uncounted.lost, tables.ahead)
                tables.hits.restore(kept.rows, began: kept.began, written: kept.written, kept.uncounted, at: Self.now)
            }
        }
    }

    /// Whether so many seconds have gone since a time, or the clock went back behind it.
    private static func isDue(_ last: Timestamp, _ seconds: Int64, _ now: Timestamp) -> Bool {
        now < last || now.nanoseconds - last.nanoseconds >= seconds * 1_000_000_000
    }

    private func saveEdges() {
        guard let store else { return }
        if !tables.withLock({ $0.areEdgesRead }) { readEdges() }
        guard tables.withLock({ $0.areEdgesRead }) else { return }
        let edges = tables.withLock { Array($0.edges.all) }
        attempt(.edges) { try store.replace(edges: edges) }
    }

    private func writeHits(at now: Timestamp) {
        // Without a store nobody asks for the names of what was given up.
        guard let store else { return tables.withLock { $0.hits.forgotten = [] } }
        if !tables.withLock({ $0.areHitsRead }) { readHits() }
        guard tables.withLock({ $0.areHitsRead }) else { return }
        let (changes, began, uncounted) = tables.withLock { ($0.hits.takeChanges(), $0.hits.began, $0.hits.uncounted) }
        let isWritten = attempt(.hits) { try store.write(changes, began: began ?? now, uncounted, at: now) }
        if !isWritten { tables.withLock { $0.hits.putBack(changes) } }
    }

    /// A slice of tidying, between which events are kept; whether there is more.
    private func tidy(at now: Timestamp) -> Bool {
        guard let store else { return false }
        var isMore = false
        attempt(.tidying) { isMore = try store.tidy(at: now) }
        return isMore
    }

    private static var now: Timestamp { Timestamp(nanoseconds: Int64(Date().timeIntervalSince1970 * 1e9)) }
}
