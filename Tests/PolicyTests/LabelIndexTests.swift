// SPDX-License-Identifier: Apache-2.0
import Policy
import Testing

@Suite struct LabelIndices {
    private static let index: LabelIndex = {
        var index = LabelIndex()
        index.enter(["app": "web", "env": "prod"], as: 0)
        index.enter(["app": "web", "env": "dev"], as: 1)
        index.enter(["app": "db", "env": "prod"], as: 3)
        index.enter(["app": "db"], as: 4)
        index.enter(["env": "dev"], as: 4)
        return index
    }()

    @Test(
        arguments: [
            (.equals("app", "web"), [0, 1]),
            (.equals("app", "cache"), []),
            (.equals("tier", "1"), []),
            (.isIn("app", ["db", "web", "cache"]), [0, 1, 3, 4]),
            (.and([.equals("env", "prod"), .equals("app", "db")]), [3]),
            (.and([.equals("app", "db"), .equals("app", "cache")]), []),
            (.and([.has("env"), .equals("app", "web"), .notEquals("env", "dev")]), [0, 1]),
            (.and([.isIn("app", ["db", "web"]), .equals("env", "dev")]), [1, 4]),
            (.or([.equals("env", "prod"), .isIn("app", ["db"])]), [0, 3, 4]),
        ] as [(Selector.Expression, [Int])])
    func `candidates are in order, and hold whoever matches`(expression: Selector.Expression, expected: [Int]) {
        #expect(Self.index.candidates(for: expression) == expected)
    }

    @Test(
        arguments: [
            .all, .global, .has("app"), .notIn("app", ["db"]), .not(.equals("app", "web")), .startsWith("app", "w"),
            .or([.equals("app", "web"), .all]), .and([.has("app"), .notEquals("env", "dev")]),
        ] as [Selector.Expression])
    func `an expression that names no label of its matches has no candidates to go by`(expression: Selector.Expression) {
        #expect(Self.index.candidates(for: expression) == nil)
    }

    @Test func `a number that stands for several things is a candidate by labels of any of them`() {
        #expect(Self.index.candidates(for: .and([.equals("app", "db"), .equals("env", "dev")])) == [4])
    }
}
