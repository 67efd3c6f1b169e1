// SPDX-License-Identifier: Apache-2.0

/// Why the state could not be read or written.
public struct StateError: Error, CustomStringConvertible, Sendable {
    /// What went wrong, and what to do.
    public let description: String

    /// An error.
    public init(_ description: String) { self.description = description }
}

/// What must survive a restart: revisions, registrations, the audit log. One SQLite file in the state folder, written by control alone;
/// every call returns when what it wrote is on the disk.
public final class StateStore: Sendable {
    /// Opens or makes the store in a folder. A store that is damaged is set aside under another name and a new one made:
    /// `damage` says so, and the configured files serve.
    public init(folder: String) throws(StateError) { throw StateError("\(folder): not built yet") }

    /// What was wrong with the store that was found; `nil` where nothing was.
    public var damage: String? { nil }

    /// Adds a revision behind the last one; returns it with its number. `deadline` makes it `pending`.
    public func add(
        source: Revision.Source, returnsTo: Int64?, actor: Actor, reason: String?, documents: String, places: String, time: Int64,
        deadline: Int64?
    ) throws(StateError) -> Revision { throw StateError("not built yet") }

    /// Says what became of a revision.
    public func settle(_ number: Int64, as outcome: Revision.Outcome) throws(StateError) {}

    /// A revision by its number.
    public func revision(_ number: Int64) throws(StateError) -> Revision? { nil }

    /// Revisions from the newest, those before `before` where it is given; their `documents` and `places` are empty.
    public func history(before: Int64?, limit: Int) throws(StateError) -> [Revision] { [] }

    /// The latest revision that was confirmed: what serves after a restart.
    public func serving() throws(StateError) -> Revision? { nil }

    /// The revision that awaits its confirmation, if one does.
    public func pending() throws(StateError) -> Revision? { nil }

    /// Adds registrations or puts them into the place of those with their names, all or none.
    public func register(_ registrations: [Registration]) throws(StateError) {}

    /// Removes registrations by their names, all or none; those that are not there are no error.
    public func unregister(_ names: [String]) throws(StateError) {}

    /// All registrations, by name.
    public func registrations() throws(StateError) -> [Registration] { [] }

    /// Adds a line to the audit log, and brings the head file and syslog up to it.
    public func log(
        _ action: String, of object: String?, by actor: Actor, _ result: AuditEntry.Result, reason: String?, old: String?,
        new: String?,
        time: Int64
    ) throws(StateError) -> AuditEntry { throw StateError("not built yet") }

    /// Lines of the audit log from the newest, those before `before` where it is given.
    public func auditLog(before: Int64?, limit: Int) throws(StateError) -> [AuditEntry] { [] }
}
