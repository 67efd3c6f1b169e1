// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

extension Lint {
    /// What names nothing.
    func emptiness(_ bench: inout LintBench) -> [LintFinding] {
        var found: [LintFinding] = []
        func look(_ term: Term, _ scope: String?, _ place: Place, _ what: String) {
            guard term.selectsByLabel, bench.index.cells(term, scope: scope, &bench.budget)?.isEmpty ?? false else { return }
            found.append(
                .init(
                    code: .selectorMatchesNothing, place: place,
                    reason: "\(what) (\(term.labelText)) matches no workload and no address set",
                    remedy: "mend the selector, or load the workloads that it means"))
        }
        for policy in bench.set.policies {
            let scope = policy.name.namespace
            look(policy.subject, scope, policy.place, "the subject of policy \(policy.name)")
            for rule in policy.rules {
                for term in rule.terms { look(term, scope, rule.place, "a term of rule \(rule.label) of policy \(policy.name)") }
                if rule.peers.isEmpty {
                    found.append(
                        .init(
                            code: .emptyPeers, place: rule.place,
                            reason:
                                "rule \(rule.label) of policy \(policy.name) has an empty list of peers, which matches nobody",
                            remedy: "write {} for everybody, or remove the rule"))
                }
            }
            if policy.rules.isEmpty, policy.ingress == .none, policy.egress == .none {
                found.append(
                    .init(
                        code: .emptyPolicy, place: policy.place,
                        reason: "policy \(policy.name) has no rules and isolates nothing",
                        remedy: "remove it, or let it isolate"))
            }
        }
        return found
    }

    /// What nothing names.
    func unused(_ bench: inout LintBench) -> [LintFinding] {
        let set = bench.set
        var found: [LintFinding] = []
        func say(_ code: LintCode, _ place: Place, _ what: String, _ why: String) {
            found.append(.init(code: code, place: place, reason: "\(what) \(why)", remedy: "remove it, or use it"))
        }
        let terms = set.policies.flatMap { [$0.subject] + $0.rules.flatMap(\.terms) } + set.entities.values.flatMap(\.terms)
        let tiers = Set(set.policies.map(\.tier) + [Tier.defaultName])
        for tier in set.tiers.values where !tiers.contains(tier.name) {
            say(.unusedTier, tier.place, "tier \(tier.name)", "has no policy")
        }
        let zones = Set(
            terms.flatMap { $0.zones ?? [] } + set.workloads.flatMap(\.zones) + set.zones.values.flatMap(\.unjudged.keys))
        for zone in set.zones.values where !zones.contains(zone.name) && zone.unjudged.isEmpty && zone.place != .nowhere {
            say(.unusedZone, zone.place, "zone \(zone.name)", "holds no workload, and no term names it")
        }
        let entities = Set(terms.flatMap { ($0.entities ?? []).map(\.name) })
        for entity in set.entities.values where !entities.contains(entity.name) {
            say(.unusedEntity, entity.place, "entity \(entity.name)", "is named by no term")
        }
        guard !set.addressSets.isEmpty else { return found }
        let selecting = set.policies.flatMap { policy in
            policy.rules.flatMap(\.peers).filter { $0.selectsByLabel || $0.notSelector != nil || $0.entities != nil }
                .map { ($0, policy.name.namespace) }
        }
        for addresses in set.addressSets {
            let isUsed = selecting.contains { term, scope in
                // What could not be asked any more may be used.
                guard bench.budget.take(20) else { return true }
                let namespace = addresses.name.namespace
                let candidate = Term.Candidate(
                    workload: nil, namespaceLabels: nil,
                    addressSets: [.init(addresses, namespaceLabels: namespace.flatMap { set.namespaces[$0]?.allLabels })],
                    address: Address(v4: 0), zone: Zone.implicit)
                var labels = term
                (labels.cidrs, labels.notCIDRs, labels.zones) = (nil, nil, nil)
                return labels.matches(candidate, scope: scope)
            }
            if !isUsed { say(.unusedAddressSet, addresses.place, "address set \(addresses.name)", "is selected by no term") }
        }
        return found
    }
}

extension Term {
    /// The fields that select by label, as they are written.
    var labelText: String {
        [
            selector.map { "selector: \($0.text)" }, namespaceSelector.map { "namespaceSelector: \($0.text)" },
            serviceAccounts.map { "serviceAccounts: [\($0.joined(separator: ", "))]" },
            serviceAccountSelector.map { "serviceAccountSelector: \($0.text)" },
        ].compactMap { $0 }.joined(separator: ", ")
    }
}
