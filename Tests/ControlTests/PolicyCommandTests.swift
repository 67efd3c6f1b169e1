// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@Suite(.enabled(if: Command.isBuilt, "the binary is not built")) struct PolicyCommands {
    @Test func `the schema that is printed is the one in the repository`() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../docs/schema/bulkhead-v1.schema.json").standardizedFileURL
        let written = try String(contentsOf: file, encoding: .utf8)
        for words in [["policy", "schema"], ["policy", "schema", "--json"]] {
            let answer = try Command(words)
            #expect(answer.code == 0 && answer.errors.isEmpty && answer.output == written)
        }
    }

    @Test func `a check says everything that is wrong, a line for each`() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("bulkhead-\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        let text = """
            {apiVersion: bulkhead/v1, kind: Zone, metadata: {nme: x}}
            ---
            {apiVersion: bulkhead/v1, kind: Zoen, metadata: {name: x}}
            """
        try Data(text.utf8).write(to: file)
        let answer = try Command("check", "--policies", file.path)
        #expect(answer.code == 1)
        #expect(
            answer.errors == """
                \(file.path):1:50: metadata has no key "nme"; did you mean "name"?
                \(file.path):3:33: there is no kind "Zoen"; did you mean "Zone"?

                """)
    }
}
