// SPDX-License-Identifier: Apache-2.0
internal import Policy
internal import PolicyText

/// Reads Kubernetes objects as `kubectl get -o yaml` and `-o json` print them, or as manifests say them: NetworkPolicy v1 as policy,
/// Namespace, ServiceAccount and Pod as inventory, and lists of these. Any other kind would be lost, and is refused unless that is
/// allowed.
struct KubernetesReader {
    /// What may stand on an object's first level; a status is what the cluster says, and is read of pods alone.
    static let keys = ["apiVersion", "kind", "metadata", "spec", "status"]
    private static let version = "v1"
    private static let networking = "networking.k8s.io/v1"
    /// Kinds that are read, and the version each has.
    private static let kinds = [
        "Namespace": version, "Pod": version, "ServiceAccount": version, "NetworkPolicy": networking, "List": version,
        "NamespaceList": version, "PodList": version, "ServiceAccountList": version, "NetworkPolicyList": networking,
    ]

    private(set) var ledger: Ledger
    private var documents: [Document] = []
    private var faults: [PolicyError] = []
    /// Pods wait for the policies, because whether a port's name is in doubt matters only where one of them asks for it.
    private var pods: [YAMLMapping] = []
    private var portNames: Set<String> = []

    init(_ ledger: Ledger) { self.ledger = ledger }

    /// The native documents of all these objects; throws with everything that is wrong in them.
    mutating func documents(of values: [YAMLValue]) throws(PolicyError) -> [Document] {
        for value in values { read(value, listed: nil) }
        for pod in pods {
            trying { reader throws(PolicyError) in
                let workload = try PodReader(root: pod, portNames: reader.portNames).workload(&reader.ledger)
                reader.documents.append(.workload(workload))
            }
        }
        if let error = PolicyError(faults) { throw error }
        return documents
    }

    /// Goes on behind what is wrong.
    private mutating func trying(_ work: (inout KubernetesReader) throws(PolicyError) -> Void) {
        do throws(PolicyError) {
            try work(&self)
        } catch {
            faults += error.all
        }
    }

    /// Reads an object, or all objects of a list, to which a typed list gives the kind where they do not name theirs.
    private mutating func read(_ value: YAMLValue, listed: String?) {
        trying { reader throws(PolicyError) in
            let (kind, version) = try reader.identity(of: value, listed)
            guard Self.kinds[kind] == version else { return try reader.refuse(kind, version, value.place) }
            guard !kind.hasSuffix("List") else { return try reader.items(of: value, kind) }
            try reader.object(value, kind)
        }
    }

    private mutating func object(_ value: YAMLValue, _ kind: String) throws(PolicyError) {
        guard kind != "ServiceAccount" else {
            let keys = ["apiVersion", "kind", "metadata", "secrets", "imagePullSecrets", "automountServiceAccountToken"]
            let root = try value.mapping("a ServiceAccount", keys: keys)
            let metadata = try KubernetesMetadata(root, isNamespaced: true)
            documents.append(
                .serviceAccount(
                    ServiceAccount(name: metadata.objectName, labels: metadata.labels, isImported: true, place: root.place)))
            return
        }
        let root = try value.mapping("a \(kind)", keys: Self.keys)
        switch kind {
        case "Namespace": documents.append(.namespace(try namespace(root)))
        case "Pod": pods.append(root)
        default:
            let policy = try NetworkPolicyReader(root: root).policy(&ledger)
            for rule in policy.rules { portNames.formUnion(rule.services?.names ?? []) }
            documents.append(.policy(policy))
        }
    }

    private func identity(of value: YAMLValue, _ listed: String?) throws(PolicyError) -> (kind: String, version: String) {
        let entries = try value.dictionary("an object")
        let kind = entries.first { $0.key == "kind" }?.value
        let version = entries.first { $0.key == "apiVersion" }?.value
        if kind == nil, version == nil, let listed { return (listed, Self.kinds[listed] ?? Self.version) }
        guard let kind, let version else {
            throw value.error("an object needs the key \"\(kind == nil ? "kind" : "apiVersion")\"")
        }
        return (try kind.text("kind"), try version.text("apiVersion"))
    }

    private mutating func refuse(_ kind: String, _ version: String, _ place: Place) throws(PolicyError) {
        if let known = Self.kinds[kind] {
            throw PolicyError(place, "\(kind) of \(version) is not read", remedy: "write it as \(known)")
        }
        try ledger.lose(
            place, "\(kind) of \(version) is no kind that is imported",
            remedy: Spelling.remedy(kind, among: Self.kinds.keys.sorted()) ?? "take it out")
    }

    private mutating func items(of value: YAMLValue, _ kind: String) throws(PolicyError) {
        let root = try value.mapping("a \(kind)", keys: ["apiVersion", "kind", "metadata", "items"])
        let metadata = ["continue", "remainingItemCount", "resourceVersion", "selfLink"]
        _ = try root.given("metadata")?.mapping("metadata", keys: metadata)
        let listed = kind == "List" ? nil : String(kind.dropLast("List".count))
        for item in try root.given("items")?.list("items") ?? [] { read(item, listed: listed) }
    }

    private func namespace(_ root: YAMLMapping) throws(PolicyError) -> Namespace {
        let metadata = try KubernetesMetadata(root, isNamespaced: false)
        _ = try root.given("spec")?.mapping("the spec of a Namespace", keys: ["finalizers"])
        return .imported(metadata.name, labels: metadata.labels, place: root.place)
    }
}
