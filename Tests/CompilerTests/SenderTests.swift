// SPDX-License-Identifier: Apache-2.0
import Classifier
import Compiler
import Net
import Policy
import TestSupport
import Testing

/// What the image and the address map say of who may send from where.
@Suite("Senders") struct SenderTests {
    private let card = MACAddress(bits: 0x0200_0000_0011)
    private let zones: [Document] = [
        .zone(Zone(name: "lan", onLink: true)), .zone(Zone(name: "dmz", dhcpServer: true)), .zone(Zone(name: "far")),
    ]

    private func workload(
        _ name: String, _ addresses: String..., zones: [String] = [], cards: [MACAddress] = []
    ) throws -> Document {
        let prefixes = try addresses.map { try #require(Prefix($0)) }
        return .workload(
            Workload(name: ObjectName(name), addresses: prefixes, hardwareAddresses: cards, zones: zones))
    }

    private func owner(_ text: String, _ zone: String, _ loaded: Loaded) throws -> Owner {
        loaded.snapshot.owner(
            of: try #require(Address(text)), zone: try #require(loaded.inventory.zone(zone)), in: loaded.map)
    }

    @Test func `the facts of a zone reach the image`() throws {
        let loaded = try Loaded(try PolicySet(zones))
        let numbers = try ["default", "lan", "dmz", "far"].map { try #require(loaded.inventory.zone($0)) }
        #expect(numbers.map(loaded.snapshot.isOnLink) == [false, true, false, false])
        #expect(numbers.map(loaded.snapshot.hasDHCPServer) == [false, false, true, false])
        #expect(loaded.snapshot.isAnyZoneOnLink)
        #expect(try !Loaded(PolicySet()).snapshot.isAnyZoneOnLink)
    }

    @Test func `an address that a workload has in another zone only is elsewhere`() throws {
        let loaded = try Loaded(
            try PolicySet(
                zones + [
                    workload("a", "10.0.0.1", zones: ["lan"]), workload("b", "10.0.0.2"),
                    workload("c", "10.1.0.0/24", zones: ["lan", "dmz"]), workload("d", "10.2.0.0/16", zones: ["far"]),
                    workload("e", "10.2.1.0/24", zones: ["lan"]), workload("f", "10.2.1.9", zones: ["lan"]),
                ]))
        let expected: [(String, String, isElsewhere: Bool, isWorkload: Bool)] = [
            ("10.0.0.1", "lan", false, true), ("10.0.0.1", "dmz", true, false), ("10.0.0.2", "far", false, true),
            ("10.0.0.9", "far", false, false), ("10.1.0.9", "dmz", false, true), ("10.1.0.9", "far", true, false),
            ("10.1.0.9", "default", true, false),
            // A block inside a block: in each zone the nearest that is claimed there counts.
            ("10.2.1.7", "lan", false, true), ("10.2.1.7", "far", false, true), ("10.2.1.7", "dmz", true, false),
            // A host inside a block of another zone.
            ("10.2.1.9", "far", false, true), ("10.2.1.9", "dmz", true, false),
        ]
        for (address, zone, isElsewhere, isWorkload) in expected {
            let owner = try owner(address, zone, loaded)
            #expect(owner.isElsewhere == isElsewhere, "\(address) in \(zone)")
            #expect(loaded.snapshot.isWorkload(owner) == isWorkload, "\(address) in \(zone)")
        }
    }

    @Test func `a single hardware address is bound to each address`() throws {
        let loaded = try Loaded(
            try PolicySet(
                zones + [
                    workload("a", "10.0.0.1", "fd00::1", zones: ["lan"], cards: [card]),
                    workload("b", "10.0.0.2", zones: ["lan"]),
                ]))
        let lan = try #require(loaded.inventory.zone("lan"))
        for text in ["10.0.0.1", "fd00::1"] {
            #expect(loaded.map.boundClaim(on: try #require(Address(text)), zone: lan).hardwareAddress == card)
        }
        #expect(loaded.map.boundClaim(on: Address("10.0.0.2"), zone: lan).hardwareAddress.bits == 0)
    }

    @Test func `what cannot be bound is refused where it would have to be`() throws {
        let other = MACAddress(bits: 0x0200_0000_0012)
        let refused = [
            try workload("a", "10.0.0.1", zones: ["dmz", "lan"], cards: [card, other]),
            try workload("a", "10.0.0.1", cards: [card, other]),
            try workload("a", "10.0.0.0/24", zones: ["lan"], cards: [card]),
        ]
        for document in refused {
            var inventory = Inventory()
            let set = try PolicySet(zones + [document])
            #expect(throws: CompileError.self) { try compile(set, generation: 1, inventory: &inventory) }
        }
        let harmless = [
            try workload("a", "10.0.0.1", zones: ["dmz"], cards: [card, other]),
            try workload("b", "10.0.1.0/24", zones: ["lan"]),
        ]
        _ = try Loaded(try PolicySet(zones + harmless))
    }

    @Test func `the table of layer 2 is the configuration's`() throws {
        var inventory = Inventory()
        var table = LinkTable()
        table[.lldp] = .pass
        table.stormFrames = 7
        let with = try compile(PolicySet(), links: table, generation: 1, inventory: &inventory).image
        let without = try compile(PolicySet(), generation: 1, inventory: &inventory).image
        #expect(with != without)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: with.count, alignment: 64)
        defer { unsafe memory.deallocate() }
        unsafe memory.copyMemory(from: with, byteCount: with.count)
        let snapshot = try unsafe Snapshot(validating: memory, byteCount: with.count)
        #expect(snapshot.linkTable[.lldp] == .pass && snapshot.linkTable[.arp] == .check && snapshot.stormFrames == 7)
    }
}
