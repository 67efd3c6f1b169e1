// SPDX-License-Identifier: Apache-2.0
import Classifier
import Net
import Record
import TestSupport
import Testing

@Suite("Flows under a new policy") struct NewPolicyTests {
    let bench: PairBench
    let connection = Connection()
    let clientClass = SmallPolicy.ownClass(clients)
    let webClass = SmallPolicy.ownClass(webs)

    init() throws {
        bench = try PairBench()
        try bench.establish(connection)
        _ = bench.worker.takeEvents()
    }

    /// Sends a frame of the flow in each direction.
    func expectGoesOn() throws {
        try bench.expectForwarded(connection.request)
        try bench.expectForwarded(connection.answer, port: 1)
    }

    @Test(arguments: [0, 1]) func `a flow that the new generation denies ends with its next frame, whichever way it goes`(
        port: Int
    ) throws {
        try bench.publish(
            .town(generation: 2) { $0.ingress(of: webClass, from: clientClass, ServiceKey.tcp(443), SmallPolicy.denied) })
        try bench.expectDropped(port == 0 ? connection.request : connection.answer, .denied, port: port)
        let events = bench.worker.takeEvents()
        try #require(events.count == 1)
        #expect(events[0].event == FlowRecord.Event.end.rawValue)
        #expect(events[0].source == client && events[0].destination == web && events[0].destinationPort == 443)
        #expect(events[0].decision == Decision.deny.rawValue && events[0].reason == DropReason.denied.rawValue)
        #expect(events[0].ingressRecord == SmallPolicy.denied)
        // The numbers of records and classes are the new generation's, and mean something else in the old one's cause table.
        #expect(events[0].generation == 2)
        #expect(events[0].forwardFrames == 2 && events[0].reverseFrames == 1)
        #expect(bench.worker.counters.flows == 0)
        try bench.expectDropped(connection.request, .notOpening)
        #expect(bench.fault == nil)
    }

    @Test func `a flow that the new generation allows goes on and says so once`() throws {
        try bench.publish(.town(generation: 2))
        try expectGoesOn()
        try expectGoesOn()
        let events = bench.worker.takeEvents()
        try #require(events.count == 1)
        #expect(events[0].event == FlowRecord.Event.change.rawValue)
        #expect(events[0].generation == 2 && events[0].ingressRecord == SmallPolicy.allowed)
        #expect(events[0].sourceWorkload == clientWorkload && events[0].destinationWorkload == webWorkload)
        #expect(bench.worker.counters.flows == 1)
    }

    @Test func `a flow that is allowed for another cause says so`() throws {
        var other: UInt32 = 0
        try bench.publish(
            .town(generation: 2) {
                other = $0.add(SideRecord())
                $0.ingress(of: webClass, from: clientClass, ServiceKey.tcp(443), other)
            })
        try expectGoesOn()
        let events = bench.worker.takeEvents()
        #expect(events.map(\.event) == [FlowRecord.Event.change.rawValue])
        #expect(events.first?.ingressRecord == other)
    }

    @Test func `a new epoch that changes no class of the flow is noted and nothing else`() throws {
        try bench.addresses.writer.claim("10.0.0.77", labelSet: webs, workload: 90)
        let epoch = bench.addresses.map.epoch
        #expect(bench.worker.epochOfFirstFlow != epoch)
        try expectGoesOn()
        #expect(bench.worker.epochOfFirstFlow == epoch)
        // Another workload with the same labels takes the address over: the class is the same.
        bench.addresses.writer.release(web, workload: webWorkload)
        try bench.addresses.writer.claim(web, labelSet: webs, workload: 91)
        try expectGoesOn()
        #expect(bench.worker.takeEvents().isEmpty)
        #expect(bench.worker.counters.flows == 1)
    }

    @Test(arguments: [0, 1]) func `a new epoch in which an end belongs to another class judges again`(port: Int) throws {
        try bench.addresses.writer.claim(web, labelSet: databases, workload: webWorkload)
        try bench.expectDropped(port == 0 ? connection.request : connection.answer, .denied, port: port)
        let events = bench.worker.takeEvents()
        #expect(events.map(\.event) == [FlowRecord.Event.end.rawValue])
        #expect(events.first?.destinationClass == SmallPolicy.ownClass(databases))
        #expect(events.first?.epoch == bench.addresses.map.epoch && events.first?.generation == 1)
        #expect(bench.worker.counters.flows == 0)
    }

    @Test func `a flow of a workload to itself is judged again when one of its addresses moves to its like`() throws {
        let bench = try PairBench()
        try bench.addresses.writer.claim("10.0.9.9", labelSet: databases, workload: databaseWorkload)
        let connection = Connection(from: "10.0.9.9", to: db, port: 1)
        try bench.expectForwarded(connection.syn)
        // The class stays: only who it is has changed, and nothing allows one database to reach another.
        bench.addresses.writer.release("10.0.9.9", workload: databaseWorkload)
        try bench.addresses.writer.claim("10.0.9.9", labelSet: databases, workload: 93)
        try bench.expectDropped(connection.syn, .denied)
    }

    @Test func `an end that becomes contested ends the flow`() throws {
        try bench.addresses.writer.claim(client, labelSet: clients, workload: 99)
        try bench.expectDropped(connection.answer, .contested, port: 1)
        #expect(bench.worker.takeEvents().map(\.reason) == [DropReason.contested.rawValue])
    }

    @Test func `a class that may do the same lets the flow go on, and is remembered`() throws {
        try bench.publish(.town { $0.ingress(of: webClass, from: SmallPolicy.ownClass(guests), ServiceKey.tcp(443)) })
        try bench.addresses.writer.claim(client, labelSet: guests, workload: clientWorkload)
        try expectGoesOn()
        // The same record decides, in the same generation: there is nothing to report.
        #expect(bench.worker.takeEvents().isEmpty)
        try bench.addresses.writer.claim("10.0.0.77", labelSet: webs, workload: 90)
        try expectGoesOn()
        try bench.addresses.writer.claim(client, labelSet: databases, workload: clientWorkload)
        try bench.expectDropped(connection.request, .denied)
    }

    @Test func `a refused connection is asked anew each time`() throws {
        try bench.expectDropped(Connection(to: db).syn, .denied)
        try bench.publish(.town(generation: 2) { $0.ingress(of: SmallPolicy.ownClass(databases), from: clientClass) })
        try bench.expectForwarded(Connection(to: db).syn)
    }
}

@Suite("Verdicts that hold for a time") struct ValidityTests {
    /// A bench whose web server lets the client in to TCP 8443 until ten seconds from now, and what `successor` says from then on.
    static func bench(successor: (inout SmallPolicy) -> UInt32) throws -> (bench: PairBench, first: UInt32) {
        let clock = ManualClock()
        var first: UInt32 = 0
        let policy = SmallPolicy.town { policy in
            var passing = SideRecord()
            passing.validUntil = clock.wall + 10
            // A successor's number is greater than its own.
            first = policy.add(passing)
            policy.records[Int(first)].successor = successor(&policy)
            policy.ingress(of: SmallPolicy.ownClass(webs), from: SmallPolicy.ownClass(clients), ServiceKey.tcp(8443), first)
        }
        return (try PairBench(PairShape(), policy), first)
    }

    static func denial() -> SideRecord {
        var denial = SideRecord()
        denial.decision = Decision.deny.rawValue
        return denial
    }

    @Test func `a live flow ends in the second in which a denial takes over`() throws {
        let (bench, first) = try Self.bench { $0.add(Self.denial()) }
        let connection = Connection(port: 8443)
        try bench.establish(connection)
        #expect(bench.worker.takeEvents().map(\.ingressRecord) == [first])
        bench.clock.pass(seconds: 9)
        try bench.expectForwarded(connection.request)
        try bench.expectForwarded(connection.answer, port: 1)
        bench.clock.pass(seconds: 1)
        try bench.expectDropped(connection.answer, .denied, port: 1)
        #expect(bench.worker.takeEvents().map(\.ingressRecord) == [first + 1])
        try bench.expectDropped(connection.syn, .denied)
        #expect(bench.fault == nil)
    }

    @Test func `a live flow goes on where an allowance takes over, and says so once`() throws {
        let (bench, first) = try Self.bench { $0.add(SideRecord()) }
        let connection = Connection(port: 8443)
        try bench.establish(connection)
        _ = bench.worker.takeEvents()
        bench.clock.pass(seconds: 10)
        try bench.expectForwarded(connection.request)
        bench.clock.pass(seconds: 1000)
        try bench.expectForwarded(connection.answer, port: 1)
        let events = bench.worker.takeEvents()
        #expect(events.map(\.event) == [FlowRecord.Event.change.rawValue])
        #expect(events.first?.ingressRecord == first + 1)
    }

    @Test func `a chain of successors is followed to the one whose time it is`() throws {
        let clock = ManualClock()
        let (bench, first) = try Self.bench { policy in
            var second = SideRecord()
            second.validUntil = clock.wall + 20
            let number = policy.add(second)
            policy.records[Int(number)].successor = policy.add(Self.denial())
            return number
        }
        let connection = Connection(port: 8443)
        try bench.establish(connection)
        bench.clock.pass(seconds: 12)
        try bench.expectForwarded(Connection(source: 41000, port: 8443).syn)
        // The flow that sends nothing is judged again too.
        #expect(bench.worker.takeEvents().map(\.ingressRecord) == [first, first + 1, first + 1])
        bench.clock.pass(seconds: 13)
        try bench.expectDropped(connection.request, .denied)
        #expect(bench.worker.takeEvents().map(\.ingressRecord) == [first + 2, first + 2])
    }
}
