// SPDX-License-Identifier: Apache-2.0

/// Where each row's lines will lie. A row has so many lines that three of five slots are taken at most, or one where eight slots do.
struct RowPlan {
    /// Lines of all rows.
    let lines: Int
    /// First line of each row, and of what follows the last one.
    private let firsts: [UInt32]

    /// A plan for entries in whatever order; each (row, peer) once.
    init(_ entries: [RowEntry], tables: Int) throws(SnapshotError) {
        var counts: [Int] = []
        for entry in entries {
            guard entry.row < SnapshotLayout.none, entry.peer < SnapshotLayout.none, Int(entry.table) < tables else {
                throw .item(.rows, number: entry.row)
            }
            while counts.count <= Int(entry.row) { counts.append(0) }
            counts[Int(entry.row)] += 1
        }
        var firsts: [UInt32] = [0]
        var lines = 0
        for count in counts {
            lines += count <= 8 ? min(count, 1) : (count + 4) / 5
            guard lines < 1 << 31 else { throw .capacity(what: "lines of rows", needed: lines, limit: 1 << 31 - 1) }
            firsts.append(UInt32(lines))
        }
        self.firsts = firsts
        self.lines = lines
    }

    /// First line and number of lines of a row; none of one that has no entry.
    private func place(of row: UInt32) -> (first: UInt32, lines: UInt32) {
        guard Int(row) < firsts.count - 1 else { return (0, 0) }
        return (firsts[Int(row)], firsts[Int(row) + 1] - firsts[Int(row)])
    }

    /// The class that is the farthest ancestor of most.
    static func root(of entries: [ClassEntry], ancestors: [UInt32]) -> UInt32 {
        var counts: [UInt32: Int] = [:]
        for entry in entries where entry.ancestorCount > 0 {
            counts[ancestors[Int(entry.firstAncestor) + Int(entry.ancestorCount) - 1], default: 0] += 1
        }
        return counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? 0
    }

    /// What each row says of a class, as its lines do; nothing of a row that does not name it.
    func roots(_ entries: [RowEntry], of root: UInt32, starts: [UInt32]) -> [UInt32] {
        var roots = [UInt32](repeating: 0, count: firsts.count)
        for entry in entries where entry.peer == root { roots[Int(entry.row)] = starts[Int(entry.table)] + 1 }
        return roots
    }

    /// The classes as the image has them. `roots` is by row.
    func classes(_ entries: [ClassEntry], ancestors: [UInt32], roots: [UInt32]) -> [ClassLine] {
        entries.map { entry in
            var line = ClassLine()
            (line.egressFirst, line.egressLines) = place(of: entry.egressRow)
            (line.ingressFirst, line.ingressLines) = place(of: entry.ingressRow)
            line.ancestorCount = min(entry.ancestorCount, UInt16(SnapshotLayout.maximumAncestors))
            line.flags = entry.flags
            if line.egressLines > 0 { line.egressRoot = roots[Int(entry.egressRow)] }
            if line.ingressLines > 0 { line.ingressRoot = roots[Int(entry.ingressRow)] }
            for index in 0..<Int(line.ancestorCount) { line.ancestors[index] = ancestors[Int(entry.firstAncestor) + index] }
            return line
        }
    }

    /// All lines and their filters. `starts` are the first intervals of the tables.
    func filled(_ entries: [RowEntry], starts: [UInt32]) -> (lines: [PeerLine], filters: [UInt64]) {
        var filters = [UInt64](repeating: 0, count: lines)
        var filled = [PeerLine](repeating: PeerLine(), count: lines)
        var used = [UInt8](repeating: 0, count: lines)
        for entry in entries {
            let (first, count) = place(of: entry.row)
            var line = PeerLine.home(of: entry.peer, lines: count)
            filters[Int(first + line)] |= PeerLine.bits(of: entry.peer)
            // Fewer entries than slots, so there is room somewhere.
            while used[Int(first + line)] == 8 { line = line + 1 == count ? 0 : line + 1 }
            let slot = Int(used[Int(first + line)])
            filled[Int(first + line)].peers[slot] = entry.peer
            filled[Int(first + line)].tables[slot] = starts[Int(entry.table)] + 1
            used[Int(first + line)] += 1
        }
        return (filled, filters)
    }
}

/// Where each service table's intervals will lie: inside one cache line where they are eight or fewer.
struct TablePlan {
    /// Intervals, and room between tables.
    let count: Int
    /// First interval of each table.
    let starts: [UInt32]

    /// A plan for tables over these intervals.
    init(_ tables: [TableEntry], _ intervals: [IntervalEntry], records: Int) throws(SnapshotError) {
        guard records < SnapshotLayout.groundsLimit else {
            throw .capacity(what: "side records", needed: records, limit: SnapshotLayout.groundsLimit)
        }
        var next = 0
        var starts: [UInt32] = []
        starts.reserveCapacity(tables.count)
        for (number, table) in tables.enumerated() {
            let count = Int(table.count)
            guard count > 0, Int(table.first) + count <= intervals.count, intervals[Int(table.first)].start == 0 else {
                throw .item(.intervals, number: UInt32(number))
            }
            if next % 8 + min(count, 8) > 8 { next = (next + 7) & ~7 }
            starts.append(UInt32(truncatingIfNeeded: next))
            next += count
        }
        guard next < RecordWord.limit else {
            throw .capacity(what: "intervals of service tables", needed: next, limit: RecordWord.limit)
        }
        count = next
        self.starts = starts
    }

    /// All intervals, with the words of their records.
    func filled(_ tables: [TableEntry], _ intervals: [IntervalEntry], _ records: [SideRecord]) -> [IntervalEntry] {
        var filled = [IntervalEntry](repeating: IntervalEntry(), count: count)
        for (table, start) in zip(tables, starts) {
            for index in 0..<Int(table.count) {
                var interval = intervals[Int(table.first) + index]
                if RecordWord.isSplit(interval.record) {
                    interval.record = RecordWord.split | starts[Int(interval.record & RecordWord.number)]
                } else if interval.record < records.count {
                    interval.record = RecordWord.word(interval.record, of: records[Int(interval.record)])
                }
                if index == 0 { interval.start = table.count }
                filled[Int(start) + index] = interval
            }
        }
        return filled
    }
}
