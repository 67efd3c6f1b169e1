// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

/// The traps of policy languages, as far as a set can fall into them once it is loaded, whatever language it was written in.
extension Lint {
    func traps(_ bench: inout LintBench) -> [LintFinding] {
        var found: [LintFinding] = ties(&bench)
        for place in bench.rules {
            found += dashes(place, bench) + negations(place, &bench) + blocks(place, &bench) + services(place, &bench)
            found += stateless(place, &bench)
        }
        for policy in bench.set.policies { found += directions(policy) + domainNames(policy, &bench) }
        return found
    }

    /// Two items in a list, one of namespaces and one of labels: either of them is enough, where one item with both fields means both.
    private func dashes(_ place: RulePlace, _ bench: LintBench) -> [LintFinding] {
        let rule = bench.walk.rule(place)
        let isOnlySpaces = { (term: Term) in term.namespaceSelector != nil && term.selector == nil }
        let isOnlyLabels = { (term: Term) in term.namespaceSelector == nil && term.selector != nil }
        guard rule.action == .allow, rule.peers.contains(where: isOnlySpaces), rule.peers.contains(where: isOnlyLabels) else {
            return []
        }
        return [
            .init(
                code: .extraDash, place: rule.place,
                reason:
                    "\(bench.name(place)) lets in whole namespaces, and beside them workloads by labels: its list means either",
                remedy: "write both selectors in one item (one dash) if both must hold")
        ]
    }

    /// A negated selector as the only condition, and selectors that hold where the label is absent.
    private func negations(_ place: RulePlace, _ bench: inout LintBench) -> [LintFinding] {
        let rule = bench.walk.rule(place)
        guard rule.action == .allow else { return [] }
        var found: [LintFinding] = []
        for term in rule.peers {
            if term.notSelector != nil, !term.selectsByLabel, term.cidrs == nil, term.entities == nil, term.zones == nil {
                found.append(
                    .init(
                        code: .negatedSelectorOutside, place: rule.place,
                        reason:
                            "\(bench.name(place)) matches everything but what notSelector selects, addresses outside included",
                        remedy: "add entities: [known] if only workloads are meant"))
            }
            guard let selector = term.selector, let key = selector.expression.negatedKey else { continue }
            let scope = bench.set.policies[place.policy].name.namespace
            guard let matched = bench.index.cells(term, scope: scope, &bench.budget), bench.budget.take(matched.count) else {
                return found
            }
            let lacking = matched.compactMap { bench.index.candidates[$0].workload }.first { $0.labels[key] == nil }
            guard let lacking else { continue }
            found.append(
                .init(
                    code: .absentLabelMatches, place: rule.place,
                    reason:
                        "\(bench.name(place)) matches what has no label \"\(key)\" at all, as \(lacking.name), by \(selector.text)",
                    remedy: "add && has(\(key)) if the label must be there"))
        }
        return found
    }

    /// Blocks in which workloads lie, and exceptions that another block brings back.
    private func blocks(_ place: RulePlace, _ bench: inout LintBench) -> [LintFinding] {
        let rule = bench.walk.rule(place)
        guard rule.action == .allow else { return [] }
        var found: [LintFinding] = []
        let scope = bench.set.policies[place.policy].name.namespace
        for term in rule.peers {
            guard let blocks = term.cidrs, !term.selectsByLabel, term.entities == nil else { continue }
            guard let matched = bench.index.cells(term, scope: scope, &bench.budget), bench.budget.take(2 * matched.count) else {
                return found
            }
            let inside = matched.compactMap { bench.index.candidates[$0].workload }
            // A block that is a workload's own says that it is meant.
            if let first = inside.first(where: { !$0.addresses.contains(where: blocks.contains) }) {
                found.append(
                    .init(
                        code: .cidrMatchesWorkloads, place: rule.place,
                        reason:
                            "\(bench.name(place)) names blocks in which workloads lie, as \(first.name), and matches them too",
                        remedy: "add entities: [outside] if only what is no workload is meant"))
            }
        }
        let width = rule.peers.reduce(0) { $0 + 2 + ($1.cidrs ?? []).count + ($1.notCIDRs ?? []).count }
        for term in rule.peers {
            for hole in term.notCIDRs ?? [] {
                guard bench.budget.take(width) else { return found }
                let isBack = rule.peers.contains { other in
                    other != term && !other.selectsByLabel
                        && (other.cidrs ?? []).contains { $0.contains(hole) || hole.contains($0) }
                        && !(other.notCIDRs ?? []).contains { $0.contains(hole) }
                }
                guard isBack else { continue }
                found.append(
                    .init(
                        code: .exceptionReadmitted, place: rule.place,
                        reason: "\(bench.name(place)) leaves \(hole) out of one of its peers, and another one brings it back in",
                        remedy: "leave it out of each, or deny it by a rule before"))
            }
        }
        return found
    }

    /// A name of a service that means something else, or nothing, at some of the destinations.
    private func services(_ place: RulePlace, _ bench: inout LintBench) -> [LintFinding] {
        let rule = bench.walk.rule(place)
        let names = (rule.services?.names ?? []) + (rule.notServices?.names ?? [])
        guard !names.isEmpty else { return [] }
        guard let destinations = rule.direction == .ingress ? bench.subjects(of: place) : bench.peers(of: place),
            bench.budget.take(10 * bench.stretchCount(destinations))
        else { return [] }
        let workloads = Set(destinations.flatMap { bench.cells.all[$0].stretches }.map { bench.cells.owners[0][$0] })
            .filter { $0 >= 0 }.sorted()
        return names.compactMap { name in
            let meanings = Dictionary(grouping: workloads) { bench.set.workloads[$0].services[name] }
            guard meanings.count > 1 || (meanings.keys.first.map { $0 == nil } ?? false) else { return nil }
            let texts = meanings.map { range, whose in
                let what =
                    range.map { ServiceSpan(first: $0.first, last: $0.end - 1, sourcePorts: 0...UInt16.max).text } ?? "nothing"
                let names = whose.map { bench.set.workloads[$0].name.description }
                return "\(what) at \(Naming.few(names, "workloads").joined(separator: ", "))"
            }.sorted()
            return .init(
                code: .namedServiceDiffers, place: rule.place,
                reason: "\(bench.name(place)) names service \"\(name)\", which means \(texts.joined(separator: "; "))",
                remedy: "give all of them the service, or write protocol and port")
        }
    }

    /// A rule whose frames are each judged by themselves needs another one for what comes back.
    private func stateless(_ place: RulePlace, _ bench: inout LintBench) -> [LintFinding] {
        let rule = bench.walk.rule(place)
        guard rule.action == .allow, rule.tracking == .none,
            bench.budget.take(bench.set.policies[place.policy].rules.count)
        else { return [] }
        let isAnswered = bench.set.policies[place.policy].rules.contains {
            $0.action == .allow && $0.tracking == .none && $0.direction != rule.direction
        }
        guard !isAnswered else { return [] }
        return [
            .init(
                code: .statelessWithoutReply, place: rule.place,
                reason: "\(bench.name(place)) keeps no flows, and no rule of its policy lets the other direction pass",
                remedy: "write a rule with track: none for the replies, or let it keep flows")
        ]
    }

    /// An imported policy about egress that isolates ingress as well, because its language says so where nothing is said.
    private func directions(_ policy: Policy) -> [LintFinding] {
        guard policy.isImported, policy.ingress != .none,
            policy.egress != .none || policy.rules.contains(where: { $0.direction == .egress }),
            !policy.rules.contains(where: { $0.direction == .ingress })
        else { return [] }
        return [
            .init(
                code: .otherDirectionIsolated, place: policy.place,
                reason:
                    "policy \(policy.name) speaks of egress only, and isolates ingress as well, so that nothing may come in by it",
                remedy: "say policyTypes: [Egress] if ingress is not meant")
        ]
    }

    /// DNS needs both protocols: answers that do not fit go over TCP.
    private func domainNames(_ policy: Policy, _ bench: inout LintBench) -> [LintFinding] {
        func names(_ rule: Rule, _ number: IPProtocol) -> Bool {
            rule.services?.services.contains { $0.range(named: [:]) == ServiceRange(number, ports: 53...53) } ?? false
        }
        func allows(_ number: IPProtocol, _ direction: Rule.Direction) -> Bool {
            policy.rules.contains { rule in
                rule.action == .allow && rule.direction == direction
                    && (rule.services?.services.contains { $0.range(named: [:])?.contains(ServiceKey(number, port: 53)) ?? false }
                        ?? true)
            }
        }
        return policy.rules.compactMap { rule in
            guard rule.action == .allow else { return nil }
            for (one, other) in [(IPProtocol.udp, IPProtocol.tcp), (.tcp, .udp)]
            where names(rule, one) && bench.budget.take(5 * policy.rules.count) && !allows(other, rule.direction) {
                return .init(
                    code: .dnsOneProtocol, place: rule.place,
                    reason: "rule \(rule.label) of policy \(policy.name) allows DNS over \(one.name) only",
                    remedy: "allow \(other.name)/53 as well")
            }
            return nil
        }
    }

    /// The place of a policy that it may share with others.
    private struct Rank: Hashable {
        var tier: String
        var order: Double
    }

    /// Policies of one tier with the same order that speak for the same workload and contradict each other: their names decide.
    private func ties(_ bench: inout LintBench) -> [LintFinding] {
        var found: [LintFinding] = []
        for group in bench.groups {
            guard bench.budget.take(10 * group.policies.count) else { return found }
            var byOrder: [Rank: [Int]] = [:]
            for policy in group.policies where bench.set.tiers[bench.set.policies[policy].tier]?.shape == .ordered {
                let rank = Rank(tier: bench.set.policies[policy].tier, order: bench.set.policies[policy].order ?? .infinity)
                byOrder[rank, default: []].append(policy)
            }
            for policies in byOrder.values where policies.count > 1 {
                let actions = policies.map { number in
                    Set(bench.set.policies[number].rules.filter { $0.direction == group.direction }.map(\.action)).subtracting([
                        .log
                    ])
                }
                let all = actions.reduce(into: Set()) { $0.formUnion($1) }
                guard all.contains(.allow) || all.contains(.pass), all.contains(.deny) || all.contains(.reject),
                    let later = policies.last, let first = policies.first
                else { continue }
                let (a, b) = (bench.set.policies[first], bench.set.policies[later])
                found.append(
                    .init(
                        code: .orderTie, place: b.place,
                        reason:
                            "policies \(a.name) and \(b.name) have the same place in tier \(b.tier), and allow and deny: their names decide",
                        remedy: "give them orders"))
            }
        }
        return found
    }
}

extension Selector.Expression {
    /// The key of a condition that holds where its label is absent, if the whole is one such condition.
    fileprivate var negatedKey: String? {
        switch self {
        case .notEquals(let key, _), .notIn(let key, _): key
        default: nil
        }
    }
}
