// SPDX-License-Identifier: Apache-2.0
internal import GRDB

extension StateStore {
    /// Adds a line to the audit log, and brings the head file and syslog up to it.
    @discardableResult
    public func log(_ event: AuditEvent) throws(StateError) -> AuditEntry {
        try change { database in
            let entry = try append(event, database)
            return (entry, [entry])
        }
    }

    /// Lines of the audit log from the newest, those before `before` where it is given, at most 10,000. Lines that have moved to an
    /// archive are not among them.
    public func auditLog(before: Int64?, limit: Int) throws(StateError) -> [AuditEntry] {
        try perform { try AuditLine.fetch($0, before: before ?? .max, limit: limit).map(\.entry) }
    }

    /// The newest line of the audit log about something that was done by an action whose name begins with `action`, however long ago;
    /// `nil` where there is none. Looks through the whole log, but for its archives.
    public func lastDone(_ action: String) throws(StateError) -> AuditEntry? {
        try perform { try AuditLine.last($0, of: action)?.entry }
    }

    /// How far the audit log has come; `nil` before its first line.
    func auditHead() throws(StateError) -> AuditHead? {
        try perform { try AuditLine.last($0).map { AuditHead($0.entry) } }
    }

    /// Adds a line behind the last one, inside of a transaction.
    func append(_ event: AuditEvent, _ database: Database) throws -> AuditEntry {
        let last = try AuditLine.last(database)?.entry
        return try append(event, number: (last?.number ?? 0) + 1, behind: last?.digest ?? AuditDigest.none.text, database)
    }

    /// Adds a line with a number and behind a digest that an opening chose.
    func append(
        _ event: AuditEvent, number: Int64, behind previous: String, _ database: Database
    ) throws -> AuditEntry {
        // A line is read by people and by their terminals, and nobody may fill the log with one.
        var entry = AuditEntry(
            number: number, time: event.time, actor: event.actor.visible, action: Visible.text(event.action, atMost: 64),
            object: event.object.map { Visible.text($0, atMost: 600) }, result: event.result,
            reason: event.reason.map { Visible.text($0, atMost: 1_024) }, old: event.old.map { Visible.text($0, atMost: 64) },
            new: event.new.map { Visible.text($0, atMost: 64) }, digest: "")
        guard let digest = AuditDigest(previous) else { throw StateError("line \(number - 1) of the audit log has no digest") }
        entry.digest = key.digest(of: entry, behind: digest).text
        var values: [(any DatabaseValueConvertible)?] = [entry.number, entry.time]
        values += entry.actor.columns
        values += [entry.action, entry.object, entry.result.rawValue, entry.reason, entry.old, entry.new, previous, entry.digest]
        try database.execute(
            sql: """
                INSERT INTO audit (number, time, actor_kind, actor_name, actor_uid, actor_origin, action, object, result, reason, old, new,
                previous, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """, arguments: StatementArguments(values))
        return entry
    }
}
