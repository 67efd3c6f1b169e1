// SPDX-License-Identifier: Apache-2.0
internal import GRDB

extension StateStore {
    /// All columns of revisions with their contents, in no order yet. One without contents comes too, and cannot be read.
    static let revisions =
        "SELECT revision.*, documents, places FROM revision LEFT JOIN content ON content.revision = revision.number"

    /// Adds a revision behind the last one; returns it with its number. `deadline` makes it `pending`, of which there may be one;
    /// `probation` are the terms of that. `auditing` says the line that is written with it, its digest as what is in force behind it
    /// where the line names none.
    public func add(
        source: Revision.Source, returnsTo: Int64?, actor: Actor, reason: String?, documents: String, places: String, time: Int64,
        deadline: Int64?, probation: Probation? = nil, auditing: ((Revision) -> AuditEvent)? = nil
    ) throws(StateError) -> Revision {
        let byteCount = documents.utf8.count + places.utf8.count
        guard byteCount <= limits.content else {
            throw StateError("a revision may have \(limits.content) bytes, this one has \(byteCount); nothing was changed")
        }
        // SQLite's text ends there for whoever reads it back.
        guard !documents.utf8.contains(0), !places.utf8.contains(0) else {
            throw StateError("documents must not hold the character U+0000; nothing was changed")
        }
        var revision = Revision(
            number: 0, time: time, digest: Hexadecimal.sha256(documents), source: source, returnsTo: returnsTo,
            actor: actor.visible,
            reason: reason.map { Visible.text($0, atMost: 1_024) }, outcome: deadline == nil ? .confirmed : .pending,
            deadline: deadline, probation: deadline == nil ? nil : probation, documents: documents, places: places)
        return try change { database in
            let last = try Row.fetchOne(database, sql: "SELECT number, outcome FROM revision ORDER BY number DESC LIMIT 1")
                .map(Columns.init)
            if let last, deadline != nil, try pendingNumber(database) != nil {
                throw StateError("revision \(try last.number("number")) awaits its confirmation; nothing was changed")
            }
            revision.number = (try last?.number("number") ?? 0) + 1
            try Self.insert(revision, byteCount: byteCount, database)
            try prune(database, now: time)
            guard var event = auditing?(revision) else { return (revision, nil) }
            event.new = event.new ?? revision.digest
            return (revision, try append(event, database))
        }
    }

    /// Says what became of a revision: a pending one is confirmed, rolled back or refused, a confirmed one may still be rolled back or
    /// refused, and with that it is over.
    public func settle(
        _ number: Int64, as outcome: Revision.Outcome, auditing event: AuditEvent? = nil
    ) throws(StateError) {
        try change { database in
            let row = try Row.fetchOne(database, sql: "SELECT outcome FROM revision WHERE number = ?", arguments: [number])
            guard let row else { throw StateError("there is no revision \(number)") }
            let old: Revision.Outcome = try Columns(row).word("outcome")
            guard outcome != .pending, old == .pending || (old == .confirmed && outcome != .confirmed) else {
                throw StateError("revision \(number) is \(old.rawValue) and cannot become \(outcome.rawValue)")
            }
            try database.execute(
                sql: """
                    UPDATE revision SET outcome = ?, deadline = NULL, boot_id = NULL, published = NULL, boot_deadline = NULL,
                    console = NULL, max_new_denies = NULL WHERE number = ?
                    """, arguments: [outcome.rawValue, number])
            return ((), try event.map { try append($0, database) })
        }
    }

    /// A revision by its number.
    public func revision(_ number: Int64) throws(StateError) -> Revision? {
        try one("WHERE number = ?", [number])
    }

    /// Revisions from the newest, those before `before` where it is given, at most 10,000; their `documents` and `places` are empty.
    public func history(before: Int64?, limit: Int) throws(StateError) -> [Revision] {
        try perform { database in
            let rows = try Row.fetchAll(
                database,
                sql: "SELECT *, '' AS documents, '' AS places FROM revision WHERE number < ? ORDER BY number DESC LIMIT ?",
                arguments: [before ?? .max, max(0, min(limit, 10_000))])
            return try rows.map { try Self.revision(Columns($0)) }
        }
    }

    /// The latest revision that was confirmed: what serves after a restart.
    public func serving() throws(StateError) -> Revision? {
        try one("WHERE outcome = 'confirmed' ORDER BY number DESC LIMIT 1", [])
    }

    /// The revision that awaits its confirmation, if one does.
    public func pending() throws(StateError) -> Revision? { try one("WHERE outcome = 'pending'", []) }

    /// The latest revision of a source, whatever became of it: what the configured files held when they were last taken up.
    public func latest(from source: Revision.Source) throws(StateError) -> Revision? {
        try one("WHERE source = ? ORDER BY number DESC LIMIT 1", [source.rawValue])
    }

    private func one(_ condition: String, _ arguments: StatementArguments) throws(StateError) -> Revision? {
        try perform { database in
            try Row.fetchOne(database, sql: "\(Self.revisions) \(condition)", arguments: arguments)
                .map { try Self.revision(Columns($0)) }
        }
    }

    private func pendingNumber(_ database: Database) throws -> Int64? {
        try Int64.fetchOne(database, sql: "SELECT number FROM revision WHERE outcome = 'pending'")
    }

    /// A revision of its row.
    static func revision(_ row: Columns) throws(StateError) -> Revision {
        Revision(
            number: try row.number("number"), time: try row.number("time"), digest: try row.text("digest"),
            source: try row.word("source"), returnsTo: row.number(ifAny: "returns_to"), actor: try row.actor(),
            reason: row.text(ifAny: "reason"), outcome: try row.word("outcome"), deadline: row.number(ifAny: "deadline"),
            probation: try probation(row), documents: try row.text("documents"), places: try row.text("places"))
    }

    private static func probation(_ row: Columns) throws(StateError) -> Probation? {
        guard let bootID = row.text(ifAny: "boot_id") else { return nil }
        return Probation(
            bootID: bootID, published: UInt64(bitPattern: try row.number("published")),
            deadline: UInt64(bitPattern: try row.number("boot_deadline")), console: try row.number("console") != 0,
            maxNewDenies: row.number(ifAny: "max_new_denies").map { UInt32(clamping: $0) })
    }

    private static func insert(_ revision: Revision, byteCount: Int, _ database: Database) throws {
        let terms = revision.probation
        var values: [(any DatabaseValueConvertible)?] = [
            revision.number, revision.time, revision.digest, revision.source.rawValue, revision.returnsTo,
        ]
        values += revision.actor.columns
        values += [revision.reason, revision.outcome.rawValue, revision.deadline, terms?.bootID]
        // SQLite has signed numbers only; the bits are kept.
        values += [terms.map { Int64(bitPattern: $0.published) }, terms.map { Int64(bitPattern: $0.deadline) }]
        values += [terms.map { $0.console ? 1 : 0 }, terms?.maxNewDenies.map { Int64($0) }, byteCount]
        try database.execute(
            sql: """
                INSERT INTO revision (number, time, digest, source, returns_to, actor_kind, actor_name, actor_uid, actor_origin, reason,
                outcome, deadline, boot_id, published, boot_deadline, console, max_new_denies, bytes)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """, arguments: StatementArguments(values))
        try database.execute(
            sql: "INSERT INTO content (revision, documents, places) VALUES (?, ?, ?)",
            arguments: [revision.number, revision.documents, revision.places])
    }

    /// Forgets the oldest revisions beyond the limits; never the last one, the one that is pending, the one that serves and the one that
    /// would serve if data refused that, nor the last one that came from the files, which a start compares the files with.
    private func prune(_ database: Database, now: Int64) throws {
        try database.execute(
            sql: """
                WITH kept AS (
                    SELECT number, time, sum(bytes + 1024) OVER (ORDER BY number DESC) AS bytes,
                        row_number() OVER (ORDER BY number DESC) AS place,
                        outcome = 'pending'
                        OR number IN (SELECT number FROM revision WHERE outcome = 'confirmed' ORDER BY number DESC LIMIT 2)
                        OR number IN (SELECT number FROM revision WHERE source = 'files' ORDER BY number DESC LIMIT 1)
                        OR number IN (SELECT number FROM revision ORDER BY number DESC LIMIT 1)
                        AS needed
                    FROM revision)
                DELETE FROM revision WHERE number IN (
                    SELECT number FROM kept WHERE NOT needed AND (bytes > ? OR (place > ? AND time < ?)))
                """, arguments: [limits.contents, limits.revisions, now &- limits.revisionAge])
    }
}
