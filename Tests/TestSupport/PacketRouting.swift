// SPDX-License-Identifier: Apache-2.0
public import Net

// Messages by which routers and switches run the network, as bytes: a test changes single ones of them. Each says what it is to the
// layer before it.

extension Raw {
    /// IGMP: type, code and group, with what a version 3 message adds (RFC 2236, RFC 3376).
    public static func igmp(_ type: UInt8, group: Address = "224.1.2.3", _ rest: [UInt8] = []) -> Raw {
        Raw(summed([type, 0, 0, 0] + wire(group) + rest, at: 2), protocolNumber: 2)
    }

    /// An IGMPv3 report with one record of two sources.
    public static func igmpReport() -> Raw {
        let record = [4, 0, 0, 2] + wire("224.1.2.3" as Address) + wire("10.0.0.8" as Address) + wire("10.0.0.9" as Address)
        return Raw(summed([0x22, 0, 0, 0, 0, 0, 0, 1] + record, at: 2), protocolNumber: 2)
    }

    /// A VRRP advertisement (RFC 9568); CARP's looks the same but for its length.
    public static func vrrp(version: UInt8 = 3, type: UInt8 = 1) -> Raw {
        Raw([version << 4 | type, 7, 100, 1, 0, 100, 0, 0, 10, 0, 0, 254], protocolNumber: 112)
    }

    /// An OSPF hello: version 2 over IPv4 (RFC 2328), 3 over IPv6 (RFC 5340).
    public static func ospf(version: UInt8 = 2, type: UInt8 = 1, length: UInt16? = nil) -> Raw {
        let (header, body) = version == 2 ? (24, 20) : (16, 20)
        let total = length ?? UInt16(header + body)
        let packet = [version, type] + wire(total) + [10, 0, 0, 1] + [UInt8](repeating: 0, count: header + body - 8)
        return Raw(version == 2 ? summed(packet, at: 12) : packet, protocolNumber: 89)
    }

    /// A BFD control packet (RFC 5880).
    public static func bfd(version: UInt8 = 1, length: UInt8 = 24) -> Raw {
        let intervals: [UInt8] = [0, 15, 66, 64, 0, 15, 66, 64, 0, 0, 0, 0]
        return Raw([version << 5, 0xc0, 3, length, 0, 0, 0, 1, 0, 0, 0, 2] + intervals)
    }

    /// A precision time Sync message (IEEE 1588, 13.6).
    public static func ptp(version: UInt8 = 2, length: UInt16 = 44) -> Raw {
        Raw([0, version] + wire(length) + [UInt8](repeating: 0, count: 40), etherType: 0x88f7)
    }

    /// A link-layer discovery message: chassis, port, time to live, end (IEEE 802.1AB, 8.2).
    public static func lldp() -> Raw {
        let chassis: [UInt8] = [2, 7, 4, 2, 0, 0, 0, 0, 1]
        return Raw(chassis + [4, 3, 7, 0x65, 0x30, 6, 2, 0, 120, 0, 0], etherType: 0x88cc)
    }

    /// A configuration message of spanning tree (IEEE 802.1D, 9.3.1), behind LLC or SNAP.
    public static func bridgeMessage(type: UInt8 = 0) -> Raw {
        Raw([0, 0, type == 2 ? 2 : 0, type] + [UInt8](repeating: 0, count: type == 0x80 ? 0 : type == 2 ? 32 : 31))
    }

    /// A slow protocol's message (IEEE 802.3, 57A): LACP unless another subtype is given.
    public static func slow(_ subtype: UInt8 = 1) -> Raw {
        Raw([subtype, 1, 1, 20] + [UInt8](repeating: 0, count: 106), etherType: 0x8809)
    }

    /// A port authentication message (IEEE 802.1X, 11.3): EAPOL-Start unless another type is given.
    public static func eapol(version: UInt8 = 2, type: UInt8 = 1, length: UInt16 = 0) -> Raw {
        Raw([version, type] + wire(length), etherType: 0x888e)
    }

    /// A PPPoE header (RFC 2516): with code 0 a session's around PPP, else discovery.
    public static func pppoe(code: UInt8 = 0, version: UInt8 = 0x11, length: UInt16 = 4) -> Raw {
        let header = [version, code] + wire(UInt16(code == 0 ? 9 : 0)) + wire(length)
        return Raw(header + (code == 0 ? [0xc0, 0x21, 9, 1] : [1, 1, 0, 0]), etherType: code == 0 ? 0x8864 : 0x8863)
    }

    /// An MPLS label stack of one label (RFC 3032).
    public static func mpls(_ label: UInt32 = 100) -> Raw { Raw(wire(label << 12 | 0x1ff), etherType: 0x8847) }

    /// A MACsec tag (IEEE 802.1AE, 9.3).
    public static func macsec(control: UInt8 = 0x0c) -> Raw {
        Raw([control, 0, 0, 0, 0, 1] + [UInt8](repeating: 0x5a, count: 32), etherType: 0x88e5)
    }

    /// Cisco discovery, behind SNAP: version, time to live, checksum, device identifier.
    public static func discovery() -> Raw { Raw([2, 180, 0, 0, 0, 1, 0, 6, 0x73, 0x31]) }

    private static func summed(_ message: [UInt8], at offset: Int) -> [UInt8] {
        var message = message
        message.write(internetChecksum(message), at: offset)
        return message
    }
}

extension ICMPv6 {
    /// A listener query: of version 1, or with sources of version 2 (RFC 3810, 5.1).
    public static func listenerQuery(_ sources: [Address]? = nil) -> ICMPv6 {
        let tail = sources.map { [2, 125] + wire(UInt16($0.count)) + $0.flatMap { wire($0) } } ?? []
        return ICMPv6(type: 130, identifier: 1000, body: [UInt8](repeating: 0, count: 16) + tail)
    }

    /// A listener report (131) or done (132) of version 1 (RFC 2710).
    public static func listenerReport(_ type: UInt8 = 131, of group: Address = "ff02::1:3") -> ICMPv6 {
        ICMPv6(type: type, body: wire(group))
    }

    /// A listener report of version 2 with a record for each group (RFC 3810, 5.2).
    public static func listenerRecords(_ groups: [Address] = ["ff02::1:3"]) -> ICMPv6 {
        ICMPv6(type: 143, sequence: UInt16(groups.count), body: groups.flatMap { [4, 0, 0, 0] + wire($0) })
    }
}
