// SPDX-License-Identifier: Apache-2.0
import Net
import Policy

/// The same set in other words.
extension Document {
    /// With a label called by another name everywhere.
    func renamed(_ old: String, _ new: String) -> Document {
        func rename(_ labels: [String: String]) -> [String: String] {
            Dictionary(uniqueKeysWithValues: labels.map { ($0.key == old ? new : $0.key, $0.value) })
        }
        switch self {
        case .workload(var workload):
            workload.labels = rename(workload.labels)
            return .workload(workload)
        case .addressSet(var set):
            set.labels = rename(set.labels)
            return .addressSet(set)
        case .serviceAccount(var account):
            account.labels = rename(account.labels)
            return .serviceAccount(account)
        default:
            return mapTerms { term in
                var term = term
                term.selector = term.selector?.renamed(old, new)
                term.notSelector = term.notSelector?.renamed(old, new)
                term.serviceAccountSelector = term.serviceAccountSelector?.renamed(old, new)
                return term
            }
        }
    }

    /// With every block written as its two halves, and every run of ports in two parts.
    var split: Document {
        let halved = mapTerms { term in
            var term = term
            term.cidrs = term.cidrs?.flatMap(\.halves)
            term.notCIDRs = term.notCIDRs?.flatMap(\.halves)
            return term
        }
        guard case .policy(var policy) = halved else { return halved }
        for index in policy.rules.indices {
            policy.rules[index].services = policy.rules[index].services?.parted
            policy.rules[index].notServices = policy.rules[index].notServices?.parted
        }
        return .policy(policy)
    }

    /// With the first half of every block alone.
    var halved: Document {
        mapTerms { term in
            var term = term
            term.cidrs = term.cidrs?.map { $0.halves[0] }
            term.notCIDRs = term.notCIDRs?.map { $0.halves[0] }
            return term
        }
    }

    /// With every list of blocks as `change` makes it.
    func mapBlocks(_ change: ([Prefix]) -> [Prefix]) -> Document {
        mapTerms { term in
            var term = term
            term.cidrs = term.cidrs.map(change)
            term.notCIDRs = term.notCIDRs.map(change)
            return term
        }
    }

    /// With nothing left that only reports.
    var enforced: Document {
        switch self {
        case .policy(var policy):
            policy.mode = .enforce
            for index in policy.rules.indices { policy.rules[index].mode = .enforce }
            return .policy(policy)
        case .tier(var tier):
            if tier.end == .audit { tier.end = .deny }
            return .tier(tier)
        case .namespace(var namespace):
            if namespace.ingress == .audit { namespace.ingress = .deny }
            if namespace.egress == .audit { namespace.egress = .deny }
            return .namespace(namespace)
        case .zone(var zone):
            if zone.unjudgedElsewhere == .audit { zone.unjudgedElsewhere = .deny }
            zone.unjudged = zone.unjudged.mapValues { $0 == .audit ? .deny : $0 }
            return .zone(zone)
        default: return self
        }
    }

    private func mapTerms(_ change: (Term) -> Term) -> Document {
        switch self {
        case .policy(var policy):
            policy.subject = change(policy.subject)
            for index in policy.rules.indices {
                policy.rules[index].peers = policy.rules[index].peers.map(change)
                policy.rules[index].subject = policy.rules[index].subject.map(change)
            }
            return .policy(policy)
        case .entity(var entity):
            entity.terms = entity.terms.map(change)
            return .entity(entity)
        default: return self
        }
    }
}

extension Selector {
    fileprivate func renamed(_ old: String, _ new: String) -> Selector { Selector(expression.renamed(old, new), text: text) }
}

extension Selector.Expression {
    fileprivate func renamed(_ old: String, _ new: String) -> Selector.Expression {
        func name(_ key: String) -> String { key == old ? new : key }
        return switch self {
        case .all, .global: self
        case .has(let key): .has(name(key))
        case .equals(let key, let value): .equals(name(key), value)
        case .notEquals(let key, let value): .notEquals(name(key), value)
        case .contains(let key, let part): .contains(name(key), part)
        case .startsWith(let key, let part): .startsWith(name(key), part)
        case .endsWith(let key, let part): .endsWith(name(key), part)
        case .isIn(let key, let values): .isIn(name(key), values)
        case .notIn(let key, let values): .notIn(name(key), values)
        case .not(let inner): .not(inner.renamed(old, new))
        case .and(let parts): .and(parts.map { $0.renamed(old, new) })
        case .or(let parts): .or(parts.map { $0.renamed(old, new) })
        }
    }
}

extension Prefix {
    /// The two blocks of half the size, or itself where it is one address.
    fileprivate var halves: [Prefix] {
        let bits = address.isIPv4 ? 32 : 128
        guard length < bits, let first = Prefix(address, length: length + 1) else { return [self] }
        let shift = UInt64(bits - length - 1)
        let second = Address(
            high: address.high | (shift >= 64 ? 1 << (shift - 64) : 0), low: address.low | (shift < 64 ? 1 << shift : 0))
        return [first] + [Prefix(second, length: length + 1)].compactMap { $0 }
    }
}

extension ServiceList {
    /// Every run of services in two parts.
    fileprivate var parted: ServiceList {
        var list = self
        list.services = services.flatMap { service -> [Service] in
            guard case .range(let range) = service.destination, range.end - range.first > 1 else { return [service] }
            let middle = range.first + (range.end - range.first) / 2
            return [(range.first, middle), (middle, range.end)].map { first, end in
                var part = service
                part.destination = .range(ServiceRange(first: first, end: end, namesTunnels: range.namesTunnels))
                return part
            }
        }
        return list
    }
}
