// SPDX-License-Identifier: Apache-2.0
public import Policy

/// The objects of a text, in its order: one or several YAML documents, each with `apiVersion: bulkhead/v1`, `kind`, `metadata` and
/// `spec`. Nothing is ignored: throws with everything that is not understood, each with its place, `PolicyError.most` at most.
/// Documents of a foreign language go to the dialect that claims them; without one they are refused.
public func decode(
    _ text: String, file: String, dialects: [any ForeignDialect] = [], limits: YAMLReader.Limits = YAMLReader.Limits()
) throws(PolicyError) -> [Document] {
    var reader = SetReader(dialects: dialects, limits: Loader.Limits())
    try reader.read(text, file, limits: limits)
    return try reader.finish().documents
}

/// What the metadata of every object says.
struct Metadata {
    var name: String
    var namespace: String?
    var labels: [String: String]
}

/// Reads one document.
struct DocumentDecoder {
    static let version = "bulkhead/v1"
    static let kinds = ["Zone", "Workload", "Namespace", "Policy"]
    /// Kinds of the language that this form does not enforce.
    static let later = ["ServiceAccount", "AddressSet", "Entity", "Tier"]

    let root: YAMLMapping

    init(_ value: YAMLValue) throws(PolicyError) {
        root = try value.mapping("a document", keys: ["apiVersion", "kind", "metadata", "spec"])
    }

    func document() throws(PolicyError) -> Document {
        let version = try root.required("apiVersion")
        guard try version.text("apiVersion") == Self.version else {
            throw version.error("apiVersion must be \(Self.version), not \(version.kind)")
        }
        let kind = try root.required("kind")
        switch try kind.text("kind") {
        case "Zone": return .zone(try zone())
        case "Workload": return .workload(try workload())
        case "Namespace": return .namespace(try namespace())
        case "Policy": return .policy(try PolicyDecoder(root: root, metadata: try metadata(isNamespaced: true)).policy())
        case let name where Self.later.contains(name):
            throw kind.error("kind \(name) is not enforced yet", remedy: "remove the document")
        case let name:
            throw kind.error(
                "there is no kind \"\(name)\"",
                remedy: Spelling.remedy(name, among: Self.kinds + Self.later)
                    ?? "there are \(Self.kinds.joined(separator: ", "))")
        }
    }

    private func metadata(isNamespaced: Bool) throws(PolicyError) -> Metadata {
        let keys = ["name", "labels"] + (isNamespaced ? ["namespace"] : [])
        let fields = try root.required("metadata").mapping("metadata", keys: keys)
        let name = try Self.name(try fields.required("name"), "metadata.name")
        var namespace: String?
        if let value = fields["namespace"] { namespace = try Self.name(value, "metadata.namespace") }
        return Metadata(name: name, namespace: namespace, labels: try fields["labels"]?.labels("metadata.labels") ?? [:])
    }

    /// A name: letters, digits, `.`, `_` and `-`, starting and ending with a letter or a digit, at most 253 of them.
    static func name(_ value: YAMLValue, _ what: String) throws(PolicyError) -> String {
        let text = try value.text(what)
        let isWord: (Unicode.Scalar) -> Bool = {
            ("a"..."z").contains($0) || ("A"..."Z").contains($0) || ("0"..."9").contains($0)
        }
        let scalars = text.unicodeScalars
        guard let first = scalars.first, let last = scalars.last, isWord(first), isWord(last), scalars.count <= 253,
            scalars.allSatisfy({ isWord($0) || "._-".unicodeScalars.contains($0) })
        else {
            throw value.error(
                "\(what) \"\(text)\" is no name", remedy: "use letters, digits, \".\", \"_\" and \"-\", 253 at most")
        }
        return text
    }

    /// The spec's mapping; an absent one has no keys.
    static func spec(_ root: YAMLMapping, _ kind: String, keys: [String], later: [String] = []) throws(PolicyError) -> YAMLMapping
    {
        guard let value = root["spec"] else {
            return YAMLMapping(place: root.place, what: "the spec of a \(kind)", entries: [])
        }
        let spec = try value.mapping("the spec of a \(kind)", keys: keys + later)
        for key in later where spec[key] != nil {
            throw PolicyError(spec.place(of: key), "\"\(key)\" of a \(kind) is not enforced yet", remedy: "remove it")
        }
        return spec
    }

    private func zone() throws(PolicyError) -> Zone {
        let metadata = try metadata(isNamespaced: false)
        let spec = try Self.spec(root, "Zone", keys: ["unjudged"], later: ["on-link", "dhcp-server"])
        var zone = Zone(name: metadata.name, labels: metadata.labels, place: root.place)
        guard let unjudged = spec["unjudged"] else { return zone }
        if case .mapping = unjudged.content {
            for entry in try unjudged.dictionary("unjudged") {
                zone.unjudged[entry.key] = try entry.value.choice("unjudged towards \(entry.key)", of: Setting.self)
            }
        } else {
            zone.unjudgedElsewhere = try unjudged.choice("unjudged", of: Setting.self)
        }
        return zone
    }

    private func namespace() throws(PolicyError) -> Namespace {
        let metadata = try metadata(isNamespaced: false)
        let spec = try Self.spec(root, "Namespace", keys: ["defaults"])
        var namespace = Namespace(name: metadata.name, labels: metadata.labels, place: root.place)
        if let defaults = try spec["defaults"]?.mapping("defaults", keys: ["ingress", "egress"]) {
            if let value = defaults["ingress"] { namespace.ingress = try value.choice("ingress", of: Setting.self) }
            if let value = defaults["egress"] { namespace.egress = try value.choice("egress", of: Setting.self) }
        }
        return namespace
    }

    private func workload() throws(PolicyError) -> Workload {
        let metadata = try metadata(isNamespaced: true)
        let spec = try Self.spec(
            root, "Workload", keys: ["addresses", "zones", "serviceAccount", "services"], later: ["mac"])
        var workload = Workload(
            name: ObjectName(metadata.name, namespace: metadata.namespace), labels: metadata.labels, place: root.place)
        if let account = spec["serviceAccount"] { workload.serviceAccount = try Self.name(account, "serviceAccount") }
        if let value = spec["addresses"] { workload.addresses = try value.prefixes("addresses") }
        if let value = spec["zones"] {
            workload.zones = try value.texts("zones")
            guard !workload.zones.isEmpty else {
                throw value.error("zones is empty, so that the workload may appear nowhere", remedy: "leave the key out")
            }
        }
        for entry in try spec["services"]?.dictionary("services") ?? [] {
            let name = try ServiceDecoder.serviceName(entry.key, entry.place)
            guard case .range(let range) = try ServiceDecoder.service(entry.value).destination, range != .any else {
                throw entry.value.error("a named service must be a protocol with numbers, as tcp/5432")
            }
            workload.services[name] = range
        }
        return workload
    }
}
