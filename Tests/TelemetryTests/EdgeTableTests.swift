// SPDX-License-Identifier: Apache-2.0
import Net
import Record
@testable import Telemetry
import Testing

/// An event of the sample's flow, so many seconds after 1970.
private func at(_ seconds: UInt64, _ kind: FlowRecord.Event, _ change: (inout FlowRecord) -> Void = { _ in }) -> FlowEvent {
    event { record in
        (record.event, record.time, record.ingressRecord) = (kind.rawValue, seconds * 1_000_000_000, 2)
        change(&record)
    }
}

@Suite struct EdgeTables {
    @Test func `connections between the same ends on the same service are one edge`() throws {
        var table = EdgeTable()
        for port in 0..<10 { table.add(at(UInt64(port), .start) { $0.sourcePort = UInt16(50_000 + port) }) }
        let edge = try #require(table.all.first)
        #expect(table.count == 1)
        #expect(edge.connections == 10)
        #expect(edge.key.source == .workload("shop/web-1"))
        #expect(edge.key.destination == .workload("shop/db-1"))
        #expect(edge.key.service == ServiceKey(.tcp, port: 5432))
        #expect((edge.first.nanoseconds, edge.last.nanoseconds) == (0, 9_000_000_000))
    }

    @Test func `a flow's frames count once, whether told at intervals or at its end`() throws {
        var table = EdgeTable()
        table.add(at(0, .start))
        for (seconds, frames, kind) in [(60, 100, FlowRecord.Event.update), (120, 250, .update), (130, 300, .end)] {
            table.add(at(UInt64(seconds), kind) { ($0.forwardFrames, $0.forwardBytes) = (UInt64(frames), UInt64(frames) * 60) })
        }
        // The same ports again: a new flow that counts from nothing.
        table.add(at(140, .end) { ($0.reverseFrames, $0.reverseBytes) = (7, 700) })
        let edge = try #require(table.all.first)
        #expect(edge.connections == 1)
        #expect(edge.frames == 307)
        #expect(edge.bytes == 300 * 60 + 700)
    }

    @Test func `after a restart a flow that lived before goes on from its first count, and a new one counts whole`() throws {
        var before = EdgeTable()
        before.add(at(0, .start))
        before.add(at(60, .update) { $0.forwardFrames = 100 })
        let kept = try #require(before.all.first)
        var table = EdgeTable()
        var old = at(120, .update) { $0.forwardFrames = 150 }
        old.firstSeen = Timestamp(nanoseconds: 0)
        table.restore(kept, at: Timestamp(nanoseconds: 100_000_000_000))
        table.add(old)
        #expect(table.all.first?.frames == 100)
        old.record.forwardFrames = 170
        table.add(old)
        #expect(table.all.first?.frames == 120)
        var new = at(130, .end) { ($0.sourcePort, $0.forwardFrames) = (50_001, 7) }
        new.firstSeen = Timestamp(nanoseconds: 110_000_000_000)
        table.add(new)
        #expect(table.all.first?.frames == 127)
    }

    @Test func `of more live flows than are remembered each frame counts once, at their end`() throws {
        var table = EdgeTable(capacity: 1)
        for (seconds, frames, kind) in [(60, 100, FlowRecord.Event.update), (120, 250, .update), (130, 300, .end)] {
            for port: UInt16 in [50_000, 50_001] {
                table.add(at(UInt64(seconds), kind) { ($0.sourcePort, $0.forwardFrames) = (port, UInt64(frames)) })
            }
        }
        #expect(table.all.first?.frames == 600)
    }

    @Test func `what was refused is an edge of its own, with those told only as a number`() {
        var table = EdgeTable()
        table.add(at(0, .start))
        table.add(at(1, .refused) { ($0.decision, $0.suppressed) = (Decision.deny.rawValue, 41) })
        #expect(table.count == 2)
        #expect(table.all.first { $0.key.decision == .deny }?.connections == 42)
    }

    @Test func `the hours of the week are those of UTC, from Monday`() throws {
        var table = EdgeTable()
        // Thursday 1970-01-01T00, Sunday 1970-01-04T23, Monday 1970-01-05T00, and the Thursday after.
        for hour: UInt64 in [0, 95, 96, 168] { table.add(at(hour * 3600, .start)) }
        let edge = try #require(table.all.first)
        #expect(edge.hours[0] == 1)
        #expect(edge.hours[1] == 1 << (72 - 64))
        #expect(edge.hours[2] == 1 << (167 - 128))
        #expect(edge.hourCount == 3)
    }

    @Test func `a scan leaves room for the edges of workloads, and what finds none is counted`() {
        var table = EdgeTable(capacity: 100)
        for number in 0..<10_000 {
            table.add(
                at(0, .refused) { record in
                    record.source = Address(high: 0, low: 0xffff_0a00_0000 + UInt64(number))
                    record.sourceWorkload = FlowRecord.none32
                    record.decision = Decision.deny.rawValue
                })
        }
        #expect(table.count == 51)
        table.add(at(0, .start))
        #expect(table.all.contains { $0.key.source == .workload("shop/web-1") })
        #expect(table.all.contains { $0.key.source == .outside(zone: "default") && $0.connections == 10_000 - 50 })
        for port in 0..<100 { table.add(at(0, .start) { $0.destinationPort = UInt16(port) }) }
        #expect(table.count == 100)
        #expect(table.left == 52)
        #expect(table.all.reduce(table.left) { $0 + $1.connections } == 10_101)
    }
}
