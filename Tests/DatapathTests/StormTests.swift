// SPDX-License-Identifier: Apache-2.0
import Classifier
import Net
import Record
import TestSupport
import Testing

/// Frames of every kind, whole and damaged, by both ports, while links go and come, policies and addresses change and time passes.
/// After each turn received is forwarded, dropped and held, and every so often each frame is found in exactly one place.
@Suite("A storm") struct StormTests {
    /// Frames that the storm starts from, each with the port behind which its sender lives.
    static let frames: [(bytes: [UInt8], home: Int)] = {
        var there: [Packet] = DropReason.allCases.compactMap(unreadable)
        there += [
            Ethernet() / ARP(), Ethernet() / IPv4() / UDP(to: 53) / Payload("query"), Ethernet() / IPv4() / ICMP.echo(),
            Ethernet() / IPv6(from: client6, to: web6) / ICMPv6.echo(), Connection(to: contested).syn,
            Ethernet() / VLAN(10) / IPv6(from: client6, to: web6) / TCP(to: 443, [.syn]),
            Ethernet() / IPv4(from: stranger, to: otherStranger) / UDP(),
        ]
        var back: [Packet] = [Ethernet() / IPv4(from: web, to: client) / ICMP.echoReply()]
        for port in [443, 80, 5001, 22] as [UInt16] {
            for source in 1000..<1008 as Range<UInt16> {
                let connection = Connection(source: source, port: port)
                there += [connection.syn, connection.ack, connection.request, connection.reset]
                back += [connection.synAck, connection.answer]
            }
        }
        return there.map { ($0.bytes, 0) } + back.map { ($0.bytes, 1) }
    }()

    @Test(arguments: [1, 3]) func `a hundred thousand frames are forwarded or dropped, and none is lost`(workers: Int) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("A storm: seed \(seed), \(workers) worker(s)")
        var random = PacketRandom(seed: seed)
        var shape = PairShape()
        (shape.workers, shape.flows, shape.handOffs, shape.frames) = (workers, 64, 32, 400)
        let bench = try PairBench(shape)
        var delivered = 0
        var round = 0
        while delivered < 100_000 {
            round += 1
            for _ in 0..<Int.random(in: 0...150, using: &random) {
                let (original, home) = Self.frames[Int.random(in: Self.frames.indices, using: &random)]
                let frame = Int.random(in: 0..<4, using: &random) == 0 ? random.mutated(original) : original
                let worker = bench.workers[Int.random(in: 0..<workers, using: &random)]
                let port = Int.random(in: 0..<8, using: &random) == 0 ? 1 - home : home
                if worker.ports[port].receive(frame) { delivered += 1 }
            }
            try stir(bench, &random)
            bench.turn(Int.random(in: 0..<workers, using: &random))
            for worker in bench.workers {
                if let fault = worker.accountingFault { Issue.record("\(fault): seed \(seed), round \(round)") }
            }
            if round % 64 == 0, let fault = bench.fault { Issue.record("\(fault): seed \(seed), round \(round)") }
        }
        for _ in 0..<40 { bench.turnAll() }
        #expect(bench.fault == nil, "seed \(seed)")
        let counters = bench.workers.flatMap { [$0.counters.ports[0], $0.counters.ports[1]] }
        #expect(counters.reduce(0) { $0 + $1.received } == UInt64(delivered), "seed \(seed)")
        // About 10,000 pass: damaged frames fall to their checksum, resets end flows whose segments go on. That the storm goes through at
        // all is what is asked here.
        #expect(counters.reduce(0) { $0 + $1.forwarded } > 5000, "seed \(seed)")
    }

    /// What happens around the workers.
    private func stir(_ bench: PairBench, _ random: inout PacketRandom) throws {
        for worker in bench.workers {
            for port in 0..<2 where Bool.random(using: &random) {
                _ = worker.ports[port].send(limit: UInt32.random(in: 0...200, using: &random))
            }
            _ = worker.takeEvents()
        }
        let worker = bench.workers[Int.random(in: bench.workers.indices, using: &random)]
        switch Int.random(in: 0..<60, using: &random) {
        case 0:
            let port = Int.random(in: 0..<2, using: &random)
            worker.ports[port].hasLink = false
            worker.withdraw(port)
        case 1: worker.dropStale()
        case 10...20: worker.ports.forEach { $0.hasLink = true }
        case 2: try bench.publish(.town(generation: .random(in: 1...100, using: &random)))
        case 3:
            try bench.addresses.writer.claim(
                web, labelSet: [webs, webs, webs, databases].randomElement(using: &random) ?? webs, workload: webWorkload)
        case 4: bench.clock.pass(seconds: .random(in: 1...100, using: &random))
        default: bench.clock.pass(milliseconds: .random(in: 0...20, using: &random))
        }
    }
}
