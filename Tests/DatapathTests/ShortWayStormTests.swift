// SPDX-License-Identifier: Apache-2.0
import Classifier
import Datapath
import Flow
import Foundation
import Net
import Record
import TestSupport
import Testing

/// Two pairs get the same frames in the same bursts, while policies, addresses, links and clocks change: one takes the short way where
/// it can, the other never, because one of its zones is on the link itself. Nobody can tell them apart by what they send, count, keep
/// and report.
@Suite("The short way and the long one") struct ShortWayStormTests {
    /// Frames of a run; `BULKHEAD_FRAMES` says how many more.
    private static let frames = ProcessInfo.processInfo.environment["BULKHEAD_FRAMES"].flatMap(Int.init) ?? 12_000

    @Test(arguments: [1, 2]) func `lead to the same end`(workers: Int) throws {
        let seed = ProcessInfo.processInfo.environment["BULKHEAD_SEED"].flatMap(UInt64.init) ?? .random(in: 0...UInt64.max)
        print("The short way and the long one: seed \(seed), \(workers) worker(s)")
        var storm = try TwinStorm(seed: seed, workers: workers)
        while storm.frames < Self.frames {
            try storm.rage()
            if let difference = storm.difference {
                Issue.record("seed \(seed), round \(storm.round): \(difference)")
                return
            }
        }
        let counters = storm.short.workers.map(\.counters)
        let forwarded = counters.reduce(0) { $0 + $1.ports[0].forwarded + $1.ports[1].forwarded }
        if Self.frames > 100_000 {
            for reason in DropReason.allCases {
                let count = storm.short.workers.reduce(0) { $0 + $1.dropped(reason) }
                if count > 0 { print("    \(reason): \(count)") }
            }
        }
        print(
            "\(storm.frames) frames, \(forwarded) forwarded, \(counters.reduce(0) { $0 + $1.admitted }) admitted, "
                + "\(counters.reduce(0) { $0 + $1.refusedAgain }) refused again")
        #expect(forwarded > UInt64(storm.frames / 16) && counters.allSatisfy { $0.refusedAgain > 50 && $0.admitted > 50 })
        #expect(storm.short.fault == nil && storm.long.fault == nil)
    }
}

/// The two pairs.
struct TwinStorm {
    let short: PairBench
    let long: PairBench
    /// Frames and rounds so far.
    private(set) var frames = 0
    private(set) var round = 0
    /// What differs after the last round; `nil` for nothing.
    private(set) var difference: String?
    private var traffic: MixedTraffic
    private var generation: UInt32 = 1

    init(seed: UInt64, workers: Int) throws {
        var shape = PairShape()
        (shape.workers, shape.flows) = (workers, 48)
        short = try PairBench(shape, Self.policy(1, 0, until: .max, isLong: false))
        long = try PairBench(shape, Self.policy(1, 0, until: .max, isLong: true))
        traffic = MixedTraffic(seed: seed)
    }

    private var benches: [PairBench] { [short, long] }

    /// One burst for each port and worker, and a turn of each worker.
    mutating func rage() throws {
        round += 1
        try stir()
        for _ in 0..<pick([1, 8, 40, 100][pick(4)]) + 1 {
            let (bytes, port) = traffic.frame()
            let worker = pick(short.workers.count)
            for bench in benches where bytes.count <= 1700 { _ = bench.workers[worker].ports[port].receive(bytes) }
            frames += 1
        }
        for bench in benches { bench.turnAll() }
        difference = differences()
        let isSent = pick(8) != 0
        for number in short.workers.indices {
            for port in 0..<2 where isSent {
                if short.workers[number].ports[port].send() != long.workers[number].ports[port].send() {
                    difference = difference ?? "port \(port) of worker \(number) sends something else"
                }
            }
        }
    }

    private mutating func pick(_ count: Int) -> Int {
        Int(truncatingIfNeeded: traffic.random.next() >> 33) % count
    }

    /// What happens around the workers.
    private mutating func stir() throws {
        switch pick(80) {
        case 0...3:
            generation += 1
            let kind = pick(64)
            let until = short.clock.wall + UInt64(pick(6))
            try short.publish(Self.policy(generation, kind, until: until, isLong: false))
            try long.publish(Self.policy(generation, kind, until: until, isLong: true))
        case 4, 5:
            let set = [webs, webs, webs, webs, webs, webs, webs, databases][pick(8)]
            for bench in benches { try bench.addresses.writer.claim(web, labelSet: set, workload: webWorkload) }
        case 6 where pick(2) == 0:
            let port = pick(2)
            for bench in benches { bench.workers.forEach { $0.ports[port].hasLink = false } }
        case 7...20: for bench in benches { bench.workers.forEach { $0.ports.forEach { $0.hasLink = true } } }
        case 21, 22: for bench in benches { bench.clock.pass(seconds: 1) }
        case 23: for bench in benches { bench.clock.pass(seconds: 30) }
        case 24: for bench in benches { bench.workers.forEach { $0.dropStale() } }
        case 25:
            for bench in benches {
                for worker in bench.workers { worker.lane.oweGrace(from: bench.clock.nanoseconds) }
            }
        default:
            let milliseconds = UInt64(pick(60))
            for bench in benches { bench.clock.pass(milliseconds: milliseconds) }
        }
    }

    /// A town in which some services change with the generation: allowed for ever or for a while, or not any more, which drains.
    private static func policy(_ generation: UInt32, _ kind: Int, until: UInt64, isLong: Bool) -> SmallPolicy {
        .zoned(generation: generation) {
            let (client, web) = (SmallPolicy.ownClass(clients), SmallPolicy.ownClass(webs))
            var asking = SideRecord()
            asking.replySeconds = 3
            $0.egress(of: client, to: SmallPolicy.anyone)
            $0.egress(of: client, to: SmallPolicy.nobody)
            let question = $0.add(asking)
            $0.egress(of: client, to: SmallPolicy.nobody, ServiceKey.udp(5353), question)
            $0.ingress(of: client, from: SmallPolicy.anyone, 0...0, SmallPolicy.denied)
            $0.ingress(of: client, from: SmallPolicy.nobody, 0...0, SmallPolicy.denied)
            $0.ingress(of: web, from: client, ServiceKey.udp(81), SmallPolicy.rejected)
            var changing = SideRecord()
            if kind & 1 == 0 {
                (changing.change, changing.drainSeconds) = (SideRecord.Change.drain.rawValue, 2)
                if kind & 2 != 0 {
                    changing.validUntil = until
                    changing.successor = UInt32($0.records.count + 1)
                }
            } else {
                changing.decision = Decision.deny.rawValue
            }
            let record = $0.add(changing)
            var denial = SideRecord()
            denial.decision = Decision.deny.rawValue
            _ = $0.add(denial)
            $0.ingress(of: web, from: client, ServiceKey.tcp(8443), record)
            $0.ingress(of: web, from: client, ServiceKey.udp(123), record)
            if kind & 4 != 0 { $0.ingress(of: client, from: web, ServiceKey.udp(40_003)) }
            $0.flows.verifiesChecksums = kind & 24 == 8 ? 0 : 1
            if kind & 32 != 0 { $0.flows.partialChecksums = FlowSettings.Partial.refuse.rawValue }
            $0.flows.pickUp = kind & 16 == 0 ? FlowSettings.PickUp.restart.rawValue : FlowSettings.PickUp.always.rawValue
            ($0.flows.recordSeconds, $0.flows.reservedFlows, $0.flows.waitingShare) = (5, 2, 800)
            if isLong { $0.zoneFacts = [[], [], [], .onLink] }
        }
    }

    private func differences() -> String? {
        for (number, (a, b)) in zip(short.workers, long.workers).enumerated() {
            if let counter = Self.difference(a.counters, b.counters) { return "worker \(number): \(counter)" }
            let (events, others) = (a.takeEvents(), b.takeEvents())
            if events.map({ "\($0)" }) != others.map({ "\($0)" }) {
                return "worker \(number) reports \(events), and in the long way \(others)"
            }
            guard round % 8 == 0 else { continue }
            for entry in 0..<UInt32(short.shape.flows) {
                let fours = ("\(a.lane.flows.v4[entry])", "\(b.lane.flows.v4[entry])")
                let sixes = ("\(a.lane.flows.v6[entry])", "\(b.lane.flows.v6[entry])")
                if fours.0 != fours.1 { return "worker \(number) keeps \(fours.0), and in the long way \(fours.1)" }
                if sixes.0 != sixes.1 { return "worker \(number) keeps \(sixes.0), and in the long way \(sixes.1)" }
            }
        }
        return nil
    }

    private static func difference(_ a: WorkerCounters, _ b: WorkerCounters) -> String? {
        for port in 0..<2 {
            let (x, y) = (a.ports[port], b.ports[port])
            for reason in DropReason.allCases where x.dropped[Int(reason.number)] != y.dropped[Int(reason.number)] {
                return "port \(port) has dropped \(x.dropped[Int(reason.number)]) as \(reason), "
                    + "and in the long way \(y.dropped[Int(reason.number)])"
            }
            if (x.received, x.forwarded, x.forwardedBytes, x.held) != (y.received, y.forwarded, y.forwardedBytes, y.held) {
                return "port \(port) has forwarded \(x.forwarded), and in the long way \(y.forwarded)"
            }
        }
        let numbers: [(String, KeyPath<WorkerCounters, UInt64>)] = [
            ("handed over", \.handedOver), ("taken over", \.takenOver), ("flows", \.flows), ("evicted", \.evicted),
            ("lost events", \.lostEvents), ("waiting", \.waiting), ("refused again", \.refusedAgain), ("picked up", \.pickedUp),
            ("completed checksums", \.completedChecksums), ("expected replies", \.expectedReplies),
            ("forgotten replies", \.forgottenReplies), ("admitted", \.admitted), ("refused", \.refused),
        ]
        for (name, path) in numbers where a[keyPath: path] != b[keyPath: path] {
            return "\(name): \(a[keyPath: path]), and in the long way \(b[keyPath: path])"
        }
        return nil
    }
}
