// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing

@testable import FuzzTargets

@Suite("The grammar of frames") struct GrammarTests {
    @Test func `what it starts from is read, down to the second tunnel`() {
        for blueprint in FrameGrammar.samples.blueprints {
            let outcome = FrameOutcome(of: blueprint.bytes)
            #expect(outcome.reason == nil && outcome.flaw == nil, "\(hexadecimal(blueprint.bytes))")
        }
        let depths = FrameGrammar.samples.blueprints.map { FrameOutcome(of: $0.bytes).inner.count }
        for depth in 0...3 { #expect(depths.contains(depth)) }
    }

    @Test func `borders lie in the frame, in order, from its first byte to the end of its last layer`() {
        for blueprint in FrameGrammar.samples.blueprints {
            #expect(blueprint.borders.first == 0)
            #expect(zip(blueprint.borders, blueprint.borders.dropFirst()).allSatisfy(<=))
            #expect((blueprint.borders.last ?? 0) <= blueprint.bytes.count)
        }
    }

    @Test func `the same seed makes the same frames`() {
        var (first, second) = (PacketRandom(seed: 7), PacketRandom(seed: 7))
        for _ in 0..<1000 { #expect(FrameGrammar.samples.frame(&first) == FrameGrammar.samples.frame(&second)) }
    }

    @Test func `any bytes can be gone on from`() {
        var random = PacketRandom(seed: 8)
        for count in [0, 1, 12, 13, 14, 15, 60] {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            for _ in 0..<200 { _ = FrameGrammar.samples.frame(from: bytes, &random) }
        }
    }
}
