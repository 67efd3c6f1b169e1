// SPDX-License-Identifier: Apache-2.0
public import Net

/// A place in a worker's world: a port of a pair.
struct CapturedPlace: Hashable {
    /// The pair's number.
    var pair: UInt8
    /// 0 or 1.
    var port: UInt8
}

/// Where a capture's frames would have come in. A worker knows zones by ports; a capture has none, so each two zones become a port
/// pair of their own with one zone on each side, and both directions of a connection meet in the same pair. The pairs that the
/// configuration names keep their numbers, for frames whose interface the capture tells.
public struct ZonesOfCapture: Sendable {
    /// A block of addresses and the zone that frames from it belong to.
    public struct Assignment: Sendable, Hashable {
        /// The block.
        public var prefix: Prefix
        /// The zone's name.
        public var zone: String

        /// An assignment.
        public init(prefix: Prefix, zone: String) {
            self.prefix = prefix
            self.zone = zone
        }
    }

    /// Pairs of ports are numbered by a byte, of which the last number means "any".
    private static let pairLimit = 255

    /// Blocks, longest first.
    private let assignments: [Assignment]
    /// Port names of the configured pairs.
    private let ports: [[String]]
    /// Zones by number; 0 is the implicit one.
    private let zones: [String]

    /// The zones of a capture. `ports` are the names of the configured pairs' ports, in their order; `implicit` is the zone of
    /// what no block and no interface tells.
    public init(_ assignments: [Assignment], ports: [[String]], implicit: String) throws(ReplayError) {
        self.assignments = assignments.sorted { $0.prefix.mappedLength > $1.prefix.mappedLength }
        self.ports = ports
        let others = Set(assignments.map(\.zone)).subtracting([implicit])
        zones = [implicit] + others.sorted()
        let count = zones.count * (zones.count + 1) / 2
        guard ports.count + count <= Self.pairLimit else {
            var most = 1
            while ports.count + (most + 1) * (most + 2) / 2 <= Self.pairLimit { most += 1 }
            throw .tooManyZones(zones.count, limit: most)
        }
    }

    /// The zone on each port of the pairs that stand for two zones, for the compiler's placements.
    public var placements: [(pair: UInt8, port: UInt8, zone: String)] {
        var all: [(pair: UInt8, port: UInt8, zone: String)] = []
        for high in zones.indices {
            for low in 0...high {
                all.append((number(low, high), 0, zones[low]))
                all.append((number(low, high), 1, zones[high]))
            }
        }
        return all
    }

    /// Where a frame came in: by the block of its source, else by its interface, else in the implicit zone.
    func place(of reading: Reading, interface: String?) -> CapturedPlace {
        let (from, to) = (zone(of: reading.source), zone(of: reading.destination))
        if from == nil, let interface, let pair = ports.firstIndex(where: { $0.contains(interface) }) {
            return CapturedPlace(pair: UInt8(pair), port: ports[pair][0] == interface ? 0 : 1)
        }
        let (source, destination) = (from ?? 0, to ?? 0)
        // Within one zone the smaller address is on the first port, so that answers come in by the other one.
        let isFirst = source == destination ? !(reading.destination < reading.source) : source < destination
        return CapturedPlace(pair: number(min(source, destination), max(source, destination)), port: isFirst ? 0 : 1)
    }

    private func zone(of address: Address) -> Int? {
        assignments.first { $0.prefix.contains(address) }.flatMap { zones.firstIndex(of: $0.zone) }
    }

    private func number(_ low: Int, _ high: Int) -> UInt8 { UInt8(ports.count + high * (high + 1) / 2 + low) }
}
