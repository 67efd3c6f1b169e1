// SPDX-License-Identifier: Apache-2.0
import TestSupport

extension FuzzTarget {
    /// Sequences of fragments: six bytes each, as `FragmentSteps` reads them.
    static let fragments = FuzzTarget(
        "fragments", "a fragment table says of each fragment what an obvious one says, and its lists and sums stay right",
        seeds: FragmentSteps.seeds, mutate: FragmentSteps.mutated, flaw: FragmentSteps.flaw)
}

/// What six bytes stand for: source and identification, offset in units (two bytes), length in units, bytes of the last unit, and flags:
/// bit 0 for more, bit 7 for time that goes by instead, as many hundreds of ticks as the length says.
private enum FragmentSteps {
    static let size = 6
    /// Steps that are read of an input: a longer one says nothing new, and the model is slow.
    static let most = 400

    @Sendable static func flaw(_ input: [UInt8]) -> String? {
        let bench = FragmentBench(seed: 1)
        for start in stride(from: 0, to: min(input.count, size * most) - size + 1, by: size) {
            let step = Array(input[start..<start + size])
            let outcome =
                step[5] & 0x80 != 0
                ? bench.wait(UInt32(step[3]) * 100)
                : piece(step).map { bench.add($0, of: UInt32(step[0] >> 3), host: UInt32(step[0] & 7)) }
            if let flaw = outcome?.flaw { return "step \(start / size): \(flaw)" }
        }
        return bench.isMemoryIntact ? nil : "something was written beside the table"
    }

    /// The piece of a step; `nil` for what Wire would refuse.
    static func piece(_ step: [UInt8]) -> SlowFragmentTable.Piece? {
        let offset = (Int(step[1]) << 8 | Int(step[2])) % 8192 * 8
        let hasMore = step[5] & 1 != 0
        let length = (Int(step[3]) + 1) * 8 - (hasMore ? 0 : Int(step[4] & 7))
        guard offset + length <= 65_535 else { return nil }
        return SlowFragmentTable.Piece(offset..<offset + length, hasMore: hasMore)
    }

    @Sendable static func seeds() -> [FuzzTarget.Seed] {
        [
            ("in order", steps((0, 10, true), (10, 10, true), (20, 5, false))),
            ("in reverse order", steps((20, 5, false), (10, 10, true), (0, 10, true))),
            ("a copy", steps((0, 10, true), (10, 10, true), (10, 10, true), (20, 1, false))),
            ("an overlap by one unit", steps((10, 10, true), (19, 10, true), (0, 10, true))),
            ("an overlap by one unit, the other way", steps((19, 10, true), (10, 10, true), (0, 10, true))),
            ("two ends", steps((10, 1, false), (20, 1, false), (0, 10, true))),
            ("behind the end", steps((10, 1, false), (11, 1, true), (0, 10, true))),
            ("a first over what came", steps((4, 10, true), (0, 5, true))),
            ("the largest", (0..<32).reversed().flatMap { step($0 * 256, 256, $0 < 31) }),
            ("time in between", steps((10, 10, true)) + [0, 0, 0, 50, 0, 0x80] + steps((0, 10, true))),
            ("many numbers", (0..<32).flatMap { step(1, 1, true, of: UInt8($0 << 3)) }),
        ]
    }

    private static func steps(_ pieces: (Int, Int, Bool)...) -> [UInt8] { pieces.flatMap { step($0.0, $0.1, $0.2) } }

    private static func step(_ unit: Int, _ units: Int, _ more: Bool, of name: UInt8 = 0) -> [UInt8] {
        [name, UInt8(unit >> 8), UInt8(unit & 0xff), UInt8(units - 1), more ? 0 : 3, more ? 1 : 0]
    }

    /// A step lost, twice, elsewhere, moved by a unit, of another datagram, or new.
    @Sendable static func mutated(_ input: [UInt8], _ random: inout PacketRandom) -> [UInt8] {
        var steps = stride(from: 0, to: input.count - size + 1, by: size).map { Array(input[$0..<$0 + size]) }
        guard !steps.isEmpty else { return seeds().randomElement(using: &random)?.bytes ?? [] }
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            let place = Int.random(in: steps.indices, using: &random)
            switch Int.random(in: 0..<8, using: &random) {
            case 0 where steps.count > 1: steps.remove(at: place)
            case 1: steps.insert(steps[place], at: Int.random(in: 0...steps.count, using: &random))
            case 2: steps.swapAt(place, Int.random(in: steps.indices, using: &random))
            case 3: steps[place][2] = steps[place][2] &+ (Bool.random(using: &random) ? 1 : 255)
            case 4: steps[place][0] = UInt8.random(in: 0...255, using: &random)
            case 5: steps[place][3] = steps[place][3] &+ (Bool.random(using: &random) ? 1 : 255)
            case 6: steps.insert([0, 0, 0, UInt8.random(in: 0...60, using: &random), 0, 0x80], at: place)
            default:
                let name = UInt8.random(in: 0...255, using: &random)
                steps.insert(
                    step(
                        Int.random(in: 0..<40, using: &random), Int.random(in: 1...12, using: &random),
                        Bool.random(using: &random), of: name), at: place)
            }
        }
        return steps.flatMap { $0 }
    }
}
