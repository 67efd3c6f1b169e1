// SPDX-License-Identifier: Apache-2.0
import Foundation
import Net
import TestSupport
import Testing

extension SystemTests.SideBySide {
    /// Tagged frames and frames of the extreme lengths, built by hand: the kernel here has no VLAN interfaces.
    @Suite struct Tags {
        private static let web: MACAddress = "02:00:00:00:00:0b"
        private static let db: MACAddress = "02:00:00:00:00:15"

        /// A datagram from web to db under tags, with so many bytes of payload.
        private func datagram(_ tags: [VLAN], to port: Int = Lab.allowedPort, bytes: Int = 1) -> Packet {
            let tagged = tags.reduce(Packet([Ethernet(from: Self.web, to: Self.db)])) { $0 / $1 }
            return tagged / IPv4(from: "10.9.0.11", to: "10.9.0.21") / UDP(from: 41000, to: UInt16(port)) / Payload(count: bytes)
        }

        private static let service = VLAN(100, tagType: 0x88a8)

        @Test func `tagged, doubly tagged, shortest and longest frames arrive byte for byte`() throws {
            // 1,522 bytes: an outer tag of 802.1ad, which a packet socket counts as payload, and an inner one around 1,500.
            let lab = try Lab(.init(mtu: 1508))
            defer { lab.remove() }
            try lab.start()
            var packets: [Packet] = []
            for tags in [[], [VLAN(10)], [VLAN(10, priority: 5)], [Self.service, VLAN(10)], [VLAN(7), VLAN(10)]] {
                packets.append(datagram(tags) / Padding(to: 60))
                packets.append(datagram(tags, bytes: 1472))
            }
            let outcome = try Frames.cross(packets, lab, from: lab.web, to: lab.db)
            #expect(
                outcome.isExactly(packets),
                "\(outcome.arrived.count) of \(packets.count): \(outcome.arrived.map { $0.count / 2 })")
            #expect(Set(packets.map(\.bytes.count)) == [60, 1514, 1518, 1522])
            #expect(outcome.drops == [:])
        }

        @Test func `a tag hides nothing from policy, and a third one is too many`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.start()
            let tags = [[VLAN(10)], [Self.service, VLAN(10)]]
            let denied = try Frames.cross(
                tags.map { datagram($0, to: Lab.deniedPort) / Padding(to: 60) }, lab, from: lab.web, to: lab.db)
            #expect(denied.arrived == [] && denied.drops == ["denied": 2])
            let deep = [datagram([Self.service, VLAN(10), VLAN(11)]) / Padding(to: 64)]
            let third = try Frames.cross(deep, lab, from: lab.web, to: lab.db)
            #expect(third.arrived == [] && third.drops == ["tooManyTags": 1])
        }

        @Test func `a zone is its tags, and an address of one zone is spoofed in another`() throws {
            let zones = "zones: {lan: {port: p0, vlans: [10, \"100.10\"]}, guests: {port: p0, vlans: [20]}, servers: {port: p1}}"
            let lab = try Lab(.init(configuration: zones, policy: Documents.set(webZones: ["lan"], dbZones: ["servers"])))
            defer { lab.remove() }
            try lab.start()
            let good = [datagram([VLAN(10)]), datagram([Self.service, VLAN(10)])].map { $0 / Padding(to: 64) }
            let bad = [datagram([VLAN(20)]), datagram([])].map { $0 / Padding(to: 64) }
            let outcome = try Frames.cross(bad + good, lab, from: lab.web, to: lab.db)
            #expect(outcome.isExactly(good) && outcome.drops == ["spoofed": 2])
        }
    }
}
