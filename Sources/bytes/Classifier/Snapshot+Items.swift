// SPDX-License-Identifier: Apache-2.0
public import Net

/// The sections by number. Nothing is checked here: every number in the image was compared with the counts when it was mapped, and
/// every number from outside is compared with them by the caller. Debug builds check all the same.
extension Snapshot {
    @_noLocks @inlinable func zoneEntry(_ number: UInt32) -> ZoneEntry { unsafe zones[Int(truncatingIfNeeded: number)] }
    @_noLocks @inlinable func classOfLabelSet(_ number: UInt32) -> UInt32 { unsafe labelSets[Int(truncatingIfNeeded: number)] }
    @_noLocks @inlinable func trieNode(_ number: UInt32) -> TrieNode { unsafe trieNodes[Int(truncatingIfNeeded: number)] }
    @_noLocks @inlinable func trieRun(_ number: UInt32) -> UInt32 { unsafe trieRuns[Int(truncatingIfNeeded: number)] }
    @_noLocks @inlinable func combinedEntry(_ number: UInt32) -> CombinedEntry {
        unsafe combined[Int(truncatingIfNeeded: number)]
    }
    @_noLocks @inlinable func classLine(_ number: UInt32) -> ClassLine { unsafe classes[Int(truncatingIfNeeded: number)] }
    @_noLocks @inlinable func shortcut(_ number: UInt32) -> UInt32 { unsafe shortcuts[Int(truncatingIfNeeded: number)] }
    @_noLocks @inlinable func peerLine(_ number: UInt32) -> PeerLine { unsafe rows[Int(truncatingIfNeeded: number)] }
    @_noLocks @inlinable func intervalEntry(_ number: UInt32) -> IntervalEntry {
        unsafe intervals[Int(truncatingIfNeeded: number)]
    }
    @_noLocks @inlinable func sideRecord(_ number: UInt32) -> SideRecord { unsafe records[Int(truncatingIfNeeded: number)] }
    @_noLocks @inlinable func zonePairRecord(_ number: UInt32) -> UInt32 { unsafe zonePairs[Int(truncatingIfNeeded: number)] }
    @_noLocks @inlinable func zoneFactsWord(_ number: UInt32) -> UInt32 { unsafe zoneFacts[Int(truncatingIfNeeded: number)] }
}

extension Snapshot {
    /// Whether the filter of a line lets a class through that is looked for from there on.
    @_noLocks @inlinable @inline(__always) func mayName(_ line: UInt32, _ peer: UInt32) -> Bool {
        let bits = PeerLine.bits(of: peer)
        return unsafe filters[Int(truncatingIfNeeded: line)] & bits == bits
    }
}

/// One side's row: where its lines lie, and what it says of the image's root.
@frozen @usableFromInline struct Row: BitwiseCopyable {
    @usableFromInline let first: UInt32
    @usableFromInline let lines: UInt32
    @usableFromInline let root: UInt32

    @_noLocks @inlinable init(first: UInt32, lines: UInt32, root: UInt32) {
        self.first = first
        self.lines = lines
        self.root = root
    }
}

/// A class's line field by field, so that nobody copies all of it.
extension Snapshot {
    /// Where the rows of both sides lie.
    @_noLocks @inlinable @inline(__always) func rowsOf(
        _ number: UInt32
    ) -> (egress: Row, ingress: Row) {
        let index = Int(truncatingIfNeeded: number)
        return unsafe (
            Row(first: classes[index].egressFirst, lines: classes[index].egressLines, root: classes[index].egressRoot),
            Row(first: classes[index].ingressFirst, lines: classes[index].ingressLines, root: classes[index].ingressRoot)
        )
    }

    /// How many ancestors a class has.
    @_noLocks @inlinable @inline(__always) func ancestorCount(_ number: UInt32) -> Int {
        unsafe Int(truncatingIfNeeded: classes[Int(truncatingIfNeeded: number)].ancestorCount)
    }

    /// An ancestor of a class, below its count.
    @_noLocks @inlinable @inline(__always) func ancestor(of number: UInt32, _ index: Int) -> UInt32 {
        unsafe classes[Int(truncatingIfNeeded: number)].ancestors[index]
    }
}

/// Prefetches: the processor goes on while the line comes.
extension Snapshot {
    /// Asks for the line of a class.
    @_noLocks @inlinable @inline(__always) func touchClass(_ number: UInt32) {
        // Any address will do; the caller has compared the number with the count.
        unsafe prefetch(classes.baseAddress.unsafelyUnwrapped + Int(truncatingIfNeeded: number))
    }

    /// Asks for a shortcut of IPv4.
    @_noLocks @inlinable @inline(__always) func touchShortcut(_ half: UInt32) {
        // There are as many as halves, where there are any.
        unsafe prefetch(shortcuts.baseAddress.unsafelyUnwrapped + Int(truncatingIfNeeded: half))
    }

    /// Asks for a node of the trie.
    @_noLocks @inlinable @inline(__always) func touchNode(_ number: UInt32) {
        // The number is an image's, which was checked.
        unsafe prefetch(trieNodes.baseAddress.unsafelyUnwrapped + Int(truncatingIfNeeded: number))
    }

    /// Asks for a run of a node that has many.
    @_noLocks @inlinable @inline(__always) func touchRun(_ number: UInt32) {
        // The number follows from a node's, which was checked.
        unsafe prefetch(trieRuns.baseAddress.unsafelyUnwrapped + Int(truncatingIfNeeded: number))
    }

    /// Asks for a line of a row.
    @_noLocks @inlinable @inline(__always) func touchLine(_ number: UInt32) {
        // The number follows from a class's line, which was checked.
        unsafe prefetch(rows.baseAddress.unsafelyUnwrapped + Int(truncatingIfNeeded: number))
    }

    /// Asks for the filter of a line of a row.
    @_noLocks @inlinable @inline(__always) func touchFilter(_ number: UInt32) {
        // As many filters as lines.
        unsafe prefetch(filters.baseAddress.unsafelyUnwrapped + Int(truncatingIfNeeded: number))
    }

    /// Asks for the first lines of a service table, which is as long as most are.
    @_noLocks @inlinable @inline(__always) func touchTable(_ number: UInt32) {
        // Any address will do; the number follows from a line of a row, which was checked.
        let first = unsafe intervals.baseAddress.unsafelyUnwrapped + Int(truncatingIfNeeded: number)
        unsafe prefetch(first)
        unsafe prefetch(first + 8)
    }
}

/// How many items each section has, in the width of the image's numbers: sections are shorter than 2³¹ items.
extension Snapshot {
    @inlinable var zoneEntryTotal: UInt32 { @_noLocks get { unsafe UInt32(truncatingIfNeeded: zones.count) } }
    @inlinable var labelSetTotal: UInt32 { @_noLocks get { unsafe UInt32(truncatingIfNeeded: labelSets.count) } }
    @inlinable var trieNodeTotal: UInt32 { @_noLocks get { unsafe UInt32(truncatingIfNeeded: trieNodes.count) } }
    @inlinable var trieRunTotal: UInt32 { @_noLocks get { unsafe UInt32(truncatingIfNeeded: trieRuns.count) } }
    @inlinable var combinedTotal: UInt32 { @_noLocks get { unsafe UInt32(truncatingIfNeeded: combined.count) } }
    @inlinable var classTotal: UInt32 { @_noLocks get { unsafe UInt32(truncatingIfNeeded: classes.count) } }
    @inlinable var shortcutTotal: UInt32 { @_noLocks get { unsafe UInt32(truncatingIfNeeded: shortcuts.count) } }
    @inlinable var peerLineTotal: UInt32 { @_noLocks get { unsafe UInt32(truncatingIfNeeded: rows.count) } }
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
