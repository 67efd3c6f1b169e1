// SPDX-License-Identifier: Apache-2.0
import Flow
import Net
import Record
import TestSupport
import Testing

@testable import Datapath

@Suite("The grace after a restart") struct GraceTests {
    private func policy(_ generation: UInt32, _ change: (inout FlowSettings) -> Void = { _ in }) -> SmallPolicy {
        .town(generation: generation) { change(&$0.flows) }
    }

    /// A worker's bench whose tables were lost just now.
    private func restarted(_ change: (inout FlowSettings) -> Void = { _ in }) throws -> PairBench {
        let bench = try PairBench(PairShape(), policy(1, change))
        bench.worker.lane.graceFrom = bench.now.nanoseconds
        try bench.publish(policy(2, change))
        bench.turnAll()
        return bench
    }

    @Test func `a worker that was told of nothing lost grants none`() throws {
        let bench = try PairBench()
        #expect(bench.worker.lane.flows.graceUntil == 0 && bench.worker.counters.graceUntil == 0)
        try bench.expectDropped(Connection().request, .notOpening)
    }

    @Test func `the grace lasts as long as the policy in force says, and both tables and the counters show it`() throws {
        let bench = try restarted { $0.graceSeconds = 40 }
        let until = bench.now.nanoseconds + 40_000_000_000
        #expect(bench.worker.lane.flows.v4.graceUntil == until && bench.worker.lane.flows.v6.graceUntil == until)
        #expect(bench.worker.counters.graceUntil == until)
        try bench.publish(policy(3) { $0.graceSeconds = 0 })
        bench.turnAll()
        #expect(bench.worker.lane.flows.graceUntil == until - 40_000_000_000)
    }

    @Test func `whose configuration never picks up grants none`() throws {
        let bench = try restarted { $0.pickUp = FlowSettings.PickUp.never.rawValue }
        #expect(bench.worker.lane.flows.graceUntil == 0)
        try bench.expectDropped(Connection().request, .notOpening)
    }

    @Test func `in the grace a connection under way goes on where policy allows it, and nowhere else`() throws {
        let bench = try restarted()
        try bench.expectForwarded(Connection().request)
        try bench.expectForwarded(Connection().answer, port: 1)
        try bench.expectDropped(Connection(port: 444).request, .denied)
        try bench.expectDropped(Connection(to: db).request, .denied)
        bench.clock.pass(seconds: 31)
        try bench.expectForwarded(Connection().request)
        try bench.expectDropped(Connection(source: 40001).request, .notOpening)
        #expect(bench.fault == nil)
    }
}
