// SPDX-License-Identifier: Apache-2.0
import Classifier
import Net
import Record
import TestSupport
import Testing

@Suite("Events of flows") struct EventsTests {
    @Test func `a start says who opened what, and why it may`() throws {
        var shape = PairShape()
        shape.pair = 5
        let bench = try PairBench(shape)
        try bench.expectForwarded(Connection().syn, port: 1)
        let events = bench.worker.takeEvents()
        try #require(events.count == 1)
        let record = events[0]
        #expect(record.event == FlowRecord.Event.start.rawValue)
        #expect(record.source == client && record.destination == web)
        #expect(record.sourcePort == 40000 && record.destinationPort == 443)
        #expect(record.egressRecord == FlowRecord.none32 && record.ingressRecord == SmallPolicy.allowed)
        #expect(record.sourceClass == SmallPolicy.ownClass(clients) && record.destinationClass == SmallPolicy.ownClass(webs))
        #expect(record.sourceWorkload == clientWorkload && record.destinationWorkload == webWorkload)
        #expect(record.decision == Decision.allow.rawValue && record.reason == FlowRecord.none8)
        #expect(record.auditDecision == FlowRecord.none8)
        #expect(record.generation == 1 && record.epoch == bench.addresses.map.epoch)
        #expect(record.forwardFrames == 1 && record.forwardBytes == UInt64(Connection().syn.bytes.count))
        #expect(record.reverseFrames == 0)
        #expect(record.pair == 5 && record.port == 1 && record.queue == 0)
        #expect(record.time == bench.clock.nanoseconds)
        #expect(bench.clock.nanoseconds - record.firstSeen < 1 << 20)
    }

    @Test func `what audit would have said goes with the start of a flow that may pass`() throws {
        let bench = try PairBench(
            PairShape(),
            .town {
                var audited = SideRecord()
                audited.audit = Decision.deny.rawValue
                let record = $0.add(audited)
                $0.ingress(of: SmallPolicy.ownClass(webs), from: SmallPolicy.ownClass(clients), ServiceKey.tcp(8443), record)
            })
        try bench.expectForwarded(Connection(port: 8443).syn)
        #expect(bench.worker.takeEvents().map(\.auditDecision) == [Decision.deny.rawValue])
    }

    @Test func `an end counts both directions, seen from who opened the flow`() throws {
        // The web server's address is the larger one, so that here the initiator is the key's low end, and there its high end.
        for connection in [Connection(), Connection(from: "10.0.0.9", to: web)] {
            let bench = try PairBench()
            try bench.addresses.writer.claim("10.0.0.9", labelSet: clients, workload: 99)
            try bench.establish(connection)
            bench.clock.pass(seconds: 2)
            try bench.expectForwarded(connection.request)
            try bench.expectForwarded(connection.answer, port: 1)
            try bench.expectForwarded(connection.answer, port: 1)
            try bench.expectForwarded(connection.reset)
            _ = bench.worker.takeEvents()
            for _ in 0..<5 {
                bench.clock.pass(seconds: 5)
                bench.turn()
            }
            let record = try #require(bench.worker.takeEvents().first)
            #expect(record.event == FlowRecord.Event.end.rawValue)
            #expect(record.source == connection.from && record.destination == web)
            #expect(record.forwardFrames == 4 && record.reverseFrames == 3)
            let (there, back) = ([connection.syn, connection.ack, connection.request, connection.reset], [connection.synAck])
            #expect(record.forwardBytes == UInt64(there.reduce(0) { $0 + $1.bytes.count }))
            #expect(record.reverseBytes == UInt64(back[0].bytes.count + 2 * connection.answer.bytes.count))
            #expect(record.forwardFlags == TCPFlags([.syn, .ack, .psh, .rst]).rawValue)
            #expect(record.reverseFlags == TCPFlags([.syn, .ack, .psh]).rawValue)
            #expect((11_900...12_100).contains((record.time - record.firstSeen) / 1_000_000))
            #expect(bench.fault == nil)
        }
    }

    @Test func `a full event ring loses events and no frame`() throws {
        var shape = PairShape()
        shape.events = 8
        let bench = try PairBench(shape)
        for number in 0..<20 as Range<UInt16> { try bench.expectForwarded(Connection(source: 1000 + number).syn) }
        #expect(bench.worker.counters.lostEvents == 12)
        #expect(bench.worker.takeEvents().map(\.sourcePort) == (1000..<1008).map { UInt16($0) })
        try bench.expectForwarded(Connection(source: 3000).syn)
        #expect(bench.worker.takeEvents().map(\.sourcePort) == [3000])
        #expect(bench.worker.counters.lostEvents == 12)
        #expect(bench.fault == nil)
    }
}
