// SPDX-License-Identifier: Apache-2.0
internal import Foundation
public import Policy

extension Loader {
    /// The tests of a file.
    public static func tests(at file: String) throws(PolicyError) -> [PolicyTest] {
        let place = Place(file: file, line: 1, column: 1)
        guard let data = FileManager.default.contents(atPath: file) else { throw PolicyError(place, "the file cannot be read") }
        guard let text = String(validating: data, as: UTF8.self) else { throw PolicyError(place, "the file is no UTF-8") }
        return try tests(in: text, file: file)
    }

    /// The tests of a text: YAML documents of the kind `PolicyTest` and of no other. Throws with the place of what is not understood.
    public static func tests(in text: String, file: String) throws(PolicyError) -> [PolicyTest] {
        var tests: [PolicyTest] = []
        for value in try YAMLReader.documents(text, file: file) { tests.append(try TestDecoder(value).test()) }
        return tests
    }
}

/// Reads a `PolicyTest`.
struct TestDecoder {
    static let kind = "PolicyTest"
    private let root: YAMLMapping

    init(_ value: YAMLValue) throws(PolicyError) {
        root = try value.mapping("a document", keys: ["apiVersion", "kind", "metadata", "spec"])
    }

    func test() throws(PolicyError) -> PolicyTest {
        let version = try root.required("apiVersion")
        guard try version.text("apiVersion") == DocumentDecoder.version else {
            throw version.error("apiVersion must be \(DocumentDecoder.version), not \(version.kind)")
        }
        let kind = try root.required("kind")
        guard try kind.text("kind") == Self.kind else {
            throw kind.error("a file of tests holds documents of the kind \(Self.kind), not \(kind.kind)")
        }
        let metadata = try root.required("metadata").mapping("metadata", keys: ["name", "namespace"])
        var name = ObjectName(try metadata.required("name").name("metadata.name"))
        if let value = metadata["namespace"] { name.namespace = try value.name("metadata.namespace") }
        let spec = try root.required("spec").mapping("the spec of a \(Self.kind)", keys: ["at", "names", "expect"])
        var test = PolicyTest(name: name, place: root.place)
        if let at = spec["at"] { test.time = try at.unixSeconds("at") }
        for entry in try spec["names"]?.dictionary("names") ?? [] {
            guard !entry.key.contains(where: { $0 == " " || $0 == "," }) else {
                throw PolicyError(
                    entry.place, "the name \"\(entry.key)\" has a blank or a comma", remedy: "sentences end names there")
            }
            test.names[entry.key] = try TermDecoder.term(entry.value, "the name \"\(entry.key)\"")
        }
        for item in try spec.required("expect").list("expect") { test.expectations.append(try Self.expectation(item)) }
        return test
    }

    /// `WHO can reach WHO on SERVICE, SERVICE`, or `cannot`.
    private static func expectation(_ value: YAMLValue) throws(PolicyError) -> PolicyTest.Expectation {
        let text = try value.text("an expectation")
        let words = text.split(separator: " ").map(String.init)
        guard words.count >= 6, words[1] == "can" || words[1] == "cannot", words[2] == "reach", words[4] == "on" else {
            throw value.error(
                "\"\(text)\" is no expectation",
                remedy: "write it as \"web can reach db on tcp/5432\" or \"laptop cannot reach db on any\"")
        }
        let services = words[5...].joined(separator: " ").split(separator: ",", omittingEmptySubsequences: false)
            .map { $0.split(separator: " ").joined(separator: " ") }
        guard services.allSatisfy({ !$0.isEmpty && !$0.contains(" ") }) else {
            throw value.error("the services of \"\(text)\" are not understood", remedy: "write them as \"tcp/80, tcp/443\"")
        }
        return PolicyTest.Expectation(
            text: words.joined(separator: " "), source: words[0], isAllowed: words[1] == "can", destination: words[3],
            services: services, place: value.place)
    }
}
