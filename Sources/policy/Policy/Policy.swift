// SPDX-License-Identifier: Apache-2.0

/// One document of policy: for whom it speaks, its rules in order, and whether it isolates.
public struct Policy: Sendable {
    /// For which services a policy isolates its subject in one direction: what nothing allows is then denied at the tier's end.
    public enum Isolation: Hashable, Sendable {
        /// For none: its rules speak, and the rest goes on to the default.
        case none
        /// For all.
        case all
        /// For these, none of which is named.
        case services(ServiceList)

        /// Whether a run of services is isolated as a whole.
        public func contains(_ service: ServiceRange) -> Bool {
            switch self {
            case .none: false
            case .all: true
            case .services(let list):
                list.services.compactMap { $0.range(named: [:]) }
                    .contains { $0.first <= service.first && service.end <= $0.end }
            }
        }
    }

    /// Whether a policy or a rule decides, or only reports what it would have decided.
    public enum Mode: String, Sendable, CaseIterable {
        /// It decides.
        case enforce
        /// It reports, and evaluation goes on as if it were absent.
        case audit
    }

    /// What becomes of live connections that it admitted when it stops admitting them.
    public enum Change: Hashable, Sendable {
        /// They are judged again on their next frame.
        case reevaluate
        /// They go on until they end.
        case keep
        /// They go on for so many seconds.
        case drain(seconds: UInt32)
        /// They are reset.
        case reset
    }

    /// Its name; global where it has no namespace, and else speaking only for workloads of that namespace.
    public var name: ObjectName
    /// Its tier's name.
    public var tier: String
    /// Its place in the tier, smaller first; without one it comes last.
    public var order: Double?
    /// The workloads it speaks for.
    public var subject: Term
    /// Whether it isolates them from connections to them.
    public var ingress: Isolation
    /// Whether it isolates them from connections of theirs.
    public var egress: Isolation
    /// Whether it decides.
    public var mode: Mode
    /// Unix seconds from which on it is as if absent.
    public var expires: UInt64?
    /// What a change does to connections that its rules admitted.
    public var change: Change
    /// Its rules, in order.
    public var rules: [Rule]
    /// Where it is written.
    public var place: Place

    /// The built-in tier.
    public static let defaultTier = "default"

    /// A policy that says nothing yet.
    public init(name: ObjectName, subject: Term = Term(), rules: [Rule] = [], place: Place = .nowhere) {
        self.name = name
        tier = Policy.defaultTier
        self.subject = subject
        ingress = .none
        egress = .none
        mode = .enforce
        change = .reevaluate
        self.rules = rules
        self.place = place
    }

    /// Whether it comes before another policy of its tier: by order, then by name.
    public func comes(before other: Policy) -> Bool {
        let (mine, others) = (order ?? .infinity, other.order ?? .infinity)
        return mine != others ? mine < others : name < other.name
    }
}

/// One sentence of a policy.
public struct Rule: Sendable {
    /// What it does with what it matches.
    public enum Action: String, Sendable, CaseIterable {
        /// The layer lets it pass.
        case allow
        /// Dropped in silence.
        case deny
        /// Dropped, and the sender told.
        case reject
        /// Leaves the tier.
        case pass
    }

    /// Which side of a connection the rule judges.
    public enum Direction: Hashable, Sendable, CaseIterable {
        /// Connections to the subject; the peers are `from`.
        case ingress
        /// Connections of the subject; the peers are `to`.
        case egress
    }

    /// Its name, if it has one.
    public var name: String?
    /// Its place in the policy's list, from 1.
    public var number: Int
    /// What it does.
    public var action: Action
    /// Which side it judges.
    public var direction: Direction
    /// The other end: one of these terms must match. Empty matches nothing.
    public var peers: [Term]
    /// The services it speaks of; all where absent.
    public var services: ServiceList?
    /// Services that it leaves out.
    public var notServices: ServiceList?
    /// Whether it decides.
    public var mode: Policy.Mode
    /// Unix seconds from which on it is as if absent.
    public var expires: UInt64?
    /// Where it is written.
    public var place: Place

    /// A rule.
    public init(number: Int, action: Action, direction: Direction, peers: [Term], place: Place = .nowhere) {
        self.number = number
        self.action = action
        self.direction = direction
        self.peers = peers
        mode = .enforce
        self.place = place
    }

    /// Its name, or its place in the list.
    public var label: String { name ?? String(number) }
}
