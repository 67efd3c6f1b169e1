// SPDX-License-Identifier: Apache-2.0
internal import Foundation
internal import GRDB

/// A line of the audit log with the digest of the line that it follows: what the store keeps, and what an export has, one JSON object a
/// line. It can be verified by itself; that none is missing follows from the next one's `previous`.
public struct AuditLine: Codable, Hashable, Sendable {
    /// The line.
    public var entry: AuditEntry
    /// Digest of the line before, as 64 hexadecimal digits; zeros for the first one of all.
    public var previous: String

    private enum CodingKeys: String, CodingKey { case previous }

    init(_ entry: AuditEntry, behind previous: String) {
        self.entry = entry
        self.previous = previous
    }

    /// Reads one object that holds the entry's keys beside `previous`.
    public init(from decoder: any Decoder) throws {
        entry = try AuditEntry(from: decoder)
        previous = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .previous)
    }

    /// Writes one object that holds the entry's keys beside `previous`.
    public func encode(to encoder: any Encoder) throws {
        try entry.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(previous, forKey: .previous)
    }

    /// The line as one JSON object, its keys in the order of the alphabet, without an end of line.
    public var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    /// A line of an export.
    init(json: some StringProtocol) throws {
        self = try JSONDecoder().decode(AuditLine.self, from: Data(json.utf8))
    }
}

// Lines in the store.
extension AuditLine {
    init(_ row: Columns) throws(StateError) {
        entry = AuditEntry(
            number: try row.number("number"), time: try row.number("time"), actor: try row.actor(),
            action: try row.text("action"),
            object: row.text(ifAny: "object"), result: try row.word("result"), reason: row.text(ifAny: "reason"),
            old: row.text(ifAny: "old"), new: row.text(ifAny: "new"), digest: try row.text("digest"))
        previous = try row.text("previous")
    }

    /// The last line of the log.
    static func last(_ database: Database) throws -> AuditLine? { try fetch(database, before: .max, limit: 1).first }

    /// A line by its number.
    static func fetch(_ database: Database, number: Int64) throws -> AuditLine? {
        try Row.fetchOne(database, sql: "SELECT * FROM audit WHERE number = ?", arguments: [number])
            .map { try AuditLine(Columns($0)) }
    }

    /// Lines before a number, from the newest, at most 10,000.
    static func fetch(_ database: Database, before number: Int64, limit: Int) throws -> [AuditLine] {
        try Row.fetchAll(
            database, sql: "SELECT * FROM audit WHERE number < ? ORDER BY number DESC LIMIT ?",
            arguments: [number, max(0, min(limit, 10_000))]
        ).map { try AuditLine(Columns($0)) }
    }

    /// The newest line of what was done by an action whose name begins with something.
    static func last(_ database: Database, of action: String) throws -> AuditLine? {
        try Row.fetchOne(
            database, sql: "SELECT * FROM audit WHERE result = ? AND substr(action, 1, ?) = ? ORDER BY number DESC LIMIT 1",
            arguments: [AuditEntry.Result.done.rawValue, action.count, action]
        ).map { try AuditLine(Columns($0)) }
    }

    /// Lines behind a number, from the oldest.
    static func fetch(_ database: Database, behind number: Int64, limit: Int64) throws -> [AuditLine] {
        try Row.fetchAll(
            database, sql: "SELECT * FROM audit WHERE number > ? ORDER BY number LIMIT ?", arguments: [number, limit]
        ).map { try AuditLine(Columns($0)) }
    }
}
