// SPDX-License-Identifier: Apache-2.0
public import Net

/// One conjunction over a workload or an address: every field that is there must hold, and a field with a list holds when one of
/// its values does. Without any field it matches everything. The same algebra serves a policy's subject and a rule's peers.
public struct Term: Hashable, Sendable {
    /// The built-in sets of addresses.
    public enum Entity: String, Sendable, CaseIterable {
        /// Everything.
        case any
        /// What no workload claims.
        case outside
        /// What a workload claims.
        case known
    }

    /// Workloads whose labels it selects, in the term's scope.
    public var selector: Selector?
    /// Everything but the workloads that this would select, in the term's scope.
    public var notSelector: Selector?
    /// Workloads of the namespaces that it selects; it takes the place of the policy's own namespace as scope.
    public var namespaceSelector: Selector?
    /// Workloads that run as one of these accounts, in the term's scope.
    public var serviceAccounts: [String]?
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

    /// What a term is matched against.
    public struct Candidate {
        /// The workload that owns the address, if one does.
        public var workload: Workload?
        /// The labels of its namespace, if it has one.
        public var namespaceLabels: [String: String]?
        /// The address.
        public var address: Address
        /// The zone it was seen in.
        public var zone: String

        /// A candidate.
        public init(workload: Workload?, namespaceLabels: [String: String]?, address: Address, zone: String) {
            self.workload = workload
            self.namespaceLabels = namespaceLabels
            self.address = address
            self.zone = zone
        }
    }

    /// Whether the candidate satisfies every field; `scope` is the namespace of the policy, `nil` for a global one.
    public func matches(_ candidate: Candidate, scope: String?) -> Bool { failures(of: candidate, scope: scope).isEmpty }

    /// The fields that the candidate does not satisfy, as they were written.
    public func failures(of candidate: Candidate, scope: String?) -> [String] {
        var failed: [String] = []
        let workload = candidate.workload
        let isInScope = isInScope(candidate, scope)
        if let selector, !isInScope || !(workload.map { selector.matches($0.labels) } ?? false) {
            failed.append("selector: \(selector.text)")
        } else if let namespaceSelector, !isInScope {
            failed.append("namespaceSelector: \(namespaceSelector.text)")
        }
        if let notSelector, isInScope, workload.map({ notSelector.matches($0.labels) }) ?? false {
            failed.append("notSelector: \(notSelector.text)")
        }
        if let serviceAccounts, !isInScope || !(workload?.serviceAccount.map(serviceAccounts.contains) ?? false) {
            failed.append("serviceAccounts: [\(serviceAccounts.joined(separator: ", "))]")
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
        if let entities, !entities.contains(where: { $0.contains(isKnown: workload != nil) }) {
            failed.append("entities: [\(entities.map(\.rawValue).joined(separator: ", "))]")
        }
        return failed
    }

    /// Whether the candidate is a workload of the namespaces that the term speaks of.
    private func isInScope(_ candidate: Candidate, _ scope: String?) -> Bool {
        guard let workload = candidate.workload else { return false }
        guard let namespaceSelector else { return scope == nil || workload.name.namespace == scope }
        return namespaceSelector.matches(namespace: candidate.namespaceLabels)
    }
}

extension Term.Entity {
    /// Whether an address that a workload claims, or does not claim, belongs to the set.
    public func contains(isKnown: Bool) -> Bool {
        switch self {
        case .any: true
        case .outside: !isKnown
        case .known: isKnown
        }
    }
}

extension Selector {
    /// Whether a namespace selector selects workloads of a namespace with these labels; `nil` stands for workloads without one, which
    /// only `global()` selects.
    public func matches(namespace labels: [String: String]?) -> Bool {
        guard let labels else { return expression == .global }
        return matches(labels)
    }
}
