// SPDX-License-Identifier: Apache-2.0
public import Policy

/// The objects of a text, in its order: one or several YAML documents, each with `apiVersion: bulkhead/v1`, `kind`, `metadata` and
/// `spec`. Nothing is ignored: throws with everything that is not understood, each with its place, `PolicyError.most` at most.
/// Documents of a foreign language go to the dialect that claims them; without one they are refused.
public func decode(
    _ text: String, file: String, dialects: [any ForeignDialect] = [], limits: YAMLReader.Limits = YAMLReader.Limits()
) throws(PolicyError) -> [Document] {
    var whole = Loader.Limits()
    whole.file = limits
    var reader = SetReader(dialects: dialects, limits: whole)
    try reader.read(text, file)
    return try reader.finish().documents
}

/// What the metadata of every object says.
struct Metadata {
    var name: ObjectName
    var labels: [String: String]
}

/// Reads one document: all of it, also behind what is not understood.
struct DocumentDecoder {
    static let version = "bulkhead/v1"

    let root: YAMLMapping
    let metadata: Metadata
    let spec: YAMLMapping
    let kind: String
    /// What is wrong around the spec's values.
    private let faults: Faults

    init(_ value: YAMLValue) throws(PolicyError) {
        let known = try Self.form(of: value)
        kind = known.kind
        var faults = Faults()
        root = try value.mapping("a document", Forms.document(known.spec), &faults)
        let metadata = faults.require("metadata", of: root) { (value) throws(PolicyError) in
            try Self.metadata(value, isNamespaced: known.isNamespaced)
        }
        self.metadata = metadata ?? Metadata(name: ObjectName("?"), labels: [:])
        let article = "AEIOU".contains(known.kind.first ?? "?") ? "an" : "a"
        let empty = YAMLValue(place: root.place, content: .mapping([]))
        do throws(PolicyError) {
            spec = try (root["spec"] ?? empty).mapping("the spec of \(article) \(known.kind)", known.spec, &faults)
        } catch {
            faults.add(error)
            try faults.check()
            throw error
        }
        self.faults = faults
    }

    /// What a document says that it is; without that nothing else of it can be understood.
    private static func form(of value: YAMLValue) throws(PolicyError) -> Forms.Kind {
        let outside = try YAMLMapping(any: value, "a document")
        let version = try outside.required("apiVersion")
        guard try version.text("apiVersion") == Self.version else {
            throw version.error("apiVersion must be \(Self.version), not \(version.kind)")
        }
        let kind = try outside.required("kind")
        let name = try kind.text("kind")
        guard let known = Forms.kinds.first(where: { $0.kind == name }) else {
            let kinds = Forms.kinds.map(\.kind)
            throw kind.error(
                "there is no kind \"\(name)\"",
                remedy: Spelling.remedy(name, among: kinds) ?? "there are \(kinds.joined(separator: ", "))")
        }
        return known
    }

    /// The object. Throws with everything of the document that is not understood.
    func document() throws(PolicyError) -> Document {
        let object: Document
        do throws(PolicyError) {
            object = try self.object()
        } catch {
            var faults = faults
            faults.add(error)
            try faults.check()
            throw error
        }
        try faults.check()
        return object
    }

    private func object() throws(PolicyError) -> Document {
        switch kind {
        case "Zone": return .zone(try zone())
        case "Workload": return .workload(try workload())
        case "Namespace": return .namespace(try namespace())
        case "ServiceAccount":
            return .serviceAccount(ServiceAccount(name: metadata.name, labels: metadata.labels, place: root.place))
        case "AddressSet": return .addressSet(try addressSet())
        case "Entity": return .entity(try entity())
        case "Tier": return .tier(try tier())
        default: return .policy(try PolicyDecoder(spec: spec, metadata: metadata, place: root.place).policy())
        }
    }

    private static func metadata(_ value: YAMLValue, isNamespaced: Bool) throws(PolicyError) -> Metadata {
        var faults = Faults()
        let fields = try value.mapping("metadata", Forms.metadata(isNamespaced: isNamespaced), &faults)
        let name = faults.require("name", of: fields) { (value) throws(PolicyError) in try value.name("metadata.name") }
        let namespace = faults.read(fields["namespace"]) { (value) throws(PolicyError) in
            try value.name("metadata.namespace")
        }
        let labels = faults.read(fields["labels"]) { (value) throws(PolicyError) in try value.labels("metadata.labels") }
        try faults.check()
        return Metadata(name: ObjectName(name ?? "?", namespace: namespace), labels: labels ?? [:])
    }
}
