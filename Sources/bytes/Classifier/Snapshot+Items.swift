// SPDX-License-Identifier: Apache-2.0

/// The sections by number. Nothing is checked here: every number in the image was compared with the counts when it was mapped, and
/// every number from outside is compared with them by the caller. Debug builds check all the same.
extension Snapshot {
    @_noLocks @inlinable func zoneEntry(_ number: UInt32) -> ZoneEntry { unsafe zones[Int(truncatingIfNeeded: number)] }
    @_noLocks @inlinable func classOfLabelSet(_ number: UInt32) -> UInt32 { unsafe labelSets[Int(truncatingIfNeeded: number)] }
    @_noLocks @inlinable func trieNode(_ number: UInt32) -> TrieNode { unsafe trieNodes[Int(truncatingIfNeeded: number)] }
    @_noLocks @inlinable func trieValue(_ number: UInt32) -> UInt32 { unsafe trieValues[Int(truncatingIfNeeded: number)] }
    @_noLocks @inlinable func combinedEntry(_ number: UInt32) -> CombinedEntry {
        unsafe combined[Int(truncatingIfNeeded: number)]
    }
    @_noLocks @inlinable func classEntry(_ number: UInt32) -> ClassEntry { unsafe classes[Int(truncatingIfNeeded: number)] }
    @_noLocks @inlinable func ancestor(_ number: UInt32) -> UInt32 { unsafe ancestors[Int(truncatingIfNeeded: number)] }
    @_noLocks @inlinable func rowEntry(_ number: UInt32) -> RowEntry { unsafe rows[Int(truncatingIfNeeded: number)] }
    @_noLocks @inlinable func tableEntry(_ number: UInt32) -> TableEntry { unsafe tables[Int(truncatingIfNeeded: number)] }
    @_noLocks @inlinable func intervalEntry(_ number: UInt32) -> IntervalEntry {
        unsafe intervals[Int(truncatingIfNeeded: number)]
    }
    @_noLocks @inlinable func sideRecord(_ number: UInt32) -> SideRecord { unsafe records[Int(truncatingIfNeeded: number)] }
    @_noLocks @inlinable func zonePairRecord(_ number: UInt32) -> UInt32 { unsafe zonePairs[Int(truncatingIfNeeded: number)] }
    @_noLocks @inlinable func zoneFactsWord(_ number: UInt32) -> UInt32 { unsafe zoneFacts[Int(truncatingIfNeeded: number)] }
}

/// How many items each section has, in the width of the image's numbers: sections are shorter than 2³¹ items.
extension Snapshot {
    @inlinable var zoneEntryTotal: UInt32 { @_noLocks get { unsafe UInt32(truncatingIfNeeded: zones.count) } }
    @inlinable var labelSetTotal: UInt32 { @_noLocks get { unsafe UInt32(truncatingIfNeeded: labelSets.count) } }
    @inlinable var trieNodeTotal: UInt32 { @_noLocks get { unsafe UInt32(truncatingIfNeeded: trieNodes.count) } }
    @inlinable var trieValueTotal: UInt32 { @_noLocks get { unsafe UInt32(truncatingIfNeeded: trieValues.count) } }
    @inlinable var combinedTotal: UInt32 { @_noLocks get { unsafe UInt32(truncatingIfNeeded: combined.count) } }
    @inlinable var classTotal: UInt32 { @_noLocks get { unsafe UInt32(truncatingIfNeeded: classes.count) } }
    @inlinable var ancestorTotal: UInt32 { @_noLocks get { unsafe UInt32(truncatingIfNeeded: ancestors.count) } }
    @inlinable var rowEntryTotal: UInt32 { @_noLocks get { unsafe UInt32(truncatingIfNeeded: rows.count) } }
    @inlinable var tableTotal: UInt32 { @_noLocks get { unsafe UInt32(truncatingIfNeeded: tables.count) } }
    @inlinable var intervalTotal: UInt32 { @_noLocks get { unsafe UInt32(truncatingIfNeeded: intervals.count) } }
    @inlinable var recordTotal: UInt32 { @_noLocks get { unsafe UInt32(truncatingIfNeeded: records.count) } }
    @inlinable var zoneFactsTotal: UInt32 { @_noLocks get { unsafe UInt32(truncatingIfNeeded: zoneFacts.count) } }
    @inlinable var zonePairTotal: UInt32 { @_noLocks get { unsafe UInt32(truncatingIfNeeded: zonePairs.count) } }
}

/// Spreads the two halves of a hash key over 32 bits.
@_noLocks @inlinable func spread(_ first: UInt32, _ second: UInt32) -> UInt32 {
    var word = (UInt64(first) << 32 | UInt64(second)) &* 0x9E37_79B9_7F4A_7C15
    word ^= word >> 32
    word &*= 0xD6E8_FEB8_6659_FD93
    return UInt32(truncatingIfNeeded: word >> 32)
}
