// SPDX-License-Identifier: Apache-2.0
import API
import Foundation
import TestSupport
import Net
import Record
import State
import Synchronization
import Telemetry
import Testing

@testable import Control

@Suite struct Apply {
    @Test func `a set that is applied is in force, is a revision, and says what it decides otherwise`() async throws {
        try await withCourse { bench in
            #expect(try bench.decision(from: "10.9.0.11", to: "10.9.0.21", port: 5432) == .allow)
            let report = try await bench.apply(documents(port: 443)) { $0.reason = "ticket 7" }
            #expect(report.outcome == "published" && report.generation == 2 && bench.generation == 2)
            #expect(report.compared && report.boxCount == 2)
            #expect(report.boxes.map(\.new) == ["allow", "deny"] && report.boxes.map(\.widening) == [true, false])
            #expect(try bench.decision(from: "10.9.0.11", to: "10.9.0.21", port: 443) == .allow)
            #expect(try bench.decision(from: "10.9.0.11", to: "10.9.0.21", port: 5432) != .allow)
            let history = try await bench.course.history(before: nil, limit: 10)
            #expect(history.map(\.revision) == [2, 1] && history.map(\.source) == ["applied", "files"])
            #expect(history[0].inForce && history[0].reason == "ticket 7" && history[0].actor == "root (uid 0)")
            let state = try #require(bench.course.status().policy)
            #expect(
                state.revision == 2 && state.outcome == "confirmed" && state.filesDiffer && bench.conditions == ["files-differ"])
            #expect(try await bench.audited() == ["policy.files done", "policy.apply done"])
            let line = try await bench.course.auditLog(before: nil, limit: 1)[0]
            #expect(line.old == history[1].digest && line.new == history[0].digest && line.object == "revision 2")
            #expect(try await bench.course.revision(2).documents?.contains("tcp/443") == true)
        }
    }

    @Test func `the same set again changes nothing, and a dry run neither`() async throws {
        try await withCourse { bench in
            #expect(try await bench.apply(documents()).outcome == "unchanged")
            let report = try await bench.apply(documents(port: 443)) { $0.dryRun = true }
            #expect(report.outcome == "checked" && report.boxCount == 2 && report.revision == nil)
            #expect(bench.generation == 1)
            #expect(try await bench.course.history(before: nil, limit: 10).count == 1)
        }
    }

    @Test func `a set with faults is refused with each place, and the attempt is written down`() async throws {
        try await withCourse { bench in
            let refused = await refusal { try await bench.apply("apiVersion: bulkhead/v1\nkind: Polcy\nmetadata: {name: a}\n") }
            #expect(refused?.kind == .unprocessable && refused?.faults.first?.hasPrefix("sent.yaml:2:7:") == true)
            #expect(bench.generation == 1)
            let audited = try await bench.audited()
            #expect(audited.last == "policy.apply refused")
        }
    }

    @Test func `files without a document take nothing away unless that is meant`() async throws {
        try await withCourse { bench in
            let refused = await refusal { try await bench.apply("# nothing yet\n") }
            #expect(refused?.kind == .unprocessable && refused?.detail.contains("--allow-empty") == true)
            #expect(try bench.decision(from: "10.9.0.11", to: "10.9.0.21", port: 5432) == .allow)
            _ = try await bench.apply("# nothing yet\n") { $0.allowEmpty = true }
            #expect(try bench.decision(from: "10.9.0.11", to: "10.9.0.21", port: 5432) != .allow)
        }
    }

    @Test func `an apply for another revision than the one that serves is a conflict`() async throws {
        try await withCourse { bench in
            _ = try await bench.apply(documents(port: 443)) { $0.ifRevision = 1 }
            #expect(await refusal { try await bench.apply(documents(port: 80)) { $0.ifRevision = 1 } }?.kind == .conflict)
            #expect(try await bench.apply(documents(port: 80)) { $0.ifRevision = 2 }.revision?.revision == 3)
        }
    }

    @Test func `what data refuses is a refused revision, and the one before serves`() async throws {
        try await withCourse { bench in
            bench.keeper.withLock { $0.refused = [2] }
            #expect(await refusal { try await bench.apply(documents(port: 443)) }?.kind == .failed)
            let history = try await bench.course.history(before: nil, limit: 10)
            #expect(history.map(\.outcome) == ["refused", "confirmed"] && history.map(\.inForce) == [false, true])
            #expect(try await bench.apply(documents(port: 443)).generation == 3)
        }
    }

    @Test func `a namespace's policies are replaced alone, and an editor replaces no others`() async throws {
        let other =
            "---\napiVersion: bulkhead/v1\nkind: Policy\nmetadata: {name: all, namespace: lab}\nspec: {isolates: {ingress: all}}\n"
        try await withCourse(documents() + "\n" + other) { bench in
            var grants = Grants()
            (grants.isViewer, grants.edits) = (true, [.init(namespace: "shop", tiers: [])])
            let editor = Caller(actor: Actor(kind: .unix, name: "eve", uid: 1001), grants: grants, began: nil)
            let closed =
                "apiVersion: bulkhead/v1\nkind: Policy\nmetadata: {name: db, namespace: shop}\nspec: {isolates: {ingress: all}}\n"
            let report = try await bench.apply(closed, by: editor)
            #expect(report.outcome == "published")
            let set = try await bench.course.revision(2).documents ?? ""
            #expect(set.contains("name: all") && set.contains("kind: Workload") && !set.contains("name: web\n"))
            let refused = await refusal { try await bench.apply(other, by: editor) }
            #expect(refused?.kind == .forbidden && refused?.faults.count == 1)
            let whole = await refusal { try await bench.apply(documents(), { $0.namespace = "lab" }, by: bench.administrator) }
            #expect(whole?.kind == .forbidden && whole?.faults.count == 4)
        }
    }

    @Test func `a rollback publishes an earlier revision's documents as a new one`() async throws {
        try await withCourse { bench in
            _ = try await bench.apply(documents(port: 443))
            let report = try await bench.course.rollBack(to: 1, RollbackRequest(), by: bench.administrator)
            #expect(report.revision?.revision == 3 && report.revision?.returnsTo == 1 && report.revision?.source == "rollback")
            #expect(try bench.decision(from: "10.9.0.11", to: "10.9.0.21", port: 5432) == .allow)
            #expect(bench.course.status().policy?.filesDiffer == false)
            #expect(
                await refusal { try await bench.course.rollBack(to: 9, RollbackRequest(), by: bench.administrator) }?.kind
                    == .missing)
        }
    }

    @Test func `a generation that is not heard of is waited for ten seconds, and may come into force later`() async throws {
        try await withCourse { bench in
            bench.keeper.withLock { $0.isSilent = true }
            async let applied = bench.apply(documents(port: 443))
            while bench.generation < 2 { try await Task.sleep(for: .milliseconds(10)) }
            await bench.course.giveUp()
            bench.clocks.pass(11)
            // Until the publication is being waited for, which is when it can be given up.
            for _ in 0..<50 {
                try await Task.sleep(for: .milliseconds(10))
                bench.clocks.pass(11)
                await bench.course.giveUp()
            }
            let report = try await applied
            #expect(report.outcome == "unanswered" && report.generation == 1 && report.revision?.inForce == false)
            #expect(bench.conditions == ["unanswered"] && bench.course.status().policy?.revision == 1)
            await bench.course.entered(2)
            #expect(bench.course.policy()?.generation == 2)
            #expect(bench.conditions == ["files-differ"] && bench.course.status().policy?.revision == 2)
        }
    }

    /// Applies a set that data does not answer, and waits until nobody waits for it any more.
    private func applyUnanswered(_ bench: CourseBench, _ text: String, _ generation: UInt32) async throws -> ChangeReport {
        bench.keeper.withLock { $0.isSilent = true }
        async let applied = bench.apply(text)
        while bench.generation < generation { try await Task.sleep(for: .milliseconds(10)) }
        for _ in 0..<50 {
            try await Task.sleep(for: .milliseconds(10))
            bench.clocks.pass(11)
            await bench.course.giveUp()
        }
        return try await applied
    }

    /// Lets the course do what it does in a turn of its own.
    private func settle(_ bench: CourseBench, until isSettled: () async throws -> Bool) async throws {
        for _ in 0..<500 {
            if try await isSettled() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    @Test func `a refusal that comes when nobody waits for it any more takes the revision back, and is a condition`() async throws
    {
        try await withCourse { bench in
            #expect(try await applyUnanswered(bench, documents(port: 443), 2).outcome == "unanswered")
            bench.keeper.withLock { $0.isSilent = false }
            await bench.course.refused(2)
            try await settle(bench) { bench.conditions == ["refused"] }
            #expect(bench.conditions == ["refused"] && bench.course.status().policy?.revision == 1)
            let history = try await bench.course.history(before: nil, limit: 10)
            #expect(history.map(\.outcome) == ["refused", "confirmed"] && history.map(\.inForce) == [false, true])
            #expect(try await bench.audited().last == "policy.refused failed")
            // What comes next builds on what is in force, and the same set is no news but a change.
            #expect(try await bench.apply(documents(port: 443)).outcome == "published")
            #expect(bench.conditions == ["files-differ"])
            #expect(try bench.decision(from: "10.9.0.11", to: "10.9.0.21", port: 443) == .allow)
        }
    }

    @Test func `of two that were not answered the later one falls back to what was before both`() async throws {
        try await withCourse { bench in
            _ = try await applyUnanswered(bench, documents(port: 443), 2)
            _ = try await applyUnanswered(bench, documents(port: 80), 3)
            await bench.course.refused(2)
            try await settle(bench) { try await bench.course.history(before: nil, limit: 3)[1].outcome == "refused" }
            #expect(bench.course.status().policy?.revision == 1)
            await bench.course.refused(3)
            try await settle(bench) { try await bench.course.history(before: nil, limit: 3)[0].outcome == "refused" }
            let history = try await bench.course.history(before: nil, limit: 10)
            #expect(
                history.map(\.outcome) == ["refused", "refused", "confirmed"] && history.map(\.inForce) == [false, false, true])
            bench.keeper.withLock { $0.isSilent = false }
            #expect(try await bench.apply(documents()).outcome == "unchanged")
        }
    }

    @Test func `a change says which live flows it would cut, and by what they are known`() async throws {
        try await withCourse { bench in
            func began(_ source: UInt16, to port: UInt16 = 5432) throws {
                var record = FlowRecord()
                (record.source, record.destination) = (Address("10.9.0.11"), Address("10.9.0.21"))
                (record.protocolNumber, record.sourcePort, record.destinationPort) = (IPProtocol.tcp.rawValue, source, port)
                (record.sourceWorkload, record.destinationWorkload, record.generation) = (0, 1, 1)
                _ = bench.flows.named([bench.course.around.names.now.decode(record, wallOffset: 0)])
            }
            for source in 40_000..<40_150 as Range<UInt16> { try began(source) }
            // What the old set does not allow either lives by other right, and is not cut by the change.
            try began(50_000, to: 23)
            let report = try await bench.apply(documents(port: 443)) { $0.dryRun = true }
            #expect(report.flowsKnown == 151 && report.flowsCut == 150 && report.cuts?.count == 100)
            let cut = try #require(report.cuts?.first)
            #expect(cut.source.hasPrefix("10.9.0.11:40") && cut.destination == "10.9.0.21:5432" && cut.service == "tcp/5432")
            #expect(Set([cut.sourceWorkload, cut.destinationWorkload]) == ["shop/web-1", "shop/db-1"] && cut.new == "deny")
            let widening = documents() + "\n" + workload("shop/web-9", "10.9.0.19")
            #expect(try await bench.apply(widening).flowsCut == 0)
        }
    }

    @Test func `documents are read a few clients' at a time, and who comes when many wait is told to come again`() async throws {
        try await withCourse { bench in
            let large = String(repeating: workload("shop/w", "10.1.0.1"), count: 300)
            let kinds = await withTaskGroup(of: Refusal.Kind?.self) { group in
                for _ in 0..<100 {
                    group.addTask { await refusal { try await bench.apply(large) { $0.dryRun = true } }?.kind }
                }
                return await group.reduce(into: [Refusal.Kind?]()) { $0.append($1) }
            }
            #expect(kinds.filter { $0 == .unavailable }.count == 100 - 4 - 64)
            #expect(kinds.filter { $0 == .unprocessable }.count == 4 + 64)
        }
    }
}
