// SPDX-License-Identifier: Apache-2.0
import Policy
import PolicyText
import TestSupport

extension FuzzTarget {
    /// Selectors: the input is an expression.
    static let selector = FuzzTarget(
        "selector", "an expression is read or refused, and what is read is, written anew, read as the same",
        seeds: SelectorExpressions.seeds, mutate: SelectorExpressions.mutated, flaw: SelectorExpressions.flaw)
}

private enum SelectorExpressions {
    private static let samples = [
        "", "all()", "global()", "has(a.b/c-d)", "app == \"web\"", "a != ''", "a contains 'x'", "a starts with \"x\"",
        "a ends with 'x'", "a in {\"x\", 'y',}", "a not in {}", "a notin {'x'}", "!has(a)", "!!has(a)",
        "a == \"1\" || b == \"2\" && c == \"3\"", "(a == '1' || has(b)) && !(has(c))", "in in {\"in\"}", "not == '1'",
    ]
    private static let words = [
        "has(", "all()", "global()", "a", "b/c", "==", "!=", " in ", " not in ", "notin", "contains", "starts with", "ends with",
        "{",
        "}", "'x'", "\"", "'", "(", ")", "!", "&&", "||", ",", " ", "\t", "é",
    ]

    @Sendable static func seeds() -> [FuzzTarget.Seed] {
        samples.map { ($0.isEmpty ? "nothing" : $0, Array($0.utf8)) }
    }

    @Sendable static func mutated(_ input: [UInt8], _ random: inout PacketRandom) -> [UInt8] {
        TextChange.mutated(input, words: words, &random)
    }

    private static func selector(_ text: String) -> Selector? {
        let value = YAMLValue(place: .nowhere, content: .text(text))
        return try? SelectorDecoder.selector(value, "selector", mayBeGlobal: true)
    }

    @Sendable static func flaw(_ input: [UInt8]) -> String? {
        guard let read = selector(String(decoding: input, as: UTF8.self)) else { return nil }
        if input.isEmpty, !read.matches([:]) { return "an empty text selects not everything" }
        let text = read.expression.text
        // What no text can say: a value with both kinds of quotes does not come from one. What is written anew may be longer.
        guard text.utf8.count <= 1_024 else { return nil }
        guard let again = selector(text) else { return "\(text) cannot be read" }
        return again == read ? nil : "\(text) is read as \(again.expression)"
    }
}
