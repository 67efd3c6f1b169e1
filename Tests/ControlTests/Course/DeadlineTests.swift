// SPDX-License-Identifier: Apache-2.0
import API
import Classifier
import Foundation
import TestSupport
import Layout
import Net
import Record
import State
import Synchronization
import Telemetry
import Testing

@testable import Control

/// Promises with a deadline that a restart, a refusal or a crowd must not break.
@Suite struct Deadlines {
    private static let locked = documents().replacing("action: allow", with: "action: deny")

    @Test func `a pending revision whose first generation data refuses gives way to the confirmed one`() async throws {
        let (folder, clocks) = (try BenchFolder(), Clocks())
        do {
            let bench = try await CourseBench(folder, clocks: clocks)
            _ = try await bench.apply(Self.locked) { $0.confirm = 60 }
            bench.end()
        }
        let bench = try await CourseBench(folder, clocks: clocks, begins: false)
        defer { bench.end() }
        bench.keeper.withLock { $0.refused = [1] }
        try await bench.course.start()
        #expect(bench.generation == 2 && bench.course.status().policy?.revision == 1)
        #expect(try bench.decision(from: "10.9.0.11", to: "10.9.0.21", port: 5432) == .allow)
        #expect(try await bench.course.history(before: nil, limit: 1)[0].outcome == "rolledBack")
    }

    @Test func `leases end where data has refused the first generation`() async throws {
        let (folder, clocks) = (try BenchFolder(), Clocks())
        do {
            let bench = try await CourseBench(folder, clocks: clocks)
            _ = try await bench.register(workload("shop/web-2", "10.9.0.12"), lease: 60)
            bench.end()
        }
        let bench = try await CourseBench(folder, clocks: clocks, begins: false)
        defer { bench.end() }
        bench.keeper.withLock { $0.refused = [1] }
        await #expect(throws: ControlError.self) { try await bench.course.start() }
        clocks.pass(61)
        await bench.course.tick()
        #expect(try bench.generation == 2 && !bench.claim(on: "10.9.0.12").isThere)
        #expect(try await bench.audited().last == "workload.expire done")
    }

    @Test func `new denies are counted behind a restart in the window`() async throws {
        let (folder, clocks) = (try BenchFolder(), Clocks())
        do {
            let bench = try await CourseBench(folder, clocks: clocks)
            _ = try await bench.apply(Self.locked) {
                $0.confirm = 600
                $0.maxNewDenies = 0
            }
            bench.end()
        }
        let bench = try await CourseBench(folder, clocks: clocks)
        defer { bench.end() }
        #expect(bench.course.status().policy?.outcome == "pending")
        var record = FlowRecord()
        (record.source, record.destination) = (Address("10.9.0.11"), Address("10.9.0.21"))
        (record.protocolNumber, record.sourcePort, record.destinationPort) = (IPProtocol.tcp.rawValue, 40_000, 5432)
        (record.event, record.decision) = (FlowRecord.Event.refused.rawValue, Decision.deny.rawValue)
        record.generation = bench.generation
        bench.course.watch.note([bench.course.around.names.now.decode(record, wallOffset: 0)])
        await bench.course.tick()
        #expect(bench.course.status().policy?.revision == 1)
    }

    @Test func `a crowd of clients does not keep a revision from going back in time`() async throws {
        try await withCourse { bench in
            _ = try await bench.apply(Self.locked) { $0.confirm = 60 }
            bench.keeper.withLock { $0.isSilent = true }
            // Holds the turn until data is heard of.
            let holder = Task { try await bench.register(workload("shop/cache", "10.9.0.13", labels: "{app: cache}")) }
            while bench.generation < 3 { try await Task.sleep(for: .milliseconds(5)) }
            let crowd = (0..<Turn.most).map { _ in
                Task { await refusal { try await bench.course.rollBack(to: 77, RollbackRequest(), by: bench.administrator) } }
            }
            try await Task.sleep(for: .milliseconds(300))
            bench.clocks.pass(61)
            let tick = Task { await bench.course.tick() }
            try await Task.sleep(for: .milliseconds(100))
            bench.keeper.withLock { $0.isSilent = false }
            await bench.course.entered(3)
            _ = try await holder.value
            await tick.value
            for client in crowd { _ = await client.value }
            #expect(bench.course.status().policy?.revision == 1 && !bench.conditions.contains("rollback"))
        }
    }
}
