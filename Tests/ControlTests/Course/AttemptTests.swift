// SPDX-License-Identifier: Apache-2.0
import API
import Foundation
import State
import Telemetry
import Testing

@testable import Control

@Suite struct Attempts {
    private static let second: UInt64 = 1_000_000_000

    @Test func `of very many that come to nothing some are written down, and the number of all`() async throws {
        try await withCourse { bench in
            let olga = bench.operating("olga")
            for _ in 0..<100 { _ = await refusal { try await bench.course.unregister("shop/web-9", by: olga) } }
            for _ in 0..<100 { await bench.course.note(refused: "audit.read", of: nil, reason: "it needs a role", by: olga) }
            #expect(try await bench.audited().count == 1 + RefusalNotes.burst)
            // Another caller has lines of their own.
            await bench.course.note(refused: "policy.apply", of: nil, reason: "it needs a role", by: bench.operating("oscar"))
            #expect(try await bench.audited().last == "policy.apply refused")
            bench.clocks.pass(11)
            for _ in 0..<3 { await bench.course.tick() }
            let line = try await bench.course.auditLog(before: nil, limit: 1)[0]
            #expect(
                line.reason?.hasPrefix("180 more attempts") == true && line.action == "audit.read" && line.result == "refused")
            #expect(try await bench.audited().count == 1 + RefusalNotes.burst + 2)
        }
    }

    @Test func `are written down again in time, with how many were left out before`() {
        var notes = RefusalNotes()
        let eve = Actor(kind: .certificate, name: "eve")
        let first = (0..<50).map { notes.take(eve, "policy.apply", at: 100 + UInt64($0)) }
        #expect(first.compactMap { $0 }.count == RefusalNotes.burst && first.prefix(20).allSatisfy { $0 == 0 })
        #expect(notes.take(eve, "policy.apply", at: 11 * Self.second) == 30)
        #expect(notes.take(eve, "policy.apply", at: 12 * Self.second) == nil)
        #expect(notes.overdue(at: 13 * Self.second).isEmpty)
        let left = RefusalNotes.Left(actor: eve, action: "policy.apply", count: 1)
        #expect(notes.overdue(at: 21 * Self.second) == [left] && notes.overdue(at: 99 * Self.second).isEmpty)
    }

    @Test func `of more callers than are told apart the last ones share their lines`() {
        var notes = RefusalNotes()
        var written = 0
        for number in 0..<(RefusalNotes.callers + 100) {
            written += notes.take(Actor(kind: .unix, name: "u\(number)"), "policy.apply", at: 5) == nil ? 0 : 1
        }
        #expect(written == RefusalNotes.callers + RefusalNotes.burst)
        #expect(notes.overdue(at: 60 * Self.second).map(\.count) == [80])
        // Of nobody is anything left to tell: others have their places.
        #expect(notes.take(Actor(kind: .unix, name: "new"), "policy.apply", at: 600 * Self.second) == 0)
        #expect(notes.overdue(at: 600 * Self.second).isEmpty)
    }
}
