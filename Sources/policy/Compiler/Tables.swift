// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Net
internal import Policy
internal import Record

/// Service tables, each distinct one once.
struct Tables {
    /// What a table is made of, by numbers.
    struct Key: Hashable {
        /// The rules that match the peer, a list.
        var rules: UInt32
        /// The row's context.
        var context: Int
        /// The destination's named services; 0 where no rule asks for any.
        var services: Int
    }

    let evaluation: Evaluation
    private var known: [Key: UInt32] = [:]
    /// The tables, each the first service and the record of its runs by turns; list `number + 1` is the table of a number.
    private var runs = Lists()
    /// Records by rules and context, of those to whom neither time nor the service means anything else.
    private var plainRecords: [UInt64: UInt32] = [:]
    private var contextNumbers: [Context: Int] = [:]
    private(set) var contexts: [Context] = []
    private var serviceNumbers: [[String: ServiceRange]: Int] = [[:]: 0]
    private(set) var services: [[String: ServiceRange]] = [[:]]
    private var sweep = ServiceSweep()
    /// Room for the table that is made.
    private var made: [UInt32] = []

    /// Rules looked at so far, and at most.
    private var work = 0
    private let limits: CompileLimits

    init(_ evaluation: Evaluation, _ limits: CompileLimits) {
        self.evaluation = evaluation
        self.limits = limits
    }

    /// The number of a context.
    mutating func number(of context: Context) -> Int {
        if let known = contextNumbers[context] { return known }
        contextNumbers[context] = contexts.count
        contexts.append(context)
        return contexts.count - 1
    }

    /// The number of a list of named services.
    mutating func number(ofServices named: [String: ServiceRange]) -> Int {
        if let known = serviceNumbers[named] { return known }
        serviceNumbers[named] = services.count
        services.append(named)
        return services.count - 1
    }

    /// The table that has one record for all services.
    mutating func number(ofRecord record: UInt32) -> UInt32 { runs.number(of: [0, record]) - 1 }

    /// The tables as the image has them.
    var entries: [TableEntry] {
        var first: UInt32 = 0
        return (1..<UInt32(runs.count)).map { number in
            let count = UInt32(runs[number].count / 2)
            defer { first += count }
            return TableEntry(first: first, count: count)
        }
    }

    /// The intervals of all tables, with each record's number as it is in the end.
    func intervals(_ final: (UInt32) -> UInt32) -> [IntervalEntry] {
        (1..<UInt32(runs.count)).flatMap { number in
            let table = runs[number]
            return stride(from: table.startIndex, to: table.endIndex, by: 2).map {
                IntervalEntry(start: table[$0], record: final(table[$0 + 1]))
            }
        }
    }

    /// The table of a key; records in it have provisional numbers.
    mutating func number(
        of key: Key, _ lists: inout Lists, _ records: inout Records
    ) throws(CompileError) -> UInt32 {
        if let number = known[key] { return number }
        let list = Array(lists[key.rules])
        work += list.count
        guard work <= limits.work else {
            throw .capacity(
                what: "rules to weigh in service tables (rules by peers by subjects)", needed: work, limit: limits.work)
        }
        let asksSourcePorts = list.contains { evaluation.rules[Int($0)].asksSourcePorts }
        let moments = Moments(list, contexts[key.context], evaluation)
        sweep.begin(list, services[key.services], evaluation)
        made.removeAll(keepingCapacity: true)
        for piece in pieces(key, asksSourcePorts) {
            sweep.advance(to: piece.first)
            let word: UInt32
            if asksSourcePorts && piece.hasPorts {
                word = try split(sweep.speaking, key, piece, moments, &lists, &records)
            } else {
                var here = sweep.speaking
                if asksSourcePorts {
                    here = here.filter {
                        !evaluation.rules[Int($0)].asksSourcePorts
                            || evaluation.speaks($0, of: piece, sourcePort: nil, services[key.services])
                    }
                }
                word = try record(here, key, piece, moments, &lists, &records)
            }
            made.add(piece.first, word)
        }
        let number = runs.number(of: made) - 1
        known[key] = number
        return number
    }

    /// The word of a run of services that asks for the source's port: a record where all ports get the same, else a table of its own.
    private mutating func split(
        _ list: [UInt32], _ key: Key, _ piece: ServiceRange, _ moments: Moments, _ lists: inout Lists, _ records: inout Records
    ) throws(CompileError) -> UInt32 {
        let ranges = list.filter { evaluation.rules[Int($0)].asksSourcePorts }
            .flatMap { evaluation.rule($0)?.sourcePorts ?? [] }
        let edges = Set([0] + ranges.flatMap { [UInt32($0.lowerBound), UInt32($0.upperBound) + 1] }).filter { $0 < 1 << 16 }
        var ports: [UInt32] = []
        for edge in edges.sorted() {
            let here = list.filter {
                evaluation.speaks($0, of: piece, sourcePort: UInt16(edge), services[key.services])
            }
            ports.add(edge, try record(here, key, piece, moments, &lists, &records))
        }
        return ports.count == 2 ? ports[1] : RecordWord.split | (runs.number(of: ports) - 1)
    }

    /// The runs of services within which all rules and isolations say the same.
    private func pieces(_ key: Key, _ asksSourcePorts: Bool) -> [ServiceRange] {
        var edges: [UInt32] = [0] + sweep.edges
        func cut(_ range: ServiceRange) {
            edges.append(range.first)
            edges.append(range.end)
        }
        for isolating in contexts[key.context].isolating {
            if case .services(let services) = isolating.isolation {
                services.services.compactMap { $0.range(named: [:]) }.forEach(cut)
            }
        }
        if asksSourcePorts { ServiceRange.withPorts.forEach(cut) }
        edges.sort()
        var pieces: [ServiceRange] = []
        pieces.reserveCapacity(edges.count)
        for (index, edge) in edges.enumerated() where edge < ServiceKey.end && (index == 0 || edge != edges[index - 1]) {
            if let last = pieces.indices.last { pieces[last].end = edge }
            pieces.append(ServiceRange(first: edge, end: ServiceKey.end))
        }
        return pieces
    }

    /// The record of one run of services, weighed once for the same rules where neither time nor the service itself matters.
    private mutating func record(
        _ here: [UInt32], _ key: Key, _ piece: ServiceRange, _ moments: Moments, _ lists: inout Lists, _ records: inout Records
    ) throws(CompileError) -> UInt32 {
        guard moments.all.isEmpty, !contexts[key.context].isolatesSomeServices else {
            return try weigh(here, key, piece, moments, &records)
        }
        let question = UInt64(lists.number(of: here)) << 32 | UInt64(key.context)
        if let known = plainRecords[question] { return known }
        let number = try weigh(here, key, piece, moments, &records)
        plainRecords[question] = number
        return number
    }

    /// What holds in a run of services: the last state first, each earlier one naming the next where they differ.
    private func weigh(
        _ here: [UInt32], _ key: Key, _ piece: ServiceRange, _ moments: Moments, _ records: inout Records
    ) throws(CompileError) -> UInt32 {
        guard var next = try state(here, key, piece, at: moments.all.last ?? 0, &records) else { return SnapshotLayout.none }
        var number = try records.number(of: next)
        for index in moments.all.indices.reversed() {
            // Before its first moment everything lives; at a moment itself what expires then is gone.
            let before = index == 0 ? 0 : moments.all[index - 1]
            guard let earlier = try state(here, key, piece, at: before, &records), !earlier.says(the: next) else { continue }
            var record = earlier
            record.validUntil = moments.all[index]
            record.successor = number
            if !moments.strict.contains(moments.all[index]) {
                record.flags |= SideRecord.lease
                record.flowsUntil = next.flags & SideRecord.lease != 0 ? next.flowsUntil : next.validUntil
            }
            number = try records.number(of: record)
            next = record
        }
        return number
    }

    /// What the side says at a time, without an end; `nil` where it does not judge.
    private func state(
        _ here: [UInt32], _ key: Key, _ piece: ServiceRange, at time: UInt64, _ records: inout Records
    ) throws(CompileError) -> SideRecord? {
        let context = contexts[key.context]
        let enforced = evaluation.outcome(here, context, first: piece.first, at: time, audited: false)
        guard !enforced.layers.isEmpty else { return nil }
        var record = SideRecord()
        record.decision = enforced.decision.rawValue
        record.cause = records.number(of: enforced, context.direction, evaluation)
        if evaluation.reports(here, context) {
            let full = evaluation.outcome(here, context, first: piece.first, at: time, audited: true)
            if full != enforced {
                record.audit = full.decision.rawValue
                record.auditCause = records.number(of: full, context.direction, evaluation)
            }
        }
        if !enforced.logged.isEmpty { record.flags |= SideRecord.logged }
        if enforced.layers.contains(where: { $0.end == .failsafe }) { record.flags |= SideRecord.failsafe }
        evaluation.govern(&record, enforced)
        return record
    }
}

/// The points in time at which something that a table asks begins or ceases to hold.
struct Moments {
    /// All of them, ascending.
    let all: [UInt64]
    /// Those at which a rule or a policy lapses; at the others only leases of addresses do.
    let strict: Set<UInt64>

    init(_ list: [UInt32], _ context: Context, _ evaluation: Evaluation) {
        var strict = context.isolating.compactMap(\.expires)
        var leases: [UInt64] = []
        for number in list {
            let (expires, from) = (evaluation.rules[Int(number)].expires, evaluation.rules[Int(number)].peers.from)
            let until = evaluation.rules[Int(number)].peers.until
            if expires < .max { strict.append(expires) }
            if from > 0 { leases.append(from) }
            if until < .max { leases.append(until) }
        }
        self.strict = strict.isEmpty ? [] : Set(strict)
        all = strict.isEmpty && leases.isEmpty ? [] : Set(strict + leases).sorted()
    }
}

extension Evaluation {
    /// Whether audit can say anything else than what is enforced.
    func reports(_ here: [UInt32], _ context: Context) -> Bool {
        context.end == .audit || context.isolating.contains { $0.isAudited || tiers[$0.tier].end == .audit }
            || here.contains { rules[Int($0)].isAudited }
    }

    /// What follows from the rules that decided: the stricter change mode, no flow, replies that are expected.
    func govern(_ record: inout SideRecord, _ outcome: Outcome) {
        var change = SideRecord.Change.keep
        for layer in outcome.layers {
            guard let number = layer.rule, let (policy, place) = place(of: number) else {
                change = change.stricter(.reevaluate)
                continue
            }
            switch set.policies[policy].change {
            case .reevaluate: change = change.stricter(.reevaluate)
            case .keep: break
            case .reset: change = change.stricter(.reset)
            case .drain(let seconds):
                change = change.stricter(.drain)
                record.drainSeconds = record.drainSeconds == 0 ? seconds : min(record.drainSeconds, seconds)
            }
            guard outcome.decision == .allow else { continue }
            if set.policies[policy].rules[place].tracking == .none { record.flags |= SideRecord.stateless }
            record.replySeconds = max(record.replySeconds, set.policies[policy].rules[place].expectsReplies ?? 0)
        }
        record.change = change.rawValue
    }
}

extension SideRecord.Change {
    /// The stricter of two: reset, re-evaluate, drain, keep.
    fileprivate func stricter(_ other: SideRecord.Change) -> SideRecord.Change {
        let order: [SideRecord.Change] = [.reset, .reevaluate, .drain, .keep]
        return order.first { $0 == self || $0 == other } ?? .reevaluate
    }
}

extension [UInt32] {
    /// Appends what holds from a service, or a port, on, unless it held already.
    fileprivate mutating func add(_ start: UInt32, _ record: UInt32) {
        guard last != record else { return }
        append(start)
        append(record)
    }
}

extension SideRecord {
    /// Whether two states say the same, whatever ends when.
    fileprivate func says(the other: SideRecord) -> Bool {
        let mask = ~SideRecord.lease
        return decision == other.decision && audit == other.audit && change == other.change && cause == other.cause
            && auditCause == other.auditCause && drainSeconds == other.drainSeconds && replySeconds == other.replySeconds
            && flags & mask == other.flags & mask
    }
}
