// SPDX-License-Identifier: Apache-2.0
import API
import Classifier
import Foundation
import Glibc
import Net
import Policy
import State
import Synchronization
import Telemetry
import Testing

@testable import Control

@Suite struct Files {
    private static let hosts = workload("shop/web-2", "10.9.0.12")

    @Test func `a file of workloads that is renamed over is in force within a look, without a new generation`() async throws {
        try await withCourse(workloads: Self.hosts) { bench in
            #expect(try bench.claim(on: "10.9.0.12").isThere)
            try bench.folder.write(workload("shop/web-2", "10.9.0.13"), to: "hosts.yaml")
            bench.clocks.pass(60)
            await bench.course.tick()
            #expect(try bench.claim(on: "10.9.0.13").isThere)
            #expect(try !bench.claim(on: "10.9.0.12").isThere)
            #expect(bench.generation == 1)
            try bench.folder.write(workload("shop/cache", "10.9.0.12", labels: "{app: cache}"), to: "hosts.yaml")
            bench.clocks.pass(60)
            await bench.course.tick()
            #expect(bench.conditions.isEmpty, "\(bench.course.status().conditions ?? [])")
            #expect(bench.generation == 2)
            #expect(try bench.claim(on: "10.9.0.12").isThere)
        }
    }

    @Test func `files of workloads are looked at also where data refused the first generation of this control`() async throws {
        let folder = try BenchFolder(workloads: Self.hosts)
        let bench = try await CourseBench(folder, begins: false)
        defer { bench.end() }
        bench.keeper.withLock { $0.refused = [1] }
        await #expect(throws: ControlError.self) { try await bench.course.start() }
        #expect(bench.conditions == ["refused"])
        #expect(try await bench.course.history(before: nil, limit: 1).allSatisfy { !$0.inForce })
        try folder.write(workload("shop/web-2", "10.9.0.13"), to: "hosts.yaml")
        bench.clocks.pass(60)
        await bench.course.tick()
        #expect(bench.generation == 2 && bench.conditions.isEmpty)
        #expect(try bench.claim(on: "10.9.0.13").isThere)
    }

    @Test func `a mounted map whose link leads elsewhere is noticed`() async throws {
        let folder = try BenchFolder(more: "workloads: [map/hosts.yaml]\n")
        for version in ["..one", "..two"] { try folder.makeFolder("map/\(version)") }
        try folder.write(Self.hosts, to: "map/..one/hosts.yaml")
        try folder.write(workload("shop/web-2", "10.9.0.13"), to: "map/..two/hosts.yaml")
        try folder.link("map/..data", to: "..one")
        try folder.link("map/hosts.yaml", to: "..data/hosts.yaml")
        let bench = try await CourseBench(folder)
        defer { bench.end() }
        #expect(try bench.claim(on: "10.9.0.12").isThere)
        // As Kubernetes does it: a new link, renamed over the old one.
        try folder.link("map/..new", to: "..two")
        #expect(unsafe rename(folder.path("map/..new"), folder.path("map/..data")) == 0)
        bench.clocks.pass(60)
        await bench.course.tick()
        #expect(try bench.claim(on: "10.9.0.13").isThere)
    }

    @Test func `requests that come while a publication is on its way become one`() async throws {
        try await withCourse { bench in
            bench.keeper.withLock { $0.isSilent = true }
            let holder = Task { try await bench.register(workload("shop/cache", "10.9.0.13", labels: "{app: cache}")) }
            try await bench.published(2)
            for _ in 0..<5 { await bench.course.reload() }
            try await bench.crowded(own: 1, clients: 0)
            // Behind all of them, because control goes before its clients.
            let last = Task { try await bench.apply(documents(port: 443)) { $0.dryRun = true } }
            try await bench.crowded(own: 1, clients: 1)
            bench.keeper.withLock { $0.isSilent = false }
            await bench.course.entered(2)
            _ = try await (holder.value, last.value)
            #expect(bench.generation == 3)
        }
    }

    @Test func `a broken file of workloads leaves in force what was, and says so until it is mended`() async throws {
        try await withCourse(workloads: Self.hosts) { bench in
            try bench.folder.write("kind: Workload\n", to: "hosts.yaml")
            bench.clocks.pass(60)
            await bench.course.tick()
            #expect(try bench.claim(on: "10.9.0.12").isThere)
            #expect(bench.conditions == ["workload-files"])
            #expect(
                bench.course.status().conditions?.first { $0.name == "workload-files" }?.detail.contains("hosts.yaml:1:1") == true
            )
            try bench.folder.write(workload("shop/web-2", "10.9.0.14"), to: "hosts.yaml")
            bench.clocks.pass(60)
            await bench.course.tick()
            #expect(try bench.claim(on: "10.9.0.14").isThere)
            #expect(bench.conditions.isEmpty)
        }
    }

    @Test func `unchanged files leave an applied revision in force over a reload and a restart, changed ones replace it`()
        async throws
    {
        let folder = try BenchFolder()
        do {
            let bench = try await CourseBench(folder)
            _ = try await bench.apply(documents(port: 443))
            let report = try await bench.course.reload(by: bench.administrator)
            #expect(report.outcome == "reread" && bench.generation == 3)
            #expect(try bench.decision(from: "10.9.0.11", to: "10.9.0.21", port: 443) == .allow)
            bench.end()
        }
        do {
            let bench = try await CourseBench(folder)
            #expect(bench.course.status().policy?.revision == 2 && bench.course.status().policy?.source == "applied")
            #expect(bench.conditions == ["files-differ"])
            bench.end()
        }
        try folder.write(documents(port: 80), to: "set.yaml")
        let bench = try await CourseBench(folder)
        defer { bench.end() }
        #expect(bench.course.status().policy?.revision == 3 && bench.course.status().policy?.source == "files")
        #expect(try bench.decision(from: "10.9.0.11", to: "10.9.0.21", port: 80) == .allow)
        _ = try await bench.apply(documents(port: 443))
        try folder.write(documents(port: 81), to: "set.yaml")
        #expect(try await bench.course.reload(by: bench.administrator).revision?.revision == 5)
        #expect(try bench.decision(from: "10.9.0.11", to: "10.9.0.21", port: 81) == .allow)
    }

    @Test func `files that are broken at a start leave the revision that served`() async throws {
        let folder = try BenchFolder()
        do {
            let bench = try await CourseBench(folder)
            _ = try await bench.apply(documents(port: 443))
            bench.end()
        }
        try folder.write("kind: nothing\n", to: "set.yaml")
        let bench = try await CourseBench(folder)
        defer { bench.end() }
        #expect(try bench.decision(from: "10.9.0.11", to: "10.9.0.21", port: 443) == .allow)
        #expect(bench.conditions.contains("files"))
    }

    @Test func `a change of records that only a restart can take up stands as a condition until it is taken back`() async throws {
        try await withCourse { bench in
            let file = try String(contentsOfFile: bench.folder.path("bulkhead.yaml"), encoding: .utf8)
            for (records, conditions) in [
                ("records: {file: {path: flows.jsonl}}", ["records"]), ("records: {store: {events: 5}}", ["records"]),
                ("records: {interval: 5s}", []), ("", []),
            ] {
                try bench.folder.write("\(file)\n\(records)\n", to: "bulkhead.yaml")
                _ = try await bench.course.reload(by: bench.administrator)
                #expect(bench.conditions == conditions, "\(records)")
            }
        }
    }

    @Test func `a reload that fails stands as a condition until one succeeds, whoever asked for it`() async throws {
        try await withCourse { bench in
            try bench.folder.write("kind: nothing\n", to: "set.yaml")
            #expect(await refusal { try await bench.course.reload(by: bench.administrator) }?.kind == .unprocessable)
            #expect(bench.conditions == ["files"] && bench.generation == 1)
            try bench.folder.write(documents(port: 80), to: "set.yaml")
            #expect(try await bench.course.reload(by: bench.administrator).outcome == "published")
            #expect(bench.conditions.isEmpty)
        }
    }

    @Test func `a reload whose generation data does not answer says so`() async throws {
        try await withCourse { bench in
            try bench.folder.write(documents(port: 443), to: "set.yaml")
            let report = try await bench.unanswered { try await bench.course.reload(by: bench.administrator) }
            #expect(report.outcome == "unanswered" && report.generation == 1)
        }
    }

    @Test func `files that change while a revision is pending wait for its end`() async throws {
        try await withCourse { bench in
            _ = try await bench.apply(documents(port: 443)) { $0.confirm = 60 }
            try bench.folder.write(documents(port: 80), to: "set.yaml")
            #expect(try await bench.course.reload(by: bench.administrator).outcome == "held")
            #expect(bench.course.status().policy?.outcome == "pending" && bench.conditions == ["files-differ", "pending"])
            _ = try await bench.course.confirm(2, ConfirmRequest(), by: bench.administrator)
            #expect(try await bench.course.reload(by: bench.administrator).revision?.revision == 3)
            #expect(bench.conditions.isEmpty, "the files say what serves now")
        }
    }
}

@Suite struct StateFolders {
    @Test func `a state that cannot be written leaves the files in force and clients without changes`() async throws {
        let folder = try BenchFolder()
        try folder.write("no folder", to: "state")
        let bench = try await CourseBench(folder)
        defer { bench.end() }
        #expect(bench.generation == 1 && bench.conditions == ["state"])
        #expect(await refusal { try await bench.apply(documents(port: 443)) }?.kind == .unavailable)
        #expect(await refusal { try await bench.register(workload("shop/web-2", "10.9.0.12")) }?.kind == .unavailable)
        #expect(try await bench.apply(documents(port: 443)) { $0.dryRun = true }.outcome == "checked")
        try folder.write(documents(port: 443), to: "set.yaml")
        #expect(try await bench.course.reload(by: bench.administrator).outcome == "published")
        #expect(bench.generation == 2)
        // Mended, it is taken up by the next reload.
        try folder.remove("state")
        #expect(try await bench.course.reload(by: bench.administrator).revision?.revision == 1)
        #expect(bench.conditions.isEmpty)
        #expect(try await bench.apply(documents(port: 80)).revision?.revision == 2)
    }

    @Test func `a damaged state is set aside, the files serve, and it is told`() async throws {
        let folder = try BenchFolder()
        do {
            let bench = try await CourseBench(folder)
            _ = try await bench.apply(documents(port: 443))
            bench.end()
        }
        try folder.write(String(repeating: "damage", count: 2000), to: "state/state.db")
        let bench = try await CourseBench(folder)
        defer { bench.end() }
        #expect(try bench.decision(from: "10.9.0.11", to: "10.9.0.21", port: 5432) == .allow)
        #expect(bench.conditions.contains("state-damaged"))
        #expect(try await bench.apply(documents(port: 443)).outcome == "published")
    }
}
