// SPDX-License-Identifier: Apache-2.0
import Foundation
import Net
import Testing

/// What the manual says of layer 2 is what the program knows.
@Suite("The manual of layer 2") struct ManualTests {
    @Test func `every protocol has its row, with its settings and the default first`() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../docs/layer2.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        let table = try #require(text.split(separator: "<!-- protocols -->").last?.split(separator: "<!-- /protocols -->").first)
        let rows = table.split(separator: "\n").dropFirst(2).map { row in
            row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        let expected = LinkProtocol.allCases.filter { $0 != .none }
        #expect(rows.map { $0[0] } == expected.map { "`\($0.name)`" })
        for (row, link) in zip(rows, expected) {
            #expect(row[2] == link.settings.map { "`\($0.name)`" }.joined(separator: ", "), "\(link.name)")
        }
    }
}
