// SPDX-License-Identifier: Apache-2.0
import Foundation
import Policy
import PolicyText
import Testing

@Suite struct Manual {
    @Test func `the set that the manual prints is a set`() throws {
        let manual = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../docs/policy.md").standardizedFileURL
        let text = try String(contentsOf: manual, encoding: .utf8)
        let block = try #require(
            text.components(separatedBy: "```yaml\n").dropFirst().first?.components(separatedBy: "```").first)
        let set = try PolicySet(try decode(block, file: manual.path))
        #expect(set.workloads.map(\.name.description) == ["shop/db-1", "shop/web-1"])
        #expect(set.policies.map(\.name.description) == ["shop/db", "shop/web"])
    }
}
