// SPDX-License-Identifier: Apache-2.0
internal import Policy
internal import PolicyText

/// What an object's metadata says to policy: name, namespace and labels.
struct KubernetesMetadata {
    /// Fields that say nothing to policy.
    static let ignored = [
        "annotations", "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "finalizers", "generateName",
        "generation", "managedFields", "ownerReferences", "resourceVersion", "selfLink", "uid",
    ]
    /// Where objects are whose metadata names no namespace, as `kubectl` has it.
    static let defaultNamespace = "default"

    var name: String
    var namespace: String?
    var labels: [String: String]

    /// Reads it; only objects that live in a namespace have one.
    init(_ root: YAMLMapping, isNamespaced: Bool) throws(PolicyError) {
        let fields = try root.required("metadata").mapping("metadata", keys: ["name", "namespace", "labels"] + Self.ignored)
        let name = try fields.required("name")
        // A namespace's name is an RFC 1123 label, everything else's a subdomain.
        self.name =
            isNamespaced
            ? try KubernetesNames.subdomain(name, "metadata.name") : try KubernetesNames.label(name, "metadata.name")
        if isNamespaced {
            let value = fields.given("namespace")
            namespace = try value.map { value throws(PolicyError) in try KubernetesNames.label(value, "metadata.namespace") }
            namespace = namespace ?? Self.defaultNamespace
        } else if let value = fields.given("namespace") {
            throw value.error("a Namespace lives in no namespace", remedy: "remove the key")
        }
        labels =
            try fields.given("labels").map { value throws(PolicyError) in try KubernetesNames.labels(value, "metadata.labels") }
            ?? [:]
    }

    /// The name in its namespace.
    var objectName: ObjectName { ObjectName(name, namespace: namespace) }
}
