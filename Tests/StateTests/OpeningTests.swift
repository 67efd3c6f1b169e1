// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import State

@Suite struct Openings {
    private let state: TemporaryState
    init() throws { state = try TemporaryState() }

    /// A folder with two revisions, a registration and three lines, nobody in it.
    private func fill() throws {
        let store = try state.open()
        try store.add("kind: Policy # one")
        try store.add("kind: Policy # two")
        try store.register(RegistrationChange(coming: [Registration(name: "a", document: "d", actor: .tester, since: 1)]))
        for name in ["a", "b", "c"] { try store.note(name) }
    }

    @Test func `folder and files are their user's alone, whatever the mask and the folder were`() throws {
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: state.path)
        try fill()
        #expect(try state.mode("") == 0o700)
        for name in ["state.db", "audit.key", "audit.head"] { #expect(try state.mode(name) == 0o600) }
        for name in try state.names("state.db-") { #expect(try state.mode(name) == 0o600) }
        #expect(try state.bytes("audit.key").count == 32)
    }

    @Test(.enabled(if: getuid() == 0, "needs root: a folder to give away"))
    func `a folder of another user is refused with the way to give it away, and left as it is`() throws {
        try FileManager.default.createDirectory(atPath: state.path, withIntermediateDirectories: true)
        #expect(unsafe chown(state.path, 4242, 4242) == 0)
        let fault = #expect(throws: StateError.self) { try state.open() }
        #expect(fault?.description.contains("belongs to user 4242, and control runs as user 0") == true)
        #expect(fault?.description.contains("chown -R 0:0 \(state.path)") == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: state.path).isEmpty)
    }

    @Test func `a folder that is missing is made, one whose parent is missing is an error`() throws {
        let inner = state.file("inner")
        _ = try StateStore(folder: inner, limits: StateLimits(), syslog: nil)
        #expect(try state.mode("inner") == 0o700)
        #expect(throws: StateError.self) { try StateStore(folder: state.file("no/such"), limits: StateLimits(), syslog: nil) }
    }

    @Test func `two at once are refused, and the second may when the first has gone`() throws {
        var first: StateStore? = try state.open()
        let error = #expect(throws: StateError.self) { try state.open() }
        #expect(error?.description.contains("in use") == true)
        try first?.note("a")
        first = nil
        #expect(try state.open().auditLog(before: nil, limit: 10).count == 1)
    }

    @Test func `whoever waits gets the folder when it is let go`() throws {
        let first = try state.open()
        let path = state.path
        var limits = StateLimits()
        limits.patience = Int(longestWait / .milliseconds(1))
        let isOpened = Atomic<Bool>(false)
        // On a thread of its own: it blocks the thread that it waits on.
        let second = RealThread { [limits] in
            let store = try? StateStore(folder: path, limits: limits, syslog: nil)
            isOpened.store(store?.damage == nil && store != nil, ordering: .releasing)
        }
        // Its lock is asked for as soon as it has the folder open.
        let isWaiting = eventually { descriptors(of: path) == 2 }
        #expect(isWaiting)
        withExtendedLifetime(first) {}
        _ = consume first
        second.join()
        let isFree = isOpened.load(ordering: .acquiring)
        #expect(isFree)
    }

    /// How many descriptors of this process are of a folder.
    private func descriptors(of path: String) -> Int {
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return numbers.count { (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == path }
    }

    /// What may become of a file, by its bytes.
    enum Damage: String, CaseIterable, Sendable {
        case emptied, noise, header, cut, middle, text, folderOfItsName
    }

    @Test(arguments: Damage.allCases)
    func `a damaged store is set aside and told of, never deleted, and a new one serves`(damage: Damage) throws {
        try fill()
        var bytes = try state.bytes("state.db")
        switch damage {
        case .emptied: bytes = []
        case .noise: bytes = bytes.map { $0 ^ 0x5A }
        case .header: bytes.replaceSubrange(0..<16, with: [UInt8](repeating: 0, count: 16))
        case .cut: bytes.removeLast(bytes.count / 2)
        case .middle: for index in stride(from: 4_096, to: bytes.count, by: 64) { bytes[index] = 0xFF }
        case .text: bytes = Array("this is no database, and longer than a header\n".utf8) + [UInt8](repeating: 0, count: 600)
        case .folderOfItsName: break
        }
        if damage == .folderOfItsName {
            try FileManager.default.removeItem(atPath: state.file("state.db"))
            try FileManager.default.createDirectory(atPath: state.file("state.db"), withIntermediateDirectories: true)
            // That is no damage but somebody's mistake: nothing is moved.
            #expect(throws: StateError.self) { try state.open() }
            return
        }
        try state.write(bytes, to: "state.db")
        do {
            let store = try state.open()
            #expect(store.damage != nil)
            #expect(try store.numbers.isEmpty)
            #expect(try store.serving() == nil)
            // The log goes on behind the head that it had, and says what happened.
            let line = try #require(try store.auditLog(before: nil, limit: 1).first)
            #expect(line.number == 4)
            #expect(line.action == "audit.restart")
            try store.add("kind: Policy # new")
            try store.note("d")
        }
        // An empty file holds nothing to keep.
        let kept = try state.names("state.db.damaged-").filter { !$0.hasSuffix("-journal") }
        #expect(kept.count == (damage == .emptied ? 0 : 1))
        if let name = kept.first { #expect(try state.bytes(name) == bytes) }
        let store = try state.open()
        #expect(store.damage == nil)
        #expect(try store.serving()?.number == 1)
        // What was lost stays a finding until somebody says from where on to believe the log.
        #expect(try AuditVerification.verify(folder: state.path).fault?.line == 4)
        #expect(try AuditVerification.verify(folder: state.path, from: 4).fault == nil)
    }

    @Test(arguments: [
        "UPDATE content SET documents = documents || ' ' WHERE revision = 2", "UPDATE revision SET digest = 'x' WHERE number = 1",
        "UPDATE revision SET outcome = 'perhaps' WHERE number = 1", "UPDATE registration SET actor_kind = 'nobody'",
        "UPDATE registration SET actor_uid = -1", "UPDATE audit SET result = ''", "DROP TABLE registration",
        "CREATE TRIGGER t AFTER INSERT ON revision BEGIN DELETE FROM audit; END", "DROP INDEX one_pending",
        "PRAGMA application_id = 7", "DELETE FROM revision WHERE number = 2", "DELETE FROM content WHERE revision = 1",
        "PRAGMA user_version = 0",
    ])
    func `a store that is whole and does not say what was written is damaged`(sql: String) throws {
        try fill()
        try state.tamper(sql)
        let store = try state.open()
        #expect(store.damage != nil)
        #expect(try store.numbers.isEmpty)
        #expect(try state.names("state.db.damaged-").count == 1)
    }

    @Test func `a store of a newer version is refused and left as it is`() throws {
        try fill()
        try state.tamper("PRAGMA user_version = 2")
        let bytes = try state.bytes("state.db")
        let error = #expect(throws: StateError.self) { try state.open() }
        #expect(error?.description.contains("newer") == true)
        #expect(try state.bytes("state.db") == bytes)
        #expect(try state.names("state.db.damaged-").isEmpty)
    }

    @Test func `a store that was taken away is told of by the head file`() throws {
        try fill()
        try FileManager.default.removeItem(atPath: state.file("state.db"))
        let store = try state.open()
        #expect(store.damage?.contains("ends at line 0, audit.head knows line 3") == true)
        #expect(try store.auditLog(before: nil, limit: 1).first?.number == 4)
    }

    @Test func `an older store that was put back is told of once, and its revisions serve`() throws {
        try fill()
        let old = try state.bytes("state.db")
        do {
            let store = try state.open()
            try store.add("three")
            try store.note("d")
        }
        try state.write(old, to: "state.db")
        do {
            let store = try state.open()
            #expect(store.damage?.contains("ends at line 3, audit.head knows line 4") == true)
            #expect(try store.serving()?.number == 2)
            #expect(try store.auditLog(before: nil, limit: 1).first?.number == 5)
        }
        #expect(try state.open().damage == nil)
        #expect(try AuditVerification.verify(folder: state.path).fault?.line == 5)
    }

    @Test func `a key that was exchanged or lost is told of once`() throws {
        try fill()
        try FileManager.default.removeItem(atPath: state.file("audit.key"))
        #expect(try state.open().damage?.contains("audit.key") == true)
        #expect(try state.open().damage == nil)
        #expect(try AuditVerification.verify(folder: state.path).fault?.line == 1)
        #expect(try AuditVerification.verify(folder: state.path, from: 4).fault == nil)
    }

    @Test func `a key of another length is an error, not replaced`() throws {
        try fill()
        try state.write([1, 2, 3], to: "audit.key")
        #expect(throws: StateError.self) { try state.open() }
        #expect(try state.bytes("audit.key") == [1, 2, 3])
    }

    @Test func `a head file behind the log is brought up to it`() throws {
        try fill()
        let head = try state.bytes("audit.head")
        let store = try state.open()
        try store.note("d")
        let next = try state.bytes("audit.head")
        _ = consume store
        try state.write(head, to: "audit.head")
        #expect(try state.open().damage == nil)
        #expect(try state.bytes("audit.head") == next)
    }

    @Test func `a store that cannot grow refuses the change and keeps what it has`() throws {
        try fill()
        let store = try state.open { $0.pages = 16 }
        let before = try store.numbers
        let error = #expect(throws: StateError.self) { try store.add(String(repeating: "x", count: 200_000)) }
        #expect(error?.description.contains("nothing was changed") == true)
        #expect(try store.numbers == before)
        #expect(try store.add("small").number == 3)
    }

    @Test func `while another program holds the store a change is refused, and taken when it lets go`() throws {
        try fill()
        let store = try state.open()
        try state.holding {
            let error = #expect(throws: StateError.self) { try store.add("three") }
            #expect(error?.description.contains("another program") == true)
        }
        #expect(try store.add("three").number == 3)
    }

    @Test func `a change that was cut short is taken back by an opening, and not by a reader`() throws {
        try fill()
        let copy = try TemporaryState()
        try state.holding(
            "INSERT INTO audit SELECT number + 100, time, actor_kind, hex(zeroblob(4000000)), actor_uid, actor_origin, action,"
                + " object, result, reason, old, new, previous, digest FROM audit"
        ) {
            for name in ["state.db", "state.db-journal", "audit.key", "audit.head"] {
                try copy.write(state.bytes(name), to: name)
            }
        }
        #expect(try copy.bytes("state.db-journal").count > 512)
        let error = #expect(throws: StateError.self) { try AuditReader.latest(inFolder: copy.path, before: nil, limit: 1) }
        #expect(error?.description.contains("cut short") == true)
        #expect(try copy.open().damage == nil)
        #expect(try AuditReader.latest(inFolder: copy.path, before: nil, limit: 1).map(\.entry.number) == [3])
    }
}
