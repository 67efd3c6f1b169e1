// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import State

@Suite struct AuditLogs {
    private let state: TemporaryState
    init() throws { state = try TemporaryState() }

    @Test func `a line comes back as it was written, numbered from 1`() throws {
        let store = try state.open()
        let entry = try store.log(
            AuditEvent("policy.apply", of: "revision 7", by: .tester, .refused, reason: "no", old: "a1", new: "b2", time: 42))
        #expect(entry.number == 1)
        #expect(entry.digest.count == 64)
        #expect(try store.auditLog(before: nil, limit: 10) == [entry])
        #expect(try store.note("next").number == 2)
        #expect(try store.auditLog(before: 2, limit: 10) == [entry])
    }

    @Test func `the last thing done of a kind is found, however many lines came behind it`() throws {
        let store = try state.open()
        #expect(try store.lastDone("bypass.") == nil)
        let begun = try store.log(AuditEvent("bypass.begin", of: "60 s", by: .tester, .done, reason: "work", time: 1))
        try store.log(AuditEvent("bypass.end", of: nil, by: .tester, .refused, reason: "no", time: 2))
        let others = (0..<1_200).map { AuditEvent("other", of: nil, by: .tester, .done, time: $0) }
        try store.register(RegistrationChange(coming: [], going: [], lines: others))
        #expect(try store.lastDone("bypass.") == begun)
    }

    @Test func `the digest is the HMAC over the line before and every field, each with its length`() throws {
        let entry = AuditEntry(
            number: 2, time: 3, actor: .tester, action: "a.b", object: nil, result: .done, reason: "", old: "o", new: nil,
            digest: "")
        let previous = AuditDigest(bytes: [UInt8](repeating: 7, count: 32))
        var expected = Array("bulkhead audit 1\n".utf8) + [UInt8](repeating: 7, count: 32)
        expected += [0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3]
        for field in ["unix", "ada", "1000", "process 7", "a.b", nil, "done", "", "o", nil] as [String?] {
            guard let field else {
                expected.append(0)
                continue
            }
            expected += [1, 0, 0, 0, 0, 0, 0, 0, UInt8(field.utf8.count)] + Array(field.utf8)
        }
        #expect(AuditKey.message(entry, previous) == expected)
    }

    @Test(arguments: 0..<11)
    func `no field can change without the digest`(field: Int) throws {
        let key = try AuditKey(bytes: [UInt8](repeating: 1, count: 32), from: "")
        let entry = AuditEntry(
            number: 2, time: 3, actor: .tester, action: "a.b", object: "o", result: .done, reason: "r", old: "x", new: "y",
            digest: "")
        var changed = entry
        switch field {
        case 0: changed.number = 3
        case 1: changed.time = 4
        case 2: changed.actor.kind = .certificate
        case 3: changed.actor.name = "bob"
        case 4: changed.actor.uid = nil
        case 5: changed.actor.origin = "process 8"
        case 6: changed.action = "a.c"
        // What moves from one field to the next is another line.
        case 7: (changed.object, changed.reason) = (nil, "or")
        case 8: changed.result = .failed
        case 9: (changed.old, changed.new) = ("xy", "")
        default: changed.new = nil
        }
        #expect(key.digest(of: changed, behind: .none) != key.digest(of: entry, behind: .none))
    }

    @Test func `the head file follows each line`() throws {
        let store = try state.open()
        for name in ["a", "b"] {
            let entry = try store.note(name)
            #expect(try state.bytes("audit.head") == Array("\(entry.number):\(entry.digest)\n".utf8))
        }
        #expect(try store.auditHead()?.text == String(decoding: state.bytes("audit.head").dropLast(), as: UTF8.self))
    }

    @Test func `names and reasons are bounded, and stand on one line`() throws {
        let store = try state.open()
        let actor = Actor(kind: .certificate, name: "eve\n\u{1B}[2J\u{202E}", origin: String(repeating: "ä", count: 1_000))
        let entry = try store.log(
            AuditEvent("policy.apply", of: "x\0y", by: actor, .refused, reason: String(repeating: "r", count: 5_000), time: 1))
        #expect(entry.actor.name == "eve\\u{a}\\u{1b}[2J\\u{202e}")
        #expect(entry.object == "x\\u{0}y")
        #expect(entry.reason == String(repeating: "r", count: 1_021) + "…")
        #expect(entry.actor.origin?.utf8.count ?? 0 <= 256)
        #expect(try store.auditLog(before: nil, limit: 1) == [entry])
        #expect(try AuditVerification.verify(folder: state.path).fault == nil)
    }

    @Test func `a syslog that listens gets each line and the head, one that does not is told of and stops nothing`() throws {
        let path = state.file("log")
        do {
            let store = try state.open(syslog: path)
            try store.note("a")
            #expect(store.witnessFault?.contains(path) == true)
        }
        let listener = try DatagramListener(path)
        let store = try state.open(syslog: path)
        let entry = try store.log(AuditEvent("policy.apply", of: "revision 7", by: .tester, .done, new: "n", time: 1))
        #expect(store.witnessFault == nil)
        let text = try #require(listener.receive())
        #expect(text.hasPrefix("<85>bulkhead["))
        #expect(
            text.hasSuffix("]: audit 2:\(entry.digest), policy.apply done, by ada (uid 1000) at process 7, of revision 7, new n"))
    }

    @Test func `syslog gets every line of a change that writes several`() throws {
        let listener = try DatagramListener(state.file("log"))
        let store = try state.open(syslog: state.file("log"))
        let events = ["a", "b", "c"].map { AuditEvent("workload.add", of: $0, by: .tester, .done, time: 1) }
        try store.register(RegistrationChange(lines: events))
        let texts = (0..<3).compactMap { _ in listener.receive() }
        #expect(texts.map { $0.suffix(4) } == ["of a", "of b", "of c"])
        #expect(listener.receive() == nil)
    }

    @Test func `the oldest lines move to archives, of which the latest are kept, and all that is there verifies as one log`()
        throws
    {
        let store = try state.open { limits in
            (limits.auditLines, limits.archiveLines, limits.archives) = (10, 5, 2)
        }
        for index in 1...40 { try store.note("\(index)") }
        #expect(store.witnessFault == nil)
        // A rotation writes a line too, so that 40 lines became more.
        let archives = try state.names("audit-")
        #expect(archives == ["audit-31-35.jsonl", "audit-36-40.jsonl"])
        var numbers: [Int64] = []
        try AuditReader.forEach(inFolder: state.path) { numbers.append($0.entry.number) }
        #expect(numbers == Array(31...48))
        let verification = try AuditVerification.verify(folder: state.path)
        #expect(verification.fault == nil)
        #expect(verification.lines == 18)
        // An archive is an export.
        let one = try AuditVerification.verify(export: state.file(archives[1]), key: state.file("audit.key"), from: 36)
        #expect(one.fault == nil)
        #expect(one.lines == 5)
        // Without the oldest archive, lines are missing that the last rotation says are kept.
        try FileManager.default.removeItem(atPath: state.file(archives[0]))
        #expect(try AuditVerification.verify(folder: state.path).fault?.line == 36)
    }

    @Test func `a change that brings more lines than an archive takes leaves no more than the log may have`() throws {
        let store = try state.open { limits in
            (limits.auditLines, limits.archiveLines, limits.archives) = (10, 5, 2)
        }
        for round in 0..<3 {
            let events = (0..<40).map { AuditEvent("workload.add", of: "\(round)-\($0)", by: .tester, .done, time: 1) }
            try store.register(RegistrationChange(lines: events))
        }
        #expect(try store.auditLog(before: nil, limit: 1000).count <= 11 && store.witnessFault == nil)
        #expect(try AuditVerification.verify(folder: state.path).fault == nil)
    }

    @Test func `a folder that takes no archive stops no change`() throws {
        let store = try state.open { limits in (limits.auditLines, limits.archiveLines) = (3, 2) }
        // A folder where the archive should come to stand.
        try FileManager.default.createDirectory(atPath: state.file("audit-1-2.jsonl"), withIntermediateDirectories: true)
        for index in 1...6 { try store.note("\(index)") }
        #expect(store.witnessFault?.contains("archive") == true)
        #expect(try store.auditLog(before: nil, limit: 10).count == 6)
    }
}

/// Somebody who listens where syslog would.
private final class DatagramListener {
    private let descriptor: Int32

    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
    }

    deinit { close(descriptor) }

    /// The next datagram; `nil` where none waits.
    func receive() -> String? {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT)) }
        return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
