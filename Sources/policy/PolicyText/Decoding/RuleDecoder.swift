// SPDX-License-Identifier: Apache-2.0
internal import Policy

/// Reads the rules of a `Policy`.
extension PolicyDecoder {
    /// A rule, the `number`th of a policy that enforces or audits, and tracks or not, where the rule does not say itself.
    func rule(_ value: YAMLValue, number: Int, mode: Policy.Mode, tracking: Policy.Tracking) throws(PolicyError) -> Rule {
        var faults = Faults()
        let fields = try value.mapping("a rule", Forms.rule, &faults)
        let action = faults.require("action", of: fields) { (value) throws(PolicyError) in
            try value.choice("action", of: Rule.Action.self)
        }
        let peers = self.peers(fields, value, &faults)
        var rule = Rule(
            number: number, action: action ?? .deny, direction: peers?.direction ?? .ingress, peers: peers?.terms ?? [],
            place: value.place)
        faults.read(fields["name"], into: &rule.name) { (value) throws(PolicyError) in try value.name("a rule's name") }
        faults.read(fields["subject"], into: &rule.subject) { (value) throws(PolicyError) in try subject(value, "subject") }
        readServices(fields, into: &rule, &faults)
        faults.read(fields["log"], into: &rule.logText, logText)
        faults.read(fields["mode"], into: &rule.mode) { (value) throws(PolicyError) in
            let own = try value.choice("mode", of: Policy.Mode.self)
            guard own == .audit || mode == .enforce else {
                throw value.error(
                    "a rule cannot enforce in a policy that only reports", remedy: "audit the other rules one by one")
            }
            return own
        }
        rule.tracking = tracking
        faults.read(fields["track"], into: &rule.tracking) { (value) throws(PolicyError) in
            try value.choice("track", of: Policy.Tracking.self)
        }
        faults.read(fields["expires"], into: &rule.expires) { (value) throws(PolicyError) in try value.unixSeconds("expires") }
        faults.read(fields["expectReplies"], into: &rule.expectsReplies) { (value) throws(PolicyError) in
            guard action ?? .allow == .allow, peers?.direction ?? .egress == .egress else {
                throw PolicyError(
                    fields.place(of: "expectReplies"), "only a rule that allows, with \"to\", can expect replies")
            }
            return try value.seconds("expectReplies")
        }
        try faults.check()
        return rule
    }

    private func readServices(_ fields: YAMLMapping, into rule: inout Rule, _ faults: inout Faults) {
        faults.read(fields["services"], into: &rule.services) { (value) throws(PolicyError) in
            try ServiceDecoder.list(value, "services")
        }
        faults.read(fields["notServices"], into: &rule.notServices) { (value) throws(PolicyError) in
            try ServiceDecoder.list(value, "notServices")
        }
        faults.read(fields["family"], into: &rule.family) { (value) throws(PolicyError) in
            try value.choice("family", of: Rule.Family.self)
        }
    }

    private func peers(
        _ fields: YAMLMapping, _ value: YAMLValue, _ faults: inout Faults
    ) -> (direction: Rule.Direction, terms: [Term])? {
        let remedy = "\"from\" judges connections to the subject, \"to\" those of the subject"
        switch (fields["from"], fields["to"]) {
        case (let from?, nil):
            return (.ingress, faults.keep { () throws(PolicyError) in try TermDecoder.terms(from, "from") } ?? [])
        case (nil, let to?):
            return (.egress, faults.keep { () throws(PolicyError) in try TermDecoder.terms(to, "to") } ?? [])
        case (nil, nil):
            if !fields.isMisspelt { faults.add(value.error("a rule needs \"from\" or \"to\"", remedy: remedy)) }
        default: faults.add(value.error("a rule cannot have both \"from\" and \"to\"", remedy: remedy))
        }
        return nil
    }

    private func logText(_ value: YAMLValue) throws(PolicyError) -> String {
        let text = try value.text("log")
        guard (1...Rule.logTextLimit).contains(text.utf8.count), !text.unicodeScalars.contains(where: { $0.value < 32 }) else {
            throw value.error("log must be a text of 1 to \(Rule.logTextLimit) bytes without control characters")
        }
        return text
    }
}
