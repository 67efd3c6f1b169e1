// SPDX-License-Identifier: Apache-2.0
public import Net

/// What a datagram's first fragment says of all of it: 16 bytes, by which a later one is judged as if it were a packet of the same
/// connection. They lie in the datagram's entry, and in the headroom of a frame that goes to the worker that owns the flow.
@frozen public struct FragmentFacts: BitwiseCopyable, Sendable, Equatable {
    /// `sourcePort` of the first fragment's reading.
    public var sourcePort: UInt16 = 0
    /// `destinationPort` of it.
    public var destinationPort: UInt16 = 0
    /// TCP: the sequence number that the datagram's byte 0 would have if the headers were data. The byte at `fragmentOffset` has this
    /// plus the offset.
    public var sequence: UInt32 = 0
    /// The transport's protocol, behind all extension headers.
    public var protocolNumber: UInt8 = 0
    /// ICMP or ICMPv6 type.
    public var icmpType: UInt8 = 0
    /// ICMP or ICMPv6 code.
    public var icmpCode: UInt8 = 0
    /// Marks that say what the datagram is: `icmpReply`, `fromServer`.
    public var marks: UInt8 = 0
    /// A `LinkProtocol`'s number.
    public var link: UInt8 = 0
    /// Room up to 16 bytes; 0.
    public var reserved: InlineArray<3, UInt8> = .init(repeating: 0)

    /// No facts.
    @_noLocks public init() {}

    /// The facts of a first fragment.
    @_noLocks public init(of reading: borrowing Reading) {
        sourcePort = reading.sourcePort
        destinationPort = reading.destinationPort
        protocolNumber = reading.protocolNumber.rawValue
        icmpType = reading.icmpType
        icmpCode = reading.icmpCode
        marks = reading.marks.rawValue & (Reading.Marks.icmpReply.rawValue | Reading.Marks.fromServer.rawValue)
        link = reading.link.number
        guard protocolNumber == 6 else { return }
        // A SYN has a sequence number of its own, in front of its data (RFC 9293, 3.4).
        let syn: UInt32 = reading.tcpFlags.rawValue & 0x02 != 0 ? 1 : 0
        sequence = reading.sequence &+ syn &- UInt32(reading.payloadOffset &- reading.fragmentStart)
    }

    /// Gives a later fragment's reading what the first one said; a first one's stays as it is.
    @_noLocks public func give(to reading: inout Reading) {
        guard reading.fragmentOffset != 0 else { return }
        reading.sourcePort = sourcePort
        reading.destinationPort = destinationPort
        reading.protocolNumber = IPProtocol(rawValue: protocolNumber)
        reading.icmpType = icmpType
        reading.icmpCode = icmpCode
        reading.marks = Reading.Marks(rawValue: reading.marks.rawValue | marks)
        // What no protocol has for a number is none: the bytes have been in a frame's memory.
        reading.link = link <= LinkProtocol.unknown.number ? unsafe unsafeBitCast(link, to: LinkProtocol.self) : .none
        reading.sequence = sequence &+ UInt32(reading.fragmentOffset)
    }

    /// Equality, by hand because of the room.
    public static func == (a: FragmentFacts, b: FragmentFacts) -> Bool {
        a.sourcePort == b.sourcePort && a.destinationPort == b.destinationPort && a.sequence == b.sequence
            && a.protocolNumber == b.protocolNumber && a.icmpType == b.icmpType && a.icmpCode == b.icmpCode && a.marks == b.marks
            && a.link == b.link
    }
}
