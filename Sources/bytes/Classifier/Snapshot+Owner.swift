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
        var way: UInt32
        if address.isIPv4 {
            let isCut = shortcutTotal > 0
            way = isCut ? shortcut(address.v4 >> 16) : wayOfIPv4
            way = descend(way, by: isCut ? address.low << 48 : address.low << 32, bytes: isCut ? 2 : 4)
        } else {
            way = descend(TrieWay.node, by: address.high, bytes: 8)
            way = descend(way, by: address.low, bytes: 8)
        }
        // No image of the compiler's goes on behind the last byte; one that does says nothing.
        return way & TrieWay.node == 0 ? way : 0
    }

    /// Walks down one byte a level, the most significant byte of `word` first, until a class is found or the bytes are at an end.
    @_noLocks @inlinable @inline(__always) func descend(_ from: UInt32, by word: UInt64, bytes: Int) -> UInt32 {
        var way = from
        var rest = word
        var left = bytes
        while way & TrieWay.node != 0 && left > 0 {
            way = step(way & TrieWay.number, slot: rest >> 56)
            rest <<= 8
            left &-= 1
        }
        return way
    }

    /// Where a slot of a node leads.
    @_noLocks @inlinable @inline(__always) func step(_ number: UInt32, slot: UInt64) -> UInt32 {
        let index = Int(truncatingIfNeeded: number)
        let rank = rank(in: number, slot)
        let first = unsafe trieNodes[index].first
        guard first == SnapshotLayout.none else { return trieRun(first &+ rank) }
        return unsafe trieNodes[index].runs[Int(truncatingIfNeeded: rank)]
    }

    /// The number in `trieRuns` of the run in which a slot of a node lies, none where the node holds it itself.
    @_noLocks @inlinable @inline(__always) func run(of number: UInt32, slot: UInt64) -> UInt32 {
        let first = unsafe trieNodes[Int(truncatingIfNeeded: number)].first
        return first == SnapshotLayout.none ? first : first &+ rank(in: number, slot)
    }

    /// Which of a node's runs a slot lies in: the last that begins at or before it, so one less than how many begin up to there.
    @_noLocks @inlinable @inline(__always) func rank(in number: UInt32, _ slot: UInt64) -> UInt32 {
        let index = Int(truncatingIfNeeded: number)
        let word = slot >> 6
        // The number is an image's, which was checked; `word` is below 4 because a slot is below 256.
        let begun = unsafe trieNodes[index].begins[Int(truncatingIfNeeded: word)] & (~0 &>> (63 &- slot & 63))
        let before = unsafe ((UInt64(trieNodes[index].before) << 8) &>> (8 &* word)) & 0xff
        return UInt32(truncatingIfNeeded: before &+ UInt64(begun.nonzeroBitCount) &- 1)
    }

    /// Walks the 12 bytes that all mapped IPv4 addresses share, once for all lookups.
    func prefixesOfIPv4() -> UInt32 {
        let upper = descend(TrieWay.node, by: 0, bytes: 8)
        return descend(upper, by: 0x0000_ffff_0000_0000, bytes: 4)
    }
}
