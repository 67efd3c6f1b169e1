// SPDX-License-Identifier: Apache-2.0
import Net
import Record
import TestSupport

/// A worker under floods of opening frames from random sources. Prints what it measures.
public struct Flood {
    private let bench: FloodBench
    private let capacity: Int
    private var random: PacketRandom
    private let allowed = Segment(to: FloodBench.web, .syn)
    private let denied = Segment(to: FloodBench.db, .syn)
    private let data = Segment(to: FloodBench.web, [.ack, .psh], acknowledgement: 5001)
    private let isAlone: Bool
    /// What was found wrong.
    public private(set) var findings: [String] = []

    /// Connections that are open throughout.
    private static let live: UInt16 = 1000

    /// A worker with room for so many flows. Times and the memory of the process are judged only in a process of its own, built with
    /// optimisation, on a machine with nothing else to do.
    public init(capacity: Int, seed: UInt64, isAlone: Bool) throws {
        self.capacity = capacity
        self.isAlone = isAlone
        bench = try FloodBench(capacity: capacity)
        random = PacketRandom(seed: seed)
    }

    /// The whole run: what frames cost without a flood, the flood, what is left of the connections, and the time after it.
    public mutating func run(frames: Int) {
        establish()
        let calm = Self.median((0..<200).map { _ in checkLive().nanoseconds })
        let first = Self.median((0..<(capacity / 10 / 64)).map { _ in bench.burst(syns(allowed)).nanoseconds })
        print("established frame \(Self.text(calm)) ns, first frame with room \(Self.text(first)) ns")
        flood(frames, first)
        compareWithDenied()
        recover()
    }

    /// Handshakes of the live connections.
    private mutating func establish() {
        let (ack, answer) = (Segment(to: FloodBench.web, .ack, acknowledgement: 5001), Self.answer())
        for start in stride(from: 0 as UInt16, to: Self.live, by: 40) {
            let ports = (start..<(start + 40)).map { $0 + 1024 }
            _ = bench.burst(ports.map { allowed.from(0x0a00_0001, $0) })
            _ = bench.burst(ports.map(answer), port: 1)
            _ = bench.burst(ports.map { ack.from(0x0a00_0001, $0, sequence: 1001) })
        }
        expect(Int(bench.worker.counters.flows) == Int(Self.live), "\(bench.worker.counters.flows) connections opened")
    }

    /// The server's SYN with ACK to a port.
    private static func answer() -> (UInt16) -> [UInt8] {
        { port in
            let packet =
                Ethernet() / IPv4(from: FloodBench.web, to: "10.0.0.1")
                / TCP(from: 443, to: port, [.syn, .ack], sequence: 5000, acknowledgement: 1001)
            return packet.bytes
        }
    }

    /// A frame of 64 live connections, each of which must pass; what one costs.
    private mutating func checkLive() -> (nanoseconds: Double, lost: Int) {
        let ports = (0..<64).map { _ in 1024 + UInt16.random(in: 0..<Self.live, using: &random) }
        let frames = ports.map { data.from(0x0a00_0001, $0, sequence: 1001) }
        let (took, sent) = bench.burst(frames)
        return (took, frames.count - sent)
    }

    /// A burst of opening frames of random sources, none of them the live connections'.
    private mutating func syns(_ segment: Segment) -> [[UInt8]] {
        (0..<64).map { _ in
            let word = random.next()
            let address = 0x0a40_0000 | UInt32(truncatingIfNeeded: word) & 0x3f_ffff
            return segment.from(address, UInt16(truncatingIfNeeded: word >> 32) | 1)
        }
    }

    private mutating func flood(_ count: Int, _ first: Double) {
        // What the table touches once is not a leak.
        for _ in 0..<(capacity / 64 + 1) { _ = bench.burst(syns(allowed)) }
        let memory = FloodBench.residentMemory()
        var (costs, lives, lost): ([Double], [Double], Int) = ([], [], 0)
        let begin = FloodBench.time()
        for number in 0..<(count / 64) {
            let (cost, _) = bench.burst(syns(allowed))
            costs.append(cost)
            // Half of what the worker could take: as much time again passes.
            bench.pass(nanoseconds: UInt64(cost * 128))
            guard number % 64 == 0 else { continue }
            let live = checkLive()
            lives.append(live.nanoseconds)
            lost += live.lost
        }
        let seconds = Double(FloodBench.time() - begin) / 1e9
        let grown = FloodBench.residentMemory() - memory
        let cost = Self.median(costs)
        print("flood: \(count) SYNs in \(Self.text(seconds)) s")
        print("flood: a SYN \(Self.text(cost)) ns (\(Self.text(cost / first)) of a first frame with room)")
        print("flood: a live connection's frame \(Self.text(Self.median(lives))) ns, \(lost) lost of \(lives.count * 64)")
        print(
            "flood: memory grew by \(grown) KiB; \(bench.worker.counters.evicted) gave way, \(bench.worker.counters.waiting) wait"
        )
        expect(lost == 0, "\(lost) frames of live connections lost")
        // The samples above are kept in arrays.
        expect(!isAlone || grown < 4096 + costs.count * 32 / 1024, "memory grew by \(grown) KiB")
        expect(!isAlone || cost <= 2 * first, "a SYN of the flood costs \(Self.text(cost / first)) first frames")
        expect(bench.worker.memoryFault == nil, bench.worker.memoryFault ?? "")
    }

    /// Allowed and denied opening frames of random sources in turn, then the same refused connections again and again.
    private mutating func compareWithDenied() {
        var (yes, no, again, calm): ([Double], [Double], [Double], [Double]) = ([], [], [], [])
        let rounds = isAlone ? 4000 : 400
        for _ in 0..<rounds {
            yes.append(bench.burst(syns(allowed)).nanoseconds)
            no.append(bench.burst(syns(denied)).nanoseconds)
            bench.pass(nanoseconds: 50_000)
        }
        let before = bench.worker.counters.refusedAgain
        for number in 0..<rounds {
            let start = UInt16(number % 15) * 64
            let same = (0..<64 as Range<UInt16>).map { denied.from(0x0a00_0001, 1024 + start + $0) }
            again.append(bench.burst(same).nanoseconds)
            calm.append(checkLive().nanoseconds)
        }
        let hits = bench.worker.counters.refusedAgain - before
        let (a, b, c, d) = (Self.median(yes), Self.median(no), Self.median(again), Self.median(calm))
        print("denied: an allowed SYN \(Self.text(a)) ns, a denied one \(Self.text(b)) ns (\(Self.text(b / a)))")
        print("denied: again \(Self.text(c)) ns, an established frame \(Self.text(d)) ns (\(Self.text(c / d)))")
        print("denied: \(hits) of \(rounds * 64) were remembered")
        expect(!isAlone || b <= a, "a denied SYN costs \(Self.text(b / a)) allowed ones")
    }

    /// Ten seconds of an idle worker: some turns every 100 ms.
    private mutating func recover() {
        let limit = UInt64(capacity / 4)
        var drained: Int?
        for tenth in 1...100 {
            bench.pass(nanoseconds: 100_000_000)
            for _ in 0..<200 { bench.turn() }
            _ = bench.burst([])
            if drained == nil, bench.worker.counters.waiting <= limit / 2 { drained = tenth }
        }
        let (_, sent) = bench.burst(syns(allowed))
        let after = drained.map { Self.text(Double($0) / 10) } ?? "more than 10"
        print("after: half of the waiting share was free after \(after) s")
        expect(drained != nil, "\(bench.worker.counters.waiting) still wait after 10 s")
        expect(sent == 64, "\(sent) of 64 new connections open")
        var lost = 0
        for _ in 0..<100 { lost += checkLive().lost }
        expect(lost == 0, "\(lost) frames of live connections lost after the flood")
    }

    private mutating func expect(_ holds: Bool, _ otherwise: String) { if !holds { findings.append(otherwise) } }

    static func median(_ values: [Double]) -> Double { values.isEmpty ? 0 : values.sorted()[values.count / 2] }

    static func text(_ value: Double) -> String {
        let tenths = Int((value * 100).rounded())
        return "\(tenths / 100).\(tenths % 100 < 10 ? "0" : "")\(tenths % 100)"
    }
}
