// SPDX-License-Identifier: Apache-2.0

/// The name of an object: in a namespace, or global.
public struct ObjectName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The namespace; `nil` for what is global.
    public var namespace: String?
    /// The name in it.
    public var name: String

    /// A name, global unless a namespace is given.
    public init(_ name: String, namespace: String? = nil) {
        self.name = name
        self.namespace = namespace
    }

    /// `namespace/name`, or the name alone.
    public var description: String { namespace.map { "\($0)/\(name)" } ?? name }

    /// By name, then by namespace, which is how policies of equal order are ordered.
    public static func < (a: ObjectName, b: ObjectName) -> Bool {
        a.name != b.name ? a.name < b.name : (a.namespace ?? "") < (b.namespace ?? "")
    }
}

/// What holds where no policy says otherwise.
public enum Setting: String, Sendable, CaseIterable {
    /// Denied.
    case deny
    /// Let through, and reported as what would have been denied.
    case audit
    /// Let through.
    case allow
}
