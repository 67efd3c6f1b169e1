// SPDX-License-Identifier: Apache-2.0
internal import Net

/// Who talks to whom, drawn together: workloads or groups of them by chosen labels as nodes, what was observed between them as edges.
public struct ServiceMap: Codable, Hashable, Sendable {
    /// A workload, a group of them, an address, or a zone's addresses that are no workload's.
    public struct Node: Codable, Hashable, Sendable {
        /// Its name, once in the map.
        public var name: String
        /// workload, group, address or outside.
        public var kind: String
        /// How many workloads or addresses it stands for.
        public var members: Int
    }

    /// What was seen between two nodes.
    public struct Link: Codable, Hashable, Sendable {
        /// A service, and what became of the connections to it.
        public struct Service: Codable, Hashable, Sendable {
            /// tcp/443, icmp/8.0, 47.
            public var service: String
            /// allow, deny or reject.
            public var decision: String
            /// Connections admitted or refused.
            public var connections: UInt64
            /// Frames of both directions.
            public var frames: UInt64
            /// Bytes of these.
            public var bytes: UInt64
            /// When the first was seen, RFC 3339.
            public var first: String
            /// When the last was seen, RFC 3339.
            public var last: String
            /// In how many different hours of the week it was seen, 1 to 168.
            public var hours: Int
        }

        /// The node that opens the connections.
        public var source: String
        /// The node that they are opened to.
        public var destination: String
        /// On what, the busiest first.
        public var services: [Service]

        /// Connections of all services.
        public var connections: UInt64 { services.reduce(0) { $0 &+ $1.connections } }
        /// Whether everything between the two was refused.
        public var isRefused: Bool { services.allSatisfy { $0.decision != "allow" } }
        /// Whether a part of it was.
        public var isPartlyRefused: Bool { services.contains { $0.decision != "allow" } }
    }

    /// The nodes, by name.
    public var nodes: [Node]
    /// The edges, by their nodes' names.
    public var links: [Link]
    /// Connections that had no room in the table behind it, and are in no edge.
    public var left: UInt64

    /// The map of a table's edges. With `groups` workloads are taken together that have the same values of these labels; one without
    /// any of them stands for itself. Zones tell addresses apart that are no workload's.
    public init(_ table: EdgeTable, by groups: [String] = [], includes: (Edge) -> Bool = { _ in true }) {
        var members: [String: (kind: String, ends: Set<EdgeEnd>)] = [:]
        var found: [Pair: [Kind: Link.Service]] = [:]
        for edge in table.all where includes(edge) {
            let names = [edge.key.source, edge.key.destination].map { end in
                let (name, kind) = Self.node(of: end, table.labels, groups)
                members[name, default: (kind, [])].ends.insert(end)
                return name
            }
            let pair = Pair(source: names[0], destination: names[1])
            let kind = Kind(service: edge.key.service, decision: edge.key.decision)
            found[pair, default: [:]][kind] = Self.sum(edge, found[pair]?[kind])
        }
        nodes = members.map { Node(name: $0.key, kind: $0.value.kind, members: $0.value.ends.count) }.sorted { $0.name < $1.name }
        links = found.map { pair, services in
            Link(
                source: pair.source, destination: pair.destination,
                services: services.values.sorted { ($1.connections, $0.service) < ($0.connections, $1.service) })
        }.sorted { ($0.source, $0.destination) < ($1.source, $1.destination) }
        left = table.left
    }

    private struct Pair: Hashable {
        var source, destination: String
    }
    private struct Kind: Hashable {
        var service: ServiceKey
        var decision: Decision
    }

    private static func node(
        of end: EdgeEnd, _ labels: [String: [String: String]], _ groups: [String]
    ) -> (name: String, kind: String) {
        switch end {
        case .workload(let name):
            let values = groups.compactMap { key in labels[name]?[key].map { "\(key)=\($0)" } }
            return values.isEmpty ? (name, "workload") : (values.joined(separator: ", "), "group")
        case .address(let address, let zone): return ("\(address) (\(zone))", "address")
        case .outside(let zone): return ("others in \(zone)", "outside")
        }
    }

    private static func sum(_ edge: Edge, _ other: Link.Service?) -> Link.Service {
        let (first, last) = (edge.first.description, edge.last.description)
        guard var sum = other else {
            return Link.Service(
                service: edge.key.service.name, decision: "\(edge.key.decision)", connections: edge.connections,
                frames: edge.frames, bytes: edge.bytes, first: first, last: last, hours: edge.hourCount)
        }
        sum.connections &+= edge.connections
        sum.frames &+= edge.frames
        sum.bytes &+= edge.bytes
        sum.first = min(sum.first, first)
        sum.last = max(sum.last, last)
        // The hours of several edges may be the same ones: what is sure is that there are as many as the busiest has.
        sum.hours = max(sum.hours, edge.hourCount)
        return sum
    }
}

extension ServiceKey {
    /// The service as policies write it: `tcp/443`, `icmp/8.0`, and the bare name or number of a protocol without ports.
    var name: String {
        let number = IPProtocol(rawValue: UInt8(truncatingIfNeeded: rawValue >> 16))
        let port = UInt16(truncatingIfNeeded: rawValue)
        if number.hasPorts { return "\(number.name)/\(port)" }
        if number.isICMP { return "\(number.name)/\(port >> 8).\(port & 255)" }
        return number.name
    }
}
