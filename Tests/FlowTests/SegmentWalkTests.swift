// SPDX-License-Identifier: Apache-2.0
import Flow
import Net
import TestSupport
import Testing

@Suite("Segments and their slow machine") struct SegmentWalkTests {
    @Test(arguments: Array(1...8 as ClosedRange<UInt64>))
    func `random segments mean to the table what they mean to the slow machine`(
        seed: UInt64
    ) {
        var random = PacketRandom(seed: seed)
        for round in 0..<15 {
            let count = Int.random(in: 10...300, using: &random)
            // The first segment is a SYN that finds nothing.
            let bytes =
                [UInt8(truncatingIfNeeded: random.next())]
                + (0..<count * SegmentWalk.step).map { $0 == 1 ? 2 : UInt8(truncatingIfNeeded: random.next()) }
            let flaw = SegmentWalk.flaw(bytes)
            #expect(flaw == nil, "seed \(seed) round \(round)")
        }
    }

    @Test func `the walks meet every state, and everything that a segment can be`() {
        var random = PacketRandom(seed: 99)
        var seen: Set<String> = []
        for _ in 0..<80 {
            let bytes = [0] + (0..<200 * SegmentWalk.step).map { $0 == 1 ? 2 : UInt8(truncatingIfNeeded: random.next()) }
            for line in SegmentWalk.fates(bytes) { seen.insert(String(line[line.lastIndex(of: ":")!...])) }
        }
        let states = ["synSent", "synReceived", "established", "closing", "closed"]
        for state in states {
            #expect(seen.contains(": live \(state)"), "\(state)")
            #expect(seen.contains { $0.contains("outOfWindow") && $0.hasSuffix(state) }, "\(state)")
        }
        for fate in ["ended", "reopen", "crossing", "answered", "oneSided"] {
            #expect(seen.contains { $0.contains(fate) }, "\(fate)")
        }
    }
}
