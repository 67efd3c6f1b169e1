// SPDX-License-Identifier: Apache-2.0
internal import Net

private let group4: MACAddress = "01:00:5e:00:00:12"
private let group6: MACAddress = "33:33:00:00:00:05"
private let quoted4 = IPv4(from: "10.0.0.2", to: "10.0.0.1")
private let quoted6 = IPv6(from: "fd00::2", to: "fd00::1")

extension Sample {
    /// What runs the network over IP.
    static var control: [Sample] { neighbours + hostControl + routing }

    /// ICMPv6 between neighbours, and listeners of either family.
    static var neighbours: [Sample] {
        let option = ICMPv6.linkLayerOption()
        let group: Address = "224.0.0.22"
        let alert: [UInt8] = [148, 4, 0, 0]
        return [
            Sample("router solicitation", neighbour(.routerSolicitation(options: option))),
            Sample("router advertisement", neighbour(.routerAdvertisement(options: option + [5, 1, 0, 0, 0, 0, 5, 220]))),
            Sample("neighbour solicitation", neighbour(.solicitation(of: "fe80::2", options: option))),
            Sample("neighbour advertisement", neighbour(.advertisement(of: "fe80::1", options: ICMPv6.linkLayerOption(2)))),
            Sample(
                "redirect", neighbour(.redirect(of: "fd00::7", to: "fe80::2", options: ICMPv6.linkLayerOption(2)), to: "fd00::9")),
            Sample("MLD query", listener(.listenerQuery())),
            Sample("MLDv2 query", listener(.listenerQuery(["fd00::8"]))),
            Sample("MLD report", listener(.listenerReport())),
            Sample("MLDv2 report", listener(.listenerRecords(["ff02::1:3", "ff02::fb"]))),
            Sample("IGMP query", Ethernet(to: group4) / IPv4(to: "224.0.0.1", ttl: 1) / Raw.igmp(0x11)),
            Sample("IGMPv2 report", Ethernet(to: group4) / IPv4(to: "224.1.2.3", ttl: 1) / Raw.igmp(0x16) / Padding(to: 60)),
            Sample("IGMPv2 leave", Ethernet(to: group4) / IPv4(to: "224.0.0.2", ttl: 1, options: alert) / Raw.igmp(0x17)),
            Sample(
                "IGMPv3 query",
                Ethernet(to: group4) / IPv4(to: "224.0.0.1", ttl: 1) / Raw.igmp(0x11, [2, 125, 0, 1, 10, 0, 0, 8])),
            Sample("IGMPv3 report", Ethernet(to: group4) / IPv4(to: group, ttl: 1, options: alert) / Raw.igmpReport()),
        ]
    }

    /// ICMP and DHCP.
    static var hostControl: [Sample] {
        let nobody = Ethernet(to: "ff:ff:ff:ff:ff:ff") / IPv4(from: "0.0.0.0", to: "255.255.255.255") / UDP(from: 68, to: 67)
        let servers =
            Ethernet(to: "33:33:00:01:00:02") / IPv6(from: "fe80::1", to: "ff02::1:2", hopLimit: 1) / UDP(from: 546, to: 547)
        let client = Ethernet() / IPv6(from: "fe80::2", to: "fe80::1") / UDP(from: 547, to: 546)
        return [
            Sample("ICMP echo", Ethernet() / IPv4() / ICMP.echo() / Payload(count: 16)),
            Sample("ICMP echo reply", Ethernet() / IPv4() / ICMP.echoReply() / Payload(count: 16)),
            Sample("ICMP timestamp", Ethernet() / IPv4() / ICMP(type: 13, identifier: 7) / Payload(count: 12)),
            Sample("ICMP error", Ethernet() / IPv4() / ICMP(type: 3, code: 1) / quoted4 / UDP()),
            Sample("ICMPv6 echo", Ethernet() / IPv6() / ICMPv6.echo() / Payload(count: 16)),
            Sample("ICMPv6 echo reply", Ethernet() / IPv6() / ICMPv6.echoReply()),
            Sample("ICMPv6 error", Ethernet() / IPv6() / ICMPv6(type: 2, sequence: 1280) / quoted6 / TCP()),
            Sample("DHCP discover", nobody / DHCP.discover()),
            Sample("DHCP offer", Ethernet() / IPv4() / UDP(from: 67, to: 68) / DHCP.offer()),
            Sample("DHCPv6 solicit", servers / DHCPv6(1)),
            Sample("DHCPv6 advertise", client / DHCPv6(2)),
            Sample(
                "DHCPv6 relayed", Ethernet() / IPv6() / UDP(from: 547, to: 547) / DHCPv6(12, options: [0, 9, 0, 4, 1, 0, 0, 1])),
        ]
    }

    /// What routers say to each other.
    static var routing: [Sample] {
        let peers = IPv4(to: "224.0.0.18", ttl: 255)
        let peers6 = IPv6(from: "fe80::1", to: "ff02::12", hopLimit: 255)
        let clocks4 = Ethernet(to: "01:00:5e:00:01:81") / IPv4(to: "224.0.1.129")
        let clocks6 = Ethernet(to: group6) / IPv6(to: "ff0e::181") / UDP(from: 320, to: 320)
        let ospf6 = Ethernet(to: group6) / IPv6(from: "fe80::1", to: "ff02::5", hopLimit: 1)
        return [
            Sample("VRRP", Ethernet(to: group4) / peers / Raw.vrrp()),
            Sample("VRRP over IPv6", Ethernet(to: group6) / peers6 / Raw.vrrp() / Payload(count: 12)),
            Sample("CARP", Ethernet(to: group4) / peers / Raw.vrrp(version: 2) / Payload(count: 24)),
            Sample("OSPF", Ethernet(to: "01:00:5e:00:00:05") / IPv4(to: "224.0.0.5", ttl: 1) / Raw.ospf()),
            Sample("OSPF over IPv6", ospf6 / Raw.ospf(version: 3)),
            Sample("BFD", Ethernet() / IPv4(ttl: 255) / UDP(from: 49152, to: 3784) / Raw.bfd()),
            Sample(
                "BFD echo",
                Ethernet() / IPv4(from: "10.0.0.1", to: "10.0.0.9", ttl: 255) / UDP(from: 49152, to: 3785) / Payload("?")),
            Sample("BFD over hops, IPv6", Ethernet() / IPv6(hopLimit: 60) / UDP(from: 49152, to: 4784) / Raw.bfd()),
            Sample("PTP over UDP", clocks4 / UDP(from: 319, to: 319) / Raw.ptp()),
            Sample("PTP over UDP and IPv6", clocks6 / Raw.ptp() / Payload(count: 2)),
        ]
    }

    /// TCP, UDP and SCTP.
    static var transport: [Sample] {
        let opening: [UInt8] = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 9]
        let stamps: [UInt8] = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]
        let holes: [UInt8] = stamps + [1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 9]
        return [
            Sample("TCP SYN", Ethernet() / IPv4() / TCP([.syn], options: opening) / Padding(to: 60)),
            Sample("TCP SYN ACK over IPv6", Ethernet() / IPv6() / TCP([.syn, .ack], windowScale: 3)),
            Sample("TCP data", Ethernet() / IPv4() / TCP([.ack, .psh], options: stamps) / Payload("data")),
            Sample("TCP holes over IPv6", Ethernet() / IPv6() / TCP([.ack], options: holes)),
            Sample("TCP reset", Ethernet() / IPv4() / TCP([.rst]) / Padding(to: 60)),
            Sample("UDP", Ethernet() / IPv4() / UDP() / Payload("query")),
            Sample("UDP over IPv6", Ethernet() / IPv6() / UDP() / Payload("query")),
            Sample("SCTP INIT", Ethernet() / IPv4() / SCTP.initiation()),
            Sample("SCTP data over IPv6", Ethernet() / IPv6() / SCTP(SCTP.data(), SCTP.data(8))),
        ]
    }

    /// Packets in packets.
    static var tunnels: [Sample] {
        let (outer4, outer6) = (Ethernet() / IPv4(), Ethernet() / IPv6())
        let frame = Ethernet(from: "0a:00:00:00:00:01", to: "0a:00:00:00:00:02")
        let inner4 = IPv4(from: "192.168.0.1", to: "192.168.0.2") / TCP([.syn])
        let inner6 = IPv6(from: "fd01::1", to: "fd01::2") / UDP() / Payload("query")
        let option: [UInt8] = [1, 2, 3, 1, 0, 0, 0, 9]
        return [
            Sample("IPv4 in IPv4", outer4 / inner4),
            Sample("IPv6 in IPv4", outer4 / inner6),
            Sample("IPv4 in IPv6", outer6 / inner4),
            Sample("IPv6 in IPv6", outer6 / inner6),
            Sample("GRE", outer4 / GRE() / inner4),
            Sample("GRE with all fields", outer4 / GRE(hasChecksum: true, key: 7, sequence: 1) / inner6),
            Sample("GRE with a frame over IPv6", outer6 / GRE(key: 7) / frame / inner4),
            Sample("PPTP", outer4 / GRE.pptp(call: 7, carrying: 12) / Payload(count: 12)),
            Sample("VXLAN", outer4 / UDP(from: 49152, to: 4789) / VXLAN(7001) / frame / inner4),
            Sample("VXLAN over IPv6", outer6 / UDP(from: 49152, to: 4789, checksum: 0) / VXLAN(7001) / frame / inner6),
            Sample("VXLAN with ARP", outer4 / UDP(from: 49152, to: 4789) / VXLAN(7001) / frame / ARP()),
            Sample("Geneve", outer4 / UDP(from: 49152, to: 6081) / Geneve(7001, options: option) / frame / inner4),
            Sample("Geneve with a packet over IPv6", outer6 / UDP(from: 49152, to: 6081) / Geneve(7001) / inner6),
            Sample("tunnel in a tunnel", outer4 / GRE() / IPv6() / UDP(from: 49152, to: 4789) / VXLAN(9) / frame / inner4),
        ]
    }
}
