// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Net
internal import Policy
internal import PolicyText

// `layer2` and `storm`: the table of the protocols by which a network runs itself, and the budget of group frames. What each row
// means is described in `docs/layer2.md`.

extension ConfigurationReader {
    /// Keys of `layer2` beside the protocols.
    private static let etherTypesKey = "ether-types"

    /// Ether types that have a row of their own, or that are read as packets; the rest may be named under `ether-types`.
    private static let knownTypes: [Int: String] = [
        0x0800: "IPv4", 0x0806: "arp", 0x86dd: "IPv6", 0x8100: "a VLAN tag", 0x88a8: "a VLAN tag", 0x9100: "a VLAN tag",
        0x88cc: "lldp", 0x8809: "slow-protocols", 0x88f7: "ptp", 0x888e: "eapol", 0x8847: "mpls", 0x8848: "mpls",
        0x8863: "pppoe", 0x8864: "pppoe", 0x88e5: "macsec",
    ]

    /// The table that the file describes; what it leaves out has its default.
    func linkTable() throws(PolicyError) -> LinkTable {
        var table = LinkTable()
        let rows = LinkProtocol.allCases.filter { $0 != .none }
        if let fields = try root["layer2"]?.mapping("layer2", keys: rows.map(\.name) + [Self.etherTypesKey]) {
            for row in rows {
                guard let value = fields[row.name] else { continue }
                table[row] = try setting(value, row.name, of: row)
            }
            try addEtherTypes(fields, to: &table)
        }
        if let storm = try root["storm"]?.mapping("storm", keys: ["frames"]) {
            table.stormFrames = UInt32(try storm.required("frames").integer("storm.frames", in: 0...Int(LinkTable.stormLimit)))
        }
        return table
    }

    private func setting(_ value: YAMLValue, _ what: String, of row: LinkProtocol) throws(PolicyError) -> LinkSetting {
        let word = try value.word(what, among: row.settings.map(\.name))
        // One of the known words is a setting's.
        return row.settings.first { $0.name == word } ?? row.settings[0]
    }

    private func addEtherTypes(_ fields: YAMLMapping, to table: inout LinkTable) throws(PolicyError) {
        guard let value = fields[Self.etherTypesKey] else { return }
        var seen: Set<UInt16> = []
        for entry in try value.dictionary(Self.etherTypesKey) {
            let type = try etherType(entry.key, entry.place)
            guard seen.insert(type).inserted else {
                throw PolicyError(entry.place, "ether type \(entry.key) is there twice", remedy: "remove one of them")
            }
            let setting = try setting(entry.value, "ether type \(entry.key)", of: .unknown)
            guard table.set(setting, forEtherType: type) else {
                throw PolicyError(
                    entry.place, "more than \(LinkTable.etherTypeLimit) ether types have a setting of their own",
                    remedy: "give the rest one setting under \"unknown\"")
            }
        }
    }

    /// An ether type as `0x88b5` or as a decimal number.
    private func etherType(_ text: String, _ place: Place) throws(PolicyError) -> UInt16 {
        let isHexadecimal = text.hasPrefix("0x") || text.hasPrefix("0X")
        guard let number = isHexadecimal ? Int(text.dropFirst(2), radix: 16) : Int(text), (0x600...0xffff).contains(number) else {
            throw PolicyError(place, "\"\(text)\" is no ether type", remedy: "write one from 0x0600 to 0xffff")
        }
        if let name = Self.knownTypes[number] {
            let isRow = LinkProtocol.allCases.contains { $0.name == name }
            throw PolicyError(
                place, "ether type \(text) is \(name)",
                remedy: isRow ? "set \"\(name)\" instead" : "policies judge what it carries")
        }
        return UInt16(number)
    }
}
