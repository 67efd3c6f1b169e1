// SPDX-License-Identifier: Apache-2.0

extension PolicySet {
    /// What the set asks for that no data path of this version can enforce: layer-7 programs, DNS names, and certificates. A set that
    /// asks for it is refused as a whole: half a policy is another policy.
    public func unenforceable() -> [PolicyError] {
        let ofSets = addressSets.flatMap { set in
            set.entries.compactMap { entry -> PolicyError? in
                guard case .name(let name) = entry.target else { return nil }
                return PolicyError(
                    set.place, "AddressSet \"\(set.name)\" names \"\(name)\", and DNS names are not enforced yet",
                    remedy: "write its addresses")
            }
        }
        let ofEntities = entities.values.sorted { $0.name < $1.name }.flatMap { entity in
            entity.terms.compactMap { Self.fault($0, entity.place, "Entity \"\(entity.name)\"") }
        }
        // By index, because a copy of each policy and each rule would cost more than what is asked of them.
        let ofPolicies = policies.indices.lazy.filter { policies[$0].asksForMore }.flatMap { Self.faults(of: policies[$0]) }
        return ofSets + ofEntities + Array(ofPolicies.prefix(PolicyError.most))
    }

    private static func faults(of policy: Policy) -> [PolicyError] {
        let who = "Policy \"\(policy.name)\""
        let ofSubject = fault(policy.subject, policy.place, who)
        return (ofSubject.map { [$0] } ?? [])
            + policy.rules.flatMap { rule -> [PolicyError] in
                let whose = "rule \"\(rule.label)\" of \(who)"
                let ofTerms = rule.terms.compactMap { fault($0, rule.place, whose) }
                guard rule.hasProgram else { return ofTerms }
                return ofTerms + [
                    PolicyError(
                        rule.place, "\(whose) asks for a layer-7 program, and none is enforced yet",
                        remedy: "name the service by protocol and port alone")
                ]
            }
    }

    private static func fault(_ term: Term, _ place: Place, _ who: String) -> PolicyError? {
        guard term.principal?.assurance == .certificate else { return nil }
        return PolicyError(
            place, "\(who) needs a principal proved by a certificate, and none is seen yet",
            remedy: "ask for the assurance inventory or bound")
    }
}

extension Policy {
    /// Whether anything in it may be more than a data path enforces: a reason to look closer.
    fileprivate var asksForMore: Bool {
        subject.principal != nil || rules.indices.contains { rules[$0].asksForMore }
    }
}

extension Rule {
    /// Whether anything in it may be more than a data path enforces: a reason to look closer.
    fileprivate var asksForMore: Bool {
        hasProgram || peers.indices.contains { peers[$0].principal != nil } || subject?.principal != nil
    }

    /// Whether one of its services needs a layer-7 program.
    fileprivate var hasProgram: Bool {
        (services?.services.contains { $0.program != nil } ?? false)
            || (notServices?.services.contains { $0.program != nil } ?? false)
    }
}
