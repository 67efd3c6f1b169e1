// SPDX-License-Identifier: Apache-2.0
import Classifier
import Net
import Record
import TestSupport
import Testing

@Suite("Spoofed packets") struct SpoofTests {
    private let open = SmallPolicy.zoned { $0.unjudgedRecord = SmallPolicy.allowed }
    private let host: Address = "10.0.0.77"
    private let host6: Address = "fd00::77"

    @Test func `an address that belongs to another zone opens nothing, and the refusal says why`() throws {
        let bench = try PairBench(PairShape(), open)
        try bench.enter(host, in: dmz)
        try bench.enter(host6, in: dmz)
        let frames = [
            Ethernet() / IPv4(from: host) / TCP(to: 443, [.syn]), Ethernet() / IPv4(from: host) / UDP(to: 53),
            Ethernet() / IPv4(from: host) / ICMP.echo(), Ethernet() / IPv6(from: host6) / TCP(to: 443, [.syn]),
        ]
        for frame in frames {
            try bench.expectDropped(frame, .spoofed)
            let records = bench.worker.takeEvents()
            #expect(records.map(\.reason) == [DropReason.spoofed.rawValue])
            #expect(records.first?.decision == Decision.deny.rawValue && records.first?.egressRecord == FlowRecord.none32)
        }
        #expect(bench.worker.counters.flows == 0)
        // Whoever may appear anywhere, may appear here; and so may nobody's addresses.
        try bench.enter("10.0.0.78")
        try bench.expectForwarded(Ethernet() / IPv4(from: "10.0.0.78", to: stranger) / UDP())
        try bench.expectForwarded(Ethernet() / IPv4(from: "10.0.0.79", to: stranger) / UDP())
        try bench.expectForwarded(Ethernet() / IPv4(from: host, to: stranger) / UDP(), port: 1)
        #expect(bench.fault == nil)
    }

    @Test func `tags tell zones apart`() throws {
        let bench = try PairBench(PairShape(), open)
        try bench.enter(host, in: other)
        try bench.expectDropped(Ethernet() / IPv4(from: host, to: stranger) / UDP(), .spoofed)
        try bench.expectDropped(Ethernet() / VLAN(31) / IPv4(from: host, to: stranger) / UDP(), .spoofed)
        try bench.expectForwarded(Ethernet() / VLAN(30) / IPv4(from: host, to: stranger) / UDP())
    }

    @Test func `a flow ends as spoofed when its initiator's address moves to another zone`() throws {
        let bench = try PairBench(PairShape(), open)
        let connection = Connection(from: host, to: stranger)
        try bench.establish(connection)
        _ = bench.worker.takeEvents()
        // Nobody's address until now: the class stays what it is, and the flow must end all the same.
        try bench.enter(host, in: dmz)
        try bench.expectDropped(connection.request, .spoofed)
        let records = bench.worker.takeEvents()
        #expect(records.map(\.event) == [FlowRecord.Event.end.rawValue])
        #expect(records.first?.reason == DropReason.spoofed.rawValue)
        try bench.expectDropped(connection.request, .notOpening)
        #expect(bench.fault == nil)
    }

    @Test func `who answers from another zone than the responder's is not the responder`() throws {
        let bench = try PairBench(PairShape(), open)
        try bench.enter(host, in: lan)
        let connection = Connection(from: stranger, to: host)
        // The question may go out to where nobody has that address; an answer from there is somebody else's.
        try bench.expectForwarded(connection.syn)
        try bench.expectDropped(connection.synAck, .spoofed, port: 1)
        #expect(bench.worker.counters.flows == 1)
        // As soon as the inventory says that it lives there, its answers count.
        try bench.enter(host, in: dmz)
        try bench.expectForwarded(connection.synAck, port: 1)
        bench.addresses.writer.release(host, zone: dmz, workload: 90)
        try bench.expectDropped(connection.synAck, .spoofed, port: 1)
        #expect(bench.fault == nil)
    }

    @Test func `what policy forbids on the other side ends no flow that waits`() throws {
        let bench = try PairBench(PairShape(), open)
        try bench.enter(host, in: lan)
        let connection = Connection(from: host, to: stranger)
        let query = Ethernet() / IPv4(from: host, to: stranger) / UDP()
        try bench.expectForwarded(connection.syn)
        try bench.expectForwarded(query)
        try bench.expectDropped(connection.syn, .spoofed, port: 1)
        try bench.expectDropped(query, .spoofed, port: 1)
        try bench.expectForwarded(connection.synAck, port: 1)
        #expect(bench.worker.counters.flows == 2)
        #expect(bench.worker.takeEvents().map(\.event) == [FlowRecord.Event.start, .start].map(\.rawValue))
    }

    @Test func `in a zone on the link itself only the workload's own card may use its address`() throws {
        let bench = try PairBench(PairShape(), .zoned(([.onLink], [])) { $0.unjudgedRecord = SmallPolicy.allowed })
        try bench.enter(host, in: lan, card: card)
        let own = Ethernet() / IPv4(from: host, to: stranger) / UDP(to: 9)
        let forged = Ethernet(from: strangeCard) / IPv4(from: host, to: stranger) / UDP(to: 9)
        try bench.expectDropped(forged, .spoofed)
        #expect(bench.worker.takeEvents().map(\.reason) == [DropReason.spoofed.rawValue])
        try bench.expectForwarded(own)
        // In its flow as well, and the flow goes on.
        try bench.expectDropped(forged, .spoofed)
        try bench.expectForwarded(own)
        // What is bound to no card, or to nobody, may come from any.
        try bench.enter("10.0.0.78", in: lan)
        for address in ["10.0.0.78", "10.0.0.79"] as [Address] {
            try bench.expectForwarded(Ethernet(from: strangeCard) / IPv4(from: address, to: stranger) / UDP())
        }
        #expect(bench.fault == nil)
    }

    @Test func `a card binds nothing where the zone is behind a router`() throws {
        let bench = try PairBench(PairShape(), .zoned(([], [.onLink])) { $0.unjudgedRecord = SmallPolicy.allowed })
        try bench.enter(host, card: card)
        try bench.expectForwarded(Ethernet(from: strangeCard) / IPv4(from: host, to: stranger) / UDP())
        try bench.expectDropped(Ethernet(from: strangeCard) / IPv4(from: host, to: stranger) / UDP(from: 9), .spoofed, port: 1)
        try bench.expectForwarded(Ethernet() / IPv4(from: host, to: stranger) / UDP(from: 9), port: 1)
    }

    @Test func `a contested address on the link itself stays contested, also in its flows`() throws {
        let bench = try PairBench(PairShape(), .zoned(([.onLink], [])) { $0.unjudgedRecord = SmallPolicy.allowed })
        try bench.enter(host, in: lan, card: card)
        let frame = Ethernet() / IPv4(from: host, to: stranger) / UDP()
        try bench.expectForwarded(frame)
        try bench.enter(host, in: lan, workload: 91, card: strangeCard)
        try bench.expectDropped(frame, .contested)
    }

    @Test func `frames to a group are held to the same`() throws {
        let bench = try PairBench(PairShape(), .zoned(([.onLink], [])) { $0.unjudgedRecord = SmallPolicy.allowed })
        try bench.enter(host, in: lan, card: card)
        func frame(_ from: MACAddress) -> Packet {
            Ethernet(from: from, to: "01:00:5e:01:02:03") / IPv4(from: host, to: "224.1.2.3") / UDP()
        }
        try bench.expectForwarded(frame(card))
        try bench.expectDropped(frame(strangeCard), .spoofed)
        let report = IPv4(from: host, to: "224.1.2.3", ttl: 1) / Raw.igmp(0x16)
        try bench.expectForwarded(Ethernet(to: "01:00:5e:01:02:03") / report)
        try bench.expectDropped(Ethernet(from: strangeCard, to: "01:00:5e:01:02:03") / report, .spoofed)
    }
}

@Suite("The ports' own addresses") struct OwnAddressTests {
    private let first: MACAddress = "02:bb:00:00:00:00"
    private let second: MACAddress = "02:bb:00:00:00:01"

    @Test func `what comes from one of our ports, or goes to one, does not cross`() throws {
        let bench = try PairBench()
        try bench.establish()
        for own in [first, second] {
            for port in 0..<2 {
                try bench.expectDropped(Ethernet(from: own) / ARP(), .ownAddress, port: port)
                try bench.expectDropped(Ethernet(to: own) / ARP(2), .ownAddress, port: port)
                try bench.expectDropped(Ethernet(to: own) / IPv4() / TCP(to: 443, [.syn]), .ownAddress, port: port)
            }
        }
        try bench.expectForwarded(Connection().request)
        #expect(bench.fault == nil)
    }

    @Test func `a port whose address is not known has none`() throws {
        var shape = PairShape()
        shape.hardwareAddresses = ["00:00:00:00:00:00", "00:00:00:00:00:00"]
        let bench = try PairBench(shape)
        try bench.expectForwarded(Ethernet(from: "00:00:00:00:00:00") / IPv4() / TCP(to: 443, [.syn]))
        try bench.expectForwarded(Ethernet(from: first, to: second) / IPv4() / TCP(from: 9, to: 443, [.syn]))
    }
}
