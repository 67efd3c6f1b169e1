// SPDX-License-Identifier: Apache-2.0
public import Policy

/// A document of a foreign policy language: read as YAML, with all its places, and not looked into.
public struct ForeignDocument: Sendable {
    /// Its `apiVersion`, as `networking.k8s.io/v1`.
    public let apiVersion: String
    /// Its `kind`.
    public let kind: String
    /// The whole of it, `apiVersion` and `kind` included.
    public let value: YAMLValue

    /// Where it stands.
    public var place: Place { value.place }

    /// A document.
    public init(apiVersion: String, kind: String, value: YAMLValue) {
        self.apiVersion = apiVersion
        self.kind = kind
        self.value = value
    }
}

/// What foreign documents become.
public struct ForeignReading: Sendable {
    /// The objects, marked as imported.
    public var documents: [Document]
    /// What the documents say and the objects do not, where that was asked for; a reader that is not told to lose anything throws.
    public var losses: [PolicyError]

    /// What was read.
    public init(documents: [Document] = [], losses: [PolicyError] = []) {
        self.documents = documents
        self.losses = losses
    }
}

/// Reads the documents of one or several foreign languages. The loader hands it everything that it claims in one call, because such
/// documents explain each other: a policy needs the namespaces, a service the pods behind it.
public protocol ForeignDialect: Sendable {
    /// Whether documents of this `apiVersion` and `kind` are its own, also those that it will refuse.
    func claims(apiVersion: String, kind: String) -> Bool

    /// The objects that the documents, all of which it claimed, stand for. Throws with the place of what cannot be imported whole.
    func read(_ documents: [ForeignDocument]) throws(PolicyError) -> ForeignReading
}
