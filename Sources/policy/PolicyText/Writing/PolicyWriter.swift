// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

extension Policy {
    /// The policy's spec.
    var spec: MappingWriter {
        var spec = MappingWriter()
        if tier != Policy.defaultTier { spec.put("tier", tier) }
        spec.put("order", order)
        spec.put("subject", nested: subject.fields)
        var isolates = MappingWriter()
        isolates.put("ingress", ingress.value)
        isolates.put("egress", egress.value)
        spec.put("isolates", nested: isolates)
        if mode != .enforce { spec.put("mode", mode.rawValue) }
        spec.put("expires", expires.map { Timestamp.text(unixSeconds: $0) })
        switch change {
        case .reevaluate: break
        case .keep: spec.put("change", "keep")
        case .reset: spec.put("change", "reset")
        case .drain(let seconds): spec.put("change", .mapping { $0.put("drain", "\(seconds)s") })
        }
        spec.put("owner", responsibility.owner)
        spec.put("ticket", responsibility.ticket)
        spec.put("reason", responsibility.reason)
        if !rules.isEmpty { spec.put("rules", .list(rules.map(\.value))) }
        return spec
    }
}

extension Policy.Isolation {
    /// `nil` for none, which is what an absent key means.
    fileprivate var value: YAMLValue? {
        switch self {
        case .none: nil
        case .all: .text("all")
        case .services(let list): .list(list.services.map(\.value))
        }
    }
}

extension Rule {
    fileprivate var value: YAMLValue {
        .mapping { rule in
            rule.put("name", name)
            rule.put("action", action.rawValue)
            rule.put("subject", subject?.value)
            rule.put(direction == .ingress ? "from" : "to", peers.count == 1 ? peers[0].value : .list(peers.map(\.value)))
            rule.put("services", services.map { .list($0.services.map(\.value)) })
            rule.put("notServices", notServices.map { .list($0.services.map(\.value)) })
            rule.put("family", family?.rawValue)
            rule.put("log", logText)
            if mode != .enforce { rule.put("mode", mode.rawValue) }
            if tracking != .flow { rule.put("track", tracking.rawValue) }
            rule.put("expires", expires.map { Timestamp.text(unixSeconds: $0) })
            rule.put("expectReplies", expectsReplies.map { "\($0)s" })
        }
    }
}

extension Term {
    /// The term; one without fields is `{}`.
    var value: YAMLValue { fields.value }

    fileprivate var fields: MappingWriter {
        var term = MappingWriter()
        term.put("selector", selector?.value)
        term.put("notSelector", notSelector?.value)
        term.put("namespaceSelector", namespaceSelector?.value)
        term.put("notNamespaceSelector", notNamespaceSelector?.value)
        term.put("serviceAccounts", serviceAccounts)
        term.put("serviceAccountSelector", serviceAccountSelector?.value)
        term.put("principal", principal?.value)
        term.put("cidrs", cidrs?.map(\.written))
        term.put("notCidrs", notCIDRs?.map(\.written))
        term.put("zones", zones)
        term.put("entities", entities?.map(\.name))
        return term
    }
}

extension Principal {
    fileprivate var value: YAMLValue {
        .mapping { principal in
            principal.put("names", names.map(\.value))
            principal.put("notNames", notNames.map(\.value))
            if assurance != .inventory { principal.put("assurance", assurance.rawValue) }
        }
    }
}

extension Selector {
    /// An expression where one can be written that reads back as this one, else the Kubernetes form, which can hold any text.
    fileprivate var value: YAMLValue {
        let text = expression.text
        if let read = try? SelectorParser.parse(text), read.expression == expression { return .text(text) }
        let parts: [Expression] = if case .and(let parts) = expression { parts } else { [expression] }
        var labels: [String: String] = [:]
        let items: [YAMLValue] = parts.compactMap { part in
            switch part {
            case .equals(let key, let value):
                labels[key] = value
                return nil
            case .isIn(let key, let values): return Self.requirement(key, "In", values)
            case .notEquals(let key, let value): return Self.requirement(key, "NotIn", [value])
            case .notIn(let key, let values): return Self.requirement(key, "NotIn", values)
            case .has(let key): return Self.requirement(key, "Exists", nil)
            case .not(.has(let key)): return Self.requirement(key, "DoesNotExist", nil)
            default: return nil
            }
        }
        return .mapping { selector in
            selector.put("matchLabels", labels)
            if !items.isEmpty { selector.put("matchExpressions", .list(items)) }
        }
    }

    private static func requirement(_ key: String, _ sign: String, _ values: [String]?) -> YAMLValue {
        .mapping { item in
            item.put("key", key)
            item.put("operator", sign)
            item.put("values", values)
        }
    }
}
