// SPDX-License-Identifier: Apache-2.0
internal import GRDB

extension StateStore {
    /// Makes a change of registrations, all or nothing of it.
    public func register(_ change: RegistrationChange) throws(StateError) {
        try check(change)
        try self.change { database in ((), try make(change, database)) }
    }

    /// Makes changes together, each all or nothing of it: in one transaction, because what a transaction costs is its syncs of the disk. What
    /// is wrong with one of them stands in its place of the answer, and keeps none of the others. What the disk does not take throws, and
    /// nothing was changed.
    public func register(together changes: [RegistrationChange]) throws(StateError) -> [StateError?] {
        try change { database in
            var (faults, lines): ([StateError?], [AuditEntry]) = ([], [])
            for change in changes {
                do {
                    try check(change)
                    var own: [AuditEntry] = []
                    try database.inSavepoint {
                        own = try make(change, database)
                        return .commit
                    }
                    lines += own
                    faults.append(nil)
                } catch let fault as StateError {
                    faults.append(fault)
                }
            }
            return (faults, lines)
        }
    }

    /// Makes a change inside of a transaction; its lines.
    private func make(_ change: RegistrationChange, _ database: Database) throws -> [AuditEntry] {
        for registration in change.coming {
            var values: [(any DatabaseValueConvertible)?] = [registration.name, registration.document]
            values += registration.actor.visible.columns
            values += [registration.since, registration.leaseUntil]
            try database.execute(
                sql: """
                    INSERT OR REPLACE INTO registration
                    (name, document, actor_kind, actor_name, actor_uid, actor_origin, since, lease_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """, arguments: StatementArguments(values))
        }
        for name in change.going { try database.execute(sql: "DELETE FROM registration WHERE name = ?", arguments: [name]) }
        let count = change.coming.isEmpty ? 0 : try Int.fetchOne(database, sql: "SELECT count(*) FROM registration") ?? 0
        guard count <= limits.registrations else {
            throw StateError("there may be \(limits.registrations) registered workloads; nothing was changed")
        }
        return try change.lines.map { try append($0, database) }
    }

    /// All registrations, by name.
    public func registrations() throws(StateError) -> [Registration] {
        try perform { database in
            try Row.fetchAll(database, sql: "SELECT * FROM registration ORDER BY name").map { try Self.registration(Columns($0)) }
        }
    }

    /// A registration of its row.
    static func registration(_ row: Columns) throws(StateError) -> Registration {
        Registration(
            name: try row.text("name"), document: try row.text("document"), actor: try row.actor(),
            since: try row.number("since"),
            leaseUntil: row.number(ifAny: "lease_until"))
    }

    private func check(_ change: RegistrationChange) throws(StateError) {
        for registration in change.coming { try check(registration) }
    }

    private func check(_ registration: Registration) throws(StateError) {
        // A name that is stored in another spelling than it came in could not be removed by it: so it is refused, not mended.
        guard Visible.text(registration.name, atMost: 512) == registration.name, !registration.name.isEmpty else {
            throw StateError(
                "\(Visible.text(registration.name, atMost: 128)): a workload's name has 1 to 512 bytes of printable text; nothing was changed"
            )
        }
        guard registration.document.utf8.count <= limits.registration, !registration.document.utf8.contains(0) else {
            throw StateError(
                "\(registration.name): a workload's document has at most \(limits.registration) bytes, none of them 0; nothing was changed"
            )
        }
    }
}
