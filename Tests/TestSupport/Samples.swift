// SPDX-License-Identifier: Apache-2.0
internal import Net

/// A frame that Wire reads: at least one of every protocol and shape, in both families where it has them. Tests cut, change and mix
/// them; other readers are compared on them.
public struct Sample: Sendable, CustomStringConvertible {
    /// What it is, in a few words.
    public var name: String
    /// How it was built.
    public var packet: Packet

    /// A named packet.
    public init(_ name: String, _ packet: Packet) {
        self.name = name
        self.packet = packet
    }

    /// The frame.
    public var bytes: [UInt8] { packet.bytes }

    /// The name, in a failing row.
    public var description: String { name }

    /// All of them.
    public static var all: [Sample] { link + network + control + transport + tunnels }
}

// The addresses that samples use beside the builder's defaults.
private let allHosts: MACAddress = "ff:ff:ff:ff:ff:ff"
private let link1: Address = "fe80::1"
private let nodes: Address = "ff02::1"
private let nodesMAC: MACAddress = "33:33:00:00:00:01"
private let bridges: MACAddress = "01:80:c2:00:00:00"
private let cisco: MACAddress = "01:00:0c:cc:cc:cc"

/// A neighbour message as it goes over the link; for samples.
func neighbour(_ message: ICMPv6, to group: Address = nodes) -> Packet {
    Ethernet(to: nodesMAC) / IPv6(from: link1, to: group, hopLimit: 255) / message
}

/// A listener message as it goes over the link; for samples.
func listener(_ message: ICMPv6) -> Packet {
    Ethernet(to: nodesMAC) / IPv6(from: link1, to: "ff02::16", hopLimit: 1) / Extension.routerAlert() / message
}

extension Sample {
    /// Frames of layer 2, without IP.
    static var link: [Sample] {
        [
            Sample("ARP request", Ethernet(to: allHosts) / ARP()),
            Sample("ARP reply in a VLAN", Ethernet() / VLAN(10) / ARP(2) / Padding(to: 64)),
            Sample("ARP in SNAP", Ethernet() / SNAP() / ARP() / Padding(to: 60)),
            Sample("LLDP", Ethernet(to: "01:80:c2:00:00:0e") / Raw.lldp() / Padding(to: 60)),
            Sample("spanning tree", Ethernet(to: bridges) / LLC(0x42, 0x42) / Raw.bridgeMessage() / Padding(to: 60)),
            Sample("rapid spanning tree", Ethernet(to: bridges) / LLC(0x42, 0x42) / Raw.bridgeMessage(type: 2) / Padding(to: 60)),
            Sample("topology change", Ethernet(to: bridges) / LLC(0x42, 0x42) / Raw.bridgeMessage(type: 0x80) / Padding(to: 60)),
            Sample(
                "PVST in a VLAN",
                Ethernet(to: "01:00:0c:cc:cc:cd") / VLAN(10) / SNAP(0x0c, type: 0x010b) / Raw.bridgeMessage() / Padding(to: 64)),
            Sample("LACP", Ethernet(to: "01:80:c2:00:00:02") / Raw.slow()),
            Sample("PTP over Ethernet", Ethernet(to: "01:1b:19:00:00:00") / Raw.ptp() / Padding(to: 60)),
            Sample("EAPOL", Ethernet(to: "01:80:c2:00:00:03") / Raw.eapol() / Padding(to: 60)),
            Sample("CDP", Ethernet(to: cisco) / SNAP(0x0c, type: 0x2000) / Raw.discovery() / Padding(to: 60)),
            Sample("link-local group", Ethernet(to: "01:80:c2:00:00:0d", type: 0x22ea) / Payload(count: 46)),
            Sample("MPLS", Ethernet() / Raw.mpls() / IPv4() / UDP()),
            Sample("PPPoE discovery", Ethernet(to: allHosts) / Raw.pppoe(code: 9) / Padding(to: 60)),
            Sample("PPPoE session", Ethernet() / Raw.pppoe() / Padding(to: 60)),
            Sample("MACsec", Ethernet() / Raw.macsec()),
            Sample("other LLC", Ethernet(to: "01:80:c2:00:00:14") / LLC(0xfe, 0xfe) / Payload(count: 30) / Padding(to: 60)),
            Sample("other SNAP", Ethernet() / SNAP(0x08_0007, type: 0x809b) / Payload(count: 10) / Padding(to: 60)),
            Sample("other ether type", Ethernet(type: 0x88b5) / Payload(count: 46)),
        ]
    }

    /// IP headers in their shapes, around a plain transport.
    static var network: [Sample] {
        [
            Sample("two tags", Ethernet() / VLAN(10, tagType: 0x88a8) / VLAN(20) / IPv4() / UDP() / Payload("query")),
            Sample("old service tag and VLAN 0", Ethernet() / VLAN(7, tagType: 0x9100) / VLAN(0, priority: 5) / IPv6() / UDP()),
            Sample("IPv4 in SNAP", Ethernet() / SNAP() / IPv4() / TCP([.syn]) / Padding(to: 60)),
            Sample("IPv6 in a bridge tunnel's SNAP", Ethernet() / SNAP(0xf8) / IPv6() / UDP() / Padding(to: 80)),
            Sample(
                "IPv4 options",
                Ethernet() / IPv4(options: [7, 7, 4, 0, 0, 0, 0, 1, 68, 4, 5, 0]) / TCP([.ack, .psh]) / Payload("hello")),
            Sample("IPv4 first fragment", Ethernet() / IPv4(identification: 9, moreFragments: true) / UDP() / Payload(count: 16)),
            Sample("IPv4 last fragment", Ethernet() / IPv4(identification: 9, offset: 24, next: 17) / Payload(count: 5)),
            Sample("IPv6 first fragment", Ethernet() / IPv6() / Fragment(more: true) / TCP([.syn]) / Payload(count: 12)),
            Sample("IPv6 later fragment", Ethernet() / IPv6() / Fragment(offset: 64, more: true, next: 6) / Payload(count: 16)),
            Sample("IPv6 atomic fragment", Ethernet() / IPv6() / Fragment() / UDP() / Payload("query")),
            Sample(
                "IPv6 chain",
                Ethernet() / IPv6() / Extension.hopByHop() / Extension.destination() / Extension.routing(type: 4, segmentsLeft: 0)
                    / Extension.destination([4, 1, 4]) / TCP([.syn], windowScale: 7)),
            Sample("IPv4 authentication", Ethernet() / IPv4() / Authentication() / TCP([.syn])),
            Sample("IPv6 authentication", Ethernet() / IPv6() / Authentication() / UDP() / Payload("query")),
            Sample("IPv4 security payload", Ethernet() / IPv4() / ESP() / Payload(count: 40)),
            Sample("IPv6 security payload", Ethernet() / IPv6() / ESP() / Payload(count: 40)),
            Sample("IPv6 no next header", Ethernet() / IPv6() / Extension.destination()),
            Sample("IPv6 mobility", Ethernet() / IPv6() / Extension(135, body: [1, 0, 0, 0, 0, 0])),
            Sample("IPv4 other protocol", Ethernet() / IPv4(next: 88) / Payload(count: 20)),
            Sample("IPv6 other protocol", Ethernet() / IPv6(next: 103) / Payload(count: 20)),
        ]
    }
}
