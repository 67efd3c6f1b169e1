// SPDX-License-Identifier: Apache-2.0
internal import GRDB

/// Lines that have left the store: a file of JSON lines in the state folder, as an export has them.
struct AuditArchive {
    /// The first line's number.
    let first: Int64
    /// The last line's number.
    let last: Int64

    /// `audit-1-10000.jsonl`.
    var name: String { "audit-\(first)-\(last).jsonl" }

    /// From a file's name; `nil` where it is none's.
    init?(name: String) {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "audit", parts[2].hasSuffix(".jsonl"), let first = Int64(parts[1]),
            let last = Int64(parts[2].dropLast(6)), 1 <= first, first <= last
        else { return nil }
        (self.first, self.last) = (first, last)
        guard self.name == name else { return nil }
    }

    private init(first: Int64, last: Int64) { (self.first, self.last) = (first, last) }

    /// A folder's archives, the oldest first.
    static func list(in folder: String) throws(StateError) -> [AuditArchive] {
        try StateFolder.names(in: folder, from: "audit-", to: ".jsonl").compactMap { AuditArchive(name: $0) }
            .sorted { ($0.first, $0.last) < ($1.first, $1.last) }
    }

    /// Writes so many lines behind a number into an archive, and returns it when it is on the disk.
    static func write(behind number: Int64, _ count: Int64, _ database: Database, _ folder: StateFolder) throws -> AuditArchive {
        let lines = try AuditLine.fetch(database, behind: number, limit: count)
        guard let first = lines.first, let last = lines.last else { throw StateError("there are no lines") }
        var bytes: [UInt8] = []
        for line in lines {
            bytes += try line.json.utf8
            bytes.append(0x0A)
        }
        let archive = AuditArchive(first: first.entry.number, last: last.entry.number)
        try folder.replace(archive.name, by: bytes)
        return archive
    }

    /// What stands in the line of a rotation about the first line that is kept anywhere.
    static func kept(from line: Int64) -> String { "kept from line \(line)" }

    /// The line that `kept(from:)` speaks of.
    static func kept(_ reason: String?) -> Int64? {
        let prefix = "kept from line "
        guard let reason, reason.hasPrefix(prefix) else { return nil }
        return Int64(reason.dropFirst(prefix.count))
    }
}
