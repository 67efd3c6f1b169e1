// SPDX-License-Identifier: Apache-2.0
public import Record

/// Records that were lost at one place, and what those among them told that nothing else tells: connections that were admitted, and
/// refusals, those included that a record carries as a number. So what is kept and what is lost add up to what the workers counted.
public struct Losses: Hashable, Sendable {
    /// Records of any event.
    public var records: UInt64 = 0
    /// Connections that were admitted.
    public var admitted: UInt64 = 0
    /// Refusals.
    public var refused: UInt64 = 0

    /// Nothing lost.
    public init() {}

    /// What workers could not write, and the refusals that ended with a worker before it told them.
    public init(_ workers: [WorkerCounters]) {
        // Data writes the counters: sums wrap.
        records = workers.reduce(0) { $0 &+ $1.lostEvents }
        admitted = workers.reduce(0) { $0 &+ $1.lostStarts }
        refused = workers.reduce(0) { $0 &+ $1.lostRefusals }
    }

    static func += (sum: inout Losses, more: Losses) {
        sum.records += more.records
        sum.admitted += more.admitted
        sum.refused += more.refused
    }

    /// Counts events.
    mutating func add(_ events: some Sequence<FlowEvent>) {
        for event in events {
            records += 1
            if event.record.event == FlowRecord.Event.start.rawValue { admitted += 1 }
            if event.record.event == FlowRecord.Event.refused.rawValue { refused += 1 + UInt64(event.record.suppressed) }
        }
    }
}

extension StatusReport {
    /// What became of the workers' records since control's start.
    public struct Records: Codable, Hashable, Sendable {
        /// Records of every event that control took in.
        public var taken: UInt64
        /// By place, in the order in which a record meets them: `worker` (its ring was full; counted since the start of data), `queue` (they
        /// came faster than they were kept), `store` (the disk would not take them).
        public var lost: [Loss]
        /// Records that the log file or the system's log could not take; the store may have them all the same.
        public var unlogged: UInt64

        /// What was lost at a place.
        public struct Loss: Codable, Hashable, Sendable {
            /// worker, queue or store.
            public var place: String
            /// Records of any event.
            public var records: UInt64
            /// Those that told of a connection that was admitted.
            public var admitted: UInt64
            /// Refusals that they told.
            public var refused: UInt64

            init(_ place: String, _ losses: Losses) {
                (self.place, records, admitted, refused) = (place, losses.records, losses.admitted, losses.refused)
            }
        }

        /// What workers could not write, and nothing known of the rest.
        public init(workers: Losses) {
            (taken, unlogged) = (0, 0)
            lost = [Loss("worker", workers)]
        }

        /// Adds what became of those that workers could write.
        public mutating func add(_ counts: Observations.Counts) {
            (taken, unlogged) = (counts.taken, counts.unlogged)
            lost += [Loss("queue", counts.unqueued), Loss("store", counts.unstored)]
        }
    }
}
