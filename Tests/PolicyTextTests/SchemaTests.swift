// SPDX-License-Identifier: Apache-2.0
import Foundation
import PolicyText
import TestSupport
import Testing

@Suite struct Schemas {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")

    @Test func `the schema in the repository is the one that the code makes`() throws {
        let file = Self.root.appendingPathComponent("docs/schema/\(PolicySchema.fileName)").standardizedFileURL
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(text == PolicySchema.text + "\n", "write it anew: bulkhead policy schema > docs/schema/\(PolicySchema.fileName)")
    }

    @Test func `every kind with every key is a document for schema and reader`() throws {
        let validator = try SchemaValidator(PolicySchema.text)
        for document in try YAMLReader.documents(PolicySample.everything, file: "f") {
            #expect(validator.accepts(document), "\(document.place)")
        }
        #expect(validator.keys.subtracting(validator.met) == [], "the sample lacks keys")
        #expect(validator.undocumented == [], "keys that do not say what their absence means")
        _ = try decode(PolicySample.everything, file: "f")
    }

    @Test func `a null in any place is refused by the reader, so that it reads every key, and by the schema`() throws {
        let validator = try SchemaValidator(PolicySchema.text)
        var count = 0
        for document in try YAMLReader.documents(PolicySample.everything, file: "f") {
            for variant in document.withNulls {
                count += 1
                let text = variant.json
                #expect {
                    try decode(text, file: "f")
                } throws: { error in
                    "\(error)".contains("says nothing")
                }
                let value = try #require(try YAMLReader.documents(text, file: "f").first)
                #expect(!validator.accepts(value), "\(text)")
            }
        }
        #expect(count > 150)
    }

    @Test(arguments: objectRefusals + policyRefusals + termRefusals)
    func `what has the wrong shape is refused by the schema as by the reader`(refusal: Refusal) throws {
        guard refusal.isStructural, !refusal.error.contains("is there twice") else { return }
        let validator = try SchemaValidator(PolicySchema.text)
        let value = try #require(try YAMLReader.documents(refusal.text, file: "f").first)
        #expect(!validator.accepts(value))
    }

    @Test func `every document of the manual and of the examples is one for the schema`() throws {
        let validator = try SchemaValidator(PolicySchema.text)
        let manual = Self.root.appendingPathComponent("docs/policy.md").standardizedFileURL
        let blocks = try String(contentsOf: manual, encoding: .utf8).components(separatedBy: "```yaml\n").dropFirst()
        let folder = Self.root.appendingPathComponent("examples").standardizedFileURL.path
        let examples = try Loader.files(under: folder).map { try String(contentsOfFile: $0, encoding: .utf8) }
            .filter { $0.contains("apiVersion: bulkhead/v1") }
        #expect(!examples.isEmpty)
        for text in examples {
            for document in try YAMLReader.documents(text, file: "example") { #expect(validator.accepts(document), "\(text)") }
        }
        for block in blocks {
            let text = block.components(separatedBy: "```")[0]
            for document in try YAMLReader.documents(text, file: "docs/policy.md") {
                #expect(validator.accepts(document), "\(text)")
            }
        }
    }
}

extension YAMLValue {
    /// The value with a null in the place of one value behind a key, for each of them.
    fileprivate var withNulls: [YAMLValue] {
        switch content {
        case .mapping(let entries):
            entries.indices.flatMap { index in
                ([YAMLValue(place: place, content: .null)] + entries[index].value.withNulls).map { value in
                    var copy = entries
                    copy[index].value = value
                    return YAMLValue(place: place, content: .mapping(copy))
                }
            }
        case .list(let items):
            items.indices.flatMap { index in
                items[index].withNulls.map { item in
                    var copy = items
                    copy[index] = item
                    return YAMLValue(place: place, content: .list(copy))
                }
            }
        default: []
        }
    }

    /// The value as JSON in one line.
    fileprivate var json: String {
        func quoted(_ text: String) -> String {
            "\"" + text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"") + "\""
        }
        return switch content {
        case .null: "null"
        case .text(let text): quoted(text)
        case .integer(_, let text), .fraction(_, let text): text
        case .truth(let truth): "\(truth)"
        case .list(let items): "[" + items.map(\.json).joined(separator: ", ") + "]"
        case .mapping(let entries): "{" + entries.map { "\(quoted($0.key)): \($0.value.json)" }.joined(separator: ", ") + "}"
        }
    }
}
