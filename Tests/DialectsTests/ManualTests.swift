// SPDX-License-Identifier: Apache-2.0
import Dialects
import Foundation
import Net
import Policy
import PolicyText
import Testing

/// The examples of the manual.
@Suite struct ImportManual {
    /// The fenced blocks of the page, with the language that each names.
    private func blocks() throws -> [(language: String, text: String)] {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../docs/import.md").standardizedFileURL
        let parts = try String(contentsOf: page, encoding: .utf8).components(separatedBy: "```")
        return stride(from: 1, to: parts.count, by: 2).map { index in
            let lines = parts[index].split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(lines[0]), lines.count == 2 ? String(lines[1]) : "")
        }
    }

    @Test func `every example is read, and becomes what the page says`() throws {
        let blocks = try blocks()
        #expect(blocks.map(\.language) == ["yaml", "yaml", "ini", "yaml", "csv"])
        let kubernetes = try PolicySet(try decode(blocks[0].text, file: "k.yaml", dialects: Dialect.readers()))
        #expect(kubernetes.yaml == blocks[1].text)
        let ini = try PolicySet(try Dialect.ansible.reader().read(blocks[2].text, file: "hosts").documents)
        let yaml = try PolicySet(try decode(blocks[3].text, file: "i.yaml", dialects: Dialect.readers()))
        #expect(ini.yaml == yaml.yaml)
        #expect(ini.workloads.map(\.name.description) == ["shop/web01", "shop/web02"])
        #expect(ini.workloads.first?.labels == ["group.shop": "true", "group.web": "true", "env": "prod"])
        let csv = try PolicySet(try Dialect.csv.reader().read(blocks[4].text, file: "w.csv").documents)
        #expect(csv.workloads.map(\.name.description) == ["shop/db-1", "printers", "shop/web-1"])
        #expect(csv.workloads.last?.hardwareAddresses.map(\.description) == ["02:00:00:00:00:11"])
    }

    @Test func `files are read by what they are called, and documents by what they hold`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bulkhead-import-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let blocks = try blocks()
        for (name, index) in [("k.yaml", 0), ("hosts", 2), ("w.csv", 4)] {
            try Data(blocks[index].text.replacing("db-1", with: "db-\(index)").replacing("10.9.0.", with: "10.\(index).0.").utf8)
                .write(to: folder.appendingPathComponent(name))
        }
        func load(_ names: [String]) throws -> Loader.Contents {
            try Loader.contents(paths: names.map { folder.path + $0 }, dialects: Dialect.readers())
        }
        #expect(try load([""]).documents.count == 2)
        let contents = try load(["", "/hosts", "/w.csv"])
        #expect(
            contents.documents.map(\.name.description).sorted() == [
                "printers", "shop/db", "shop/db-0", "shop/db-4", "shop/web-1", "shop/web01", "shop/web02",
            ])
        #expect(contents.ignored.map(\.message) == ["the variable ansible_user says nothing to policy"])
        let error = #expect(throws: PolicyError.self) { try Loader.load(paths: [folder.path + "/k.yaml"]) }
        #expect(error?.description.contains("k.yaml:1:13: apiVersion must be bulkhead/v1, not \"v1\"") ?? false)
    }
}
