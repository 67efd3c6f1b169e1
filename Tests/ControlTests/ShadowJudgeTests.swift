// SPDX-License-Identifier: Apache-2.0
import Compiler
import Foundation
import TestSupport
import Net
import Policy
import PolicyText
import Record
import Telemetry
import Testing

@testable import Control

@Suite struct ShadowJudges {
    /// A second before the rule of `expiring` lapses, and one after.
    private static let (before, after): (UInt64, UInt64) = (1_861_920_000, 1_924_992_000)

    private func reader(_ text: String, generation: UInt32 = 1) throws -> SnapshotReader {
        let folder = try BenchFolder(text)
        let configuration = try Configuration.load(folder.path("bulkhead.yaml"))
        return try Publication(
            .init(
                set: try PolicySet(try decode(text, file: "set.yaml")), configuration: configuration, zones: [],
                generation: generation, inventory: Inventory())
        ).reader()
    }

    private var expiring: String {
        documents().replacingOccurrences(
            of: "services: [tcp/5432]}", with: "services: [tcp/5432], expires: \"2030-01-01T00:00:00Z\"}")
    }

    private func event(at second: UInt64, _ change: (inout FlowRecord) -> Void = { _ in }) throws -> FlowEvent {
        var record = FlowRecord()
        (record.source, record.destination) = (Address("10.9.0.11"), Address("10.9.0.21"))
        (record.sourcePort, record.destinationPort, record.protocolNumber) = (50_000, 5432, 6)
        record.generation = 1
        record.time = 1_000_000_000
        change(&record)
        return FlowDecoder(pairs: []).decode(record, wallOffset: Int64(second - 1) * 1_000_000_000)
    }

    private func run() -> ShadowRun {
        ShadowRun(ShadowRun.Facts(actor: "alice", rules: 1, since: Timestamp(nanoseconds: 0), until: Timestamp(nanoseconds: 1)))
    }

    @Test func `a rule lapses for the candidate at the second of the connection, and stays lapsed where the clock was set back`()
        throws
    {
        let readers = ShadowJudge.Readers(candidate: try reader(expiring), inForce: try reader(documents()))
        func isSame(_ second: UInt64, floor: UInt64 = 0) throws -> Bool {
            if case .same = ShadowJudge.outcome(of: try event(at: second), readers, floor: floor) { true } else { false }
        }
        #expect(try isSame(Self.before))
        #expect(try !isSame(Self.after))
        #expect(try !isSame(Self.before, floor: Self.after))
        #expect(try isSame(Self.before, floor: Self.before))
    }

    @Test func `what finds no place in the queue is counted, and what was before the run is not`() throws {
        let readers = ShadowJudge.Readers(candidate: try reader(expiring), inForce: try reader(documents()))
        let run = run()
        let judge = ShadowJudge(run, since: 1_000_000_000, readers, capacity: 3, latest: { 0 }, wall: { 0 })
        let early = try event(at: Self.before) { $0.time = 1 }
        let started = try event(at: Self.before)
        let refused = try event(at: Self.before) {
            ($0.event, $0.decision, $0.reason) = (
                FlowRecord.Event.refused.rawValue, Decision.deny.rawValue, DropReason.denied.rawValue
            )
            $0.suppressed = 9
        }
        judge.take([early, started, started, started, started, refused], lost: 5)
        judge.finish(.over)
        judge.take([started], lost: 1)
        #expect(run.counts.judged == 3 && run.counts.untold == 0)
        #expect(run.lost.queue == 1 + 10 && run.lost.worker == 5)
        #expect(run.report().state == "over")
    }

    @Test func `what comes fast is judged or counted, and nothing is lost between`() throws {
        let readers = ShadowJudge.Readers(candidate: try reader(documents(port: 443)), inForce: try reader(documents()))
        let run = run()
        let judge = ShadowJudge(run, since: 0, readers, capacity: 1000, latest: { 0 }, wall: { 0 })
        let batch = try (0..<500).map { number in try event(at: Self.before) { $0.sourcePort = UInt16(number) } }
        for _ in 0..<20 { judge.take(batch, lost: 0) }
        judge.finish(.ended("enough"))
        #expect(
            run.counts.judged + run.lost.queue == 10_000 && run.counts.closes == run.counts.judged && run.report().rowCount == 1)
    }

    @Test func `while generations change, an allowed datagram is not held against another generation's word`() throws {
        let readers = ShadowJudge.Readers(
            candidate: try reader(documents(port: 443)),
            inForce: try reader(documents().replacingOccurrences(of: "tcp/", with: "udp/"), generation: 7))
        for (generation, isJudged) in [(UInt32(7), true), (6, false)] {
            let event = try event(at: Self.before) { ($0.protocolNumber, $0.generation) = (17, generation) }
            if case .judged = ShadowJudge.outcome(of: event, readers, floor: 0) {
                #expect(isJudged)
            } else {
                #expect(!isJudged)
            }
        }
    }
}
