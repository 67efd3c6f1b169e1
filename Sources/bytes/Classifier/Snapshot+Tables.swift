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
        egress ? classEntry(number).egressRow : classEntry(number).ingressRow
    }

    /// The service table by which a side judges a peer: the source's egress, or the destination's ingress. `SnapshotLayout.none` where
    /// it does not judge.
    public func table(of subject: ClassNumber, peer: ClassNumber, egress: Bool) -> UInt32 {
        let row = row(of: subject, egress: egress)
        return row == SnapshotLayout.none ? row : table(row: row, peer: peer)
    }

    /// A service table from the first service to the last.
    public func runs(ofTable number: UInt32) -> [Run] {
        let table = tableEntry(number)
        return (0..<table.count).map { index in
            let entry = intervalEntry(table.first + index)
            let isLast = index + 1 == table.count
            return Run(
                first: entry.start, end: isLast ? ServiceKey.end : intervalEntry(table.first + index + 1).start,
                sourcePorts: 0...UInt16.max, record: entry.record)
        }
    }

    /// The record of what no side judges, by the zones of both ends.
    public func unjudgedRecord(from source: ZoneNumber, to destination: ZoneNumber) -> UInt32 { zonePair(source, destination) }

    /// The record that stands in a record's place at a time, in unix seconds.
    public func record(_ number: UInt32, at time: UInt64) -> SideRecord? {
        number < recordTotal ? sideRecord(current(number, time)) : nil
    }

    /// The class that stands for contested addresses.
    public var contested: ClassNumber { contestedClass }
}
