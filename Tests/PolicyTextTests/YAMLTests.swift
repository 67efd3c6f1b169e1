// SPDX-License-Identifier: Apache-2.0
import Policy
import PolicyText
import Testing

@Suite struct YAMLTexts {
    @Test(arguments: [
        "a: &x 1\nb: *x", "- &x [1]\n- *x", "a: &x {b: 1}\nc: [*x]", "a: &x {}\nb: *x", "- &x a\n- *x", "a: [&x b, *x]",
    ]) func `an alias is refused`(text: String) {
        #expect {
            try YAMLReader.documents(text, file: "f")
        } throws: { error in
            "\(error)".contains("aliases are not read")
        }
    }

    @Test(arguments: [
        ("a: !mine 1", "the tag !mine is not read"), ("a: !!int 1", "the tag tag:yaml.org,2002:int is not read"),
        ("{1: a, '1': b}", "f:1:8: the key \"1\" is there twice"), ("? [a]\n: 1", "a key must be a word, not a list"),
        ("a: [1", "the text is no YAML"),
        ("\ta: 1", "the text is no YAML"),
    ]) func `what a configuration must not hold is refused`(text: String, message: String) {
        #expect {
            try YAMLReader.documents(text, file: "f")
        } throws: { error in
            "\(error)".contains(message)
                ? true
                : {
                    print("found: \(error)"); return false
                }()
        }
    }

    @Test(arguments: [
        ("{a: 1, b: {a: 2, c: 3}, a: 4}", "1:25"), ("a:\n  name: x\n  deep: {name: y}\n  name: z\n", "4:3"),
        ("- name: x\n  to: [{name: y}]\n  name: z\n- name: y\n", "3:3"), ("{\"a\": \"a, a: 1\", 'a' : 2}", "1:18"),
        ("a: 1 # a: 2\nb: |\n  a: 3\na: 4\n", "4:1"), ("é: 1\nb: {ü: 1, é: 2, ü: 3}\n", "2:17"),
        ("x: 1\n---\nb: 2\nb: 3\n", "4:1"), ("{a: 1,\n a: 2}", "2:2"), ("a: [1, 2]\nb: {c: 1}\na: 2\na: 3\n", "3:1"),
    ]) func `a key that is there twice is told with the second one's place`(text: String, place: String) {
        #expect {
            try YAMLReader.documents(text, file: "f")
        } throws: { error in
            print("\(error)")
            return "\(error)".hasPrefix("f:\(place): the key \"") && "\(error)".hasSuffix("is there twice; remove one of them")
        }
    }

    @Test func `a text where something else should stand is quoted in short, and steers no terminal`() throws {
        let text = "x\u{1b}[2J" + String(repeating: "root:x:0:0:root ", count: 500)
        let value = YAMLValue(place: .nowhere, content: .text(text))
        #expect {
            try value.mapping("a document", keys: [])
        } throws: { error in
            let told = "\(error)"
            return told.contains("a document must be a mapping, not \"x\\u{1B}[2Jroot:x:0:0:root") && told.contains("…\"")
                && told.count < 200
        }
        #expect { try value.list("services") } throws: { error in "\(error)".count < 250 }
        #expect("short".excerpt == "short")
    }

    @Test func `sizes have limits`() {
        var limits = YAMLReader.Limits()
        (limits.nodes, limits.depth, limits.bytes) = (10, 5, 1_000)
        for text in [
            "[" + String(repeating: "1,", count: 20) + "]", String(repeating: "[", count: 8) + String(repeating: "]", count: 8),
            String(repeating: " ", count: 1_001),
        ] {
            #expect(throws: PolicyError.self) { try YAMLReader.documents(text, file: "f", limits: limits) }
        }
    }

    @Test func `plain words keep to the core schema`() throws {
        let texts = ["no", "on", "1e3x", "0x1f", "1_000", ".5", "2027-01-01T00:00:00Z", "10.0.0.1", "a b"]
        for text in texts { #expect(try YAMLReader.documents("- \(text)", file: "f")[0].list("l")[0].text("t") == text) }
        let values = try YAMLReader.documents("[1, -2, 1.5, true, '1', ~]", file: "f")[0].list("l")
        #expect(try values[0].integer("i", in: 0...9) == 1 && values[1].integer("i", in: -9...0) == -2)
        #expect(try values[2].number("n") == 1.5 && values[3].truth("t") && values[4].text("t") == "1")
        #expect(throws: PolicyError.self) { try values[5].text("t") }
        #expect(throws: PolicyError.self) { try values[0].text("t") }
    }

    @Test func `JSON is read as well`() throws {
        let text =
            #"{"apiVersion": "bulkhead/v1", "kind": "Zone", "metadata": {"name": "lan"}, "spec": {"unjudged": {"wan": "audit"}}}"#
        guard case .zone(let zone)? = try decode(text, file: "f").first else { throw PolicyError(.nowhere, "no zone") }
        #expect(zone.unjudged == ["wan": .audit] && zone.unjudgedElsewhere == .deny)
    }
}
