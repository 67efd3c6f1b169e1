// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
internal import GRDB
internal import Record
internal import Synchronization

/// Why the store of flows could not be read or written.
public struct FlowStoreError: Error, CustomStringConvertible, Sendable {
    /// What went wrong, and what to do.
    public let description: String
    /// Whether a query asked for more than may be looked through at once.
    public var isOverlong = false
}

/// A query took longer than the limits allow.
private struct Impatience: Error {}

/// Recent flow events and the edges of the service map on the disk, in one SQLite file that is bounded by number and age of its
/// events. It is a log for people, not a ledger: what was written in the second before a power cut may be missing, a file that is
/// damaged is set aside and begun anew, and a disk that is full costs events, which are counted.
///
/// Calls wait for the disk and belong on a thread of their own.
public final class FlowStore: Sendable {
    /// How much is kept.
    public struct Limits: Sendable {
        /// Events.
        public var events = 2_000_000
        /// Seconds.
        public var age: Int64 = 7 * 86_400
        /// How long one query may look through events before it is refused: it holds back what the writer may give back to the disk.
        public var patience = Duration.seconds(10)
        /// The usual limits.
        public init() {}
    }

    let database: DatabasePool
    let limits: Limits
    let interned: Mutex<Interned>
    let chores = Mutex(Chores())
    /// What was wrong with the file that was found; `nil` where nothing was.
    public let damage: String?

    /// Opens or makes the store in a file.
    public init(file: String, limits: Limits = Limits()) throws(FlowStoreError) {
        self.limits = limits
        do {
            var damage: String?
            do {
                database = try Self.open(file)
            } catch let error as DatabaseError where Self.isDamage(error) {
                let aside = file + ".damaged"
                damage = "\(file) was damaged (\(error)); it is now \(aside), and the store begins anew"
                for ending in ["", "-wal", "-shm"] {
                    try? FileManager.default.removeItem(atPath: aside + ending)
                    try? FileManager.default.moveItem(atPath: file + ending, toPath: aside + ending)
                }
                database = try Self.open(file)
            }
            self.damage = damage
            interned = Mutex(Interned())
        } catch {
            throw FlowStoreError(description: "the store of flows at \(file) cannot be opened: \(error)")
        }
    }

    private static func isDamage(_ error: DatabaseError) -> Bool {
        error.resultCode == .SQLITE_CORRUPT || error.resultCode == .SQLITE_NOTADB
    }

    /// Seconds that a lock of somebody else's is waited for.
    private static let patience = 5.0

    private static func open(_ file: String) throws -> DatabasePool {
        var configuration = Configuration()
        // Who had the file before may be leaving it at this moment: the last one out writes the log back, with the file locked.
        configuration.busyMode = .timeout(patience)
        configuration.prepareDatabase { database in
            guard !database.configuration.readonly else { return }
            // Vacuum first: the journal mode writes the header of a new file, and with it that nothing is ever given back. The log is
            // written in one go a round; a checkpoint syncs it, a round need not.
            try database.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
        }
        let pool = try DatabasePool(path: file, configuration: configuration)
        try pool.write { database in
            guard try String.fetchOne(database, sql: "PRAGMA quick_check(1)") == "ok" else {
                throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "quick_check")
            }
            guard try Int.fetchOne(database, sql: "PRAGMA user_version") != Self.version else {
                // A table that was added since.
                return try database.execute(sql: Self.marks)
            }
            // Of another layout: recent flows are not worth a migration.
            for table in ["flows", "texts", "losses", "edges", "marks"] {
                try database.execute(sql: "DROP TABLE IF EXISTS \(table)")
            }
            try database.execute(sql: Self.schema + Self.marks)
        }
        try pool.write { try $0.execute(sql: Self.hitSchema) }
        return pool
    }

    /// Layout of the file; rises with that of `FlowRecord`, which lies in it as it is.
    private static let version = 1
    private static let schema = """
        CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
        CREATE TABLE flows (
            id INTEGER PRIMARY KEY, time INTEGER NOT NULL, first INTEGER NOT NULL, decision INTEGER NOT NULL,
            source INTEGER, source_labels INTEGER, source_zone INTEGER NOT NULL,
            destination INTEGER, destination_labels INTEGER, destination_zone INTEGER NOT NULL,
            pair INTEGER NOT NULL, port INTEGER NOT NULL, egress INTEGER, ingress INTEGER, audit INTEGER, record BLOB NOT NULL);
        CREATE INDEX flows_time ON flows (time);
        CREATE TABLE losses (time INTEGER NOT NULL, count INTEGER NOT NULL);
        CREATE TABLE edges (
            source_kind INTEGER NOT NULL, source TEXT NOT NULL, source_zone TEXT NOT NULL,
            destination_kind INTEGER NOT NULL, destination TEXT NOT NULL, destination_zone TEXT NOT NULL,
            service INTEGER NOT NULL, decision INTEGER NOT NULL, connections INTEGER NOT NULL, frames INTEGER NOT NULL,
            bytes INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
            hours0 INTEGER NOT NULL, hours1 INTEGER NOT NULL, hours2 INTEGER NOT NULL);
        PRAGMA user_version = 1;
        """
    /// What is known of events by their number: `edges`, the last event that the kept edges count.
    private static let marks =
        "CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, event INTEGER NOT NULL);"

    /// Writes events in their order, and how many were lost before them, in one transaction. Throws where nothing was written.
    public func write(_ events: [FlowEvent], lost: UInt64 = 0) throws(FlowStoreError) {
        guard !events.isEmpty || lost > 0 else { return }
        var names = interned.withLock { $0 }
        do {
            try database.write { database in
                if lost > 0 {
                    try database.execute(
                        sql: "INSERT INTO losses VALUES (?, ?)",
                        arguments: [events.first?.time.nanoseconds ?? 0, Int64(clamping: lost)])
                }
                let row = try database.cachedStatement(
                    sql: "INSERT INTO flows VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
                for event in events { try row.execute(arguments: try names.columns(of: event, in: database)) }
            }
            interned.withLock { $0 = names }
        } catch {
            // The transaction is undone, and with it the numbers that it gave to texts.
            interned.withLock { $0 = Interned() }
            throw FlowStoreError(description: "\(events.count) flow events could not be written: \(error)")
        }
    }

    /// Events that fit a filter, oldest first: of those the last `limit`.
    public func events(_ filter: FlowFilter, limit: Int) throws(FlowStoreError) -> [FlowEvent] {
        do {
            return try database.read { database in
                var reader = try StoredFlows(database)
                var found: [FlowEvent] = []
                let end = ContinuousClock.now + limits.patience
                var looked = 0
                let rows = try Row.fetchCursor(
                    database, sql: "SELECT * FROM flows WHERE time >= ? AND time < ? ORDER BY time DESC, id DESC",
                    arguments: [filter.since?.nanoseconds ?? .min, filter.until?.nanoseconds ?? .max])
                while found.count < limit, let row = try rows.next() {
                    if looked & 1023 == 0, ContinuousClock.now >= end { throw Impatience() }
                    looked += 1
                    if let event = reader.event(row), filter.matches(event) { found.append(event) }
                }
                return found.reversed()
            }
        } catch is Impatience {
            throw FlowStoreError(
                description: "looking through the kept flows took longer than \(limits.patience); narrow it with since and until",
                isOverlong: true)
        } catch {
            throw FlowStoreError(description: "flows cannot be read from the store: \(error)")
        }
    }
}
