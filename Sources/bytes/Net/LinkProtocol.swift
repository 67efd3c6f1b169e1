// SPDX-License-Identifier: Apache-2.0

/// What a frame is beyond the connections that policy judges: the protocols by which a network runs itself. Each has a row in the
/// table of layer 2, whose setting says what becomes of it; `docs/layer2.md` is the manual's form of this list.
@frozen public enum LinkProtocol: UInt8, CaseIterable, Sendable {
    /// None of the others: an ordinary packet, judged by policy.
    case none = 0
    /// Address resolution (RFC 826).
    case arp
    /// IPv6 neighbour discovery without router advertisements and redirects (RFC 4861).
    case neighbourDiscovery
    /// IPv6 router advertisements and redirects (RFC 4861), which tell hosts where to send.
    case routerAdvertisement
    /// DHCP and DHCPv6 (RFC 2131, RFC 8415).
    case dhcp
    /// IGMP (RFC 3376).
    case igmp
    /// Multicast listener discovery (RFC 3810).
    case mld
    /// Link-layer discovery (IEEE 802.1AB).
    case lldp
    /// Spanning tree and its relatives over LLC, PVST included (IEEE 802.1D).
    case spanningTree
    /// Link aggregation and the other slow protocols (IEEE 802.3, annex 57A).
    case slowProtocols
    /// Precision time, over Ethernet or UDP (IEEE 1588).
    case ptp
    /// Port authentication (IEEE 802.1X).
    case eapol
    /// Cisco discovery, with VTP, DTP, UDLD and PAgP: SNAP with Cisco's organisation code.
    case cdp
    /// Any other frame to the group addresses 01-80-C2-00-00-00 to -0F, which no bridge forwards (IEEE 802.1Q, 8.6.3).
    case linkLocal
    /// VRRP and CARP, which share protocol number 112 (RFC 9568).
    case vrrp
    /// OSPF (RFC 2328, RFC 5340).
    case ospf
    /// Bidirectional forwarding detection (RFC 5881, RFC 5883).
    case bfd
    /// MPLS, unicast and multicast (RFC 3032).
    case mpls
    /// PPPoE, discovery and session (RFC 2516).
    case pppoe
    /// MACsec (IEEE 802.1AE).
    case macsec
    /// 802.3 with LLC that is none of the above.
    case llc
    /// An ether type that is none of the above.
    case unknown

    /// The case's number, for hot code (see `DropReason.number`).
    @inlinable public var number: UInt8 { @_noLocks get { unsafe unsafeBitCast(self, to: UInt8.self) } }
}

/// What the table of layer 2 does with a protocol.
@frozen public enum LinkSetting: UInt8, CaseIterable, Sendable {
    /// It ends here.
    case drop = 0
    /// It leaves by the other port, whatever policy says.
    case pass
    /// Policy judges it like any packet; only for what is carried in IP.
    case judge
    /// It passes when the inventory bears out what it claims; only for ARP, neighbour discovery, router advertisements and DHCP.
    case check

    /// The case's number, for hot code (see `DropReason.number`).
    @inlinable public var number: UInt8 { @_noLocks get { unsafe unsafeBitCast(self, to: UInt8.self) } }
}

extension LinkSetting {
    /// The setting's name in configuration and manual.
    public var name: String { String(describing: self) }
}

extension LinkProtocol {
    /// The protocol's name in configuration and manual: `spanning-tree`.
    public var name: String {
        String(describing: self).map { $0.isUppercase ? "-" + $0.lowercased() : String($0) }.joined()
    }

    /// The settings that make sense for the protocol; the first one is the default.
    public var settings: [LinkSetting] {
        switch self {
        case .none: [.judge]
        case .arp, .neighbourDiscovery, .routerAdvertisement: [.check, .pass, .drop]
        case .dhcp: [.check, .pass, .judge, .drop]
        case .igmp, .mld: [.pass, .judge, .drop]
        case .vrrp, .ospf, .bfd: [.judge, .pass, .drop]
        case .lldp, .spanningTree, .slowProtocols, .ptp, .eapol, .cdp, .linkLocal, .mpls, .pppoe, .macsec, .llc, .unknown:
            [.drop, .pass]
        }
    }
}
