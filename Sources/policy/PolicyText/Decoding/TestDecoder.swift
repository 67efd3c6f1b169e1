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

    /// The tests of a text: YAML documents of the kind `PolicyTest` and of no other. Throws with everything that is not understood.
    public static func tests(in text: String, file: String) throws(PolicyError) -> [PolicyTest] {
        var faults = Faults()
        var tests: [PolicyTest] = []
        for value in try YAMLReader.documents(text, file: file) {
            if let test = faults.read(value, TestDecoder.test) { tests.append(test) }
        }
        try faults.check()
        return tests
    }
}

/// Reads a `PolicyTest`.
enum TestDecoder {
    static let kind = "PolicyTest"

    static func test(_ value: YAMLValue) throws(PolicyError) -> PolicyTest {
        var faults = Faults()
        let root = try value.mapping("a document", keys: ["apiVersion", "kind", "metadata", "spec"], &faults)
        let version = try root.required("apiVersion")
        guard try version.text("apiVersion") == DocumentDecoder.version else {
            throw version.error("apiVersion must be \(DocumentDecoder.version), not \(version.kind)")
        }
        let kind = try root.required("kind")
        guard try kind.text("kind") == Self.kind else {
            throw kind.error("a file of tests holds documents of the kind \(Self.kind), not \(kind.kind)")
        }
        let name = faults.require("metadata", of: root, name)
        var test = PolicyTest(name: name ?? ObjectName("?"), place: root.place)
        faults.require("spec", of: root) { (value) throws(PolicyError) in try read(value, into: &test) }
        try faults.check()
        return test
    }

    private static func name(_ value: YAMLValue) throws(PolicyError) -> ObjectName {
        var faults = Faults()
        let fields = try value.mapping("metadata", keys: ["name", "namespace"], &faults)
        let name = faults.require("name", of: fields) { (value) throws(PolicyError) in try value.name("metadata.name") }
        let namespace = faults.read(fields["namespace"]) { (value) throws(PolicyError) in
            try value.name("metadata.namespace")
        }
        try faults.check()
        return ObjectName(name ?? "?", namespace: namespace)
    }

    private static func read(_ value: YAMLValue, into test: inout PolicyTest) throws(PolicyError) {
        var faults = Faults()
        let spec = try value.mapping("the spec of a \(Self.kind)", keys: ["at", "names", "expect"], &faults)
        faults.read(spec["at"], into: &test.time) { (value) throws(PolicyError) in try value.unixSeconds("at") }
        let names = faults.read(spec["names"]) { (value) throws(PolicyError) in try value.dictionary("names") }
        for entry in names ?? [] {
            if entry.key.contains(where: { $0 == " " || $0 == "," }) {
                faults.add(
                    PolicyError(
                        entry.place, "the name \"\(entry.key)\" has a blank or a comma", remedy: "sentences end names there"))
            }
            test.names[entry.key] = faults.read(entry.value) { (value) throws(PolicyError) in
                try TermDecoder.term(value, "the name \"\(entry.key)\"")
            }
        }
        let expectations = faults.require("expect", of: spec) { (value) throws(PolicyError) in
            try value.items("expect", expectation)
        }
        try faults.check()
        test.expectations = expectations ?? []
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
