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

    /// The two sections: nodes in the order of their depth, so that a child's number is greater than its parent's and children of
    /// one node lie side by side.
    public func build() -> (nodes: [TrieNode], values: [UInt32]) {
        var trie = self
        if holdsMapped && !namesMapped { trie.insert(Prefix.mapped, length: 96, 0) }
        var nodes: [TrieNode] = []
        var values: [UInt32] = []
        var queue = [0]
        var next = 0
        while next < queue.count {
            let level = trie.levels[queue[next]]
            next += 1
            var node = TrieNode()
            node.firstChild = UInt32(queue.count)
            node.firstValue = UInt32(values.count)
            for slot in level.children.keys.sorted() {
                node.children[Int(slot >> 6)] |= 1 << UInt64(slot & 63)
                level.children[slot].map { queue.append($0) }
            }
            for slot in level.values.keys.sorted() {
                node.values[Int(slot >> 6)] |= 1 << UInt64(slot & 63)
                level.values[slot].map { values.append($0.value) }
            }
            nodes.append(node)
        }
        return (nodes, values)
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
