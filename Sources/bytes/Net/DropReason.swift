// SPDX-License-Identifier: Apache-2.0

/// Why a frame did not leave. One closed list: a case is the index of a counter, a field of a record, a value of the API and a row
/// of the manual (`docs/drop-reasons.md`) at once. A test walks all cases and demands a frame that provokes each.
@frozen public enum DropReason: UInt8, CaseIterable, Sendable {
    // What Wire could not read.
    /// The frame ends before the header that it announces.
    case truncated = 0
    /// More VLAN tags than the two that are read.
    case tooManyTags
    /// A payload type that is not read: neither IPv4, IPv6 nor ARP.
    case unknownEtherType
    /// The version, header length or total length contradict each other or the frame.
    case badLength
    /// LLC, SNAP or a protocol beside IP that contradicts itself, as a SNAP header behind a SNAP header.
    case badLink
    /// The IPv4 header's checksum is wrong.
    case badChecksum
    /// IPv4 source routing, a router alert where none belongs, or a malformed option list.
    case badOptions
    /// An IPv6 extension header that is malformed, repeated, out of place or routes by source, or a chain that is too long.
    case extensionHeader
    /// A fragment: judged only where fragments are tracked.
    case fragment
    /// A first fragment without all headers, or a later one that reaches back into them.
    case tinyFragment
    /// An IP protocol that its family does not have: ICMP of the other one, or an IPv6 extension header over IPv4.
    case unknownProtocol
    /// TCP flags that no connection sends, as SYN with FIN, a data offset below 5, or a malformed option list.
    case badTCP
    /// UDP length outside the packet, or no checksum over IPv6.
    case badUDP
    /// An SCTP port or tag of 0, chunks that do not fill the packet, or an INIT that is not alone.
    case badSCTP
    /// An ICMP or ICMPv6 message shorter than its type demands, or an error that quotes too little.
    case badICMP
    /// An authentication or security header with a reserved index or an impossible length.
    case badIPsec
    /// A message of IGMP, listener discovery, OSPF, VRRP or PTP that contradicts itself.
    case badControl
    /// A DHCP or DHCPv6 message that contradicts itself.
    case badDHCP
    /// An ARP or neighbour-discovery message that contradicts itself, or the latter in fragments.
    case badNeighbour
    /// A tunnel header that contradicts itself or what it carries, or a third tunnel inside the two that are read.
    case badTunnel
    /// A source that cannot be one (multicast, broadcast, loopback, unspecified), or the same address at both ends.
    case martian
    /// Multicast or broadcast that the zone's table does not pass.
    case multicast

    // What Flow refused.
    /// A TCP segment that opens nothing and belongs to no known flow.
    case notOpening
    /// An ICMP reply without its request, or an ICMP error without its flow.
    case unrelatedICMP
    /// The flow table is full and nothing could be evicted.
    case flowTableFull

    // What policy decided.
    /// A rule or a default says no.
    case denied
    /// No side judges the connection and the zone pair denies what is unjudged.
    case unjudged
    /// The address is claimed twice, or its entry in the address map is damaged.
    case contested
    /// The frame came in by the other port than its sender's flow does.
    case spoofed

    // What the engine could not do.
    /// The transmit ring of the other port stayed full.
    case transmitFull
    /// The other port has no link.
    case linkDown
    /// Received before a pause, a hang or a change of mode; nothing old is sent late.
    case stale
    /// The ring towards the worker that owns the flow was full.
    case handOffFull
    /// The frame is longer than the other port's MTU allows.
    case oversize
    /// Lost in the hands of a process that was killed; counted after its restart.
    case lostWithWorker

    /// The case's number. By hand, because a synthesised `rawValue` is closed to hot code of other modules; the cases are numbered
    /// from 0 in their order, which is how the compiler stores them, and a test pins it.
    @inlinable public var number: UInt8 { @_noLocks get { unsafe unsafeBitCast(self, to: UInt8.self) } }

    /// How many counters the memory layout keeps for reasons, so that a new one does not move what lies behind.
    public static let capacity = 64

    /// The reason's name in counters, records, the API and the manual.
    public var name: String { String(describing: self) }
}
