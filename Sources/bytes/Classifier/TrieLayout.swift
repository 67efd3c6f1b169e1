// SPDX-License-Identifier: Apache-2.0

/// What a step down the prefix trie leads to: a class, where no longer prefix can hold the address, or the node that reads its next byte.
public enum TrieWay {
    /// Set where the other bits are the number of a node; clear where they are a class.
    @inlinable public static var node: UInt32 { @_noLocks get { 0x8000_0000 } }
    /// The bits of the number.
    @inlinable public static var number: UInt32 { @_noLocks get { 0x7fff_ffff } }
}

/// A node of the prefix trie: it reads 8 bits of the address. Its 256 slots fall into runs of neighbours that lead the same way. Each slot
/// says the class of the longest prefix that holds it, also of those that end above, so that nothing is remembered on the way down. One
/// cache line, in which most nodes have all of their runs.
@frozen public struct TrieNode: BitwiseCopyable, Sendable {
    /// How many runs a node holds itself.
    @inlinable public static var runsInline: UInt32 { @_noLocks get { 6 } }
    /// The slots with which a run begins; slot 0 is always one.
    public var begins: InlineArray<4, UInt64> = .init(repeating: 0)
    /// How many runs begin before the second, third and fourth word of `begins`: a byte each, from the lowest on.
    public var before: UInt32 = 0
    /// The first of the runs in `trieRuns`, or `SnapshotLayout.none` where they are in `runs`.
    public var first: UInt32 = SnapshotLayout.none
    /// Where the runs lead (`TrieWay`), if there are at most `runsInline`.
    public var runs: InlineArray<6, UInt32> = .init(repeating: 0)
    /// A node without runs, which no image has.
    public init() {}

    /// How many runs it has.
    var count: UInt32 {
        UInt32(begins[0].nonzeroBitCount + begins[1].nonzeroBitCount + begins[2].nonzeroBitCount + begins[3].nonzeroBitCount)
    }
}
