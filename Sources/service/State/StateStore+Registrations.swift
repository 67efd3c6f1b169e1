// SPDX-License-Identifier: Apache-2.0
internal import GRDB

extension StateStore {
    /// Adds registrations or puts them into the place of those with their names, all or none. `auditing` are the lines that are written
    /// with them.
    public func register(_ registrations: [Registration], auditing events: [AuditEvent] = []) throws(StateError) {
        for registration in registrations { try check(registration) }
        try changeLogging(events) { database in
            for registration in registrations {
                var values: [(any DatabaseValueConvertible)?] = [registration.name, registration.document]
                values += registration.actor.visible.columns
                values += [registration.since, registration.leaseUntil]
                try database.execute(
                    sql: """
                        INSERT OR REPLACE INTO registration
                        (name, document, actor_kind, actor_name, actor_uid, actor_origin, since, lease_until) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                        """, arguments: StatementArguments(values))
            }
            let count = try Int.fetchOne(database, sql: "SELECT count(*) FROM registration") ?? 0
            guard count <= limits.registrations else {
                throw StateError("there may be \(limits.registrations) registered workloads; nothing was changed")
            }
        }
    }

    /// Removes registrations by their names, all or none; those that are not there are no error. `auditing` are the lines that are
    /// written with it.
    public func unregister(_ names: [String], auditing events: [AuditEvent] = []) throws(StateError) {
        try changeLogging(events) { database in
            for name in names { try database.execute(sql: "DELETE FROM registration WHERE name = ?", arguments: [name]) }
        }
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
