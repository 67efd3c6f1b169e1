// SPDX-License-Identifier: Apache-2.0
internal import GRDB

/// The tables of `state.db`, and how an older one becomes the present one.
///
/// SQLite's own header carries who wrote the file (`application_id`) and by which step of this list (`user_version`). Steps are never
/// changed once they have shipped; a new one is added behind. All that are missing are done in one transaction.
enum StateSchema {
    /// "BHLK".
    static let applicationID: Int64 = 0x4248_4C4B
    /// The version that this build writes.
    static var version: Int64 { Int64(steps.count) }

    /// What leads from each version to the next one. STRICT tables hold the types that they say, also when another program wrote them.
    private static let steps: [[String]] = [
        [
            """
            CREATE TABLE revision (
                number INTEGER PRIMARY KEY, time INTEGER NOT NULL, digest TEXT NOT NULL, source TEXT NOT NULL, returns_to INTEGER,
                actor_kind TEXT NOT NULL, actor_name TEXT NOT NULL, actor_uid INTEGER, actor_origin TEXT, reason TEXT,
                outcome TEXT NOT NULL, deadline INTEGER, boot_id TEXT, published INTEGER, boot_deadline INTEGER, console INTEGER,
                max_new_denies INTEGER, bytes INTEGER NOT NULL
            ) STRICT
            """,
            // What would be two truths is refused by the file itself.
            "CREATE UNIQUE INDEX one_pending ON revision (outcome) WHERE outcome = 'pending'",
            """
            CREATE TABLE content (
                revision INTEGER PRIMARY KEY REFERENCES revision (number) ON DELETE CASCADE, documents TEXT NOT NULL,
                places TEXT NOT NULL
            ) STRICT
            """,
            """
            CREATE TABLE registration (
                name TEXT PRIMARY KEY, document TEXT NOT NULL, actor_kind TEXT NOT NULL, actor_name TEXT NOT NULL, actor_uid INTEGER,
                actor_origin TEXT, since INTEGER NOT NULL, lease_until INTEGER
            ) STRICT
            """,
            """
            CREATE TABLE audit (
                number INTEGER PRIMARY KEY, time INTEGER NOT NULL, actor_kind TEXT NOT NULL, actor_name TEXT NOT NULL,
                actor_uid INTEGER, actor_origin TEXT, action TEXT NOT NULL, object TEXT, result TEXT NOT NULL, reason TEXT, old TEXT,
                new TEXT, previous TEXT NOT NULL, digest TEXT NOT NULL
            ) STRICT
            """,
        ]
    ]

    /// How a connection is set up before anything is asked of it.
    ///
    /// A rollback journal, emptied and synced at each commit: with `synchronous = FULL` that is durable without a sync of the folder,
    /// and at rest the store is one file that can be copied. See docs/decisions.
    static func configuration(_ limits: StateLimits, readOnly: Bool) -> Configuration {
        var configuration = Configuration()
        configuration.label = "state"
        configuration.readonly = readOnly
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(Double(limits.patience) / 1_000)
        configuration.prepareDatabase { database in
            // The file is data: no function that its schema names runs, and no cell is believed to be where its page says.
            try database.execute(sql: "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY")
            guard !readOnly else { return }
            try database.execute(sql: "PRAGMA synchronous = FULL; PRAGMA max_page_count = \(limits.pages)")
            let mode = try String.fetchOne(database, sql: "PRAGMA journal_mode = TRUNCATE")
            guard mode == "truncate" || mode == "memory" else {
                throw StateError("SQLite keeps its journal as \(mode ?? "nothing")")
            }
        }
        return configuration
    }

    /// Who wrote the file, and which version it has.
    static func identity(_ database: Database) throws -> (application: Int64, version: Int64) {
        (
            try Int64.fetchOne(database, sql: "PRAGMA application_id") ?? 0,
            try Int64.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        )
    }

    /// Brings a store of an older version, 0 for an empty file, to the present one. To be called inside of a transaction.
    static func migrate(_ database: Database, from old: Int64) throws {
        guard old < version else { return }
        for step in steps[Int(old)...] {
            for sql in step { try database.execute(sql: sql) }
        }
        try database.execute(sql: "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version)")
    }

    /// All tables and indices, as the file describes them.
    static func description(_ database: Database) throws -> [String] {
        try String.fetchAll(
            database,
            sql: "SELECT type || ' ' || name || ' ' || tbl_name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY 1")
    }

    /// The description that a store of this version must have: that of one made in memory.
    static func expected() throws -> [String] {
        let queue = try DatabaseQueue(configuration: configuration(StateLimits(), readOnly: false))
        return try queue.write { database in
            try migrate(database, from: 0)
            return try description(database)
        }
    }
}
