// SPDX-License-Identifier: Apache-2.0
public import Net

/// One conjunction over one end of a connection: every field that is there must hold, and a field with a list holds when one of its
/// values does. Without any field it matches everything. The same algebra serves a policy's subject and a rule's peers.
///
/// `selector`, `namespaceSelector`, `serviceAccounts` and `serviceAccountSelector` must hold for one and the same thing: the workload
/// that owns the address, or an address set that holds it. `namespaceSelector` takes the place of the policy's own namespace as the
/// term's scope; without it the scope of a policy in a namespace is that namespace, and of a global one everything.
public struct Term: Hashable, Sendable {
    /// Workloads and address sets whose labels it selects, in the term's scope.
    public var selector: Selector?
    /// Everything but the workloads and address sets that this would select, in the term's scope.
    public var notSelector: Selector?
    /// Workloads and address sets of the namespaces that it selects.
    public var namespaceSelector: Selector?
    /// Everything but the workloads and address sets of the namespaces that this selects.
    public var notNamespaceSelector: Selector?
    /// Workloads that run as one of these accounts, in the term's scope.
    public var serviceAccounts: [String]?
    /// Workloads that run as an account whose labels it selects, in the term's scope.
    public var serviceAccountSelector: Selector?
    /// Somebody whom an account names, with the assurance that it needs.
    public var principal: Principal?
    /// Addresses in one of these blocks, workloads or not.
    public var cidrs: [Prefix]?
    /// Addresses in none of these blocks.
    public var notCIDRs: [Prefix]?
    /// Addresses seen in one of these zones.
    public var zones: [String]?
    /// One of these sets.
    public var entities: [Entity]?

    /// A term that matches everything.
    public init() {}

    /// Whether it asks for something that only what has labels can answer.
    public var selectsByLabel: Bool {
        selector != nil || namespaceSelector != nil || serviceAccounts != nil || serviceAccountSelector != nil
    }

    /// Whether the candidate satisfies every field; `scope` is the namespace of the policy, `nil` for a global one.
    public func matches(_ candidate: Candidate, scope: String?) -> Bool { failures(of: candidate, scope: scope).isEmpty }

    /// The fields that the candidate does not satisfy, as they were written. Where fields hold one by one but not for one and the same
    /// thing, all of them.
    public func failures(of candidate: Candidate, scope: String?) -> [String] {
        var failed = selectsByLabel ? labelFailures(candidate.identities, scope) : []
        if let notSelector, candidate.identities.contains(where: { isInScope($0, scope) && notSelector.matches($0.labels) }) {
            failed.append("notSelector: \(notSelector.text)")
        }
        if let selector = notNamespaceSelector,
            candidate.identities.contains(where: { selector.matches(namespace: $0.namespaceLabels) })
        {
            failed.append("notNamespaceSelector: \(selector.text)")
        }
        if let principal, !principal.matches(candidate.workload.flatMap(Principal.text), assurance: candidate.assurance) {
            failed.append("principal: \(principal)")
        }
        if let cidrs, !cidrs.contains(where: { $0.contains(candidate.address) }) {
            failed.append("cidrs: [\(cidrs.map(\.description).joined(separator: ", "))]")
        }
        if let notCIDRs, notCIDRs.contains(where: { $0.contains(candidate.address) }) {
            failed.append("notCidrs: [\(notCIDRs.map(\.description).joined(separator: ", "))]")
        }
        if let zones, !zones.contains(candidate.zone) {
            failed.append("zones: [\(zones.joined(separator: ", "))]")
        }
        if let entities, !entities.contains(where: { $0.matches(candidate) }) {
            failed.append("entities: [\(entities.map(\.name).joined(separator: ", "))]")
        }
        return failed
    }

    /// What of a candidate satisfies every field that selects by label, as one thing.
    func identities(of candidate: Candidate, scope: String?) -> [Identity] {
        let fields = labelFields(scope)
        return candidate.identities.filter { identity in fields.allSatisfy { $0.holds(identity) } }
    }

    /// Whether it selects an address set by the fields that select by label; `namespaceLabels` are those of the set's namespace.
    public func selects(_ set: AddressSet, namespaceLabels: [String: String]?, scope: String?) -> Bool {
        let identity = Identity(set, namespaceLabels: namespaceLabels)
        return labelFields(scope).allSatisfy { $0.holds(identity) }
    }

    /// The fields that select by label and hold for nothing that the address is; none where one thing satisfies all of them.
    private func labelFailures(_ identities: [Identity], _ scope: String?) -> [String] {
        let fields = labelFields(scope)
        guard !identities.contains(where: { identity in fields.allSatisfy { $0.holds(identity) } }) else { return [] }
        let failed = fields.filter { field in !identities.contains(where: field.holds) }
        return (failed.isEmpty ? fields : failed).map(\.text)
    }

    /// The fields that select by label, each in the term's scope, with their texts.
    private func labelFields(_ scope: String?) -> [(text: String, holds: (Identity) -> Bool)] {
        var fields: [(text: String, holds: (Identity) -> Bool)] = []
        if let selector {
            fields.append(("selector: \(selector.text)", { isInScope($0, scope) && selector.matches($0.labels) }))
        } else if let namespaceSelector {
            fields.append(("namespaceSelector: \(namespaceSelector.text)", { isInScope($0, scope) }))
        }
        if let accounts = serviceAccounts {
            let text = "serviceAccounts: [\(accounts.joined(separator: ", "))]"
            fields.append((text, { isInScope($0, scope) && ($0.account.map(accounts.contains) ?? false) }))
        }
        if let selector = serviceAccountSelector {
            let text = "serviceAccountSelector: \(selector.text)"
            fields.append((text, { isInScope($0, scope) && ($0.accountLabels.map(selector.matches) ?? false) }))
        }
        return fields
    }

    /// Whether something is of the namespaces that the term speaks of.
    private func isInScope(_ identity: Identity, _ scope: String?) -> Bool {
        guard let namespaceSelector else { return scope == nil || identity.namespace == scope }
        return namespaceSelector.matches(namespace: identity.namespaceLabels)
    }
}

extension Selector {
    /// Whether a namespace selector selects things of a namespace with these labels; `nil` stands for things without one, which only
    /// `global()` selects.
    public func matches(namespace labels: [String: String]?) -> Bool {
        guard let labels else { return expression == .global }
        return matches(labels)
    }
}
