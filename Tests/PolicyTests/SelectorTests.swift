// SPDX-License-Identifier: Apache-2.0
import Policy
import Testing

private let absentLabel: [(Selector.Expression, Bool)] = [
    (Selector.Expression.notEquals("x", "1"), true), (.notIn("x", ["1"]), true), (.contains("x", "1"), false),
    (.startsWith("x", "1"), false), (.endsWith("x", "1"), false), (.equals("x", ""), false), (.isIn("x", [""]), false),
    (.not(.has("x")), true), (.has("x"), false), (.all, true), (.and([]), true), (.or([]), false),
]

@Suite struct Selectors {
    @Test(arguments: absentLabel) func `a label that is absent equals nothing and is in no set`(
        expression: Selector.Expression, matches: Bool
    ) {
        #expect(expression.matches(["y": "1"]) == matches)
    }

    @Test func `text operators look at the value`() {
        let labels = ["app": "web-front"]
        #expect(Selector.Expression.contains("app", "b-f").matches(labels))
        #expect(Selector.Expression.contains("app", "").matches(labels))
        #expect(!Selector.Expression.contains("app", "web-front-1").matches(labels))
        #expect(Selector.Expression.startsWith("app", "web").matches(labels))
        #expect(Selector.Expression.endsWith("app", "front").matches(labels))
        #expect(!Selector.Expression.endsWith("app", "fronT").matches(labels))
    }
}

private let written: [(Selector.Expression, String)] = [
    (
        .and([.or([.has("a"), .equals("b", "1")]), .not(.notIn("c", ["x", "y"]))]),
        #"(has(a) || b == "1") && !c not in {"x", "y"}"#
    ),
    (.or([.and([.all, .global]), .startsWith("a", "b")]), #"(all() && global()) || a starts with "b""#),
    (.not(.and([.endsWith("a", "b"), .contains("a", "\"")])), #"!(a ends with "b" && a contains '"')"#),
    (.isIn("a", []), "a in {}"), (.notEquals("a", ""), #"a != """#),
]

@Suite struct SelectorTexts {
    @Test(arguments: written) func `an expression is written in the selector language`(
        expression: Selector.Expression, text: String
    ) {
        #expect(Selector(expression).text == text)
    }
}
