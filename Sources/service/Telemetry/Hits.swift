// SPDX-License-Identifier: Apache-2.0
public import Net
internal import Record

/// How often each rule has decided, and when first and last: what a policy's unused rules are found by.
///
/// Counted are connections, not frames: their starts, changes and refusals, those told only as a number among them. The count is as
/// complete as the records are; what a worker lost is in `bulkhead_flow_events_lost_total`.
public struct Hits: Sendable {
    /// What decided on a side.
    public struct Rule: Hashable, Sendable {
        /// egress or ingress.
        public var side: String
        /// `namespace/policy`; the tier or the word `default` where no rule decided.
        public var policy: String
        /// The rule's name or place; what decided instead, in round brackets.
        public var rule: String
        /// allow, deny or reject.
        public var decision: String
    }

    /// How often, and when.
    public struct Hit: Hashable, Sendable {
        /// Connections.
        public var count: UInt64
        /// The first.
        public var first: Timestamp
        /// The last.
        public var last: Timestamp
    }

    /// Rules at most; those that come later are counted together.
    public static let capacity = 10_000

    /// By rule.
    public private(set) var rules: [Rule: Hit] = [:]
    /// By decision.
    public private(set) var connections: [Decision: UInt64] = [:]
    /// Admitted connections that audit would not have admitted.
    public private(set) var auditDenials: UInt64 = 0
    /// Hits of rules that found no room.
    public private(set) var left: UInt64 = 0

    /// No hits.
    public init() {}

    /// Counts a connection's start, change or refusal; ends and intervals decide nothing new.
    public mutating func add(_ event: FlowEvent) {
        guard let decision = event.decision, let kind = FlowRecord.Event(rawValue: event.record.event),
            kind == .start || kind == .change || kind == .refused
        else { return }
        // Those left out before this one were refused as well; which rules refused them nobody wrote down.
        connections[decision, default: 0] += 1
        if event.record.suppressed > 0 { connections[.deny, default: 0] += UInt64(event.record.suppressed) }
        if decision == .allow, let audit = Decision(rawValue: event.record.auditDecision), audit != .allow { auditDenials += 1 }
        for cause in [event.egress, event.ingress] {
            if let cause { count(Rule(cause), at: event.time) }
        }
    }

    private mutating func count(_ rule: Rule, at time: Timestamp) {
        if let hit = rules[rule] {
            rules[rule] = Hit(count: hit.count + 1, first: min(hit.first, time), last: max(hit.last, time))
        } else if rules.count < Self.capacity {
            rules[rule] = Hit(count: 1, first: time, last: time)
        } else {
            left += 1
        }
    }
}

extension Hits.Rule {
    /// What settled a side.
    init(_ cause: Cause) {
        let layer = cause.deciding
        side = cause.side.rawValue
        decision = "\(cause.decision)"
        policy = layer?.policy ?? layer?.tier ?? "default"
        rule = layer?.rule ?? "(\(layer?.end?.rawValue ?? "none"))"
    }
}
