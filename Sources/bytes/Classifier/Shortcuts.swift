// SPDX-License-Identifier: Apache-2.0

extension PrefixTrie {
    /// The ways behind two bytes of an IPv4 address, all 65,536 of them, worked out when the image is made.
    static func shortcuts(in nodes: [TrieNode], _ runs: [UInt32]) -> [UInt32] {
        func step(_ from: UInt32, _ byte: Int) -> UInt32 {
            guard from & TrieWay.node != 0 else { return from }
            let node = nodes[Int(from & TrieWay.number)]
            var rank = (node.begins[byte >> 6] & (~0 >> UInt64(63 - byte & 63))).nonzeroBitCount - 1
            for word in 0..<(byte >> 6) { rank += node.begins[word].nonzeroBitCount }
            return node.first == SnapshotLayout.none ? node.runs[rank] : runs[Int(node.first) + rank]
        }
        // The twelve bytes that every mapped address shares.
        let start = (0..<12).reduce(TrieWay.node) { step($0, $1 < 10 ? 0 : 0xff) }
        return (0..<256).flatMap { first in
            let half = step(start, first)
            return (0..<256).map { step(half, $0) }
        }
    }
}
