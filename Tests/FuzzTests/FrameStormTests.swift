// SPDX-License-Identifier: Apache-2.0
import FuzzTargets
import Net
import Testing

@Suite("A storm of frames") struct FrameStormTests {
    /// What Wire can say of a frame by itself, in a storm of this length.
    private static let met = DropReason.allCases.filter {
        $0.rawValue <= DropReason.martian.rawValue && $0 != .unknownEtherType
    }

    @Test func `two hundred thousand frames are read or refused, with every reason that there is`() {
        let seed = UInt64.random(in: 0 ... .max)
        print("A storm of frames: seed \(seed)")
        var storm = FrameStorm(seed: seed)
        storm.rage(200_000)
        #expect(storm.flaws.isEmpty, "seed \(seed): \(storm.flaws.joined(separator: "\n"))")
        for reason in Self.met { #expect(storm.refused[reason, default: 0] > 0, "seed \(seed): no \(reason)") }
        #expect(storm.readable > 100_000 && storm.inside[0] > 50_000 && storm.inside[1] > 10_000, "seed \(seed): \(storm)")
    }
}
