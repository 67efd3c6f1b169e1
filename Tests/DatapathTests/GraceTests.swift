// SPDX-License-Identifier: Apache-2.0
import Classifier
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
        bench.worker.lane.oweGrace(from: bench.now.nanoseconds)
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

    /// Data far behind what the table has seen, and its acknowledgement.
    private func later(_ sequence: UInt32) -> (data: Packet, acknowledgement: Packet) {
        let data =
            Ethernet() / IPv4(from: client, to: web)
            / TCP(from: 40000, to: 443, [.ack, .psh], sequence: sequence, acknowledgement: 901)
            / Payload("more")
        let acknowledgement =
            Ethernet() / IPv4(from: web, to: client)
            / TCP(from: 443, to: 40000, [.ack], sequence: 901, acknowledgement: sequence + 4)
        return (data, acknowledgement)
    }

    @Test func `a known connection that has gone on while frames passed unjudged goes on from where it is`() throws {
        for isDataFirst in [true, false] {
            let bench = try PairBench()
            try bench.establish()
            bench.clock.pass(seconds: 1)
            let later = later(500_000_000)
            try bench.expectDropped(later.data, .outOfWindow)
            bench.worker.lane.oweGrace(from: bench.now.nanoseconds)
            if isDataFirst { try bench.expectForwarded(later.data) }
            try bench.expectForwarded(later.acknowledgement, port: 1)
            try bench.expectForwarded(later.data)
            // It is followed again, and held to its windows.
            try bench.expectDropped(self.later(2_500_000_000).data, .outOfWindow)
            #expect(bench.fault == nil)
        }
    }

    @Test func `in the grace a forged segment costs a quiet connection nothing, neither its entry nor its numbers`() throws {
        for isDataFirst in [true, false] {
            let bench = try PairBench()
            try bench.establish()
            _ = bench.worker.takeEvents()
            bench.clock.pass(seconds: 1)
            bench.worker.lane.oweGrace(from: bench.now.nanoseconds)
            try bench.expectForwarded(later(2_500_000_000).data)
            // A reset at the forged number ends nothing as long as nobody else has said anything.
            let reset = Ethernet() / IPv4(from: client, to: web) / TCP(from: 40000, to: 443, [.rst], sequence: 2_500_000_004)
            try bench.expectForwarded(reset)
            let finish =
                Ethernet() / IPv4(from: client, to: web)
                / TCP(from: 40000, to: 443, [.fin, .ack], sequence: 2_500_000_004, acknowledgement: 901)
            try bench.expectForwarded(finish)
            #expect(bench.worker.firstFlow.state == .established, "nor does its FIN")
            let (request, answer) = (Connection().request, Connection().answer)
            if isDataFirst { try bench.expectForwarded(request) }
            try bench.expectForwarded(answer, port: 1)
            try bench.expectForwarded(request)
            // Both have agreed: from here on numbers count.
            try bench.expectDropped(later(2_500_000_000).data, .outOfWindow)
            try bench.expectDropped(reset, .outOfWindow)
            try bench.expectForwarded(answer, port: 1)
            #expect(bench.worker.takeEvents().isEmpty && bench.worker.counters.flows == 1)
            #expect(bench.worker.lane.flows.pickedUp == 1 && bench.fault == nil)
        }
    }

    @Test func `in the grace a flow that is over keeps its place, where policy lets nothing be picked up in it`() throws {
        let town = ChangingTown(change: .keep)
        let (bench, connection) = (try town.bench(), Connection(port: 8443))
        try bench.establish(connection)
        try bench.expectForwarded(connection.request)
        try bench.expectForwarded(connection.reset)
        bench.clock.pass(seconds: 1)
        var refusing = town.refusing(generation: 2)
        refusing.ingress(of: town.client, from: SmallPolicy.anyone, 0...0, SmallPolicy.denied)
        try bench.publish(refusing)
        bench.worker.lane.oweGrace(from: bench.now.nanoseconds)
        let other =
            Ethernet() / IPv4() / TCP(from: 40000, to: 8443, [.ack, .psh], sequence: 2_500_000_000, acknowledgement: 901)
            / Payload("more")
        try bench.expectDropped(other, .outOfWindow)
        #expect(bench.worker.firstFlow.state == .closed)
        #expect(!bench.worker.takeEvents().contains { $0.event == FlowRecord.Event.end.rawValue })
        try bench.publish(town.allowing(generation: 3))
        try bench.expectForwarded(other)
        #expect(bench.worker.firstFlow.state == .established && bench.worker.lane.flows.pickedUp == 1)
        #expect(bench.fault == nil)
    }

    @Test func `a connection that was followed all the time is held to its windows in the grace too`() throws {
        let bench = try PairBench()
        try bench.establish()
        bench.worker.lane.oweGrace(from: bench.now.nanoseconds)
        bench.clock.pass(seconds: 1)
        try bench.expectForwarded(Connection().request)
        try bench.expectDropped(later(500_000_000).data, .outOfWindow)
    }

    @Test func `a reset is no sign that a connection has gone on, and neither is anything behind the grace`() throws {
        let bench = try PairBench()
        try bench.establish()
        bench.clock.pass(seconds: 1)
        bench.worker.lane.oweGrace(from: bench.now.nanoseconds)
        // A reset and a SYN pick up nothing.
        let reset = Ethernet() / IPv4(from: client, to: web) / TCP(from: 40000, to: 443, [.rst], sequence: 500_000_000)
        try bench.expectDropped(reset, .outOfWindow)
        bench.clock.pass(seconds: 31)
        try bench.expectDropped(later(500_000_000).data, .outOfWindow)
    }
}
