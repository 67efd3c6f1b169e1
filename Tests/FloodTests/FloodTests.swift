// SPDX-License-Identifier: Apache-2.0
import FloodBench
import Testing

@Suite("Floods") struct FloodTests {
    @Test func `a flood of opening frames loses no live connection and is over within seconds`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("Floods: seed \(seed)")
        var flood = try Flood(capacity: 20_000, seed: seed, isAlone: false)
        flood.run(frames: 200_000)
        #expect(flood.findings.isEmpty, "seed \(seed): \(flood.findings)")
    }
}
