// SPDX-License-Identifier: Apache-2.0
public import Policy
internal import PolicyText

/// Documents as text that can be kept and sent, and what the language's normal form does not hold of them: where they were written, and
/// whether they were imported, by which the defaults of namespaces go that are only named.
public struct WrittenDocuments: Codable, Sendable {
    /// Where a document was written, and each rule of it.
    public struct Written: Codable, Hashable, Sendable {
        /// `file:line:column`.
        public var place: String
        /// The same for each of its rules; none for what is no policy.
        public var rules: [String]
        /// Whether it came from a foreign language; absent where it did not.
        public var imported: Bool?
        /// Whether it is a workload of a list of machines; absent where not.
        public var inventoried: Bool?
    }

    /// All documents in the normal form, as YAML.
    public var text: String
    /// Where each of them was written, in the same order.
    public var written: [Written]

    /// A text and its places.
    public init(text: String, written: [Written]) {
        self.text = text
        self.written = written
    }

    /// The text of documents.
    public init(_ documents: [Document]) {
        text = documents.map(\.yaml).joined(separator: "---\n")
        written = documents.map { document in
            var rules: [String] = []
            if case .policy(let policy) = document { rules = policy.rules.map(\.place.description) }
            var written = Written(place: document.place.description, rules: rules)
            if document.isImported { written.imported = true }
            if case .workload(let workload) = document, workload.isInventoried { written.inventoried = true }
            return written
        }
    }

    /// The documents at their places; `name` is what stands in errors of the text. Throws where the text is of another version's language.
    public func documents(from name: String) throws(PolicyError) -> [Document] {
        let read = try decode(text, file: name)
        guard read.count == written.count else { return read }
        return zip(read, written).map { $0.placed($1) }
    }
}

extension Place {
    /// The place of a text that `description` wrote; `nil` for any other.
    fileprivate init?(written text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count >= 3, let line = Int(parts[parts.count - 2]), let column = Int(parts[parts.count - 1]) else {
            return nil
        }
        self.init(file: parts[..<(parts.count - 2)].joined(separator: ":"), line: line, column: column)
    }
}

extension Document {
    /// The same document at the place where it was written, and as imported as it was.
    fileprivate func placed(_ written: WrittenDocuments.Written) -> Document {
        guard let place = Place(written: written.place) else { return self }
        let isImported = written.imported ?? false
        switch self {
        case .zone(var zone):
            zone.place = place
            return .zone(zone)
        case .workload(var workload):
            (workload.place, workload.isImported) = (place, isImported)
            workload.isInventoried = written.inventoried ?? false
            return .workload(workload)
        case .namespace(var namespace):
            (namespace.place, namespace.isImported) = (place, isImported)
            return .namespace(namespace)
        case .serviceAccount(var account):
            (account.place, account.isImported) = (place, isImported)
            return .serviceAccount(account)
        case .addressSet(var set):
            (set.place, set.isImported) = (place, isImported)
            return .addressSet(set)
        case .entity(var entity):
            entity.place = place
            return .entity(entity)
        case .tier(var tier):
            (tier.place, tier.isImported) = (place, isImported)
            return .tier(tier)
        case .policy(var policy):
            (policy.place, policy.isImported) = (place, isImported)
            for (index, text) in written.rules.enumerated() where policy.rules.indices.contains(index) {
                policy.rules[index].place = Place(written: text) ?? policy.rules[index].place
            }
            return .policy(policy)
        }
    }
}
