// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Net
internal import Policy
internal import Record

/// What a side says about one run of services at one time.
struct Outcome: Equatable {
    var decision: Decision
    /// The deciding rule as an index of all rules; `nil` where an end decided.
    var rule: Int?
    /// What decided where no rule did.
    var end: Cause.End?
}

/// Service tables, each distinct one once.
struct Tables {
    /// What a table is made of.
    struct Key: Hashable {
        /// The rules that match the peer, a list of `Chains`.
        var rules: UInt32
        var direction: Rule.Direction
        /// The policies of the row that isolate in its direction.
        var isolating: [Int]
        var end: Setting
        /// The destination's named services.
        var services: [String: ServiceRange]
    }

    private let policies: [Policy]
    private let rules: [RuleEntry]
    private var known: [Key: UInt32] = [:]
    private var numbers: [[IntervalEntry.Pair]: UInt32] = [:]
    private(set) var tables: [TableEntry] = []
    private(set) var intervals: [IntervalEntry] = []

    init(_ policies: [Policy], _ rules: [RuleEntry]) {
        self.policies = policies
        self.rules = rules
    }

    /// The table that has one record for all services.
    mutating func number(ofRecord record: UInt32) -> UInt32 { number(of: [.init(start: 0, record: record)]) }

    /// The table of a key; records in it have provisional numbers.
    mutating func number(of key: Key, _ chains: Chains, _ records: inout Records) throws(CompileError) -> UInt32 {
        if let number = known[key] { return number }
        let list = chains.list(key.rules).map { Int($0) }
        let times = Set((list.compactMap { rules[$0].expires(policies) }) + key.isolating.compactMap { policies[$0].expires })
        let moments = times.sorted()
        var pairs: [IntervalEntry.Pair] = []
        for range in pieces(list, key) {
            let record = try record(list, key, range, moments, &records)
            if pairs.last?.record != record { pairs.append(.init(start: range.first, record: record)) }
        }
        let number = number(of: pairs)
        known[key] = number
        return number
    }

    private mutating func number(of pairs: [IntervalEntry.Pair]) -> UInt32 {
        if let number = numbers[pairs] { return number }
        var table = TableEntry()
        table.first = UInt32(intervals.count)
        table.count = UInt32(pairs.count)
        intervals += pairs.map { IntervalEntry(start: $0.start, record: $0.record) }
        numbers[pairs] = UInt32(tables.count)
        tables.append(table)
        return UInt32(tables.count - 1)
    }

    /// The runs of services within which all rules and isolations say the same.
    private func pieces(_ list: [Int], _ key: Key) -> [ServiceRange] {
        var edges: Set<UInt32> = [0]
        func cut(_ services: ServiceList?) {
            for range in services?.services.compactMap({ $0.range(named: key.services) }) ?? [] {
                edges.insert(range.first)
                edges.insert(range.end)
            }
        }
        for index in list {
            cut(rules[index].rule.services)
            cut(rules[index].rule.notServices)
        }
        for policy in key.isolating {
            if case .services(let services) = policies[policy].isolation(key.direction) { cut(services) }
        }
        let starts = edges.filter { $0 < ServiceKey.end }.sorted()
        return zip(starts, starts.dropFirst() + [ServiceKey.end]).map { ServiceRange(first: $0, end: $1) }
    }

    /// The record of one run of services: the last state first, each earlier one naming the next where they differ.
    private func record(
        _ list: [Int], _ key: Key, _ range: ServiceRange, _ moments: [UInt64], _ records: inout Records
    ) throws(CompileError) -> UInt32 {
        let here = list.filter { rules[$0].rule.speaks(of: range, key.services) }
        var next = try state(here, key, range, at: moments.last ?? 0, &records)
        var number = try records.number(of: next)
        for index in moments.indices.reversed() {
            // Before its first moment everything lives; at a moment itself what expires then is gone.
            let earlier = try state(here, key, range, at: index == 0 ? 0 : moments[index - 1], &records)
            if earlier.says(the: next) { continue }
            var record = earlier
            record.validUntil = moments[index]
            record.successor = number
            number = try records.number(of: record)
            next = earlier
        }
        return number
    }

    /// What the side says at a time, without an end.
    private func state(
        _ list: [Int], _ key: Key, _ range: ServiceRange, at time: UInt64, _ records: inout Records
    ) throws(CompileError) -> SideRecord {
        let enforced = outcome(list, key, range, at: time, audited: false)
        let full = outcome(list, key, range, at: time, audited: true)
        var record = SideRecord()
        record.decision = enforced.decision.rawValue
        record.cause = records.number(of: cause(enforced, key.direction))
        if enforced != full {
            record.audit = full.decision.rawValue
            record.auditCause = records.number(of: cause(full, key.direction))
        }
        switch enforced.rule.map({ policies[rules[$0].policy].change }) ?? .reevaluate {
        case .reevaluate: record.change = SideRecord.Change.reevaluate.rawValue
        case .keep: record.change = SideRecord.Change.keep.rawValue
        case .reset: record.change = SideRecord.Change.reset.rawValue
        case .drain(let seconds):
            record.change = SideRecord.Change.drain.rawValue
            record.drainSeconds = seconds
        }
        return record
    }

    /// The first rule that decides; else the tier's end where a policy isolates; else the namespace's default.
    private func outcome(_ list: [Int], _ key: Key, _ range: ServiceRange, at time: UInt64, audited: Bool) -> Outcome {
        var leaves = false
        for index in list where rules[index].lives(policies, at: time) && (audited || !rules[index].isAudited(policies)) {
            switch rules[index].rule.action {
            case .allow: return Outcome(decision: .allow, rule: index)
            case .deny: return Outcome(decision: .deny, rule: index)
            case .reject: return Outcome(decision: .reject, rule: index)
            case .pass: leaves = true
            case .log: continue
            }
            if leaves { break }
        }
        let isIsolated = key.isolating.contains { index in
            let policy = policies[index]
            return (policy.expires ?? .max) > time && (audited || policy.mode == .enforce)
                && policy.isolation(key.direction).contains(range)
        }
        if isIsolated && !leaves { return Outcome(decision: .deny, end: .tier) }
        let denies = key.end == .deny || (key.end == .audit && audited)
        return Outcome(decision: denies ? .deny : .allow, end: .namespace)
    }

    private func cause(_ outcome: Outcome, _ direction: Rule.Direction) -> Cause {
        var layer = Cause.Layer(layer: .network, decision: outcome.decision, end: outcome.end)
        if let rule = outcome.rule {
            let policy = policies[rules[rule].policy]
            (layer.tier, layer.policy, layer.rule) = (policy.tier, policy.name.description, rules[rule].rule.label)
        } else if outcome.end == .tier {
            layer.tier = Policy.defaultTier
        }
        return Cause(side: direction == .ingress ? .ingress : .egress, layers: [layer])
    }
}

extension IntervalEntry {
    /// An interval that can be a key.
    struct Pair: Hashable {
        var start: UInt32
        var record: UInt32
    }
}

extension SideRecord {
    /// Whether two states without an end say the same.
    fileprivate func says(the other: SideRecord) -> Bool {
        decision == other.decision && audit == other.audit && change == other.change && cause == other.cause
            && auditCause == other.auditCause && drainSeconds == other.drainSeconds
    }
}

extension RuleEntry {
    /// When the rule lapses, by itself or with its policy.
    func expires(_ policies: [Policy]) -> UInt64? {
        guard let own = rule.expires else { return policies[policy].expires }
        return min(own, policies[policy].expires ?? .max)
    }

    /// Whether it speaks at a time.
    func lives(_ policies: [Policy], at time: UInt64) -> Bool { (expires(policies) ?? .max) > time }

    /// Whether it only reports.
    func isAudited(_ policies: [Policy]) -> Bool { rule.mode == .audit || policies[policy].mode == .audit }
}

extension Rule {
    /// Whether it names services by the destination's names.
    var usesNames: Bool { !(services?.names ?? []).isEmpty || !(notServices?.names ?? []).isEmpty }

    /// Whether it speaks of a run of services that its lists do not cut.
    func speaks(of range: ServiceRange, _ named: [String: ServiceRange]) -> Bool {
        let first = ServiceKey(rawValue: range.first)
        return (services?.contains(first, named: named) ?? true) && !(notServices?.contains(first, named: named) ?? false)
    }
}

extension Policy {
    /// Whether it isolates in a direction.
    func isolation(_ direction: Rule.Direction) -> Isolation { direction == .ingress ? ingress : egress }
}
