// SPDX-License-Identifier: Apache-2.0
internal import Policy
internal import PolicyText

/// The fields of a NetworkPolicy's spec (networking/v1). Readers ask them for the names that they know; a reading that may lose what it
/// does not know goes through them first: a field of a later version of the API goes, with a line of its own, before the spec is read as
/// strictly as ever. What a field that goes would have narrowed is wider then, which is why nobody gets this without asking for it.
indirect enum NetworkPolicyFields: Sendable {
    /// Whatever stands there is read elsewhere.
    case any
    /// A mapping, in words and with its fields.
    case mapping(String, [(name: String, value: NetworkPolicyFields)])
    /// A list of such items.
    case list(NetworkPolicyFields)

    /// The whole spec.
    static let spec = mapping(
        "the spec of a NetworkPolicy",
        [("podSelector", selector), ("ingress", list(rule("from"))), ("egress", list(rule("to"))), ("policyTypes", any)])
    /// A peer of a rule.
    static let peer = mapping("a peer", [("podSelector", selector), ("namespaceSelector", selector), ("ipBlock", block)])
    /// A block of addresses.
    static let block = mapping("an ipBlock", [("cidr", any), ("except", any)])
    /// A port of a rule.
    static let port = mapping("a port", [("protocol", any), ("port", any), ("endPort", any)])
    /// A selector of labels.
    static let selector = mapping("a selector", [("matchLabels", any), ("matchExpressions", list(expression))])
    /// An expression of a selector.
    static let expression = mapping("a match expression", [("key", any), ("operator", any), ("values", any)])

    /// A rule, whose peers stand under this key.
    static func rule(_ peers: String) -> NetworkPolicyFields {
        mapping("a rule", [(peers, list(peer)), ("ports", list(port))])
    }

    /// The names of a mapping's fields.
    var names: [String] {
        if case .mapping(_, let fields) = self { fields.map(\.name) } else { [] }
    }

    /// A value without the fields that are not known, each of which the ledger loses. A value of another kind stays as it is: whoever
    /// reads it refuses it.
    func keeping(_ value: YAMLValue, _ ledger: inout Ledger) throws(PolicyError) -> YAMLValue {
        switch (self, value.content) {
        case (.mapping(let what, let fields), .mapping(let entries)):
            var kept: [(key: String, place: Place, value: YAMLValue)] = []
            for entry in entries {
                if let field = fields.first(where: { $0.name == entry.key }) {
                    kept.append((entry.key, entry.place, try field.value.keeping(entry.value, &ledger)))
                } else {
                    try ledger.lose(entry.place, "\(what) has no key \"\(entry.key)\"", remedy: "take it out")
                }
            }
            return YAMLValue(place: value.place, content: .mapping(kept))
        case (.list(let item), .list(let values)):
            var kept: [YAMLValue] = []
            for value in values { kept.append(try item.keeping(value, &ledger)) }
            return YAMLValue(place: value.place, content: .list(kept))
        default: return value
        }
    }
}
