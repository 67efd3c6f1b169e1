// SPDX-License-Identifier: Apache-2.0
public import Net
internal import Record

/// Who talks to whom, on what, and what became of it: one observed edge of the service map, and its name in the table.
public struct Edge: Sendable, Equatable {
    /// What makes an edge one.
    public struct Key: Hashable, Sendable {
        /// Who opens the connections.
        public var source: EdgeEnd
        /// Whom they are opened to.
        public var destination: EdgeEnd
        /// On what.
        public var service: ServiceKey
        /// What became of them.
        public var decision: Decision
    }

    /// Its name.
    public var key: Key
    /// Connections that were admitted or refused, those among them that were counted without a record.
    public var connections: UInt64 = 0
    /// Frames of both directions of the flows that have ended, and at their last interval of those that live.
    public var frames: UInt64 = 0
    /// Bytes of these, whole frames.
    public var bytes: UInt64 = 0
    /// When the first connection came.
    public var first: Timestamp
    /// When the last sign of it was seen.
    public var last: Timestamp
    /// Hours of the week, UTC, in which it was seen: bit 0 is Monday's first hour, bit 167 Sunday's last.
    public var hours: InlineArray<3, UInt64> = .init(repeating: 0)

    init(key: Key, at time: Timestamp) {
        self.key = key
        (first, last) = (time, time)
    }

    /// Equal where everything is.
    public static func == (a: Edge, b: Edge) -> Bool {
        a.key == b.key && a.connections == b.connections && a.frames == b.frames && a.bytes == b.bytes && a.first == b.first
            && a.last == b.last && (0..<3).allSatisfy { a.hours[$0] == b.hours[$0] }
    }

    /// Takes in what was seen of the same edge at other times.
    mutating func join(_ other: Edge) {
        connections &+= other.connections
        frames &+= other.frames
        bytes &+= other.bytes
        (first, last) = (min(first, other.first), max(last, other.last))
        for part in 0..<3 { hours[part] |= other.hours[part] }
    }

    /// How many different hours of the week it was seen in.
    public var hourCount: Int { (0..<3).reduce(0) { $0 + hours[$1].nonzeroBitCount } }

    /// Takes note of the hour that a time lies in.
    mutating func see(at time: Timestamp) {
        last = max(last, time)
        first = min(first, time)
        // 1970 began on a Thursday, three days behind a Monday.
        let seconds = time.nanoseconds / 1_000_000_000
        let hour = Int((seconds / 3600 + 72) % 168)
        guard hour >= 0 else { return }
        hours[hour / 64] |= 1 << UInt64(hour % 64)
    }
}

/// An end of an edge.
public enum EdgeEnd: Hashable, Sendable {
    /// A workload, `namespace/name`.
    case workload(String)
    /// An address that is no workload's, in a zone.
    case address(Address, zone: String)
    /// The addresses of a zone that the table had no room to tell apart.
    case outside(zone: String)
}

/// The edges of what was seen, as many as fit. A scan makes as many ends as it likes: at half of the capacity addresses that are no
/// workload's are taken together by their zone, so that real edges keep their room, and what then finds none is counted.
public struct EdgeTable: Sendable {
    /// Edges at most.
    public let capacity: Int
    private var edges: [Edge.Key: Edge] = [:]
    /// Labels of the workloads seen last, by their names.
    public private(set) var labels: [String: [String: String]] = [:]
    /// Connections that found no room.
    public private(set) var left: UInt64 = 0
    /// Frames already counted of flows that live, by flow; see `add`.
    private var counted: [LiveFlows.Key: (frames: UInt64, bytes: UInt64)] = [:]

    /// When edges were put back: of flows that are older, those edges hold a part that nobody remembers.
    private var restored: Timestamp?

    /// An empty table.
    public init(capacity: Int = 65_536) { self.capacity = capacity }

    /// All edges, in no order.
    public var all: some Collection<Edge> { edges.values }
    /// How many there are.
    public var count: Int { edges.count }

    /// Adds what an event says. A flow counts as a connection when it starts or is refused; its frames when it ends, and at
    /// intervals what came since the last one.
    public mutating func add(_ event: FlowEvent) {
        guard let decision = event.decision, let kind = FlowRecord.Event(rawValue: event.record.event) else { return }
        let record = event.record
        let key = Edge.Key(
            source: end(event.source, record.source), destination: end(event.destination, record.destination),
            service: ServiceKey(IPProtocol(rawValue: record.protocolNumber), port: record.destinationPort), decision: decision)
        guard var edge = edges[key] ?? room(for: key, at: event.time) else {
            if kind == .start || kind == .refused { left += 1 + UInt64(record.suppressed) }
            return
        }
        for place in [event.source, event.destination] {
            if let name = place.workload, !place.labels.isEmpty || labels[name] == nil { labels[name] = place.labels }
        }
        edge.see(at: event.time)
        if kind == .start || kind == .refused { edge.connections += 1 + UInt64(record.suppressed) }
        if kind == .update || kind == .end {
            let frames = record.forwardFrames &+ record.reverseFrames
            let bytes = record.forwardBytes &+ record.reverseBytes
            let flow = LiveFlows.Key(record)
            let known = counted[flow]
            let isOlder = restored.map { event.firstSeen < $0 } ?? false
            let before = known ?? (isOlder ? (frames, bytes) : (0, 0))
            // A live flow that nobody can remember counts when it ends: at each interval it would count anew what it counted before.
            if kind == .end || known != nil || counted.count < capacity {
                // Counters come from another process: a difference that makes no sense wraps, and counts for nothing.
                edge.frames &+= frames >= before.frames ? frames - before.frames : frames
                edge.bytes &+= bytes >= before.bytes ? bytes - before.bytes : bytes
                counted[flow] = kind == .end ? nil : (frames, bytes)
            }
        }
        edges[key] = edge
    }

    /// Puts back an edge that was kept elsewhere, at a time; what was seen of it since is joined to it. What is told first of a flow that
    /// began before it is where its counting goes on from, and counts for nothing itself.
    public mutating func restore(_ edge: Edge, at time: Timestamp) {
        restored = time
        guard var known = edges[edge.key] else {
            if edges.count < capacity { edges[edge.key] = edge }
            return
        }
        known.join(edge)
        edges[edge.key] = known
    }

    /// Takes in what a store has kept of events from before a restart: those that the restored edges count say where the counting of live
    /// flows goes on from, the others count as well.
    public mutating func recall(_ event: FlowEvent, isCounted: Bool) {
        if !isCounted { add(event) }
        let (record, flow) = (event.record, LiveFlows.Key(event.record))
        switch FlowRecord.Event(rawValue: record.event) {
        case .start where counted.count < capacity: counted[flow] = (0, 0)
        case .update where isCounted && (counted[flow] != nil || counted.count < capacity):
            counted[flow] = (record.forwardFrames &+ record.reverseFrames, record.forwardBytes &+ record.reverseBytes)
        case .end: counted[flow] = nil
        default: break
        }
    }

    private func room(for key: Edge.Key, at time: Timestamp) -> Edge? {
        edges.count < capacity ? Edge(key: key, at: time) : nil
    }

    private func end(_ place: FlowEvent.Place, _ address: Address) -> EdgeEnd {
        if let name = place.workload { return .workload(name) }
        return edges.count < capacity / 2 ? .address(address, zone: place.zone) : .outside(zone: place.zone)
    }
}
