// SPDX-License-Identifier: Apache-2.0
internal import Policy

/// The part of a term that asks for labels, namespace and account: what a label set alone can answer.
struct LabelTerm: Hashable {
    /// The namespace of the policy, where the term speaks of it.
    var scope: String?
    var selector: Selector?
    var notSelector: Selector?
    var namespaceSelector: Selector?
    var serviceAccounts: [String]?
    /// A subject: only workloads of the scope, whatever else it says.
    var isSubject: Bool

    init(_ term: Term, scope: String?, isSubject: Bool) {
        let speaks = term.selector != nil || term.notSelector != nil || term.serviceAccounts != nil || isSubject
        self.scope = speaks && term.namespaceSelector == nil ? scope : nil
        selector = term.selector
        notSelector = term.notSelector
        namespaceSelector = term.namespaceSelector
        serviceAccounts = term.serviceAccounts
        self.isSubject = isSubject && scope != nil
    }

    /// Whether it asks for nothing at all.
    var isEmpty: Bool {
        selector == nil && notSelector == nil && namespaceSelector == nil && serviceAccounts == nil && !isSubject
    }

    /// Whether an address without a workload satisfies it.
    var matchesOutside: Bool { selector == nil && namespaceSelector == nil && serviceAccounts == nil && !isSubject }

    /// Whether a label set satisfies it.
    func matches(_ labels: LabelSet, _ set: PolicySet) -> Bool {
        var isInScope = scope == nil || labels.namespace == scope
        if let namespaceSelector {
            isInScope = namespaceSelector.matches(namespace: labels.namespace.flatMap { set.namespaces[$0]?.allLabels })
        }
        let isNegated = isInScope && (notSelector?.matches(labels.labels) ?? false)
        if isNegated { return false }
        if matchesOutside { return true }
        guard isInScope else { return false }
        if let selector, !selector.matches(labels.labels) { return false }
        if let serviceAccounts {
            guard let account = labels.serviceAccount, serviceAccounts.contains(account) else { return false }
        }
        return true
    }
}

/// Finds the label sets that a label term matches without asking each of them, where it names a label's value or a namespace.
struct LabelIndex {
    private let labelSets: [LabelSet]
    private var byLabel: [String: [String: [Int]]] = [:]
    private var byNamespace: [String: [Int]] = [:]

    init(_ labelSets: [LabelSet]) {
        self.labelSets = labelSets
        for (number, set) in labelSets.enumerated() {
            for (key, value) in set.labels { byLabel[key, default: [:]][value, default: []].append(number) }
            if let namespace = set.namespace { byNamespace[namespace, default: []].append(number) }
        }
    }

    /// The numbers of the label sets that match, ascending.
    func matches(_ term: LabelTerm, _ set: PolicySet) -> [Int] {
        candidates(term).filter { term.matches(labelSets[$0], set) }
    }

    private func candidates(_ term: LabelTerm) -> [Int] {
        if let (key, values) = term.selector?.expression.required {
            return Set(values).flatMap { byLabel[key]?[$0] ?? [] }.sorted()
        }
        if !term.matchesOutside, let scope = term.scope { return byNamespace[scope] ?? [] }
        return Array(labelSets.indices)
    }
}
