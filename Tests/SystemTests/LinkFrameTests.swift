// SPDX-License-Identifier: Apache-2.0
import Foundation
import Net
import TestSupport
import Testing

extension SystemTests.SideBySide {
    /// Frames that are no connections, across a real appliance: who lies, what is not for the other side, what comes too often.
    @Suite struct LinkFrames {
        private static let web: MACAddress = "02:00:00:00:00:0b"
        private static let db: MACAddress = "02:00:00:00:00:15"
        private static let all: MACAddress = "ff:ff:ff:ff:ff:ff"
        /// A zone on each side.
        private static let sides = "zones: {left: {port: p0}, right: {port: p1}}"

        private func lab(_ configuration: String = "") throws -> Lab {
            let settings = Lab.Settings(
                configuration: Self.sides + "\n" + configuration,
                policy: Documents.set(webZones: ["left"], dbZones: ["right"]))
            return try Lab(settings)
        }

        @Test func `whoever lies in ARP, in neighbour discovery or about a source is dropped as spoofed`() throws {
            let lab = try lab()
            defer { lab.remove() }
            try lab.start()
            let (toAll, toGroup) = (Ethernet(from: Self.web, to: Self.all), Ethernet(from: Self.web, to: "33:33:00:00:00:01"))
            let option = ICMPv6.linkLayerOption(2, Self.web)
            let honest = [
                toAll / ARP(from: "10.9.0.11", at: Self.web, to: "10.9.0.21") / Padding(to: 60),
                toGroup / IPv6(from: "fd00::11", to: "ff02::1", hopLimit: 255)
                    / ICMPv6.advertisement(of: "fd00::11", options: option),
            ]
            let lies = [
                // db's address from web's side: asked, told, and announced to everybody.
                toAll / ARP(from: "10.9.0.21", at: Self.web, to: "10.9.0.11") / Padding(to: 60),
                toAll / ARP(2, from: "10.9.0.21", at: Self.web, to: "10.9.0.21", at: Self.all) / Padding(to: 60),
                toGroup / IPv6(from: "fd00::11", to: "ff02::1", hopLimit: 255)
                    / ICMPv6.advertisement(of: "fd00::21", options: option),
                toGroup / IPv6(from: "fd00::21", to: "ff02::1", hopLimit: 255)
                    / ICMPv6.advertisement(of: "fd00::21", options: option),
                Ethernet(from: Self.web, to: Self.db) / IPv4(from: "10.9.0.21", to: "10.9.0.99")
                    / UDP(to: UInt16(Lab.allowedPort)) / Padding(to: 60),
            ]
            let outcome = try Frames.cross(lies + honest, lab, from: lab.web, to: lab.db)
            #expect(outcome.isExactly(honest), "\(outcome.arrived)")
            #expect(outcome.drops == ["spoofed": UInt64(lies.count)])
        }

        @Test func `a router or a DHCP server that nobody described tells the other side nothing`() throws {
            let lab = try lab()
            defer { lab.remove() }
            try lab.start()
            let rogue = [
                Ethernet(from: Self.web, to: "33:33:00:00:00:01") / IPv6(from: "fe80::bad", to: "ff02::1", hopLimit: 255)
                    / ICMPv6.routerAdvertisement(options: ICMPv6.linkLayerOption(1, Self.web)),
                Ethernet(from: Self.web, to: Self.all) / IPv4(from: "10.9.0.11", to: "255.255.255.255")
                    / UDP(from: 67, to: 68) / DHCP.offer(),
                Ethernet(from: Self.web, to: "33:33:00:00:00:01") / IPv6(from: "fe80::bad", to: "fe80::1")
                    / UDP(from: 547, to: 546) / DHCPv6(2),
            ]
            let outcome = try Frames.cross(rogue, lab, from: lab.web, to: lab.db)
            #expect(outcome.arrived == [] && outcome.drops == ["spoofed": 3])
        }

        @Test func `LLDP and spanning tree end here until the configuration lets them pass, which a reload does`() throws {
            let lab = try lab()
            defer { lab.remove() }
            let run = try lab.start()
            let frames = [
                Ethernet(from: Self.web, to: "01:80:c2:00:00:0e") / Raw.lldp() / Padding(to: 60),
                Ethernet(from: Self.web, to: "01:80:c2:00:00:00") / LLC(0x42, 0x42) / Raw.bridgeMessage() / Padding(to: 60),
                Ethernet(from: Self.web, to: Self.db, type: 0x88b5) / Payload(count: 46),
            ]
            let dropped = try Frames.cross(frames, lab, from: lab.web, to: lab.db)
            #expect(dropped.arrived == [] && dropped.drops == ["linkProtocol": 2, "unknownEtherType": 1], "\(dropped.drops)")

            let generation = try lab.status().generation
            let text = lab.configuration + "layer2: {lldp: pass, spanning-tree: pass, ether-types: {\"0x88b5\": pass}}\n"
            try text.write(to: lab.configurationFile, atomically: true, encoding: .utf8)
            kill(run.pid, SIGHUP)
            try eventually("the next generation", within: 10) { try lab.status().generation > generation }
            #expect(try Frames.cross(frames, lab, from: lab.web, to: lab.db).isExactly(frames))
        }

        @Test func `a frame of our own ports, or for one of them, goes nowhere`() throws {
            let lab = try lab()
            defer { lab.remove() }
            try lab.start()
            let addresses = try ["p0", "p1"].map { port in
                let text = try lab.appliance.run("ip", "-brief", "link", "show", port)
                return try #require(text.split(whereSeparator: \.isWhitespace).first { $0.count == 17 }.map(String.init))
            }
            let own = addresses.flatMap { text -> [Packet] in
                let address = MACAddress(stringLiteral: text)
                return [(address, Self.db), (Self.web, address)].map { from, to in
                    Ethernet(from: from, to: to) / IPv4(from: "10.9.0.11", to: "10.9.0.21") / UDP(to: UInt16(Lab.allowedPort))
                        / Padding(to: 60)
                }
            }
            let outcome = try Frames.cross(own, lab, from: lab.web, to: lab.db)
            #expect(outcome.arrived == [] && outcome.drops == ["ownAddress": 4])
        }

        @Test func `IP behind SNAP is judged like IP`() throws {
            let lab = try lab()
            defer { lab.remove() }
            try lab.start()
            let packets = [Lab.allowedPort, Lab.deniedPort].map { port in
                Ethernet(from: Self.web, to: Self.db) / SNAP() / IPv4(from: "10.9.0.11", to: "10.9.0.21")
                    / UDP(to: UInt16(port)) / Payload(count: 40)
            }
            let outcome = try Frames.cross(packets, lab, from: lab.web, to: lab.db)
            #expect(outcome.isExactly([packets[0]]) && outcome.drops == ["denied": 1])
        }

        @Test func `more group frames than the budget are dropped as storm, and each is counted`() throws {
            let lab = try lab("storm: {frames: 100}")
            defer { lab.remove() }
            try lab.start()
            let count = 600
            let flood = (0..<count).map { number in
                Ethernet(from: Self.web, to: Self.all)
                    / ARP(from: "10.9.0.11", at: Self.web, to: Address(v4: 0x0a09_0000 + UInt32(number)))
                    / Padding(to: 60)
            }
            // Half a second: the first hundred at once, and fifty more as the budget grows.
            let outcome = try Frames.cross(flood, lab, from: lab.web, to: lab.db, rate: 1200)
            let passed = outcome.arrived.count
            #expect((100...500).contains(passed), "\(passed) passed")
            // The workloads' own kernels may send a group frame at any time, and have no budget of their own.
            let dropped = Int(outcome.drops["storm"] ?? 0)
            #expect((count - passed...count - passed + 8).contains(dropped) && outcome.drops.count == 1, "\(outcome.drops)")
            // What is for one host takes nothing from the budget.
            let said = try lab.web.namespace.run("ping", "-n", "-c", "5", "-i", "0.05", "-W", "1", lab.db.ipv4)
            #expect(said.contains("5 received"))
            figure("storm", "\(passed) of \(count) broadcasts in half a second passed a budget of 100 a second")
        }
    }
}
