// SPDX-License-Identifier: Apache-2.0
internal import GRDB
internal import Net

// Edges lie in the store as a whole: there are few of them beside the events, and they change all the time.

extension FlowStore {
    /// Puts these edges, which count every event that is kept, into the place of those that are there.
    public func replace(edges: [Edge]) throws(FlowStoreError) {
        do {
            try database.write { database in
                try database.execute(sql: "DELETE FROM edges")
                try database.execute(
                    sql: "INSERT OR REPLACE INTO marks SELECT 'edges', COALESCE(MAX(id), 0) FROM flows")
                let row = try database.cachedStatement(
                    sql: "INSERT INTO edges VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
                for edge in edges {
                    let (source, destination) = (Self.columns(edge.key.source), Self.columns(edge.key.destination))
                    let hours = (0..<3).map { Int64(bitPattern: edge.hours[$0]) }
                    try row.execute(arguments: [
                        source.kind, source.name, source.zone, destination.kind, destination.name, destination.zone,
                        Int64(edge.key.service.rawValue), Int(edge.key.decision.rawValue), Int64(clamping: edge.connections),
                        Int64(clamping: edge.frames), Int64(clamping: edge.bytes), edge.first.nanoseconds, edge.last.nanoseconds,
                        hours[0], hours[1], hours[2],
                    ])
                }
            }
        } catch {
            throw FlowStoreError(description: "the edges of the map could not be written: \(error)")
        }
    }

    /// The edges that were written last; those that this build cannot read are left out.
    public func edges() throws(FlowStoreError) -> [Edge] {
        do {
            return try database.read { try Row.fetchAll($0, sql: "SELECT * FROM edges").compactMap(Self.edge) }
        } catch {
            throw FlowStoreError(description: "the edges of the map cannot be read: \(error)")
        }
    }

    /// Calls `body` with the events that the kept edges do not count yet, oldest first, and before them with at most `limit` of those that
    /// they do; `isCounted` says which.
    public func replay(counted limit: Int, _ body: (_ event: FlowEvent, _ isCounted: Bool) -> Void) throws(FlowStoreError) {
        do {
            try database.read { database in
                let mark = try Int64.fetchOne(database, sql: "SELECT event FROM marks WHERE name = 'edges'") ?? 0
                var reader = try StoredFlows(database)
                let rows = try Row.fetchCursor(
                    database, sql: "SELECT * FROM flows WHERE id > ? ORDER BY id", arguments: [mark - Int64(limit)])
                while let row = try rows.next() {
                    if let event = reader.event(row) { body(event, (row["id"] as Int64) <= mark) }
                }
            }
        } catch {
            throw FlowStoreError(description: "flows cannot be read from the store: \(error)")
        }
    }

    private static func columns(_ end: EdgeEnd) -> (kind: Int, name: String, zone: String) {
        switch end {
        case .workload(let name): (0, name, "")
        case .address(let address, let zone): (1, "\(address)", zone)
        case .outside(let zone): (2, "", zone)
        }
    }

    private static func end(_ kind: Int, _ name: String, _ zone: String) -> EdgeEnd? {
        switch kind {
        case 0: .workload(name)
        case 1: Address(name).map { .address($0, zone: zone) }
        case 2: .outside(zone: zone)
        default: nil
        }
    }

    private static func edge(_ row: Row) -> Edge? {
        guard let source = end(row["source_kind"], row["source"], row["source_zone"]),
            let destination = end(row["destination_kind"], row["destination"], row["destination_zone"]),
            let service = UInt32(exactly: row["service"] as Int64), let number = UInt8(exactly: row["decision"] as Int64),
            let decision = Decision(rawValue: number)
        else { return nil }
        let key = Edge.Key(
            source: source, destination: destination, service: ServiceKey(rawValue: service), decision: decision)
        var edge = Edge(key: key, at: Timestamp(nanoseconds: row["first"]))
        edge.last = Timestamp(nanoseconds: row["last"])
        edge.connections = UInt64(max(0, row["connections"] as Int64))
        edge.frames = UInt64(max(0, row["frames"] as Int64))
        edge.bytes = UInt64(max(0, row["bytes"] as Int64))
        for part in 0..<3 { edge.hours[part] = UInt64(bitPattern: row["hours\(part)"]) }
        return edge
    }
}
