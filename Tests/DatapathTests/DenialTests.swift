// SPDX-License-Identifier: Apache-2.0
import Classifier
import Net
import Record
import TestSupport
import Testing

@Suite("Refused again") struct DenialTests {
    @Test func `repeats within a second are dropped without a question, and told with the next report`() throws {
        let bench = try PairBench()
        let connection = Connection(to: db)
        for _ in 0..<10 { try bench.expectDropped(connection.syn, .denied) }
        #expect(bench.worker.counters.refusedAgain == 9)
        var events = bench.worker.takeEvents()
        #expect(events.map(\.suppressed) == [0])
        bench.clock.pass(milliseconds: 1000)
        try bench.expectDropped(connection.syn, .denied)
        events = bench.worker.takeEvents()
        #expect(events.map(\.suppressed) == [8, 0])
        #expect(bench.worker.counters.refusedAgain == 9)
        #expect(bench.worker.dropped(.denied) == 11)
        #expect(bench.fault == nil)
    }

    @Test func `another generation or epoch asks again`() throws {
        let bench = try PairBench()
        let connection = Connection(to: db)
        try bench.expectDropped(connection.syn, .denied)
        try bench.publish(
            .town(generation: 2) { $0.ingress(of: SmallPolicy.ownClass(databases), from: SmallPolicy.ownClass(clients)) })
        try bench.expectForwarded(connection.syn)
        let stranger = Connection(from: stranger, to: otherStranger)
        try bench.expectDropped(stranger.syn, .unjudged)
        try bench.expectDropped(stranger.syn, .unjudged)
        #expect(bench.worker.counters.refusedAgain == 1)
        try bench.addresses.writer.claim(otherStranger, labelSet: databases, workload: 99)
        try bench.expectDropped(stranger.syn, .denied)
        #expect(bench.worker.counters.refusedAgain == 1)
    }

    @Test func `each direction, port and service is asked about by itself`() throws {
        let bench = try PairBench()
        try bench.expectDropped(Connection(to: db).syn, .denied)
        try bench.expectDropped(Connection(to: db).syn, .denied, port: 1)
        try bench.expectDropped(Connection(to: db, port: 444).syn, .denied)
        try bench.expectDropped(Ethernet() / VLAN(3) / IPv4(from: client, to: db) / TCP(from: 40000, to: 443, [.syn]), .denied)
        #expect(bench.worker.counters.refusedAgain == 0)
    }

    @Test func `a refusal whose line another one takes in the same burst is asked about again, like one by one`() throws {
        let town = SmallPolicy.town {
            $0.ingress(of: SmallPolicy.ownClass(clients), from: SmallPolicy.anyone, 0...0, SmallPolicy.denied)
        }
        let there = Ethernet() / IPv4(from: client, to: web) / UDP(to: 9) / Payload(count: 30)
        let back = Ethernet() / IPv4(from: web, to: client) / UDP(from: 9, to: 40000) / Payload(count: 30)
        for isOneByOne in [true, false] {
            let bench = try PairBench(PairShape(), town)
            // Both lines of the connection are taken by two of its ends and ports; a third takes that of the first.
            try bench.expectDropped(back, .denied, port: 1)
            try bench.expectDropped(there, .denied)
            for frame in [there, back] {
                try bench.receive([frame], port: 1)
                if isOneByOne { bench.turn() }
            }
            bench.turn()
            #expect(bench.worker.dropped(.denied) == 4)
            #expect(bench.worker.counters.refusedAgain == 0, "\(isOneByOne)")
        }
    }

    @Test func `IPv6 is remembered, and a rejection is answered again`() throws {
        let bench = try PairBench()
        let frame = Ethernet() / IPv6(from: client6, to: web6) / TCP(from: 40000, to: 80, [.syn])
        for _ in 0..<3 {
            try bench.receive([frame])
            bench.turn()
            #expect(bench.worker.ports[0].send().count == 1)
        }
        #expect(bench.worker.dropped(.denied) == 3)
        #expect(bench.worker.counters.refusedAgain == 2)
        #expect(bench.worker.takeEvents().count == 1)
        #expect(bench.fault == nil)
    }

    @Test func `a refusal that ends soon is asked about again`() throws {
        let bench = try PairBench(
            PairShape(),
            .town {
                var soon = SideRecord()
                soon.decision = Decision.deny.rawValue
                soon.validUntil = ManualClock().wall + 2
                soon.successor = UInt32($0.records.count + 1)
                let record = $0.add(soon)
                _ = $0.add(SideRecord())
                $0.ingress(of: SmallPolicy.ownClass(webs), from: SmallPolicy.ownClass(clients), ServiceKey.tcp(444), record)
            })
        let connection = Connection(port: 444)
        try bench.expectDropped(connection.syn, .denied)
        try bench.expectDropped(connection.syn, .denied)
        #expect(bench.worker.counters.refusedAgain == 0)
        bench.clock.pass(seconds: 2)
        try bench.expectForwarded(connection.syn)
    }

    @Test func `a live flow is never taken for a refused connection`() throws {
        let bench = try PairBench()
        let connection = Connection(port: 444)
        try bench.expectDropped(connection.syn, .denied)
        try bench.publish(
            .town(generation: 2) {
                $0.ingress(of: SmallPolicy.ownClass(webs), from: SmallPolicy.ownClass(clients), ServiceKey.tcp(444))
            })
        try bench.establish(connection)
        try bench.publish(.town(generation: 1))
        // It is judged again and cut: the remembered refusal is not what decides.
        try bench.expectDropped(connection.request, .denied)
        #expect(bench.worker.counters.refusedAgain == 0)
        try bench.expectDropped(connection.syn, .denied)
        #expect(bench.worker.counters.refusedAgain == 1)
    }
}
