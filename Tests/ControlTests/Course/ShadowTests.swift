// SPDX-License-Identifier: Apache-2.0
import API
import Foundation
import Net
import Policy
import Record
import State
import Telemetry
import Testing

@testable import Control

@Suite struct Shadows {
    @Test func `a candidate is judged on what starts, and nothing that is in force changes`() async throws {
        try await withCourse { bench in
            let start = try await bench.shadow(documents(port: 443)) { $0.reason = "ticket 7" }
            #expect(start.change.outcome == "checked" && start.change.boxCount == 2 && start.change.generation == 1)
            #expect(start.shadow.state == "running" && start.shadow.reason == "ticket 7" && start.shadow.actor == "root (uid 0)")
            #expect(bench.generation == 1 && bench.conditions == ["candidate"])
            try bench.connect("10.9.0.11", "10.9.0.21")
            try bench.connect("10.9.0.11", "10.9.0.21")
            try bench.connect("10.9.0.11", "10.9.0.21", port: 443)
            try bench.connect("10.9.0.11", "10.9.0.21", port: 80)
            try await bench.settle(4)
            let report = try bench.shadowed()
            #expect(report.counts.judged == 4 && report.counts.same == 1)
            #expect(report.counts.closes == 2 && report.counts.opens == 1 && report.counts.changes == 0)
            #expect(report.rows.map(\.effect) == ["closes", "opens"] && report.rows.map(\.connections) == [2, 1])
            let closed = report.rows[0]
            #expect(closed.source.text == "shop app=web" && closed.destination.text == "shop app=db")
            #expect(closed.source.seen == ["shop/web-1"] && closed.service == "tcp/5432")
            #expect(closed.old == "allow" && closed.new == "deny")
            #expect(closed.example.cause?.said.rule != nil && closed.example.generation == 1)
            let candidate = try #require(closed.example.candidate)
            #expect(candidate.decision == "deny" && candidate.reason == "denied" && candidate.cause?.generation == 0)
            #expect(candidate.cause?.nearest.isEmpty == false, "\(candidate)")
            let stopped = try await bench.course.stopShadow(by: bench.administrator)
            #expect(stopped.state == "ended" && stopped.end == "stopped by root (uid 0)" && stopped.rows.count == 2)
            try bench.connect("10.9.0.11", "10.9.0.21")
            #expect(try bench.shadowed().counts.judged == 4 && bench.conditions.isEmpty)
            let audited = try await bench.audited()
            #expect(audited == ["policy.files done", "shadow.start done", "shadow.end done"])
        }
    }

    @Test func `only starts and refusals are judged, and what policy alone did not decide is counted apart`() async throws {
        try await withCourse { bench in
            try await bench.shadow(documents(port: 443))
            for event in [FlowRecord.Event.change, .update, .end] {
                try bench.connect("10.9.0.11", "10.9.0.21") { $0.event = event.rawValue }
            }
            // Allowed by policy, and without a place in the table.
            try bench.connect("10.9.0.11", "10.9.0.21") {
                ($0.event, $0.reason) = (FlowRecord.Event.refused.rawValue, DropReason.flowTableFull.rawValue)
            }
            // A reply that a frame to a group made expected: no rule allows it by itself.
            try bench.connect("10.9.0.11", "10.9.0.21", port: 5353, protocol: .udp) {
                ($0.event, $0.decision, $0.reason) = (FlowRecord.Event.start.rawValue, Decision.allow.rawValue, FlowRecord.none8)
            }
            // Spoofed by its hardware address, which the candidate knows nothing of.
            try bench.connect("10.9.0.11", "10.9.0.21", port: 443) { $0.reason = DropReason.spoofed.rawValue }
            try bench.connect("10.9.0.11", "10.9.0.21", port: 80) { $0.suppressed = 41 }
            try await bench.settle(4)
            let counts = try bench.shadowed().counts
            #expect(counts.unjudged == 3 && counts.judged == 1 && counts.same == 1 && counts.untold == 41, "\(counts)")
        }
    }

    @Test func `an audited policy in force is compared by what it let through`() async throws {
        let rule = "{action: deny, mode: audit, from: {selector: 'app == \"web\"'}, services: [tcp/5432]}"
        let text = documents().replacingOccurrences(of: "rules:", with: "rules:\n    - \(rule)")
        try await withCourse(documents()) { bench in
            _ = try await bench.apply(text)
            try await bench.shadow(text.replacingOccurrences(of: "mode: audit, ", with: ""))
            let event = try bench.connect("10.9.0.11", "10.9.0.21")
            try await bench.settle(1)
            let report = try bench.shadowed()
            #expect(event.decision == .allow && event.record.auditDecision == Decision.deny.rawValue)
            #expect(report.counts.closes == 1 && report.rows.first?.new == "deny")
        }
    }

    @Test func `the candidate goes by workloads that come and move`() async throws {
        try await withCourse { bench in
            try await bench.shadow(documents(port: 443))
            try bench.connect("10.9.0.12", "10.9.0.21", port: 443)
            // The candidate's map is changed in place: what is judged later is judged by what it says then.
            try await bench.settle(1)
            _ = try await bench.register(workload("shop/web-2", "10.9.0.12"))
            try bench.connect("10.9.0.12", "10.9.0.21", port: 443)
            try await bench.settle(2)
            #expect(try bench.shadowed().counts.opens == 1)
            // A label set that no image knows: in force with a new generation, and the candidate is compiled anew.
            _ = try await bench.register(workload("shop/cache", "10.9.0.13", labels: "{app: cache}"))
            #expect(try bench.shadowed().behind)
            await bench.course.tendShadow()
            let report = try bench.shadowed()
            #expect(!report.behind && report.renewed == 1 && report.state == "running")
            try bench.connect("10.9.0.12", "10.9.0.21", port: 443)
            try await bench.settle(3)
            #expect(try bench.shadowed().counts.opens == 2)
        }
    }

    @Test func `a registration whose name a file of workloads has is nothing to the candidate either`() async throws {
        try await withCourse(workloads: workload("shop/web-9", "10.9.0.99")) { bench in
            _ = try await bench.register(workload("shop/web-2", "10.9.0.12"))
            try bench.folder.write(workload("shop/web-2", "10.9.0.13"), to: "hosts.yaml")
            _ = try await bench.course.reload(by: bench.administrator)
            try await bench.shadow(documents(port: 443))
            try bench.connect("10.9.0.13", "10.9.0.21", port: 443)
            try await bench.settle(1)
            _ = try await bench.course.update("shop/web-2", UpdateRequest(), by: bench.administrator)
            try bench.connect("10.9.0.13", "10.9.0.21", port: 443)
            try await bench.settle(2)
            _ = try await bench.course.unregister("shop/web-2", by: bench.administrator)
            try bench.connect("10.9.0.13", "10.9.0.21", port: 443)
            try await bench.settle(3)
            #expect(try bench.shadowed().counts.opens == 3)
        }
    }

    @Test func `a workload that comes while a candidate is compiled is left out where its image cannot tell it`() async throws {
        try await withCourse { bench in
            func behind(_ name: String, _ text: String, _ labels: [String: String]) async throws -> (Bool, isContested: Bool) {
                let address = try #require(Address(text))
                let workload = Workload(
                    name: ObjectName(name, namespace: "shop"), labels: labels, addresses: [Prefix(host: address)])
                let (publication, isBehind) = try await bench.course.compile(beside: workload)
                return (isBehind, publication.isContested(address))
            }
            let web = try await behind("web-2", "10.9.0.12", ["app": "web"])
            let cache = try await behind("cache", "10.9.0.13", ["app": "cache"])
            #expect(web == (false, false) && cache == (true, false))
        }
    }

    @Test func `what no record of a worker tells is counted once, starts and refusals apart`() {
        var counters = WorkerCounters()
        (counters.lostStarts, counters.lostRefusals) = (.max, 3)
        let before = UntoldDecisions(counters)
        (counters.lostStarts, counters.refused) = (1, 10)
        counters.loseUntoldRefusals()
        let since = UntoldDecisions(counters) - before
        #expect(since.starts == 2 && since.refusals == 7)
    }

    @Test func `it goes on over a reload and another policy, against what is in force then`() async throws {
        try await withCourse { bench in
            try await bench.shadow(documents(port: 443))
            try bench.connect("10.9.0.11", "10.9.0.21")
            _ = try await bench.course.reload(by: bench.administrator)
            await bench.course.tendShadow()
            #expect(try bench.shadowed().renewed == 1 && bench.generation == 2)
            // Not again within the second: what changes all the time must not keep the turn.
            _ = try await bench.apply(documents(port: 80))
            await bench.course.tendShadow()
            #expect(try bench.shadowed().behind)
            bench.clocks.pass(60)
            await bench.course.tendShadow()
            try bench.connect("10.9.0.11", "10.9.0.21")
            try bench.connect("10.9.0.11", "10.9.0.21", port: 80)
            try await bench.settle(3)
            let report = try bench.shadowed()
            #expect(report.counts.closes == 2 && report.counts.same == 1 && report.renewed == 2)
            #expect(Set(report.rows.map(\.example.generation)) == [1, 3])
        }
    }

    @Test func `a candidate that comes into force has served its purpose`() async throws {
        try await withCourse { bench in
            try await bench.shadow(documents(port: 443))
            _ = try await bench.apply(documents(port: 443))
            await bench.course.tendShadow()
            let report = try bench.shadowed()
            #expect(report.state == "ended" && report.end == "the candidate is in force as revision 2")
            #expect(!bench.conditions.contains("candidate"))
        }
    }

    @Test func `it ends by the clock that nobody sets`() async throws {
        try await withCourse { bench in
            try await bench.shadow(documents(port: 443), seconds: 60)
            bench.clocks.setWall(by: 3600)
            await bench.course.tendShadow()
            #expect(try bench.shadowed().state == "running")
            bench.clocks.pass(60)
            await bench.course.tendShadow()
            #expect(try bench.shadowed().state == "over" && bench.conditions.isEmpty)
            let audited = try await bench.audited()
            #expect(audited.last == "shadow.end done")
            try await bench.shadow(documents(port: 80))
            #expect(try bench.shadowed().state == "running")
        }
    }

    @Test func `a control that starts anew says that the run was lost`() async throws {
        let folder = try BenchFolder()
        do {
            let bench = try await CourseBench(folder)
            try await bench.shadow(documents(port: 443))
            bench.end()
        }
        do {
            let bench = try await CourseBench(folder)
            #expect(bench.conditions == ["candidate-lost"] && bench.course.around.shadow.run == nil)
            let line = try await bench.course.auditLog(before: nil, limit: 1)[0]
            #expect(line.action == "shadow.end" && line.actor == "bulkhead (restart)")
            try await bench.shadow(documents(port: 443))
            #expect(bench.conditions == ["candidate"])
            _ = try await bench.course.stopShadow(by: bench.administrator)
            bench.end()
        }
        let next = try await CourseBench(folder)
        #expect(next.conditions.isEmpty)
        next.end()
    }

    @Test func `a candidate that contradicts what comes ends visibly`() async throws {
        try await withCourse(workloads: workload("shop/web-9", "10.9.0.99")) { bench in
            try await bench.shadow(documents(port: 443) + "\n" + workload("shop/new", "10.9.0.50"))
            try bench.folder.write(workload("shop/new", "10.9.0.51"), to: "hosts.yaml")
            _ = try await bench.course.reload(by: bench.administrator)
            await bench.course.tendShadow()
            let report = try bench.shadowed()
            #expect(report.state == "ended" && report.end?.contains("does not go together") == true, "\(report.end ?? "")")
            #expect(bench.conditions.contains("candidate-lost") && !bench.conditions.contains("candidate"))
        }
    }
}

extension Course {
    /// Compiles what serves as a candidate, while whose compilation a workload is registered; whether it is behind then.
    fileprivate func compile(beside workload: Workload) async throws -> (Publication, isBehind: Bool) {
        let publication = try await prepare(parts, configuration)
        parts.registered[workload.name] = Registered(workload, by: Actor(kind: .unix, name: "root", uid: 0), lease: nil, at: 0)
        journal = [workload.name]
        return (publication, bringUp(publication))
    }
}

@Suite struct ShadowRefusals {
    @Test func `what cannot be applied cannot be shadowed, and what is in force need not be`() async throws {
        try await withCourse { bench in
            let broken = await refusal { try await bench.shadow("kind: Polcy\n") }
            #expect(broken?.kind == .unprocessable && broken?.faults.first?.hasPrefix("candidate.yaml:") == true)
            #expect(await refusal { try await bench.shadow("# nothing\n") }?.kind == .unprocessable)
            #expect(await refusal { try await bench.shadow(documents()) }?.detail.contains("says what is in force") == true)
            #expect(await refusal { try await bench.shadow(documents(port: 1), seconds: 0) }?.kind == .invalid)
            #expect(bench.course.around.shadow.run == nil && bench.conditions.isEmpty)
            let refused = try await bench.audited().filter { $0 == "shadow.start refused" }
            #expect(refused.count == 4)
        }
    }

    @Test func `one candidate at a time, and who began it ends it, or an operator`() async throws {
        try await withCourse { bench in
            var grants = Grants()
            grants.edits = [.init(namespace: "shop", tiers: [])]
            func editor(_ name: String) -> Caller {
                Caller(actor: Actor(kind: .unix, name: name, uid: 1001), grants: grants, began: 0)
            }
            let policies = documents(port: 443).components(separatedBy: "---\n").filter { $0.contains("kind: Policy") }
                .joined(separator: "---\n")
            let start = try await bench.shadow(policies, by: editor("eve"))
            #expect(start.shadow.namespace == "shop" && start.change.boxCount == 2)
            #expect(await refusal { try await bench.shadow(documents(port: 80)) }?.kind == .conflict)
            #expect(await refusal { try await bench.course.stopShadow(by: editor("mallory")) }?.kind == .forbidden)
            _ = try await bench.course.stopShadow(by: editor("eve"))
            try await bench.shadow(policies, by: editor("eve"))
            _ = try await bench.course.stopShadow(by: bench.operating("olga"))
            #expect(await refusal { try await bench.course.stopShadow(by: bench.administrator) }?.kind == .missing)
        }
    }

    @Test func `an editor shadows nothing beyond the range`() async throws {
        try await withCourse { bench in
            var grants = Grants()
            grants.edits = [.init(namespace: "bank", tiers: [])]
            let editor = Caller(actor: Actor(kind: .unix, name: "eve", uid: 1001), grants: grants, began: 0)
            #expect(await refusal { try await bench.shadow(documents(port: 443), by: editor) }?.kind == .forbidden)
        }
    }
}
