// SPDX-License-Identifier: Apache-2.0
import API
import Foundation
import Layout
import State
import Synchronization
import Telemetry
import Testing

@testable import Control

@Suite struct Bypasses {
    @Test func `a bypass is ordered of keeper, told, and ends by itself or by order`() async throws {
        try await withCourse { bench in
            let report = try await bench.course.beginBypass(
                BypassRequest(seconds: 900, reason: "ticket 9"), by: bench.operating("olga"))
            #expect(report.active && report.reason == "ticket 9" && report.actor == "olga (uid 1000)")
            await bench.course.tick()
            #expect(bench.conditions == ["bypass"])
            #expect(try await !bench.course.endBypass(by: bench.administrator).active)
            await bench.course.tick()
            #expect(bench.conditions.isEmpty)
            _ = try await bench.course.beginBypass(BypassRequest(seconds: 900, reason: "again"), by: bench.operating("olga"))
            bench.folder.setBypass(until: 0)
            await bench.course.tick()
            let audited = try await bench.audited()
            #expect(audited.suffix(4) == ["bypass.begin done", "bypass.end done", "bypass.begin done", "bypass.end done"])
            #expect(bench.conditions.isEmpty)
            let empty = await refusal {
                try await bench.course.beginBypass(BypassRequest(seconds: 9, reason: " "), by: bench.administrator)
            }
            #expect(empty?.kind == .invalid)
            #expect(await refusal { try await bench.course.endBypass(by: bench.administrator) }?.kind == .conflict)
        }
    }

    @Test func `an end that was ordered is one line of the audit log, whoever looks at the clock meanwhile`() async throws {
        try await withCourse { bench in
            _ = try await bench.course.beginBypass(BypassRequest(seconds: 60, reason: "ticket 7"), by: bench.administrator)
            #expect(bench.conditions == ["bypass"])
            bench.keeper.withLock { $0.isIdle = true }
            async let ended = bench.course.endBypass(by: bench.administrator)
            try await bench.ordered(2)
            for _ in 0..<3 { await bench.course.tick() }
            #expect(bench.conditions == ["bypass"])
            bench.obey()
            for _ in 0..<3 { await bench.course.tick() }
            #expect(try await !ended.active && bench.conditions.isEmpty)
            let lines = try await bench.course.auditLog(before: nil, limit: 10).filter { $0.action == "bypass.end" }
            #expect(lines.map(\.actor) == ["root (uid 0)"])
        }
    }

    @Test func `one that keeper has not begun yet is not over, whoever looks at the clock meanwhile`() async throws {
        try await withCourse { bench in
            bench.keeper.withLock { $0.isIdle = true }
            async let begun = bench.course.beginBypass(
                BypassRequest(seconds: 60, reason: "ticket 7"), by: bench.operating("olga"))
            try await bench.ordered(1)
            for _ in 0..<3 { await bench.course.tick() }
            #expect(bench.conditions.isEmpty)
            bench.obey()
            for _ in 0..<3 { await bench.course.tick() }
            #expect(try await begun.actor == "olga (uid 1000)" && bench.conditions == ["bypass"])
            #expect(try await !bench.audited().contains("bypass.end done"))
        }
    }

    @Test func `an order that keeper does not obey within two seconds has failed, and is no bypass`() async throws {
        try await withCourse { bench in
            bench.keeper.withLock { $0.isIdle = true }
            async let refused = refusal {
                try await bench.course.beginBypass(BypassRequest(seconds: 60, reason: "ticket 7"), by: bench.administrator)
            }
            try await bench.ordered(1)
            bench.clocks.pass(3)
            let (kind, detail) = (await refused?.kind, await refused?.detail)
            #expect(kind == .failed && detail?.contains("within two seconds") == true)
            await bench.course.tick()
            let audited = try await bench.audited()
            #expect(bench.conditions.isEmpty && audited.suffix(2) == ["bypass.begin done", "bypass.begin failed"])
        }
    }

    @Test func `one whose time is over is ended by its deadline, in the audit log too`() async throws {
        try await withCourse { bench in
            _ = try await bench.course.beginBypass(BypassRequest(seconds: 60, reason: "ticket 7"), by: bench.administrator)
            await bench.course.tick()
            bench.folder.setBypass(until: 0)
            for _ in 0..<3 { await bench.course.tick() }
            let lines = try await bench.course.auditLog(before: nil, limit: 10).filter { $0.action == "bypass.end" }
            #expect(lines.map(\.actor) == ["bulkhead (deadline)"])
        }
    }

    @Test func `a second order takes the first one's place, and its answer says until when`() async throws {
        try await withCourse { bench in
            func order(_ seconds: UInt32) async throws -> String {
                let request = BypassRequest(seconds: seconds, reason: "ticket 7")
                return try #require(try await bench.course.beginBypass(request, by: bench.administrator).until)
            }
            let first = try await order(60)
            bench.keeper.withLock { $0.isIdle = true }
            async let later = order(3600)
            try await bench.ordered(2)
            bench.obey()
            let second = try await later
            let wanted = Timestamp(nanoseconds: bench.clocks.clock.wall() + 3599 * 1_000_000_000).description
            #expect(second > first && second > wanted, "\(first) \(second)")
        }
    }

    @Test func `who ordered one, and why, is known to the control that follows, and the end of one that is over is written down`()
        async throws
    {
        let (folder, clocks) = (try BenchFolder(), Clocks())
        do {
            let bench = try await CourseBench(folder, clocks: clocks)
            _ = try await bench.course.beginBypass(BypassRequest(seconds: 600, reason: "ticket 7"), by: bench.operating("olga"))
            bench.end()
        }
        do {
            let bench = try await CourseBench(folder, clocks: clocks)
            await bench.course.tick()
            let detail = try #require(bench.course.status().conditions?.first { $0.name == "bypass" }?.detail)
            #expect(detail.contains("by olga: ticket 7"))
            bench.end()
        }
        folder.setBypass(until: 0)
        let bench = try await CourseBench(folder, clocks: clocks)
        defer { bench.end() }
        await bench.course.tick()
        let lines = try await bench.course.auditLog(before: nil, limit: 10).filter { $0.action == "bypass.end" }
        #expect(lines.map(\.actor) == ["bulkhead (start)"] && bench.conditions.isEmpty)
    }
}
