// SPDX-License-Identifier: Apache-2.0
public import Net

/// Builds the trie of a Snapshot image from prefixes, each with its value: 8 bits of the address a level, shorter prefixes
/// expanded to the slots that they cover, longer ones written over them.
///
/// Both families share one space, in which `::/0` would hold every IPv4 address. A prefix speaks of its own family only, so
/// wherever an IPv6 prefix holds the block of the mapped addresses, that block gets a value of its own: that of `0.0.0.0/0`, or 0.
public struct PrefixTrie {
    /// One byte of the address while the trie is built.
    private struct Level {
        var children: [UInt8: Int] = [:]
        /// Value and the length of the prefix that gave it.
        var values: [UInt8: (value: UInt32, length: Int)] = [:]
    }

    private var levels = [Level()]
    private var holdsMapped = false
    private var namesMapped = false

    /// A trie without prefixes, in which every address has the value 0.
    public init() {}

    /// Adds a prefix; the longest one decides for an address, whatever the order in which they are added.
    public mutating func insert(_ prefix: Prefix, _ value: UInt32) {
        let mapped = Prefix.mapped
        if !prefix.address.isIPv4 && prefix.length < 96 && prefix.contains(prefixOfMapped: mapped) { holdsMapped = true }
        if prefix.address.isIPv4 && prefix.length == 0 { namesMapped = true }
        insert(prefix.address, length: prefix.mappedLength, value)
    }

    private mutating func insert(_ address: Address, length: Int, _ value: UInt32) {
        var level = 0
        var index = 0
        while length > (index + 1) * 8 {
            let byte = address.byte(index)
            if let child = levels[level].children[byte] {
                level = child
            } else {
                levels.append(Level())
                levels[level].children[byte] = levels.count - 1
                level = levels.count - 1
            }
            index += 1
        }
        let free = (index + 1) * 8 - length
        let first = Int(address.byte(index))
        for slot in first..<first + (1 << free) {
            let old = levels[level].values[UInt8(slot)]
            if old.isNotLonger(than: length) { levels[level].values[UInt8(slot)] = (value, length) }
        }
    }

    /// The sections: nodes in the order of their depth, so that a child's number is greater than its parent's, and the runs of those that
    /// have many.
    public func build() -> (nodes: [TrieNode], runs: [UInt32]) {
        var trie = self
        if holdsMapped && !namesMapped { trie.insert(Prefix.mapped, length: 96, 0) }
        var nodes: [TrieNode] = []
        var runs: [UInt32] = []
        // Levels to build, each with the class of the prefixes that end above it.
        var queue: [(level: Int, value: UInt32)] = [(0, 0)]
        while nodes.count < queue.count {
            let (number, inherited) = queue[nodes.count]
            let level = trie.levels[number]
            var ways = [UInt32](repeating: inherited, count: 256)
            for (slot, value) in level.values { ways[Int(slot)] = value.value }
            for slot in level.children.keys.sorted() {
                guard let child = level.children[slot] else { continue }
                queue.append((child, ways[Int(slot)]))
                ways[Int(slot)] = TrieWay.node | UInt32(queue.count - 1)
            }
            nodes.append(TrieNode(ways, &runs))
        }
        return (nodes, runs)
    }
}

extension TrieNode {
    /// A node of 256 ways; those that it has no room for are appended to `others`.
    fileprivate init(_ ways: [UInt32], _ others: inout [UInt32]) {
        self.init()
        let starts = (0..<256).filter { $0 == 0 || ways[$0] != ways[$0 - 1] }
        for slot in starts { begins[slot >> 6] |= 1 << UInt64(slot & 63) }
        var sum: UInt32 = 0
        for word in 0..<3 {
            sum += UInt32(begins[word].nonzeroBitCount)
            before |= sum << UInt32(8 * word)
        }
        if starts.count <= Int(Self.runsInline) {
            for (index, slot) in starts.enumerated() { runs[index] = ways[slot] }
        } else {
            first = UInt32(others.count)
            others += starts.map { ways[$0] }
        }
    }
}

extension Optional where Wrapped == (value: UInt32, length: Int) {
    /// Whether there is a value of a prefix that is not longer.
    fileprivate func isNotLonger(than length: Int) -> Bool { map { $0.length <= length } ?? true }
}

extension Prefix {
    /// The first address of `::ffff:0:0/96`.
    fileprivate static var mapped: Address { Address(v4: 0) }

    /// Whether an IPv6 prefix shorter than 96 bits holds the block of the mapped addresses.
    fileprivate func contains(prefixOfMapped mapped: Address) -> Bool {
        let high = length == 0 ? 0 : length >= 64 ? UInt64.max : ~(UInt64.max >> UInt64(length))
        let low = length <= 64 ? 0 : ~(UInt64.max >> UInt64(length - 64))
        return mapped.high & high == address.high && mapped.low & low == address.low
    }
}

extension Address {
    /// A byte by its place on the wire, from 0.
    fileprivate func byte(_ index: Int) -> UInt8 {
        let half = index < 8 ? high : low
        return UInt8(truncatingIfNeeded: half >> UInt64(56 - 8 * (index % 8)))
    }
}
