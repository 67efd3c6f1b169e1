// SPDX-License-Identifier: Apache-2.0
import Foundation
import Policy
import PolicyText
import Testing

/// What `docs/policy.md` says, held to the code.
@Suite struct Manual {
    private let path: String
    private let text: String

    init() throws {
        path =
            URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../docs/policy.md").standardizedFileURL.path
        text = try String(contentsOfFile: path, encoding: .utf8)
    }

    private var blocks: [String] {
        text.components(separatedBy: "```yaml\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
    }

    @Test func `the set that the manual prints first is a set`() throws {
        let set = try PolicySet(try decode(blocks[0], file: path))
        #expect(set.workloads.map(\.name.description) == ["shop/db-1", "shop/web-1"])
        #expect(set.policies.map(\.name.description) == ["shop/db", "shop/web"])
    }

    @Test func `every set that the manual prints is one`() throws {
        #expect(blocks.count >= 7)
        for block in blocks { _ = try PolicySet(try decode(block, file: path)) }
    }

    @Test func `the manual names every kind and every key`() throws {
        let schema = try SchemaValidator(PolicySchema.text)
        // The Kubernetes form's own keys are Kubernetes' to explain, and a drain is explained by its example.
        let elsewhere: Set<String> = ["Requirement", "Drain"]
        for name in schema.keys.sorted() {
            let parts = name.split(separator: ".").map(String.init)
            guard !elsewhere.contains(parts[0]) else { continue }
            let key = parts[1]
            let isNamed = ["`\(key)`", "`metadata.\(key)`", "`defaults.\(key)`", "`{\(key): ", "`isolates` | `{ingress"]
                .contains { text.contains($0) }
            #expect(isNamed, "\(name)")
        }
        for word in ServiceWords.reserved + Term.Entity.builtIn.map(\.name) {
            #expect(text.contains("`\(word)`"), "\(word)")
        }
    }

    @Test func `the manual's bounds are the code's`() {
        let (file, set) = (YAMLReader.Limits(), Loader.Limits())
        #expect(file.bytes == 64 << 20 && file.nodes == 8_000_000 && file.documents == 1_000_000 && file.depth == 64)
        #expect(set.files == 100_000 && set.bytes == 1 << 30 && set.documents == 4_000_000)
        #expect(PolicySet.entityDepth == 4 && PolicySet.entitySize == 1_024 && Rule.logTextLimit == 128 && PolicyError.most == 20)
    }
}
