// SPDX-License-Identifier: Apache-2.0
public import Classifier
public import Policy

/// Why a set cannot be compiled. The generation that was in force stays in force.
public enum CompileError: Error, Equatable, Sendable {
    /// More than fits: what, how many are needed, how many there may be.
    case capacity(what: String, needed: Int, limit: Int)
    /// The image could not be laid out.
    case image(SnapshotError)
    /// The set contradicts the configuration, or names a zone that nothing declares.
    case policy(PolicyError)
    /// The configuration places a zone that no document declares, though some are declared.
    case unknownZone(String, remedy: String?)
}

extension CompileError: CustomStringConvertible {
    /// One sentence, with the figure that broke.
    public var description: String {
        switch self {
        case .capacity(let what, let needed, let limit): "too many \(what): \(needed) needed, \(limit) is the limit"
        case .image(let error): "\(error)"
        case .policy(let error): "\(error)"
        case .unknownZone(let name, let remedy):
            "the configuration places zone \"\(name)\", which no Zone document declares" + (remedy.map { "; \($0)" } ?? "")
        }
    }
}

/// How much a set may need before it is refused.
public struct CompileLimits: Sendable {
    /// Classes of the image, the combinations of labels, prefixes and zones included.
    public var classes = 1 << 22
    /// Bytes of the image.
    public var bytes = 1 << 30
    /// Rules looked at while service tables are made, each rule once for each table in which it speaks: some seconds of work.
    public var work = 10_000_000
    /// Combinations of services and leases of address sets that one rule can tell apart.
    static let conditions = 4_096
    /// The usual limits.
    public init() {}
}
