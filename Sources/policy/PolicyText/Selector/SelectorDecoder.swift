// SPDX-License-Identifier: Apache-2.0
public import Policy

/// Reads selectors: an expression, or the Kubernetes form.
public enum SelectorDecoder {
    /// A selector: an expression, or the Kubernetes form. `global()` is read only where `mayBeGlobal` says so, and only alone.
    public static func selector(_ value: YAMLValue, _ what: String, mayBeGlobal: Bool = false) throws(PolicyError) -> Selector {
        if case .mapping = value.content { return try kubernetes(value, what) }
        let text = try value.text(what)
        do throws(SelectorParser.Problem) {
            let selector = try SelectorParser.parse(text)
            guard mayBeGlobal ? selector.usesGlobalAlone : !selector.usesGlobal else {
                throw SelectorParser.Problem(message: "global() may only stand alone in a namespaceSelector", offset: 0)
            }
            return selector
        } catch {
            // Quotes come before the text, but not in a block; the column is exact for a quoted selector in one line.
            throw value.error("\(what): \(error.message), at character \(error.offset + 1) of '\(text)'")
        }
    }

    /// The Kubernetes form: `matchLabels` and `matchExpressions`, all of which must hold; an empty one selects all. `what` names it in
    /// errors; a null is an error, or with `nullIsAbsent` counts as absent.
    public static func kubernetes(
        _ value: YAMLValue, _ what: String, nullIsAbsent: Bool = false
    ) throws(PolicyError) -> Selector {
        var faults = Faults()
        let fields = try value.mapping(what, keys: ["matchLabels", "matchExpressions"], &faults)
        let labels = nullIsAbsent ? fields[unlessNull: "matchLabels"] : fields["matchLabels"]
        let items = nullIsAbsent ? fields[unlessNull: "matchExpressions"] : fields["matchExpressions"]
        var parts: [Selector.Expression] = []
        let equal = faults.read(labels) { (value) throws(PolicyError) in try value.labels("matchLabels") } ?? [:]
        for (key, value) in equal.sorted(by: { $0.key < $1.key }) { parts.append(.equals(key, value)) }
        parts +=
            faults.read(items) { (value) throws(PolicyError) in
                try value.items("matchExpressions") { (item) throws(PolicyError) in try requirement(item, nullIsAbsent) }
            } ?? []
        try faults.check()
        return Selector(parts.isEmpty ? .all : parts.count == 1 ? parts[0] : .and(parts))
    }

    private enum Operator: String, CaseIterable {
        case isIn = "In"
        case notIn = "NotIn"
        case exists = "Exists"
        case doesNotExist = "DoesNotExist"
    }

    private static func requirement(_ value: YAMLValue, _ nullIsAbsent: Bool) throws(PolicyError) -> Selector.Expression {
        var faults = Faults()
        let fields = try value.mapping("a match expression", keys: ["key", "operator", "values"], &faults)
        let named = faults.require("key", of: fields) { (value) throws(PolicyError) in try value.text("key") }
        let sign = faults.require("operator", of: fields) { (value) throws(PolicyError) in
            try value.choice("operator", of: Operator.self)
        }
        let values = faults.read(nullIsAbsent ? fields[unlessNull: "values"] : fields["values"]) { (value) throws(PolicyError) in
            try value.texts("values")
        }
        try faults.check()
        let key = named ?? ""
        switch sign ?? .exists {
        case .isIn, .notIn:
            guard let values, !values.isEmpty else {
                throw value.error("the operator \(sign?.rawValue ?? "") needs values")
            }
            return sign == .isIn ? .isIn(key, values) : .notIn(key, values)
        case .exists, .doesNotExist:
            guard values?.isEmpty ?? true else { throw value.error("the operator \(sign?.rawValue ?? "") takes no values") }
            return sign == .exists ? .has(key) : .not(.has(key))
        }
    }
}

extension Selector {
    /// Whether `global()` occurs in it.
    fileprivate var usesGlobal: Bool { expression.usesGlobal }
    /// Whether `global()` occurs in it only as the whole.
    fileprivate var usesGlobalAlone: Bool { expression == .global || !expression.usesGlobal }
}

extension Selector.Expression {
    fileprivate var usesGlobal: Bool {
        switch self {
        case .global: true
        case .not(let inner): inner.usesGlobal
        case .and(let parts), .or(let parts): parts.contains { $0.usesGlobal }
        default: false
        }
    }
}
