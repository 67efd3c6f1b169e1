// SPDX-License-Identifier: Apache-2.0
import Classifier
import Flow
import Net
import Record
import TestSupport
import Testing

@Suite("Unicast replies to frames to a group") struct GroupReplyTests {
    let group: Address = "224.0.0.251"
    let nobody = SmallPolicy.nobody
    let clientClass = SmallPolicy.ownClass(clients)

    /// A town whose clients may ask a group on UDP 5353 and be answered for three seconds, and whose client lets nobody in.
    private func town(generation: UInt32 = 1, _ change: (inout SmallPolicy) -> Void = { _ in }) -> SmallPolicy {
        .town(generation: generation) {
            var record = SideRecord()
            record.replySeconds = 3
            let asking = $0.add(record)
            $0.egress(of: clientClass, to: nobody, ServiceKey.udp(5353), asking)
            $0.egress(of: clientClass, to: nobody, ServiceKey.udp(1900))
            $0.egress(of: clientClass, to: SmallPolicy.anyone, 0...0, SmallPolicy.denied)
            $0.ingress(of: clientClass, from: SmallPolicy.anyone, 0...0, SmallPolicy.denied)
            $0.ingress(of: clientClass, from: nobody, 0...0, SmallPolicy.denied)
            change(&$0)
        }
    }

    private func question(from port: UInt16 = 40001, service: UInt16 = 5353) -> Packet {
        Ethernet(to: "01:00:5e:00:00:fb") / IPv4(from: client, to: group) / UDP(from: port, to: service) / Payload(count: 20)
    }

    private func reply(from sender: Address = "10.0.0.200", service: UInt16 = 5353, to port: UInt16 = 40001) -> Packet {
        Ethernet() / IPv4(from: sender, to: client) / UDP(from: service, to: port) / Payload(count: 40)
    }

    @Test func `who asked a group is answered by anybody, as if it had asked by name`() throws {
        let bench = try PairBench(PairShape(), town())
        try bench.expectDropped(reply(), .denied, port: 1)
        try bench.expectForwarded(question())
        _ = bench.worker.takeEvents()
        // The refusal of a moment ago is not held against the answer.
        try bench.expectForwarded(reply(), port: 1)
        try bench.expectForwarded(reply(from: otherStranger, service: 1234), port: 1)
        let events = bench.worker.takeEvents()
        #expect(events.map(\.event) == [FlowRecord.Event.start, .start].map(\.rawValue))
        #expect(events[0].source == client && events[0].sourcePort == 40001)
        #expect(events[0].destination == stranger && events[0].destinationPort == 5353)
        #expect(events[0].forwardFrames == 0 && events[0].reverseFrames == 1)
        #expect(events[0].egressRecord == 6 && events[0].ingressRecord == FlowRecord.none32)
        #expect(bench.worker.firstFlow.marks.contains(.expectsReplies))
        #expect(bench.worker.counters.expectedReplies == 2 && bench.worker.counters.flows == 2)
        // The flow goes both ways, and is nobody else's.
        try bench.expectForwarded(
            Ethernet() / IPv4(from: client, to: stranger) / UDP(from: 40001, to: 5353) / Payload(count: 20))
        try bench.expectDropped(reply(), .spoofed, port: 0)
        #expect(bench.fault == nil)
    }

    @Test func `no other address, port, side or protocol is answered, and no rule without the word`() throws {
        let bench = try PairBench(PairShape(), town())
        try bench.expectForwarded(question())
        try bench.expectForwarded(question(from: 40002, service: 1900))
        try bench.expectDropped(reply(to: 40002), .denied, port: 1)
        try bench.expectDropped(reply(to: 40003), .denied, port: 1)
        try bench.expectDropped(reply(), .denied, port: 0)
        try bench.expectDropped(
            Ethernet() / VLAN(7) / IPv4(from: stranger, to: client) / UDP(from: 1, to: 40001), .denied, port: 1)
        try bench.expectDropped(Ethernet() / IPv4(from: stranger, to: client) / TCP(from: 1, to: 40001, [.syn]), .denied, port: 1)
        try bench.expectDropped(reply(from: contested), .contested, port: 1)
        #expect(bench.worker.counters.expectedReplies == 0 && bench.fault == nil)
    }

    @Test func `it holds for its seconds, for the flow of an answer too`() throws {
        let bench = try PairBench(PairShape(), town())
        try bench.expectForwarded(question())
        bench.clock.pass(seconds: 2)
        try bench.expectForwarded(reply(service: 1234), port: 1)
        try bench.expectForwarded(reply(), port: 1)
        bench.clock.pass(seconds: 1)
        // The client may speak to anybody's port 5353, but not to his port 1234.
        try bench.expectDropped(reply(service: 1234), .denied, port: 1)
        try bench.expectForwarded(reply(), port: 1)
        try bench.expectDropped(reply(from: otherStranger), .denied, port: 1)
        bench.turn()
        #expect(bench.worker.counters.flows == 1)
        try bench.expectForwarded(question())
        try bench.expectForwarded(reply(from: otherStranger), port: 1)
    }

    @Test func `it has its length, whatever becomes of the wall clock, and no more than its rule`() throws {
        let bench = try PairBench(PairShape(), town())
        try bench.expectForwarded(question())
        try bench.expectForwarded(reply(service: 1234), port: 1)
        bench.clock.wall += 100_000
        try bench.expectForwarded(reply(service: 1234), port: 1)
        bench.clock.nanoseconds += 3_000_000_000
        try bench.expectDropped(reply(service: 1234), .denied, port: 1)

        let until = bench.clock.wall + 2
        try bench.publish(
            town(generation: 2) {
                $0.records[6].validUntil = until
                var denial = SideRecord()
                denial.decision = Decision.deny.rawValue
                $0.records[6].successor = $0.add(denial)
            })
        try bench.expectForwarded(question())
        try bench.expectForwarded(reply(service: 1234), port: 1)
        bench.clock.wall = until
        try bench.expectDropped(reply(service: 1234), .denied, port: 1)
    }

    @Test func `a new generation ends what was expected`() throws {
        let bench = try PairBench(PairShape(), town())
        try bench.expectForwarded(question())
        try bench.expectForwarded(reply(service: 1234), port: 1)
        try bench.publish(town(generation: 2))
        try bench.expectDropped(reply(service: 1234), .denied, port: 1)
        try bench.expectDropped(reply(from: otherStranger), .denied, port: 1)
        #expect(bench.worker.counters.flows == 0)
    }

    @Test func `an answer that policy allows by itself is an ordinary flow`() throws {
        let bench = try PairBench(
            PairShape(), town { $0.ingress(of: clientClass, from: nobody, ServiceKey.udp(40001)) })
        try bench.expectForwarded(question())
        try bench.expectForwarded(reply(), port: 1)
        #expect(bench.worker.counters.expectedReplies == 0)
        #expect(bench.worker.takeEvents().last?.source == stranger)
        bench.clock.pass(seconds: 20)
        try bench.expectForwarded(reply(), port: 1)
    }

    @Test func `who has other labels by now is not answered as who asked`() throws {
        let bench = try PairBench(PairShape(), town())
        try bench.expectForwarded(question())
        try bench.addresses.writer.claim(client, labelSet: guests, workload: clientWorkload)
        try bench.expectDropped(reply(), .unjudged, port: 1)
        #expect(bench.worker.counters.expectedReplies == 0)
    }

    @Test func `who answers from a zone that is not its own answers nobody`() throws {
        let bench = try PairBench(
            PairShape(),
            town { policy in
                policy.zones = SmallPolicy.zoned().zones
                policy.zoneFacts = [[], [], []]
            })
        try bench.enter("10.0.0.77", in: lan, as: guests)
        try bench.expectForwarded(question())
        try bench.expectDropped(reply(from: "10.0.0.77"), .spoofed, port: 1)
    }

    @Test(arguments: [2, 3]) func `whichever worker the answer comes to knows of the question`(workers: Int) throws {
        var shape = PairShape()
        shape.workers = workers
        let bench = try PairBench(shape, town())
        try bench.receive([question()])
        for _ in 0..<3 { bench.turnAll() }
        for number in 0..<40 as Range<UInt32> {
            try bench.receive([reply(from: Address(v4: 0xc000_0200 | number))], port: 1, worker: Int(number) % workers)
            for _ in 0..<3 { bench.turnAll() }
        }
        #expect(bench.workers.map(\.counters.expectedReplies).reduce(0, +) == 40)
        #expect(bench.workers.allSatisfy { $0.counters.expectedReplies > 0 })
        #expect(bench.fault == nil)
    }

    @Test func `more than a worker has places for forget the one that would end first`() throws {
        let replies = ExpectedReplies(workers: 2)
        var forgotten = 0
        for number in 0..<1000 as Range<UInt32> {
            var reply = ExpectedReply()
            (reply.address, reply.port, reply.generation) = (Address(v4: number &* 0x9E37_79B1), 5353, 1)
            reply.until = UInt64(number) + 10_000
            if !replies.expect(reply, by: 1, now: 5) { forgotten += 1 }
            #expect(replies.find(reply, now: 5)?.until == reply.until)
            #expect(replies.find(reply, now: reply.until) == nil)
        }
        #expect((744...800).contains(forgotten))
        #expect(replies.isAnythingExpected(at: 10_998) && !replies.isAnythingExpected(at: 10_999))
    }
}
