// SPDX-License-Identifier: Apache-2.0
internal import GRDB
internal import Synchronization

extension StateStore {
    /// Moves the oldest lines to an archive when the log has more than its limit. The change that brought the last line stands whether
    /// this succeeds or not: what is in the way is a fault of the witnesses, and the next line tries again.
    ///
    /// The archive is on the disk before its lines leave the store, and both under one line of the log (`audit.rotate`) that says which
    /// lines moved and which is the first that is kept at all. A crash in between leaves lines twice, never none.
    func rotate(_ database: Database, behind last: AuditEntry) {
        do {
            guard let first = try AuditLine.fetch(database, behind: 0, limit: 1).first?.entry else { return }
            guard last.number - first.number >= limits.auditLines else { return }
            let archive = try AuditArchive.write(behind: first.number - 1, limits.archiveLines, database, folder)
            let archives = try AuditArchive.list(in: folder.path)
            let old = archives.filter { $0.last <= archive.last - limits.archives * limits.archiveLines }
            let kept = old.map { $0.last + 1 }.max() ?? archives.first?.first ?? first.number
            var line: AuditEntry?
            try database.inTransaction(.immediate) {
                try database.execute(sql: "DELETE FROM audit WHERE number <= ?", arguments: [archive.last])
                let event = AuditEvent(
                    AuditEvent.rotate, of: archive.name, by: .daemon("state"), .done, reason: AuditArchive.kept(from: kept),
                    time: last.time)
                line = try append(event, database)
                return .commit
            }
            if let line { witness([line], line) }
            try folder.remove(old.map(\.name))
            // A transaction may bring more lines than one archive takes.
            if let line { rotate(database, behind: line) }
        } catch {
            fault.withLock { $0 = "the audit log's oldest lines cannot be archived: \(error)" }
        }
    }
}
