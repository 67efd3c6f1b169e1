// SPDX-License-Identifier: Apache-2.0
public import Net
internal import Record

/// How often each rule has decided, and each value that it names has held where it did, and when first and last: what a policy's unused
/// rules and values are found by.
///
/// Counted are connections, not frames: their starts, changes and refusals. Refusals that a record tells as a number count with it as far
/// as they are of its kind; the others are in `elsewhere`. The counts are as complete as the records are, and `lost` says how many were not
/// seen. Everything is bounded: what finds no room is counted together.
public struct Hits: Sendable {
    /// What decided on a side.
    public struct Rule: Hashable, Sendable {
        /// egress or ingress.
        public var side: String
        /// `namespace/policy`; the tier or the word `default` where no rule decided.
        public var policy: String
        /// The rule's name or place; what decided instead, in round brackets.
        public var rule: String
        /// allow, deny or reject; log for a rule that logged what another one decided.
        public var decision: String

        /// A name.
        public init(side: String, policy: String, rule: String, decision: String) {
            self.side = side
            self.policy = policy
            self.rule = rule
            self.decision = decision
        }
    }

    /// A value that a rule names: `from.cidrs` and `10.0.0.0/8`.
    public struct Value: Hashable, Sendable {
        /// Where the rule names it.
        public var field: String
        /// The value, as policies write it.
        public var text: String

        /// A value.
        public init(field: String, text: String) {
            self.field = field
            self.text = text
        }
    }

    /// How often, and when.
    public struct Hit: Hashable, Sendable {
        /// Connections.
        public var count: UInt64
        /// The first.
        public var first: Timestamp
        /// The last.
        public var last: Timestamp

        /// Both together.
        func with(_ other: Hit) -> Hit {
            Hit(count: count &+ other.count, first: min(first, other.first), last: max(last, other.last))
        }
    }

    /// Whose counter a row is.
    enum Name: Hashable {
        /// A rule's.
        case rule(Rule)
        /// A value's, of the rule in a row.
        case value(Value, of: Int)
    }

    /// One counter.
    struct Row {
        var name: Name
        /// Since when it is in force without a break and counted without a gap.
        var since: Timestamp
        /// `nil` as long as it was never hit.
        var hit: Hit?
        /// When it left what is in force; `nil` while it is there.
        var gone: Timestamp?
        /// Whether metrics show it.
        var isMetered = false
        /// Whether it has changed since it was last written down.
        var isChanged = true
    }

    /// What is in force of a rule: its row, where it is counted and found room, and those of its values.
    struct Entry {
        var listed: ListedRule
        var row: Int?
        var values: [Int?]
    }

    /// Counters at most, of rules and values together: some 50 MB. Rules get theirs before values do.
    public static let capacity = 200_000
    /// Rules that metrics show at most.
    public static let metered = 10_000

    let capacity: Int
    var rows: [Row] = []
    var places: [Name: Int] = [:]
    var inForce: [Entry] = []
    /// The rows that a connection hits, by what it depends on.
    private var known: [Connection: [Mark]] = [:]
    private var meteredCount = 0
    /// Names of rows that were given up since they were last written down.
    var forgotten: [Stored.Name] = []

    /// Since when anything is counted; `nil` before the first generation in force.
    public internal(set) var began: Timestamp?
    /// By decision, since control's start.
    public private(set) var connections: [Decision: UInt64] = [:]
    /// Admitted connections that audit would not have admitted, since control's start.
    public private(set) var auditDenials: UInt64 = 0
    /// Hits of rules that metrics do not show, since control's start.
    public private(set) var left: UInt64 = 0
    /// What is in no counter, since `began`.
    public internal(set) var uncounted = Uncounted()

    /// No hits.
    public init(capacity: Int = Hits.capacity) { self.capacity = capacity }

    /// The rules that metrics show.
    public var rules: [Rule: Hit] {
        var found: [Rule: Hit] = [:]
        for row in rows where row.isMetered {
            if case .rule(let rule) = row.name, let hit = row.hit { found[rule] = hit }
        }
        return found
    }

    /// How often a value of a rule has held; `nil` for never.
    public subscript(_ value: Value, of rule: Rule) -> Hit? {
        places[.rule(rule)].flatMap { places[.value(value, of: $0)] }.flatMap { rows[$0].hit }
    }

    /// Whether an event is one that counts.
    static func counts(_ event: FlowEvent) -> Bool {
        guard let kind = FlowRecord.Event(rawValue: event.record.event) else { return false }
        return kind == .start || kind == .change || kind == .refused
    }

    /// Counts a connection's start, change or refusal; ends and intervals decide nothing new.
    public mutating func add(_ event: FlowEvent) {
        guard let decision = event.decision, Self.counts(event) else { return }
        connections[decision, default: 0] += 1
        // Those left out before this one were refused as well; which rules refused them is known of its own kind.
        let alike = min(event.record.alike, event.record.suppressed)
        if event.record.suppressed > 0 { connections[.deny, default: 0] += UInt64(event.record.suppressed) }
        uncounted.elsewhere += UInt64(event.record.suppressed - alike)
        if decision == .allow, let audit = Decision(rawValue: event.record.auditDecision), audit != .allow { auditDenials += 1 }
        if !event.isGenerationKnown { uncounted.unknown += 1 + UInt64(alike) }
        for mark in marks(of: event) { count(mark, 1 + UInt64(alike), at: event.time) }
    }

    private mutating func count(_ mark: Mark, _ times: UInt64, at time: Timestamp) {
        switch mark {
        case .row(let row):
            let old = rows[row].hit ?? Hit(count: 0, first: time, last: time)
            rows[row].hit = Hit(count: old.count &+ times, first: min(old.first, time), last: max(old.last, time))
            rows[row].isChanged = true
            guard case .rule = rows[row].name, !meter(row) else { return }
            left += times
        case .rulesLeft:
            left += times
            uncounted.withoutRoom += times
        case .valueLeft: uncounted.withoutRoom += times
        case .valuesUnknown: uncounted.unknown += times
        }
    }

    /// Whether metrics show a rule that was hit: the first so many stay.
    @discardableResult
    mutating func meter(_ row: Int) -> Bool {
        if !rows[row].isMetered, meteredCount < Self.metered {
            rows[row].isMetered = true
            meteredCount += 1
        }
        return rows[row].isMetered
    }

    /// The row of a name; a new one where there is room.
    mutating func row(_ name: Name, at time: Timestamp) -> Int? {
        if let row = places[name] { return row }
        guard rows.count < capacity else { return nil }
        places[name] = rows.count
        rows.append(Row(name: name, since: time))
        return rows.count - 1
    }

    /// Forgets what was found out about connections, and which rules metrics show: row numbers mean something else now.
    mutating func forgetMarks() {
        known = [:]
        meteredCount = rows.count { $0.isMetered }
    }
}

/// Which counters a connection hits.
extension Hits {
    /// What a connection's rules and values depend on.
    private struct Connection: Hashable {
        let source, destination: Address
        let generation, epoch, egress, ingress, service: UInt32
        let sourceZone, destinationZone: UInt16

        init(_ record: FlowRecord) {
            (source, destination) = (record.source, record.destination)
            (generation, epoch, egress, ingress) = (record.generation, record.epoch, record.egressRecord, record.ingressRecord)
            (sourceZone, destinationZone) = (record.sourceZone, record.destinationZone)
            service = UInt32(record.protocolNumber) << 16 | UInt32(record.destinationPort)
        }
    }

    /// What is counted of a connection.
    private enum Mark {
        /// A counter.
        case row(Int)
        /// A rule that found no room.
        case rulesLeft
        /// A value that found no room.
        case valueLeft
        /// That of a rule nobody can say which values held.
        case valuesUnknown
    }

    /// Connections whose rows are remembered.
    private static let remembered = 16_384

    private mutating func marks(of event: FlowEvent) -> [Mark] {
        let connection = Connection(event.record)
        if let marks = known[connection] { return marks }
        var (marks, isLasting): ([Mark], Bool) = ([], true)
        for cause in [event.egress, event.ingress] {
            guard let cause else { continue }
            for (rule, isRule) in cause.rules {
                guard let row = row(.rule(rule), at: event.time) else {
                    marks.append(.rulesLeft)
                    continue
                }
                marks.append(.row(row))
                guard isRule else { continue }
                // Of a generation that is not asked any more nothing will be known later either.
                let held = event.named?.held(of: rule, in: event) ?? HeldValues(values: nil)
                isLasting = isLasting && held.isLasting && (held.values != nil || event.named == nil)
                guard let values = held.values else {
                    marks.append(.valuesUnknown)
                    continue
                }
                for value in values { marks.append(self.row(.value(value, of: row), at: event.time).map(Mark.row) ?? .valueLeft) }
            }
        }
        if isLasting {
            if known.count >= Self.remembered { known = [:] }
            known[connection] = marks
        }
        return marks
    }
}

extension Cause {
    /// What settled the side, the rules that decided in the layers before, and those that logged on the way; whether each is a rule.
    fileprivate var rules: [(rule: Hits.Rule, isRule: Bool)] {
        let settled = layers.firstIndex { $0.decision != .allow } ?? layers.count - 1
        let heard = layers.indices.filter { $0 == settled || $0 < settled && layers[$0].policy != nil }
        var found = heard.map { number in
            let layer = layers[number]
            let rule = Hits.Rule(
                side: side.rawValue, policy: layer.policy ?? layer.tier ?? "default",
                rule: layer.rule ?? "(\(layer.end?.rawValue ?? "none"))", decision: "\(layer.decision)")
            return (rule: rule, isRule: layer.policy != nil)
        }
        if layers.isEmpty {
            found.append((Hits.Rule(side: side.rawValue, policy: "default", rule: "(none)", decision: "\(decision)"), false))
        }
        return found
            + logged.map { (Hits.Rule(side: side.rawValue, policy: $0.policy, rule: $0.rule, decision: "log"), true) }
    }
}
