// SPDX-License-Identifier: Apache-2.0
import API
import Classifier
import Foundation
import Net
import Policy
import State
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Control

@Suite struct Workloads {
    @Test func `a workload of a known label set is in force without a new generation`() async throws {
        try await withCourse { bench in
            let before = bench.course.status().epoch
            #expect(try bench.decision(from: "10.9.0.12", to: "10.9.0.21", port: 5432) != .allow)
            let report = try await bench.register(workload("shop/web-2", "10.9.0.12"))
            #expect(report.generation == 1 && bench.generation == 1 && report.epoch > before)
            #expect(report.workloads == ["shop/web-2"] && report.contested.isEmpty)
            #expect(try bench.decision(from: "10.9.0.12", to: "10.9.0.21", port: 5432) == .allow)
            #expect(bench.course.policy()?.documents.contains("web-2") == true)
            let listed = try await bench.course.workloads(after: nil, limit: 10)
            #expect(listed.map(\.name) == ["shop/db-1", "shop/web-1", "shop/web-2"])
            #expect(listed[2].origin == "registered by root (uid 0)" && listed[0].origin.hasSuffix("set.yaml:6:1"))
            #expect(try await bench.course.workloads(after: "shop/web-1", limit: 10).count == 1)
            _ = try await bench.course.unregister("shop/web-2", by: bench.administrator)
            #expect(try bench.decision(from: "10.9.0.12", to: "10.9.0.21", port: 5432) != .allow)
            #expect(bench.generation == 1)
            let audited = try await bench.audited()
            #expect(audited == ["policy.files done", "workload.add done", "workload.remove done"])
        }
    }

    @Test func `a label set that no image knows takes a new generation, as do blocks`() async throws {
        try await withCourse { bench in
            let report = try await bench.register(workload("shop/cache", "10.9.0.13", labels: "{app: cache}"))
            #expect(report.generation == 2 && bench.generation == 2)
            #expect(try bench.claim(on: "10.9.0.13").isThere)
            #expect(try await bench.register(workload("shop/net", "10.8.0.0/16")).generation == 3)
            var labels = UpdateRequest()
            labels.labels = ["app": "web"]
            let labelled = try await bench.course.update("shop/cache", labels, by: bench.administrator)
            #expect(labelled.generation == 3)
            #expect(try bench.decision(from: "10.9.0.13", to: "10.9.0.21", port: 5432) == .allow)
            labels.labels = ["app": nil]
            _ = try await bench.course.update("shop/cache", labels, by: bench.administrator)
            #expect(try bench.decision(from: "10.9.0.13", to: "10.9.0.21", port: 5432) != .allow)
        }
    }

    @Test func `a lease ends by the clock that nobody sets, and a renewal prolongs it`() async throws {
        try await withCourse { bench in
            _ = try await bench.register(workload("shop/web-2", "10.9.0.12"), lease: 60)
            bench.clocks.setWall(by: 3600)
            await bench.course.tick()
            #expect(try bench.claim(on: "10.9.0.12").isThere)
            bench.clocks.pass(50)
            _ = try await bench.course.update("shop/web-2", UpdateRequest(), by: bench.administrator)
            bench.clocks.pass(50)
            await bench.course.tick()
            #expect(try bench.claim(on: "10.9.0.12").isThere)
            bench.clocks.pass(10)
            await bench.course.tick()
            let (claim, audited) = (try bench.claim(on: "10.9.0.12"), try await bench.audited())
            #expect(!claim.isThere && audited.last == "workload.expire done")
            #expect(try await bench.course.workloads(after: nil, limit: 10).count == 2)
        }
    }

    @Test func `registrations and their leases outlive control, whatever becomes of the wall clock`() async throws {
        let (folder, clocks) = (try BenchFolder(), Clocks())
        do {
            let bench = try await CourseBench(folder, clocks: clocks)
            _ = try await bench.register(workload("shop/web-2", "10.9.0.12"), lease: 60)
            _ = try await bench.register(workload("shop/web-3", "10.9.0.13"))
            bench.end()
        }
        clocks.setWall(by: 7200)
        clocks.pass(30)
        let bench = try await CourseBench(folder, clocks: clocks)
        defer { bench.end() }
        await bench.course.tick()
        #expect(try bench.decision(from: "10.9.0.12", to: "10.9.0.21", port: 5432) == .allow)
        clocks.pass(30)
        await bench.course.tick()
        #expect(try !bench.claim(on: "10.9.0.12").isThere)
        #expect(try bench.claim(on: "10.9.0.13").isThere)
    }

    @Test func `equal claims make an address contested and denied, until one of them goes`() async throws {
        try await withCourse { bench in
            let report = try await bench.register(workload("shop/web-2", "10.9.0.11"), lease: 60)
            #expect(report.contested == ["10.9.0.11"])
            #expect(try bench.decision(from: "10.9.0.11", to: "10.9.0.21", port: 5432) != .allow)
            #expect(bench.course.status().policy?.contested == ["10.9.0.11"] && bench.conditions == ["contested"])
            let listed = try await bench.course.workloads(after: nil, limit: 10)
            #expect(listed.map(\.contested) == [[], ["10.9.0.11"], ["10.9.0.11"]])
            // A new generation keeps it so, and a client's analysis sees it.
            _ = try await bench.apply(documents(port: 443))
            #expect(try bench.claim(on: "10.9.0.11").isContested)
            #expect(try bench.course.policy()?.set().workloads.count == 3)
            bench.clocks.pass(60)
            await bench.course.tick()
            #expect(try bench.decision(from: "10.9.0.11", to: "10.9.0.21", port: 443) == .allow)
            #expect(bench.course.status().policy?.contested == [])
        }
    }

    @Test func `who registered a workload may change it, another operator may not, and documents go first`() async throws {
        try await withCourse { bench in
            let (olga, oscar) = (bench.operating("olga"), bench.operating("oscar"))
            _ = try await bench.register(workload("shop/web-2", "10.9.0.12"), by: olga)
            #expect(await refusal { try await bench.course.unregister("shop/web-2", by: oscar) }?.kind == .forbidden)
            #expect(
                await refusal { try await bench.register(workload("shop/web-2", "10.9.0.13"), by: oscar) }?.kind == .forbidden)
            let written = await refusal { try await bench.register(workload("shop/web-1", "10.9.0.13"), by: olga) }
            #expect(written?.kind == .conflict && written?.detail.contains("set.yaml:1:1") == true)
            #expect(await refusal { try await bench.course.unregister("shop/db-1", by: olga) }?.kind == .conflict)
            #expect(await refusal { try await bench.course.unregister("shop/web-9", by: olga) }?.kind == .missing)
            #expect(await refusal { try await bench.register(documents(), by: olga) }?.kind == .invalid)
            #expect(await refusal { try await bench.register(workload("shop/web-3", "10.9.0.13"), lease: 5) }?.kind == .invalid)
            _ = try await bench.course.unregister("shop/web-2", by: olga)
            let audited = try await bench.audited()
            #expect(audited.filter { $0.hasSuffix("refused") }.count == 7)
        }
    }

    /// A set that takes some time to compile, with a port for what it says of the workloads of `documents`.
    private func large(port: Int = 5432) -> String {
        documents(port: port) + "\n" + (0..<1500).map { workload("shop/x-\($0)", "10.77.\($0 / 250).\($0 % 250 + 1)") }.joined()
    }

    /// Two things that happen at the same time, on a course of their own: again where `body` says that one was over before the other began.
    private func untilMet(_ body: (CourseBench) async throws -> Bool) async throws {
        var isMet = false
        for _ in 0..<20 where !isMet { try await withCourse { isMet = try await body($0) } }
        #expect(isMet, "never at the same time")
    }

    @Test func `a workload that a document of the new set names is the document's, whatever clients did meanwhile`() async throws
    {
        try await untilMet { bench in
            _ = try await bench.register(workload("shop/web-2", "10.9.0.12"), lease: 600)
            let isOver = Mutex(false)
            async let renewals = {
                var count = 0
                while !isOver.withLock({ $0 }) {
                    _ = try await bench.course.update("shop/web-2", UpdateRequest(), by: bench.administrator)
                    count += 1
                    try await Task.sleep(for: .milliseconds(2))
                }
                return count
            }()
            _ = try await bench.apply(large() + workload("shop/web-2", "10.9.0.14"))
            isOver.withLock { $0 = true }
            let count = try await renewals
            #expect(try bench.claim(on: "10.9.0.14").isThere)
            #expect(try !bench.claim(on: "10.9.0.12").isThere)
            #expect(bench.conditions.contains("shadowed"))
            return count > 1
        }
    }

    @Test func `what clients register and take away while sets are compared holds in the new generation too`() async throws {
        try await untilMet { bench in
            _ = try await bench.apply(large())
            _ = try await bench.register((1...200).map { workload("shop/gone-\($0)", "10.8.0.\($0)") }.joined())
            let isOver = Mutex(false)
            async let changed = {
                var count = 0
                while !isOver.withLock({ $0 }), count < 200 {
                    count += 1
                    _ = try await bench.register(workload("shop/new-\(count)", "10.7.0.\(count)"))
                    _ = try await bench.course.unregister("shop/gone-\(count)", by: bench.administrator)
                }
                return count
            }()
            _ = try await bench.apply(large(port: 443))
            isOver.withLock { $0 = true }
            let count = try await changed
            let lost = try (1...count).filter { try !bench.claim(on: "10.7.0.\($0)").isThere }
            let left = try (1...count).filter { try bench.claim(on: "10.8.0.\($0)").isThere }
            #expect(lost.isEmpty && left.isEmpty, "lost \(lost), still there \(left)")
            return count > 5
        }
    }

    @Test func `of two changes that wait for the turn none undoes the other`() async throws {
        try await withCourse { bench in
            _ = try await bench.register(workload("shop/web-2", "10.9.0.12"))
            func label(_ key: String) async throws {
                var request = UpdateRequest()
                request.labels = [key: "1"]
                _ = try await bench.course.update("shop/web-2", request, by: bench.administrator)
            }
            async let (a, b, c): (Void, Void, Void) = (label("a"), label("b"), label("c"))
            _ = try await (a, b, c)
            let listed = try await bench.course.workloads(after: "shop/web-1", limit: 1)
            #expect(listed[0].labels == ["app": "web", "a": "1", "b": "1", "c": "1"])
        }
    }

    @Test func `who waits for the turn is asked again whether it is theirs to change`() async throws {
        try await withCourse { bench in
            let (olga, oscar) = (bench.operating("olga"), bench.operating("oscar"))
            _ = try await bench.register(workload("shop/web-2", "10.9.0.12"), by: olga)
            bench.keeper.withLock { $0.isSilent = true }
            // Holds the turn until data is heard of.
            let holder = Task { try await bench.register(workload("shop/cache", "10.9.0.13", labels: "{app: cache}")) }
            try await bench.published(2)
            var request = UpdateRequest()
            request.labels = ["release": "canary"]
            async let labelled = refusal { try await bench.course.update("shop/web-2", request, by: olga) }
            try await bench.crowded(clients: 1)
            // While she waits the name changes hands, which needs no turn.
            _ = try await bench.course.unregister("shop/web-2", by: olga)
            _ = try await bench.register(workload("shop/web-2", "10.9.0.12"), by: oscar)
            bench.keeper.withLock { $0.isSilent = false }
            await bench.course.entered(2)
            _ = try await holder.value
            #expect(await labelled?.kind == .forbidden)
            #expect(try await bench.course.workloads(after: "shop/web-1", limit: 1)[0].labels == ["app": "web"])
        }
    }

    @Test(arguments: [
        ("", "x", "empty key"), (String(repeating: "k", count: 318), "x", "more than 317 bytes"),
        ("a\0b", "x", "U+0000"), ("app", "a\0b", "U+0000"), ("app", String(repeating: "v", count: 1025), "more than 1024 bytes"),
    ])
    func `a label that no document may have is refused from a client too`(key: String, value: String, why: String) async throws {
        try await withCourse { bench in
            _ = try await bench.register(workload("shop/web-2", "10.9.0.12"))
            var request = UpdateRequest()
            request.labels = [key: value]
            let labelled = await refusal { try await bench.course.update("shop/web-2", request, by: bench.administrator) }
            #expect(labelled?.kind == .invalid && labelled?.detail.contains(why) == true, "\(labelled?.detail ?? "")")
            // As a document, and as an inventory, which other code reads.
            let quoted = String(decoding: try JSONEncoder().encode([key: value]), as: UTF8.self)
            let document = await refusal { try await bench.register(workload("shop/web-3", "10.9.0.13", labels: quoted)) }
            #expect(
                document?.kind == .unprocessable && document?.faults.first?.contains(why) == true, "\(document?.faults ?? [])")
            request.labels = ["app": "db"]
            _ = try await bench.course.update("shop/web-2", request, by: bench.administrator)
        }
    }

    @Test func `what data refuses late is no registration either`() async throws {
        try await withCourse { bench in
            _ = try await bench.unanswered {
                try await bench.register(workload("shop/cache", "10.9.0.13", labels: "{app: cache}"))
            }
            bench.keeper.withLock { $0.isSilent = false }
            await bench.course.refused(2)
            #expect(await comesTrue { bench.conditions == ["refused"] })
            #expect(bench.course.status().policy?.registrations == 0)
            #expect(try await bench.audited().last == "workload.undo done")
        }
    }

    @Test func `what data refuses is no registration`() async throws {
        try await withCourse { bench in
            bench.keeper.withLock { $0.refused = [2] }
            let refused = await refusal { try await bench.register(workload("shop/cache", "10.9.0.13", labels: "{app: cache}")) }
            #expect(refused?.kind == .failed)
            let listed = try await bench.course.workloads(after: nil, limit: 10)
            #expect(listed.count == 2)
            #expect(try await bench.register(workload("shop/web-2", "10.9.0.12")).generation == 1)
        }
    }

    @Test func `a map that is full gives way to a larger one`() async throws {
        try await withCourse { bench in
            for block in 0..<3 {
                var text = ""
                for number in 0..<400 {
                    text += workload("shop/w-\(block)-\(number)", "10.\(block).\(number / 200).\(number % 200 + 1)")
                }
                _ = try await bench.register(text)
            }
            #expect(bench.generation > 1)
            for (block, number) in [(0, 1), (1, 200), (2, 399)] {
                #expect(try bench.claim(on: "10.\(block).\(number / 200).\(number % 200 + 1)").isThere)
            }
        }
    }
}
