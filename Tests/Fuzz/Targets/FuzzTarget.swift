// SPDX-License-Identifier: Apache-2.0
public import TestSupport

/// One reader of bytes that nobody vouches for, and what must hold whatever it is given. libFuzzer drives it (`scripts/fuzz`), and the
/// unit suite replays the stored corpus through it.
///
/// To add one: a file here that makes a `FuzzTarget`, a name in `all`, and `scripts/fuzz --write-seeds` for its corpus.
public struct FuzzTarget: Sendable {
    /// An input with a name.
    public typealias Seed = (name: String, bytes: [UInt8])

    /// What `scripts/fuzz` and the corpus folder call it.
    public let name: String
    /// What is read and what is demanded, in a line.
    public let summary: String
    /// Inputs to start from; they are the generated part of the corpus.
    public let seeds: @Sendable () -> [Seed]
    /// Changes an input by what is known of its structure; `nil` where libFuzzer's blind changes do.
    public let mutate: (@Sendable (_ input: [UInt8], _ random: inout PacketRandom) -> [UInt8])?
    /// Runs the reader; what is wrong with what it said, `nil` when nothing is. A trap or a read outside of the input is a finding too.
    public let flaw: @Sendable (_ input: [UInt8]) -> String?

    /// A target.
    public init(
        _ name: String, _ summary: String, seeds: @escaping @Sendable () -> [Seed],
        mutate: (@Sendable (_ input: [UInt8], _ random: inout PacketRandom) -> [UInt8])? = nil,
        flaw: @escaping @Sendable (_ input: [UInt8]) -> String?
    ) {
        self.name = name
        self.summary = summary
        self.seeds = seeds
        self.mutate = mutate
        self.flaw = flaw
    }

    /// All of them.
    public static let all: [FuzzTarget] = [
        .frame, .extensionChain, .neighbour, .fragments, .quoted, .segments, .policyText, .selector, .snapshotImage, .kubernetes,
        .ansible, .csv,
    ]

    /// A target by its name.
    public static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}
