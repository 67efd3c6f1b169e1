// SPDX-License-Identifier: Apache-2.0

/// Why a frame did not leave. One closed list: a case is the index of a counter, a field of a record, a value of the API and a row
/// of the manual (`docs/drop-reasons.md`) at once. A test walks all cases and demands a frame that provokes each.
@frozen public enum DropReason: UInt8, CaseIterable, Sendable {
    // What Wire could not read.
    /// The frame ends before the header that it announces.
    case truncated = 0
    /// More VLAN tags than the two that are read.
    case tooManyTags
    /// An ether type that nothing is known of, and that the table of layer 2 does not pass.
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
    /// A first fragment without all headers, or a later one that reaches back into them.
    case tinyFragment
    /// An IP protocol that its family does not have: ICMP of the other one, or an IPv6 extension header over IPv4.
    case unknownProtocol
    /// TCP flags that no connection sends, as FIN with SYN or RST, a data offset below 5, or a malformed option list.
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
    /// A frame to a group that nothing could allow: TCP.
    case multicast

    // What the transport's checksum told.
    /// The checksum of TCP, UDP, ICMP, ICMPv6 or SCTP is wrong.
    case badTransportChecksum
    /// The transport's checksum is only the pseudo-header's sum, which the sender left to its NIC, and is not to be completed.
    case partialChecksum

    // What layer 2 refused.
    /// A protocol that the table of layer 2 does not pass, or that comes from where it may not.
    case linkProtocol
    /// More group frames than a port may bring in.
    case storm
    /// The frame comes from one of the pair's own ports, or goes to one.
    case ownAddress

    // What Flow refused.
    /// A fragment that overlaps another of its datagram, or of a datagram in which that has happened.
    case fragmentOverlap
    /// A fragment of a datagram for which there is no room: too many incomplete, too many held, of one source or in all.
    case fragmentLimit
    /// A fragment whose first one did not come in time.
    case fragmentTimeout
    /// A TCP segment that opens nothing and belongs to no known flow.
    case notOpening
    /// A TCP segment outside of its connection's windows.
    case outOfWindow
    /// A TCP segment behind a SYN that nobody was seen to answer: the appliance sees only one direction.
    case oneSided
    /// An ICMP reply without its request, or an ICMP error without its flow.
    case unrelatedICMP
    /// More ICMP errors than are let through.
    case errorLimit
    /// More new flows of one source than are let through.
    case sourceLimit
    /// The flow table is full and nothing could be evicted.
    case flowTableFull

    // What policy decided.
    /// A rule or a default says no.
    case denied
    /// No side judges the connection and the zone pair denies what is unjudged.
    case unjudged
    /// The address is claimed twice, or its entry in the address map is damaged.
    case contested
    /// The sender's address belongs to another zone, to another hardware address, or to the other end of the flow.
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
