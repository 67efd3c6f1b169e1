// SPDX-License-Identifier: Apache-2.0
import Classifier
import Datapath
import Flow
import Net
import Record
import TestSupport
import Testing

@Suite("Pick-up") struct PickUpTests {
    /// A bench in which connections may be picked up always, or in the grace of a restart.
    private func bench(
        _ pickUp: FlowSettings.PickUp = .always, grace: Bool = false, _ change: (inout SmallPolicy) -> Void = { _ in }
    ) throws -> PairBench {
        let bench = try PairBench(
            PairShape(),
            .town(flows: { $0.pickUp = pickUp.rawValue }) {
                $0.ingress(of: SmallPolicy.ownClass(clients), from: SmallPolicy.anyone, 0...0, SmallPolicy.denied)
                change(&$0)
            })
        if grace { bench.worker.lane.flows.graceUntil = bench.now.nanoseconds + 30_000_000_000 }
        return bench
    }

    @Test func `what is picked up takes half of the table at most, and a SYN still opens`() throws {
        var shape = PairShape()
        shape.flows = 64
        let bench = try PairBench(shape, .town(flows: { $0.pickUp = FlowSettings.PickUp.always.rawValue }))
        for source in 0..<32 as Range<UInt16> { try bench.expectForwarded(Connection(source: 1000 + source).request) }
        try bench.expectDropped(Connection(source: 2000).request, .flowTableFull)
        #expect(bench.worker.lane.flows.pickedUp == 32)
        try bench.establish(Connection(source: 3000))
        #expect(bench.worker.counters.flows == 33 && bench.fault == nil)
    }

    @Test(arguments: [true, false], [true, false])
    func `a segment from the middle goes on where policy allows its sender to open`(
        isIPv4: Bool, isGrace: Bool
    ) throws {
        let talk = Talk(bench: try bench(isGrace ? .restart : .always, grace: isGrace), isIPv4: isIPv4)
        try talk.pass(">", [.ack], 5000, 9000, length: 100)
        #expect(talk.state == .established && talk.initiator == .low)
        try talk.pass("<", [.ack], 9000, 5100, window: 229, length: 1400)
        try talk.pass(">", [.ack], 5100, 10_400)
        try talk.drop("<", [.ack], 9000, 1 << 31)
        try talk.pass("<", [.rst, .ack], 10_400, 5100)
        #expect(talk.state == .closed)
        #expect(talk.bench.worker.lane.flows.pickedUp == 1)
        #expect(talk.events == [.start])
        #expect(talk.bench.fault == nil)
    }

    @Test func `what the other end answers by a reset is over, and a reset of the end that alone was heard ends nothing`()
        throws
    {
        let talk = Talk(bench: try bench())
        try talk.pass(">", [.ack], 5000, 9000, length: 100)
        try talk.pass(">", [.rst], 5100)
        try talk.pass("<", [.rst], 9001)
        #expect(talk.state == .established)
        try talk.pass("<", [.rst], 9000)
        #expect(talk.state == .closed)
    }

    @Test(arguments: [true, false]) func `a segment from the middle goes on as a reply, with the receiver as initiator`(
        isIPv4: Bool
    ) throws {
        let talk = Talk(bench: try bench(), isIPv4: isIPv4)
        try talk.pass("<", [.ack], 9000, 5000, length: 1400)
        #expect(talk.state == .established && talk.initiator == .low)
        try talk.pass(">", [.ack], 5000, 10_400, length: 10)
        // A reply is no leave to open.
        try talk.drop("<", [.syn], 77, as: .denied)
        let records = talk.bench.worker.takeEvents()
        #expect(records.first?.source == (isIPv4 ? client : client6) && records.first?.sourcePort == 40_000)
        #expect(records.first?.port == 0)
        #expect(talk.bench.fault == nil)
    }

    @Test(arguments: [true, false]) func `nothing is picked up that policy forbids, and no SYN or RST`(isGrace: Bool) throws {
        let bench = try bench(isGrace ? .restart : .always, grace: isGrace)
        let talk = Talk(bench: bench)
        try Talk(bench: bench, webPort: 22).drop(">", [.ack], 1, 1, as: .denied)
        try Talk(bench: bench, webPort: 22).drop("<", [.ack], 1, 1, as: .denied)
        try talk.drop(">", [.rst, .ack], 1, 1, as: .notOpening)
        try talk.drop("<", [.rst], 1, 1, as: .notOpening)
        try talk.drop("<", [.syn], 1, as: .denied)
        if !isGrace { try talk.drop("<", [.syn, .ack], 1, 1, as: .notOpening) }
        #expect(bench.worker.counters.flows == 0)
        #expect(bench.worker.lane.flows.pickedUp == 0)
    }

    @Test func `nothing is picked up where the configuration forbids it, or the grace is over`() throws {
        for bench in [try bench(.never, grace: true), try bench(.restart)] {
            try Talk(bench: bench).drop(">", [.ack], 1, 1, as: .notOpening)
            try Talk(bench: bench).drop("<", [.ack], 1, 1, as: .notOpening)
            try bench.expectDropped(Ethernet() / IPv4(from: web, to: client) / UDP(from: 53, to: 40000), .denied, port: 1)
        }
        let bench = try bench(.restart, grace: true)
        bench.clock.pass(seconds: 31)
        try Talk(bench: bench).drop(">", [.ack], 1, 1, as: .notOpening)
    }

    @Test
    func `in the grace a lost SYN's answer, datagrams and other protocols go on as replies, requests and echo replies do not`()
        throws
    {
        let bench = try bench(.restart, grace: true) {
            let sctp = ServiceKey(.sctp, port: 3868).rawValue
            $0.ingress(of: SmallPolicy.ownClass(webs), from: SmallPolicy.ownClass(clients), sctp...sctp)
        }
        let (there, back) = (Ethernet() / IPv4(from: client, to: web), Ethernet() / IPv4(from: web, to: client))
        try Talk(bench: bench).pass("<", [.syn, .ack], 1, 1)
        try Talk(bench: bench).pass(">", [.ack], 1, 2)
        try bench.expectForwarded(back / UDP(from: 53, to: 40000), port: 1)
        try bench.expectForwarded(there / UDP(from: 40000, to: 53))
        try bench.expectForwarded(back / SCTP(from: 3868, to: 40000, SCTP.data()), port: 1)
        try bench.expectDropped(back / UDP(from: 54, to: 40000), .denied, port: 1)
        try bench.expectDropped(back / ICMP.echoReply(), .unrelatedICMP, port: 1)
        try bench.expectDropped(back / ICMP.echo(), .denied, port: 1)
        #expect(bench.worker.lane.flows.pickedUp == 3)
        #expect(bench.worker.counters.flows == 3)
        #expect(bench.worker.takeEvents().filter { $0.event == 0 }.allSatisfy { $0.source == client })
        #expect(bench.fault == nil)
    }

    @Test func `the responder's zone counts for a reply`() throws {
        let bench = try PairBench(PairShape(), .zoned { $0.flows.pickUp = FlowSettings.PickUp.always.rawValue })
        try bench.enter("10.0.0.77", in: lan, as: webs)
        let back = Ethernet() / IPv4(from: "10.0.0.77", to: client) / TCP(from: 443, to: 40000, [.ack])
        try bench.expectDropped(back, .spoofed, port: 1)
    }
}

@Suite("One direction") struct OneDirectionTests {
    @Test(arguments: [true, false])
    func `without its answer a connection ends at its SYN, unless that is how the appliance stands`(
        isAsymmetric: Bool
    ) throws {
        let bench = try PairBench(PairShape(), .town(flows: { $0.isAsymmetric = isAsymmetric ? 1 : 0 }))
        let talk = Talk(bench: bench)
        try talk.pass(">", [.syn], 0)
        guard isAsymmetric else {
            try talk.drop(">", [.ack], 1, 1, as: .oneSided)
            try talk.drop(">", [.ack, .psh], 1, 1, length: 100, as: .oneSided)
            return #expect(talk.state == .synSent)
        }
        try talk.pass(">", [.ack], 1, 7000)
        #expect(talk.state == .established)
        for number in 0..<100 as Range<UInt32> {
            try talk.pass(">", [.ack], 1 + 1000 * number, 7000 + 1400 * number, length: 1000)
        }
        try talk.pass(">", [.fin, .ack], 100_001, 200_000)
        #expect(talk.state == .closing)
    }

    @Test func `the other direction alone goes on too, where it may be picked up`() throws {
        let bench = try PairBench(
            PairShape(),
            .town(flows: {
                $0.isAsymmetric = 1
                $0.pickUp = FlowSettings.PickUp.always.rawValue
            }) { $0.ingress(of: SmallPolicy.ownClass(clients), from: SmallPolicy.anyone, 0...0, SmallPolicy.denied) })
        let talk = Talk(bench: bench)
        try talk.pass("<", [.syn, .ack], 500, 1)
        for number in 0..<100 as Range<UInt32> { try talk.pass("<", [.ack], 501 + 1400 * number, 2, length: 1400) }
        #expect(talk.initiator == .low)
    }
}
