// SPDX-License-Identifier: Apache-2.0
internal import Net

/// What documents say of each other must be true: each check finds what is not, lazily, because no more is told than `PolicyError.most`.
extension PolicySet {
    /// A policy's tier must be there; an unordered one gives `order` no meaning.
    func tierFaults() -> [PolicyError] {
        Array(
            policies.lazy.compactMap { policy -> PolicyError? in
                guard let tier = tiers[policy.tier] else {
                    return PolicyError(
                        policy.place, "Policy \"\(policy.name)\" names tier \"\(policy.tier)\", which no Tier document declares",
                        remedy: Spelling.remedy(policy.tier, among: tiers.keys.sorted()) ?? "declare it or leave the key out")
                }
                guard tier.shape == .set, policy.order != nil else { return nil }
                return PolicyError(
                    policy.place, "Policy \"\(policy.name)\" has an order, and the tier \"\(tier.name)\" is an unordered set",
                    remedy: "leave \"order\" out, or make the tier ordered")
            }.prefix(PolicyError.most))
    }

    /// In a namespace that declares accounts, those that native objects name must be declared.
    func accountFaults() -> [PolicyError] {
        let declared = Dictionary(grouping: serviceAccounts.values.filter { !$0.isImported }, by: \.name.namespace)
        func fault(_ name: String, _ namespace: String?, _ place: Place, _ who: @autoclosure () -> String) -> PolicyError? {
            guard let known = declared[namespace], serviceAccounts[ObjectName(name, namespace: namespace)] == nil else {
                return nil
            }
            return PolicyError(
                place, "\(who()) names service account \"\(ObjectName(name, namespace: namespace))\", which no document declares",
                remedy: Spelling.remedy(name, among: known.map(\.name.name).sorted()) ?? "declare it or leave it out")
        }
        let ofWorkloads = workloads.lazy.filter { !$0.isImported }.compactMap { workload in
            workload.serviceAccount.flatMap {
                fault($0, workload.name.namespace, workload.place, "Workload \"\(workload.name)\"")
            }
        }
        let ofPolicies = policies.lazy.filter {
            !$0.isImported && $0.name.namespace != nil && $0.hasTerm { $0.serviceAccounts != nil }
        }.flatMap { policy in
            policy.speakers.flatMap { term, rule in
                (term.namespaceSelector == nil ? term.serviceAccounts ?? [] : []).compactMap {
                    fault($0, policy.name.namespace, rule?.place ?? policy.place, policy.who(rule))
                }
            }
        }
        return Array(ofWorkloads.prefix(PolicyError.most)) + Array(ofPolicies.prefix(PolicyError.most))
    }

    /// Every zone that is named must be declared.
    func zoneFaults() -> [PolicyError] {
        func faults(_ names: [String], _ place: Place, _ who: @autoclosure () -> String) -> [PolicyError] {
            names.filter { zones[$0] == nil && $0 != Zone.implicit }.map { name in
                PolicyError(
                    place, "\(who()) names zone \"\(name)\", which no Zone document declares",
                    remedy: Spelling.remedy(name, among: zones.keys.sorted()) ?? "declare it or leave it out")
            }
        }
        let ofZones = zones.values.sorted { $0.name < $1.name }.flatMap { zone in
            faults(zone.unjudged.keys.sorted(), zone.place, "Zone \"\(zone.name)\"")
        }
        // By index, because a copy of each of a million workloads would cost more than all else here.
        let placed = hasZones ? workloads.indices.lazy.filter { !workloads[$0].zones.isEmpty }.map { workloads[$0] } : nil
        let ofWorkloads = placed.map { placed in
            placed.flatMap { faults($0.zones, $0.place, "Workload \"\($0.name)\"") }.prefix(PolicyError.most)
        }
        let ofEntities = entities.values.sorted { $0.name < $1.name }.flatMap { entity in
            faults(entity.terms.flatMap { $0.zones ?? [] }, entity.place, "Entity \"\(entity.name)\"")
        }
        let ofPolicies = policies.lazy.filter { $0.hasTerm { $0.zones != nil } }.flatMap { policy in
            policy.speakers.flatMap { term, rule in
                term.zones.map { faults($0, rule?.place ?? policy.place, policy.who(rule)) } ?? []
            }
        }
        return ofZones + (ofWorkloads.map(Array.init) ?? []) + ofEntities + Array(ofPolicies.prefix(PolicyError.most))
    }

    /// Two workloads that claim the same address, or the same block, in one zone contradict each other. A single address that a
    /// registered one claims is contested instead.
    func claimFaults(_ isRegistered: (ObjectName) -> Bool) -> [PolicyError] {
        // Nearly every address is claimed once, so that only what is claimed again gets a list.
        var first: [Prefix: Int] = [:]
        var claimants: [Prefix: [Int]] = [:]
        first.reserveCapacity(workloads.count)
        for (index, workload) in workloads.enumerated() {
            for prefix in workload.addresses {
                guard let earlier = first.updateValue(index, forKey: prefix), earlier != index else { continue }
                claimants[prefix, default: [earlier]].append(index)
            }
        }
        let contested = claimants.sorted { $0.key.description < $1.key.description }
        var faults: [PolicyError] = []
        for (prefix, indices) in contested {
            for (position, index) in indices.enumerated() where faults.count < PolicyError.most {
                let later = workloads[index]
                if prefix.isHost && isRegistered(later.name) { continue }
                let before = indices[..<position].lazy.map { workloads[$0] }
                let earlier = before.first {
                    meet(zones(of: $0), zones(of: later)) && !(prefix.isHost && isRegistered($0.name))
                }
                guard let earlier else { continue }
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

extension Policy {
    /// Every term of the policy, with the rule that it stands in; the subject's stands in none.
    fileprivate var speakers: [(term: Term, rule: Rule?)] {
        [(subject, nil)] + rules.flatMap { rule in rule.terms.map { ($0, rule) } }
    }

    /// Whether any term of the policy is such; without a copy of any, because most policies have no such term and many rules.
    fileprivate func hasTerm(_ isSuch: (Term) -> Bool) -> Bool {
        isSuch(subject)
            || rules.indices.contains { index in
                rules[index].peers.indices.contains { isSuch(rules[index].peers[$0]) }
                    || rules[index].subject.map(isSuch) ?? false
            }
    }

    /// In whose name a term speaks.
    fileprivate func who(_ rule: Rule?) -> String {
        let own = "Policy \"\(name)\""
        return rule.map { "rule \"\($0.label)\" of \(own)" } ?? own
    }
}
