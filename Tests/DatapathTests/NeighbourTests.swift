// SPDX-License-Identifier: Apache-2.0
import Classifier
import Net
import TestSupport
import Testing

/// What address resolution and neighbour discovery may say, by the inventory.
@Suite("Neighbours") struct NeighbourTests {
    private let host: Address = "10.0.0.77"
    private let host6: Address = "fd00::77"
    private let router: Address = "fe80::1"

    private func bench(_ facts: (lan: ZoneFacts, dmz: ZoneFacts) = ([], [])) throws -> PairBench {
        try PairBench(PairShape(), .zoned(facts))
    }

    /// A neighbour message to all nodes.
    private func neighbour(_ message: ICMPv6, from: Address = "fe80::5", by hardware: MACAddress = card) -> Packet {
        Ethernet(from: hardware, to: "33:33:00:00:00:01") / IPv6(from: from, to: "ff02::1", hopLimit: 255) / message
    }

    @Test func `ARP speaks for no address of another zone`() throws {
        let bench = try bench()
        try bench.enter(host, in: dmz)
        for operation in 1...2 as ClosedRange<UInt16> {
            try bench.expectDropped(Ethernet(to: everybody) / ARP(operation, from: host), .spoofed)
            try bench.expectForwarded(Ethernet(to: everybody) / ARP(operation, from: host), port: 1)
        }
        // Whom it asks for is free, and a probe speaks for nobody.
        try bench.expectForwarded(Ethernet(to: everybody) / ARP(from: "10.0.0.9", to: host))
        try bench.expectForwarded(Ethernet(to: everybody) / ARP(from: "0.0.0.0", to: host))
        try bench.expectDropped(Ethernet(to: everybody) / ARP(from: contested), .contested)
        #expect(bench.fault == nil)
    }

    @Test func `on the link itself ARP names the card that sends it, which is the workload's`() throws {
        let bench = try bench(([.onLink], []))
        try bench.enter(host, card: card)
        func arp(from hardware: MACAddress, claiming claimed: MACAddress, _ sender: Address) -> Packet {
            Ethernet(from: hardware, to: everybody) / ARP(2, from: sender, at: claimed)
        }
        try bench.expectForwarded(arp(from: card, claiming: card, host))
        try bench.expectDropped(arp(from: strangeCard, claiming: strangeCard, host), .spoofed)
        try bench.expectDropped(arp(from: card, claiming: strangeCard, host), .spoofed)
        try bench.expectDropped(arp(from: strangeCard, claiming: card, host), .spoofed)
        // An address that nobody claims: still, one card speaks for itself only.
        try bench.expectForwarded(arp(from: strangeCard, claiming: strangeCard, "10.0.0.9"))
        try bench.expectDropped(arp(from: strangeCard, claiming: card, "10.0.0.9"), .spoofed)
        // The other zone lies behind a router that answers for others.
        try bench.expectForwarded(arp(from: strangeCard, claiming: card, host), port: 1)
    }

    @Test func `a message of neighbour discovery comes from no address of another zone`() throws {
        let bench = try bench()
        try bench.enter(host6, in: dmz)
        for message in [.solicitation(of: "fd00::9"), .routerSolicitation(), .advertisement(of: "fd00::9")] as [ICMPv6] {
            try bench.expectDropped(neighbour(message, from: host6), .spoofed)
            try bench.expectForwarded(neighbour(message, from: host6), port: 1)
        }
    }

    @Test func `an advertisement speaks for its target, a solicitation does not`() throws {
        let bench = try bench()
        try bench.enter(host6, in: dmz)
        try bench.expectDropped(neighbour(.advertisement(of: host6)), .spoofed)
        try bench.expectForwarded(neighbour(.advertisement(of: host6)), port: 1)
        try bench.expectForwarded(neighbour(.solicitation(of: host6)))
        // Detection of duplicates asks from nowhere.
        try bench.expectForwarded(
            Ethernet(to: "33:33:ff:00:00:77") / IPv6(from: "::", to: "ff02::1:ff00:77", hopLimit: 255)
                / ICMPv6.solicitation(of: host6))
    }

    @Test func `on the link itself an advertisement names the card that sends it, which is the target's`() throws {
        let bench = try bench(([.onLink], []))
        try bench.enter(host6, card: card)
        func advertisement(of target: Address, from hardware: MACAddress, claiming claimed: MACAddress?) -> Packet {
            let option = claimed.map { ICMPv6.linkLayerOption(2, $0) } ?? []
            return neighbour(.advertisement(of: target, options: option), by: hardware)
        }
        try bench.expectForwarded(advertisement(of: host6, from: card, claiming: card))
        try bench.expectForwarded(advertisement(of: host6, from: card, claiming: nil))
        try bench.expectDropped(advertisement(of: host6, from: strangeCard, claiming: strangeCard), .spoofed)
        try bench.expectDropped(advertisement(of: host6, from: strangeCard, claiming: nil), .spoofed)
        try bench.expectDropped(advertisement(of: host6, from: card, claiming: strangeCard), .spoofed)
        try bench.expectDropped(advertisement(of: "fd00::9", from: strangeCard, claiming: card), .spoofed)
        try bench.expectForwarded(advertisement(of: "fd00::9", from: strangeCard, claiming: strangeCard))
        let option = ICMPv6.linkLayerOption(1, strangeCard)
        try bench.expectDropped(neighbour(.solicitation(of: "fd00::9", options: option), from: host6), .spoofed)
        try bench.expectDropped(
            neighbour(.solicitation(of: "fd00::9", options: option), from: host6, by: strangeCard), .spoofed)
    }

    @Test func `only a workload of the zone tells hosts where to send`() throws {
        let bench = try bench()
        let messages = [ICMPv6.routerAdvertisement(), .redirect(of: "fd00::7", to: "fe80::2")]
        for message in messages { try bench.expectDropped(neighbour(message, from: router), .spoofed) }
        try bench.enter(router, in: lan)
        for message in messages {
            try bench.expectForwarded(neighbour(message, from: router))
            try bench.expectDropped(neighbour(message, from: router), .spoofed, port: 1)
            try bench.expectDropped(neighbour(message, from: "fe80::9"), .spoofed)
        }
    }

    @Test func `a redirect points to no address of another zone, nor on the link itself to another card`() throws {
        let bench = try bench(([.onLink], []))
        try bench.enter(router, in: lan)
        try bench.enter(host6, in: lan, card: card)
        try bench.enter("fd00::78", in: dmz)
        func redirect(to target: Address, at hardware: MACAddress?) -> Packet {
            let option = hardware.map { ICMPv6.linkLayerOption(2, $0) } ?? []
            return neighbour(.redirect(of: target, to: target, options: option), from: router, by: strangeCard)
        }
        try bench.expectForwarded(redirect(to: host6, at: card))
        try bench.expectForwarded(redirect(to: host6, at: nil))
        try bench.expectDropped(redirect(to: host6, at: strangeCard), .spoofed)
        try bench.expectDropped(redirect(to: "fd00::78", at: nil), .spoofed)
    }

    @Test func `what the table passes is not looked at`() throws {
        let bench = try PairBench(
            PairShape(),
            .zoned(([.onLink], [])) {
                for link in [.arp, .neighbourDiscovery, .routerAdvertisement, .dhcp] as [LinkProtocol] { $0.links[link] = .pass }
            })
        try bench.enter(host, in: dmz, card: card)
        try bench.enter(host6, in: dmz, card: card)
        try bench.expectForwarded(Ethernet(to: everybody) / ARP(2, from: host, at: strangeCard))
        try bench.expectForwarded(neighbour(.advertisement(of: host6), from: host6, by: strangeCard))
        try bench.expectForwarded(neighbour(.routerAdvertisement(), from: router))
        try bench.expectForwarded(sample("DHCP offer"))
    }
}
