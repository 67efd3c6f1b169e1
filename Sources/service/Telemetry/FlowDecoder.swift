// SPDX-License-Identifier: Apache-2.0
public import Record

/// What the numbers of one published generation mean.
public struct PublishedNames: Sendable {
    /// The policy generation.
    public var generation: UInt32
    /// The epoch with which its address map began; the map's changes count up from there.
    public var epoch: UInt32
    /// Why each side record decides as it does.
    public var causes: CauseTable
    /// Zone names by number.
    public var zones: [String]
    /// `namespace/name` of the workloads by number.
    public var workloads: [String]
    /// Their labels by the same number; none where there are fewer.
    public var labels: [[String: String]]

    /// Finds the rules that nearly decided a side of a connection which a default denied. They depend on the connection, so they are
    /// looked up when somebody reads of it.
    public typealias Nearest = @Sendable (_ record: FlowRecord, _ side: PolicySide, _ at: Timestamp) -> [Cause.Near]
    /// Where to ask for the nearest rules; `nil` where nobody knows.
    public var nearest: Nearest?
    /// Where to ask what its rules name; `nil` where nobody knows.
    public var named: (any NamedValues)?

    /// The tables of a generation.
    public init(
        generation: UInt32, epoch: UInt32, causes: CauseTable, zones: [String], workloads: [String],
        labels: [[String: String]] = [],
        nearest: Nearest? = nil, named: (any NamedValues)? = nil
    ) {
        self.generation = generation
        self.epoch = epoch
        self.causes = causes
        self.zones = zones
        self.workloads = workloads
        self.labels = labels
        self.nearest = nearest
        self.named = named
    }
}

/// A port pair as records number it.
public struct PairNames: Sendable {
    /// The pair's name.
    public var name: String
    /// Names of its first and second port.
    public var ports: [String]

    /// A pair's names.
    public init(name: String, ports: [String]) {
        self.name = name
        self.ports = ports
    }
}

/// Puts names to the numbers of flow records. A flow outlives the generation that admitted it, so the tables of the last eight are
/// kept; numbers of an older one stay numbers. One owner drains and decodes, so there is nothing to lock.
public struct FlowDecoder: Sendable {
    /// How many generations can still be resolved.
    public static let generationsKept = 8

    private let pairs: [PairNames]
    private var published: [PublishedNames] = []
    /// The generation in force, as far as somebody said so.
    private var inForce: UInt32?

    /// A decoder for the pairs of a plan, in their order.
    public init(pairs: [PairNames]) { self.pairs = pairs }

    /// Learns a new generation and forgets the ninth-last; never that in force, however many were refused behind it.
    public mutating func learn(_ names: PublishedNames) {
        published.append(names)
        if published.count > Self.generationsKept { published.remove(at: published[0].generation == inForce ? 1 : 0) }
        // What rules name is as large as the policy, and asked only for what was decided just now.
        for place in published.indices.dropLast(2) where published[place].generation != inForce { published[place].named = nil }
    }

    /// A generation that was learned has come into force.
    public mutating func enter(_ generation: UInt32) { inForce = generation }

    /// Learns workloads that a generation's inventory got since it was published; their numbers follow those that are known.
    public mutating func extend(_ generation: UInt32, workloads: [String]) {
        guard let place = published.lastIndex(where: { $0.generation == generation }) else { return }
        published[place].workloads += workloads
    }

    /// What the rules of a generation name; `nil` for one that is not known.
    public func named(_ generation: UInt32) -> (any NamedValues)? { published.last { $0.generation == generation }?.named }

    /// A record's event. `wallOffset` is what has to be added to the monotonic clock to get nanoseconds since 1970.
    public func decode(_ record: FlowRecord, wallOffset: Int64) -> FlowEvent {
        let judged = published.last { $0.generation == record.generation }
        // A map is published with its generation, and its numbers mean the same as long as that lasts.
        let inventory = judged ?? published.last { $0.epoch <= record.epoch }
        let egress = judged?.causes.cause(ofRecord: record.egressRecord)
        let ingress = judged?.causes.cause(ofRecord: record.ingressRecord)
        let pair = Int(record.pair) < pairs.count ? pairs[Int(record.pair)] : nil
        let port = pair.flatMap { Int(record.port) < $0.ports.count ? $0.ports[Int(record.port)] : nil }
        return FlowEvent(
            record: record, time: wall(record.time, wallOffset), firstSeen: wall(record.firstSeen, wallOffset),
            source: place(record.sourceWorkload, record.sourceZone, inventory, judged),
            destination: place(record.destinationWorkload, record.destinationZone, inventory, judged),
            pair: pair?.name ?? String(record.pair), port: port ?? String(record.port),
            egress: egress, ingress: ingress,
            audit: judged?.causes.audit(ofRecord: record.egressRecord) ?? judged?.causes.audit(ofRecord: record.ingressRecord),
            isGenerationKnown: judged != nil, nearest: judged?.nearest, named: judged?.named)
    }

    private func wall(_ monotonic: UInt64, _ offset: Int64) -> Timestamp {
        Timestamp(nanoseconds: Int64(truncatingIfNeeded: monotonic) &+ offset)
    }

    private func place(
        _ workload: UInt32, _ zone: UInt16, _ inventory: PublishedNames?, _ judged: PublishedNames?
    ) -> FlowEvent.Place {
        let name = inventory.flatMap { Int(workload) < $0.workloads.count ? $0.workloads[Int(workload)] : nil }
        let labels = inventory.flatMap { Int(workload) < $0.labels.count ? $0.labels[Int(workload)] : nil }
        let zoneName = judged.flatMap { Int(zone) < $0.zones.count ? $0.zones[Int(zone)] : nil }
        return FlowEvent.Place(workload: name, labels: labels ?? [:], zone: zoneName ?? String(zone))
    }
}
