// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing
import Wire

@Suite struct NeighbourDiscovery {
    static let messages: [ICMPv6] = [
        .routerSolicitation(), .routerAdvertisement(), .solicitation(of: "fe80::2"), .advertisement(of: "fe80::2"),
        .redirect(of: "fd00::7", to: "fe80::2"),
    ]
    static let network = IPv6(from: linkLocal, to: group6, hopLimit: 255)

    static func with(_ message: ICMPv6, options: [UInt8]) -> Packet {
        var message = message
        message.body += options
        return Ethernet() / network / message
    }

    @Test(arguments: messages)
    func `each message is read`(message: ICMPv6) {
        let bare = reading(of: Ethernet() / Self.network / message)
        #expect(bare.kind == .neighbour)
        #expect(bare.icmpType == message.type)
        #expect(bare.protocolNumber == .icmp6)
        #expect(bare.source == linkLocal)
        expect(Self.with(message, options: ICMPv6.linkLayerOption() + [5, 1, 0, 0, 0, 0, 5, 220]), nil)
    }

    @Test(arguments: messages)
    func `it comes from the link and has code 0`(message: ICMPv6) {
        expect(Ethernet() / IPv6(from: linkLocal, to: group6, hopLimit: 254) / message, .badNeighbour)
        var message = message
        message.code = 1
        expect(Ethernet() / Self.network / message, .badNeighbour)
    }

    @Test(arguments: messages)
    func `it has all its fields`(message: ICMPv6) {
        guard !message.body.isEmpty else { return }
        var message = message
        message.body.removeLast()
        expect(Ethernet() / Self.network / message, .badNeighbour)
        message.body = []
        expect(Ethernet() / Self.network / message, .badNeighbour)
    }

    @Test(arguments: messages)
    func `its options fill the rest`(message: ICMPv6) {
        let option = ICMPv6.linkLayerOption()
        let empty: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0]
        for options in [empty, option + empty, [1, 2, 0, 0, 0, 0, 0, 0], [1], option + [1, 1]] {
            expect(Self.with(message, options: options), .badNeighbour)
        }
    }

    @Test func `a message says what it speaks of, who claims it, and whether a router sent it`() {
        let (source, target) = (ICMPv6.linkLayerOption(1, "02:00:00:00:00:0a"), ICMPv6.linkLayerOption(2, "02:00:00:00:00:0b"))
        for (message, link, address, claim) in [
            (.routerSolicitation(options: source), .neighbourDiscovery, "::", "02:00:00:00:00:0a"),
            (.routerAdvertisement(options: source), .routerAdvertisement, "::", "02:00:00:00:00:0a"),
            (.solicitation(of: "fe80::2", options: source), .neighbourDiscovery, "fe80::2", "02:00:00:00:00:0a"),
            (.advertisement(of: "fe80::2", options: target), .neighbourDiscovery, "fe80::2", "02:00:00:00:00:0b"),
            (.advertisement(of: "fe80::2", options: source), .neighbourDiscovery, "fe80::2", "00:00:00:00:00:00"),
            (.redirect(of: "fd00::7", to: "fe80::2", options: target), .routerAdvertisement, "fe80::2", "02:00:00:00:00:0b"),
        ] as [(ICMPv6, LinkProtocol, Address, MACAddress)] {
            let reading = reading(of: Ethernet() / Self.network / message)
            #expect(reading.link == link)
            #expect(reading.target == address)
            #expect(reading.claimedMAC == claim)
            #expect(reading.marks.contains(.fromServer) == (link == .routerAdvertisement))
        }
    }

    @Test func `one link-layer address is claimed, of 6 bytes`() {
        let option = ICMPv6.linkLayerOption()
        expect(Self.with(.solicitation(of: "fe80::2"), options: option + option), .badNeighbour)
        expect(Self.with(.solicitation(of: "fe80::2"), options: [1, 2] + [UInt8](repeating: 0, count: 14)), .badNeighbour)
        expect(Self.with(.advertisement(of: "fe80::2"), options: option + option), nil)
    }

    @Test func `routers speak from their link-local address`() {
        for source in ["fd00::1", "fec0::1", "::2"] as [Address] {
            let network = IPv6(from: source, to: group6, hopLimit: 255)
            expect(Ethernet() / network / ICMPv6.routerAdvertisement(), .badNeighbour)
            expect(Ethernet() / network / ICMPv6.redirect(of: "fd00::7", to: "fe80::2"), .badNeighbour)
            expect(Ethernet() / network / ICMPv6.solicitation(of: "fe80::2"), nil)
        }
        expect(Ethernet() / IPv6(from: "febf::1", to: group6, hopLimit: 255) / ICMPv6.routerAdvertisement(), nil)
    }

    @Test func `no group is a target, none is redirected, and a redirect names a neighbour or the host itself`() {
        expect(Ethernet() / Self.network / ICMPv6.solicitation(of: group6), .badNeighbour)
        expect(Ethernet() / Self.network / ICMPv6.advertisement(of: group6), .badNeighbour)
        expect(Ethernet() / Self.network / ICMPv6.redirect(of: group6, to: "fe80::2"), .badNeighbour)
        expect(Ethernet() / Self.network / ICMPv6.redirect(of: "fd00::7", to: "fd00::8"), .badNeighbour)
        expect(Ethernet() / Self.network / ICMPv6.redirect(of: "fd00::7", to: "fd00::7"), nil)
    }

    @Test func `a solicited advertisement is sent to who asked`() {
        expect(Ethernet() / Self.network / ICMPv6.advertisement(of: "fe80::2", solicited: true), .badNeighbour)
        let asker = IPv6(from: linkLocal, to: "fe80::9", hopLimit: 255)
        expect(Ethernet() / asker / ICMPv6.advertisement(of: "fe80::1", solicited: true), nil)
    }

    @Test func `who has no address yet asks the target's group and claims nothing`() {
        let nobody = IPv6(from: "::", to: "ff02::1:ff00:2", hopLimit: 255)
        expect(Ethernet() / nobody / ICMPv6.solicitation(of: "fe80::2"), nil)
        expect(Ethernet() / nobody / ICMPv6.solicitation(of: "fe80::2", options: ICMPv6.linkLayerOption()), .badNeighbour)
        expect(Ethernet() / nobody / ICMPv6.routerSolicitation(options: ICMPv6.linkLayerOption()), .badNeighbour)
        for group in ["ff02::1", "ff02::1:fe00:2", "ff05::1:ff00:2"] as [Address] {
            expect(Ethernet() / IPv6(from: "::", to: group, hopLimit: 255) / ICMPv6.solicitation(of: "fe80::2"), .badNeighbour)
        }
    }
}
