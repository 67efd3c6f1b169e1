// SPDX-License-Identifier: Apache-2.0
import Net
import Record
import Ring
import TestSupport
import Testing

@testable import Datapath

@Suite("Fragments that end in the lane") struct FragmentFaultTests {
    private func piece(_ range: Range<Int>, more: Bool = true, of packet: Packet = question(64), identification: UInt32 = 7)
        -> Packet
    {
        packet.fragment(range, more: more, identification: identification)
    }

    /// Receives fragments one a turn; how many were sent, and how many dropped for which reason.
    private func outcome(_ packets: [Packet], _ bench: PairBench) throws -> (sent: Int, dropped: [DropReason: UInt64]) {
        let sent = try FragmentsOfFramesTests.send(packets, through: bench).count
        let reasons = DropReason.allCases.filter { bench.worker.dropped($0) > 0 }
        return (sent, Dictionary(uniqueKeysWithValues: reasons.map { ($0, bench.worker.dropped($0)) }))
    }

    @Test(arguments: [false, true]) func `an overlap by one unit ends the datagram in both orders, and nothing of it follows`(
        over6: Bool
    ) throws {
        let packet = question(64, over6: over6)
        let rest = [piece(40..<72, more: false, of: packet), piece(0..<16, of: packet)]
        let (early, late) = (piece(16..<32, of: packet), piece(24..<40, of: packet))
        for pair in [[early, late], [late, early]] {
            let bench = try PairBench()
            let outcome = try outcome(pair + rest, bench)
            #expect(outcome.sent == 0 && outcome.dropped == [.fragmentOverlap: 4])
            // Another datagram of the same hosts is not touched, and behind the timeout not this number either.
            let other = packet.fragments(of: 24, identification: 8)
            #expect(try FragmentsOfFramesTests.send(other, through: bench).count == 3)
            bench.clock.pass(seconds: 15)
            bench.turn()
            #expect(try FragmentsOfFramesTests.send(packet.fragments(of: 24), through: bench).count == 3)
        }
    }

    @Test func `a first fragment that overlaps what waits ends with it`() throws {
        let outcome = try outcome([piece(16..<32), piece(0..<24), piece(32..<72, more: false)], PairBench())
        #expect(outcome.sent == 0 && outcome.dropped == [.fragmentOverlap: 3])
    }

    @Test func `a copy ends alone`() throws {
        let pieces = [piece(0..<24), piece(24..<48), piece(24..<48), piece(0..<24), piece(48..<72, more: false)]
        let outcome = try outcome(pieces, PairBench())
        #expect(outcome.sent == 3 && outcome.dropped == [.fragmentOverlap: 2])
    }

    @Test func `two ends, and what lies behind an end, are overlaps`() throws {
        let ends = try outcome([piece(0..<16), piece(24..<40, more: false), piece(40..<72, more: false)], PairBench())
        #expect(ends.sent == 2 && ends.dropped == [.fragmentOverlap: 1])
        let behind = try outcome([piece(0..<24), piece(40..<48), piece(24..<40, more: false)], PairBench())
        #expect(behind.sent == 2 && behind.dropped == [.fragmentOverlap: 1])
    }

    @Test func `what waits for a first that does not come ends with its time`() throws {
        let bench = try PairBench()
        try FragmentsOfFramesTests.send([piece(24..<48), piece(48..<72, more: false)], through: bench)
        bench.clock.pass(seconds: 14)
        bench.turn()
        #expect(bench.worker.counters.ports[0].held == 2)
        bench.clock.pass(seconds: 1)
        bench.turn()
        #expect(bench.worker.dropped(.fragmentTimeout) == 2 && bench.worker.counters.ports[0].held == 0)
        #expect(bench.fault == nil)
        // The first alone is a datagram that never gets whole; it is let through, and its place is free in the end.
        #expect(try FragmentsOfFramesTests.send([piece(0..<24)], through: bench).count == 1)
        #expect(bench.worker.datagrams == 1)
        bench.clock.pass(seconds: 15)
        bench.turn()
        #expect(bench.worker.datagrams == 0)
    }

    @Test func `a turn ends so many that waited, and the next ones the rest`() throws {
        var shape = PairShape()
        shape.frames = 2048
        let bench = try PairBench(shape)
        for number in 0..<200 as Range<UInt32> {
            try FragmentsOfFramesTests.send([piece(24..<48, identification: number)], through: bench)
        }
        bench.clock.pass(seconds: 20)
        var turns = 0
        while bench.worker.counters.ports[0].held > 0 {
            bench.turn()
            turns += 1
        }
        #expect((4...8).contains(turns))
        #expect(bench.worker.dropped(.fragmentTimeout) == 200 && bench.fault == nil)
    }

    @Test func `a source that floods loses its own, and established datagrams and connections go on`() throws {
        let bench = try PairBench()
        bench.worker.lane.settings.fragmentFrames = 20
        bench.worker.lane.settings.fragmentDatagrams = 30
        try bench.establish()
        let good = question(3500).fragments(of: 1000)
        #expect(try FragmentsOfFramesTests.send([good[0]], through: bench).count == 1)
        let enemy = Ethernet() / IPv4(from: stranger, to: web) / UDP() / Payload(count: 64)
        for number in 0..<100 as Range<UInt32> {
            try FragmentsOfFramesTests.send([piece(24..<48, of: enemy, identification: number)], through: bench)
        }
        #expect(bench.worker.counters.ports[0].held == 20)
        #expect(bench.worker.dropped(.fragmentLimit) == 80)
        #expect(bench.worker.datagrams == 31)
        #expect(try FragmentsOfFramesTests.send(Array(good[1...]), through: bench).count == 3)
        try bench.expectForwarded(Connection().request)
    }

    @Test func `an error in fragments is none`() throws {
        let error =
            Ethernet() / IPv4(from: web, to: client, identification: 7, moreFragments: true) / ICMP(type: 3)
            / IPv4(from: client, to: web, totalLength: 1500, next: 17)
            / UDP(length: 1480) / Payload(count: 4)
        let later = Ethernet() / IPv4(from: web, to: client, identification: 7, offset: 1480, next: 1) / Payload(count: 40)
        for order in [[error, later], [later, error]] {
            let outcome = try outcome(order, PairBench())
            #expect(outcome.sent == 0 && outcome.dropped == [.badICMP: 2])
        }
    }

    @Test func `the other side, another VLAN and another protocol have datagrams of their own`() throws {
        let bench = try PairBench()
        #expect(try FragmentsOfFramesTests.send([piece(0..<24)], through: bench).count == 1)
        // From the other port, as if the client were there: it neither finds the ports nor spoils the datagram.
        try FragmentsOfFramesTests.send([piece(8..<32)], through: bench, port: 1)
        #expect(bench.worker.counters.ports[1].held == 1)
        let tagged =
            Ethernet() / VLAN(5) / IPv4(from: client, to: web, identification: 7, offset: 24, next: 17) / Payload(count: 48)
        let other = Ethernet() / IPv4(from: client, to: web, identification: 7, offset: 80, next: 1) / Payload(count: 48)
        #expect(try FragmentsOfFramesTests.send([tagged, other], through: bench) == [])
        #expect(bench.worker.counters.ports[0].held == 2)
        #expect(try FragmentsOfFramesTests.send([piece(24..<72, more: false)], through: bench).count == 1)
    }

    @Test func `a frame without room before its first byte cannot be told what the first one said, and ends`() throws {
        let bench = try PairBench()
        let port = bench.worker.ports[0]
        let address = try #require(port.takeFree())
        let late = piece(24..<72, more: false).bytes
        port.frames.write(late, at: Int(address))
        port.pretendToReceive(Descriptor(address: address, length: UInt32(late.count)))
        bench.turn()
        #expect(bench.worker.counters.ports[0].held == 1)
        #expect(try FragmentsOfFramesTests.send([piece(0..<24)], through: bench).count == 1)
        #expect(bench.worker.dropped(.fragmentLimit) == 1 && bench.fault == nil)
    }

    @Test func `after a pause nothing that waited is sent late`() throws {
        let bench = try PairBench()
        try FragmentsOfFramesTests.send([piece(24..<48), piece(48..<72, more: false)], through: bench)
        #expect(bench.worker.dropStale() == 2)
        #expect(bench.worker.dropped(.stale) == 2 && bench.fault == nil)
        #expect(try FragmentsOfFramesTests.send([piece(0..<24)], through: bench).count == 1)
    }

    @Test func `a process that takes over finds what waits`() throws {
        let bench = try PairBench()
        try FragmentsOfFramesTests.send([piece(24..<48), piece(48..<72, more: false)], through: bench)
        try bench.worker.handOver()
        #expect(bench.fault == nil)
        #expect(try FragmentsOfFramesTests.send([piece(0..<24)], through: bench).count == 3)
    }

    @Test func `an atomic fragment is a packet, whatever else has its number`() throws {
        let bench = try PairBench()
        let packet = question(64, over6: true)
        let pieces = packet.fragments(of: 24)
        try FragmentsOfFramesTests.send([pieces[1]], through: bench)
        let atomic = packet.fragment(0..<72, more: false)
        try bench.expectForwarded(atomic)
        #expect(bench.worker.counters.ports[0].held == 1)
        let denied = question(64, over6: true, to: 54)
        try bench.expectDropped(
            denied.fragment(0..<72, more: false), .denied)
        #expect(try FragmentsOfFramesTests.send([pieces[0], pieces[2]], through: bench).count == 3)
    }
}
