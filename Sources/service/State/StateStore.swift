// SPDX-License-Identifier: Apache-2.0
internal import GRDB
internal import Synchronization

/// Why the state could not be read or written.
public struct StateError: Error, CustomStringConvertible, Sendable {
    /// What went wrong, and what to do.
    public let description: String

    /// An error.
    public init(_ description: String) { self.description = description }
}

/// What must survive a restart: revisions, registrations, the audit log. One SQLite file in the state folder, written by control alone;
/// every call returns when what it wrote is on the disk.
///
/// A call that throws has changed nothing: not the file, not the audit log. The one exception is a disk that fails in the last sync of a
/// transaction: then nobody can tell, and the error says so. Each call that changes something can write its line of the
/// audit log in the same transaction (`auditing`), so that there is never one without the other; log a change before it takes effect,
/// and what became of it afterwards.
///
/// Outside of the transaction stand the audit log's two witnesses, `audit.head` and syslog. They follow each line, and where they
/// cannot, the change stands and `witnessFault` says so.
public final class StateStore: Sendable {
    static let file = "state.db"

    let folder: StateFolder
    let limits: StateLimits
    let key: AuditKey
    let syslog: Syslog
    let database: DatabaseQueue
    let fault = Mutex<String?>(nil)

    /// What was wrong with the store that was found; `nil` where nothing was.
    public let damage: String?

    /// Opens or makes the store in a folder. A store that is damaged is set aside under another name and a new one made:
    /// `damage` says so, and the configured files serve.
    public convenience init(folder: String) throws(StateError) {
        try self.init(folder: folder, limits: StateLimits(), syslog: "/dev/log")
    }

    /// Opens or makes the store with other limits or another syslog, or none, than the program's.
    package init(folder path: String, limits: StateLimits, syslog: String?) throws(StateError) {
        folder = try StateFolder(path, waiting: limits.patience)
        self.limits = limits
        self.syslog = Syslog(path: syslog)
        let opened = try StateOpening.open(folder, limits)
        database = opened.database
        key = try AuditKey.load(from: folder)
        let findings = try Self.reconcile(opened, folder, key)
        damage = findings.isEmpty ? nil : findings.joined(separator: "; ")
        if let damage { restart(because: damage) } else { try catchUp() }
    }

    /// What the audit log's witnesses did not take: why `audit.head` could not be written or syslog not be reached, last time; `nil`
    /// where both have every line. The log itself is whole.
    public var witnessFault: String? { fault.withLock { $0 } }

    /// Changes something in one transaction: everything in it is on the disk, or nothing is, in which case it throws.
    func change<Value>(_ body: (Database) throws -> (value: Value, lines: [AuditEntry])) throws(StateError) -> Value {
        try perform { database in
            var result: (value: Value, lines: [AuditEntry])?
            try database.inTransaction(.immediate) {
                result = try body(database)
                return .commit
            }
            // A transaction that did not throw has run its body.
            guard let result else { throw StateError("SQLite ran no transaction") }
            // Still on the database's queue, so that the witnesses see lines in their order.
            if let last = result.lines.last {
                witness(result.lines, last)
                rotate(database, behind: last)
            }
            return result.value
        }
    }

    /// Asks the store.
    func perform<Value>(_ body: (Database) throws -> Value) throws(StateError) -> Value {
        do {
            return try database.writeWithoutTransaction { try body($0) }
        } catch {
            throw Self.error(error, of: folder.file(Self.file))
        }
    }

    /// What a fault of SQLite means to whoever asked for a change.
    static func error(_ error: any Error, of path: String) -> StateError {
        if let error = error as? StateError { return error }
        guard let fault = error as? DatabaseError else { return StateError("\(path): \(error)") }
        let message = fault.message ?? "error \(fault.extendedResultCode.rawValue)"
        if fault.resultCode == .SQLITE_FULL {
            return StateError("\(path) cannot grow, nothing was changed: make room on its disk (\(message))")
        }
        if fault.resultCode == .SQLITE_BUSY {
            return StateError("\(path) is locked by another program, nothing was changed: end that, and ask again (\(message))")
        }
        if fault.resultCode == .SQLITE_IOERR {
            return StateError("\(path): the disk fails (\(message)): whether the change is there shows when it is read again")
        }
        return StateError("\(path): \(message); nothing was changed")
    }
}
