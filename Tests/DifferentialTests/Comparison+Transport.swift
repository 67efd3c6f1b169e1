// SPDX-License-Identifier: Apache-2.0
import Net

extension Comparison {
    /// Compares what stands behind the IP headers.
    mutating func compareTransport(_ reading: Reading, _ level: Level) {
        guard let transport = level.transport else { return }
        switch transport.name {
        case "tcp": compareTCP(reading, transport)
        case "udp":
            comparePorts(reading, transport, "udp")
            expect("payload offset", transport.position + 8, Int(reading.payloadOffset))
        case "sctp": comparePorts(reading, transport, "sctp")
        case "icmp":
            expect("ICMP type", transport.number("icmp.type"), Int(reading.icmpType))
            expect("ICMP code", transport.number("icmp.code"), Int(reading.icmpCode))
            expect("ICMP error", transport.fields["ip.src"] != nil, reading.marks.contains(.icmpError))
            compareEcho(reading, request: 8, reply: 0, transport.number("icmp.ident"))
        case "icmpv6": compareICMPv6(reading, transport)
        default: break
        }
        compareTunnel(reading, level)
    }

    private mutating func comparePorts(_ reading: Reading, _ layer: Dissection.Layer, _ name: String) {
        expect("source port", layer.number("\(name).srcport"), Int(reading.sourcePort))
        expect("destination port", layer.number("\(name).dstport"), Int(reading.destinationPort))
    }

    private mutating func compareTCP(_ reading: Reading, _ tcp: Dissection.Layer) {
        comparePorts(reading, tcp, "tcp")
        expect("TCP flags", tcp.number("tcp.flags").map { $0 & 0xff }, Int(reading.tcpFlags.rawValue))
        expect("sequence", tcp.number("tcp.seq_raw"), Int(reading.sequence))
        expect("acknowledgement", tcp.number("tcp.ack_raw"), Int(reading.acknowledgement))
        expect("window", tcp.number("tcp.window_size_value"), Int(reading.window))
        expect("payload offset", tcp.number("tcp.hdr_len").map { tcp.position + $0 }, Int(reading.payloadOffset))
        guard reading.tcpFlags.contains(.syn) else { return }
        // A larger shift counts as 14 (RFC 7323, 2.3).
        let scale = tcp.number("tcp.options.wscale.shift").map { min($0, 14) }
        expect("window scale", scale ?? 255, Int(reading.windowScale))
        expect("maximum segment", tcp.number("tcp.options.mss_val") ?? 0, Int(reading.maximumSegment))
    }

    private mutating func compareICMPv6(_ reading: Reading, _ icmp: Dissection.Layer) {
        expect("ICMP type", icmp.number("icmpv6.type"), Int(reading.icmpType))
        expect("ICMP code", icmp.number("icmpv6.code"), Int(reading.icmpCode))
        expect("ICMP error", icmp.fields["ipv6.src"] != nil && reading.icmpType < 128, reading.marks.contains(.icmpError))
        compareEcho(reading, request: 128, reply: 129, icmp.number("icmpv6.echo.identifier"))
        guard (133...137).contains(reading.icmpType) else { return }
        expect("kind", Reading.Kind.neighbour, reading.kind)
        let targets = ["ns", "na", "rd"].compactMap { icmp.text("icmpv6.nd.\($0).target_address") }
        expect("target", targets.first ?? "::", reading.target.high | reading.target.low == 0 ? "::" : reading.target.description)
        let claim = icmp.text("icmpv6.opt.linkaddr") ?? "00:00:00:00:00:00"
        expect("claimed MAC", claim, reading.claimedMAC.description)
    }

    /// An echo's identifier stands where its sender's port would, a reply's where the receiver's would.
    private mutating func compareEcho(_ reading: Reading, request: Int, reply: Int, _ identifier: Int?) {
        if Int(reading.icmpType) == request { expect("echo identifier", identifier, Int(reading.sourcePort)) }
        if Int(reading.icmpType) == reply { expect("echo identifier", identifier, Int(reading.destinationPort)) }
    }

    private mutating func compareTunnel(_ reading: Reading, _ level: Level) {
        for layer in [level.transport].compactMap({ $0 }) + level.rest {
            switch layer.name {
            case "vxlan": compareTunnel(reading, .vxlan, layer.number("vxlan.vni"))
            case "geneve": compareTunnel(reading, .geneve, layer.number("geneve.vni"))
            case "gre": compareTunnel(reading, .gre, layer.number("gre.key") ?? 0)
            default: continue
            }
        }
    }

    private mutating func compareTunnel(_ reading: Reading, _ kind: Tunnel.Kind, _ identifier: Int?) {
        expect("tunnel", kind, reading.carried.kind)
        expect("tunnel identifier", identifier, Int(reading.carried.identifier))
    }
}

extension LinkProtocol {
    /// The row of layer 2 that tshark's layers speak of.
    static func named(by level: Level) -> LinkProtocol {
        let rows: [String: LinkProtocol] = [
            "arp": .arp, "igmp": .igmp, "lldp": .lldp, "stp": .spanningTree, "slow": .slowProtocols, "ptp": .ptp, "eapol": .eapol,
            "cdp": .cdp, "vrrp": .vrrp, "carp": .vrrp, "ospf": .ospf, "bfd": .bfd, "mpls": .mpls, "pppoed": .pppoe,
            "pppoes": .pppoe,
            "macsec": .macsec, "dhcp": .dhcp, "dhcpv6": .dhcp,
        ]
        if level.network?.name == "arp" { return .arp }
        if let row = level.names.compactMap({ rows[$0] }).first { return row }
        if level.transport?.name == "icmpv6", let type = level.transport?.number("icmpv6.type") {
            switch type {
            case 133, 135, 136: return .neighbourDiscovery
            case 134, 137: return .routerAdvertisement
            case 130, 131, 132, 143: return .mld
            default: return .none
            }
        }
        guard level.network == nil else { return .none }
        return level.llc == nil ? .unknown : .llc
    }
}
