// SPDX-License-Identifier: Apache-2.0
internal import GRDB
internal import Glibc
internal import Synchronization

// The two that know of the audit log's end outside of it: the head file and syslog.
//
// The head file is written when a line's transaction is on the disk, never before: so a crash leaves it behind the log and never ahead
// of it. A head that is ahead, or that knows another line, means that somebody took lines away or put an older store back.
extension StateStore {
    /// What is wrong with the audit log, as far as its last line, the head file and the key can tell.
    static func reconcile(_ opened: StateOpening, _ folder: StateFolder, _ key: AuditKey) throws(StateError) -> [String] {
        var findings: [String] = []
        if let damage = opened.damage { findings.append(damage) }
        do {
            let last = try opened.database.writeWithoutTransaction { try AuditLine.last($0) }
            if let fault = try fault(ofHeadIn: folder, last?.entry, opened.database) { findings.append(fault) }
            if let last, !key.signed(last) {
                findings.append("line \(last.entry.number) of the audit log was not written with audit.key")
            }
        } catch {
            throw Self.error(error, of: folder.file(file))
        }
        return findings
    }

    private static func fault(
        ofHeadIn folder: StateFolder, _ last: AuditEntry?, _ database: DatabaseQueue
    ) throws -> String? {
        guard let text = try AuditHead.text(in: folder.path) else {
            return last.map { "audit.head is gone, the audit log has \($0.number) lines" }
        }
        guard let head = AuditHead(text) else { return "audit.head holds no line's number and digest" }
        let end = last?.number ?? 0
        guard head.number <= end else { return "the audit log ends at line \(end), audit.head knows line \(head.number)" }
        // A line that has moved to an archive is for `audit verify` to compare.
        guard let line = try database.writeWithoutTransaction({ try AuditLine.fetch($0, number: head.number)?.entry }) else {
            return nil
        }
        return line.digest == head.digest ? nil : "line \(head.number) of the audit log is not the one that audit.head knows"
    }

    /// Writes the line that says that the log has lost something. It goes on behind the later one of log and head, so that no number
    /// is used twice, and what is missing shows as a gap. Where it cannot be written the head file stays as it is, and the next opening
    /// tries again.
    func restart(because damage: String) {
        do {
            let head = try AuditHead.text(in: folder.path).flatMap { AuditHead($0) }
            try change { database in
                let last = try AuditLine.last(database)?.entry
                var (number, previous) = (last?.number ?? 0, last?.digest ?? AuditDigest.none.text)
                if let head, head.number > number { (number, previous) = (head.number, head.digest) }
                let event = AuditEvent(
                    AuditEvent.restart, of: "line \(number)", by: .daemon("state"), .done, reason: damage, time: Self.now())
                return ((), try append(event, number: number + 1, behind: previous, database))
            }
        } catch {
            fault.withLock { $0 = "the audit log could not say that it lost something: \(error)" }
        }
    }

    /// Tells the witnesses of a line. Called on the database's queue, in the order of the lines.
    func witness(_ entry: AuditEntry) {
        let head = AuditHead(entry)
        var faults: [String] = []
        do { try folder.replace(AuditHead.file, by: Array("\(head.text)\n".utf8)) } catch { faults.append("\(error)") }
        if let fault = syslog.send(entry.witnessed) { faults.append("syslog at \(syslog.path ?? ""): \(fault)") }
        self.fault.withLock { $0 = faults.isEmpty ? nil : faults.joined(separator: "; ") }
    }

    /// Brings the head file up to the last line, where a crash came between the two, or to none, where the store is new.
    func catchUp() throws(StateError) {
        let head = try auditHead() ?? .empty
        guard try AuditHead.text(in: folder.path).flatMap({ AuditHead($0) }) != head else { return }
        do { try folder.replace(AuditHead.file, by: Array("\(head.text)\n".utf8)) } catch {
            fault.withLock { $0 = "\(error)" }
        }
    }

    private static func now() -> Int64 {
        var time = timespec()
        // It cannot fail: the clock is there, and so is the memory.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

extension AuditEvent {
    /// The log goes on behind something that it lost.
    static let restart = "audit.restart"
    /// Lines moved to an archive.
    static let rotate = "audit.rotate"
}

extension AuditEntry {
    /// The line as syslog gets it: enough to know who did what, and the head that `audit verify --head` takes.
    var witnessed: String {
        var parts = ["audit \(number):\(digest)", "\(action) \(result.rawValue)", "by \(actor.text)"]
        if let object { parts.append("of \(object)") }
        if let old { parts.append("old \(old.prefix(16))") }
        if let new { parts.append("new \(new.prefix(16))") }
        if let reason { parts.append("because \(reason)") }
        return parts.joined(separator: ", ")
    }
}
