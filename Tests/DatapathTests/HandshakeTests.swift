// SPDX-License-Identifier: Apache-2.0
import Classifier
import Datapath
import Flow
import Net
import Record
import TestSupport
import Testing

@Suite("Handshakes") struct HandshakeTests {
    /// nf_tables' _reverse_clash, and RFC 9293, figure 7: both send their SYN before they have the other's.
    @Test(arguments: [true, false]) func `two SYNs that cross are one flow, where policy lets both open`(isIPv4: Bool) throws {
        let talk = Talk(bench: try PairBench(PairShape(), .mutual()), isIPv4: isIPv4)
        try talk.pass(">", [.syn], 100, scale: 7)
        try talk.pass("<", [.syn], 900, scale: 7)
        try talk.pass("<", [.syn], 900, scale: 7)
        #expect(talk.state == .synReceived)
        try talk.pass(">", [.syn, .ack], 100, 901, scale: 7)
        #expect(talk.state == .synReceived)
        try talk.pass("<", [.syn, .ack], 900, 101, scale: 7)
        #expect(talk.state == .established)
        try talk.pass(">", [.ack], 101, 901, length: 1000)
        try talk.pass("<", [.ack], 901, 1101, length: 1000)
        #expect(talk.bench.worker.counters.flows == 1)
        #expect(talk.events == [.start])
        #expect(talk.initiator == .low, "the client is who sent the first SYN")
        #expect(talk.bench.fault == nil)
    }

    @Test(arguments: [true, false]) func `a SYN that crosses is denied where policy lets only the first one open`(isIPv4: Bool)
        throws
    {
        let talk = Talk(bench: try PairBench(PairShape(), closed()), isIPv4: isIPv4)
        try talk.pass(">", [.syn], 100)
        try talk.drop("<", [.syn], 900, as: .denied)
        try talk.pass("<", [.syn, .ack], 900, 101)
        try talk.pass(">", [.ack], 101, 901)
        talk.bench.clock.pass(milliseconds: 1000)
        try talk.drop("<", [.syn], 5000, as: .denied)
        try talk.pass(">", [.ack], 101, 901, length: 10)
        #expect(talk.events == [.start, .refused, .refused])
        #expect(talk.bench.worker.counters.flows == 1)
        #expect(talk.bench.fault == nil)
    }

    /// A town that lets nothing in to the client.
    private func closed(generation: UInt32 = 1) -> SmallPolicy {
        .town(generation: generation) {
            $0.ingress(of: SmallPolicy.ownClass(clients), from: SmallPolicy.anyone, 0...0, SmallPolicy.denied)
        }
    }

    /// tcp-split-handshake-01: the server answers with an ACK and a SYN of its own, as if it connected.
    @Test(arguments: [true, false]) func `a handshake split in four leaves the roles, and is policy's to allow`(isAllowed: Bool)
        throws
    {
        let talk = Talk(bench: try PairBench(PairShape(), isAllowed ? .mutual() : closed()))
        try talk.pass(">", [.syn], 100)
        try talk.pass("<", [.ack], 900, 101)
        guard isAllowed else { return try talk.drop("<", [.syn], 900, as: .denied) }
        try talk.pass("<", [.syn], 900)
        try talk.pass(">", [.syn, .ack], 100, 901)
        try talk.pass("<", [.ack], 901, 101)
        #expect(talk.state == .established)
        try talk.pass(">", [.ack, .psh], 101, 901, length: 10)
        #expect(talk.bench.worker.lane.flows.v4[0].initiator == .low)
        // A new generation asks about the same initiator as before.
        try talk.bench.publish(closed(generation: 2))
        try talk.pass("<", [.ack, .psh], 901, 111, length: 10)
        #expect(talk.bench.worker.takeEvents().allSatisfy { $0.source == client && $0.destination == web })
    }

    /// tcp-split-handshake-02: the server's SYN comes without an ACK before it.
    @Test func `a handshake split in five leaves the roles, too`() throws {
        let talk = Talk(bench: try PairBench(PairShape(), .mutual()))
        try talk.pass(">", [.syn], 100)
        try talk.pass("<", [.ack], 899, 101)
        try talk.pass("<", [.syn], 900)
        try talk.pass(">", [.ack], 101, 901)
        try talk.pass("<", [.syn, .ack], 900, 101)
        #expect(talk.state == .established)
        #expect(talk.bench.worker.lane.flows.v4[0].initiator == .low)
    }

    /// tcp-fastopen: data with the SYN, of which all, some or none is acknowledged, and data with the answer.
    @Test(arguments: [101, 301, 601] as [UInt32]) func `data with the SYN and with its answer passes`(acknowledged: UInt32) throws
    {
        let talk = Talk(bench: try PairBench())
        try talk.pass(">", [.syn], 100, scale: 7, length: 500)
        try talk.drop("<", [.syn, .ack], 900, 602)
        try talk.pass("<", [.syn, .ack], 900, acknowledged, scale: 7, length: 800)
        try talk.pass("<", [.ack], 1701, acknowledged, length: 800)
        try talk.pass(">", [.ack], acknowledged, 1701, length: 500)
        #expect(talk.state == .established)
        try talk.pass("<", [.ack], 2501, acknowledged + 500, length: 800)
        #expect(talk.bench.fault == nil)
    }

    @Test func `the answer to either of two SYNs counts, and only the one that is answered`() throws {
        for answered in [100, 70_000] as [UInt32] {
            let talk = Talk(bench: try PairBench())
            try talk.pass(">", [.syn], 100, scale: 7)
            try talk.pass(">", [.syn], 70_000, scale: 2)
            try talk.pass("<", [.syn, .ack], 900, answered + 1, scale: 0)
            try talk.drop("<", [.syn, .ack], 900, (answered == 100 ? 70_000 : 100) + 2, scale: 0)
            try talk.pass(">", [.ack], answered + 1, 901)
            #expect(talk.state == .established)
            let far = UInt32(65_535) << (answered == 100 ? 7 : 2)
            try talk.pass("<", [.ack], 901 + far - 100, answered + 1, length: 100)
            try talk.drop("<", [.ack], 901 + far, answered + 1, length: 100)
        }
    }

    /// RFC 4987, 3.6: a server that keeps nothing answers each SYN with another number.
    @Test func `the client may complete either of two answers`() throws {
        for number in [900, 1_000_000_000] as [UInt32] {
            let talk = Talk(bench: try PairBench())
            try talk.pass(">", [.syn], 100)
            try talk.pass("<", [.syn, .ack], 900, 101)
            try talk.pass(">", [.syn], 100)
            try talk.pass("<", [.syn, .ack], 1_000_000_000, 101)
            try talk.drop(">", [.ack], 101, number + 2)
            try talk.pass(">", [.ack], 101, number + 1)
            #expect(talk.state == .established)
            try talk.pass("<", [.ack], number + 1, 101, length: 100)
        }
    }

    @Test func `a refused connection may be tried again at once, and a stranger cannot refuse it`() throws {
        let talk = Talk(bench: try PairBench())
        try talk.pass(">", [.syn], 100)
        try talk.drop("<", [.rst], 0)
        try talk.drop("<", [.rst, .ack], 0, 102)
        try talk.pass("<", [.rst, .ack], 0, 101)
        #expect(talk.bench.worker.counters.flows == 0)
        try talk.pass(">", [.syn], 50)
        #expect(talk.events == [.start, .end, .start])
    }

    @Test func `behind a FIN handshake a higher SYN opens at once, an old one waits for its answer`() throws {
        let talk = Talk(bench: try PairBench())
        try talk.open()
        try talk.pass(">", [.fin, .ack], 1, 1)
        try talk.pass("<", [.fin, .ack], 1, 2)
        try talk.pass(">", [.ack], 2, 2)
        #expect(talk.state == .closed)
        #expect(talk.events == [.start])
        try talk.pass(">", [.syn], 1)
        #expect(talk.state == .closed && talk.events == [])
        try talk.pass("<", [.ack], 2, 2)
        try talk.pass(">", [.syn], 2)
        #expect(talk.state == .synSent && talk.events == [.end, .start])
        // The answer to an old one, where the host took it.
        try talk.pass("<", [.rst, .ack], 0, 3)
        try talk.pass(">", [.syn], 1_000_000)
        try talk.pass("<", [.syn, .ack], 5000, 1_000_001)
        try talk.pass(">", [.ack], 1_000_001, 5001)
        for (direction, sequence, acknowledgement) in [(">", 1_000_001, 5001), ("<", 5001, 1_000_002)]
            as [(Character, UInt32, UInt32)]
        {
            try talk.pass(direction, [.fin, .ack], sequence, acknowledgement)
        }
        try talk.pass(">", [.ack], 1_000_002, 5002)
        _ = talk.events
        try talk.pass(">", [.syn], 400_000)
        #expect(talk.state == .closed)
        try talk.pass("<", [.syn, .ack], 3_000_000_000, 400_001)
        #expect(talk.state == .synReceived && talk.events == [.end, .start])
        #expect(talk.bench.fault == nil)
    }

    @Test func `an answer whose new connection policy denies ends the flow`() throws {
        // The web server may open towards the client when the SYN comes, and no more when it is answered.
        let talk = Talk(bench: try PairBench(PairShape(), .mutual()))
        try talk.open()
        try talk.pass("<", [.syn], 7_000_000)
        try talk.bench.publish(closed(generation: 2))
        try talk.drop(">", [.syn, .ack], 8_000_000, 7_000_001, as: .denied)
        #expect(talk.bench.worker.counters.flows == 0)
        // The old connection has ended, and the new one never began.
        let events = talk.bench.worker.takeEvents()
        #expect(events.suffix(2).map(\.event) == [FlowRecord.Event.end, .refused].map(\.rawValue))
        #expect(events.count { $0.event == FlowRecord.Event.end.rawValue } == 1)
        let refused = try #require(events.last)
        #expect((refused.source, refused.sourcePort, refused.destination) == (web, 443, client))
        #expect(refused.reason == DropReason.denied.rawValue && refused.port == 1 && refused.generation == 2)
        #expect(refused.forwardFlags == TCPFlags.syn.rawValue && refused.forwardFrames == 0 && refused.state == 0)
        #expect(talk.bench.worker.counters.refused == 1)
        #expect(talk.bench.fault == nil)
    }
}
