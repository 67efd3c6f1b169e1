// SPDX-License-Identifier: Apache-2.0

/// An IP protocol number (IANA "Protocol Numbers").
@frozen public struct IPProtocol: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
    /// The number as on the wire.
    public var rawValue: UInt8
    /// A protocol by its number.
    @_noLocks @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// ICMP (RFC 792).
    @inlinable public static var icmp: IPProtocol { @_noLocks get { .init(rawValue: 1) } }
    /// IGMP (RFC 3376).
    @inlinable public static var igmp: IPProtocol { @_noLocks get { .init(rawValue: 2) } }
    /// TCP (RFC 9293).
    @inlinable public static var tcp: IPProtocol { @_noLocks get { .init(rawValue: 6) } }
    /// UDP (RFC 768).
    @inlinable public static var udp: IPProtocol { @_noLocks get { .init(rawValue: 17) } }
    /// ICMPv6 (RFC 4443).
    @inlinable public static var icmp6: IPProtocol { @_noLocks get { .init(rawValue: 58) } }
    /// SCTP (RFC 9260).
    @inlinable public static var sctp: IPProtocol { @_noLocks get { .init(rawValue: 132) } }

    /// Whether the protocol has port numbers that Bulkhead reads.
    @inlinable public var hasPorts: Bool { @_noLocks get { rawValue == 6 || rawValue == 17 || rawValue == 132 } }
    /// ICMP or ICMPv6.
    @inlinable public var isICMP: Bool { @_noLocks get { rawValue == 1 || rawValue == 58 } }

    /// Two are the same when their numbers are.
    @_noLocks @inlinable public static func == (a: IPProtocol, b: IPProtocol) -> Bool { a.rawValue == b.rawValue }

    /// The name that policies use, or the number.
    public var name: String {
        switch rawValue {
        case 1: "icmp"
        case 6: "tcp"
        case 17: "udp"
        case 58: "icmp6"
        case 132: "sctp"
        default: String(rawValue)
        }
    }

    /// The protocol of a name that policies use, or of a number from 0 to 255.
    public init?(named text: String) {
        let known: [String: IPProtocol] = ["tcp": .tcp, "udp": .udp, "sctp": .sctp, "icmp": .icmp, "icmp6": .icmp6]
        guard let found = known[text] ?? UInt8(text).map(IPProtocol.init(rawValue:)) else { return nil }
        self = found
    }
}

/// TCP's control bits as they stand in the header (RFC 9293, 3.1).
@frozen public struct TCPFlags: OptionSet, BitwiseCopyable, Sendable {
    /// The flag byte.
    public let rawValue: UInt8
    /// Flags from the header's byte.
    @_noLocks @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// No more data from the sender.
    @inlinable public static var fin: TCPFlags { @_noLocks get { TCPFlags(rawValue: 0x01) } }
    /// Synchronise sequence numbers.
    @inlinable public static var syn: TCPFlags { @_noLocks get { TCPFlags(rawValue: 0x02) } }
    /// Reset the connection.
    @inlinable public static var rst: TCPFlags { @_noLocks get { TCPFlags(rawValue: 0x04) } }
    /// Push.
    @inlinable public static var psh: TCPFlags { @_noLocks get { TCPFlags(rawValue: 0x08) } }
    /// The acknowledgement field is meant.
    @inlinable public static var ack: TCPFlags { @_noLocks get { TCPFlags(rawValue: 0x10) } }
    /// The urgent pointer is meant.
    @inlinable public static var urg: TCPFlags { @_noLocks get { TCPFlags(rawValue: 0x20) } }
}

/// A service as classification sees it: protocol and destination port, or ICMP type and code, in one ordered number, so that a
/// service table is a list of disjoint intervals.
@frozen public struct ServiceKey: BitwiseCopyable, Hashable, Sendable {
    /// `protocol << 16 | port`, with `type << 8 | code` in the port's place for ICMP and 0 where there is neither.
    public var rawValue: UInt32
    /// A key from its number.
    @_noLocks @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// The key of a protocol and a destination port.
    @_noLocks @inlinable public init(_ number: IPProtocol, port: UInt16) {
        rawValue = UInt32(number.rawValue) << 16 | UInt32(port)
    }
    /// The key of an ICMP or ICMPv6 type and code.
    @_noLocks @inlinable public init(_ number: IPProtocol, type: UInt8, code: UInt8) {
        rawValue = UInt32(number.rawValue) << 16 | UInt32(type) << 8 | UInt32(code)
    }
    /// One past the largest key: 256 protocols of 65,536 values.
    public static let end: UInt32 = 256 << 16
}
