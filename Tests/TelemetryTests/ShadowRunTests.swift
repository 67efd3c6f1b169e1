// SPDX-License-Identifier: Apache-2.0
import Net
import Record
import Testing

@testable import Telemetry

@Suite struct ShadowRuns {
    private func facts(_ since: Int64 = 0) -> ShadowRun.Facts {
        ShadowRun.Facts(
            actor: "alice", rules: 2, since: Timestamp(nanoseconds: since), until: Timestamp(nanoseconds: 3_600_000_000_000))
    }

    /// An allowed connection, and the same as a candidate denies it.
    private func closed(_ change: (inout FlowRecord) -> Void = { _ in }) -> (event: FlowEvent, outcome: ShadowRun.Outcome) {
        let allowed = event {
            $0.ingressRecord = 2
            change(&$0)
        }
        let denied = event {
            $0.decision = Decision.deny.rawValue
            change(&$0)
        }
        return (allowed, .judged(denied))
    }

    @Test func `every connection is in one of the counts`() {
        let run = ShadowRun(facts())
        let opened = closed()
        guard case .judged(let denied) = opened.outcome else { return }
        let rejected = event { $0.decision = Decision.reject.rawValue }
        run.note(
            [
                closed(), closed(), (denied, .judged(opened.event)), (denied, .judged(rejected)), (denied, .same),
                (denied, .unjudged),
            ],
            untold: 7, lostByWorkers: 2, unqueued: 3)
        let counts = run.counts
        #expect(counts.judged == 5 && counts.same + counts.closes + counts.opens + counts.changes == counts.judged)
        #expect(counts.closes == 2 && counts.opens == 1 && counts.changes == 1 && counts.unjudged == 1 && counts.untold == 7)
        #expect(run.lost.worker == 2 && run.lost.queue == 3 && run.lost.table == 0)
        #expect(run.hub.counts.published == 4 && run.hub.counts.lost == 5)
    }

    @Test func `connections of the same ends, service and causes are one row, whatever their ports and times`() {
        let run = ShadowRun(facts())
        run.note([closed { $0.time = 2_000_000_000 }, closed { ($0.time, $0.sourcePort) = (1_000_000_000, 1) }])
        run.note([closed { ($0.time, $0.destinationPort) = (3_000_000_000, 443) }])
        let report = run.report()
        #expect(report.rowCount == 2 && report.rows.map(\.service) == ["tcp/5432", "tcp/443"])
        let row = report.rows[0]
        #expect(row.effect == "closes" && row.old == "allow" && row.new == "deny" && row.connections == 2)
        #expect(row.first == "1970-01-01T00:00:01.000000Z" && row.last == "1970-01-01T00:00:02.000000Z")
        #expect(row.source.text == "shop app=web tier=front" && row.source.seen == ["shop/web-1"] && !row.source.more)
        #expect(row.example.candidate?.cause?.said.end == "tier" && row.example.cause?.said.policy == "shop/db")
        #expect(
            row.text { "\($0) -> \($1)" }[0] == "allow -> deny  shop app=web tier=front -> shop app=db, tcp/5432: 2 connections")
    }

    @Test func `addresses that are nobody's are one party, of which eight are named`() {
        let run = ShadowRun(facts())
        for host in 0..<20 {
            run.note([closed { ($0.source, $0.sourceWorkload) = (Address("192.0.2.\(host)")!, FlowRecord.none32) }])
        }
        let report = run.report()
        #expect(report.rowCount == 1 && report.rows[0].connections == 20)
        #expect(report.rows[0].source.seen.count == 8 && report.rows[0].source.more && report.rows[0].source.labels == nil)
        #expect(report.rows[0].source.text == "outside in default")
    }

    @Test func `kinds beyond the bound are counted and streamed all the same`() {
        let run = ShadowRun(facts(), kinds: 3)
        for port in UInt16(1)...10 { run.note([closed { $0.destinationPort = port }]) }
        run.note([closed { $0.destinationPort = 1 }])
        #expect(run.report().rowCount == 3 && run.lost.table == 7 && run.counts.closes == 11)
        #expect(run.hub.counts.published == 11)
        #expect(run.report(limit: 2).rows.count == 2)
    }

    @Test func `it ends once, and its streams with it`() {
        let run = ShadowRun(facts())
        #expect(run.isRunning && run.report().state == "running" && run.hub.subscribe() != nil)
        run.finish(.over)
        run.finish(.ended("too late"))
        let report = run.report()
        #expect(!run.isRunning && report.state == "over" && report.end == "its time is over" && run.hub.subscribe() == nil)
    }

    @Test func `a slot adds up what its runs have counted`() {
        let slot = ShadowSlot()
        #expect(!slot.totals.isRunning && slot.totals.counts.judged == 0)
        for _ in 0..<3 {
            let run = ShadowRun(facts())
            slot.begin(run)
            run.note([closed()], lostByWorkers: 1)
            #expect(slot.totals.isRunning)
            run.finish(.over)
        }
        #expect(slot.totals.counts.closes == 3 && slot.totals.lost.worker == 3 && !slot.totals.isRunning)
    }

    @Test func `a candidate's policy is found by the condition on policies`() {
        let run = ShadowRun(facts())
        run.note([closed()])
        var filter = FlowFilter()
        #expect(filter.set("policy", to: "shop/web") == nil)
        #expect(run.hub.recent(limit: 10, where: filter.matches).count == 1)
        var rows = ShadowFilter()
        #expect(rows.set("effect", to: "opens") == nil && rows.set("policy", to: "shop/db") == nil)
        #expect(run.report(rows).rowCount == 0)
        #expect(rows.set("ip", to: "10.0.0.1") != nil && rows.set("until", to: "5") != nil && rows.set("effect", to: "x") != nil)
    }
}
