// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

/// A question that the identity of a workload, or of an address set, answers by itself: the part of a term that asks for labels,
/// namespace, account or principal. A term asks several; two label sets that answer all of a set's questions alike are the same to it.
struct LabelTerm: Hashable {
    /// The namespace that the thing must have.
    var scope: String?
    var selector: Selector?
    /// What its namespace must be; takes the place of `scope`.
    var namespaceSelector: Selector?
    var serviceAccounts: [String]?
    var accountSelector: Selector?
    var principal: Principal?
    /// With `principal`: whether it speaks where hardware addresses bind.
    var isOnLink = false

    /// What the fields ask for that must hold for one and the same thing; `nil` where none of them is there.
    static func positive(_ term: Term, scope: String?) -> LabelTerm? {
        guard term.selectsByLabel else { return nil }
        return LabelTerm(
            scope: term.namespaceSelector == nil ? scope : nil, selector: term.selector,
            namespaceSelector: term.namespaceSelector,
            serviceAccounts: term.serviceAccounts, accountSelector: term.serviceAccountSelector)
    }

    /// What it must not be.
    static func negative(_ term: Term, scope: String?) -> [LabelTerm] {
        var asked: [LabelTerm] = []
        if let selector = term.notSelector {
            asked.append(
                LabelTerm(
                    scope: term.namespaceSelector == nil ? scope : nil, selector: selector,
                    namespaceSelector: term.namespaceSelector))
        }
        if let selector = term.notNamespaceSelector { asked.append(LabelTerm(namespaceSelector: selector)) }
        return asked
    }

    /// The principal, as it is known where hardware addresses do not bind, and where they do.
    static func principals(_ term: Term) -> (elsewhere: LabelTerm, onLink: LabelTerm)? {
        guard let principal = term.principal else { return nil }
        return (LabelTerm(principal: principal), LabelTerm(principal: principal, isOnLink: principal.assurance == .bound))
    }

    /// Every question that a term asks, those of the entities in it included.
    static func all(_ term: Term, scope: String?) -> [LabelTerm] {
        let own =
            (positive(term, scope: scope).map { [$0] } ?? []) + negative(term, scope: scope)
            + (principals(term).map { [$0.elsewhere, $0.onLink] } ?? [])
        return own + term.named.flatMap { all($0, scope: nil) }
    }

    /// Whether a label set answers yes.
    func matches(_ labels: LabelSet, _ set: PolicySet) -> Bool {
        if let principal {
            let assurance: Principal.Assurance = isOnLink && labels.isBindable ? .bound : .inventory
            return principal.matches(labels.principal, assurance: assurance)
        }
        guard isInScope(labels.namespace, set) else { return false }
        if let selector, !selector.matches(labels.labels) { return false }
        if let serviceAccounts, !(labels.serviceAccount.map(serviceAccounts.contains) ?? false) { return false }
        if let accountSelector {
            guard let account = labels.serviceAccount else { return false }
            let declared = set.serviceAccounts[ObjectName(account, namespace: labels.namespace)]
            return accountSelector.matches(declared?.labels ?? [:])
        }
        return true
    }

    /// Whether an address set answers yes: it runs as no account.
    func matches(_ addresses: AddressSet, _ set: PolicySet) -> Bool {
        principal == nil && serviceAccounts == nil && accountSelector == nil && isInScope(addresses.name.namespace, set)
            && (selector?.matches(addresses.labels) ?? true)
    }

    private func isInScope(_ namespace: String?, _ set: PolicySet) -> Bool {
        guard let namespaceSelector else { return scope == nil || namespace == scope }
        return namespaceSelector.matches(namespace: namespace.flatMap { set.namespaces[$0]?.allLabels })
    }
}

extension Term {
    /// The terms of the named entities in it.
    var named: [Term] {
        (entities ?? []).flatMap { entity -> [Term] in
            if case .named(_, let terms) = entity { terms } else { [] }
        }
    }

    /// Every block that it names, those of the entities in it included.
    var blocks: [Prefix] {
        let own = (cidrs ?? []) + (notCIDRs ?? [])
        let ofEntities = (entities ?? []).flatMap { $0.blocks ?? [] }
        return own + ofEntities + named.flatMap(\.blocks)
    }

    /// Every zone that it names, those of the entities in it included.
    var allZones: [String] { (zones ?? []) + named.flatMap(\.allZones) }

    /// Whether it, or an entity in it, needs to know where hardware addresses bind.
    var asksForBinding: Bool { principal?.assurance == .bound || named.contains(where: \.asksForBinding) }
}

/// Finds the label sets that a label term matches without asking each of them, where it names a label's value or a namespace.
struct LabelSetIndex {
    private let labelSets: [LabelSet]
    private var byLabel = LabelIndex()
    private var byNamespace: [String: [Int]] = [:]

    init(_ labelSets: [LabelSet]) {
        self.labelSets = labelSets
        for (number, set) in labelSets.enumerated() {
            byLabel.enter(set.labels, as: number)
            if let namespace = set.namespace { byNamespace[namespace, default: []].append(number) }
        }
    }

    /// The numbers of the label sets that match, ascending.
    func matches(_ term: LabelTerm, _ set: PolicySet) -> [Int] {
        candidates(term).filter { term.matches(labelSets[$0], set) }
    }

    private func candidates(_ term: LabelTerm) -> [Int] {
        term.selector.flatMap { byLabel.candidates(for: $0.expression) } ?? term.scope.map { byNamespace[$0] ?? [] }
            ?? Array(labelSets.indices)
    }
}
