// SPDX-License-Identifier: Apache-2.0
internal import GRDB

/// Reads the audit log without a daemon: from the state folder, archives included, or from an export. It writes nothing, and a daemon that
/// runs meanwhile goes on.
public enum AuditReader {
    /// Something where a line should be that is none.
    struct Unreadable: Error, CustomStringConvertible {
        /// The number that it has or should have, where that can be told.
        let line: Int64?
        let description: String
    }

    /// Bytes that an export may have: a gigabyte.
    private static let limit = 1 << 30

    /// Calls `body` with each line of a state folder from a number on, the oldest first.
    public static func forEach(inFolder path: String, from first: Int64 = 1, _ body: (AuditLine) throws -> Void) throws {
        let database = try open(path)
        defer { try? database.close() }
        var behind = first - 1
        while true {
            // Looked up anew each time: a daemon may move lines to an archive while somebody reads.
            let archive = try AuditArchive.list(in: path).first { $0.last > behind }
            let page = try rows(behind: behind, database)
            if let archive, archive.first <= page.first?.entry.number ?? .max {
                try forEach(inExport: "\(path)/\(archive.name)") { line in
                    guard line.entry.number > behind || line.entry.number < archive.first else { return }
                    try body(line)
                }
                behind = archive.last
            } else if let last = page.last {
                try page.forEach(body)
                behind = last.entry.number
            } else {
                return
            }
        }
    }

    /// Lines of a state folder from the newest, those before `before` where it is given, at most 10,000; without archives.
    public static func latest(inFolder path: String, before: Int64?, limit: Int) throws -> [AuditLine] {
        let database = try open(path)
        defer { try? database.close() }
        return try database.read { try AuditLine.fetch($0, before: before ?? .max, limit: limit) }
    }

    /// Calls `body` with each line of an export, in the order of the file.
    public static func forEach(inExport path: String, _ body: (AuditLine) throws -> Void) throws {
        guard let bytes = try StateFolder.read(path, atMost: limit) else { throw StateError("\(path): there is no such file") }
        var number = 0
        for text in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
            number += 1
            // What stands behind the last end of line.
            if text.isEmpty, text.endIndex == bytes.endIndex { break }
            let line: AuditLine
            do {
                line = try AuditLine(json: String(decoding: text, as: UTF8.self))
            } catch {
                throw Unreadable(line: nil, description: "\(path):\(number): this is no line of an audit log")
            }
            try body(line)
        }
    }

    private static func open(_ path: String) throws -> DatabaseQueue {
        let file = "\(path)/\(StateStore.file)"
        guard try StateFolder.names(in: path, from: StateStore.file, to: "").contains(StateStore.file) else {
            throw StateError("\(path) holds no \(StateStore.file): name the folder that the configuration has as `state`")
        }
        do {
            let database = try DatabaseQueue(path: file, configuration: StateSchema.configuration(StateLimits(), readOnly: true))
            let (application, version) = try database.read { try StateSchema.identity($0) }
            guard application == StateSchema.applicationID, version == StateSchema.version else {
                throw StateError(
                    "\(file) is of version \(version), or not Bulkhead's at all: read it with the Bulkhead that wrote it")
            }
            return database
        } catch let error as DatabaseError where [.SQLITE_READONLY, .SQLITE_CANTOPEN].contains(error.resultCode) {
            throw StateError(
                "\(file) cannot be read as it is (\(error.message ?? "")): where a change was cut short, the start of a daemon ends it first;"
                    + " else read it as the user it belongs to")
        } catch {
            throw StateStore.error(error, of: file)
        }
    }

    /// A page of lines behind a number, from the oldest.
    private static func rows(behind number: Int64, _ database: DatabaseQueue) throws -> [AuditLine] {
        try database.read { database in
            let rows = try Row.fetchAll(
                database, sql: "SELECT * FROM audit WHERE number > ? ORDER BY number LIMIT 1000", arguments: [number])
            return try rows.map { row in
                do { return try AuditLine(Columns(row)) } catch {
                    throw Unreadable(line: Columns(row).number(ifAny: "number"), description: "\(error)")
                }
            }
        }
    }
}
