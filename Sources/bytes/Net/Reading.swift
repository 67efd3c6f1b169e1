// SPDX-License-Identifier: Apache-2.0

/// What Wire learned from a frame: a plain value of fixed size, filled in place, without a pointer into the frame. Each field says
/// when it may be read. Numbers are in host order; offsets count from the frame's first byte.
///
/// One shape serves every case up to the hardest of the notes, a double-tagged IPv6 fragment in a tunnel: tags and tunnel
/// describe the way to the headers, the rest describes the headers that policy judges, which are the innermost ones read.
@frozen public struct Reading: BitwiseCopyable, Sendable {
    /// What kind of frame it is, which decides the fields that are valid.
    @frozen public enum Kind: UInt8, Sendable {
        /// IPv4 or IPv6, not fragmented: every field of the network is valid, and of the transport those that its protocol has.
        case packet = 0
        /// A fragment that has others. Fields of the transport (ports, flags, types) are valid where `fragmentOffset` is 0.
        case fragment
        /// ARP: `source` is the sender's, `destination` the target's protocol address.
        case arp
        /// IPv6 neighbour discovery (RFC 4861): network fields and `icmpType` are valid.
        case neighbour
        /// A frame without IP and ARP: the table of layer 2 decides it by `link` alone.
        case link
    }

    /// Facts about the frame that are either true or not.
    @frozen public struct Marks: OptionSet, BitwiseCopyable, Sendable {
        /// The bits.
        public let rawValue: UInt8
        /// Marks from their bits.
        @_noLocks @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The packet is a fragment (`fragmentOffset` or more-fragments is not 0).
        @inlinable public static var fragment: Marks { @_noLocks get { Marks(rawValue: 1) } }
        /// More fragments follow.
        @inlinable public static var moreFragments: Marks { @_noLocks get { Marks(rawValue: 2) } }
        /// An ICMP or ICMPv6 error that quotes at `payloadOffset` a packet of at least its header and 8 bytes, or a shorter one whole.
        @inlinable public static var icmpError: Marks { @_noLocks get { Marks(rawValue: 4) } }
        /// An ICMP or ICMPv6 reply, which only a request may call for.
        @inlinable public static var icmpReply: Marks { @_noLocks get { Marks(rawValue: 8) } }
        /// Sent to a group: Ethernet multicast or broadcast, or an IP group address.
        @inlinable public static var group: Marks { @_noLocks get { Marks(rawValue: 16) } }
        /// Do-not-fragment (IPv4), which IPv6 always means.
        @inlinable public static var dontFragment: Marks { @_noLocks get { Marks(rawValue: 32) } }
        /// Only a server sends this (DHCP) or only a router (neighbour discovery).
        @inlinable public static var fromServer: Marks { @_noLocks get { Marks(rawValue: 64) } }
    }

    /// Source address; always valid for `packet`, `fragment` and `neighbour`, the sender's for `arp`.
    public var source = Address(high: 0, low: 0)
    /// Destination address; valid with `source`.
    public var destination = Address(high: 0, low: 0)
    /// What a neighbour solicitation or advertisement speaks of (RFC 4861, 4.3 and 4.4), or where a redirect points; else 0.
    public var target = Address(high: 0, low: 0)
    /// Destination hardware address; always valid. Of a packet in a tunnel that carries no Ethernet, the frame's own.
    public var destinationMAC = MACAddress(bits: 0)
    /// Source hardware address; valid as the destination's.
    public var sourceMAC = MACAddress(bits: 0)
    /// The hardware address that the message itself claims: ARP's sender, or the link-layer address option of neighbour discovery;
    /// 0 where it claims none. Valid for `arp` and `neighbour`.
    public var claimedMAC = MACAddress(bits: 0)
    /// TCP sequence number; of SCTP the verification tag, which is 0 in an INIT and in nothing else (RFC 9260, 8.5.1). Valid for both.
    public var sequence: UInt32 = 0
    /// TCP acknowledgement number; valid for TCP with ACK.
    public var acknowledgement: UInt32 = 0
    /// Fragment identification; valid with `Marks.fragment`, and of an atomic fragment (RFC 6946).
    public var identification: UInt32 = 0
    /// Around which the headers were found; `Tunnel.Kind.none` for the frame's own.
    public var tunnel = Tunnel()
    /// The tunnel that the packet carries, to be read by `readInner`; `Tunnel.Kind.none` for a packet that carries none.
    public var carried = Tunnel()
    /// VLAN tags of the frame, VLAN 0 left out; always valid. A packet in a tunnel has those of the frame around it.
    public var vlans = VLANTags()
    /// Source port of TCP, UDP, SCTP. For an ICMP request its identifier, for a reply the type and code of the request it answers. 0 for
    /// other protocols.
    public var sourcePort: UInt16 = 0
    /// Destination port of TCP, UDP, SCTP. For ICMP type and code (`type << 8 | code`), for a reply the identifier. 0 for other protocols.
    public var destinationPort: UInt16 = 0
    /// TCP window as in the header, unscaled; valid for TCP.
    public var window: UInt16 = 0
    /// The largest segment that the sender of a SYN takes (RFC 9293, 3.7.1), or 0 where the option is absent; valid for TCP with SYN.
    public var maximumSegment: UInt16 = 0
    /// Where the fragment's bytes belong, in bytes; valid with `Marks.fragment`.
    public var fragmentOffset: UInt16 = 0
    /// The first of the fragment's bytes; valid with `Marks.fragment`. Extension headers may lie between it and `transportOffset`.
    public var fragmentStart: UInt16 = 0
    /// The ether type behind the tags, or behind SNAP; the length of an 802.3 frame whose LLC announces none. Always valid.
    public var etherType: UInt16 = 0
    /// First byte of the IP header, of ARP, or of what the ether type or the length announces.
    public var networkOffset: UInt16 = 0
    /// First byte of the transport header; of a later fragment, of its bytes.
    public var transportOffset: UInt16 = 0
    /// First byte behind the transport header: `transportOffset` where the protocol is not read.
    public var payloadOffset: UInt16 = 0
    /// One past the last byte of the IP packet or 802.3 frame by its own length; padding behind it is never looked at.
    public var end: UInt16 = 0
    /// The transport's protocol number; valid for `packet`, `fragment` and `neighbour`. Of a later fragment, the number that its Fragment
    /// header gives, which may be an extension header's.
    public var protocolNumber = IPProtocol(rawValue: 0)
    /// The TCP control bits; valid for TCP.
    public var tcpFlags = TCPFlags(rawValue: 0)
    /// Window scale of a SYN (RFC 7323), or 255 where the option is absent; valid for TCP with SYN.
    public var windowScale: UInt8 = 255
    /// ICMP or ICMPv6 type; valid for these.
    public var icmpType: UInt8 = 0
    /// ICMP or ICMPv6 code; valid for these.
    public var icmpCode: UInt8 = 0
    /// Time to live or hop limit.
    public var hopLimit: UInt8 = 0
    /// The frame's kind.
    public var kind = Kind.link
    /// Which row of the table of layer 2 the frame belongs to; `none` for an ordinary packet. Always valid.
    public var link = LinkProtocol.none
    /// Facts about the frame.
    public var marks = Marks(rawValue: 0)

    /// An empty reading, to be filled by Wire.
    @_noLocks @inlinable public init() {}

    /// Makes it an empty one where it lies. Field by field, because assigning `Reading()` calls `memcpy` on a constant: it is longer than
    /// what the compiler copies in line.
    @_noLocks @inlinable @inline(__always) public mutating func clear() {
        source = Address(high: 0, low: 0)
        destination = Address(high: 0, low: 0)
        target = Address(high: 0, low: 0)
        destinationMAC = MACAddress(bits: 0)
        sourceMAC = MACAddress(bits: 0)
        claimedMAC = MACAddress(bits: 0)
        (sequence, acknowledgement, identification) = (0, 0, 0)
        (tunnel, carried, vlans) = (Tunnel(), Tunnel(), VLANTags())
        (sourcePort, destinationPort, window, maximumSegment) = (0, 0, 0, 0)
        (fragmentOffset, fragmentStart, etherType) = (0, 0, 0)
        (networkOffset, transportOffset, payloadOffset, end) = (0, 0, 0, 0)
        protocolNumber = IPProtocol(rawValue: 0)
        tcpFlags = TCPFlags(rawValue: 0)
        (windowScale, icmpType, icmpCode, hopLimit) = (255, 0, 0, 0)
        (kind, link, marks) = (.link, .none, Marks(rawValue: 0))
    }

    /// Whether the judged headers are IPv4's.
    @inlinable public var isIPv4: Bool { @_noLocks get { source.isIPv4 } }

    /// The service that policy judges: protocol and destination port, or ICMP type and code.
    @inlinable public var service: ServiceKey {
        @_noLocks get { ServiceKey(protocolNumber, port: destinationPort) }
    }
}
