// SPDX-License-Identifier: Apache-2.0
public import Net

extension Snapshot {
    /// Whose address it is in a zone: the address map's claim, else the longest prefix, else nobody's.
    ///
    /// A contested claim, a damaged slot and a label set beyond the snapshot's all make the contested class: no labels, denied.
    @_noLocks @inlinable public func owner(of address: Address, zone: ZoneNumber, in map: borrowing AddressMap) -> Owner {
        let claim = map.claim(on: address, zone: zone)
        if claim.isContested { return Owner(classNumber: contestedClass) }
        guard claim.isThere else {
            let number = zoned(prefixClass(of: address), zone)
            let flags = classLine(number).flags
            // Who holds the block around it in this zone owns the address here, whoever claims it elsewhere.
            let isElsewhere = flags & ClassEntry.elsewhere != 0 || (claim.isElsewhere && flags & ClassEntry.workload == 0)
            return Owner(classNumber: number, isElsewhere: isElsewhere)
        }
        guard claim.labelSet < labelSetTotal else { return Owner(classNumber: contestedClass) }
        var both = classOfLabelSet(claim.labelSet)
        if prefixesSplitHosts { both = combined(both, prefixClass(of: address)) }
        return Owner(classNumber: zoned(both, zone), labelSet: claim.labelSet, workload: claim.workload)
    }

    /// The class of a class seen in a zone.
    @_noLocks @inlinable func zoned(_ number: ClassNumber, _ zone: ZoneNumber) -> ClassNumber {
        zonesMatter ? combined(number, CombinedEntry.zoneTag | UInt32(zone)) : number
    }

    /// What both halves make together; the first half alone where the pair is not named.
    @_noLocks @inlinable func combined(_ first: ClassNumber, _ second: UInt32) -> ClassNumber {
        guard combinedTotal > 0 else { return first }
        let mask = combinedTotal &- 1
        var slot = spread(first, second) & mask
        while true {
            let entry = combinedEntry(slot)
            if entry.labelClass == first && entry.prefixClass == second { return entry.combined }
            // The check of the image found an empty slot, so this ends.
            if entry.labelClass == SnapshotLayout.none { return first }
            slot = (slot &+ 1) & mask
        }
    }

    /// The class of the longest prefix that holds the address; 0 where none does.
    @_noLocks @inlinable func prefixClass(of address: Address) -> ClassNumber {
        if address.isIPv4 {
            guard rootOfIPv4 != SnapshotLayout.none else { return classOfIPv4 }
            if shortcutTotal > 0 {
                let way = shortcut(address.v4 >> 16)
                guard way.node != SnapshotLayout.none else { return way.value }
                return descend(from: way.node, found: way.value, word: address.low << 48, bytes: 2).value
            }
            return descend(from: rootOfIPv4, found: classOfIPv4, word: address.low << 32, bytes: 4).value
        }
        let upper = descend(from: 0, found: 0, word: address.high, bytes: 8)
        guard upper.node != SnapshotLayout.none else { return upper.value }
        return descend(from: upper.node, found: upper.value, word: address.low, bytes: 8).value
    }

    /// Walks down one byte a level, the most significant byte of `word` first; gives the last value met, and the node behind the
    /// last byte, or none where the way ended before.
    @_noLocks @inlinable func descend(
        from start: UInt32, found: ClassNumber, word: UInt64, bytes: Int
    ) -> (value: ClassNumber, node: UInt32) {
        var value = found
        var number = start
        var rest = word
        var left = bytes
        while left > 0 {
            let node = trieNode(number)
            let slot = rest >> 56
            if isSet(node.values, slot) { value = trieValue(node.firstValue &+ rank(node.values, slot)) }
            guard isSet(node.children, slot) else { return (value, SnapshotLayout.none) }
            number = node.firstChild &+ rank(node.children, slot)
            rest <<= 8
            left &-= 1
        }
        return (value, number)
    }

    @_noLocks @inlinable func isSet(_ bits: InlineArray<4, UInt64>, _ slot: UInt64) -> Bool {
        bits[Int(truncatingIfNeeded: slot >> 6)] >> (slot & 63) & 1 == 1
    }

    /// How many slots before this one are set.
    @_noLocks @inlinable func rank(_ bits: InlineArray<4, UInt64>, _ slot: UInt64) -> UInt32 {
        var sum = (bits[Int(truncatingIfNeeded: slot >> 6)] & ((1 << (slot & 63)) &- 1)).nonzeroBitCount
        var word = 0
        while word < Int(truncatingIfNeeded: slot >> 6) {
            sum &+= bits[word].nonzeroBitCount
            word &+= 1
        }
        return UInt32(truncatingIfNeeded: sum)
    }

    /// Walks the 12 bytes that all mapped IPv4 addresses share, once for all lookups.
    func prefixOfIPv4() -> (root: UInt32, value: ClassNumber) {
        let upper = descend(from: 0, found: 0, word: 0, bytes: 8)
        guard upper.node != SnapshotLayout.none else { return (SnapshotLayout.none, upper.value) }
        let lower = descend(from: upper.node, found: upper.value, word: 0x0000_ffff_0000_0000, bytes: 4)
        return (lower.node, lower.value)
    }
}
