// SPDX-License-Identifier: Apache-2.0

/// Writes captures as pcapng (draft-ietf-opsawg-pcapng), which Wireshark, tshark and tcpdump read: a section, its interfaces, packets with
/// comments, and at the end each interface's statistics. It makes bytes and writes none: where they go is the caller's.
///
///     section ─► interfaces ─► packets … ─► statistics
///
/// A file that ends early is whole up to its last packet.
public struct PcapngWriter: Sendable {
    /// An interface: a place at which packets were seen.
    public struct Interface: Sendable {
        /// Its name.
        public var name: String
        /// What is seen there.
        public var description: String
        /// An interface.
        public init(name: String, description: String) { (self.name, self.description) = (name, description) }
    }

    /// Which way a packet goes (4.3, epb_flags).
    public enum Direction: UInt32, Sendable {
        /// Into the machine.
        case inbound = 1
        /// Out of the machine.
        case outbound
    }

    /// A packet as it was seen.
    public struct Packet: Sendable {
        /// The number of its interface, in the order in which they were given.
        public var interface: Int
        /// Nanoseconds since 1970.
        public var time: UInt64
        /// Its length on the wire.
        public var length: UInt32
        /// Its first bytes.
        public var bytes: [UInt8]
        /// Which way it goes.
        public var direction: Direction
        /// What tells that two packets are the same one, seen twice.
        public var identifier: UInt64
        /// What there is to say of it.
        public var comment: String

        /// A packet.
        public init(
            interface: Int, time: UInt64, length: UInt32, bytes: [UInt8], direction: Direction, identifier: UInt64,
            comment: String
        ) {
            (self.interface, self.time, self.length, self.bytes) = (interface, time, length, bytes)
            (self.direction, self.identifier, self.comment) = (direction, identifier, comment)
        }
    }

    /// Links that carry Ethernet frames without their check sequence.
    static let ethernet: UInt16 = 1

    /// The options that are written, by their codes.
    private enum Option {
        static let comment: UInt16 = 1
        // Of a section.
        static let application: UInt16 = 4
        // Of an interface.
        static let (name, description, resolution): (UInt16, UInt16, UInt16) = (2, 3, 9)
        // Of a packet.
        static let (flags, identifier): (UInt16, UInt16) = (2, 5)
        // Of statistics.
        static let (start, end, received, dropped): (UInt16, UInt16, UInt16, UInt16) = (2, 3, 4, 5)
    }

    /// Packets that were written for each interface.
    public private(set) var counts: [UInt64]

    /// A writer for so many interfaces.
    public init(interfaces: Int) { counts = Array(repeating: 0, count: interfaces) }

    /// What stands before the first packet: the section, by an application, and its interfaces.
    public static func head(application: String, comment: String, snap: UInt32, _ interfaces: [Interface]) -> [UInt8] {
        var section = PcapngBlock(.section)
        section.append(0x1a2b_3c4d as UInt32)
        section.append(1 as UInt16)
        section.append(0 as UInt16)
        // Nobody knows how long it will be.
        section.append(UInt64.max)
        section.option(Option.comment, comment)
        section.option(Option.application, application)
        return interfaces.reduce(into: section.finished()) { bytes, interface in
            var block = PcapngBlock(.interface)
            block.append(ethernet)
            block.append(0 as UInt16)
            block.append(snap)
            block.option(Option.name, interface.name)
            block.option(Option.description, interface.description)
            // Times count 10⁻⁹ s.
            block.option(Option.resolution, [9])
            bytes += block.finished()
        }
    }

    /// A packet's bytes.
    public mutating func packet(_ packet: Packet) -> [UInt8] {
        counts[packet.interface] += 1
        var block = PcapngBlock(.packet)
        block.append(UInt32(packet.interface))
        block.append(time: packet.time)
        block.append(UInt32(packet.bytes.count))
        block.append(packet.length)
        block.append(padded: packet.bytes)
        block.option(Option.comment, packet.comment)
        block.option(Option.flags, unsafe withUnsafeBytes(of: packet.direction.rawValue.littleEndian) { unsafe Array($0) })
        block.option(Option.identifier, packet.identifier)
        return block.finished()
    }

    /// What stands behind the last packet: the statistics of each interface between two times. What is missing was missed by all of
    /// them together, and stands in the first one's.
    public func statistics(from start: UInt64, to end: UInt64, missing: UInt64, comment: String) -> [UInt8] {
        counts.indices.reduce(into: []) { bytes, number in
            var block = PcapngBlock(.statistics)
            block.append(UInt32(number))
            block.append(time: end)
            if number == 0 { block.option(Option.comment, comment) }
            block.option(Option.start, time: start)
            block.option(Option.end, time: end)
            block.option(Option.received, counts[number] + (number == 0 ? missing : 0))
            block.option(Option.dropped, number == 0 ? missing : 0)
            bytes += block.finished()
        }
    }
}
