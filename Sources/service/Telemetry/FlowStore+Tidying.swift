// SPDX-License-Identifier: Apache-2.0
internal import GRDB
internal import Synchronization

// What keeps the store within its limits: events that are too many or too old go, then the texts that nobody uses any more, then what
// is free goes back to the disk. All of it in slices of some ten milliseconds, between which whoever writes events goes on.

extension FlowStore {
    /// How far the tidying under way has come.
    struct Chores: Sendable {
        enum Stage { case forgetting, looking, cleaning, returning }

        var stage = Stage.forgetting
        /// Whether anything was forgotten since it began.
        var hasForgotten = false
        /// Texts that the events looked at so far use.
        var used: Set<Int64> = []
        /// The last event looked at, and the last text cleaned.
        var event: Int64 = 0
        var text: Int64 = 0
        /// When texts that nobody uses were last looked for.
        var cleaned: Timestamp?
    }

    /// Rows that one transaction reads or removes at most.
    static let slice = 20_000
    /// Pages that one transaction gives back to the disk at most.
    private static let pages = 1000
    /// Nanoseconds between two looks for texts that nobody uses.
    private static let cleaningInterval: Int64 = 3600 * 1_000_000_000

    /// Does a slice of what brings the store back within its limits, at `now`; whether there is more to do. The next call goes on where
    /// this one stopped. Belongs on the thread that writes events.
    public func tidy(at now: Timestamp) throws(FlowStoreError) -> Bool {
        var chores = chores.withLock { $0 }
        do {
            let isMore = try step(&chores, at: now)
            self.chores.withLock { $0 = chores }
            return isMore
        } catch {
            // It begins anew with the next call.
            self.chores.withLock { $0 = Chores(cleaned: chores.cleaned) }
            throw FlowStoreError(description: "old flow events could not be removed: \(error)")
        }
    }

    private func step(_ chores: inout Chores, at now: Timestamp) throws -> Bool {
        switch chores.stage {
        case .forgetting:
            let count = try forget(before: now.nanoseconds - limits.age * 1_000_000_000)
            chores.hasForgotten = chores.hasForgotten || count > 0
            guard count < Self.slice else { return true }
            let isClean = chores.cleaned.map { $0 <= now && now.nanoseconds - $0.nanoseconds < Self.cleaningInterval } ?? false
            chores.stage = chores.hasForgotten && !isClean ? .looking : .returning
        case .looking:
            if try look(&chores) { chores.stage = .cleaning }
        case .cleaning:
            guard try clean(&chores) else { return true }
            chores = Chores(stage: .returning, cleaned: now)
        case .returning:
            if try giveBack() { return true }
            chores = Chores(cleaned: chores.cleaned)
            return false
        }
        return true
    }

    /// Removes some of the events that are too many or too old; how many those were.
    private func forget(before oldest: Int64) throws -> Int {
        try database.write { database in
            let last = try Int64.fetchOne(database, sql: "SELECT MAX(id) FROM flows") ?? 0
            // SQLite counts anew in an empty table, so what is known by number must be forgotten with it.
            if last == 0 { try database.execute(sql: "DELETE FROM marks") }
            try database.execute(
                sql: "DELETE FROM flows WHERE id IN (SELECT id FROM flows WHERE id <= ? OR time < ? LIMIT ?)",
                arguments: [last - Int64(limits.events), oldest, Self.slice])
            let count = database.changesCount
            if count < Self.slice { try database.execute(sql: "DELETE FROM losses WHERE time < ?", arguments: [oldest]) }
            return count
        }
    }

    /// Looks at the texts that some more events use; true when all were looked at.
    private func look(_ chores: inout Chores) throws -> Bool {
        var next = chores
        let count = try database.read { try Self.look(&next, $0) }
        chores = next
        return count < Self.slice
    }

    private static func look(_ chores: inout Chores, _ database: Database) throws -> Int {
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT id, source, source_labels, source_zone, destination, destination_labels, destination_zone, pair, port, egress,
                ingress, audit FROM flows WHERE id > ? ORDER BY id LIMIT ?
                """, arguments: [chores.event, slice])
        var count = 0
        while let row = try rows.next() {
            chores.event = row[0]
            for column in 1..<12 { if let text: Int64 = row[column] { chores.used.insert(text) } }
            count += 1
        }
        return count
    }

    /// Removes those of the next texts that no event uses; true when that was the last of them.
    private func clean(_ chores: inout Chores) throws -> Bool {
        var next = chores
        let isOver = try database.write { database in
            // What was written meanwhile may use a text again that nobody had used.
            while try Self.look(&next, database) == Self.slice {}
            let texts = try Int64.fetchAll(
                database, sql: "SELECT id FROM texts WHERE id > ? ORDER BY id LIMIT ?", arguments: [next.text, Self.slice])
            let remove = try database.cachedStatement(sql: "DELETE FROM texts WHERE id = ?")
            for text in texts where !next.used.contains(text) { try remove.execute(arguments: [text]) }
            next.text = texts.last ?? next.text
            return texts.count < Self.slice
        }
        // Numbers that are remembered may be gone.
        interned.withLock { $0 = Interned() }
        chores = next
        return isOver
    }

    /// Gives some free pages back to the disk; whether there are more.
    private func giveBack() throws -> Bool {
        try database.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA incremental_vacuum(\(Self.pages))")
            return try Int.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0 > 0
        }
    }
}
