// SPDX-License-Identifier: Apache-2.0
import Classifier
import Net
import Testing

@Suite("The table of layer 2") struct LinkTableTests {
    /// An image with this table and these zones, and nothing else to say.
    private func image(_ table: LinkTable = LinkTable(), zones: [ZoneFacts] = [[]]) throws -> Memory {
        var builder = SnapshotBuilder()
        builder.classes = [ClassEntry()]
        builder.records = [SideRecord()]
        builder.zoneCount = UInt32(zones.count)
        builder.zoneFacts = zones
        builder.zonePairs = Array(repeating: 0, count: zones.count * zones.count)
        builder.links = table
        return Memory(try builder.build())
    }

    @Test(arguments: LinkProtocol.allCases) func `a protocol has the first of its settings unless told otherwise`(
        link: LinkProtocol
    ) throws {
        var table = LinkTable()
        #expect(table[link] == link.settings.first)
        for setting in link.settings {
            table[link] = setting
            let image = try image(table)
            let snapshot = try image.snapshot()
            #expect(snapshot.setting(of: link) == setting.rawValue)
            #expect(snapshot.linkTable[link] == setting)
        }
    }

    @Test(arguments: LinkProtocol.allCases) func `an image with a setting that a protocol cannot have is refused`(
        link: LinkProtocol
    ) throws {
        for setting in LinkSetting.allCases where !link.settings.contains(setting) {
            var table = LinkTable()
            table[link] = setting
            let image = try image(table)
            #expect(throws: SnapshotError.item(.links, number: 0)) { try image.snapshot() }
        }
    }

    @Test func `an image with an impossible word in the table is refused`() throws {
        var tables = [LinkTable(), LinkTable(), LinkTable(), LinkTable()]
        tables[0].settings[1] = 4
        tables[1].settings[31] = 1
        tables[2].etherTypeSettings[15] = LinkSetting.judge.rawValue
        tables[3].stormFrames = LinkTable.stormLimit + 1
        for table in tables {
            let image = try image(table)
            #expect(throws: SnapshotError.item(.links, number: 0)) { try image.snapshot() }
        }
    }

    @Test func `an ether type of its own comes before the rest, sixteen at most`() throws {
        var table = LinkTable()
        let fits = (0..<16 as Range<UInt16>).map { table.set(.pass, forEtherType: 0x9000 + $0) }
        #expect(fits.allSatisfy { $0 })
        let isThereRoom = table.set(.pass, forEtherType: 0x8fff)
        #expect(!isThereRoom)
        let isReplaced = table.set(.drop, forEtherType: 0x9003)
        #expect(isReplaced)
        let passing = try image(table)
        var snapshot = try passing.snapshot()
        #expect(snapshot.setting(ofEtherType: 0x9000) == LinkSetting.pass.rawValue)
        #expect(snapshot.setting(ofEtherType: 0x900f) == LinkSetting.pass.rawValue)
        #expect(snapshot.setting(ofEtherType: 0x9003) == LinkSetting.drop.rawValue)
        #expect(snapshot.setting(ofEtherType: 0x9010) == LinkSetting.drop.rawValue)
        table[.unknown] = .pass
        let open = try image(table)
        snapshot = try open.snapshot()
        #expect(snapshot.setting(ofEtherType: 0x9010) == LinkSetting.pass.rawValue)
        #expect(snapshot.setting(ofEtherType: 0x9003) == LinkSetting.drop.rawValue)
    }

    @Test func `facts are those of their zone, and a zone of another generation is the first`() throws {
        let image = try image(zones: [.dhcpServer, .onLink, [.onLink, .dhcpServer]])
        let snapshot = try image.snapshot()
        #expect((0...3).map { snapshot.isOnLink($0) } == [false, true, true, false])
        #expect((0...3).map { snapshot.hasDHCPServer($0) } == [true, false, true, true])
        #expect(snapshot.isAnyZoneOnLink)
        let plain = try self.image(zones: [.dhcpServer, []])
        #expect(try !plain.snapshot().isAnyZoneOnLink)
    }

    @Test func `a fact that nobody knows is refused, and so are facts of too few zones`() throws {
        let unknown = try image(zones: [[], ZoneFacts(rawValue: 4)])
        #expect(throws: SnapshotError.item(.zoneFacts, number: 1)) { try unknown.snapshot() }
        let short = try image(zones: [[], .onLink])
        // The count of the section, behind its offset in the header's list.
        let place = 48 + SnapshotLayout.Section.zoneFacts.rawValue * 16 + 8
        short.setWord(1, at: place)
        #expect(throws: SnapshotError.section(.zoneFacts, offset: 0, count: 1)) { try short.snapshot() }
    }
}
