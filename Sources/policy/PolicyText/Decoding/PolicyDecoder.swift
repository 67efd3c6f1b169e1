// SPDX-License-Identifier: Apache-2.0
internal import Policy

/// Reads the spec of a `Policy`.
struct PolicyDecoder {
    let spec: YAMLMapping
    let metadata: Metadata
    let place: Place

    func policy() throws(PolicyError) -> Policy {
        var policy = Policy(name: metadata.name, place: place)
        if let tier = spec["tier"] { policy.tier = try tier.name("tier") }
        if let order = spec["order"] { policy.order = try order.number("order") }
        if let subject = spec["subject"] { policy.subject = try self.subject(subject, "subject") }
        if let value = spec["isolates"] {
            let isolates = try value.mapping("isolates", Forms.isolates)
            if let value = isolates["ingress"] { policy.ingress = try isolation(value, "isolates.ingress") }
            if let value = isolates["egress"] { policy.egress = try isolation(value, "isolates.egress") }
        }
        if let mode = spec["mode"] { policy.mode = try mode.choice("mode", of: Policy.Mode.self) }
        if let expires = spec["expires"] { policy.expires = try expires.unixSeconds("expires") }
        if let change = spec["change"] { policy.change = try self.change(change) }
        policy.responsibility = Policy.Responsibility(
            owner: try spec["owner"]?.text("owner"), ticket: try spec["ticket"]?.text("ticket"),
            reason: try spec["reason"]?.text("reason"))
        let tracking = try spec["track"]?.choice("track", of: Policy.Tracking.self) ?? .flow
        for (index, item) in try (spec["rules"]?.list("rules") ?? []).enumerated() {
            policy.rules.append(try rule(item, number: index + 1, mode: policy.mode, tracking: tracking))
        }
        try refuseSameNames(policy)
        return policy
    }

    private func subject(_ value: YAMLValue, _ what: String) throws(PolicyError) -> Term {
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

    private func isolation(_ value: YAMLValue, _ what: String) throws(PolicyError) -> Policy.Isolation {
        if case .list(let items) = value.content {
            let list = try ServiceDecoder.list(value, what)
            for (service, item) in zip(list.services, items) {
                if case .named(let name, _) = service.destination {
                    throw item.error("\(what) may name no service \"\(name)\"", remedy: "write it as protocol and port")
                }
                guard service.sourcePorts == nil, service.program == nil else {
                    throw item.error("\(what) is a list of protocols and ports alone")
                }
            }
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
            let drain = try value.mapping("change", Forms.drain).required("drain")
            let seconds = try drain.seconds("drain")
            guard seconds <= Policy.longestDrain else {
                throw drain.error(
                    "drain is \(seconds) seconds long, \(Policy.longestDrain) is the limit",
                    remedy: "write 18h or less, or keep for connections that go on until they end")
            }
            return .drain(seconds: seconds)
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

    private func rule(
        _ value: YAMLValue, number: Int, mode: Policy.Mode, tracking: Policy.Tracking
    ) throws(PolicyError) -> Rule {
        let fields = try value.mapping("a rule", Forms.rule)
        let action = try fields.required("action").choice("action", of: Rule.Action.self)
        let (direction, peers) = try peers(fields, value)
        var rule = Rule(number: number, action: action, direction: direction, peers: peers, place: value.place)
        if let name = fields["name"] { rule.name = try name.name("a rule's name") }
        if let subject = fields["subject"] { rule.subject = try self.subject(subject, "subject") }
        if let services = fields["services"] { rule.services = try ServiceDecoder.list(services, "services") }
        if let services = fields["notServices"] { rule.notServices = try ServiceDecoder.list(services, "notServices") }
        if let family = fields["family"] { rule.family = try family.choice("family", of: Rule.Family.self) }
        if let log = fields["log"] { rule.logText = try logText(log) }
        if let own = fields["mode"] {
            rule.mode = try own.choice("mode", of: Policy.Mode.self)
            guard rule.mode == .audit || mode == .enforce else {
                throw own.error("a rule cannot enforce in a policy that only reports", remedy: "audit the other rules one by one")
            }
        }
        rule.tracking = try fields["track"]?.choice("track", of: Policy.Tracking.self) ?? tracking
        if let expires = fields["expires"] { rule.expires = try expires.unixSeconds("expires") }
        if let replies = fields["expectReplies"] {
            guard action == .allow, direction == .egress else {
                throw PolicyError(
                    fields.place(of: "expectReplies"), "only a rule that allows, with \"to\", can expect replies")
            }
            rule.expectsReplies = try replies.seconds("expectReplies")
        }
        return rule
    }

    private func peers(
        _ fields: YAMLMapping, _ value: YAMLValue
    ) throws(PolicyError) -> (Rule.Direction, [Term]) {
        switch (fields["from"], fields["to"]) {
        case (let from?, nil): return (.ingress, try TermDecoder.terms(from, "from"))
        case (nil, let to?): return (.egress, try TermDecoder.terms(to, "to"))
        case (let from, _):
            throw value.error(
                from == nil ? "a rule needs \"from\" or \"to\"" : "a rule cannot have both \"from\" and \"to\"",
                remedy: "\"from\" judges connections to the subject, \"to\" those of the subject")
        }
    }

    private func logText(_ value: YAMLValue) throws(PolicyError) -> String {
        let text = try value.text("log")
        guard (1...Rule.logTextLimit).contains(text.utf8.count), !text.unicodeScalars.contains(where: { $0.value < 32 }) else {
            throw value.error("log must be a text of 1 to \(Rule.logTextLimit) bytes without control characters")
        }
        return text
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
