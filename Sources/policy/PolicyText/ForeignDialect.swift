// SPDX-License-Identifier: Apache-2.0
public import Policy

/// A document of a foreign policy language: read as YAML, with all its places, and not looked into.
public struct ForeignDocument: Sendable {
    /// Its `apiVersion`, as `networking.k8s.io/v1`; empty where it says none.
    public let apiVersion: String
    /// Its `kind`; empty where it says none.
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
    /// What has no effect: where it comes from either, or none on what may talk to what.
    public var ignored: [PolicyError]

    /// What was read.
    public init(documents: [Document] = [], losses: [PolicyError] = [], ignored: [PolicyError] = []) {
        self.documents = documents
        self.losses = losses
        self.ignored = ignored
    }
}

/// Reads the documents of one or several foreign languages. The loader hands it everything that it claims in one call, because such
/// documents explain each other: a policy needs the namespaces, a service the pods behind it.
public protocol ForeignDialect: Sendable {
    /// Whether documents of this `apiVersion` and `kind` are its own, also those that it will refuse.
    func claims(apiVersion: String, kind: String) -> Bool

    /// Whether a document that does not say its `apiVersion` and `kind` is its own, by what it holds.
    func claims(_ value: YAMLValue) -> Bool

    /// Whether a file is its own as a whole, by its name, because it is no YAML.
    func claims(file: String) -> Bool

    /// The objects that the documents, all of which it claimed, stand for. Throws with the place of what cannot be imported whole.
    func read(_ documents: [ForeignDocument]) throws(PolicyError) -> ForeignReading

    /// The objects that a file stands for that it claimed.
    func read(_ text: String, file: String) throws(PolicyError) -> ForeignReading
}

/// Most languages are YAML, and say what their documents are.
extension ForeignDialect {
    /// It is not.
    public func claims(_ value: YAMLValue) -> Bool { false }

    /// It is not.
    public func claims(file: String) -> Bool { false }

    /// It claims no file, so that nothing is read.
    public func read(_ text: String, file: String) throws(PolicyError) -> ForeignReading { ForeignReading() }
}
