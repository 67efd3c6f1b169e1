// SPDX-License-Identifier: Apache-2.0
public import Net
import TestSupport

/// Very many frames of the grammar, each read into its tunnels and checked. What it counts follows from its seed alone.
public struct FrameStorm: Sendable {
    /// Frames so far.
    public private(set) var frames = 0
    /// Frames that were read.
    public private(set) var readable = 0
    /// Packets in tunnels that were read, by depth: in the first, in the second.
    public private(set) var inside = [0, 0]
    /// Frames that were refused, by reason.
    public private(set) var refused: [DropReason: Int] = [:]
    /// Packets in tunnels that were refused, by reason.
    public private(set) var refusedInside: [DropReason: Int] = [:]
    /// The first flaws with their frames, at most ten.
    public private(set) var flaws: [String] = []

    private var random: PacketRandom
    private let grammar = FrameGrammar.samples

    /// A storm that follows from a seed.
    public init(seed: UInt64) { random = PacketRandom(seed: seed) }

    /// Reads so many more frames. Each 16th is checked in full, second reading, padding and reply included.
    public mutating func rage(_ count: Int) {
        for _ in 0..<count {
            let frame = grammar.frame(&random)
            frames += 1
            let outcome = FrameOutcome(of: frame)
            note(outcome)
            let flaw = outcome.flaw ?? (frames % 16 == 0 ? FuzzTarget.frame.flaw(frame) : PlainFlaw.flaw(in: frame))
            if let flaw, flaws.count < 10 { flaws.append("\(flaw): \(hexadecimal(frame))") }
        }
    }

    private mutating func note(_ outcome: FrameOutcome) {
        if let reason = outcome.reason { refused[reason, default: 0] += 1 } else { readable += 1 }
        for (depth, step) in outcome.inner.enumerated() {
            if let reason = step.reason { refusedInside[reason, default: 0] += 1 } else { inside[min(depth, 1)] += 1 }
        }
    }
}

extension FrameStorm: CustomStringConvertible {
    /// All counts, a line each, the most frequent reasons first.
    public var description: String {
        let head = [
            "\(frames) frames, \(readable) readable", "read in the first tunnel: \(inside[0]), in the second: \(inside[1])",
        ]
        return (head + Self.lines(refused, "refused") + Self.lines(refusedInside, "refused in a tunnel")).joined(separator: "\n")
    }

    private static func lines(_ counts: [DropReason: Int], _ title: String) -> [String] {
        let ordered = counts.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
        return ordered.map { "    \(title), \($0.key.name): \($0.value)" }
    }
}
