// SPDX-License-Identifier: Apache-2.0
internal import Policy

/// Reads the terms of subjects and peers.
enum TermDecoder {
    static let keys = [
        "selector", "notSelector", "namespaceSelector", "serviceAccounts", "cidrs", "notCidrs", "zones", "entities",
    ]
    /// What the language will know and this form refuses.
    static let later = ["principal", "matchLabels", "matchExpressions"]

    /// One term, or a list of terms of which any matches.
    static func terms(_ value: YAMLValue, _ what: String) throws(PolicyError) -> [Term] {
        guard case .list(let items) = value.content else { return [try term(value, what)] }
        var terms: [Term] = []
        for item in items { terms.append(try term(item, "an item of \(what)")) }
        return terms
    }

    static func term(_ value: YAMLValue, _ what: String) throws(PolicyError) -> Term {
        let fields = try value.mapping(what, keys: keys + later)
        if fields["principal"] != nil {
            throw PolicyError(fields.place(of: "principal"), "\"principal\" is not enforced yet", remedy: "use serviceAccounts")
        }
        for key in ["matchLabels", "matchExpressions"] where fields[key] != nil {
            throw PolicyError(fields.place(of: key), "\(what) has no key \"\(key)\"", remedy: "put it under \"selector\"")
        }
        var term = Term()
        if let value = fields["selector"] { term.selector = try SelectorDecoder.selector(value, "selector") }
        if let value = fields["notSelector"] { term.notSelector = try SelectorDecoder.selector(value, "notSelector") }
        if let value = fields["namespaceSelector"] {
            term.namespaceSelector = try SelectorDecoder.selector(value, "namespaceSelector", mayBeGlobal: true)
        }
        if let value = fields["serviceAccounts"] { term.serviceAccounts = try value.texts("serviceAccounts") }
        if let value = fields["cidrs"] { term.cidrs = try value.prefixes("cidrs") }
        if let value = fields["notCidrs"] { term.notCIDRs = try value.prefixes("notCidrs") }
        if let value = fields["zones"] { term.zones = try value.texts("zones") }
        if let value = fields["entities"] { term.entities = try entities(value) }
        return term
    }

    private static func entities(_ value: YAMLValue) throws(PolicyError) -> [Term.Entity] {
        let builtIn = ["host", "multicast", "broadcast", "link-local"]
        var entities: [Term.Entity] = []
        for item in try value.list("entities") {
            let text = try item.text("an entity")
            if builtIn.contains(text) {
                throw item.error("the entity \"\(text)\" is not enforced yet", remedy: "use any, outside or known")
            } else if let entity = Term.Entity(builtIn: text) {
                entities.append(entity)
            } else {
                let known = Term.Entity.builtIn.map(\.name)
                throw item.error("there is no entity \"\(text)\"", remedy: Spelling.remedy(text, among: known))
            }
        }
        return entities
    }
}
