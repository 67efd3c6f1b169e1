// SPDX-License-Identifier: Apache-2.0

/// A query over labels: an expression, and its text for reports. Two are the same when their expressions are.
public struct Selector: Hashable, Sendable {
    /// What must hold for the labels.
    public indirect enum Expression: Hashable, Sendable {
        /// Every workload.
        case all
        /// In a namespace selector: workloads without a namespace.
        case global
        /// The label is there.
        case has(String)
        /// The label is there and has this value.
        case equals(String, String)
        /// The label is absent or has another value.
        case notEquals(String, String)
        /// The label is there and its value contains the text.
        case contains(String, String)
        /// The label is there and its value starts with the text.
        case startsWith(String, String)
        /// The label is there and its value ends with the text.
        case endsWith(String, String)
        /// The label is there and has one of the values.
        case isIn(String, [String])
        /// The label is absent or has none of the values.
        case notIn(String, [String])
        /// The opposite.
        case not(Expression)
        /// All of them.
        case and([Expression])
        /// At least one of them.
        case or([Expression])
    }

    /// What must hold.
    public var expression: Expression
    /// As it was written.
    public var text: String

    /// A selector from its expression and the text that it was written as.
    public init(_ expression: Expression, text: String) {
        self.expression = expression
        self.text = text
    }

    /// Whether it selects these labels.
    public func matches(_ labels: [String: String]) -> Bool { expression.matches(labels) }

    /// Two are the same when their expressions are, however they were written.
    public static func == (a: Selector, b: Selector) -> Bool { a.expression == b.expression }

    /// Over the expression alone.
    public func hash(into hasher: inout Hasher) { hasher.combine(expression) }
}

extension Selector.Expression {
    /// Whether the labels satisfy it. What is absent equals nothing, contains nothing and is in no set.
    public func matches(_ labels: [String: String]) -> Bool {
        switch self {
        case .all: true
        case .global: false
        case .has(let key): labels[key] != nil
        case .equals(let key, let value): labels[key] == value
        case .notEquals(let key, let value): labels[key] != value
        case .contains(let key, let part): labels[key].map { $0.contains(bytes: part) } ?? false
        case .startsWith(let key, let part): labels[key]?.utf8.starts(with: part.utf8) ?? false
        case .endsWith(let key, let part): labels[key]?.utf8.reversed().starts(with: part.utf8.reversed()) ?? false
        case .isIn(let key, let values): labels[key].map { values.contains($0) } ?? false
        case .notIn(let key, let values): labels[key].map { !values.contains($0) } ?? true
        case .not(let inner): !inner.matches(labels)
        case .and(let parts): parts.allSatisfy { $0.matches(labels) }
        case .or(let parts): parts.contains { $0.matches(labels) }
        }
    }
}

extension String {
    /// Whether the other text occurs in this one, byte by byte.
    fileprivate func contains(bytes part: String) -> Bool {
        let (whole, wanted) = (Array(utf8), Array(part.utf8))
        guard wanted.count <= whole.count else { return false }
        return (0...(whole.count - wanted.count)).contains { whole[$0..<$0 + wanted.count].elementsEqual(wanted) }
    }
}
