// SPDX-License-Identifier: Apache-2.0
internal import GRDB
internal import Record

// Hit counters lie beside the events, and only those that changed are written. They outlive a change of the events' layout: what was
// counted in a year is worth more than recent flows.

extension FlowStore {
    /// The tables of hit counters, made where they are missing. `field` and `value` are empty for a rule's own counter.
    static let hitSchema = """
        CREATE TABLE IF NOT EXISTS hits (
            side TEXT NOT NULL, policy TEXT NOT NULL, rule TEXT NOT NULL, decision TEXT NOT NULL, field TEXT NOT NULL,
            value TEXT NOT NULL, since INTEGER NOT NULL, count INTEGER NOT NULL, first INTEGER, last INTEGER, gone INTEGER,
            PRIMARY KEY (side, policy, rule, decision, field, value)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS hit_sums (
            id INTEGER PRIMARY KEY CHECK (id = 0), began INTEGER NOT NULL, written INTEGER NOT NULL, through INTEGER NOT NULL,
            lost INTEGER NOT NULL, elsewhere INTEGER NOT NULL, unknown INTEGER NOT NULL, room INTEGER NOT NULL);
        """

    /// What was written down of hit counters.
    struct StoredHits {
        var rows: [Hits.Stored]
        var began, written: Timestamp
        var uncounted: Hits.Uncounted
    }

    /// Writes counters that have changed, removes those that were given up, and notes that all events of the store are in them.
    func write(
        _ changes: (changed: [Hits.Stored], forgotten: [Hits.Stored.Name]), began: Timestamp, _ uncounted: Hits.Uncounted,
        at now: Timestamp
    ) throws(FlowStoreError) {
        do {
            try database.write { database in
                let remove = try database.cachedStatement(
                    sql:
                        "DELETE FROM hits WHERE side = ? AND policy = ? AND rule = ? AND decision = ? AND field = ? AND value = ?"
                )
                for name in changes.forgotten { try remove.execute(arguments: StatementArguments(Self.columns(name))) }
                let row = try database.cachedStatement(
                    sql: "INSERT OR REPLACE INTO hits VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
                for stored in changes.changed {
                    try row.execute(
                        arguments: StatementArguments(Self.columns(stored.name)) + [
                            stored.since.nanoseconds, Int64(clamping: stored.hit?.count ?? 0), stored.hit?.first.nanoseconds,
                            stored.hit?.last.nanoseconds, stored.gone?.nanoseconds,
                        ])
                }
                try database.execute(
                    sql: """
                        INSERT OR REPLACE INTO hit_sums
                        VALUES (0, ?, ?, (SELECT COALESCE(MAX(id), 0) FROM flows), ?, ?, ?, ?)
                        """,
                    arguments: [
                        began.nanoseconds, now.nanoseconds, Int64(clamping: uncounted.lost), Int64(clamping: uncounted.elsewhere),
                        Int64(clamping: uncounted.unknown), Int64(clamping: uncounted.withoutRoom),
                    ])
            }
        } catch {
            throw FlowStoreError(description: "the hit counters could not be written: \(error)")
        }
    }

    /// What was written last; `nil` where nothing was. Connections whose records came behind it, before control was killed, are among
    /// the lost: they are in the store, and in no counter.
    func hits() throws(FlowStoreError) -> StoredHits? {
        do {
            return try database.read { database in
                guard let sums = try Row.fetchOne(database, sql: "SELECT * FROM hit_sums") else { return nil }
                let kinds = [FlowRecord.Event.start, .change, .refused].map { Self.format(hex: $0.rawValue) }
                let behind = try UInt64.fetchOne(
                    database,
                    sql: "SELECT COUNT(*) FROM flows WHERE id > ? AND hex(substr(record, ?, 1)) IN (?, ?, ?)",
                    arguments: [sums["through"] as Int64, Self.eventPlace, kinds[0], kinds[1], kinds[2]])
                var uncounted = Hits.Uncounted()
                uncounted.lost = Self.count(sums["lost"]) &+ (behind ?? 0)
                (uncounted.elsewhere, uncounted.unknown) = (Self.count(sums["elsewhere"]), Self.count(sums["unknown"]))
                uncounted.withoutRoom = Self.count(sums["room"])
                return StoredHits(
                    rows: try Row.fetchAll(database, sql: "SELECT * FROM hits").map(Self.hit),
                    began: Timestamp(nanoseconds: sums["began"]), written: Timestamp(nanoseconds: sums["written"]),
                    uncounted: uncounted)
            }
        } catch {
            throw FlowStoreError(description: "the hit counters cannot be read: \(error)")
        }
    }

    /// Where in a record's bytes its event stands, from 1.
    private static let eventPlace = (MemoryLayout<FlowRecord>.offset(of: \.event) ?? 0) + 1

    private static func format(hex byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true) }

    private static func count(_ column: Int64) -> UInt64 { UInt64(max(0, column)) }

    private static func columns(_ name: Hits.Stored.Name) -> [String] {
        [name.rule.side, name.rule.policy, name.rule.rule, name.rule.decision, name.value?.field ?? "", name.value?.text ?? ""]
    }

    private static func hit(_ row: Row) -> Hits.Stored {
        let field: String = row["field"]
        let value = field.isEmpty ? nil : Hits.Value(field: field, text: row["value"])
        var hit: Hits.Hit?
        if let first: Int64 = row["first"], let last: Int64 = row["last"] {
            hit = Hits.Hit(
                count: count(row["count"]), first: Timestamp(nanoseconds: first), last: Timestamp(nanoseconds: last))
        }
        return Hits.Stored(
            name: .init(
                rule: .init(side: row["side"], policy: row["policy"], rule: row["rule"], decision: row["decision"]), value: value),
            since: Timestamp(nanoseconds: row["since"]), hit: hit,
            gone: (row["gone"] as Int64?).map { Timestamp(nanoseconds: $0) })
    }
}
