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
    private let limits: Limits
    private let interned: Mutex<Interned>
    /// When texts that nobody uses were last looked for.
    private let cleaned = Mutex<Timestamp?>(nil)
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

    private static func open(_ file: String) throws -> DatabasePool {
        var configuration = Configuration()
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
            guard try Int.fetchOne(database, sql: "PRAGMA user_version") != Self.version else { return }
            // Of another layout: recent flows are not worth a migration.
            for table in ["flows", "texts", "losses", "edges"] { try database.execute(sql: "DROP TABLE IF EXISTS \(table)") }
            try database.execute(sql: Self.schema)
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

    /// Forgets what is beyond the limits; says how many events that were. To be called now and then, at `now`.
    @discardableResult
    public func trim(at now: Timestamp) throws(FlowStoreError) -> Int {
        do {
            let forgotten = try forget(before: now.nanoseconds - limits.age * 1_000_000_000)
            if forgotten > 0, isCleaningDue(at: now) { try clean() }
            try database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA incremental_vacuum") }
            return forgotten
        } catch {
            throw FlowStoreError(description: "old flow events could not be removed: \(error)")
        }
    }

    /// Removes events in slices, so that a writer waits for one of them at most.
    private func forget(before oldest: Int64) throws -> Int {
        let last = try database.read { try Int64.fetchOne($0, sql: "SELECT MAX(id) FROM flows") ?? 0 }
        var forgotten = 0
        while true {
            let count = try database.write { database in
                try database.execute(
                    sql: "DELETE FROM flows WHERE id IN (SELECT id FROM flows WHERE id <= ? OR time < ? LIMIT ?)",
                    arguments: [last - Int64(limits.events), oldest, Self.slice])
                return database.changesCount
            }
            forgotten += count
            if count < Self.slice { break }
        }
        try database.write { try $0.execute(sql: "DELETE FROM losses WHERE time < ?", arguments: [oldest]) }
        return forgotten
    }

    /// Whether an hour has passed since texts were cleaned: finding those in use reads every event.
    private func isCleaningDue(at now: Timestamp) -> Bool {
        cleaned.withLock { cleaned in
            if let last = cleaned, last <= now, now.nanoseconds - last.nanoseconds < Self.cleaningInterval { return false }
            cleaned = now
            return true
        }
    }

    /// Removes the texts that no event uses.
    private func clean() throws {
        let columns = [
            "source", "source_labels", "source_zone", "destination", "destination_labels", "destination_zone", "pair",
            "port", "egress", "ingress", "audit",
        ]
        let used = columns.map { "SELECT \($0) FROM flows WHERE \($0) IS NOT NULL" }.joined(separator: " UNION ")
        try database.write { try $0.execute(sql: "DELETE FROM texts WHERE id NOT IN (\(used))") }
        interned.withLock { $0 = Interned() }
    }

    /// Events that one transaction removes at most.
    private static let slice = 20_000
    /// Nanoseconds between two looks for texts that nobody uses.
    private static let cleaningInterval: Int64 = 3600 * 1_000_000_000

    /// Events that fit a filter, oldest first: of those the last `limit`.
    public func events(_ filter: FlowFilter, limit: Int) throws(FlowStoreError) -> [FlowEvent] {
        do {
            return try database.read { database in
                let texts = try Row.fetchAll(database, sql: "SELECT id, text FROM texts")
                var reader = StoredFlows(texts: Dictionary(uniqueKeysWithValues: texts.map { ($0[0], $0[1]) }))
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

    /// How many events are kept, how many of them were refusals told only as a number, and how many records were lost.
    public func sums() throws(FlowStoreError) -> (events: Int64, lost: Int64) {
        do {
            return try database.read { database in
                (
                    try Int64.fetchOne(database, sql: "SELECT COUNT(*) FROM flows") ?? 0,
                    try Int64.fetchOne(database, sql: "SELECT COALESCE(SUM(count), 0) FROM losses") ?? 0
                )
            }
        } catch {
            throw FlowStoreError(description: "flows cannot be counted: \(error)")
        }
    }
}
