// SPDX-License-Identifier: Apache-2.0
import Classifier
import Datapath
import Flow
import Net
import Record
import TestSupport
import Testing

@Suite("The short way") struct ShortWayTests {
    @Test(arguments: [1, 2, 3] as [UInt64]) func `frames of one burst fare as they do one by one`(seed: UInt64) throws {
        var random = PacketRandom(seed: seed)
        let (together, alone) = (try PairBench(), try PairBench())
        for step in 0..<60 {
            let port = Int.random(in: 0...1, using: &random)
            let frames = (0..<Int.random(in: 1...24, using: &random)).map { _ in Self.frame(port, &random) }
            try together.receive(frames, port: port)
            together.turn()
            for frame in frames {
                try alone.receive([frame], port: port)
                alone.turn()
            }
            for number in 0..<2 {
                let (a, b) = (together.worker.counters.ports[number], alone.worker.counters.ports[number])
                let dropped = DropReason.allCases.filter { a.dropped[Int($0.number)] != b.dropped[Int($0.number)] }
                #expect(a.forwarded == b.forwarded && dropped.isEmpty, "seed \(seed), step \(step): \(dropped)")
            }
            #expect(together.worker.counters.flows == alone.worker.counters.flows)
            #expect(together.worker.counters.refusedAgain == alone.worker.counters.refusedAgain)
            for bench in [together, alone] {
                for number in 0..<2 { _ = bench.worker.ports[number].send() }
                bench.turn()
                bench.clock.pass(milliseconds: 40)
            }
        }
        #expect(together.worker.counters.flows > 4 && together.worker.counters.refusedAgain > 10)
        #expect(together.fault == nil && alone.fault == nil)
    }

    /// A frame of one of a few connections, allowed or not, in whatever state it is.
    private static func frame(_ port: Int, _ random: inout PacketRandom) -> Packet {
        let number = UInt16.random(in: 0..<8, using: &random)
        let (server, service) = [(web, 443), (db, 443), (web, 81), (web, 53)].randomElement(using: &random) ?? (web, 443)
        let isDatagram = service == 53 || Int.random(in: 0..<4, using: &random) == 0
        let (here, there) = (40_000 + number, UInt16(service))
        let (from, to) = port == 0 ? (client, server) : (server, client)
        let network = Ethernet() / IPv4(from: from, to: to)
        let ports = port == 0 ? (here, there) : (there, here)
        if isDatagram { return network / UDP(from: ports.0, to: ports.1) / Payload(count: 24) }
        let opens: TCPFlags = port == 0 ? [.syn] : [.syn, .ack]
        let flags: TCPFlags = [opens, [.ack], [.ack, .psh], [.fin, .ack], [.rst]].randomElement(using: &random) ?? [.ack]
        let sequence: UInt32 = flags.contains(.syn) ? 1_000 : 1_001
        return network
            / TCP(from: ports.0, to: ports.1, flags, sequence: sequence, acknowledgement: flags.contains(.ack) ? 1_001 : 0)
            / Padding(to: 60)
    }

    @Test func `a datagram whose like was refused ends there, until its policy is another`() throws {
        let bench = try PairBench()
        let datagram = Ethernet() / IPv4(from: client, to: db) / UDP(to: 9) / Payload(count: 20)
        for _ in 0..<5 { try bench.expectDropped(datagram, .denied) }
        #expect(bench.worker.counters.refusedAgain == 4)
        try bench.publish(
            .town(generation: 2) { $0.ingress(of: SmallPolicy.ownClass(databases), from: SmallPolicy.ownClass(clients)) })
        try bench.expectForwarded(datagram)
        #expect(bench.worker.counters.refusedAgain == 4)
        #expect(bench.fault == nil)
    }

    @Test func `a refusal of a moment ago does not outlive the flow that a frame before it in the burst opens`() throws {
        var shape = PairShape()
        shape.workers = 2
        let bench = try PairBench(shape)
        // Frames of both ports come in one burst to the worker that another one has passed them to: of these flows about half are its.
        for number in 40_000..<40_016 as Range<UInt16> {
            let question = Ethernet() / IPv4(from: client, to: web) / UDP(from: number, to: 53) / Payload(count: 20)
            let answer = Ethernet() / IPv4(from: web, to: client) / UDP(from: 53, to: number) / Payload(count: 20)
            try bench.receive([answer], port: 1)
            bench.turnAll()
            try bench.receive([question])
            try bench.receive([answer], port: 1)
            bench.turnAll()
            for worker in bench.workers { worker.ports.forEach { _ = $0.send() } }
        }
        #expect(bench.workers[1].counters.takenOver > 6)
        #expect(bench.workers.reduce(0) { $0 + $1.dropped(.unjudged) } == 16)
        #expect(bench.workers.reduce(0) { $0 + $1.counters.refusedAgain } == 0)
        #expect(bench.workers.reduce(0) { $0 + $1.counters.ports[1].forwarded } == 16)
        #expect(bench.fault == nil)
    }

    @Test(arguments: [true, false]) func `packets behind a tag go with the connection under that tag, and no other`(
        isIPv4: Bool
    ) throws {
        let bench = try PairBench()
        func segment(_ tag: UInt16?, _ flags: TCPFlags, isAnswer: Bool = false) -> Packet {
            let link = tag.map { Ethernet() / VLAN($0) } ?? Packet([Ethernet()])
            let ends = isIPv4 ? (client, web) : (client6, web6)
            let (from, to) = isAnswer ? (ends.1, ends.0) : ends
            let network = isIPv4 ? link / IPv4(from: from, to: to) : link / IPv6(from: from, to: to)
            let opens = flags.contains(.syn)
            return network
                / TCP(
                    from: isAnswer ? 443 : 40_000, to: isAnswer ? 40_000 : 443, flags, sequence: opens ? 100 : 101,
                    acknowledgement: flags.contains(.ack) ? 101 : 0)
                / Padding(to: 80)
        }
        for tag in [7, nil] as [UInt16?] {
            try bench.expectForwarded(segment(tag, [.syn]))
            try bench.expectForwarded(segment(tag, [.syn, .ack], isAnswer: true), port: 1)
            for _ in 0..<3 { try bench.expectForwarded(segment(tag, [.ack])) }
            try bench.expectForwarded(segment(tag, [.ack], isAnswer: true), port: 1)
        }
        // A tag without an identifier is none; another one is another network.
        try bench.expectForwarded(segment(0, [.ack]))
        try bench.expectDropped(segment(8, [.ack]), .notOpening)
        #expect(bench.worker.counters.flows == 2)
        let frames = (0..<2).map { number in
            let entry = isIPv4 ? bench.worker.lane.flows.v4[UInt32(number)] : bench.worker.lane.flows.v6[UInt32(number)]
            return entry.lowFrames + entry.highFrames
        }
        #expect(frames.sorted() == [6, 7])
        #expect(bench.fault == nil)
    }

    @Test func `what was read last is known of a plain packet too`() throws {
        let bench = try PairBench()
        try bench.establish(Connection(), port: 0)
        try bench.expectForwarded(Connection().request)
        #expect(bench.worker.lane.lastReading?.destinationPort == 443)
    }
}
