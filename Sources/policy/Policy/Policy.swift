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

    /// The longest time that connections may drain, in seconds: what a flow's entry has room for.
    public static let longestDrain: UInt32 = 65_535

    /// Whether what a rule lets through becomes a flow.
    public enum Tracking: String, Sendable, CaseIterable {
        /// It does: replies and related errors follow.
        case flow
        /// Every frame is judged by itself, and replies need rules of their own.
        case none
    }

    /// Who answers for a policy, in their own words.
    public struct Responsibility: Hashable, Sendable {
        /// Who owns it.
        public var owner: String?
        /// The ticket that asked for it.
        public var ticket: String?
        /// Why it is there.
        public var reason: String?
        /// Nobody said.
        public init(owner: String? = nil, ticket: String? = nil, reason: String? = nil) {
            self.owner = owner
            self.ticket = ticket
            self.reason = reason
        }
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
    /// Who answers for it.
    public var responsibility: Responsibility
    /// Whether it comes from a foreign dialect: a namespace that only such objects name has the imported defaults.
    public var isImported: Bool
    /// Where it is written.
    public var place: Place

    /// The built-in tier's name.
    public static let defaultTier = Tier.defaultName

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
        responsibility = Responsibility()
        isImported = false
        self.place = place
    }

    /// For which services it isolates in a direction.
    public func isolates(_ direction: Rule.Direction) -> Isolation { direction == .ingress ? ingress : egress }

    /// Why a candidate is not a subject of the policy; empty where it is. Only a workload, or
    /// the box itself, can be one: an address set is never isolated.
    public func failures(ofSubject candidate: Term.Candidate) -> [String] {
        guard candidate.workload != nil || candidate.isHost else { return ["entities: [known]"] }
        var own = candidate
        own.addressSets = []
        let failed = subject.failures(of: own, scope: name.namespace)
        guard let namespace = name.namespace, candidate.workload?.name.namespace != namespace else { return failed }
        return ["namespace: \(namespace)"] + failed
    }

    /// Whether the policy speaks for a candidate.
    public func speaks(for candidate: Term.Candidate) -> Bool { failures(ofSubject: candidate).isEmpty }

    /// Whether it comes before another policy of its tier: by order, then by name.
    public func comes(before other: Policy) -> Bool {
        let (mine, others) = (order ?? .infinity, other.order ?? .infinity)
        return mine != others ? mine < others : name < other.name
    }
}
