// SPDX-License-Identifier: Apache-2.0
internal import Policy

/// Reads the Kubernetes form of a selector: `matchLabels` and `matchExpressions`, all of which must hold; an empty one selects all.
enum SelectorDecoder {
    static func kubernetes(_ value: YAMLValue, _ what: String) throws(PolicyError) -> Selector {
        let fields = try value.mapping(what, keys: ["matchLabels", "matchExpressions"])
        var parts: [Selector.Expression] = []
        let labels = try DocumentDecoder.labels(fields["matchLabels"], "matchLabels")
        for (key, value) in labels.sorted(by: { $0.key < $1.key }) { parts.append(.equals(key, value)) }
        for item in try fields["matchExpressions"]?.list("matchExpressions") ?? [] { parts.append(try requirement(item)) }
        let expression: Selector.Expression = parts.isEmpty ? .all : parts.count == 1 ? parts[0] : .and(parts)
        return Selector(expression, text: expression.text)
    }

    private enum Operator: String, CaseIterable {
        case isIn = "In"
        case notIn = "NotIn"
        case exists = "Exists"
        case doesNotExist = "DoesNotExist"
    }

    private static func requirement(_ value: YAMLValue) throws(PolicyError) -> Selector.Expression {
        let fields = try value.mapping("a match expression", keys: ["key", "operator", "values"])
        let key = try fields.required("key").text("key")
        let sign = try fields.required("operator").choice("operator", of: Operator.self)
        let values = try fields["values"]?.texts("values")
        switch sign {
        case .isIn, .notIn:
            guard let values, !values.isEmpty else {
                throw value.error("the operator \(sign.rawValue) needs values")
            }
            return sign == .isIn ? .isIn(key, values) : .notIn(key, values)
        case .exists, .doesNotExist:
            guard values?.isEmpty ?? true else { throw value.error("the operator \(sign.rawValue) takes no values") }
            return sign == .exists ? .has(key) : .not(.has(key))
        }
    }
}

extension Selector.Expression {
    /// The expression in the selector language.
    var text: String {
        func list(_ values: [String]) -> String { "{" + values.map { "\"\($0)\"" }.joined(separator: ", ") + "}" }
        func inner(_ part: Selector.Expression) -> String {
            switch part {
            case .and, .or: "(\(part.text))"
            default: part.text
            }
        }
        return switch self {
        case .all: "all()"
        case .global: "global()"
        case .has(let key): "has(\(key))"
        case .equals(let key, let value): "\(key) == \"\(value)\""
        case .notEquals(let key, let value): "\(key) != \"\(value)\""
        case .contains(let key, let part): "\(key) contains \"\(part)\""
        case .startsWith(let key, let part): "\(key) starts with \"\(part)\""
        case .endsWith(let key, let part): "\(key) ends with \"\(part)\""
        case .isIn(let key, let values): "\(key) in \(list(values))"
        case .notIn(let key, let values): "\(key) not in \(list(values))"
        case .not(let part): "!\(inner(part))"
        case .and(let parts): parts.map(inner).joined(separator: " && ")
        case .or(let parts): parts.map(inner).joined(separator: " || ")
        }
    }
}
