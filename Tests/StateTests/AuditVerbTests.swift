// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import State

/// `bulkhead audit` as a user meets it: what it prints, and its exit codes.
@Suite struct AuditVerbs {
    private let state: TemporaryState
    private let head: String

    init() throws {
        state = try TemporaryState()
        let store = try state.open()
        for name in ["a", "b", "c"] { try store.note(name) }
        try store.log(AuditEvent("policy.apply", of: "x\u{1B}[2J", by: .tester, .refused, reason: "no\nway", time: 1))
        head = try #require(try store.auditHead()).text
    }

    private func run(_ words: String...) throws -> Tool.Outcome {
        try Tool.bulkhead(["audit"] + words)
    }

    @Test func `verify says how far the log goes, and names the first wrong line`() throws {
        let good = try run("verify", "--state", state.path, "--head", head)
        #expect(good.code == 0)
        #expect(good.output == "4 lines from 1 on are as they were written; head \(head)\n")
        try state.tamper("UPDATE audit SET object = 'z' WHERE number = 2")
        let bad = try run("verify", "--state", state.path)
        #expect(bad.code == 1)
        #expect(bad.errors.hasPrefix("line 2: "))
        let json = try run("verify", "--state", state.path, "--json")
        #expect(json.code == 1)
        #expect(json.output.contains(#""fault":{"line":2,"#))
    }

    @Test func `an export is verified with its key, and needs it`() throws {
        let export = try run("export", "--state", state.path)
        #expect(export.code == 0)
        try state.write(Array(export.output.utf8), to: "export")
        #expect(try run("verify", "--file", state.file("export"), "--key", state.file("audit.key"), "--head", head).code == 0)
        #expect(try run("verify", "--file", state.file("export")).code == 2)
        #expect(try run("verify", "--state", state.path, "--head", "4:zz").code == 2)
        #expect(try run("verify", "--state", state.file("nowhere")).code == 1)
    }

    @Test func `list prints a line for each, newest first, with nothing that a terminal obeys`() throws {
        let list = try run("list", "--state", state.path, "--limit", "2")
        #expect(list.code == 0)
        let lines = list.output.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(
            lines.first
                == "4  1970-01-01T00:00:00.000000Z  refused  policy.apply  x\\u{1b}[2J  by ada (uid 1000) at process 7  (no\\u{a}way)"
        )
        #expect(list.errors == "older ones: --before 3\n")
        #expect(try run("list", "--state", state.path, "--limit", "0").code == 2)
    }
}
