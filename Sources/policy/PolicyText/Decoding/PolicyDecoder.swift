// SPDX-License-Identifier: Apache-2.0
internal import Policy

/// Reads the spec of a `Policy`.
struct PolicyDecoder {
    let spec: YAMLMapping
    let metadata: Metadata
    let place: Place

    func policy() throws(PolicyError) -> Policy {
        var faults = Faults()
        var policy = Policy(name: metadata.name, place: place)
        faults.read(spec["tier"], into: &policy.tier) { (value) throws(PolicyError) in try value.name("tier") }
        faults.read(spec["order"], into: &policy.order) { (value) throws(PolicyError) in try value.number("order") }
        faults.read(spec["subject"], into: &policy.subject) { (value) throws(PolicyError) in try subject(value, "subject") }
        if let (ingress, egress) = faults.read(spec["isolates"], isolation) {
            (policy.ingress, policy.egress) = (ingress, egress)
        }
        faults.read(spec["mode"], into: &policy.mode) { (value) throws(PolicyError) in
            try value.choice("mode", of: Policy.Mode.self)
        }
        faults.read(spec["expires"], into: &policy.expires) { (value) throws(PolicyError) in try value.unixSeconds("expires") }
        faults.read(spec["change"], into: &policy.change, change)
        func text(_ key: String) -> String? {
            faults.read(spec[key]) { (value) throws(PolicyError) in try value.text(key) }
        }
        policy.responsibility = Policy.Responsibility(owner: text("owner"), ticket: text("ticket"), reason: text("reason"))
        let tracking = faults.read(spec["track"]) { (value) throws(PolicyError) in
            try value.choice("track", of: Policy.Tracking.self)
        }
        let rules = faults.read(spec["rules"]) { (value) throws(PolicyError) in try value.list("rules") } ?? []
        for (index, item) in rules.enumerated() {
            let read = faults.read(item) { (item) throws(PolicyError) in
                try rule(item, number: index + 1, mode: policy.mode, tracking: tracking ?? .flow)
            }
            if let read { policy.rules.append(read) }
        }
        refuseSameNames(policy, &faults)
        try faults.check()
        return policy
    }

    /// Whom a policy or a rule speaks for.
    func subject(_ value: YAMLValue, _ what: String) throws(PolicyError) -> Term {
        let term = try TermDecoder.term(value, what)
        if term.namespaceSelector != nil, let namespace = metadata.name.namespace {
            throw value.error(
                "a policy in the namespace \"\(namespace)\" speaks for workloads of that namespace only",
                remedy: "leave namespaceSelector out, or make the policy global")
        }
        if let entities = term.entities, !entities.isEmpty,
            entities.allSatisfy({ [.outside, .multicast, .broadcast].contains($0) })
        {
            throw value.error(
                "\(what) is no workload: \(entities.map(\.name).joined(separator: ", ")) has no side that could be judged",
                remedy: "name it as the peer of a rule")
        }
        return term
    }

    private func isolation(
        _ value: YAMLValue
    ) throws(PolicyError) -> (ingress: Policy.Isolation, egress: Policy.Isolation) {
        var faults = Faults()
        let fields = try value.mapping("isolates", Forms.isolates, &faults)
        var found = (ingress: Policy.Isolation.none, egress: Policy.Isolation.none)
        faults.read(fields["ingress"], into: &found.ingress) { (value) throws(PolicyError) in
            try isolation(value, "isolates.ingress")
        }
        faults.read(fields["egress"], into: &found.egress) { (value) throws(PolicyError) in
            try isolation(value, "isolates.egress")
        }
        try faults.check()
        return found
    }

    private func isolation(_ value: YAMLValue, _ what: String) throws(PolicyError) -> Policy.Isolation {
        if case .list(let items) = value.content {
            let list = try ServiceDecoder.list(value, what)
            var faults = Faults()
            for (service, item) in zip(list.services, items) {
                if case .named(let name, _) = service.destination {
                    faults.add(item.error("\(what) may name no service \"\(name)\"", remedy: "write it as protocol and port"))
                } else if service.sourcePorts != nil || service.program != nil {
                    faults.add(item.error("\(what) is a list of protocols and ports alone"))
                }
            }
            try faults.check()
            return list.services.isEmpty ? .none : .services(list)
        }
        switch try value.text(what) {
        case "none": return .none
        case "all": return .all
        case let text:
            throw value.error(
                "\(what) must be none, all or a list of services, not \"\(text)\"",
                remedy: Spelling.remedy(text, among: ["none", "all"]))
        }
    }

    private func change(_ value: YAMLValue) throws(PolicyError) -> Policy.Change {
        if case .mapping = value.content {
            var faults = Faults()
            let fields = try value.mapping("change", Forms.drain, &faults)
            let seconds = faults.require("drain", of: fields) { (value) throws(PolicyError) in
                try value.seconds("drain", most: Policy.longestDrain)
            }
            try faults.check()
            return .drain(seconds: seconds ?? 0)
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

    /// Causes name rules, so that a name must mean one rule of its policy; a number may not stand for another one's place.
    private func refuseSameNames(_ policy: Policy, _ faults: inout Faults) {
        var seen: [String: Rule] = [:]
        for rule in policy.rules {
            if let earlier = seen[rule.label] {
                faults.add(
                    PolicyError(
                        rule.place,
                        "two rules of Policy \"\(policy.name)\" are called \"\(rule.label)\"; the first one is at "
                            + "\(earlier.place)", remedy: "rename one of them"))
            }
            seen[rule.label] = seen[rule.label] ?? rule
        }
    }
}
