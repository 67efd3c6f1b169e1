// SPDX-License-Identifier: Apache-2.0
import Classifier
@testable import Datapath
import Flow
import Net
import Record
import TestSupport
import Testing

// ICMP errors: which pass, and that they leave no trace. Client and web server have a flow; a router that nobody knows speaks of it.

private let router: Address = "10.0.0.250"
private let router6: Address = "fd00::250"

/// An error to an address, around what it quotes.
private func error(_ type: UInt8 = 3, _ code: UInt8 = 1, mtu: UInt16 = 0, from: Address = router, to: Address, _ quoted: Packet)
    -> Packet
{
    from.isIPv4
        ? Ethernet() / IPv4(from: from, to: to) / ICMP(type: type, code: code, sequence: mtu) / quoted
        : Ethernet() / IPv6(from: from, to: to) / ICMPv6(type: type, code: code, sequence: mtu) / quoted
}

/// The first so many bytes of a packet.
private func cut(_ packet: Packet, _ count: Int) -> Packet { Packet([Payload(Array(packet.bytes.prefix(count)))]) }

@Suite("ICMP errors") struct ErrorTests {
    let bench: PairBench
    /// What the client asked, and what the web server answered.
    let asked = IPv4(from: client, to: web) / UDP(to: 53)
    let answered = IPv4(from: web, to: client) / UDP(from: 53, to: 40000)
    let asked6 = IPv6(from: client6, to: web6) / UDP(to: 53)

    init() throws {
        bench = try PairBench()
        try bench.expectForwarded(Ethernet() / asked)
        try bench.expectForwarded(Ethernet() / asked6)
    }

    @Test(arguments: [(3, 0), (3, 1), (3, 3), (3, 13), (11, 0), (11, 1), (12, 0)] as [(UInt8, UInt8)])
    func `an error from a router or the far end passes to the sender of what it quotes`(type: UInt8, code: UInt8) throws {
        for from in [router, web] {
            try bench.expectForwarded(error(type, code, from: from, to: client, asked / Payload(count: 40)), port: 1)
            try bench.expectForwarded(error(type, code, from: from, to: client, cut(asked, 28)), port: 1)
        }
        #expect(bench.fault == nil)
    }

    @Test(arguments: [(1, 0), (1, 4), (2, 0), (3, 0), (4, 1)] as [(UInt8, UInt8)])
    func `as well over IPv6`(type: UInt8, code: UInt8) throws {
        for from in [router6, web6] {
            try bench.expectForwarded(error(type, code, mtu: 1400, from: from, to: client6, asked6), port: 1)
        }
    }

    @Test func `what the responder sent has errors too, once it has sent`() throws {
        let back = error(to: web, answered)
        try bench.expectDropped(back, .unrelatedICMP)
        try bench.expectForwarded(Ethernet() / answered, port: 1)
        try bench.expectForwarded(back)
    }

    @Test func `an error goes the way back: by no other port, and to nobody but the sender`() throws {
        try bench.expectDropped(error(to: client, asked), .unrelatedICMP)
        for to in [web, db, stranger] { try bench.expectDropped(error(to: to, asked), .unrelatedICMP, port: 1) }
        try bench.expectDropped(error(from: router6, to: "fd00::99", asked6), .unrelatedICMP, port: 1)
    }

    @Test func `no error without a live flow: other ports, protocols, addresses, tags, or a flow that is over`() throws {
        for quoted in [
            IPv4(from: client, to: web) / UDP(to: 54), IPv4(from: client, to: web) / UDP(from: 40001, to: 53),
            IPv4(from: client, to: web) / TCP(to: 53), IPv4(from: client, to: db) / UDP(to: 53),
            IPv4(from: client, to: web, offset: 64, next: 17) / Payload(count: 8),
        ] {
            try bench.expectDropped(error(to: client, quoted), .unrelatedICMP, port: 1)
        }
        try bench.expectDropped(
            Ethernet() / VLAN(10) / IPv4(from: router, to: client) / ICMP(type: 3) / asked, .unrelatedICMP, port: 1)
        bench.clock.pass(seconds: 60)
        for _ in 0..<40 { bench.turn() }
        try bench.expectDropped(error(to: client, asked), .unrelatedICMP, port: 1)
    }

    @Test func `redirects, source quench, errors about errors, fragments and group frames are refused`() throws {
        try bench.expectDropped(error(5, 1, to: client, asked), .unrelatedICMP, port: 1)
        try bench.expectDropped(error(4, 0, to: client, asked), .unrelatedICMP, port: 1)
        try bench.expectDropped(
            error(to: client, IPv4(from: client, to: web) / ICMP(type: 3, code: 1) / answered), .unrelatedICMP, port: 1)
        try bench.expectDropped(
            Ethernet(to: everybody) / IPv4(from: router, to: client) / ICMP(type: 3, code: 1) / asked, .unrelatedICMP, port: 1)
    }

    @Test func `an MTU that no link has is refused, and one that an old router did not tell passes`() throws {
        for (mtu, passes) in [(0, true), (1, false), (68, false), (575, false), (576, true), (1500, true)] as [(UInt16, Bool)] {
            let tooBig = error(3, 4, mtu: mtu, to: client, asked)
            if passes {
                try bench.expectForwarded(tooBig, port: 1)
            } else {
                try bench.expectDropped(tooBig, .unrelatedICMP, port: 1)
            }
        }
        for (mtu, passes) in [(0, false), (1279, false), (1280, true), (1500, true)] as [(UInt16, Bool)] {
            let tooBig = error(2, 0, mtu: mtu, from: router6, to: client6, asked6)
            if passes {
                try bench.expectForwarded(tooBig, port: 1)
            } else {
                try bench.expectDropped(tooBig, .unrelatedICMP, port: 1)
            }
        }
        // In other errors the field means something else.
        try bench.expectForwarded(error(12, 0, mtu: 68, to: client, asked), port: 1)
    }

    @Test func `an echo's errors find it by its identifier, and speak of requests to whom asked`() throws {
        let request = IPv4(from: client, to: web) / ICMP.echo(identifier: 0x0800)
        let reply = IPv4(from: web, to: client) / ICMP.echoReply(identifier: 0x0800)
        try bench.expectForwarded(Ethernet() / request)
        try bench.expectForwarded(error(to: client, request), port: 1)
        try bench.expectDropped(error(to: client, IPv4(from: client, to: web) / ICMP.echo()), .unrelatedICMP, port: 1)
        // The identifier makes what the client never sent have the key of its flow.
        try bench.expectDropped(
            error(to: client, IPv4(from: client, to: web) / ICMP.echoReply(identifier: 0x0800)), .unrelatedICMP, port: 1)
        try bench.expectDropped(error(to: web, reply), .unrelatedICMP)
        try bench.expectForwarded(Ethernet() / reply, port: 1)
        try bench.expectForwarded(error(to: web, reply))
    }

    @Test func `nobody sends one in another's name`() throws {
        let bench = try PairBench(PairShape(), .zoned())
        try bench.enter("10.0.0.77", in: lan)
        try bench.expectForwarded(Ethernet() / asked)
        _ = bench.worker.takeEvents()
        try bench.expectDropped(error(from: "10.0.0.77", to: client, asked), .spoofed, port: 1)
        #expect(bench.worker.takeEvents().map(\.reason) == [DropReason.spoofed.number])
        try bench.expectDropped(error(from: contested, to: client, asked), .contested, port: 1)
        try bench.expectForwarded(error(to: client, asked), port: 1)
    }

    @Test func `an error leaves no trace in its flow, and opens none`() throws {
        let before = bench.worker.lane.flows.v4[0]
        bench.clock.pass(seconds: 5)
        for _ in 0..<5 { try bench.expectForwarded(error(to: client, asked), port: 1) }
        let after = bench.worker.lane.flows.v4[0]
        #expect(after.lastSeen == before.lastSeen && after.state == .oneSided)
        #expect((after.lowFrames, after.highFrames) == (before.lowFrames, before.highFrames))
        #expect((after.lowBytes, after.highBytes) == (before.lowBytes, before.highBytes))
        #expect(bench.worker.counters.flows == 2)
    }

    @Test func `a flow that policy no longer allows has no errors`() throws {
        try bench.publish(
            .town(generation: 2) {
                $0.ingress(
                    of: SmallPolicy.ownClass(webs), from: SmallPolicy.ownClass(clients), ServiceKey.udp(53), SmallPolicy.denied)
            })
        try bench.expectDropped(error(to: client, asked), .denied, port: 1)
        // The other flow sends nothing, and ends all the same.
        #expect(bench.worker.counters.flows == 0)
        try bench.expectDropped(error(to: client, asked), .unrelatedICMP, port: 1)
        #expect(bench.fault == nil)
    }

    @Test func `so many pass in a second, and those that would not pass cost nobody's`() throws {
        let bench = try PairBench(PairShape(), .town { $0.flows.errorsPerSecond = 5 })
        try bench.expectForwarded(Ethernet() / asked)
        for _ in 0..<20 { try bench.expectDropped(error(to: web, answered), .unrelatedICMP) }
        for _ in 0..<5 { try bench.expectForwarded(error(to: client, asked), port: 1) }
        for _ in 0..<3 { try bench.expectDropped(error(to: client, asked), .errorLimit, port: 1) }
        bench.clock.pass(seconds: 1)
        for _ in 0..<5 { try bench.expectForwarded(error(to: client, asked), port: 1) }
        try bench.expectDropped(error(to: client, asked), .errorLimit, port: 1)
    }

    @Test func `without a limit all pass`() throws {
        let bench = try PairBench(PairShape(), .town { $0.flows.errorsPerSecond = 0 })
        try bench.expectForwarded(Ethernet() / asked)
        for _ in 0..<2000 { try bench.expectForwarded(error(to: client, asked), port: 1) }
    }

    @Test(arguments: [2, 4]) func `with several workers an error finds the owner of its flow`(workers: Int) throws {
        let bench = try TwoWorkersTests.bench(workers)
        let asked = (0..<40 as Range<UInt16>).map { IPv4(from: client, to: web) / UDP(from: 5000 + $0, to: 53) }
        try bench.receive(asked.map { Ethernet() / $0 })
        bench.turnAll()
        for worker in bench.workers { _ = worker.ports[1].send() }
        try bench.receive(asked.map { error(to: client, $0) }, port: 1)
        bench.turnAll()
        #expect(bench.workers.map { $0.ports[0].send().count }.reduce(0, +) == 40)
        #expect(bench.workers.map { $0.dropped(.unrelatedICMP) } == Array(repeating: 0, count: workers))
        #expect(bench.fault == nil)
    }
}

@Suite("ICMP errors of TCP") struct SegmentErrorTests {
    /// What the client has sent up to 1105, of which 901 is answered up to 1060.
    static let entry: FlowEntry = {
        var entry = FlowEntry()
        entry.lowWindow.end = 1105
        entry.highWindow.acknowledged = 1060
        (entry.lowWindow.flags, entry.highWindow.flags) = (1, 8)
        return entry
    }()

    @Test(
        arguments: [(1059, false), (1060, true), (1104, true), (1105, true), (1106, false), (0x8000_0000, false)]
            as [(UInt32, Bool)])
    func `a segment is on its way from what is not acknowledged to the last one sent`(sequence: UInt32, isOnItsWay: Bool) {
        #expect(Self.entry.isOnItsWay(sequence, from: .low) == isOnItsWay)
    }

    @Test func `of an end that has sent nothing known, nothing is on its way`() {
        #expect(!Self.entry.isOnItsWay(0, from: .high))
        #expect(!FlowEntry().isOnItsWay(0, from: .low))
    }

    @Test func `what was never answered has the first window, and numbers wrap`() {
        var entry = FlowEntry()
        entry.highWindow.end = 10
        entry.highWindow.flags = 1
        for (sequence, isOnItsWay) in [
            (10, true), (9, true), (0xffff_ff00, true), (10 &- 0xffff, true), (10 &- 0x1_0000, false), (11, false),
        ] as [(UInt32, Bool)] {
            #expect(entry.isOnItsWay(sequence, from: .high) == isOnItsWay, "\(sequence)")
        }
        entry.lowWindow.acknowledged = 0xffff_fff0
        entry.lowWindow.flags = 8
        for (sequence, isOnItsWay) in [(0xffff_ffef, false), (0xffff_fff0, true), (0, true), (10, true), (11, false)]
            as [(UInt32, Bool)]
        {
            #expect(entry.isOnItsWay(sequence, from: .high) == isOnItsWay, "\(sequence)")
        }
    }

    private func quoted(_ sequence: UInt32) -> Packet { IPv4(from: client, to: web) / TCP(to: 443, [.ack], sequence: sequence) }

    @Test func `a SYN that nobody answers is told why, by its sequence number`() throws {
        let bench = try PairBench()
        try bench.expectForwarded(Connection().syn)
        try bench.expectForwarded(error(to: client, quoted(100)), port: 1)
        for other in [102, 0x9000_0000] as [UInt32] {
            try bench.expectDropped(error(to: client, quoted(other)), .unrelatedICMP, port: 1)
        }
    }

    @Test func `a guessed sequence number resets nobody's connection`() throws {
        let bench = try PairBench()
        try bench.establish()
        try bench.expectForwarded(Connection().request)
        // The request, 101 to 106, is on its way.
        for (sequence, passes) in [(100, false), (101, true), (106, true), (107, false), (0x8000_0065, false)] as [(UInt32, Bool)]
        {
            let error = error(3, 4, mtu: 1400, to: client, cut(quoted(sequence), 28))
            if passes {
                try bench.expectForwarded(error, port: 1)
            } else {
                try bench.expectDropped(error, .unrelatedICMP, port: 1)
            }
        }
        try bench.expectForwarded(Connection().answer, port: 1)
        try bench.expectDropped(error(to: client, quoted(101)), .unrelatedICMP, port: 1)
    }

    @Test func `where windows are loose the number is not asked for`() throws {
        for change in [{ $0.windows = FlowSettings.Windows.loose.rawValue }, { $0.isAsymmetric = 1 }]
            as [(inout FlowSettings) -> Void]
        {
            let bench = try PairBench(PairShape(), .town { change(&$0.flows) })
            try bench.establish()
            try bench.expectForwarded(error(to: client, quoted(0x8000_0065)), port: 1)
            // The direction is.
            try bench.expectDropped(error(to: client, quoted(101)), .unrelatedICMP)
        }
    }
}
