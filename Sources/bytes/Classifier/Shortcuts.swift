// SPDX-License-Identifier: Apache-2.0

/// Shortcuts are the trie's own answers behind two bytes of an IPv4 address, worked out when the image is made.
extension Shortcut {
    /// All 65,536 of them.
    static func all(in nodes: [TrieNode], _ values: [UInt32]) -> [Shortcut] {
        let walk = Walk(nodes: nodes, values: values)
        // The twelve bytes that every mapped address shares.
        var start = Shortcut()
        start.node = 0
        for index in 0..<12 { start = walk.step(start, index < 10 ? 0 : 0xff) }
        var found: [Shortcut] = []
        found.reserveCapacity(65_536)
        for first in 0..<256 {
            let half = walk.step(start, first)
            for second in 0..<256 { found.append(walk.step(half, second)) }
        }
        return found
    }

    private struct Walk {
        let nodes: [TrieNode]
        let values: [UInt32]

        /// One byte further.
        func step(_ from: Shortcut, _ byte: Int) -> Shortcut {
            guard from.node != SnapshotLayout.none else { return from }
            let node = nodes[Int(from.node)]
            var next = from
            if let rank = rank(node.values, byte) { next.value = values[Int(node.firstValue) + rank] }
            next.node = rank(node.children, byte).map { node.firstChild + UInt32($0) } ?? SnapshotLayout.none
            return next
        }

        /// How many slots before this one are set, where it is set itself.
        private func rank(_ bits: InlineArray<4, UInt64>, _ slot: Int) -> Int? {
            guard bits[slot >> 6] >> UInt64(slot & 63) & 1 == 1 else { return nil }
            var sum = (bits[slot >> 6] & (1 << UInt64(slot & 63) - 1)).nonzeroBitCount
            for word in 0..<(slot >> 6) { sum += bits[word].nonzeroBitCount }
            return sum
        }
    }
}
