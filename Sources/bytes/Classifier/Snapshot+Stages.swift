// SPDX-License-Identifier: Apache-2.0
public import Net

// The way of `judge` in stages, for a caller that goes over a burst: each asks for the lines that the next one reads, and reads none that
// was not asked for. Both owners' classes, the filters of both rows, the lines that these filters lead to, the service tables that the lines
// name. What a stage foresees is what `judge` will read, because both go the same way; nothing is decided before that.

extension Snapshot {
    /// How many lines the way down the trie may read before it knows the class: 0 where the trie is too small to have shortcuts, and IPv6 is not
    /// counted, whose ways are longer.
    @inlinable public var linesOfPrefix: Int { @_noLocks get { shortcutTotal > 0 ? 5 : 0 } }

    /// Asks for the line that the way down the trie of IPv4 reads behind so many that were read, below `linesOfPrefix`, and at its end for the
    /// class's. Who asks for one after the other, over all of a burst, has the lines when `owner` comes to them.
    @_noLocks @inlinable @inline(__always) public func prefetchPrefix(of address: Address, behind lines: Int) {
        guard shortcutTotal > 0, address.isIPv4 else { return }
        if lines == 0 { return touchShortcut(address.v4 >> 16) }
        var way = shortcut(address.v4 >> 16)
        var slot = UInt64(address.v4 >> 8 & 0xff)
        var left = lines &- 1
        var bytes = 2
        while way & TrieWay.node != 0 && bytes > 0 {
            let number = way & TrieWay.number
            if left == 0 { return touchNode(number) }
            left &-= 1
            let run = run(of: number, slot: slot)
            if run != SnapshotLayout.none {
                if left == 0 { return touchRun(run) }
                left &-= 1
            }
            way = step(number, slot: slot)
            slot = UInt64(address.v4 & 0xff)
            bytes &-= 1
        }
        if left == 0, way < classTotal { touchClass(way) }
    }

    /// Asks for the lines of both owners' classes; `prefetchFilters` comes next.
    @_noLocks @inlinable public func prefetchClasses(source: Owner, destination: Owner) {
        if source.classNumber < classTotal { touchClass(source.classNumber) }
        if destination.classNumber < classTotal { touchClass(destination.classNumber) }
    }

    /// Asks for the filters in which both sides' rows look for the other end's class and its ancestors; `prefetchRows` comes next.
    @_noLocks @inlinable public func prefetchFilters(source: Owner, destination: Owner) {
        let (from, to) = (source.classNumber, destination.classNumber)
        guard from < classTotal, to < classTotal else { return }
        touchFilters(rowsOf(from).egress, to)
        touchFilters(rowsOf(to).ingress, from)
    }

    /// Asks for the lines that these filters lead to; `prefetchTables` comes next.
    @_noLocks @inlinable public func prefetchRows(source: Owner, destination: Owner) {
        let (from, to) = (source.classNumber, destination.classNumber)
        guard from < classTotal, to < classTotal else { return }
        touchLine(of: rowsOf(from).egress, to)
        touchLine(of: rowsOf(to).ingress, from)
    }

    /// Asks for the service tables that these lines name; `judge` comes next.
    @_noLocks @inlinable public func prefetchTables(source: Owner, destination: Owner) {
        let (from, to) = (source.classNumber, destination.classNumber)
        guard from < classTotal, to < classTotal else { return }
        touchTable(of: rowsOf(from).egress, to)
        touchTable(of: rowsOf(to).ingress, from)
    }

    @_noLocks @inlinable @inline(__always) func touchFilters(_ row: Row, _ peer: ClassNumber) {
        guard row.lines > 0 else { return }
        touchRow(row, peer)
        for index in 0..<ancestorCount(peer) where ancestor(of: peer, index) != root {
            touchRow(row, ancestor(of: peer, index))
        }
    }

    /// The line of the first class on the way of `table(_:_:)` whose filter does not rule it out. What a row says of the root stands in
    /// the class's own line.
    @_noLocks @inlinable @inline(__always) func touchLine(of row: Row, _ peer: ClassNumber) {
        guard row.lines > 0 else { return }
        let count = ancestorCount(peer)
        var (number, index) = (peer, 0)
        while number != root {
            let line = row.first &+ PeerLine.home(of: number, lines: row.lines)
            if mayName(line, number) { return touchLine(line) }
            guard index < count else { return }
            number = ancestor(of: peer, index)
            index &+= 1
        }
    }

    @_noLocks @inlinable @inline(__always) func touchTable(of row: Row, _ peer: ClassNumber) {
        guard row.lines > 0 else { return }
        let table = table(row, peer)
        if table != 0 { touchTable(table &- 1) }
    }
}
