// SPDX-License-Identifier: Apache-2.0
import Foundation
import FuzzTargets
import TestSupport
import Testing

@Suite("Fragment table and its model") struct FragmentWalkTests {
    /// More by hand: `BULKHEAD_STEPS=1000000`.
    private static let steps = ProcessInfo.processInfo.environment["BULKHEAD_STEPS"].flatMap(Int.init) ?? 3_000

    @Test(arguments: [UInt64(1), 2, 3, 4])
    func `random fragments of many sources are treated as a dictionary of pieces says`(seed: UInt64) throws {
        var random = PacketRandom(seed: seed)
        let bench = FragmentBench(seed: seed)
        var traffic = FragmentTraffic()
        var said: Set<String> = []
        for step in 0..<Self.steps {
            let outcome =
                Int.random(in: 0..<12, using: &random) == 0
                ? bench.wait(UInt32.random(in: 0..<1500, using: &random)) : traffic.next(&random, into: bench)
            try #require(outcome.flaw == nil, "seed \(seed) step \(step): \(outcome.flaw ?? "")")
            said.insert(outcome.what)
        }
        #expect(bench.isMemoryIntact)
        let all = [
            "known", "waits", "refused(Net.DropReason.fragmentOverlap)", "refused(Net.DropReason.fragmentLimit)", "expired",
        ]
        #expect(said.isSuperset(of: all), "the walk reaches every outcome: \(said)")
    }
}

/// Datagrams of a few sources, cut into fragments that come in order and out of order, twice, late, or never.
private struct FragmentTraffic {
    private typealias Item = (host: UInt32, identification: UInt32, piece: SlowFragmentTable.Piece)
    private var queue: [Item] = []

    /// Sends the next fragment.
    mutating func next(_ random: inout PacketRandom, into bench: FragmentBench) -> (what: String, flaw: String?) {
        while queue.count < 40 { cut(&random) }
        // Mostly in order, often not; sometimes twice, sometimes lost.
        let place = Bool.random(using: &random) ? 0 : Int.random(in: queue.indices, using: &random)
        let item = Int.random(in: 0..<10, using: &random) == 0 ? queue[place] : queue.remove(at: place)
        if Int.random(in: 0..<20, using: &random) == 0 { return ("lost", nil) }
        return bench.add(item.piece, of: item.identification, host: item.host)
    }

    /// Cuts a datagram, sometimes wrongly. Few numbers, so that they are used again.
    private mutating func cut(_ random: inout PacketRandom) {
        let host = UInt32.random(in: 0..<8, using: &random)
        let identification = UInt32.random(in: 0..<40, using: &random)
        let total = Int.random(in: 9...3000, using: &random)
        let size = 8 * Int.random(in: 1...60, using: &random)
        var pieces: [SlowFragmentTable.Piece] = []
        for start in stride(from: 0, to: total, by: size) {
            let end = min(start + size, total)
            pieces.append(SlowFragmentTable.Piece(start..<end, hasMore: end < total))
        }
        if Int.random(in: 0..<4, using: &random) == 0 {
            let start = 8 * Int.random(in: 0...(total / 8), using: &random)
            let length = 8 * Int.random(in: 1...40, using: &random)
            pieces.append(SlowFragmentTable.Piece(start..<start + length, hasMore: Bool.random(using: &random)))
        }
        if Int.random(in: 0..<3, using: &random) == 0 { pieces.reverse() }
        queue += pieces.map { (host, identification, $0) }
    }
}
