// SPDX-License-Identifier: Apache-2.0
internal import Net

/// The one check of an image. Each function below owns some sections and proves for each item what the lookups rely on.
extension Snapshot {
    /// The header, where its own fields are possible.
    static func header(at base: UnsafeRawPointer, byteCount: Int) throws(SnapshotError) -> SnapshotHeader {
        guard byteCount >= SnapshotLayout.headerSize else { throw .tooShort(bytes: byteCount) }
        guard UInt(bitPattern: base) % 8 == 0 else { throw .misaligned }
        // At least `headerSize` bytes lie at `base`, which is aligned.
        let header = unsafe base.load(as: SnapshotHeader.self)
        guard header.magic == SnapshotLayout.magic else { throw .magic(header.magic) }
        guard header.version == SnapshotLayout.version else { throw .version(header.version) }
        guard header.size == UInt64(byteCount) else { throw .tooShort(bytes: byteCount) }
        guard header.zoneCount > 0, header.zoneCount < UInt32(AddressMapLayout.anyZone), header.generation > 0 else {
            throw .header
        }
        return header
    }

    /// A section's items, where it is aligned and lies inside the image. At most 2³¹ items, so that a number below 2³² never wraps.
    static func items<Item: BitwiseCopyable>(
        _ section: SnapshotLayout.Section, _ header: SnapshotHeader, _ base: UnsafeRawPointer
    ) throws(SnapshotError) -> UnsafeBufferPointer<Item> {
        let entry = header.sections[section.rawValue]
        let stride = UInt64(MemoryLayout<Item>.stride)
        let fits =
            entry.offset % 8 == 0 && entry.offset >= UInt64(SnapshotLayout.headerSize) && entry.offset <= header.size
            && entry.count < 1 << 31 && entry.count <= (header.size - entry.offset) / stride
        guard fits else { throw .section(section, offset: entry.offset, count: entry.count) }
        let first = unsafe (base + Int(entry.offset)).assumingMemoryBound(to: Item.self)
        return unsafe UnsafeBufferPointer(start: first, count: Int(entry.count))
    }

    /// Every section in turn.
    func validate() throws(SnapshotError) {
        guard contestedClass < classTotal, contestedRecord < recordTotal, itselfRecord < recordTotal else { throw .header }
        try validateZones()
        try validateTrie()
        try validateClasses()
        try validateRows()
        try validateTables()
        try validateRecords()
    }

    private func validateZones() throws(SnapshotError) {
        for number in 0..<zoneEntryTotal where UInt32(zoneEntry(number).zone) >= zoneCount {
            throw .item(.zones, number: number)
        }
        guard UInt64(zonePairTotal) == UInt64(zoneCount) * UInt64(zoneCount) else {
            throw .section(.zonePairs, offset: 0, count: UInt64(zonePairTotal))
        }
        for number in 0..<zonePairTotal where zonePairRecord(number) >= recordTotal {
            throw .item(.zonePairs, number: number)
        }
        guard zoneFactsTotal == zoneCount else {
            throw .section(.zoneFacts, offset: 0, count: UInt64(zoneFactsTotal))
        }
        for number in 0..<zoneCount where zoneFactsWord(number) & ~ZoneFacts.all != 0 {
            throw .item(.zoneFacts, number: number)
        }
        guard linkTable.isPossible else { throw .item(.links, number: 0) }
        for number in 0..<labelSetTotal where classOfLabelSet(number) >= classTotal {
            throw .item(.labelSets, number: number)
        }
    }

    /// A child's number is greater than its parent's, so that no way down is endless.
    private func validateTrie() throws(SnapshotError) {
        guard trieNodeTotal > 0 else { throw .section(.trieNodes, offset: 0, count: 0) }
        for number in 0..<trieNodeTotal {
            let node = trieNode(number)
            let children = population(node.children)
            let values = population(node.values)
            let childrenExist =
                children == 0
                || (node.firstChild > number && UInt64(node.firstChild) + UInt64(children) <= UInt64(trieNodeTotal))
            let valuesExist = UInt64(node.firstValue) + UInt64(values) <= UInt64(trieValueTotal)
            guard childrenExist, valuesExist || values == 0 else { throw .item(.trieNodes, number: number) }
        }
        for number in 0..<trieValueTotal where trieValue(number) >= classTotal {
            throw .item(.trieValues, number: number)
        }
    }

    private func population(_ bits: InlineArray<4, UInt64>) -> UInt32 {
        UInt32(bits[0].nonzeroBitCount + bits[1].nonzeroBitCount + bits[2].nonzeroBitCount + bits[3].nonzeroBitCount)
    }

    private func validateClasses() throws(SnapshotError) {
        for number in 0..<classTotal {
            let entry = classEntry(number)
            guard entry.ancestorCount <= UInt16(SnapshotLayout.maximumAncestors), entry.flags & ~ClassEntry.allFlags == 0,
                UInt64(entry.firstAncestor) + UInt64(entry.ancestorCount) <= UInt64(ancestorTotal)
            else { throw .item(.classes, number: number) }
        }
        for number in 0..<ancestorTotal where ancestor(number) >= classTotal {
            throw .item(.ancestors, number: number)
        }
        for number in 0..<combinedTotal {
            let entry = combinedEntry(number)
            guard entry.labelClass != SnapshotLayout.none else { continue }
            guard entry.labelClass < classTotal, entry.combined < classTotal else {
                throw .item(.combined, number: number)
            }
        }
        guard hasShortRuns(combinedTotal, isEmpty: { combinedEntry($0).labelClass == SnapshotLayout.none }) else {
            throw .section(.combined, offset: 0, count: UInt64(combinedTotal))
        }
    }

    /// Whether a hash has a power of two of slots and a lookup in it soon meets an empty one, so that it ends, and at a bounded cost.
    private func hasShortRuns(_ slots: UInt32, isEmpty: (UInt32) -> Bool) -> Bool {
        guard slots & (slots &- 1) == 0 else { return false }
        // A run may go on from the last slot to the first, so the first ones are walked twice.
        var run = 0
        for step in 0..<UInt64(slots) + UInt64(min(slots, UInt32(SnapshotLayout.maximumRun))) {
            run = isEmpty(UInt32(truncatingIfNeeded: step) & (slots &- 1)) ? 0 : run + 1
            guard run < SnapshotLayout.maximumRun, run < Int(slots) else { return false }
        }
        return true
    }

    private func validateRows() throws(SnapshotError) {
        for number in 0..<rowEntryTotal {
            let entry = rowEntry(number)
            guard entry.row == SnapshotLayout.none || entry.table < tableTotal else { throw .item(.rows, number: number) }
        }
        guard hasShortRuns(rowEntryTotal, isEmpty: { rowEntry($0).row == SnapshotLayout.none }) else {
            throw .section(.rows, offset: 0, count: UInt64(rowEntryTotal))
        }
    }

    private func validateTables() throws(SnapshotError) {
        // Tables share no interval, so that this check takes as long as the image is, whatever it says.
        var left = UInt64(intervalTotal)
        for number in 0..<tableTotal {
            let table = tableEntry(number)
            guard table.count > 0, UInt64(table.count) <= left,
                UInt64(table.first) + UInt64(table.count) <= UInt64(intervalTotal), intervalEntry(table.first).start == 0
            else { throw .item(.tables, number: number) }
            left -= UInt64(table.count)
            for index in 1..<max(1, table.count)
            where intervalEntry(table.first + index).start <= intervalEntry(table.first + index - 1).start {
                throw .item(.tables, number: number)
            }
        }
        for number in 0..<intervalTotal {
            let record = intervalEntry(number).record
            guard record == SnapshotLayout.none || record < recordTotal else { throw .item(.intervals, number: number) }
        }
    }

    /// From the last record to the first, because a successor's number is greater: so the length of each chain is known in one pass.
    private func validateRecords() throws(SnapshotError) {
        var behind = [UInt16](repeating: 0, count: Int(recordTotal))
        for number in (0..<recordTotal).reversed() {
            let record = sideRecord(number)
            guard record.decision <= 2, record.audit <= 2 || record.audit == .max,
                record.change < UInt8(SideRecord.Change.allCases.count)
            else { throw .item(.records, number: number) }
            guard record.validUntil != .max else { continue }
            // What stops deciding must say who decides then.
            guard record.successor > number, record.successor < recordTotal else { throw .item(.records, number: number) }
            behind[Int(number)] = behind[Int(record.successor)] + 1
            guard behind[Int(number)] <= UInt16(SnapshotLayout.maximumSuccessors) else { throw .item(.records, number: number) }
        }
    }

    /// Whether the hash of combined classes holds a zone.
    func hasZonedClass() -> Bool {
        for number in 0..<combinedTotal {
            let entry = combinedEntry(number)
            if entry.labelClass != SnapshotLayout.none, entry.prefixClass & CombinedEntry.zoneTag != 0 { return true }
        }
        return false
    }
}
