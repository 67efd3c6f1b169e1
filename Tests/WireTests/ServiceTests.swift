// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing
import Wire

@Suite struct DHCPMessages {
    static let toServer = Ethernet() / IPv4() / UDP(from: 68, to: 67)
    static let toClient = Ethernet() / IPv4() / UDP(from: 67, to: 68)

    @Test func `messages of clients and servers are told apart`() {
        let ask = reading(of: Self.toServer / DHCP.discover())
        #expect(ask.link == .dhcp)
        #expect(!ask.marks.contains(.fromServer))
        #expect(ask.service == ServiceKey(.udp, port: 67))
        let answer = reading(of: Self.toClient / DHCP.offer())
        #expect(answer.link == .dhcp)
        #expect(answer.marks.contains(.fromServer))
        // A relay asks from the server's port, and is answered there.
        #expect(!reading(of: Ethernet() / IPv4() / UDP(from: 67, to: 67) / DHCP.discover()).marks.contains(.fromServer))
        #expect(reading(of: Ethernet() / IPv4() / UDP(from: 67, to: 67) / DHCP.offer()).marks.contains(.fromServer))
        // From whichever port, a reply is a server's word.
        #expect(reading(of: Ethernet() / IPv4() / UDP(from: 9999, to: 68) / DHCP.offer()).marks.contains(.fromServer))
    }

    @Test func `to the client's port only servers speak`() { expect(Self.toClient / DHCP.discover(), .badDHCP) }

    @Test func `the message type fits the operation`() {
        for type in 0...20 as ClosedRange<UInt8> {
            let options: [UInt8] = [53, 1, type, 255]
            let isClients = [1, 3, 4, 7, 8].contains(type)
            let isServers = [2, 5, 6].contains(type)
            let isLater = (9...18).contains(type)
            expect(Self.toServer / DHCP(1, options: options), isClients || isLater ? nil : .badDHCP)
            expect(Self.toClient / DHCP(2, options: options), isServers || isLater ? nil : .badDHCP)
        }
        for operation in [0, 3, 255] as [UInt8] { expect(Self.toServer / DHCP(operation, options: [53, 1, 1, 255]), .badDHCP) }
    }

    @Test(
        arguments: [
            [], [255], [0, 0, 0], [53, 1], [53, 2, 1, 1, 255], [53, 0, 255], [50, 200, 1, 53, 1, 1], [50], [255, 53, 1, 1],
            [53, 1, 1, 53, 1, 3, 255],
        ] as [[UInt8]])
    func `a list without one message type, or with a hole, is refused`(options: [UInt8]) {
        expect(Self.toServer / DHCP(1, options: options), .badDHCP)
    }

    @Test(arguments: [[53, 1, 1], [0, 0, 53, 1, 1, 0, 255, 9, 9], [53, 1, 1, 53, 1, 1, 255]] as [[UInt8]])
    func `padding, a repeated type and a missing end are no contradiction`(options: [UInt8]) {
        expect(Self.toServer / DHCP(1, options: options), nil)
    }

    @Test func `hardware address and cookie are right`() {
        let options: [UInt8] = [53, 1, 1, 255]
        expect(Self.toServer / DHCP(1, options: options, hardwareLength: 8), .badDHCP)
        expect(Self.toServer / DHCP(1, options: options, hardware: 32, hardwareLength: 0), nil)
        expect(Self.toServer / DHCP(1, options: options, hardware: 32, hardwareLength: 17), .badDHCP)
        expect(Self.toServer / DHCP(1, options: options, cookie: 0), .badDHCP)
        expect(Self.toServer / Payload(count: 236), .badDHCP)
    }

    @Test func `the ports of the other family are ordinary`() {
        #expect(reading(of: Ethernet() / IPv6() / UDP(to: 67)).link == .none)
        #expect(reading(of: Ethernet() / IPv4() / UDP(to: 547)).link == .none)
    }
}

@Suite struct DHCPv6Messages {
    @Test func `of all types those of servers are marked, and no other speaks to the client's port`() {
        let servers: [UInt8] = [2, 7, 10, 13, 15, 16, 17, 19, 21, 37]
        let clients: [UInt8] = [1, 3, 4, 5, 6, 8, 9, 11, 12, 14, 18, 20, 36]
        for type in UInt8.min...UInt8.max {
            let isServers = servers.contains(type)
            let (reason, reading) = outcome(of: (Ethernet() / IPv6() / UDP(to: 547) / DHCPv6(type)).bytes)
            #expect(reason == (isServers || clients.contains(type) ? nil : .badDHCP), "type \(type)")
            #expect(reading.marks.contains(.fromServer) == isServers)
            expect(Ethernet() / IPv6() / UDP(to: 546) / DHCPv6(type), isServers ? nil : .badDHCP)
        }
    }

    @Test(arguments: [[0], [0, 1, 0], [0, 1, 0, 3, 1, 2], [0, 1, 0, 1, 1, 0, 2, 255, 255]] as [[UInt8]])
    func `options fill the rest`(options: [UInt8]) {
        expect(Ethernet() / IPv6() / UDP(to: 547) / DHCPv6(1, options: options), .badDHCP)
        expect(Ethernet() / IPv6() / UDP(to: 547) / DHCPv6(12, options: options), .badDHCP)
    }

    @Test func `a header cut short is refused`() {
        expect(Ethernet() / IPv6() / UDP(to: 547) / Raw([1, 0, 0]), .badDHCP)
        expect(Ethernet() / IPv6() / UDP(to: 547) / Raw([12] + [UInt8](repeating: 0, count: 32)), .badDHCP)
    }
}

@Suite struct RoutersAndClocks {
    @Test func `BFD is what its ports and its header say, from the link where it must be`() {
        for (packet, isBFD) in [
            (Ethernet() / IPv4(ttl: 255) / UDP(to: 3784) / Raw.bfd(), true),
            (Ethernet() / IPv6(hopLimit: 255) / UDP(to: 3784) / Raw.bfd(), true),
            (Ethernet() / IPv4(ttl: 254) / UDP(to: 3784) / Raw.bfd(), false),
            (Ethernet() / IPv4(ttl: 9) / UDP(to: 4784) / Raw.bfd(), true),
            (Ethernet() / IPv4(ttl: 255) / UDP(to: 3784) / Raw.bfd(version: 0), false),
            (Ethernet() / IPv4(ttl: 255) / UDP(to: 3784) / Raw.bfd(length: 23), false),
            (Ethernet() / IPv4(ttl: 255) / UDP(to: 3784) / Raw.bfd(length: 25), false),
            (Ethernet() / IPv4(ttl: 255) / UDP(to: 3784) / Payload(count: 23), false),
            (Ethernet() / IPv4(ttl: 255) / UDP(to: 3785) / Payload(count: 1), true),
            (Ethernet() / IPv4(ttl: 254) / UDP(to: 3785) / Payload(count: 1), true),
            (Ethernet() / IPv4(ttl: 253) / UDP(to: 3785) / Payload(count: 1), false),
            (Ethernet() / IPv4(ttl: 255) / UDP(from: 3784, to: 53) / Raw.bfd(), false),
        ] as [(Packet, Bool)] {
            // What is no BFD is a datagram like any.
            #expect(reading(of: packet).link == (isBFD ? .bfd : .none), "\(packet)")
        }
    }

    @Test(arguments: [319, 320] as [UInt16])
    func `precision time over UDP is read, and nothing else at its ports`(port: UInt16) {
        #expect(reading(of: Ethernet() / IPv4(to: "224.0.1.129") / UDP(to: port) / Raw.ptp()).link == .ptp)
        #expect(reading(of: Ethernet() / IPv6() / UDP(to: port) / Raw.ptp() / Payload(count: 2)).link == .ptp)
        for message in [Raw.ptp(version: 0), Raw.ptp(length: 33), Raw.ptp(length: 45), Raw([0, 2, 0, 33])] {
            expect(Ethernet() / IPv4() / UDP(to: port) / message, .badControl)
        }
    }

    @Test func `VRRP and CARP come from the link`() {
        for version in [2, 3] as [UInt8] {
            #expect(reading(of: Ethernet() / IPv4(to: "224.0.0.18", ttl: 255) / Raw.vrrp(version: version)).link == .vrrp)
            expect(Ethernet() / IPv4(to: "224.0.0.18", ttl: 254) / Raw.vrrp(version: version), .badControl)
        }
        expect(Ethernet() / IPv6(hopLimit: 64) / Raw.vrrp(), .badControl)
        expect(Ethernet() / IPv4(ttl: 255) / Raw.vrrp(version: 4), .badControl)
        expect(Ethernet() / IPv4(ttl: 255) / Raw.vrrp(type: 2), .badControl)
        expect(Ethernet() / IPv4(ttl: 255) / Raw([0x31, 0, 0, 0, 0, 0, 0], protocolNumber: 112), .truncated)
    }

    @Test func `OSPF has the version of its family, a type and a length`() {
        #expect(reading(of: Ethernet() / IPv4(to: "224.0.0.5", ttl: 1) / Raw.ospf()).link == .ospf)
        #expect(reading(of: Ethernet() / IPv6() / Raw.ospf(version: 3)).link == .ospf)
        expect(Ethernet() / IPv4() / Raw.ospf(version: 3), .badControl)
        expect(Ethernet() / IPv6() / Raw.ospf(version: 2), .badControl)
        for type in [0, 6] as [UInt8] { expect(Ethernet() / IPv4() / Raw.ospf(type: type), .badControl) }
        for length in [23, 45] as [UInt16] { expect(Ethernet() / IPv4() / Raw.ospf(length: length), .badControl) }
        expect(Ethernet() / IPv4() / Raw.ospf(length: 28), nil)
        expect(Ethernet() / IPv4() / Raw([2, 1, 0, 24], protocolNumber: 89), .truncated)
    }
}

@Suite struct Listeners {
    static let group = IPv4(to: "224.0.0.22", ttl: 1)

    @Test func `IGMP of all versions is read`() {
        for message in [
            Raw.igmp(0x11), .igmp(0x12), .igmp(0x16), .igmp(0x17), .igmp(0x11, [2, 125, 0, 1, 10, 0, 0, 8]),
            .igmp(0x11, [2, 125, 0, 0]),
            .igmpReport(), .igmp(0x22, group: "0.0.0.0"),
        ] {
            let reading = reading(of: Ethernet() / Self.group / message)
            #expect(reading.link == .igmp)
            #expect(reading.service.rawValue == 2 << 16)
        }
    }

    @Test func `IGMP whose lists do not fit is refused`() {
        expect(Ethernet() / Self.group / Raw.igmp(0x11, [2, 125, 0]), .badControl)
        expect(Ethernet() / Self.group / Raw.igmp(0x11, [2, 125, 0, 2, 10, 0, 0, 8]), .badControl)
        for report in [
            [1, 0, 0, 0, 224, 1, 2], [1, 0, 0, 1, 224, 1, 2, 3], [1, 1, 0, 0, 224, 1, 2, 3], [1, 0, 255, 255, 224, 1, 2, 3],
        ] as [[UInt8]] {
            expect(Ethernet() / Self.group / Raw.igmp(0x22, group: "0.0.0.1", report), .badControl)
        }
        expect(Ethernet() / Self.group / Raw.igmp(0x22, group: "0.0.255.255"), .badControl)
        expect(Ethernet() / Self.group / Raw([0x16, 0, 0, 0, 224, 0, 0], protocolNumber: 2), .truncated)
    }

    @Test func `what could carry a payload to a host past policy is an ordinary packet`() {
        for message in [Raw.igmp(0x16), .igmp(0x11), .igmpReport()] {
            #expect(reading(of: Ethernet() / IPv4(to: "10.0.0.2", ttl: 1) / message).link == .none)
        }
        for message in [
            Raw.igmp(0x13), .igmp(0x55), .igmp(0x16, [1]), .igmp(0x11, [2, 125, 0, 0, 1]), .igmp(0x22, group: "0.0.0.0", [1]),
        ] {
            #expect(reading(of: Ethernet() / Self.group / message).link == .none)
        }
        let host = IPv6(from: linkLocal, to: "fd00::2", hopLimit: 1)
        for message in [ICMPv6.listenerQuery(), .listenerReport(), .listenerRecords()] {
            #expect(reading(of: Ethernet() / host / message).link == .none)
        }
        let group = IPv6(from: linkLocal, to: "ff02::16", hopLimit: 1)
        for message in [ICMPv6.listenerQuery([]), .listenerReport(), .listenerReport(132), .listenerRecords()] {
            #expect(reading(of: Ethernet() / group / message / Payload(count: 5)).link == .none)
        }
    }

    @Test func `what could be routed is an ordinary packet`() {
        #expect(reading(of: Ethernet() / IPv4(to: "224.0.0.22", ttl: 2) / Raw.igmpReport()).link == .none)
        #expect(reading(of: Ethernet() / IPv6(from: linkLocal, to: group6, hopLimit: 2) / ICMPv6.listenerReport()).link == .none)
    }

    @Test func `listener discovery is read, from link-local addresses`() {
        let network = IPv6(from: linkLocal, to: "ff02::16", hopLimit: 1)
        for message in [
            ICMPv6.listenerQuery(), .listenerQuery([]), .listenerQuery(["fd00::8", "fd00::9"]), .listenerReport(),
            .listenerReport(132),
            .listenerRecords(), .listenerRecords([]),
        ] {
            #expect(reading(of: Ethernet() / network / message).link == .mld)
            #expect(reading(of: Ethernet() / network / Extension.routerAlert() / message).link == .mld)
            expect(Ethernet() / IPv6(from: "fd00::1", to: "ff02::16", hopLimit: 1) / message, .badControl)
        }
        expect(Ethernet() / IPv6(from: "::", to: "ff02::16", hopLimit: 1) / ICMPv6.listenerRecords(), nil)
        expect(Ethernet() / IPv6(from: "::", to: "ff02::1", hopLimit: 1) / ICMPv6.listenerQuery(), .badControl)
    }

    @Test func `listener discovery whose lists do not fit is refused`() {
        let network = IPv6(from: linkLocal, to: "ff02::16", hopLimit: 1)
        var (query, report) = (ICMPv6.listenerQuery(["fd00::8"]), ICMPv6.listenerRecords(["ff02::1:3", "ff02::fb"]))
        query.body.removeLast()
        report.sequence = 3
        expect(Ethernet() / network / query, .badControl)
        expect(Ethernet() / network / report, .badControl)
        query.body.removeLast(16)
        expect(Ethernet() / network / query, .badControl)
        report.sequence = 2
        report.body[2] = 1
        expect(Ethernet() / network / report, .badControl)
    }
}
