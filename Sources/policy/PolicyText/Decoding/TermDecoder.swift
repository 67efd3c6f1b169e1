// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

/// Reads the terms of subjects, peers and entities.
enum TermDecoder {
    /// One term, or a list of terms of which any matches.
    static func terms(_ value: YAMLValue, _ what: String) throws(PolicyError) -> [Term] {
        guard case .list = value.content else { return [try term(value, what)] }
        return try value.items(what) { (item) throws(PolicyError) in try term(item, "an item of \(what)") }
    }

    static func term(_ value: YAMLValue, _ what: String) throws(PolicyError) -> Term {
        var faults = Faults()
        let fields = try mapping(value, what, &faults)
        func selector(_ key: String, ofNamespaces: Bool = false) -> Selector? {
            faults.read(fields[key]) { (value) throws(PolicyError) in
                try SelectorDecoder.selector(value, key, mayBeGlobal: ofNamespaces)
            }
        }
        func blocks(_ key: String) -> [Prefix]? {
            faults.read(fields[key]) { (value) throws(PolicyError) in try value.prefixes(key) }
        }
        func names(_ key: String) -> [String]? {
            faults.read(fields[key]) { (value) throws(PolicyError) in try value.names(key) }
        }
        var term = Term()
        term.selector = selector("selector")
        term.notSelector = selector("notSelector")
        term.namespaceSelector = selector("namespaceSelector", ofNamespaces: true)
        term.notNamespaceSelector = selector("notNamespaceSelector", ofNamespaces: true)
        term.serviceAccounts = names("serviceAccounts")
        term.serviceAccountSelector = selector("serviceAccountSelector")
        term.principal = faults.read(fields["principal"], principal)
        term.cidrs = blocks("cidrs")
        term.notCIDRs = blocks("notCidrs")
        term.zones = names("zones")
        term.entities = names("entities")?.map { Term.Entity(builtIn: $0) ?? .named($0, []) }
        try faults.check()
        return term
    }

    /// The term's mapping. A selector's keys that stand in it by themselves are put right, and not asked whether they are misspelt.
    private static func mapping(_ value: YAMLValue, _ what: String, _ faults: inout Faults) throws(PolicyError) -> YAMLMapping {
        guard case .mapping(let entries) = value.content else { return try value.mapping(what, Forms.term, &faults) }
        let bare = entries.filter { Forms.labelSelector.names.contains($0.key) }
        for entry in bare {
            faults.add(
                PolicyError(entry.place, "\(what) has no key \"\(entry.key)\"", remedy: "put it under \"selector\""))
        }
        let rest = entries.filter { !Forms.labelSelector.names.contains($0.key) }
        return try YAMLValue(place: value.place, content: .mapping(rest)).mapping(what, Forms.term, &faults)
    }

    private static func principal(_ value: YAMLValue) throws(PolicyError) -> Principal {
        var faults = Faults()
        let fields = try value.mapping("principal", Forms.principal, &faults)
        var principal = Principal()
        func patterns(_ key: String) -> [TextPattern]? {
            faults.read(fields[key]) { (value) throws(PolicyError) in try self.patterns(value, key) }
        }
        principal.names = patterns("names")
        principal.notNames = patterns("notNames")
        if fields["names"] == nil, fields["notNames"] == nil, !fields.isMisspelt {
            faults.add(value.error("a principal needs \"names\" or \"notNames\""))
        }
        faults.read(fields["assurance"], into: &principal.assurance) { (value) throws(PolicyError) in
            try value.choice("assurance", of: Principal.Assurance.self)
        }
        try faults.check()
        return principal
    }

    /// Patterns that can be judged without a layer-7 program.
    private static func patterns(_ value: YAMLValue, _ what: String) throws(PolicyError) -> [TextPattern] {
        try value.items(what) { (item) throws(PolicyError) in
            let pattern = try PatternDecoder.pattern(item, "an item of \(what)")
            guard pattern.matches("") != nil else {
                throw item.error(
                    "a principal is no path and no regular expression", remedy: "use a text, prefix, suffix or present")
            }
            return pattern
        }
    }
}

/// Reads what texts must look like.
enum PatternDecoder {
    static func pattern(_ value: YAMLValue, _ what: String) throws(PolicyError) -> TextPattern {
        guard case .mapping = value.content else { return .exact(try value.text(what)) }
        let fields = try value.mapping(what, keys: Forms.pattern.names)
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
        try value?.items(what) { (item) throws(PolicyError) in try pattern(item, "an item of \(what)") }
    }
}
