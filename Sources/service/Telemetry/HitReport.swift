// SPDX-License-Identifier: Apache-2.0

/// What `GET /v1/policy/hits` and `bulkhead policy hits --json` answer: every rule in force with the values that it names, how often each
/// was hit, and since when that is counted.
public struct HitReport: Codable, Sendable, Equatable {
    /// A value that a rule names.
    public struct Value: Codable, Sendable, Equatable {
        /// Where the rule names it: `from.cidrs`, `to.selector`, `services`.
        public var field: String
        /// The value, as policies write it.
        public var value: String
        /// Since when it is in force and counted; `nil` where it found no room.
        public var since: String?
        /// Connections that its rule decided and it held for.
        public var hits: UInt64
        /// When first and last; `nil` for never.
        public var first, last: String?
    }

    /// A rule.
    public struct Rule: Codable, Sendable, Equatable {
        /// egress or ingress.
        public var side: String
        /// `namespace/policy`, or the policy alone where it is global.
        public var policy: String
        /// Its name, or its place in the list.
        public var rule: String
        /// allow, deny, reject, pass or log.
        public var action: String
        /// Where it is written.
        public var place: String
        /// Why nothing counts it; `nil` where something does.
        public var note: String?
        /// Since when it is in force and counted; `nil` where it is not.
        public var since: String?
        /// Connections that it decided, or logged.
        public var hits: UInt64
        /// When first and last; `nil` for never.
        public var first, last: String?
        /// The values that it names.
        public var values: [Value]
    }

    /// What is in no count.
    public struct Uncounted: Codable, Sendable, Equatable {
        /// Records that were lost.
        public var lost: UInt64
        /// Refusals that were told as a number only; see `Hits.Uncounted.elsewhere`.
        public var elsewhere: UInt64
        /// Connections of which it cannot be said which rules or values decided.
        public var unknown: UInt64
        /// Hits that found no room.
        public var withoutRoom: UInt64
    }

    /// Which rules are wanted.
    public struct Selection: Sendable {
        /// Only those of this policy.
        public var policy: String?
        /// Only those of this name or number.
        public var rule: String?
        /// Only rules and values that were counted and not hit for so many seconds.
        public var unusedFor: Int64?
        /// All rules.
        public init(policy: String? = nil, rule: String? = nil, unusedFor: Int64? = nil) {
            self.policy = policy
            self.rule = rule
            self.unusedFor = unusedFor
        }
    }

    /// Since when anything is counted; `nil` before there is a policy in force.
    public var began: String?
    /// The time of the answer.
    public var now: String
    /// The rules, in the order in which policies judge.
    public var rules: [Rule]
    /// What is in no count since then.
    public var uncounted: Uncounted
}

extension Hits {
    /// The counters of what is in force.
    public func report(_ selection: HitReport.Selection, at now: Timestamp) -> HitReport {
        func isUnused(_ row: Int?) -> Bool {
            guard let seconds = selection.unusedFor else { return true }
            guard let row = row.map({ rows[$0] }) else { return false }
            let quiet = max(row.since, row.hit?.last ?? row.since)
            return now.nanoseconds - quiet.nanoseconds >= seconds.multipliedReportingOverflow(by: 1_000_000_000).partialValue
        }
        let chosen = inForce.filter { entry in
            selection.policy ?? entry.listed.rule.policy == entry.listed.rule.policy
                && selection.rule ?? entry.listed.rule.rule == entry.listed.rule.rule
        }
        let rules = chosen.compactMap { entry -> HitReport.Rule? in
            let values = zip(entry.listed.values, entry.values).filter { isUnused($1) }.map { told($0, $1) }
            guard isUnused(entry.row) || selection.unusedFor != nil && !values.isEmpty else { return nil }
            return told(entry, values)
        }
        return HitReport(
            began: began?.description, now: now.description, rules: rules,
            uncounted: .init(
                lost: uncounted.lost, elsewhere: uncounted.elsewhere, unknown: uncounted.unknown,
                withoutRoom: uncounted.withoutRoom))
    }

    private func told(_ value: Value, _ row: Int?) -> HitReport.Value {
        let row = row.map { rows[$0] }
        return HitReport.Value(
            field: value.field, value: value.text, since: row?.since.description, hits: row?.hit?.count ?? 0,
            first: row?.hit?.first.description, last: row?.hit?.last.description)
    }

    private func told(_ entry: Entry, _ values: [HitReport.Value]) -> HitReport.Rule {
        let (rule, row) = (entry.listed.rule, entry.row.map { rows[$0] })
        return HitReport.Rule(
            side: rule.side, policy: rule.policy, rule: rule.rule, action: entry.listed.action, place: entry.listed.place,
            note: entry.listed.note ?? (row == nil ? "there is no room to count it" : nil), since: row?.since.description,
            hits: row?.hit?.count ?? 0, first: row?.hit?.first.description, last: row?.hit?.last.description, values: values)
    }
}
