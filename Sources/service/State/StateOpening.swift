// SPDX-License-Identifier: Apache-2.0
internal import GRDB
internal import Glibc

/// How `state.db` is opened: what is whole is used, what is damaged is set aside and never deleted, what a newer Bulkhead wrote is left alone.
///
/// Nothing is read but through SQLite: after a power loss the file may be half of a transaction, and only SQLite can take that back.
struct StateOpening {
    /// The store, checked, in the present version.
    let database: DatabaseQueue
    /// What was wrong with the one that was found, and where it is now.
    let damage: String?

    /// The store is damaged, and how.
    private struct Damaged: Error {
        let what: String
    }

    static func open(_ folder: StateFolder, _ limits: StateLimits) throws(StateError) -> StateOpening {
        do {
            return StateOpening(database: try attempt(folder, limits), damage: nil)
        } catch let damaged as Damaged {
            let name = try setAside(folder)
            let damage = "state.db was damaged (\(damaged.what)) and set aside as \(name)"
            do {
                return StateOpening(database: try attempt(folder, limits), damage: damage)
            } catch {
                throw StateError("\(damage), and a new one cannot be made: \(error)")
            }
        } catch {
            throw StateStore.error(error, of: folder.file(StateStore.file))
        }
    }

    private static func attempt(_ folder: StateFolder, _ limits: StateLimits) throws -> DatabaseQueue {
        try folder.make(StateStore.file)
        do {
            let database = try DatabaseQueue(
                path: folder.file(StateStore.file), configuration: StateSchema.configuration(limits, readOnly: false)
            )
            do {
                try database.writeWithoutTransaction { try check($0, folder) }
            } catch {
                // Its file may be renamed now, and must be nobody's.
                try? database.close()
                throw error
            }
            return database
        } catch let error as DatabaseError where [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode) {
            throw Damaged(what: error.message ?? "SQLite cannot read it")
        }
    }

    private static func check(_ database: Database, _ folder: StateFolder) throws {
        let (application, version) = try StateSchema.identity(database)
        let isEmpty = try StateSchema.description(database).isEmpty
        if !isEmpty || application != 0 || version != 0 {
            guard application == StateSchema.applicationID, version > 0 else { throw Damaged(what: "another program wrote it") }
            guard version <= StateSchema.version else {
                throw StateError(
                    "\(folder.file(StateStore.file)) is of version \(version), newer than this Bulkhead knows (\(StateSchema.version)): run the"
                        + " newer one, or name another folder as `state`; nothing was changed")
            }
            // Before anything is changed: a migration of a damaged file would spread the damage.
            let fault = try String.fetchOne(database, sql: "PRAGMA quick_check(1)") ?? "nothing said"
            guard fault == "ok" else { throw Damaged(what: fault) }
        }
        if version < StateSchema.version {
            try database.inTransaction(.immediate) {
                try StateSchema.migrate(database, from: version)
                return .commit
            }
        }
        guard try StateSchema.description(database) == StateSchema.expected() else {
            throw Damaged(what: "its tables are not Bulkhead's")
        }
        try checkRows(database)
    }

    /// Every row must be readable, and every revision's documents must be those whose digest was written down with them.
    private static func checkRows(_ database: Database) throws {
        do {
            guard try Row.fetchOne(database, sql: "PRAGMA foreign_key_check") == nil else {
                throw StateError("contents without their revision")
            }
            let revisions = try Row.fetchCursor(database, sql: StateStore.revisions + " ORDER BY number")
            while let row = try revisions.next() {
                let revision = try StateStore.revision(Columns(row))
                guard Hexadecimal.sha256(revision.documents) == revision.digest else {
                    throw StateError("revision \(revision.number) does not have the documents that were written down")
                }
            }
            let registrations = try Row.fetchCursor(database, sql: "SELECT * FROM registration")
            while let row = try registrations.next() { _ = try StateStore.registration(Columns(row)) }
            let lines = try Row.fetchCursor(database, sql: "SELECT * FROM audit")
            while let row = try lines.next() { _ = try AuditLine(Columns(row)) }
        } catch let error as StateError {
            throw Damaged(what: error.description)
        }
    }

    /// Gives the store, and the journal that belongs to it, a name that says when it was found damaged.
    private static func setAside(_ folder: StateFolder) throws(StateError) -> String {
        var now = time(nil)
        var parts = unsafe tm()
        unsafe gmtime_r(&now, &parts)
        var buffer = [CChar](repeating: 0, count: 32)
        unsafe strftime(&buffer, buffer.count, "%Y%m%dT%H%M%SZ", &parts)
        let stamp = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)
        var name = "\(StateStore.file).damaged-\(stamp)"
        var turn = 2
        while folder.holds(name) {
            name = "\(StateStore.file).damaged-\(stamp)-\(turn)"
            turn += 1
        }
        // The journal first: left behind beside a new store, it would be taken for that one's.
        if folder.holds(StateStore.file + "-journal") {
            try folder.rename(StateStore.file + "-journal", to: name + "-journal")
        }
        try folder.rename(StateStore.file, to: name)
        return name
    }
}
