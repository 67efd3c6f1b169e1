// SPDX-License-Identifier: Apache-2.0
import Net
import Record
import TestSupport
import Testing

@Suite("Checksums on the way") struct ChecksumsOnTheWayTests {
    /// Where the web server lets the client in by all that has a checksum, and nothing else is said; tunnels included.
    private static func town(_ change: (inout FlowSettings) -> Void = { _ in }) -> SmallPolicy {
        var town = SmallPolicy.town { $0.ingress(of: SmallPolicy.ownClass(webs), from: SmallPolicy.ownClass(clients)) }
        change(&town.flows)
        return town
    }

    private static let refusing = town { $0.partialChecksums = FlowSettings.Partial.refuse.rawValue }

    /// The first frame of a flow with a checksum of some kind.
    private static func openers(_ checksum: Checksum) -> [Packet] {
        [
            Ethernet() / IPv4() / TCP([.syn], checksum: checksum),
            Ethernet() / VLAN(9) / IPv6(from: client6, to: web6) / TCP([.syn], checksum: checksum) / Payload(count: 1300),
            Ethernet() / IPv4() / UDP(checksum: checksum) / Payload("who?"),
            Ethernet() / IPv6(from: client6, to: web6) / UDP(checksum: checksum) / Payload("who?"),
            Ethernet() / IPv6(from: client6, to: web6) / ICMPv6(type: 128, identifier: 7, checksum: checksum)
                / Payload(count: 56),
            Ethernet() / IPv4() / SCTP(tag: 0, checksum: checksum, Self.initiation),
        ]
    }
    private static let initiation: [UInt8] = [1, 0, 0, 20, 0, 0, 0, 7, 0, 1, 0, 0, 0, 10, 0, 10, 0, 0, 0, 1]

    @Test func `a wrong one ends the frame on either port, and opens no flow`() throws {
        let bench = try PairBench(PairShape(), Self.town())
        for packet in Self.openers(.wrong) {
            for port in 0..<2 { try bench.expectDropped(packet, .badTransportChecksum, port: port) }
        }
        try bench.expectDropped(Ethernet() / IPv4() / ICMP(type: 8, checksum: .wrong), .badTransportChecksum)
        #expect(bench.worker.counters.flows == 0 && bench.worker.takeEvents().isEmpty)
        #expect(bench.fault == nil)
    }

    @Test func `a reset with a wrong one ends no connection`() throws {
        let bench = try PairBench()
        try bench.establish()
        let reset = Ethernet() / IPv4() / TCP([.rst, .ack], sequence: 101, acknowledgement: 901, checksum: .wrong)
        try bench.expectDropped(reset, .badTransportChecksum)
        try bench.expectForwarded(Connection().request)
        try bench.expectForwarded(Connection().answer, port: 1)
        #expect(bench.fault == nil)
    }

    @Test func `a partial one is completed, counted, and leaves as if its sender had done it`() throws {
        let bench = try PairBench(PairShape(), Self.town())
        for (number, pair) in zip(Self.openers(.partial), Self.openers(.right)).enumerated() {
            #expect(try bench.fate(of: pair.0) == .forwarded(pair.1.bytes), "\(pair.0)")
            #expect(bench.worker.counters.completedChecksums == UInt64(number + 1))
        }
        #expect(bench.fault == nil)
    }

    @Test func `a whole connection of partial ones works`() throws {
        let bench = try PairBench()
        func partial(_ packet: Packet) -> Packet {
            var packet = packet
            for index in packet.layers.indices {
                guard var segment = packet.layers[index] as? TCP else { continue }
                segment.checksum = .partial
                packet.layers[index] = segment
            }
            return packet
        }
        let connection = Connection()
        for (packet, port) in [
            (connection.syn, 0), (connection.synAck, 1), (connection.ack, 0), (connection.request, 0), (connection.answer, 1),
        ] {
            #expect(try bench.fate(of: partial(packet), port: port) == .forwarded(packet.bytes))
        }
        #expect(bench.worker.counters.completedChecksums == 5)
    }

    @Test func `a partial one is refused where that is asked for, and opens no flow`() throws {
        let bench = try PairBench(PairShape(), Self.refusing)
        for packet in Self.openers(.partial) { try bench.expectDropped(packet, .partialChecksum) }
        for packet in Self.openers(.wrong) { try bench.expectDropped(packet, .badTransportChecksum) }
        #expect(bench.worker.counters.flows == 0 && bench.worker.counters.completedChecksums == 0)
        for packet in Self.openers(.right) { try bench.expectForwarded(packet) }
        #expect(bench.fault == nil)
    }

    @Test func `nothing is looked at where that is switched off`() throws {
        let bench = try PairBench(PairShape(), Self.town { $0.verifiesChecksums = 0 })
        for packet in Self.openers(.wrong) { try bench.expectForwarded(packet) }
        try bench.publish(SmallPolicy.town(generation: 2))
        try bench.expectDropped(Self.openers(.wrong)[0], .badTransportChecksum)
    }

    @Test func `what is left out stays out, and a fragment has none of its own`() throws {
        let bench = try PairBench(PairShape(), Self.town())
        try bench.expectForwarded(Ethernet() / IPv4() / UDP(checksum: 0) / Payload("who?"))
        try bench.receive([Ethernet() / IPv4(identification: 9, moreFragments: true) / UDP(checksum: .wrong) / Payload(count: 16)]
        )
        bench.turn()
        #expect(bench.worker.dropped(.badTransportChecksum) == 0)
    }

    @Test func `neighbour discovery has one too`() throws {
        let bench = try PairBench()
        let target: [UInt8] = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]
        let wrong = ICMPv6(type: 135, body: target + ICMPv6.linkLayerOption(), checksum: .wrong)
        let packet = Ethernet(to: "33:33:ff:00:00:02") / IPv6(from: client6, to: "ff02::1:ff00:2", hopLimit: 255) / wrong
        try bench.expectDropped(packet, .badTransportChecksum)
    }

    @Test func `what another worker passes on was verified there, and is completed once`() throws {
        var shape = PairShape()
        shape.workers = 2
        let bench = try PairBench(shape, Self.town())
        let packets = (0..<40 as Range<UInt16>).map {
            Ethernet() / IPv4() / UDP(from: 1000 + $0, to: 53, checksum: .partial) / Payload("?")
        }
        try bench.receive(packets)
        bench.turnAll()
        let sent = bench.workers.flatMap { $0.ports[1].send() }
        #expect(bench.workers[1].counters.takenOver > 0 && bench.workers[0].counters.completedChecksums == 40)
        #expect(bench.workers[1].counters.completedChecksums == 0)
        let right = (0..<40 as Range<UInt16>).map { Ethernet() / IPv4() / UDP(from: 1000 + $0, to: 53) / Payload("?") }
        #expect(Set(sent) == Set(right.map(\.bytes)))
        #expect(bench.fault == nil)
    }

    @Test func `an answer quotes what was completed`() throws {
        var town = Self.town()
        town.ingress(of: SmallPolicy.ownClass(webs), from: SmallPolicy.ownClass(clients), ServiceKey.udp(9), SmallPolicy.rejected)
        let bench = try PairBench(PairShape(), town)
        let whole = Ethernet() / IPv4() / UDP(to: 9) / Payload(count: 80)
        try bench.expectDropped(Ethernet() / IPv4() / UDP(to: 9, checksum: .partial) / Payload(count: 80), .denied)
        let answer = try #require(bench.worker.ports[0].send().first)
        #expect(answer.dropFirst(14 + 28).starts(with: whole.bytes.dropFirst(14).prefix(28)))
    }
}

/// VXLAN over IPv4 and IPv6 around a segment, as a host makes it; the rule lets the tunnel through, and judges its outside.
@Suite("Checksums in tunnels") struct ChecksumsInTunnelsTests {
    private func vxlan(_ outer: Checksum, _ inner: Checksum, inside port: UInt16 = 80) -> Packet {
        Ethernet() / IPv4() / UDP(to: 4789, checksum: outer) / VXLAN(7) / Ethernet() / IPv6(from: "fd01::1", to: "fd01::2")
            / TCP(to: port, [.syn], checksum: inner)
    }

    private func bench(_ change: (inout FlowSettings) -> Void = { _ in }) throws -> PairBench {
        var town = SmallPolicy.town { $0.ingress(of: SmallPolicy.ownClass(webs), from: SmallPolicy.ownClass(clients)) }
        change(&town.flows)
        return try PairBench(PairShape(), town)
    }

    /// The outer checksum of a whole packet.
    private func outerChecksum(of packet: Packet) -> Checksum {
        let bytes = packet.bytes
        return .exactly(UInt16(bytes[40]) << 8 | UInt16(bytes[41]))
    }

    @Test func `an inner one that was left to a NIC is completed, whether or not there is an outer one`() throws {
        let bench = try bench()
        #expect(try bench.fate(of: vxlan(0, .partial)) == .forwarded(vxlan(0, .right).bytes))
        // Worked out as if the inner one were right already.
        let foreseeing = outerChecksum(of: vxlan(.right, .right))
        #expect(try bench.fate(of: vxlan(foreseeing, .partial)) == .forwarded(vxlan(.right, .right).bytes))
        // Worked out over the inner one as it was.
        #expect(try bench.fate(of: vxlan(.right, .partial)) == .forwarded(vxlan(.right, .right).bytes))
        #expect(try bench.fate(of: vxlan(.partial, .right)) == .forwarded(vxlan(.right, .right).bytes))
        #expect(try bench.fate(of: vxlan(.partial, .partial)) == .forwarded(vxlan(.right, .right).bytes))
        #expect(bench.worker.counters.completedChecksums == 5)
        #expect(bench.fault == nil)
    }

    @Test func `a wrong outer one ends the frame, a wrong inner one is not ours where the outside is judged`() throws {
        let bench = try bench()
        try bench.expectDropped(vxlan(.wrong, .right), .badTransportChecksum)
        try bench.expectDropped(vxlan(.wrong, .partial), .badTransportChecksum)
        try bench.expectForwarded(vxlan(.right, .wrong))
        try bench.expectForwarded(vxlan(0, .wrong))
        #expect(bench.worker.counters.completedChecksums == 0)
    }

    @Test func `the third level is seen too, and one that cannot be read is left alone`() throws {
        let bench = try bench()
        func twice(_ checksum: Checksum) -> Packet {
            Ethernet() / IPv4() / IPv4() / IPv4() / UDP(checksum: checksum) / Payload("who?")
        }
        #expect(try bench.fate(of: twice(.partial)) == .forwarded(twice(.right).bytes))
        try bench.expectForwarded(Ethernet() / IPv4() / IPv4() / TCP([.syn, .fin], checksum: .partial))
        #expect(bench.fault == nil)
    }

    @Test func `refused are all of them`() throws {
        let bench = try bench { $0.partialChecksums = FlowSettings.Partial.refuse.rawValue }
        try bench.expectDropped(vxlan(0, .partial), .partialChecksum)
        try bench.expectDropped(vxlan(.right, .partial), .partialChecksum)
        try bench.expectDropped(vxlan(.partial, .right), .partialChecksum)
        try bench.expectForwarded(vxlan(.right, .right))
    }
}
