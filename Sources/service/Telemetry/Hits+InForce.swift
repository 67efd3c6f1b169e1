// SPDX-License-Identifier: Apache-2.0

// What is in force, so that what was never hit is known as well; and what outlives a restart.

extension Hits {
    /// What is in no counter.
    public struct Uncounted: Sendable, Hashable {
        /// Records that were lost before they could be counted.
        public var lost: UInt64 = 0
        /// Refusals that were told as a number only: of kinds that nobody wrote down, repeats of one that was told, or those that a
        /// worker which was killed had not told yet.
        public var elsewhere: UInt64 = 0
        /// Connections of which it cannot be said which rules decided, or which of their values held: their generation was forgotten,
        /// or a workload had changed.
        public var unknown: UInt64 = 0
        /// Hits of rules and values that found no room.
        public var withoutRoom: UInt64 = 0

        /// Nothing yet.
        public init() {}

        mutating func add(_ more: Uncounted) {
            lost &+= more.lost
            elsewhere &+= more.elsewhere
            unknown &+= more.unknown
            withoutRoom &+= more.withoutRoom
        }
    }

    /// A counter as it is written down.
    public struct Stored: Sendable, Hashable {
        /// Whose it is.
        public struct Name: Sendable, Hashable {
            /// The rule.
            public var rule: Rule
            /// Its value; `nil` for the rule's own counter.
            public var value: Value?
        }
        /// Whose it is.
        public var name: Name
        /// Since when it is counted.
        public var since: Timestamp
        /// What was counted; `nil` for nothing.
        public var hit: Hit?
        /// When it left what is in force.
        public var gone: Timestamp?
    }

    /// For how long counters of what is not in force any more are kept, in nanoseconds: 30 days, so that who comes back finds them.
    private static let memory: Int64 = 30 * 86_400 * 1_000_000_000
    /// A longer time without counting is a gap, in nanoseconds: an hour. What was not counted meanwhile is not called unused.
    static let longestGap: Int64 = 3600 * 1_000_000_000

    /// Takes note of the rules in force from now on, in their order. What is new, or comes back, is counted since then.
    public mutating func enter(_ listed: [ListedRule], at now: Timestamp) {
        prune(at: now, keeping: listed)
        if began == nil { began = now }
        var isThere = [Bool](repeating: false, count: rows.count)
        func note(_ name: Name) -> Int? {
            guard let row = row(name, at: now) else { return nil }
            if row == isThere.count { isThere.append(true) }
            isThere[row] = true
            if rows[row].gone != nil { (rows[row].since, rows[row].gone, rows[row].isChanged) = (now, nil, true) }
            return row
        }
        // All rules first: values take what room they leave.
        let found = listed.map { $0.note == nil ? note(.rule($0.rule)) : nil }
        inForce = zip(listed, found).map { listed, row in
            Entry(
                listed: listed, row: row,
                values: listed.values.map { value in row.flatMap { note(.value(value, of: $0)) } })
        }
        for row in rows.indices where !isThere[row] && rows[row].gone == nil {
            (rows[row].gone, rows[row].isChanged) = (now, true)
        }
    }

    /// Records were lost that nobody can count, and refusals of which only the number is known.
    public mutating func lose(_ count: UInt64, untold: UInt64 = 0) {
        uncounted.lost &+= count
        uncounted.elsewhere &+= untold
    }

    /// Gives up counters of what has long not been in force, and where room is wanted, of all that is not.
    private mutating func prune(at now: Timestamp, keeping listed: [ListedRule]) {
        // What has its room already wants none.
        let wanted = listed.reduce(0) { sum, listed in
            guard listed.note == nil else { return sum }
            guard let rule = self.places[.rule(listed.rule)] else { return sum + 1 + listed.values.count }
            return sum + listed.values.count { self.places[.value($0, of: rule)] == nil }
        }
        let isCrowded = rows.count + wanted > capacity
        func isKept(_ row: Row) -> Bool {
            guard let gone = row.gone else { return true }
            let last = max(gone, row.hit?.last ?? gone)
            return !isCrowded && now.nanoseconds - last.nanoseconds < Self.memory
        }
        guard rows.contains(where: { !isKept($0) }) else { return }
        let (old, names) = (rows, rows.indices.map(storedName))
        var places: [Int: Int] = [:]
        (rows, self.places, inForce) = ([], [:], [])
        for (number, row) in old.enumerated() {
            var row = row
            if case .value(let value, of: let rule) = row.name {
                guard let rule = places[rule] else {
                    forgotten.append(names[number])
                    continue
                }
                row.name = .value(value, of: rule)
            }
            guard isKept(row) else {
                forgotten.append(names[number])
                continue
            }
            (places[number], self.places[row.name]) = (rows.count, rows.count)
            rows.append(row)
        }
        forgetMarks()
    }

    private func storedName(_ row: Int) -> Stored.Name {
        switch rows[row].name {
        case .rule(let rule): return Stored.Name(rule: rule)
        case .value(let value, of: let place):
            guard case .rule(let rule) = rows[place].name else { preconditionFailure("a value's row names its rule's") }
            return Stored.Name(rule: rule, value: value)
        }
    }

    /// What has changed since this was last asked, and what was given up.
    mutating func takeChanges() -> (changed: [Stored], forgotten: [Stored.Name]) {
        var changed: [Stored] = []
        for row in rows.indices where rows[row].isChanged {
            rows[row].isChanged = false
            changed.append(
                Stored(name: storedName(row), since: rows[row].since, hit: rows[row].hit, gone: rows[row].gone))
        }
        defer { forgotten = [] }
        return (changed, forgotten)
    }

    /// What was taken could not be written down.
    mutating func putBack(_ changes: (changed: [Stored], forgotten: [Stored.Name])) {
        for stored in changes.changed {
            guard let rule = places[.rule(stored.name.rule)] else { continue }
            if let row = stored.name.value.map({ places[.value($0, of: rule)] }) ?? rule { rows[row].isChanged = true }
        }
        forgotten += changes.forgotten
    }

    /// Puts back what was written down, at `written`, below what was counted since. Where that is longer ago than a gap may be, everything
    /// is counted since now: nothing is called unused for a time in which nobody looked.
    mutating func restore(_ stored: [Stored], began: Timestamp, written: Timestamp, _ uncounted: Uncounted, at now: Timestamp) {
        let isGap = now.nanoseconds - written.nanoseconds > Self.longestGap
        let isLate = self.began != nil
        self.began = min(began, self.began ?? began)
        self.uncounted.add(uncounted)
        // Rules before their values.
        for stored in stored.filter({ $0.name.value == nil }) + stored.filter({ $0.name.value != nil }) {
            let rule = places[.rule(stored.name.rule)]
            let name = stored.name.value.map { value in rule.map { Name.value(value, of: $0) } } ?? .rule(stored.name.rule)
            guard let name else { continue }
            let isNew = places[name] == nil
            guard let row = row(name, at: now) else { continue }
            // Of what has come into force since, the time goes on where it was in force before; what has not is gone.
            if isNew { rows[row].gone = stored.gone ?? (isLate ? now : nil) }
            if isNew || stored.gone == nil { rows[row].since = isGap ? now : stored.since }
            rows[row].isChanged = isGap || isLate || !isNew
            if let before = stored.hit { rows[row].hit = rows[row].hit?.with(before) ?? before }
            if stored.name.value == nil, stored.hit != nil { meter(row) }
        }
    }
}
