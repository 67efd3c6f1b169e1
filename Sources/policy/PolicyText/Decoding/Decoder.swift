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

/// Reads one document.
struct DocumentDecoder {
    static let version = "bulkhead/v1"

    let root: YAMLMapping
    let metadata: Metadata
    let spec: YAMLMapping
    let kind: String

    init(_ value: YAMLValue) throws(PolicyError) {
        let outside = try YAMLMapping(any: value, "a document")
        let version = try outside.required("apiVersion")
        guard try version.text("apiVersion") == Self.version else {
            throw version.error("apiVersion must be \(Self.version), not \(version.kind)")
        }
        let kindValue = try outside.required("kind")
        let name = try kindValue.text("kind")
        guard let known = Forms.kinds.first(where: { $0.kind == name }) else {
            let kinds = Forms.kinds.map(\.kind)
            throw kindValue.error(
                "there is no kind \"\(name)\"",
                remedy: Spelling.remedy(name, among: kinds) ?? "there are \(kinds.joined(separator: ", "))")
        }
        kind = known.kind
        root = try value.mapping("a document", Forms.document(known.spec))
        metadata = try Self.metadata(try root.required("metadata"), isNamespaced: known.isNamespaced)
        let article = "AEIOU".contains(known.kind.first ?? "?") ? "an" : "a"
        let what = "the spec of \(article) \(known.kind)"
        let empty = YAMLValue(place: root.place, content: .mapping([]))
        spec = try (root["spec"] ?? empty).mapping(what, known.spec)
    }

    func document() throws(PolicyError) -> Document {
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
        let fields = try value.mapping("metadata", Forms.metadata(isNamespaced: isNamespaced))
        let name = try fields.required("name").name("metadata.name")
        let namespace = try fields["namespace"]?.name("metadata.namespace")
        return Metadata(
            name: ObjectName(name, namespace: namespace), labels: try fields["labels"]?.labels("metadata.labels") ?? [:])
    }
}
