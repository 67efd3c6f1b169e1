// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Compiler
internal import Net
internal import Policy
public import Record

/// What a new set denies and the old one allows, as it is met in traffic: flow records in, distinct (class, class, service) counted.
///
/// Classes are those of the common refinement of both sets: two ends are of one class here when neither set tells them apart. A record
/// that the old set denies as well is no news, however often it comes.
public struct NewDenials: Sendable {
    /// How many are told by name.
    private static let told = 20

    private struct Kind: Hashable {
        var source: [ClassNumber]
        var destination: [ClassNumber]
        var service: UInt32
    }

    private let views: [PolicyView]
    private let limit: Int
    private var kinds: Set<Kind> = []
    /// The first of them in words: who was denied what.
    public private(set) var examples: [String] = []

    /// Nothing was met yet. More than `limit` are too many; both sets as they are compiled.
    public init(old: PolicyView, new: PolicyView, limit: Int) {
        views = [old, new]
        self.limit = limit
    }

    /// How many were met, `limit` and one at most.
    public var count: Int { kinds.count }
    /// Whether that is more than are allowed.
    public var isExceeded: Bool { kinds.count > limit }

    /// Takes note of a connection that was denied; `zones` are the names of its ends' zones, `time` is in unix seconds.
    public mutating func note(_ record: FlowRecord, zones: (source: String, destination: String), at time: UInt64) {
        guard !isExceeded else { return }
        let service = ServiceKey(IPProtocol(rawValue: record.protocolNumber), port: record.destinationPort)
        let connection = Reference.Connection(
            from: Reference.End(address: record.source, zone: zones.source),
            to: Reference.End(address: record.destination, zone: zones.destination), service: service,
            sourcePort: record.sourcePort, time: time)
        guard views[0].judge(connection).decision == .allow, views[1].judge(connection).decision != .allow else { return }
        let kind = Kind(
            source: views.map { $0.classNumber(of: connection.source) },
            destination: views.map { $0.classNumber(of: connection.destination) }, service: service.rawValue)
        guard kinds.insert(kind).inserted, examples.count < Self.told else { return }
        let name = ServiceRange(first: service.rawValue, end: service.rawValue + 1).text ?? "\(record.protocolNumber)"
        examples.append("\(record.source) -> \(record.destination) \(name)")
    }
}

extension PolicyView {
    /// The class of an end in this snapshot.
    fileprivate func classNumber(of end: Reference.End) -> ClassNumber {
        snapshot.owner(of: end.address, zone: zone(end.zone), in: memory.map).classNumber
    }
}
