// SPDX-License-Identifier: Apache-2.0
import API
import Foundation
import Layout
import Net
import Record
import State
import Telemetry
import Testing

@testable import Control

@Suite struct Trials {
    /// Denies everything.
    private static let locked = documents().replacing("action: allow", with: "action: deny")

    @Test func `a revision that is not confirmed in time goes back by itself`() async throws {
        try await withCourse { bench in
            let report = try await bench.apply(Self.locked) { $0.confirm = 60 }
            #expect(report.outcome == "pending" && report.revision?.deadline != nil)
            #expect(bench.conditions.contains("pending") && bench.course.status().policy?.secondsLeft == 60)
            bench.clocks.pass(59)
            await bench.course.tick()
            #expect(bench.generation == 2)
            bench.clocks.pass(1)
            await bench.course.tick()
            #expect(bench.generation == 3 && bench.conditions.isEmpty)
            #expect(try bench.decision(from: "10.9.0.11", to: "10.9.0.21", port: 5432) == .allow)
            let history = try await bench.course.history(before: nil, limit: 10)
            #expect(history.map(\.outcome) == ["rolledBack", "confirmed"] && history.map(\.inForce) == [false, true])
            #expect(try await bench.audited().last == "policy.rollback done")
        }
    }

    @Test func `only a way that began behind the publication confirms, or somebody at the console`() async throws {
        try await withCourse { bench in
            let old = bench.administrator
            _ = try await bench.apply(documents(port: 443)) { $0.confirm = 60 }
            #expect(await refusal { try await bench.course.confirm(2, ConfirmRequest(), by: old) }?.kind == .conflict)
            var nowhere = old
            nowhere.began = nil
            #expect(await refusal { try await bench.course.confirm(2, ConfirmRequest(), by: nowhere) }?.kind == .conflict)
            #expect(
                await refusal { try await bench.course.confirm(1, ConfirmRequest(), by: bench.administrator) }?.kind == .conflict)
            let report = try await bench.course.confirm(2, ConfirmRequest(), by: bench.administrator)
            #expect(report.outcome == "confirmed" && report.inForce && report.deadline == nil)
            bench.clocks.pass(100)
            await bench.course.tick()
            #expect(bench.generation == 2)
            _ = try await bench.apply(documents(port: 80)) { $0.confirm = 60 }
            var console = ConfirmRequest()
            console.console = true
            #expect(try await bench.course.confirm(3, console, by: nowhere).outcome == "confirmed")
            #expect(try await bench.audited().filter { $0 == "policy.confirm refused" }.count == 3)
        }
    }

    @Test func `while one is pending no other is taken, but it may be taken back`() async throws {
        try await withCourse { bench in
            _ = try await bench.apply(Self.locked) { $0.confirm = 60 }
            #expect(await refusal { try await bench.apply(documents(port: 443)) }?.kind == .conflict)
            let report = try await bench.course.rollBack(to: 1, RollbackRequest(), by: bench.operating("olga"))
            #expect(report.outcome == "published" && report.revision?.revision == 1)
            #expect(try await bench.course.history(before: nil, limit: 1)[0].outcome == "rolledBack")
            #expect(try await bench.apply(documents(port: 443)).outcome == "published")
        }
    }

    /// Somebody who edits one namespace's policies of the built-in tier.
    private func editing(_ namespace: String, _ bench: CourseBench) -> Caller {
        var grants = Grants()
        (grants.isViewer, grants.edits) = (true, [.init(namespace: namespace, tiers: [])])
        return Caller(actor: Actor(kind: .unix, name: "eve", uid: 1001), grants: grants, began: bench.clocks.clock.boot())
    }

    @Test func `an editor confirms and takes back what is theirs to change, an operator anything`() async throws {
        try await withCourse { bench in
            _ = try await bench.apply(documents(port: 443)) { $0.confirm = 60 }
            let refused = await refusal { try await bench.course.confirm(2, ConfirmRequest(), by: editing("lab", bench)) }
            #expect(refused?.kind == .forbidden)
            let back = await refusal { try await bench.course.rollBack(to: 1, RollbackRequest(), by: editing("lab", bench)) }
            #expect(back?.kind == .forbidden && bench.course.status().policy?.outcome == "pending")
            #expect(try await bench.course.confirm(2, ConfirmRequest(), by: editing("shop", bench)).outcome == "confirmed")
            _ = try await bench.apply(documents(port: 80)) { $0.confirm = 60 }
            let taken = try await bench.course.rollBack(to: 2, RollbackRequest(), by: editing("shop", bench))
            #expect(taken.revision?.revision == 2)
            let returned = try await bench.course.rollBack(to: 1, RollbackRequest(), by: bench.operating("olga"))
            #expect(returned.revision?.returnsTo == 1)
        }
    }

    /// How a control is found again: seconds that pass, how the wall clock is set meanwhile, whether the machine boots, and whether
    /// the revision has gone back.
    struct Restart: Sendable, CustomTestStringConvertible {
        var passed: UInt64
        var wall: Int64 = 0
        var boots = false
        var isOver: Bool
        var testDescription: String { "\(passed) s, clock set by \(wall) s\(boots ? ", another boot" : "")" }
    }

    @Test(arguments: [
        Restart(passed: 20, isOver: false), Restart(passed: 61, isOver: true), Restart(passed: 20, wall: 3600, isOver: false),
        Restart(passed: 61, wall: -3600, isOver: true), Restart(passed: 20, boots: true, isOver: false),
        Restart(passed: 20, wall: 3600, boots: true, isOver: true), Restart(passed: 20, wall: -3600, boots: true, isOver: false),
    ])
    func `a control that is killed in the window finds it again`(_ restart: Restart) async throws {
        let folder = try BenchFolder()
        var clocks = Clocks()
        do {
            let bench = try await CourseBench(folder, clocks: clocks)
            _ = try await bench.apply(Self.locked) { $0.confirm = 60 }
            bench.end()
        }
        clocks.pass(restart.passed)
        if restart.boots { clocks = clocks.rebooted(wallBy: restart.wall) } else { clocks.setWall(by: restart.wall) }
        let bench = try await CourseBench(folder, clocks: clocks)
        defer { bench.end() }
        #expect((bench.course.status().policy?.outcome == "confirmed") == restart.isOver)
        #expect(try (bench.decision(from: "10.9.0.11", to: "10.9.0.21", port: 5432) == .allow) == restart.isOver)
        // Never longer than it was given, whatever the clocks say.
        clocks.pass(60)
        await bench.course.tick()
        #expect(try bench.decision(from: "10.9.0.11", to: "10.9.0.21", port: 5432) == .allow)
        #expect(try await bench.course.history(before: nil, limit: 1)[0].outcome == "rolledBack")
    }

    @Test func `steady time and the clock of policy's expiry leave each other's memory alone`() async throws {
        let (folder, clocks) = (try BenchFolder(), Clocks())
        let file = ClockFile(stateFolder: folder.path("state"))
        do {
            let bench = try await CourseBench(folder, clocks: clocks)
            _ = try await bench.register(workload("shop/web-2", "10.9.0.12"), lease: 600)
            bench.end()
        }
        try file.write(ClockFacts(latest: 1_800_000_000, beforeLeap: 3))
        clocks.setWall(by: 3600)
        let bench = try await CourseBench(folder, clocks: clocks)
        defer { bench.end() }
        await bench.course.tick()
        #expect(bench.course.status().policy?.registrations == 1)
        #expect(file.read() == ClockFacts(latest: 1_800_000_000, beforeLeap: 3))
    }

    @Test func `a clock that is set back or forth while control runs moves no deadline`() async throws {
        try await withCourse { bench in
            _ = try await bench.apply(Self.locked) { $0.confirm = 60 }
            bench.clocks.setWall(by: 3600)
            await bench.course.tick()
            #expect(bench.course.status().policy?.outcome == "pending")
            bench.clocks.setWall(by: -7200)
            bench.clocks.pass(60)
            await bench.course.tick()
            #expect(bench.course.status().policy?.outcome == "confirmed")
        }
    }

    /// A denied connection to a TCP port, as a worker of a generation tells it.
    private func denial(_ bench: CourseBench, from: String, to: String, port: UInt16, generation: UInt32) throws -> FlowEvent {
        var record = FlowRecord()
        (record.source, record.destination) = (try #require(Address(from)), try #require(Address(to)))
        (record.protocolNumber, record.sourcePort, record.destinationPort) = (IPProtocol.tcp.rawValue, 40_000, port)
        (record.event, record.decision) = (FlowRecord.Event.refused.rawValue, Decision.deny.rawValue)
        record.generation = generation
        return bench.course.around.names.now.decode(record, wallOffset: 0)
    }

    @Test func `more new denies than allowed take a revision back, old ones and repeated ones do not count`() async throws {
        try await withCourse { bench in
            _ = try await bench.register(workload("shop/web-2", "10.9.0.12"))
            _ = try await bench.apply(Self.locked) {
                $0.confirm = 600
                $0.maxNewDenies = 0
            }
            // What the old set denies too, what another generation denied, and what nobody knows.
            bench.course.watch.note([
                try denial(bench, from: "10.9.0.11", to: "10.9.0.21", port: 23, generation: 2),
                try denial(bench, from: "10.9.0.11", to: "10.9.0.21", port: 5432, generation: 1),
                try denial(bench, from: "192.0.2.1", to: "192.0.2.2", port: 5432, generation: 2),
            ])
            await bench.course.tick()
            #expect(bench.course.status().policy?.outcome == "pending")
            // A label set that is new takes a generation, in which the trial goes on.
            #expect(try await bench.register(workload("shop/cache", "10.9.0.13", labels: "{app: cache}")).generation == 3)
            bench.course.watch.note([try denial(bench, from: "10.9.0.12", to: "10.9.0.21", port: 5432, generation: 3)])
            await bench.course.tick()
            #expect(bench.course.status().policy?.revision == 1)
            let line = try await bench.course.auditLog(before: nil, limit: 1)[0]
            #expect(line.action == "policy.rollback" && line.reason?.contains("10.9.0.12 -> 10.9.0.21 tcp/5432") == true)
        }
    }

    @Test func `sets that are too large to be compared are not applied on the condition of new denies`() async throws {
        try await withCourse { bench in
            await bench.course.compare(atMost: 1)
            let refused = await refusal { try await bench.apply(Self.locked) { $0.maxNewDenies = 5 } }
            #expect(refused?.kind == .unprocessable && bench.generation == 1)
            let report = try await bench.apply(Self.locked)
            #expect(report.outcome == "published" && !report.compared)
        }
    }

    @Test func `without a time to confirm new denies are counted for a minute, by class and not by address`() async throws {
        try await withCourse { bench in
            _ = try await bench.register(workload("shop/web-2", "10.9.0.12"))
            _ = try await bench.apply(Self.locked) { $0.maxNewDenies = 1 }
            for source in ["10.9.0.11", "10.9.0.12", "10.9.0.11"] {
                bench.course.watch.note([try denial(bench, from: source, to: "10.9.0.21", port: 5432, generation: 2)])
            }
            await bench.course.tick()
            #expect(bench.course.status().policy?.revision == 2)
            bench.clocks.pass(61)
            await bench.course.tick()
            for port in [5432, 5433, 5434] as [UInt16] {
                bench.course.watch.note([try denial(bench, from: "10.9.0.11", to: "10.9.0.21", port: port, generation: 2)])
            }
            await bench.course.tick()
            #expect(bench.course.status().policy?.revision == 2)
        }
    }
}

extension Course {
    /// Compares smaller sets only.
    fileprivate func compare(atMost size: Int) { comparedSize = size }
}
