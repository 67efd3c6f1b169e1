// SPDX-License-Identifier: Apache-2.0
import Classifier
import Datapath
import Net
import Record
import TestSupport
import Testing

@Suite("Refused connections") struct RefusalTests {
    /// The shape of a bench that is not the first of anything.
    static var shape: PairShape {
        var shape = PairShape()
        shape.pair = 3
        shape.workers = 1
        return shape
    }

    @Test func `a denied connection is reported once, with what both sides said`() throws {
        let egress = SmallPolicy.town(generation: 9) {
            $0.egress(of: SmallPolicy.ownClass(clients), to: SmallPolicy.anyone)
        }
        let bench = try PairBench(Self.shape, egress)
        let frame = Ethernet() / VLAN(12) / IPv4(from: client, to: db) / TCP(from: 40001, to: 5432, [.syn])
        try bench.expectDropped(frame, .denied)
        let events = bench.worker.takeEvents()
        try #require(events.count == 1)
        let record = events[0]
        #expect(record.event == FlowRecord.Event.refused.rawValue)
        #expect(record.source == client && record.destination == db)
        #expect(record.sourcePort == 40001 && record.destinationPort == 5432 && record.protocolNumber == 6)
        #expect(record.egressRecord == SmallPolicy.allowed && record.ingressRecord == SmallPolicy.denied)
        #expect(record.decision == Decision.deny.rawValue && record.reason == DropReason.denied.rawValue)
        #expect(record.sourceClass == SmallPolicy.ownClass(clients))
        #expect(record.destinationClass == SmallPolicy.ownClass(databases))
        #expect(record.sourceWorkload == clientWorkload && record.destinationWorkload == databaseWorkload)
        #expect(record.generation == 9 && record.epoch == bench.addresses.map.epoch)
        #expect(record.vlans == VLANTags(12).word && record.forwardFlags == TCPFlags.syn.rawValue)
        #expect(record.time == bench.clock.nanoseconds && record.suppressed == 0)
        #expect(record.port == 0 && record.pair == 3)
        #expect(bench.worker.counters.flows == 0)
    }

    @Test func `the report names worker and port`() throws {
        var shape = PairShape()
        (shape.pair, shape.workers) = (2, 2)
        let bench = try PairBench(shape)
        for number in 0..<32 as Range<UInt16> {
            try bench.receive([Connection(from: db, to: web, source: 1000 + number, port: 2000 + number).syn], port: 1)
        }
        bench.turnAll()
        let counts = bench.workers.enumerated().map { number, worker in
            let events = worker.takeEvents()
            #expect(events.allSatisfy { $0.pair == 2 && $0.port == 1 && $0.queue == UInt8(number) })
            return events.count
        }
        #expect(counts.allSatisfy { $0 > 0 })
        #expect(counts.reduce(0, +) == 32)
    }

    @Test func `a rejected connection is dropped under its reason`() throws {
        let bench = try PairBench()
        try bench.expectDropped(Connection(port: 80).syn, .denied)
        #expect(bench.worker.takeEvents().first?.decision == Decision.reject.rawValue)
    }

    @Test func `what no side judges is unjudged, or allowed where the zones say so`() throws {
        let frame = Connection(from: stranger, to: otherStranger).syn
        let bench = try PairBench()
        try bench.expectDropped(frame, .unjudged)
        let record = bench.worker.takeEvents().first
        #expect(record?.egressRecord == SmallPolicy.unjudged && record?.ingressRecord == FlowRecord.none32)
        #expect(record?.sourceWorkload == FlowRecord.none32 && record?.sourceClass == SmallPolicy.nobody)
        #expect(record?.reason == DropReason.unjudged.rawValue)
        try bench.publish(.town(generation: 2) { $0.unjudgedRecord = SmallPolicy.allowed })
        try bench.expectForwarded(frame)
    }

    @Test func `a contested address is denied in both directions`() throws {
        let bench = try PairBench()
        try bench.expectDropped(Connection(to: contested).syn, .contested)
        try bench.expectDropped(Connection(from: contested, to: web).syn, .contested, port: 1)
        let events = bench.worker.takeEvents()
        #expect(events.map(\.reason) == [DropReason.contested.rawValue, DropReason.contested.rawValue])
        #expect(events.first?.ingressRecord == SmallPolicy.contestedRecord)
        #expect(events.last?.egressRecord == SmallPolicy.contestedRecord)
        // When one of both lets go, the address is somebody's.
        bench.addresses.writer.release(contested, workload: 81)
        try bench.expectForwarded(Connection(to: contested).syn)
    }

    @Test func `a workload reaches itself`() throws {
        let bench = try PairBench()
        try bench.addresses.writer.claim("10.0.9.9", labelSet: databases, workload: databaseWorkload)
        try bench.expectForwarded(Connection(from: "10.0.9.9", to: db, port: 1).syn)
        #expect(bench.worker.takeEvents().first?.egressRecord == SmallPolicy.itself)
    }

    @Test func `the zones of a report are those of the ports`() throws {
        let bench = try PairBench(
            PairShape(),
            .town {
                for port in 0..<2 as Range<UInt8> {
                    var zone = ZoneEntry()
                    (zone.port, zone.zone) = (port, UInt16(port) + 4)
                    $0.zones.append(zone)
                }
            })
        try bench.expectDropped(Connection(to: db).syn, .denied, port: 1)
        let record = bench.worker.takeEvents().first
        #expect(record?.sourceZone == 5 && record?.destinationZone == 4)
    }

    @Test func `of refusals of one kind the first is told at once, and how many came behind it when the second is over`() throws {
        let bench = try PairBench()
        for round in 0..<40 as Range<UInt16> {
            try bench.receive((0..<60 as Range<UInt16>).map { Connection(to: db, source: round * 60 + $0).syn })
            bench.turn()
        }
        #expect(bench.worker.dropped(.denied) == 2400)
        #expect(bench.worker.takeEvents().map(\.suppressed) == [0])
        bench.clock.pass(milliseconds: 1000)
        bench.turn()
        #expect(bench.worker.takeEvents().map(\.suppressed) == [2398])
        bench.clock.pass(milliseconds: 1000)
        bench.turn()
        #expect(bench.worker.takeEvents().isEmpty)
        #expect(bench.worker.counters.refused == 2400)
        #expect(bench.worker.counters.lostEvents == 0)
        #expect(bench.fault == nil)
    }

    @Test func `a scan over more kinds than are told apart is told whole, in a bounded number of records`() throws {
        let bench = try PairBench()
        for part in 0..<100 {
            try bench.receive(scan(part * 60))
            bench.turn()
        }
        bench.clock.pass(milliseconds: 1000)
        bench.turn()
        let events = bench.worker.takeEvents()
        #expect((512...2048).contains(events.count))
        #expect(events.reduce(0) { $0 + 1 + Int($1.suppressed) } == 6000)
        #expect(bench.worker.counters.refused == 6000)
    }

    @Test func `refusals that find the ring full are told when it has room again`() throws {
        let bench = try PairBench()
        var told = 0
        for part in 0..<400 {
            try bench.receive(scan(part * 60 % 20_000))
            bench.turn()
            bench.clock.pass(milliseconds: part % 10 == 9 ? 1000 : 1)
            // The reader sleeps for most of the time.
            if part % 200 == 199 { told += bench.worker.takeEvents().reduce(0) { $0 + 1 + Int($1.suppressed) } }
        }
        for _ in 0..<3 {
            bench.clock.pass(milliseconds: 1000)
            bench.turn()
            told += bench.worker.takeEvents().reduce(0) { $0 + 1 + Int($1.suppressed) }
        }
        #expect(told == 24_000)
        #expect(bench.worker.counters.refused == 24_000)
        #expect(bench.worker.counters.lostEvents == 0 && bench.worker.lostRecords == 0)
    }

    @Test func `refusals that end with their worker are counted as lost by the one that follows, and by no other`() throws {
        let bench = try PairBench()
        try bench.receive(scan(0))
        bench.turn()
        try bench.receive(scan(0))
        bench.turn()
        // The first of each kind was told; the second ones wait for the end of their second, which never comes.
        let told = bench.worker.takeEvents().reduce(0) { $0 + 1 + UInt64($1.suppressed) }
        #expect(bench.worker.counters.refused == 120 && bench.worker.counters.toldRefusals == told && told < 120)
        try bench.worker.handOver()
        for _ in 0..<2 { unsafe bench.worker.countersInPlace.pointee.loseUntoldRefusals() }
        #expect(bench.worker.counters.lostRefusals == 120 - told)
        try bench.receive(scan(600))
        bench.turn()
        bench.worker.lane.tellRefusals(at: bench.clock.nanoseconds)
        unsafe bench.worker.countersInPlace.pointee.loseUntoldRefusals()
        #expect(bench.worker.counters.lostRefusals == 120 - told, "a worker that parks tells what waits")
        #expect(bench.worker.counters.refused == bench.worker.counters.toldRefusals + bench.worker.counters.lostRefusals)
    }

    /// Sixty ports of the database, one after the other.
    private func scan(_ first: Int) -> [Packet] {
        (0..<60).map { (number: Int) -> Packet in Connection(to: db, source: 4000, port: UInt16(1000 + first + number)).syn }
    }
}
