// SPDX-License-Identifier: Apache-2.0
internal import Net

/// The one check of an image. Each function below owns some sections and proves for each item what the lookups rely on.
extension Snapshot {
    /// The header, where its own fields are possible.
    static func header(at base: UnsafeRawPointer, byteCount: Int) throws(SnapshotError) -> SnapshotHeader {
        guard byteCount >= SnapshotLayout.headerSize else { throw .tooShort(bytes: byteCount) }
        guard UInt(bitPattern: base) % 64 == 0 else { throw .misaligned }
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
            entry.offset % 64 == 0 && entry.offset >= UInt64(SnapshotLayout.headerSize) && entry.offset <= header.size
            && entry.count < 1 << 31 && entry.count <= (header.size - entry.offset) / stride
        guard fits else { throw .section(section, offset: entry.offset, count: entry.count) }
        let first = unsafe (base + Int(entry.offset)).assumingMemoryBound(to: Item.self)
        return unsafe UnsafeBufferPointer(start: first, count: Int(entry.count))
    }

    /// Every section in turn.
    func validate() throws(SnapshotError) {
        guard Int(classTotal) < SnapshotLayout.groundsLimit, Int(recordTotal) < SnapshotLayout.groundsLimit else { throw .header }
        guard contestedClass < classTotal, contestedRecord < recordTotal, itselfRecord < recordTotal else { throw .header }
        try validateZones()
        try validateTrie()
        try validateClasses()
        let tables = try validateTables()
        try validateRows(tables)
        try validateRoots(tables)
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
        guard flowSettings.isPossible else { throw .item(.flowSettings, number: 0) }
        for number in 0..<labelSetTotal where classOfLabelSet(number) >= classTotal {
            throw .item(.labelSets, number: number)
        }
    }

    /// Every slot of every node leads somewhere, and a child's number is greater than its parent's, so that no way down is endless.
    private func validateTrie() throws(SnapshotError) {
        guard trieNodeTotal > 0 else { throw .section(.trieNodes, offset: 0, count: 0) }
        for number in 0..<trieNodeTotal {
            let node = trieNode(number)
            let count = node.count
            let isInline = node.first == SnapshotLayout.none
            guard node.begins[0] & 1 == 1, node.before == before(node.begins),
                isInline ? count <= TrieNode.runsInline : UInt64(node.first) + UInt64(count) <= UInt64(trieRunTotal)
            else { throw .item(.trieNodes, number: number) }
            for index in 0..<count {
                let way = isInline ? node.runs[Int(index)] : trieRun(node.first + index)
                guard leadsSomewhere(way, behind: number) else { throw .item(.trieNodes, number: number) }
            }
        }
        guard shortcutTotal == 0 || shortcutTotal == 65_536 else {
            throw .section(.shortcuts, offset: 0, count: UInt64(shortcutTotal))
        }
        for number in 0..<shortcutTotal where !leadsSomewhere(shortcut(number), behind: 0) {
            throw .item(.shortcuts, number: number)
        }
    }

    /// What `TrieNode.before` must say.
    private func before(_ begins: InlineArray<4, UInt64>) -> UInt32 {
        let first = UInt32(begins[0].nonzeroBitCount)
        let second = first + UInt32(begins[1].nonzeroBitCount)
        return first | second << 8 | (second + UInt32(begins[2].nonzeroBitCount)) << 16
    }

    /// Whether a way ends at a class that exists, or at a node that exists and comes later.
    private func leadsSomewhere(_ way: UInt32, behind number: UInt32) -> Bool {
        guard way & TrieWay.node != 0 else { return way < classTotal }
        return way & TrieWay.number > number && way & TrieWay.number < trieNodeTotal
    }

    private func validateClasses() throws(SnapshotError) {
        for number in 0..<classTotal {
            let line = classLine(number)
            func exist(_ first: UInt32, _ lines: UInt32) -> Bool { UInt64(first) + UInt64(lines) <= UInt64(peerLineTotal) }
            guard line.ancestorCount <= UInt16(SnapshotLayout.maximumAncestors), line.flags & ~ClassEntry.allFlags == 0,
                exist(line.egressFirst, line.egressLines), exist(line.ingressFirst, line.ingressLines),
                (0..<Int(line.ancestorCount)).allSatisfy({ line.ancestors[$0] < classTotal })
            else { throw .item(.classes, number: number) }
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

    /// Every table that a line names begins where a table does, and no run of full lines is long.
    private func validateRows(_ tables: [Bool]) throws(SnapshotError) {
        let filters = unsafe UInt64(filters.count)
        guard filters == UInt64(peerLineTotal) else { throw .section(.filters, offset: 0, count: filters) }
        var full = 0
        for number in 0..<peerLineTotal {
            let line = peerLine(number)
            for slot in 0..<8 {
                let table = line.tables[slot]
                let isEmpty = line.peers[slot] == SnapshotLayout.none
                guard isEmpty ? table == 0 : table > 0 && table <= intervalTotal && tables[Int(table - 1)] else {
                    throw .item(.rows, number: number)
                }
                // A lookup adds up the tables of all slots that match, so that a peer may stand in one of them only.
                for earlier in 0..<slot where !isEmpty && line.peers[earlier] == line.peers[slot] {
                    throw .item(.rows, number: number)
                }
            }
            full = line.hasRoom ? 0 : full + 1
            guard full <= SnapshotLayout.maximumFullLines else { throw .item(.rows, number: number) }
        }
    }

    /// What classes say of the root begins where a table does as well.
    private func validateRoots(_ tables: [Bool]) throws(SnapshotError) {
        for number in 0..<classTotal {
            let rows = rowsOf(number)
            for table in [rows.egress.root, rows.ingress.root] where table > 0 {
                guard table <= intervalTotal, tables[Int(table - 1)] else { throw .item(.classes, number: number) }
            }
        }
    }

    /// Where tables begin: each says how many intervals it has, and the next begins behind them; an interval without a count is room.
    private func validateTables() throws(SnapshotError) -> [Bool] {
        var begins = [Bool](repeating: false, count: Int(intervalTotal))
        var number: UInt32 = 0
        while number < intervalTotal {
            let count = intervalEntry(number).start
            guard count > 0 else {
                number += 1
                continue
            }
            guard count <= intervalTotal - number else { throw .item(.intervals, number: number) }
            begins[Int(number)] = true
            for index in 2..<max(2, count) where intervalEntry(number + index).start <= intervalEntry(number + index - 1).start {
                throw .item(.intervals, number: number + index)
            }
            number += count
        }
        number = 0
        while number < intervalTotal {
            let count = max(1, intervalEntry(number).start)
            for place in number..<number + count { try validateWord(intervalEntry(place).record, at: place, begins) }
            number += count
        }
        return begins
    }

    /// A word names a record, and says of it what is so; or a table over source ports, which names no further one.
    private func validateWord(_ word: UInt32, at place: UInt32, _ begins: [Bool]) throws(SnapshotError) {
        guard word != SnapshotLayout.none else { return }
        guard RecordWord.isSplit(word) else {
            let number = word & RecordWord.number
            guard number < recordTotal, RecordWord.word(number, of: sideRecord(number)) == word else {
                throw .item(.intervals, number: place)
            }
            return
        }
        let table = word & RecordWord.number
        guard table < intervalTotal, begins[Int(table)] else { throw .item(.intervals, number: place) }
        for inner in table..<table + intervalEntry(table).start where RecordWord.isSplit(intervalEntry(inner).record) {
            throw .item(.intervals, number: inner)
        }
    }

    /// From the last record to the first, because a successor's number is greater: so the length of each chain is known in one pass.
    private func validateRecords() throws(SnapshotError) {
        var behind = [UInt16](repeating: 0, count: Int(recordTotal))
        for number in (0..<recordTotal).reversed() {
            let record = sideRecord(number)
            guard record.decision <= 2, record.audit <= 2 || record.audit == .max, record.flags & ~SideRecord.allFlags == 0,
                record.change < UInt8(SideRecord.Change.allCases.count)
            else { throw .item(.records, number: number) }
            guard record.validUntil != .max else { continue }
            // What stops deciding must say who decides then.
            guard record.successor > number, record.successor < recordTotal else { throw .item(.records, number: number) }
            behind[Int(number)] = behind[Int(record.successor)] + 1
            guard behind[Int(number)] <= UInt16(SnapshotLayout.maximumSuccessors) else { throw .item(.records, number: number) }
        }
    }

    /// Whether the hash of combined classes holds zones, and whether it holds prefixes.
    func combinations() -> (zones: Bool, prefixes: Bool) {
        var found = (zones: false, prefixes: false)
        for number in 0..<combinedTotal {
            let entry = combinedEntry(number)
            guard entry.labelClass != SnapshotLayout.none else { continue }
            if entry.prefixClass & CombinedEntry.zoneTag != 0 { found.zones = true } else { found.prefixes = true }
        }
        return found
    }
}
