// SPDX-License-Identifier: Apache-2.0
public import Net

/// The image as those read it who compare and explain policies, and not frames: rows and service tables by number, each as a whole.
/// What these say is what the lookups find, because they go the same way. Numbers of classes must be this image's own.
extension Snapshot {
    /// A run of services, asked from a run of source ports, for which a side has one record.
    public struct Run: Hashable, Sendable {
        /// First service key.
        public var first: UInt32
        /// One past the last service key.
        public var end: UInt32
        /// Ports of the source; all for most runs.
        public var sourcePorts: ClosedRange<UInt16>
        /// The side record, or `SnapshotLayout.none` where the side does not judge.
        public var record: UInt32
    }

    /// Whether a class is one of this image.
    public func hasClass(_ number: ClassNumber) -> Bool { number < classTotal }

    /// What tells the sides of one direction apart: classes with the same row judge every peer alike. `SnapshotLayout.none` where the
    /// class has no side.
    public func row(of number: ClassNumber, egress: Bool) -> UInt32 {
        let rows = rowsOf(number)
        let row = egress ? rows.egress : rows.ingress
        return row.lines == 0 ? SnapshotLayout.none : row.first
    }

    /// The service table by which a side judges a peer: the source's egress, or the destination's ingress. `SnapshotLayout.none` where
    /// it does not judge.
    public func table(of subject: ClassNumber, peer: ClassNumber, egress: Bool) -> UInt32 {
        let rows = rowsOf(subject)
        let row = egress ? rows.egress : rows.ingress
        guard row.lines > 0 else { return SnapshotLayout.none }
        let found = table(row, peer)
        return found == 0 ? SnapshotLayout.none : found &- 1
    }

    /// A service table from the first service to the last.
    public func runs(ofTable number: UInt32) -> [Run] {
        intervals(number, end: ServiceKey.end).flatMap { first, end, word in
            guard RecordWord.isSplit(word) else {
                return [Run(first: first, end: end, sourcePorts: 0...UInt16.max, record: Self.record(of: word))]
            }
            return intervals(word & RecordWord.number, end: UInt32(UInt16.max) + 1).map { low, high, word in
                let ports = UInt16(truncatingIfNeeded: low)...UInt16(truncatingIfNeeded: high - 1)
                return Run(first: first, end: end, sourcePorts: ports, record: Self.record(of: word))
            }
        }
    }

    /// The intervals of a table, which ends at `end`: where each begins and ends, and its word.
    private func intervals(_ first: UInt32, end: UInt32) -> [(first: UInt32, end: UInt32, word: UInt32)] {
        let count = intervalEntry(first).start
        return (0..<count).map { index in
            let entry = intervalEntry(first + index)
            return (
                index == 0 ? 0 : entry.start, index + 1 == count ? end : intervalEntry(first + index + 1).start, entry.record
            )
        }
    }

    private static func record(of word: UInt32) -> UInt32 {
        word == SnapshotLayout.none ? word : word & RecordWord.number
    }

    /// The record of what no side judges, by the zones of both ends.
    public func unjudgedRecord(from source: ZoneNumber, to destination: ZoneNumber) -> UInt32 {
        Self.record(of: zonePair(source, destination))
    }

    /// The record that stands in a record's place at a time, in unix seconds.
    public func record(_ number: UInt32, at time: UInt64) -> SideRecord? {
        number < recordTotal ? sideRecord(current(number, time)) : nil
    }

    /// The class that stands for contested addresses.
    public var contested: ClassNumber { contestedClass }
}
