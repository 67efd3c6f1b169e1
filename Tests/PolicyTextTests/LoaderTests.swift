// SPDX-License-Identifier: Apache-2.0
import Foundation
import Policy
import PolicyText
import Testing

@Suite struct Loading {
    private func folder(_ files: [String: String]) throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("bulkhead-\(UUID().uuidString)").path
        for (name, text) in files {
            let file = URL(fileURLWithPath: path).appendingPathComponent(name)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        return path
    }

    private func zone(_ name: String) -> String { "{apiVersion: bulkhead/v1, kind: Zone, metadata: {name: \(name)}}" }

    @Test func `folders are read with everything below them, and each file once`() throws {
        let path = try folder(["a.yaml": zone("a"), "deep/er/b.yml": zone("b"), "c.json": zone("\"c\""), "README.md": "# no"])
        defer { try? FileManager.default.removeItem(atPath: path) }
        let set = try Loader.load(paths: [path, "\(path)/a.yaml", "\(path)/deep/../c.json"])
        #expect(set.zones.keys.sorted() == ["a", "b", "c"])
    }

    @Test func `what cannot be read says so`() throws {
        let path = try folder(["a.yaml": zone("a"), "b.yaml": zone("a")])
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect {
            try Loader.load(paths: [path])
        } throws: { error in
            "\(error)".contains("b.yaml:1:1: Zone \"a\" is there twice; the first one is at ")
        }
        #expect {
            try Loader.load(paths: ["\(path)/none"])
        } throws: { error in
            "\(error)" == "\(path)/none:1:1: there is no such file or folder"
        }
        try Data([0xff, 0xfe, 0x41]).write(to: URL(fileURLWithPath: "\(path)/b.yaml"))
        #expect(throws: PolicyError.self) { try Loader.load(paths: [path]) }
    }
}
