// SPDX-License-Identifier: Apache-2.0
internal import Policy

/// Reads the terms of subjects, peers and entities.
enum TermDecoder {
    /// One term, or a list of terms of which any matches.
    static func terms(_ value: YAMLValue, _ what: String) throws(PolicyError) -> [Term] {
        guard case .list(let items) = value.content else { return [try term(value, what)] }
        var terms: [Term] = []
        for item in items { terms.append(try term(item, "an item of \(what)")) }
        return terms
    }

    static func term(_ value: YAMLValue, _ what: String) throws(PolicyError) -> Term {
        if case .mapping(let entries) = value.content,
            let bare = entries.first(where: { Forms.labelSelector.names.contains($0.key) })
        {
            throw PolicyError(bare.place, "\(what) has no key \"\(bare.key)\"", remedy: "put it under \"selector\"")
        }
        let fields = try value.mapping(what, Forms.term)
        func selector(_ key: String, ofNamespaces: Bool = false) throws(PolicyError) -> Selector? {
            guard let value = fields[key] else { return nil }
            return try SelectorDecoder.selector(value, key, mayBeGlobal: ofNamespaces)
        }
        var term = Term()
        term.selector = try selector("selector")
        term.notSelector = try selector("notSelector")
        term.namespaceSelector = try selector("namespaceSelector", ofNamespaces: true)
        term.notNamespaceSelector = try selector("notNamespaceSelector", ofNamespaces: true)
        term.serviceAccounts = try fields["serviceAccounts"]?.names("serviceAccounts")
        term.serviceAccountSelector = try selector("serviceAccountSelector")
        if let value = fields["principal"] { term.principal = try principal(value) }
        term.cidrs = try fields["cidrs"]?.prefixes("cidrs")
        term.notCIDRs = try fields["notCidrs"]?.prefixes("notCidrs")
        term.zones = try fields["zones"]?.names("zones")
        term.entities = try fields["entities"]?.names("entities").map { Term.Entity(builtIn: $0) ?? .named($0, []) }
        return term
    }

    private static func principal(_ value: YAMLValue) throws(PolicyError) -> Principal {
        let fields = try value.mapping("principal", Forms.principal)
        var principal = Principal()
        if let value = fields["names"] { principal.names = try patterns(value, "names") }
        if let value = fields["notNames"] { principal.notNames = try patterns(value, "notNames") }
        guard principal.names != nil || principal.notNames != nil else {
            throw value.error("a principal needs \"names\" or \"notNames\"")
        }
        if let value = fields["assurance"] {
            principal.assurance = try value.choice("assurance", of: Principal.Assurance.self)
        }
        return principal
    }

    /// Patterns that can be judged without a layer-7 program.
    private static func patterns(_ value: YAMLValue, _ what: String) throws(PolicyError) -> [TextPattern] {
        var patterns: [TextPattern] = []
        for item in try value.list(what) {
            let pattern = try PatternDecoder.pattern(item, "an item of \(what)")
            guard pattern.matches("") != nil else {
                throw item.error(
                    "a principal is no path and no regular expression", remedy: "use a text, prefix, suffix or present")
            }
            patterns.append(pattern)
        }
        return patterns
    }
}

/// Reads what texts must look like.
enum PatternDecoder {
    static func pattern(_ value: YAMLValue, _ what: String) throws(PolicyError) -> TextPattern {
        guard case .mapping = value.content else { return .exact(try value.text(what)) }
        let fields = try value.mapping(what, Forms.pattern)
        guard fields.entries.count == 1, let only = fields.entries.first else {
            throw value.error("\(what) must have one key of \(Forms.pattern.names.joined(separator: ", "))")
        }
        if only.key == "present" {
            guard try only.value.truth("present") else {
                throw only.value.error("present can only be true", remedy: "leave it out, or negate the list that it stands in")
            }
            return .present
        }
        let text = try only.value.text(only.key)
        guard !text.isEmpty else { throw only.value.error("\(only.key) is empty") }
        switch only.key {
        case "prefix": return .prefix(text)
        case "suffix": return .suffix(text)
        case "regex": return .expression(text)
        default: return .template(text)
        }
    }

    static func patterns(_ value: YAMLValue?, _ what: String) throws(PolicyError) -> [TextPattern]? {
        guard let value else { return nil }
        var patterns: [TextPattern] = []
        for item in try value.list(what) { patterns.append(try pattern(item, "an item of \(what)")) }
        return patterns
    }
}
