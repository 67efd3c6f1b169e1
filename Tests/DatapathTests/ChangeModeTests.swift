// SPDX-License-Identifier: Apache-2.0
import Classifier
import Flow
import Net
import Record
import TestSupport
import Testing

/// A town whose client may reach TCP 8443 and UDP 8443 of the web server by a rule with a change mode.
struct ChangingTown {
    let client = SmallPolicy.ownClass(clients)
    let web = SmallPolicy.ownClass(webs)
    var change = SideRecord.Change.reevaluate
    var seconds: UInt32 = 0
    static let services = [ServiceKey.tcp(8443), ServiceKey.udp(8443)]

    /// Its policy as long as the rule is there.
    func allowing(generation: UInt32 = 1, until: UInt64 = .max) -> SmallPolicy {
        .town(generation: generation) {
            var record = SideRecord()
            (record.change, record.drainSeconds, record.validUntil) = (change.rawValue, seconds, until)
            let number = $0.add(record)
            if until != .max {
                var denial = SideRecord()
                denial.decision = Decision.deny.rawValue
                $0.records[Int(number)].successor = $0.add(denial)
            }
            for service in Self.services { $0.ingress(of: web, from: client, service, number) }
        }
    }

    /// The policy that refuses it.
    func refusing(generation: UInt32, _ record: UInt32 = SmallPolicy.denied) -> SmallPolicy {
        .town(generation: generation) { for service in Self.services { $0.ingress(of: web, from: client, service, record) } }
    }

    func bench() throws -> PairBench {
        let bench = try PairBench(PairShape(), allowing())
        _ = bench.worker.takeEvents()
        return bench
    }
}

@Suite("Change modes") struct ChangeModeTests {
    let connection = Connection(port: 8443)

    private func goOn(_ bench: PairBench) throws {
        try bench.expectForwarded(connection.request)
        try bench.expectForwarded(connection.answer, port: 1)
    }

    /// An established connection under a change mode, and the policy that refuses it in force.
    private func refused(_ town: ChangingTown) throws -> PairBench {
        let bench = try town.bench()
        try bench.establish(connection)
        _ = bench.worker.takeEvents()
        try bench.publish(town.refusing(generation: 2))
        return bench
    }

    @Test func `keep lets a flow go on until it ends, and says once that it does`() throws {
        let town = ChangingTown(change: .keep)
        let bench = try refused(town)
        try goOn(bench)
        try goOn(bench)
        bench.clock.pass(seconds: 100_000)
        let events = bench.worker.takeEvents()
        try #require(events.count == 1)
        #expect(events[0].event == FlowRecord.Event.change.rawValue && events[0].generation == 2)
        #expect(events[0].decision == Decision.deny.rawValue && events[0].reason == DropReason.denied.rawValue)
        #expect(events[0].ingressRecord == SmallPolicy.denied)
        #expect(bench.worker.firstFlow.marks.contains(.outlived))
        // Another connection finds the rule gone.
        try bench.expectDropped(Connection(source: 41000, port: 8443).syn, .denied)
        #expect(bench.fault == nil)
    }

    @Test func `a flow that is kept stays so under later generations and epochs`() throws {
        let town = ChangingTown(change: .keep)
        let bench = try refused(town)
        try goOn(bench)
        try bench.publish(town.refusing(generation: 3))
        try goOn(bench)
        try bench.addresses.writer.claim(client, labelSet: guests, workload: clientWorkload)
        try goOn(bench)
        #expect(bench.worker.takeEvents().map(\.event) == Array(repeating: FlowRecord.Event.change.rawValue, count: 2))
        #expect(bench.worker.firstFlow.change == SideRecord.Change.keep.rawValue)
        #expect(bench.worker.firstFlow.epoch == bench.addresses.map.epoch)
    }

    @Test func `a flow that is allowed again is outlived no more, and follows the new rule's mode`() throws {
        var town = ChangingTown(change: .keep)
        let bench = try refused(town)
        try goOn(bench)
        town.change = .reevaluate
        try bench.publish(town.allowing(generation: 3))
        try goOn(bench)
        #expect(!bench.worker.firstFlow.marks.contains(.outlived))
        #expect(bench.worker.takeEvents().map(\.decision) == [Decision.deny.rawValue, Decision.allow.rawValue])
        try bench.publish(town.refusing(generation: 4))
        try bench.expectDropped(connection.request, .denied)
        #expect(bench.worker.takeEvents().map(\.event) == [FlowRecord.Event.end.rawValue])
    }

    @Test func `a refusal that itself lapses gives a kept flow its rule back`() throws {
        let town = ChangingTown(change: .keep)
        let bench = try town.bench()
        try bench.establish(connection)
        _ = bench.worker.takeEvents()
        var refusing = town.refusing(generation: 2)
        var denial = SideRecord()
        denial.decision = Decision.deny.rawValue
        denial.validUntil = bench.clock.wall + 60
        let number = refusing.add(denial)
        refusing.records[Int(number)].successor = refusing.add(SideRecord())
        refusing.ingress(of: town.web, from: town.client, ServiceKey.tcp(8443), number)
        try bench.publish(refusing)
        try goOn(bench)
        bench.clock.pass(seconds: 60)
        try goOn(bench)
        #expect(!bench.worker.firstFlow.marks.contains(.outlived))
        #expect(bench.worker.takeEvents().map(\.decision) == [Decision.deny.rawValue, Decision.allow.rawValue])
    }

    @Test func `drain ends a flow after its seconds, which a second refusal does not begin anew`() throws {
        let town = ChangingTown(change: .drain, seconds: 30)
        let bench = try refused(town)
        try goOn(bench)
        bench.clock.pass(seconds: 20)
        try bench.publish(town.refusing(generation: 3))
        try goOn(bench)
        bench.clock.pass(seconds: 9)
        try bench.addresses.writer.claim("10.0.0.77", labelSet: webs, workload: 90)
        try goOn(bench)
        bench.clock.pass(seconds: 1)
        try bench.expectDropped(connection.answer, .denied, port: 1)
        let events = bench.worker.takeEvents()
        #expect(events.map(\.event) == [FlowRecord.Event.change, .change, .end].map(\.rawValue))
        #expect(events.allSatisfy { $0.decision == Decision.deny.rawValue && $0.reason == DropReason.denied.rawValue })
        #expect(bench.worker.counters.flows == 0 && bench.fault == nil)
    }

    @Test func `drain has its length, whatever becomes of the wall clock`() throws {
        let bench = try refused(ChangingTown(change: .drain, seconds: 30))
        try goOn(bench)
        // Set back, so that policy's seconds stand still; then far ahead.
        bench.clock.nanoseconds += 20_000_000_000
        try goOn(bench)
        bench.clock.wall += 100_000
        bench.clock.nanoseconds += 9_000_000_000
        try goOn(bench)
        bench.clock.nanoseconds += 1_000_000_000
        try bench.expectDropped(connection.request, .denied)
        #expect(bench.fault == nil)
    }

    @Test func `drain has its length where the wall clock is behind the monotonic one`() throws {
        let bench = try ChangingTown(change: .drain, seconds: 30).bench()
        bench.clock.wall = 1000
        try bench.establish(connection)
        try bench.publish(ChangingTown(change: .drain, seconds: 30).refusing(generation: 2))
        try goOn(bench)
        bench.clock.pass(seconds: 30)
        try bench.expectDropped(connection.request, .denied)
        #expect(bench.fault == nil)
    }

    @Test func `a drained flow that is allowed again goes on, and drains its whole time when that is taken back`() throws {
        let town = ChangingTown(change: .drain, seconds: 30)
        let bench = try refused(town)
        try goOn(bench)
        bench.clock.pass(seconds: 29)
        try bench.publish(town.allowing(generation: 3))
        try goOn(bench)
        bench.clock.pass(seconds: 1000)
        try goOn(bench)
        try bench.publish(town.refusing(generation: 4))
        bench.clock.pass(seconds: 5)
        try goOn(bench)
        bench.clock.pass(seconds: 29)
        try goOn(bench)
        bench.clock.pass(seconds: 1)
        try bench.expectDropped(connection.request, .denied)
    }

    @Test(arguments: [SideRecord.Change.keep, .drain]) func `a rule that lapses is followed by its change mode`(
        change: SideRecord.Change
    ) throws {
        let town = ChangingTown(change: change, seconds: 20)
        let clock = ManualClock()
        let bench = try PairBench(PairShape(), town.allowing(until: clock.wall + 10))
        try bench.establish(connection)
        bench.clock.pass(seconds: 12)
        try goOn(bench)
        try bench.expectDropped(Connection(source: 41000, port: 8443).syn, .denied)
        bench.clock.pass(seconds: 19)
        try goOn(bench)
        bench.clock.pass(seconds: 1)
        if change == .keep { try goOn(bench) } else { try bench.expectDropped(connection.request, .denied) }
    }

    @Test(arguments: SideRecord.Change.allCases) func `a contested address ends its flows whatever the mode`(
        change: SideRecord.Change
    ) throws {
        let bench = try ChangingTown(change: change, seconds: 600).bench()
        try bench.establish(connection)
        try bench.addresses.writer.claim(client, labelSet: clients, workload: 99)
        try bench.expectDropped(connection.request, .contested)
        #expect(bench.worker.counters.flows == 0)
        #expect(bench.worker.ports[0].send().isEmpty)
        try bench.expectDropped(connection.request, .notOpening)
    }

    @Test func `a flow that another rule rejects ends, and who sends is told`() throws {
        let town = ChangingTown()
        let bench = try town.bench()
        try bench.establish(connection)
        try bench.publish(town.refusing(generation: 2, SmallPolicy.rejected))
        try bench.expectDropped(connection.answer, .denied, port: 1)
        let sent = bench.worker.ports[1].send()
        #expect(sent.count == 1 && sent.first?[47] == TCPFlags.rst.rawValue)
        #expect(bench.worker.counters.flows == 0)
    }
}

@Suite("Connections that are reset") struct ResetTests {
    let connection = Connection(port: 8443)
    let town = ChangingTown(change: .reset)

    private func refused(_ shape: PairShape = PairShape()) throws -> PairBench {
        let bench = try PairBench(shape, town.allowing())
        try bench.establish(connection)
        try bench.expectForwarded(connection.request)
        try bench.expectForwarded(connection.answer, port: 1)
        _ = bench.worker.takeEvents()
        try bench.publish(town.refusing(generation: 2))
        return bench
    }

    /// Sends a segment that both ends are told after.
    private func expectBothTold(
        _ bench: PairBench, _ packet: Packet, port: Int = 0, _ location: SourceLocation = #_sourceLocation
    ) throws {
        let before = bench.worker.dropped(.denied)
        try bench.receive([packet], port: port)
        bench.turn()
        #expect(bench.worker.dropped(.denied) == before + 1, sourceLocation: location)
        for side in 0..<2 { #expect(bench.worker.ports[side].send().count == 1, sourceLocation: location) }
        bench.turn()
        #expect(bench.worker.counters.flows == 0 && bench.fault == nil, sourceLocation: location)
    }

    /// The segment that a reset must be: its addresses and numbers.
    private func expectReset(
        _ bytes: [UInt8]?, _ segment: Packet, trigger: Packet, _ location: SourceLocation = #_sourceLocation
    ) throws {
        let bytes = try #require(bytes, sourceLocation: location)
        #expect(bytes.count <= trigger.bytes.count, sourceLocation: location)
        #expect(bytes.prefix(14) == segment.bytes.prefix(14), sourceLocation: location)
        #expect(Array(bytes[26..<48]) == Array(segment.bytes[26..<48]), sourceLocation: location)
        // Whole and with right sums: the reader takes it.
        let bench = try PairBench()
        #expect(try bench.fate(of: bytes) == .dropped(.notOpening), sourceLocation: location)
    }

    @Test func `both ends are told by the next segment, with numbers that they believe`() throws {
        let bench = try refused()
        let next =
            Ethernet() / IPv4() / TCP(from: 40000, to: 8443, [.ack, .psh], sequence: 106, acknowledgement: 904) / Payload("more")
        try bench.receive([next])
        bench.turn()
        let (back, onward) = (bench.worker.ports[0].send(), bench.worker.ports[1].send())
        try expectReset(
            back.first,
            Ethernet(from: "02:00:00:00:00:02", to: card) / IPv4(from: web, to: client)
                / TCP(from: 8443, to: 40000, [.rst], sequence: 904), trigger: next)
        try expectReset(
            onward.first,
            Ethernet() / IPv4() / TCP(from: 40000, to: 8443, [.rst, .ack], sequence: 106, acknowledgement: 904), trigger: next)
        #expect(back.count == 1 && onward.count == 1)
        #expect(bench.worker.counters.ports[0].generated == 1 && bench.worker.counters.ports[1].generated == 1)
        let events = bench.worker.takeEvents()
        #expect(events.map(\.event) == [FlowRecord.Event.end.rawValue])
        #expect(events.map(\.reason) == [DropReason.denied.rawValue])
        bench.turn()
        #expect(bench.worker.counters.flows == 0 && bench.worker.dropped(.denied) == 1 && bench.fault == nil)
    }

    @Test func `an idle connection ends at once, and its ends are told with its next segment`() throws {
        let bench = try refused()
        for _ in 0..<4 { bench.turn() }
        let events = bench.worker.takeEvents()
        #expect(events.map(\.event) == [FlowRecord.Event.end.rawValue])
        #expect(events.map(\.reason) == [DropReason.denied.rawValue])
        bench.clock.pass(seconds: 600)
        try expectBothTold(bench, connection.answer, port: 1)
        #expect(bench.worker.takeEvents().isEmpty)
        try bench.expectDropped(connection.request, .notOpening)
    }

    @Test func `a condemned connection is not revived by a policy that allows it, and its ports may be used again`() throws {
        let bench = try refused()
        for _ in 0..<4 { bench.turn() }
        try bench.publish(town.allowing(generation: 3))
        for _ in 0..<4 { bench.turn() }
        #expect(bench.worker.firstFlow.isCondemned)
        try bench.establish(connection)
        #expect(!bench.worker.firstFlow.isCondemned)
        #expect(bench.worker.takeEvents().map(\.event) == [FlowRecord.Event.end, .start].map(\.rawValue))
    }

    @Test func `a condemned connection that stays silent goes in its time, without a second record`() throws {
        let bench = try refused()
        for _ in 0..<4 { bench.turn() }
        _ = bench.worker.takeEvents()
        for _ in 0..<5 {
            bench.clock.pass(seconds: 7440)
            bench.turn()
        }
        #expect(bench.worker.counters.flows == 0)
        #expect(bench.worker.takeEvents().isEmpty)
    }

    @Test func `where one end cannot be told it stays condemned, and nothing of it passes`() throws {
        let bench = try refused()
        bench.worker.ports[1].hasLink = false
        try bench.expectDropped(connection.request, .denied)
        bench.worker.ports[1].hasLink = true
        #expect(bench.worker.counters.ports[0].generated == 0)
        #expect(bench.worker.firstFlow.isCondemned)
        try expectBothTold(bench, connection.request)
        #expect(bench.worker.takeEvents().count == 1)
    }

    @Test func `a segment that does not fit tells nobody, and leaves the reset to one that does`() throws {
        let bench = try refused()
        let numbers: [(sequence: UInt32, acknowledgement: UInt32)] = [(3_000_000_000, 904), (106, 3_000_000_000)]
        for _ in 0..<2 {
            // First by a frame that is the first under the new policy, then by one of a connection that is condemned.
            for (sequence, acknowledgement) in numbers {
                let forged =
                    Ethernet() / IPv4()
                    / TCP(from: 40000, to: 8443, [.ack, .psh], sequence: sequence, acknowledgement: acknowledgement)
                    / Payload("more")
                try bench.expectDropped(forged, .denied)
                #expect(bench.worker.firstFlow.isCondemned)
            }
        }
        #expect(bench.worker.counters.ports[0].generated == 0 && bench.worker.counters.ports[1].generated == 0)
        // Nor does a SYN that policy forbids.
        try bench.expectDropped(connection.syn, .denied)
        #expect(bench.worker.firstFlow.isCondemned)
        try expectBothTold(bench, connection.answer, port: 1)
    }

    @Test func `a retransmission is answered with the number that its receiver expects, not with its own`() throws {
        let bench = try refused()
        try bench.receive([connection.request])
        bench.turn()
        let (back, onward) = (bench.worker.ports[0].send(), bench.worker.ports[1].send())
        #expect(back.count == 1)
        try expectReset(
            onward.first,
            Ethernet() / IPv4() / TCP(from: 40000, to: 8443, [.rst, .ack], sequence: 106, acknowledgement: 901),
            trigger: connection.request)
    }

    @Test func `what is no TCP ends in silence`() throws {
        let bench = try town.bench()
        let query = Ethernet() / IPv4() / UDP(from: 40000, to: 8443) / Payload(count: 40)
        try bench.expectForwarded(query)
        try bench.publish(town.refusing(generation: 2))
        try bench.expectDropped(query, .denied)
        #expect(bench.worker.counters.ports[0].generated == 0 && bench.worker.counters.flows == 0)
    }
}
