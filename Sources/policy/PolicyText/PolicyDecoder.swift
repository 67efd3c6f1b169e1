// SPDX-License-Identifier: Apache-2.0
internal import Policy

/// Reads a `Policy` document.
struct PolicyDecoder {
    static let keys = [
        "tier", "order", "subject", "isolates", "rules", "mode", "expires", "change", "owner", "ticket", "reason",
    ]

    let root: YAMLMapping
    let metadata: Metadata

    func policy() throws(PolicyError) -> Policy {
        let spec = try DocumentDecoder.spec(root, "Policy", keys: Self.keys, later: ["track"])
        var policy = Policy(name: ObjectName(metadata.name, namespace: metadata.namespace), place: root.place)
        if let tier = spec["tier"] {
            policy.tier = try tier.text("tier")
            guard policy.tier == Policy.defaultTier else {
                throw tier.error("there is no tier \"\(policy.tier)\"", remedy: "the only tier yet is \(Policy.defaultTier)")
            }
        }
        if let order = spec["order"] { policy.order = try order.number("order") }
        if let subject = spec["subject"] { policy.subject = try self.subject(subject) }
        if let value = spec["isolates"] {
            let isolates = try value.mapping("isolates", keys: ["ingress", "egress"])
            if let value = isolates["ingress"] { policy.ingress = try isolation(value, "isolates.ingress") }
            if let value = isolates["egress"] { policy.egress = try isolation(value, "isolates.egress") }
        }
        if let mode = spec["mode"] { policy.mode = try mode.choice("mode", of: Policy.Mode.self) }
        if let expires = spec["expires"] { policy.expires = try expires.unixSeconds("expires") }
        if let change = spec["change"] { policy.change = try self.change(change) }
        // Who answers for the policy: read so that a slip is found, and shown with the document.
        for key in ["owner", "ticket", "reason"] { _ = try spec[key]?.text(key) }
        for (index, item) in try (spec["rules"]?.list("rules") ?? []).enumerated() {
            policy.rules.append(try rule(item, number: index + 1))
        }
        try refuseSameNames(policy)
        return policy
    }

    private func subject(_ value: YAMLValue) throws(PolicyError) -> Term {
        let term = try TermDecoder.term(value, "subject")
        if term.namespaceSelector != nil, let namespace = metadata.namespace {
            throw value.error(
                "a policy in the namespace \"\(namespace)\" speaks for workloads of that namespace only",
                remedy: "leave namespaceSelector out, or make the policy global")
        }
        return term
    }

    private func isolation(_ value: YAMLValue, _ what: String) throws(PolicyError) -> Policy.Isolation {
        if case .list = value.content {
            let list = try ServiceDecoder.list(value, what)
            guard list.names.isEmpty else {
                throw value.error("\(what) may name no service \"\(list.names[0])\"", remedy: "write it as protocol and port")
            }
            return .services(list)
        }
        switch try value.text(what) {
        case "none": return .none
        case "all": return .all
        case let text: throw value.error("\(what) must be none, all or a list of services, not \"\(text)\"")
        }
    }

    private func change(_ value: YAMLValue) throws(PolicyError) -> Policy.Change {
        if case .mapping = value.content {
            let drain = try value.mapping("change", keys: ["drain"]).required("drain")
            return .drain(seconds: try drain.seconds("drain"))
        }
        switch try value.text("change") {
        case "reevaluate": return .reevaluate
        case "keep": return .keep
        case "reset": return .reset
        case let text:
            throw value.error(
                "change must be reevaluate, keep, reset or {drain: 30s}, not \"\(text)\"",
                remedy: Spelling.remedy(text, among: ["reevaluate", "keep", "reset"]))
        }
    }

    private func rule(_ value: YAMLValue, number: Int) throws(PolicyError) -> Rule {
        let later = ["family", "log"]
        let fields = try value.mapping(
            "a rule", keys: ["name", "action", "from", "to", "services", "notServices", "mode", "expires"] + later)
        for key in later where fields[key] != nil {
            throw PolicyError(fields.place(of: key), "\"\(key)\" of a rule is not enforced yet", remedy: "remove it")
        }
        let action = try action(try fields.required("action"))
        let (from, to) = (fields["from"], fields["to"])
        guard (from == nil) != (to == nil) else {
            throw value.error(
                from == nil ? "a rule needs \"from\" or \"to\"" : "a rule cannot have both \"from\" and \"to\"",
                remedy: "\"from\" judges connections to the subject, \"to\" those of the subject")
        }
        var peers: [Term] = []
        if let from { peers = try TermDecoder.terms(from, "from") }
        if let to { peers = try TermDecoder.terms(to, "to") }
        var rule = Rule(
            number: number, action: action, direction: from == nil ? .egress : .ingress, peers: peers, place: value.place)
        if let name = fields["name"] { rule.name = try DocumentDecoder.name(name, "a rule's name") }
        if let services = fields["services"] { rule.services = try ServiceDecoder.list(services, "services") }
        if let services = fields["notServices"] { rule.notServices = try ServiceDecoder.list(services, "notServices") }
        if let mode = fields["mode"] { rule.mode = try mode.choice("mode", of: Policy.Mode.self) }
        if let expires = fields["expires"] { rule.expires = try expires.unixSeconds("expires") }
        return rule
    }

    private func action(_ value: YAMLValue) throws(PolicyError) -> Rule.Action {
        if case .text("log") = value.content {
            throw value.error("the action log is not enforced yet", remedy: "use mode: audit, or remove the rule")
        }
        return try value.choice("action", of: Rule.Action.self)
    }

    /// Causes name rules, so that a name must mean one rule of its policy; a number may not stand for another one's place.
    private func refuseSameNames(_ policy: Policy) throws(PolicyError) {
        var seen: [String: Rule] = [:]
        for rule in policy.rules {
            if let earlier = seen[rule.label] {
                throw PolicyError(
                    rule.place,
                    "two rules of Policy \"\(policy.name)\" are called \"\(rule.label)\"; the first one is at "
                        + "\(earlier.place)", remedy: "rename one of them")
            }
            seen[rule.label] = rule
        }
    }
}
