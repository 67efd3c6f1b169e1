// SPDX-License-Identifier: Apache-2.0

/// What a text must look like.
public enum TextPattern: Hashable, Sendable, CustomStringConvertible {
    /// It is this one.
    case exact(String)
    /// It starts like this.
    case prefix(String)
    /// It ends like this.
    case suffix(String)
    /// It is there and not empty.
    case present
    /// The whole of it matches this extended regular expression (POSIX 1003.1, 9.4).
    case expression(String)
    /// A path in which `{*}` stands for one segment and `{**}` for the rest.
    case template(String)

    /// Whether a text looks so; `nil` for what only a layer-7 program can judge (`expression` and `template`).
    public func matches(_ text: String?) -> Bool? {
        switch self {
        case .exact(let wanted): text == wanted
        case .prefix(let part): text?.utf8.starts(with: part.utf8) ?? false
        case .suffix(let part): text?.utf8.reversed().starts(with: part.utf8.reversed()) ?? false
        case .present: !(text?.isEmpty ?? true)
        case .expression, .template: nil
        }
    }

    /// As the programs of other languages write it.
    public var description: String {
        switch self {
        case .exact(let text), .template(let text): text
        case .prefix(let text): text + "*"
        case .suffix(let text): "*" + text
        case .present: "*"
        case .expression(let text): "/\(text)/"
        }
    }
}

/// Who somebody is, said by an account, and how sure one must be of it.
public struct Principal: Hashable, Sendable, CustomStringConvertible {
    /// How sure one must be, the surest last.
    public enum Assurance: String, Hashable, Sendable, CaseIterable, Comparable {
        /// The inventory says that the address belongs to a workload with the account.
        case inventory
        /// Besides, the workload names its hardware addresses and speaks in a zone where they bind.
        case bound
        /// It was proved by a certificate.
        case certificate

        /// By how sure it is.
        public static func < (a: Assurance, b: Assurance) -> Bool {
            guard let left = allCases.firstIndex(of: a), let right = allCases.firstIndex(of: b) else { return false }
            return left < right
        }
    }

    /// It looks like one of these; not asked where absent.
    public var names: [TextPattern]?
    /// It looks like none of these, which also holds for who has no account.
    public var notNames: [TextPattern]?
    /// How sure one must be; who is less sure counts as without an account.
    public var assurance: Assurance

    /// The trust domain of accounts that this inventory knows.
    public static let trustDomain = "cluster.local"

    /// A principal.
    public init(names: [TextPattern]? = nil, notNames: [TextPattern]? = nil, assurance: Assurance = .inventory) {
        self.names = names
        self.notNames = notNames
        self.assurance = assurance
    }

    /// The text that patterns look at, in the form of SPIFFE without its scheme: `cluster.local/ns/NAMESPACE/sa/ACCOUNT`; `nil` for a
    /// workload without an account.
    public static func text(of workload: Workload) -> String? {
        workload.serviceAccount.map { "\(trustDomain)/ns/\(workload.name.namespace ?? "")/sa/\($0)" }
    }

    /// Whether it holds for somebody with this text, known with this assurance.
    public func matches(_ text: String?, assurance known: Assurance) -> Bool {
        let text = known < assurance ? nil : text
        let isNamed = names?.contains { $0.matches(text) ?? false } ?? true
        return isNamed && !(notNames?.contains { $0.matches(text) ?? false } ?? false)
    }

    /// For reports.
    public var description: String {
        let parts = [
            names.map { "names: [\($0.map(\.description).joined(separator: ", "))]" },
            notNames.map { "notNames: [\($0.map(\.description).joined(separator: ", "))]" }, "assurance: \(assurance.rawValue)",
        ]
        return "{\(parts.compactMap { $0 }.joined(separator: ", "))}"
    }
}
