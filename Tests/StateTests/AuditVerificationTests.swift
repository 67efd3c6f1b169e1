// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import State

/// What somebody may do to a log of nine lines who has the folder and not the key.
@Suite struct AuditVerifications {
    private let state: TemporaryState
    private let heads: [String]

    init() throws {
        state = try TemporaryState()
        let store = try state.open()
        heads = try (1...9).map { AuditHead(try store.note("line \($0)")).text }
    }

    private func fault(from: Int64? = nil, head: String? = nil) throws -> AuditVerification.Fault? {
        try AuditVerification.verify(folder: state.path, from: from, head: head.flatMap { AuditHead($0) }).fault
    }

    @Test func `a log that nobody touched verifies, and says how far it goes`() throws {
        let verification = try AuditVerification.verify(folder: state.path, head: AuditHead(heads[4]))
        #expect(verification.fault == nil)
        #expect(verification.lines == 9)
        #expect(verification.first == 1)
        #expect(verification.head == heads[8])
        #expect(verification.notes.isEmpty)
    }

    @Test(arguments: [
        ("UPDATE audit SET object = 'line 99' WHERE number = 4", 4), ("UPDATE audit SET time = 2 WHERE number = 1", 1),
        ("UPDATE audit SET actor_name = 'eve' WHERE number = 9", 9),
        ("UPDATE audit SET actor_kind = 'ghost' WHERE number = 6", 6),
        ("DELETE FROM audit WHERE number = 4", 5), ("DELETE FROM audit WHERE number = 1", 2),
        ("DELETE FROM audit WHERE number < 4", 4),
        ("DELETE FROM audit WHERE number = 9", 9), ("DELETE FROM audit WHERE number > 5", 6), ("DELETE FROM audit", 1),
        ("UPDATE audit SET number = number + 1 WHERE number = 9", 10),
        // Taken out and numbers moved up.
        ("DELETE FROM audit WHERE number = 4; UPDATE audit SET number = 4 WHERE number = 5", 4),
        // Two in each other's place.
        (
            "UPDATE audit SET number = 100 WHERE number = 3; UPDATE audit SET number = 3 WHERE number = 4;"
                + "UPDATE audit SET number = 4 WHERE number = 100", 3
        ),
        // A copy put in behind the last one.
        (
            "INSERT INTO audit SELECT 10, time, actor_kind, actor_name, actor_uid, actor_origin, action, object, result, reason, old, new,"
                + " previous, digest FROM audit WHERE number = 9", 10
        ),
        ("UPDATE audit SET digest = upper(digest) WHERE number = 7", 7), ("UPDATE audit SET previous = '' WHERE number = 7", 7),
    ])
    func `what an editor of databases does is found, at its first line`(sql: String, line: Int64) throws {
        try state.tamper(sql)
        #expect(try fault()?.line == line)
    }

    @Test func `a head that was cut back along with the log fools the folder, and not whoever kept a later one`() throws {
        try state.tamper("DELETE FROM audit WHERE number > 5")
        try state.write(Array(heads[4].utf8), to: "audit.head")
        #expect(try fault() == nil)
        #expect(try fault(head: heads[4]) == nil)
        #expect(try fault(head: heads[8])?.line == 6)
    }

    @Test func `a head of another log is found`() throws {
        let other = String(heads[4].dropLast()) + (heads[4].hasSuffix("0") ? "1" : "0")
        #expect(try fault(head: other)?.line == 5)
    }

    @Test(arguments: [nil, "", "9", "rubbish", "9:00"])
    func `a head file that says nothing is found`(text: String?) throws {
        if let text {
            try state.write(Array(text.utf8), to: "audit.head")
        } else {
            try FileManager.default.removeItem(atPath: state.file("audit.head"))
        }
        #expect(try fault()?.message.contains("audit.head") == true)
    }

    @Test func `a head file that is behind, as a crash leaves it, is no fault`() throws {
        try state.write(Array(heads[7].utf8), to: "audit.head")
        let verification = try AuditVerification.verify(folder: state.path)
        #expect(verification.fault == nil)
        #expect(verification.notes.count == 1)
    }

    @Test func `another key verifies nothing`() throws {
        try state.write([UInt8](repeating: 9, count: 32), to: "audit.key")
        #expect(try fault()?.line == 1)
    }

    @Test func `a missing key is an error that names it`() throws {
        try FileManager.default.removeItem(atPath: state.file("audit.key"))
        let error = #expect(throws: StateError.self) { try fault() }
        #expect(error?.description.contains("audit.key") == true)
    }

    // Exports.

    private func export(_ change: (inout [String]) -> Void = { _ in }) throws -> String {
        var lines: [String] = []
        try AuditReader.forEach(inFolder: state.path) { lines.append(try $0.json) }
        change(&lines)
        try state.write(Array(lines.map { $0 + "\n" }.joined().utf8), to: "export.jsonl")
        return state.file("export.jsonl")
    }

    private func verify(_ export: String, from: Int64? = nil, head: String? = nil) throws -> AuditVerification {
        try AuditVerification.verify(
            export: export, key: state.file("audit.key"), from: from, head: head.flatMap { AuditHead($0) })
    }

    @Test func `an export verifies away from its folder, with a head also that nothing is missing at its end`() throws {
        let whole = try export()
        #expect(try verify(whole).fault == nil)
        #expect(try verify(whole).notes.count == 1)
        #expect(try verify(whole, head: heads[8]).notes.isEmpty)
        let cut = try export { $0.removeLast(2) }
        #expect(try verify(cut).fault == nil)
        #expect(try verify(cut, head: heads[8]).fault?.line == 8)
        let late = try export { $0.removeFirst(3) }
        #expect(try verify(late).fault?.line == 4)
        #expect(try verify(late, from: 4).fault == nil)
    }

    @Test func `what is done to an export is found`() throws {
        #expect(try verify(export { $0[3] = $0[3].replacing("line 4", with: "line 5") }).fault?.line == 4)
        #expect(try verify(export { $0.swapAt(3, 4) }).fault?.line == 5)
        #expect(try verify(export { $0.insert($0[3], at: 3) }).fault?.line == 4)
        #expect(try verify(export { $0.remove(at: 3) }).fault?.line == 5)
        #expect(try verify(export { $0[3] = "{}" }).fault?.line == 4)
        #expect(try verify(export { $0.insert("", at: 3) }).fault?.line == 4)
    }

    @Test func `a line of JSON is the entry with the digest of the line before`() throws {
        var lines: [AuditLine] = []
        try AuditReader.forEach(inFolder: state.path, from: 2) { lines.append($0) }
        #expect(lines.count == 8)
        let json = try lines[0].json
        #expect(json.contains("\"previous\":\"\(heads[0].dropFirst(2))\""))
        #expect(try AuditLine(json: json) == lines[0])
    }

    @Test func `reading goes on while lines are written and move to archives`() throws {
        let store = try state.open { limits in (limits.auditLines, limits.archiveLines) = (10, 5) }
        var numbers: [Int64] = []
        try AuditReader.forEach(inFolder: state.path) { line in
            numbers.append(line.entry.number)
            if numbers.count < 40 { try store.note("meanwhile") }
        }
        #expect(numbers.count > 40)
        #expect(numbers == Array(1...Int64(numbers.count)))
        #expect(try store.auditHead()?.number == numbers.last)
        #expect(store.witnessFault == nil)
    }

    @Test func `the latest lines come from the newest, without a daemon`() throws {
        #expect(try AuditReader.latest(inFolder: state.path, before: nil, limit: 2).map(\.entry.number) == [9, 8])
        #expect(try AuditReader.latest(inFolder: state.path, before: 3, limit: 9).map(\.entry.number) == [2, 1])
    }

    @Test func `a folder without a store is an error that says what to name`() throws {
        let error = #expect(throws: StateError.self) { try AuditReader.latest(inFolder: "/proc", before: nil, limit: 1) }
        #expect(error?.description.contains("state.db") == true)
    }
}
