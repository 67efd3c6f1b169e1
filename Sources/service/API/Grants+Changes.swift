// SPDX-License-Identifier: Apache-2.0
public import Policy
internal import PolicyText

extension Grants {
    /// Why a change from one set of documents to another is not theirs, with each document that is out of their ranges; `nil` where
    /// they may. A document changes when it comes, goes, or says something else than before; where it is written does not matter.
    ///
    /// An editor's range is policies of one namespace in some tiers. A policy that leaves or enters a range needs both: what it was and
    /// what it becomes. So nobody takes a policy out of the operator's tier, or brings one there.
    public func refusal(changing old: [Document], to new: [Document]) -> Refusal? {
        guard !isAdministrator else { return nil }
        guard !edits.isEmpty else {
            return Refusal(.forbidden, "changing policies needs the role editor or administrator")
        }
        let (before, after) = (Self.keyed(old), Self.keyed(new))
        var faults: [String] = []
        for document in new {
            let earlier = before[Key(document)]
            guard earlier?.yaml != document.yaml else { continue }
            if let fault = [earlier, document].compactMap({ $0.flatMap(fault) }).first {
                faults.append("\(document.place): \(fault)")
            }
        }
        for document in old where after[Key(document)] == nil {
            if let fault = fault(document) { faults.append("\(document.place): \(fault), and the change would remove it") }
        }
        guard !faults.isEmpty else { return nil }
        return Refusal(
            .forbidden, "the change reaches beyond what \(ranges) may edit; nothing was changed", faults: faults)
    }

    /// The one namespace that an editor may edit, which an apply without a namespace then means; `nil` where there are several, or none,
    /// or no bounds.
    public var onlyNamespace: String? {
        let names = Set(edits.map(\.namespace))
        return isAdministrator || names.count != 1 ? nil : names.first
    }

    /// Why a document lies beyond every range; `nil` where one holds it.
    private func fault(_ document: Document) -> String? {
        guard case .policy(let policy) = document else {
            return "\(document.kind) \"\(document.name)\" is no policy, and only an administrator changes those"
        }
        guard let namespace = policy.name.namespace else {
            return "policy \"\(policy.name)\" is of no namespace"
        }
        let mine = edits.filter { $0.namespace == namespace }
        guard !mine.isEmpty else { return "policy \"\(policy.name)\" is of another namespace" }
        guard !mine.contains(where: { $0.holds(tier: policy.tier) }) else { return nil }
        return "policy \"\(policy.name)\" is in tier \"\(policy.tier)\""
    }

    private var ranges: String {
        edits.map { "\($0.namespace) (\($0.tiers.isEmpty ? Tier.defaultName : $0.tiers.sorted().joined(separator: ", ")))" }
            .sorted().joined(separator: "; ")
    }

    private static func keyed(_ documents: [Document]) -> [Key: Document] {
        Dictionary(documents.map { (Key($0), $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// What makes two documents versions of one.
    private struct Key: Hashable {
        var kind: String
        var name: ObjectName

        init(_ document: Document) {
            kind = document.kind
            name = document.name
        }
    }
}

extension Grants.Edit {
    fileprivate func holds(tier: String) -> Bool { tiers.isEmpty ? tier == Tier.defaultName : tiers.contains(tier) }
}
