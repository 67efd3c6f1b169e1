// SPDX-License-Identifier: Apache-2.0
internal import Net

/// What documents say of each other must be true: each check finds all that is not.
extension PolicySet {
    /// A policy's tier must be there; an unordered one gives `order` no meaning.
    func tierFaults() -> [PolicyError] {
        policies.compactMap { policy in
            guard let tier = tiers[policy.tier] else {
                return PolicyError(
                    policy.place, "Policy \"\(policy.name)\" names tier \"\(policy.tier)\", which no Tier document declares",
                    remedy: Spelling.remedy(policy.tier, among: tiers.keys.sorted()) ?? "declare it or leave the key out")
            }
            guard tier.shape == .set, policy.order != nil else { return nil }
            return PolicyError(
                policy.place, "Policy \"\(policy.name)\" has an order, and the tier \"\(tier.name)\" is an unordered set",
                remedy: "leave \"order\" out, or make the tier ordered")
        }
    }

    /// In a namespace that declares accounts, those that native objects name must be declared.
    func accountFaults() -> [PolicyError] {
        let declared = Dictionary(grouping: serviceAccounts.values.filter { !$0.isImported }, by: \.name.namespace)
        func fault(_ name: String, _ namespace: String?, _ place: Place, _ who: String) -> PolicyError? {
            guard let known = declared[namespace], serviceAccounts[ObjectName(name, namespace: namespace)] == nil else {
                return nil
            }
            return PolicyError(
                place, "\(who) names service account \"\(ObjectName(name, namespace: namespace))\", which no document declares",
                remedy: Spelling.remedy(name, among: known.map(\.name.name).sorted()) ?? "declare it or leave it out")
        }
        let ofWorkloads = workloads.filter { !$0.isImported }.compactMap { workload in
            workload.serviceAccount.flatMap {
                fault($0, workload.name.namespace, workload.place, "Workload \"\(workload.name)\"")
            }
        }
        let ofPolicies = policies.filter { !$0.isImported && $0.name.namespace != nil }.flatMap { policy in
            places(of: policy).flatMap { term, place, who in
                (term.namespaceSelector == nil ? term.serviceAccounts ?? [] : [])
                    .compactMap { fault($0, policy.name.namespace, place, who) }
            }
        }
        return ofWorkloads + ofPolicies
    }

    /// Every zone that is named must be declared.
    func zoneFaults() -> [PolicyError] {
        func faults(_ names: [String], _ place: Place, _ who: String) -> [PolicyError] {
            names.filter { zones[$0] == nil && $0 != Zone.implicit }.map { name in
                PolicyError(
                    place, "\(who) names zone \"\(name)\", which no Zone document declares",
                    remedy: Spelling.remedy(name, among: zones.keys.sorted()) ?? "declare it or leave it out")
            }
        }
        let ofZones = zones.values.sorted { $0.name < $1.name }.flatMap { zone in
            faults(zone.unjudged.keys.sorted(), zone.place, "Zone \"\(zone.name)\"")
        }
        let ofWorkloads = workloads.flatMap { workload in
            hasZones ? faults(workload.zones, workload.place, "Workload \"\(workload.name)\"") : []
        }
        let ofEntities = entities.values.sorted { $0.name < $1.name }.flatMap { entity in
            faults(entity.terms.flatMap { $0.zones ?? [] }, entity.place, "Entity \"\(entity.name)\"")
        }
        let ofPolicies = policies.flatMap { policy in
            places(of: policy).flatMap { term, place, who in faults(term.zones ?? [], place, who) }
        }
        return ofZones + ofWorkloads + ofEntities + ofPolicies
    }

    /// Every term of a policy with its place and in whose name it speaks.
    private func places(of policy: Policy) -> [(term: Term, place: Place, who: String)] {
        let who = "Policy \"\(policy.name)\""
        return [(policy.subject, policy.place, who)]
            + policy.rules.flatMap { rule in
                rule.terms.map { ($0, rule.place, "rule \"\(rule.label)\" of \(who)") }
            }
    }

    /// Two workloads that claim the same address, or the same block, in one zone contradict each other.
    func claimFaults() -> [PolicyError] {
        var claims: [Prefix: [Workload]] = [:]
        for workload in workloads {
            for prefix in Set(workload.addresses) { claims[prefix, default: []].append(workload) }
        }
        let contested = claims.filter { $0.value.count > 1 }.sorted { $0.key.description < $1.key.description }
        var faults: [PolicyError] = []
        for (prefix, claimants) in contested {
            for (index, later) in claimants.enumerated() where faults.count < PolicyError.most {
                guard let earlier = claimants[..<index].first(where: { meet(zones(of: $0), zones(of: later)) }) else { continue }
                faults.append(
                    PolicyError(
                        later.place,
                        "Workload \"\(later.name)\" claims \(prefix.isHost ? "\(prefix.address)" : "\(prefix)"), "
                            + "which \"\(earlier.name)\" at \(earlier.place) claims too",
                        remedy: "give it to one of them, or tell them apart by zones"))
            }
        }
        return faults
    }

    /// Whether two lists of zones, of which an empty one means any, have a zone in common.
    private func meet(_ a: [String], _ b: [String]) -> Bool { a.isEmpty || b.isEmpty || !Set(a).isDisjoint(with: b) }
}
