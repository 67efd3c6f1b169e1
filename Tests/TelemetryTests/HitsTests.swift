// SPDX-License-Identifier: Apache-2.0
import GRDB
import Net
import Record
@testable import Telemetry
import Testing

/// What a generation's rules name, as a test says it.
private final class Rules: NamedValues {
    let rules: [ListedRule]
    let answer: @Sendable (Hits.Rule, FlowEvent) -> HeldValues

    init(_ rules: [ListedRule], _ answer: @escaping @Sendable (Hits.Rule, FlowEvent) -> HeldValues) {
        (self.rules, self.answer) = (rules, answer)
    }

    func listed() -> [ListedRule] { rules }
    func held(of rule: Hits.Rule, in event: FlowEvent) -> HeldValues { answer(rule, event) }
}

private let sql = Hits.Rule(side: "ingress", policy: "shop/db", rule: "sql", decision: "allow")
private let web = Hits.Rule(side: "egress", policy: "shop/web", rule: "1", decision: "allow")
private func block(_ text: String) -> Hits.Value { .init(field: "from.cidrs", text: text) }
private func listed(_ rule: Hits.Rule, _ values: [Hits.Value] = [], note: String? = nil) -> ListedRule {
    ListedRule(rule: rule, action: rule.decision, place: "set.yaml:1:1", note: note, values: values)
}
private let both = [listed(web), listed(sql, [block("10.0.0.0/8"), block("192.168.0.0/16")])]

/// An event of the sample's flow, so many seconds after 1970, for which 10.0.0.0/8 holds of the database's rule.
private func at(
    _ seconds: UInt64, _ kind: FlowRecord.Event = .start, held: HeldValues = ten,
    _ change: (inout FlowRecord) -> Void = { _ in }
) -> FlowEvent {
    var event = event { record in
        (record.event, record.time, record.ingressRecord) = (kind.rawValue, seconds * 1_000_000_000, 2)
        change(&record)
    }
    event.named = Rules([]) { rule, _ in rule == sql ? held : HeldValues(values: []) }
    return event
}
private let ten = HeldValues(values: [block("10.0.0.0/8")])
private func second(_ number: Int64) -> Timestamp { Timestamp(nanoseconds: number * 1_000_000_000) }
private func counted(_ hit: Hits.Hit?) -> [Int64] {
    hit.map { [Int64($0.count), $0.first.nanoseconds / 1_000_000_000, $0.last.nanoseconds / 1_000_000_000] } ?? []
}
private let day: Int64 = 86_400

@Suite struct HitCounters {
    @Test func `each side's rule counts each connection, with the first and the last time`() throws {
        var hits = Hits()
        for second: UInt64 in [5, 3, 9] { hits.add(at(second)) }
        hits.add(at(20, .end))
        hits.add(at(21, .update))
        #expect(hits.connections == [.allow: 3])
        #expect(counted(hits.rules[sql]) == [3, 3, 9])
        #expect(Set(hits.rules.keys) == [sql, web])
    }

    @Test func `where no rule decided the tier's end is counted`() {
        var hits = Hits()
        hits.add(at(0, .refused) { ($0.ingressRecord, $0.decision) = (1, Decision.deny.rawValue) })
        #expect(hits.rules.keys.contains(Hits.Rule(side: "ingress", policy: "default", rule: "(tier)", decision: "deny")))
    }

    @Test func `an admitted connection that audit would have refused is counted`() {
        var hits = Hits()
        hits.add(at(0) { $0.auditDecision = Decision.deny.rawValue })
        hits.add(at(0))
        #expect(hits.auditDenials == 1)
    }

    @Test func `the values that held count with their rule, and those that did not stay at nothing`() {
        var hits = Hits()
        hits.enter(both, at: second(1))
        hits.add(at(5))
        hits.add(at(8))
        #expect(counted(hits[block("10.0.0.0/8"), of: sql]) == [2, 5, 8])
        #expect(hits[block("192.168.0.0/16"), of: sql] == nil)
        #expect(hits[block("10.0.0.0/8"), of: web] == nil)
    }

    @Test func `refusals told as a number count as far as they are of the record's kind`() {
        var hits = Hits()
        hits.add(at(5, .refused) { ($0.decision, $0.suppressed, $0.alike) = (Decision.deny.rawValue, 9, 6) })
        #expect(counted(hits[block("10.0.0.0/8"), of: sql]) == [7, 5, 5])
        #expect(hits.rules[sql]?.count == 7)
        #expect(hits.connections == [.deny: 10])
        #expect(hits.uncounted.elsewhere == 3)
        // More alike than there were: whoever wrote it is not believed.
        hits.add(at(6, .refused) { ($0.decision, $0.suppressed, $0.alike) = (Decision.deny.rawValue, 1, .max) })
        #expect(hits.rules[sql]?.count == 9 && hits.uncounted.elsewhere == 3)
    }

    @Test func `an answer that may change is asked for again, and one that lasts is not`() {
        var hits = Hits()
        for port: UInt16 in 1...3 {
            let value = block("\(port)")
            hits.add(at(1, held: HeldValues(values: [value], isLasting: false)) { $0.sourcePort = port })
        }
        #expect((1...3).allSatisfy { hits[block("\($0)"), of: sql]?.count == 1 })
        for port: UInt16 in 4...6 {
            let value = block("\(port)")
            hits.add(at(1, held: HeldValues(values: [value])) { $0.sourcePort = port })
        }
        #expect(hits[block("4"), of: sql]?.count == 3 && hits[block("5"), of: sql] == nil)
        // Another epoch, another question.
        hits.add(at(1, held: HeldValues(values: [block("7")])) { $0.epoch = 8 })
        #expect(hits[block("7"), of: sql]?.count == 1)
    }

    @Test func `what nobody can say is counted as not known, and asked for anew`() {
        var hits = Hits()
        hits.add(at(1, held: HeldValues(values: nil)))
        hits.add(at(2))
        hits.add(at(3) { $0.generation = 99 })
        #expect(hits.uncounted.unknown == 2)
        #expect(hits.rules[sql]?.count == 2 && hits[block("10.0.0.0/8"), of: sql]?.count == 1)
    }

    @Test func `rules that log, and rules of layers before the one that settles, count as well`() {
        var hits = Hits()
        var event = at(1)
        let zone = Cause.Layer(layer: .zone, decision: .allow, tier: "edge", policy: "gate", rule: "in")
        event.ingress?.layers.insert(zone, at: 0)
        event.ingress?.logged = [.init(policy: "shop/db", rule: "note")]
        hits.add(event)
        let names = Set(hits.rules.keys.map { "\($0.policy) \($0.rule) \($0.decision)" })
        #expect(names == ["shop/web 1 allow", "gate in allow", "shop/db sql allow", "shop/db note log"])
        // Behind a layer that denies nothing decides any more.
        var denied = at(1) { $0.epoch = 8 }
        denied.ingress = Cause(
            side: .ingress,
            layers: [.init(layer: .zone, decision: .deny, policy: "gate", rule: "out")] + (denied.ingress?.layers ?? []))
        hits.add(denied)
        #expect(hits.rules[sql]?.count == 1)
    }

    @Test func `what finds no room is counted together, and rules find room before values`() {
        var hits = Hits(capacity: 3)
        hits.enter(both, at: second(1))
        hits.add(at(2))
        hits.add(at(3, held: HeldValues(values: [block("192.168.0.0/16")])) { $0.epoch = 8 })
        #expect(hits.rules[sql]?.count == 2 && hits.rules[web]?.count == 2)
        #expect(hits.uncounted.withoutRoom == 1 && hits[block("10.0.0.0/8"), of: sql]?.count == 1)
        let report = hits.report(.init(), at: second(4))
        #expect(report.rules[1].values.map(\.since) == ["1970-01-01T00:00:01.000000Z", nil])
    }
}

@Suite struct HitsInForce {
    @Test func `every rule and value in force is told in order, those never hit with since when`() throws {
        var hits = Hits()
        let audited = listed(.init(side: "ingress", policy: "shop/db", rule: "new", decision: "allow"), note: "audit")
        hits.enter(both + [audited], at: second(100))
        hits.add(at(105))
        hits.lose(4)
        let report = hits.report(.init(), at: second(200))
        #expect(report.rules.map(\.rule) == ["1", "sql", "new"])
        #expect(report.rules[1].values.map(\.hits) == [1, 0])
        #expect(report.rules[1].values[0].first == "1970-01-01T00:01:45.000000Z" && report.rules[1].values[1].last == nil)
        #expect(report.rules[1].values[1].since == "1970-01-01T00:01:40.000000Z")
        #expect(report.rules[2].note == "audit" && report.rules[2].since == nil)
        #expect(report.began == "1970-01-01T00:01:40.000000Z" && report.uncounted.lost == 4)
    }

    @Test func `unused is what was counted for so long without a hit, and nothing that is younger`() {
        var hits = Hits()
        hits.enter(both, at: second(0))
        hits.add(at(UInt64(10 * day)))
        func unused(_ days: Int64, at now: Int64) -> [String] {
            hits.report(.init(unusedFor: days * day), at: second(now * day)).rules
                .map { "\($0.rule): \($0.values.map(\.value).joined(separator: ", "))" }
        }
        #expect(unused(30, at: 29) == [])
        #expect(unused(30, at: 30) == ["sql: 192.168.0.0/16"])
        #expect(unused(30, at: 40) == ["1: ", "sql: 10.0.0.0/8, 192.168.0.0/16"])
        // A value that came yesterday is not called unused for a month.
        hits.enter([both[0], listed(sql, both[1].values + [block("172.16.0.0/12")])], at: second(39 * day))
        #expect(unused(30, at: 40) == ["1: ", "sql: 10.0.0.0/8, 192.168.0.0/16"])
        #expect(hits.report(.init(policy: "shop/web"), at: second(0)).rules.map(\.rule) == ["1"])
        #expect(hits.report(.init(rule: "sql"), at: second(0)).rules.map(\.policy) == ["shop/db"])
    }

    @Test func `what comes back finds its counts, and is counted anew from then on`() {
        var hits = Hits()
        hits.enter(both, at: second(0))
        hits.add(at(5))
        hits.enter([both[0]], at: second(10))
        #expect(hits.report(.init(), at: second(11)).rules.map(\.rule) == ["1"])
        hits.enter(both, at: second(20))
        let back = hits.report(.init(rule: "sql"), at: second(21)).rules[0]
        #expect(back.hits == 1 && back.since == "1970-01-01T00:00:20.000000Z")
        #expect(hits.report(.init(rule: "1"), at: second(21)).rules[0].since == "1970-01-01T00:00:00.000000Z")
    }

    @Test func `who comes back finds its counts where more than half of the room is taken`() {
        var hits = Hits(capacity: 6)
        hits.enter(both, at: second(0))
        hits.add(at(5))
        hits.enter([both[0]], at: second(10))
        hits.enter(both, at: second(20))
        #expect(hits.report(.init(rule: "sql"), at: second(21)).rules[0].hits == 1)
    }

    @Test func `what has long been gone is given up, and where room is wanted all that is gone`() {
        var hits = Hits()
        hits.enter(both, at: second(0))
        hits.add(at(1))
        _ = hits.takeChanges()
        hits.enter([both[0]], at: second(0))
        hits.enter([both[0]], at: second(29 * day))
        #expect(hits[block("10.0.0.0/8"), of: sql] != nil)
        hits.enter([both[0]], at: second(31 * day))
        #expect(hits[block("10.0.0.0/8"), of: sql] == nil && hits.rules[web]?.count == 1)
        #expect(Set(hits.takeChanges().forgotten.map { $0.value?.text ?? "" }) == ["", "10.0.0.0/8", "192.168.0.0/16"])
        hits.add(at(2))
        #expect(hits.rules[sql]?.count == 1, "rows moved, and what was remembered of connections with them")
        var small = Hits(capacity: 4)
        small.enter(both, at: second(0))
        small.enter([both[0]], at: second(1))
        small.enter([both[0], listed(sql, [block("1.0.0.0/8"), block("2.0.0.0/8")])], at: second(2))
        #expect(small.report(.init(), at: second(3)).rules[1].values.allSatisfy { $0.since != nil })
    }
}

@Suite struct HitsKept {
    private func starts(_ count: Int) -> [FlowEvent] { (0..<count).map { at(UInt64(1_800_000_000 + $0)) } }

    @Test func `counts outlive a restart, and so does since when`() throws {
        let folder = try Folder()
        var since: [String?] = []
        for _ in 0..<3 {
            let observations = Observations(store: try FlowStore(file: folder.file("flows.db")))
            observations.enter(Rules(both) { _, _ in ten })
            observations.take(starts(5), lost: 2)
            observations.close()
            since.append(observations.hits(.init()).rules[1].since)
        }
        let kept = try #require(try FlowStore(file: folder.file("flows.db")).hits())
        let value = try #require(kept.rows.first { $0.name.value == block("10.0.0.0/8") })
        #expect(value.hit?.count == 15 && value.name.rule == sql)
        #expect(kept.rows.count == 4 && kept.uncounted.lost == 6)
        #expect(Set(since).count == 1 && since[0] != nil)
    }

    @Test func `connections in the store that no counter has seen are among the lost`() throws {
        let folder = try Folder()
        let store = try FlowStore(file: folder.file("flows.db"))
        try store.write(starts(3))
        try store.write(([], []), began: second(1), .init(), at: second(2))
        try store.write(starts(4) + [at(1_800_000_000, .update), at(1_800_000_001, .end)])
        #expect(try store.hits()?.uncounted.lost == 4)
    }

    @Test func `behind a gap nothing is called unused for the time in which nobody counted`() {
        var before = Hits()
        before.enter(both, at: second(0))
        before.add(at(5))
        let rows = before.takeChanges().changed
        for (gap, since) in [(Int64(3599), "1970-01-01T00:00:00.000000Z"), (3601, "1970-01-01T01:00:01.000000Z")] {
            var after = Hits()
            after.restore(rows, began: second(0), written: second(0), .init(), at: second(gap))
            after.enter(both, at: second(gap))
            let rule = after.report(.init(rule: "sql"), at: second(gap)).rules[0]
            #expect(rule.hits == 1 && rule.since == since && rule.values[1].since == since)
            #expect(after.rules[sql]?.count == 1, "metrics go on as well")
        }
    }

    @Test func `another layout of the events leaves the counts as they are`() throws {
        let folder = try Folder()
        do {
            let observations = Observations(store: try FlowStore(file: folder.file("flows.db")))
            observations.take(starts(5), lost: 0)
            observations.close()
            let store = try FlowStore(file: folder.file("flows.db"))
            try store.database.write { try $0.execute(sql: "PRAGMA user_version = 0") }
        }
        let store = try FlowStore(file: folder.file("flows.db"))
        #expect(try store.sums().events == 0)
        #expect(try store.hits()?.rows.first { $0.name.rule == sql && $0.name.value == nil }?.hit?.count == 5)
    }

    @Test func `what could not be written is written the next time`() throws {
        let folder = try Folder()
        var hits = Hits()
        hits.enter(both, at: second(1))
        let taken = hits.takeChanges()
        #expect(taken.changed.count == 4 && hits.takeChanges().changed.isEmpty)
        hits.putBack(taken)
        let again = hits.takeChanges()
        #expect(Set(again.changed) == Set(taken.changed))
        let store = try FlowStore(file: folder.file("flows.db"))
        try store.write(again, began: second(1), .init(), at: second(2))
        try store.write(([], [.init(rule: sql, value: block("10.0.0.0/8"))]), began: second(1), .init(), at: second(3))
        #expect(try store.hits()?.rows.count == 3)
    }
}
