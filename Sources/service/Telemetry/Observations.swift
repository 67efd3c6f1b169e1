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
        var isClosed = false
    }
    private struct Tables {
        var edges = EdgeTable()
        var hits = Hits()
        var counts = Counts()
        var fault: String?
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
        if let store {
            do {
                let edges = try store.edges()
                tables.withLock { tables in for edge in edges { tables.edges.restore(edge, at: Self.now) } }
            } catch {
                tables.withLock { $0.fault = "\(error)" }
            }
        }
        Thread.detachNewThread { [self] in run() }
    }

    /// Takes events in, and how many records a worker lost before them; never waits.
    public func take(_ events: [FlowEvent], lost: UInt64) {
        guard !events.isEmpty || lost > 0 else { return }
        let room = pending.withLock { pending -> Int in
            pending.lost &+= lost
            let room = max(0, Self.capacity - pending.events.count)
            pending.events += events.prefix(room)
            return room
        }
        var left = Losses()
        left.add(events.dropFirst(room))
        tables.withLock { tables in
            tables.counts.taken += UInt64(min(events.count, room))
            tables.counts.lostByWorkers &+= lost
            tables.counts.unqueued += left
        }
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

    /// What each rule has decided since the start.
    public var hits: Hits { tables.withLock { $0.hits } }
    /// What was counted since the start.
    public var counts: Counts { tables.withLock { $0.counts } }
    /// What went wrong last with the store or a log; `nil` while nothing does.
    public var fault: String? { tables.withLock { $0.fault } }

    /// Keeps what waits, and ends the thread. Nothing is taken in afterwards.
    public func close() {
        pending.withLock { $0.isClosed = true }
        work.signal()
        ended.wait()
    }

    private func run() {
        recall()
        var (tidied, isTidying) = (Self.now, false)
        while true {
            _ = work.wait(timeout: isTidying ? .now() : .now() + .seconds(Int(Self.tidyInterval)))
            let (events, lost, isClosed) = pending.withLock { pending in
                defer { (pending.events, pending.lost) = ([], 0) }
                return (pending.events, pending.lost, pending.isClosed)
            }
            keep(events, lost)
            let now = Self.now
            let isDue = now < tidied || now.nanoseconds - tidied.nanoseconds >= Self.tidyInterval * 1_000_000_000
            if isClosed || isDue {
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
        tables.withLock { tables in
            for event in events {
                tables.edges.add(event)
                tables.hits.add(event)
            }
        }
        do {
            try store?.write(events, lost: lost)
            if store != nil { tables.withLock { $0.fault = nil } }
        } catch {
            tables.withLock { tables in
                tables.counts.unstored.add(events)
                tables.fault = "\(error)"
            }
        }
        for log in logs {
            let left = log.write(events, lost: lost)
            if left > 0 { tables.withLock { $0.counts.unlogged += UInt64(left) } }
        }
    }

    /// Goes on with the map where an earlier process was cut short: the store has events that the edges of its last minute do not count.
    private func recall() {
        guard let store else { return }
        do {
            try store.replay(counted: Self.recalled) { event, isCounted in
                tables.withLock { $0.edges.recall(event, isCounted: isCounted) }
            }
        } catch {
            tables.withLock { $0.fault = "\(error)" }
        }
    }

    private func saveEdges() {
        guard let store else { return }
        let edges = tables.withLock { Array($0.edges.all) }
        do { try store.replace(edges: edges) } catch { tables.withLock { $0.fault = "\(error)" } }
    }

    /// A slice of tidying, between which events are kept; whether there is more.
    private func tidy(at now: Timestamp) -> Bool {
        guard let store else { return false }
        do { return try store.tidy(at: now) } catch {
            tables.withLock { $0.fault = "\(error)" }
            return false
        }
    }

    private static var now: Timestamp { Timestamp(nanoseconds: Int64(Date().timeIntervalSince1970 * 1e9)) }
}
