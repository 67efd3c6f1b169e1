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
        return Selector(expression)
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
