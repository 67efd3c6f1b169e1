// SPDX-License-Identifier: Apache-2.0
import TestSupport

extension FuzzTarget {
    /// Segments of both ends of a connection, and of whoever sends in their names: a byte of configuration, then ten bytes each.
    static let segments = FuzzTarget(
        "segments", "the flow table and the slow machine say the same of each TCP segment, and know the same afterwards",
        seeds: SegmentSequence.seeds, mutate: SegmentSequence.changed, flaw: { SegmentWalk.flaw($0) })
}

private enum SegmentSequence {
    /// Who sends and whether policy lets a crossing SYN pass, which flags, and where sequence and acknowledgement lie: see `SegmentWalk`.
    private static func step(_ sender: UInt8, _ kind: UInt8, _ length: UInt8 = 0, scale: UInt8 = 3) -> [UInt8] {
        [sender | 2, kind, 0, 0, 0, 0, 5, length, scale, 0]
    }

    private static let handshake = step(0, 2) + step(1, 3) + step(0, 0)

    @Sendable static func seeds() -> [FuzzTarget.Seed] {
        let data = (0..<6).flatMap { step(UInt8($0 & 1), 1, 4) }
        let ending = step(0, 4) + step(1, 4) + step(0, 0) + step(1, 0)
        let walks: [(String, [UInt8])] = [
            ("a connection", handshake + data + ending), ("used again", handshake + ending + handshake),
            ("a reset", handshake + data + step(1, 5) + step(0, 2)),
            ("crossing", step(0, 2) + step(1, 2) + step(0, 3) + step(1, 3)),
            ("a SYN inside", handshake + [2, 2, 13, 99, 0, 0, 5, 0, 3, 0] + step(1, 0) + [3, 3, 13, 9, 3, 0, 5, 0, 3, 0]),
        ]
        return walks.flatMap { name, bytes in
            [(0, "IPv4"), (1, "IPv6"), (0x0e, "loose"), (0x70, "one direction"), (0x80, "picked up")].map { first, kind in
                ("\(name), \(kind)", [UInt8(first)] + bytes)
            }
        }
    }

    /// A segment changed, doubled, left out or put elsewhere.
    @Sendable static func changed(_ input: [UInt8], _ random: inout PacketRandom) -> [UInt8] {
        guard input.count > SegmentWalk.step else { return input + step(0, 2) }
        let count = (input.count - 1) / SegmentWalk.step
        let start = 1 + Int.random(in: 0..<count, using: &random) * SegmentWalk.step
        var segment = Array(input[start..<start + SegmentWalk.step])
        var output = input
        switch Int.random(in: 0..<4, using: &random) {
        case 0: output.removeSubrange(start..<start + SegmentWalk.step)
        case 1:
            let place = 1 + Int.random(in: 0...count, using: &random) * SegmentWalk.step
            output.insert(contentsOf: segment, at: place)
        default:
            segment[Int.random(in: 0..<SegmentWalk.step, using: &random)] = UInt8.random(in: 0...255, using: &random)
            output.replaceSubrange(start..<start + SegmentWalk.step, with: segment)
        }
        return output
    }
}
