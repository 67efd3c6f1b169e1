// SPDX-License-Identifier: Apache-2.0
internal import Policy
internal import PolicyText

/// Reads a `LabelSelector` (meta/v1): `matchLabels` and `matchExpressions`, all of which must hold; an empty one selects everything.
enum LabelSelectorReader {
    private enum Operator: String, CaseIterable {
        case isIn = "In"
        case notIn = "NotIn"
        case exists = "Exists"
        case doesNotExist = "DoesNotExist"
    }

    static func selector(_ value: YAMLValue, _ what: String) throws(PolicyError) -> Selector {
        let fields = try value.mapping(what, keys: NetworkPolicyFields.selector.names)
        var parts: [Selector.Expression] = []
        if let labels = fields.given("matchLabels") {
            let labels = try KubernetesNames.labels(labels, "matchLabels")
            parts += labels.sorted { $0.key < $1.key }.map { .equals($0.key, $0.value) }
        }
        for item in try fields.given("matchExpressions")?.list("matchExpressions") ?? [] { parts.append(try requirement(item)) }
        let expression: Selector.Expression = parts.isEmpty ? .all : parts.count == 1 ? parts[0] : .and(parts)
        return Selector(expression)
    }

    private static func requirement(_ value: YAMLValue) throws(PolicyError) -> Selector.Expression {
        let fields = try value.mapping("a match expression", keys: NetworkPolicyFields.expression.names)
        let keyValue = try fields.required("key")
        let key = try keyValue.text("key")
        try KubernetesNames.checkKey(key, keyValue.place)
        let sign = try fields.required("operator").choice("operator", of: Operator.self)
        var values: [String] = []
        for item in try fields.given("values")?.list("values") ?? [] {
            let text = try item.text("an item of values")
            if sign == .isIn || sign == .notIn { try KubernetesNames.checkValue(text, item.place) }
            values.append(text)
        }
        switch sign {
        case .isIn, .notIn:
            guard !values.isEmpty else { throw value.error("the operator \(sign.rawValue) needs values") }
            return sign == .isIn ? .isIn(key, values) : .notIn(key, values)
        case .exists, .doesNotExist:
            guard values.isEmpty else { throw value.error("the operator \(sign.rawValue) takes no values") }
            return sign == .exists ? .has(key) : .not(.has(key))
        }
    }
}
