// SPDX-License-Identifier: Apache-2.0
import Policy
import PolicyText
import TestSupport
import Testing

/// The subject's selector of a policy that is written with it.
private func selector(_ text: String) throws -> Selector {
    let quoted = text.replacing("'", with: "''")
    let documents = try decode(
        "{apiVersion: bulkhead/v1, kind: Policy, metadata: {name: p}, spec: {subject: {selector: '\(quoted)'}}}", file: "f")
    guard case .policy(let policy)? = documents.first else { throw PolicyError(.nowhere, "no policy") }
    return try #require(policy.subject.selector)
}

private let readable: [(String, Selector.Expression)] = [
    ("", Selector.Expression.all), ("  ", .all), ("all()", .all), ("has( a.b/c-d_e )", .has("a.b/c-d_e")),
    (#"app == "web""#, .equals("app", "web")), ("app=='we\"b'", .equals("app", "we\"b")), (#"a != """#, .notEquals("a", "")),
    (#"a contains "x""#, .contains("a", "x")), (#"a starts with "x""#, .startsWith("a", "x")),
    (#"a  ends\#twith "x""#, .endsWith("a", "x")), (#"a in {"x", 'y',}"#, .isIn("a", ["x", "y"])), ("a in {}", .isIn("a", [])),
    (#"a not in {"x"}"#, .notIn("a", ["x"])), (#"a notin {"x"}"#, .notIn("a", ["x"])), ("!has(a)", .not(.has("a"))),
    ("!!has(a)", .not(.not(.has("a")))), (#"in in {"in"}"#, .isIn("in", ["in"])), (#"not == "1""#, .equals("not", "1")),
    (#"has == "1""#, .equals("has", "1")), (#"notinx == "1""#, .equals("notinx", "1")),
    (
        #"a == "1" || b == "2" && c == "3""#,
        .or([.equals("a", "1"), .and([.equals("b", "2"), .equals("c", "3")])])
    ),
    (#"(a == "1" || has(b)) && !(has(c))"#, .and([.or([.equals("a", "1"), .has("b")]), .not(.has("c"))])),
]

private let unreadable: [(String, String)] = [
    ("app = \"web\"", #"behind "app" must come ==, !=, in, not in, contains, starts with or ends with, at character 5"#),
    ("app == web", "a value in quotes is missing, at character 8"), ("app == \"web", "the quote has no end, at character 8"),
    ("has(app", #"a ")" is missing behind has(app, at character 8"#), ("(has(a)", #"a ")" is missing, at character 8"#),
    ("has(a) has(b)", "the selector goes on where it should end, at character 8"), ("&& has(a)", "a label's name is missing"),
    ("have(a)", "there is no function have(); there are has(), all() and global(), at character 1"),
    ("a in {'x' 'y'}", #"a "," or a "}" is missing, at character 11"#), ("a starts \"x\"", #""with" is missing behind "starts""#),
    ("global()", "global() may only stand alone in a namespaceSelector"), ("has(a) || global()", "global() may only stand alone"),
    (String(repeating: "(", count: 200), "the selector is nested deeper than 64 levels"),
    (String(repeating: "a", count: 1_025), "the selector is longer than 1,024 bytes"),
    (String(repeating: "a", count: 513) + " == ''", "a label's name is longer than 512 bytes"),
]

@Suite struct SelectorParsing {
    @Test(arguments: readable) func `a text is read as its expression`(text: String, expression: Selector.Expression) throws {
        #expect(try selector(text).expression == expression)
    }

    @Test(arguments: unreadable) func `a text that is no expression is refused with its reason`(text: String, reason: String) {
        #expect {
            try selector(text)
        } throws: { error in
            "\(error)".contains(reason)
        }
    }

    @Test func `the Kubernetes form says the same in the same place`() throws {
        let text = """
            {apiVersion: bulkhead/v1, kind: Policy, metadata: {name: p}, spec: {subject: {selector: {matchLabels: {app: web},
            matchExpressions: [{key: env, operator: NotIn, values: [prod]}, {key: x, operator: Exists}]}}}}
            """
        guard case .policy(let policy)? = try decode(text, file: "f").first else { throw PolicyError(.nowhere, "no policy") }
        #expect(policy.subject.selector?.text == #"app == "web" && env not in {"prod"} && has(x)"#)
        #expect(try selector(#"app == "web" && env not in {"prod"} && has(x)"#) == policy.subject.selector)
    }

    @Test func `random texts are read or refused, never more`() {
        let seed = UInt64.random(in: 0...999_999)
        print("seed \(seed)")
        var random = PacketRandom(seed: seed)
        let words = [
            "has(", "all()", "a", "==", "!=", "in", "not", "{", "}", "'x'", "\"", "(", ")", "!", "&&", "||", ",", " ", "with",
            "é",
        ]
        for _ in 0..<20_000 {
            var text = ""
            for _ in 0..<12 { text += words.randomElement(using: &random) ?? "" }
            _ = try? selector(text)
        }
    }
}
