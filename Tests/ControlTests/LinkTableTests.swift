// SPDX-License-Identifier: Apache-2.0
import Classifier
import Control
import Layout
import Net
import Policy
import Testing

@Suite("The table of layer 2 in the configuration") struct LinkTableTests {
    private static let pair = "pairs: [{name: edge, ports: [left, right]}]\n"

    private func read(_ text: String) throws -> LinkTable { try Configuration.read(Self.pair + text, file: "/b.yaml").links }

    @Test func `without a word every protocol has its default, and a port brings in ten thousand group frames a second`() throws {
        let table = try read("")
        for link in LinkProtocol.allCases { #expect(table[link] == link.settings.first) }
        #expect(table.stormFrames == 10_000 && table.etherTypes[0] == 0)
        #expect(try read("layer2: {}\n")[.lldp] == .drop)
    }

    @Test(arguments: LinkProtocol.allCases.filter { $0 != .none }) func `each protocol takes each of its settings by name`(
        link: LinkProtocol
    ) throws {
        #expect(link.name.allSatisfy { $0.isLowercase || $0 == "-" })
        for setting in link.settings {
            let table = try read("layer2: {\(link.name): \(setting.name)}\n")
            #expect(table[link] == setting)
            #expect(LinkProtocol.allCases.allSatisfy { $0 == link || table[$0] == $0.settings.first })
        }
    }

    @Test func `ether types and the budget are read`() throws {
        let table = try read(
            """
            layer2: {unknown: pass, ether-types: {"0x88b5": drop, 0x88B6: pass, 35000: pass}}
            storm: {frames: 0}
            """)
        #expect((0..<4).map { table.etherTypes[$0] } == [0x88b5, 0x88b6, 35000, 0])
        #expect((0..<3).map { table.etherTypeSettings[$0] } == [0, 1, 1])
        #expect(table[.unknown] == .pass && table.stormFrames == 0)
        #expect(try read("storm: {frames: 1000000}\n").stormFrames == 1_000_000)
    }

    @Test(arguments: [
        ("layer2: {lldp: check}\n", 2, 16, "lldp must be one of drop, pass, not \"check\""),
        ("layer2: {lldp: pas}\n", 2, 16, "did you mean \"pass\"?"),
        ("layer2: {lldpd: pass}\n", 2, 10, "did you mean \"lldp\"?"),
        ("layer2: {none: pass}\n", 2, 10, "layer2 has no key \"none\""),
        ("layer2: {spanningTree: pass}\n", 2, 10, "did you mean \"spanning-tree\"?"),
        ("layer2: {arp: judge}\n", 2, 15, "arp must be one of check, pass, drop"),
        ("layer2: {arp: true}\n", 2, 15, "arp must be one of check, pass, drop, not true"),
        ("layer2: [lldp]\n", 2, 9, "layer2 must be a mapping"),
        ("layer2: {ether-types: {\"0x05ff\": pass}}\n", 2, 24, "\"0x05ff\" is no ether type"),
        ("layer2: {ether-types: {\"0x10000\": pass}}\n", 2, 24, "is no ether type"),
        ("layer2: {ether-types: {ipx: pass}}\n", 2, 24, "\"ipx\" is no ether type"),
        ("layer2: {ether-types: {\"0x88cc\": pass}}\n", 2, 24, "set \"lldp\" instead"),
        ("layer2: {ether-types: {\"0x86dd\": pass}}\n", 2, 24, "ether type 0x86dd is IPv6"),
        ("layer2: {ether-types: {\"0x88b5\": pass, 34997: drop}}\n", 2, 40, "ether type 34997 is there twice"),
        ("layer2: {ether-types: {\"0x88b5\": check}}\n", 2, 34, "ether type 0x88b5 must be one of drop, pass"),
        ("storm: {}\n", 2, 8, "storm needs the key \"frames\""),
        ("storm: {frames: 1000001}\n", 2, 17, "storm.frames must be a whole number from 0 to 1000000"),
        ("storm: {rate: 1}\n", 2, 9, "storm has no key \"rate\""),
    ])
    func `what is not understood is refused in its place`(text: String, line: Int, column: Int, message: String) throws {
        let error = #expect(throws: PolicyError.self) { try read(text) }
        #expect(error?.place == Place(file: "/b.yaml", line: line, column: column), "\(error?.description ?? "")")
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func `a seventeenth ether type is one too many`() {
        let types = (0..<17).map { "    \"0x\(String(0x9000 + $0, radix: 16))\": pass\n" }.joined()
        let error = #expect(throws: PolicyError.self) { try read("layer2:\n  ether-types:\n" + types) }
        #expect(error?.place.line == 20 && error?.message.contains("more than 16 ether types") == true)
    }

    @Test func `a reload brings the table that the file has now`() async throws {
        let configuration = "pairs: [{name: edge, ports: [left, right]}]\npolicies: [set.yaml]\nrun: run\n"
        let code = try await withControl(configuration: configuration) { keeper in
            try keeper.obey()
            let (first, before) = try #require(keeper.next())
            #expect(try table(in: before)[.lldp] == .drop)
            try keeper.send(Message(.inForce, first.arguments[0]))
            try keeper.write(configuration + "layer2: {lldp: pas}\n", to: "bulkhead.yaml")
            try keeper.send(Message(.reload))
            #expect(keeper.hears("nothing was changed: generation 1 stays"))
            #expect(keeper.next(within: .zero) == nil)
            try keeper.write(configuration + "layer2: {lldp: pass}\nstorm: {frames: 5}\n", to: "bulkhead.yaml")
            try keeper.send(Message(.reload))
            let (second, after) = try #require(keeper.next())
            #expect(second.kind == .publish)
            let table = try table(in: after)
            #expect(table[.lldp] == .pass && table.stormFrames == 5)
            try keeper.send(Message(.inForce, second.arguments[0]))
            try keeper.send(Message(.stop))
        }
        #expect(code == 0)
    }
}

/// The table of a published image.
private func table(in descriptors: [Int32]) throws -> LinkTable {
    let image = try SharedMemory(adopting: descriptors[0], writable: false)
    let map = try SharedMemory(adopting: descriptors[1], writable: false)
    defer { withExtendedLifetime((image, map)) {} }
    return try unsafe Snapshot(validating: image.base, byteCount: image.byteCount).linkTable
}
