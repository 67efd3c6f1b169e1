// SPDX-License-Identifier: Apache-2.0
import Net
import TestSupport
import Testing
import Wire

@Suite struct Martians {
    @Test(
        arguments: [
            "0.0.0.0", "0.0.0.1", "0.255.255.255", "127.0.0.1", "127.255.255.254", "224.0.0.1", "239.255.255.255",
            "255.255.255.255", "10.0.0.2",
        ] as [Address])
    func `no IPv4 host has such a source`(source: Address) {
        expect(Ethernet() / IPv4(from: source) / UDP(), .martian)
        expect(Ethernet() / IPv4(from: source) / TCP([.syn]), .martian)
        expect(Ethernet() / IPv4(from: source) / ICMP.echo(), .martian)
        expect(Ethernet() / IPv4(from: source, offset: 8, next: 17) / Payload(count: 8), .martian)
    }

    @Test(arguments: ["1.0.0.1", "126.255.255.255", "128.0.0.1", "223.255.255.255", "169.254.1.1"] as [Address])
    func `the neighbours of those blocks are sources`(source: Address) { expect(Ethernet() / IPv4(from: source) / UDP(), nil) }

    @Test(arguments: ["::", "::1", "ff02::1", "ff00::", "::ffff:10.0.0.1", "::ffff:0.0.0.0", "fd00::2"] as [Address])
    func `no IPv6 host has such a source`(source: Address) {
        expect(Ethernet() / IPv6(from: source) / UDP(), .martian)
        expect(Ethernet() / IPv6(from: source) / TCP([.syn]), .martian)
        expect(Ethernet() / IPv6(from: source) / ICMPv6.echo(), .martian)
        expect(Ethernet() / IPv6(from: source) / Fragment(offset: 8, next: 17) / Payload(count: 8), .martian)
    }

    @Test(arguments: ["::2", "::fffe:a00:1", "::1:ffff:a00:1", "fe80::1", "feff::1"] as [Address])
    func `the neighbours of those addresses are sources`(source: Address) { expect(Ethernet() / IPv6(from: source) / UDP(), nil) }

    @Test func `nothing is sent to nobody or to the host itself`() {
        for address in ["0.0.0.0", "0.1.2.3", "127.0.0.1", "127.9.9.9"] as [Address] {
            expect(Ethernet() / IPv4(to: address) / UDP(), .martian)
        }
        for address in ["::", "::1", "::ffff:10.0.0.2"] as [Address] { expect(Ethernet() / IPv6(to: address) / UDP(), .martian) }
    }

    @Test func `the same address at both ends is one, with equal ports (LAND) or others`() {
        let four = Ethernet() / IPv4(from: "10.0.0.9", to: "10.0.0.9")
        expect(four / TCP(from: 139, to: 139, [.syn]), .martian)
        expect(four / TCP(from: 40000, to: 139, [.syn]), .martian)
        expect(four / ICMP.echo(), .martian)
        expect(Ethernet() / IPv6(from: "fd00::9", to: "fd00::9") / UDP(from: 7, to: 7), .martian)
        expect(Ethernet() / IPv4() / TCP(from: 139, to: 139, [.syn]), nil)
    }

    @Test func `a DHCP client may lack an address, and only it`() {
        let nobody = IPv4(from: "0.0.0.0", to: "255.255.255.255")
        expect(Ethernet(to: "ff:ff:ff:ff:ff:ff") / nobody / UDP(from: 68, to: 67) / DHCP.discover(), nil)
        expect(Ethernet() / nobody / UDP(from: 67, to: 68) / DHCP.offer(), .martian)
        expect(Ethernet() / nobody / UDP(from: 68, to: 53), .martian)
        expect(Ethernet() / IPv4(from: "0.0.0.0") / UDP(from: 68, to: 67) / DHCP.discover(), .martian)
        expect(Ethernet() / IPv4(from: "0.0.0.0", to: "255.255.255.255", offset: 8, next: 17) / Payload(count: 8), .martian)
    }

    @Test func `an IPv6 host without an address may ask and report to a group`() {
        let nobody = IPv6(from: "::", to: "ff02::1:ff00:2", hopLimit: 255)
        expect(Ethernet() / nobody / ICMPv6.solicitation(of: "fe80::2"), nil)
        expect(Ethernet() / nobody / ICMPv6.routerSolicitation(), nil)
        for type in [131, 132, 143] as [UInt8] {
            expect(Ethernet() / nobody / ICMPv6(type: type, body: [UInt8](repeating: 0, count: 16)), nil)
            let local = IPv6(from: "::", to: "ff02::16", hopLimit: 1)
            expect(Ethernet() / local / ICMPv6(type: type, body: [UInt8](repeating: 0, count: 16)), nil)
        }
        expect(Ethernet() / nobody / ICMPv6.advertisement(of: "fe80::2"), .martian)
        expect(Ethernet() / nobody / ICMPv6.routerAdvertisement(), .badNeighbour)
        expect(Ethernet() / nobody / ICMPv6.echo(), .martian)
        expect(Ethernet() / IPv6(from: "::", to: "fe80::2", hopLimit: 255) / ICMPv6.solicitation(of: "fe80::2"), .badNeighbour)
    }

    @Test func `an IPv4 host without an address may report to a group`() {
        expect(Ethernet() / IPv4(from: "0.0.0.0", to: "224.0.0.22", ttl: 1) / Raw.igmpReport(), nil)
        expect(Ethernet() / IPv4(from: "0.0.0.0", to: "10.0.0.2", ttl: 1) / Raw.igmpReport(), .martian)
        expect(Ethernet() / IPv4(from: "0.0.0.0", to: "224.0.0.22") / Raw.igmpReport(), .martian)
    }

    @Test func `a BFD echo may be sent to oneself, and nothing else`() {
        let own = IPv4(from: "10.0.0.1", to: "10.0.0.1", ttl: 255)
        expect(Ethernet() / own / UDP(from: 49152, to: 3785) / Payload("?"), nil)
        expect(Ethernet() / IPv4(from: "10.0.0.1", to: "10.0.0.1", ttl: 253) / UDP(from: 49152, to: 3785), .martian)
        expect(Ethernet() / own / UDP(from: 49152, to: 3784) / Raw.bfd(), .martian)
        expect(Ethernet() / IPv4(from: "224.0.0.1", to: "224.0.0.1", ttl: 255) / UDP(from: 49152, to: 3785), .martian)
    }
}
