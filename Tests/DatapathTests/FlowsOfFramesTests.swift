// SPDX-License-Identifier: Apache-2.0
import Net
import Record
import TestSupport
import Testing

@Suite("Frames of flows") struct FlowsOfFramesTests {
    let bench: PairBench

    init() throws { bench = try PairBench() }

    @Test(arguments: [0, 1]) func `an allowed connection passes in both directions, byte for byte`(port: Int) throws {
        let connection = Connection()
        try bench.establish(connection, port: port)
        for _ in 0..<3 {
            try bench.expectForwarded(connection.request, port: port)
            try bench.expectForwarded(connection.answer, port: 1 - port)
        }
        try bench.expectForwarded(connection.reset, port: port)
        #expect(bench.worker.counters.flows == 1)
        #expect(bench.fault == nil)
    }

    @Test func `IPv6 passes as IPv4 does`() throws {
        let there = Ethernet() / IPv6(from: client6, to: web6)
        let back = Ethernet() / IPv6(from: web6, to: client6)
        try bench.expectForwarded(there / TCP(to: 443, [.syn]))
        try bench.expectForwarded(back / TCP(from: 443, to: 40000, [.syn, .ack], acknowledgement: 1001), port: 1)
        try bench.expectForwarded(there / TCP(to: 443, [.ack], sequence: 1001, acknowledgement: 1001) / Payload("GET /"))
        try bench.expectForwarded(there / UDP(to: 53) / Payload("query"))
        try bench.expectForwarded(back / UDP(from: 53, to: 40000) / Payload("answer"), port: 1)
        try bench.expectForwarded(there / ICMPv6.echo())
        try bench.expectForwarded(back / ICMPv6.echoReply(), port: 1)
        try bench.expectDropped(there / TCP(to: 22, [.syn]), .denied)
        #expect(bench.worker.counters.flows == 3)
        #expect(bench.fault == nil)
    }

    @Test func `a frame goes out with its padding and its tags as it came in`() throws {
        try bench.expectForwarded(Ethernet() / IPv4() / TCP(to: 443, [.syn]) / Padding(to: 60))
        try bench.expectForwarded(Ethernet() / VLAN(10, priority: 5) / VLAN(20) / IPv4() / TCP(to: 443, [.syn]) / Padding(to: 64))
    }

    @Test func `an atomic fragment and a packet in SNAP are judged like any`() throws {
        let there = Ethernet() / IPv6(from: client6, to: web6) / Fragment()
        try bench.expectForwarded(there / TCP(to: 443, [.syn]))
        try bench.expectForwarded(
            Ethernet() / IPv6(from: web6, to: client6) / TCP(from: 443, to: 40000, [.syn, .ack], acknowledgement: 1001), port: 1)
        try bench.expectForwarded(
            Ethernet() / IPv6(from: client6, to: web6) / TCP(to: 443, [.ack], sequence: 1001, acknowledgement: 1001))
        try bench.expectDropped(there / TCP(to: 22, [.syn]), .denied)
        try bench.expectForwarded(Ethernet() / SNAP() / IPv4() / TCP(to: 443, [.syn]) / Padding(to: 60))
        try bench.expectDropped(Ethernet() / SNAP() / IPv4() / TCP(to: 22, [.syn]) / Padding(to: 60), .denied)
        #expect(bench.worker.counters.flows == 2)
    }

    @Test func `SCTP and protocols without ports pass where policy names them, with their answers`() throws {
        let associations = ServiceKey(.sctp, port: 3868).rawValue
        let security = ServiceKey(IPProtocol(rawValue: 50), port: 0).rawValue
        let town = SmallPolicy.town {
            for service in [associations, security] {
                $0.ingress(of: SmallPolicy.ownClass(webs), from: SmallPolicy.ownClass(clients), service...service)
            }
        }
        let bench = try PairBench(PairShape(), town)
        let (there, back) = (Ethernet() / IPv4(from: client, to: web), Ethernet() / IPv4(from: web, to: client))
        try bench.expectForwarded(there / SCTP.initiation())
        try bench.expectForwarded(back / SCTP(from: 3868, to: 40000, SCTP.data()), port: 1)
        try bench.expectForwarded(there / ESP(0x1000) / Payload(count: 40))
        try bench.expectForwarded(back / ESP(0x2000) / Payload(count: 40), port: 1)
        try bench.expectDropped(there / SCTP.initiation(to: 3869), .denied)
        try bench.expectDropped(Ethernet() / IPv4(from: client, to: web, next: 88) / Payload(count: 40), .denied)
        #expect(bench.worker.counters.flows == 2)
        #expect(bench.fault == nil)
    }

    @Test func `only an INIT opens an association`() throws {
        let port = ServiceKey(.sctp, port: 3868).rawValue
        let bench = try PairBench(
            PairShape(), .town { $0.ingress(of: SmallPolicy.ownClass(webs), from: SmallPolicy.ownClass(clients), port...port) })
        let there = Ethernet() / IPv4(from: client, to: web)
        // DATA, INIT ACK, ABORT, SHUTDOWN, COOKIE ECHO, HEARTBEAT, as a host's other address would send it.
        for chunk in [SCTP.data(), [2, 0, 0, 4], [6, 0, 0, 4], [7, 0, 0, 8, 0, 0, 0, 0], [10, 0, 0, 4], [4, 0, 0, 4]] as [[UInt8]]
        {
            try bench.expectDropped(there / SCTP(chunk), .notOpening)
        }
        #expect(bench.worker.counters.flows == 0)
        try bench.expectForwarded(there / SCTP.initiation())
        try bench.expectForwarded(there / SCTP(SCTP.data()))
        #expect(bench.worker.counters.flows == 1)
    }

    @Test(arguments: [132, 33, 136] as [UInt8])
    func `a rule for TCP or UDP lets nothing else in that has ports: SCTP, DCCP, UDP-Lite`(number: UInt8) throws {
        let there = Ethernet() / IPv4(from: client, to: web, next: number)
        func datagram(to port: UInt16) -> Packet {
            number == 136 ? there / UDPLite(to: port) / Payload(count: 12) : there / UDP(to: port) / Payload(count: 12)
        }
        for port in [443, 53] as [UInt16] {
            try bench.expectDropped(number == 132 ? there / SCTP.initiation(to: port) : datagram(to: port), .denied)
        }
        // And what has the ports of a connection is none of its frames.
        try bench.establish()
        let packet = number == 132 ? there / SCTP(to: 443, SCTP.data()) : datagram(to: 443)
        try bench.expectDropped(packet, number == 132 ? .notOpening : .denied)
    }

    @Test func `a VLAN is another network: its frames are another flow`() throws {
        try bench.establish()
        try bench.expectDropped(Ethernet() / VLAN(10) / IPv4() / TCP(to: 443, [.ack]), .notOpening)
        try bench.expectForwarded(Ethernet() / VLAN(10) / IPv4() / TCP(to: 443, [.syn]))
        #expect(bench.worker.counters.flows == 2)
    }

    @Test func `address resolution and neighbour discovery pass`() throws {
        try bench.expectForwarded(Ethernet(to: "ff:ff:ff:ff:ff:ff") / ARP() / Padding(to: 60))
        try bench.expectForwarded(Ethernet() / ARP(2, from: "10.0.0.2", to: "10.0.0.1"), port: 1)
        let group: Address = "ff02::1:ff00:2"
        try bench.expectForwarded(
            Ethernet(to: "33:33:ff:00:00:02") / IPv6(from: "fe80::1", to: group, hopLimit: 255)
                / ICMPv6.solicitation(of: "fe80::2", options: ICMPv6.linkLayerOption()))
        try bench.expectForwarded(
            Ethernet() / IPv6(from: "fe80::2", to: "fe80::1", hopLimit: 255) / ICMPv6.advertisement(of: "fe80::2"), port: 1)
        #expect(bench.worker.counters.flows == 0)
        #expect(bench.worker.takeEvents().isEmpty)
    }

    @Test func `a frame by the other port is not the flow's`() throws {
        let connection = Connection()
        try bench.establish(connection)
        try bench.expectDropped(connection.request, .spoofed, port: 1)
        try bench.expectDropped(connection.answer, .spoofed, port: 0)
        // The flow itself goes on.
        try bench.expectForwarded(connection.request)
        try bench.expectForwarded(connection.answer, port: 1)
        #expect(bench.fault == nil)
    }

    @Test func `an opening frame forged on the other side does not keep a connection from its owner`() throws {
        let connection = Connection()
        let query = Ethernet() / IPv4(from: client, to: web) / UDP(to: 53)
        let answer = Ethernet() / IPv4(from: web, to: client) / UDP(from: 53, to: 40000)
        try bench.expectForwarded(connection.syn, port: 1)
        try bench.expectForwarded(query, port: 1)
        _ = bench.worker.takeEvents()
        try bench.establish(connection)
        try bench.expectForwarded(query)
        try bench.expectForwarded(answer, port: 1)
        let events = bench.worker.takeEvents()
        #expect(events.map(\.event) == [FlowRecord.Event.end, .start, .end, .start].map(\.rawValue))
        #expect(events.map(\.port) == [1, 0, 1, 0])
        // From the answer on the first port is the right one.
        try bench.expectDropped(connection.syn, .spoofed, port: 1)
        try bench.expectDropped(query, .spoofed, port: 1)
        try bench.expectForwarded(connection.request)
        try bench.expectForwarded(query)
        #expect(bench.worker.counters.flows == 2 && bench.fault == nil)
    }

    @Test func `what opens nothing by the other port leaves a flow that waits as it is`() throws {
        let connection = Connection()
        try bench.expectForwarded(connection.syn)
        for frame in [connection.ack, connection.request, connection.reset] {
            try bench.expectDropped(frame, .spoofed, port: 1)
        }
        try bench.expectDropped(connection.synAck, .spoofed)
        try bench.establish(connection)
        #expect(bench.worker.takeEvents().map(\.event) == [FlowRecord.Event.start.rawValue])
    }

    @Test(arguments: [TCPFlags.ack, [.syn, .ack], [.rst], [.fin, .ack], [.psh, .ack]])
    func `a segment from the middle of nothing opens nothing`(flags: TCPFlags) throws {
        try bench.expectDropped(Ethernet() / IPv4() / TCP(to: 443, flags), .notOpening)
        #expect(bench.worker.counters.flows == 0)
        #expect(bench.worker.takeEvents().isEmpty)
    }

    @Test func `a closed connection is opened again by a new SYN, as another flow`() throws {
        let connection = Connection()
        try bench.establish(connection)
        try bench.expectForwarded(connection.request)
        try bench.expectForwarded(connection.reset)
        #expect(bench.worker.takeEvents().map(\.event) == [0])
        try bench.expectForwarded(connection.syn)
        let events = bench.worker.takeEvents()
        #expect(events.map(\.event) == [FlowRecord.Event.end.rawValue, FlowRecord.Event.start.rawValue])
        #expect(events.first?.forwardFrames == 4 && events.first?.reverseFrames == 1)
        #expect(bench.worker.counters.flows == 1)
        #expect(bench.fault == nil)
    }

    @Test func `a flow that is quiet for too long ends, and says so`() throws {
        try bench.expectForwarded(Ethernet() / IPv4() / UDP(to: 53))
        _ = bench.worker.takeEvents()
        for _ in 0..<10 {
            bench.clock.pass(seconds: 5)
            bench.turn()
        }
        #expect(bench.worker.counters.flows == 0)
        let events = bench.worker.takeEvents()
        #expect(events.map(\.event) == [FlowRecord.Event.end.rawValue])
        #expect(events.first?.forwardFrames == 1)
        #expect(bench.fault == nil)
    }
}

extension FlowsOfFramesTests {
    @Test func `another lane over the same memory goes on with frames and flows`() throws {
        let connection = Connection()
        try bench.establish(connection)
        try bench.receive([connection.request, connection.request])
        bench.turn()
        try bench.receive([connection.answer], port: 1)
        try bench.worker.handOver()
        #expect(bench.fault == nil)
        bench.turn()
        #expect(bench.worker.ports[1].send() == [connection.request.bytes, connection.request.bytes])
        #expect(bench.worker.ports[0].send() == [connection.answer.bytes])
        try bench.expectForwarded(connection.request)
        #expect(bench.worker.counters.flows == 1 && bench.worker.counters.ports[0].received == 5)
        #expect(bench.worker.takeEvents().map(\.event) == [FlowRecord.Event.start.rawValue])
        #expect(bench.fault == nil)
    }
}

@Suite("ICMP") struct ICMPFramesTests {
    let bench: PairBench

    init() throws { bench = try PairBench() }

    let there = Ethernet() / IPv4(from: client, to: web)
    let back = Ethernet() / IPv4(from: web, to: client)

    @Test func `a reply passes after its request, and only then`() throws {
        try bench.expectDropped(back / ICMP.echoReply(), .unrelatedICMP, port: 1)
        try bench.expectForwarded(there / ICMP.echo())
        try bench.expectForwarded(back / ICMP.echoReply(), port: 1)
        try bench.expectForwarded(there / ICMP.echo(sequence: 2))
        try bench.expectForwarded(back / ICMP.echoReply(sequence: 2), port: 1)
        try bench.expectDropped(back / ICMP.echoReply(identifier: 8), .unrelatedICMP, port: 1)
        #expect(bench.fault == nil)
    }

    @Test func `the responder's own request is not an answer, even with an identifier that makes the keys meet`() throws {
        // Identifier 0x0800 makes request and reply look alike: 8 and 0 are type and code of a request.
        try bench.expectForwarded(there / ICMP.echo(identifier: 0x0800))
        try bench.expectDropped(back / ICMP.echo(identifier: 0x0800), .unrelatedICMP, port: 1)
        try bench.expectForwarded(back / ICMP.echoReply(identifier: 0x0800), port: 1)
    }

    @Test func `the initiator's own reply is none either`() throws {
        try bench.expectForwarded(there / ICMP.echo(identifier: 0x0800))
        try bench.expectDropped(there / ICMP.echoReply(identifier: 0x0800), .unrelatedICMP)
        try bench.expectForwarded(there / ICMP.echo(identifier: 0x0800, sequence: 2))
    }

    @Test func `a request that policy does not name is denied`() throws {
        try bench.expectDropped(there / ICMP(type: 13) / Payload(count: 12), .denied)
        try bench.expectDropped(Ethernet() / IPv4(from: client, to: db) / ICMP.echo(), .denied)
    }
}
