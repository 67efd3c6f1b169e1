// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy
internal import PolicyText

/// Reads a NetworkPolicy (networking.k8s.io/v1) as one policy of its namespace, with the same name.
///
/// NetworkPolicies have no order and only allow, so that their union is what an ordered tier makes of allow rules, whatever their
/// order. They join the tier `default` at the place where Calico has them: native policies with a smaller order precede them, and may
/// deny what they allow; those with a greater one, or none, come behind and can only add.
struct NetworkPolicyReader {
    /// The order of imported policies in their tier.
    static let order = 1000.0

    let root: YAMLMapping

    func policy(_ ledger: inout Ledger) throws(PolicyError) -> Policy {
        let metadata = try KubernetesMetadata(root, isNamespaced: true)
        var policy = Policy(name: metadata.objectName, place: root.place)
        policy.isImported = true
        policy.order = Self.order
        var written = root.given("spec")
        if ledger.isLossy, let value = written { written = try NetworkPolicyFields.spec.keeping(value, &ledger) }
        let spec = try written?.mapping(
            "the spec of a NetworkPolicy", keys: NetworkPolicyFields.spec.names)
        // An absent selector is the empty one, which selects every pod of the namespace.
        policy.subject.selector =
            try spec?.given("podSelector").map { value throws(PolicyError) in
                try LabelSelectorReader.selector(value, "podSelector")
            } ?? Selector(.all)
        let ingress = try spec?.given("ingress")?.list("ingress") ?? []
        let egress = try spec?.given("egress")?.list("egress") ?? []
        let types = try policyTypes(spec, hasEgressRules: !egress.isEmpty)
        if types.contains(.ingress) { policy.ingress = .all }
        if types.contains(.egress) { policy.egress = .all }
        for (direction, items) in [(Rule.Direction.ingress, ingress), (.egress, egress)] {
            var rules: [Rule] = []
            for (index, item) in items.enumerated() {
                rules.append(try rule(item, direction, index + 1, number: policy.rules.count + index + 1))
            }
            if types.contains(direction) {
                policy.rules += rules
            } else if let first = items.first {
                ledger.ignore(
                    first.place,
                    "the \(direction) rules of NetworkPolicy \(policy.name): policyTypes does not name \(direction.typeName), so that "
                        + "they have no effect")
            }
        }
        return policy
    }

    /// The directions that the policy speaks of. Absent, null and empty are the same: ingress, and egress where there are rules for it.
    private func policyTypes(_ spec: YAMLMapping?, hasEgressRules: Bool) throws(PolicyError) -> Set<Rule.Direction> {
        let items = try spec?.given("policyTypes")?.list("policyTypes") ?? []
        guard !items.isEmpty else { return hasEgressRules ? [.ingress, .egress] : [.ingress] }
        guard items.count <= 2 else { throw items[2].error("policyTypes has more than two items") }
        var types: Set<Rule.Direction> = []
        for item in items {
            let text = try item.text("an item of policyTypes")
            guard let type = Rule.Direction.allCases.first(where: { $0.typeName == text }) else {
                throw item.error(
                    "an item of policyTypes must be Ingress or Egress, not \"\(text)\"",
                    remedy: Spelling.remedy(text, among: ["Ingress", "Egress"]))
            }
            types.insert(type)
        }
        return types
    }
}

extension Rule.Direction {
    /// Its name in `policyTypes`.
    var typeName: String { self == .ingress ? "Ingress" : "Egress" }
    /// The key of its peers.
    var peersKey: String { self == .ingress ? "from" : "to" }
}
