// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

/// Which cells a term matches, each distinct term found once, and without asking every cell where the term names a label's value or
/// blocks of addresses.
struct TermIndex {
    private struct Key: Hashable {
        var term: Term
        var scope: String?
    }

    let cells: Cells
    /// What terms see of each cell.
    let candidates: [Term.Candidate]
    private var known: [Key: [Int]] = [:]
    private var byLabel = LabelIndex()
    private let everything: [Int]

    init(_ cells: Cells, at time: UInt64) {
        self.cells = cells
        everything = Array(cells.all.indices)
        candidates = cells.all.indices.map { cells.candidate($0, in: 0, at: time) }
        for (number, candidate) in candidates.enumerated() {
            if let workload = candidate.workload { byLabel.enter(workload.labels, as: number) }
            for membership in candidate.addressSets { byLabel.enter(membership.set.labels, as: number) }
        }
    }

    /// The cells that a term matches, ascending; `nil` where the budget was spent.
    mutating func cells(_ term: Term, scope: String?, _ budget: inout Budget) -> [Int]? {
        if term == Term() { return everything }
        let key = Key(term: term, scope: scope)
        guard budget.take(8) else { return nil }
        if let found = known[key] { return found }
        guard let asked = candidates(of: term, &budget), budget.take(8 * asked.count) else { return nil }
        let found = asked.filter { term.matches(candidates[$0], scope: scope) }
        known[key] = found
        return found
    }

    /// The cells that one of several terms matches, ascending; `nil` where the budget was spent.
    mutating func cells(_ terms: [Term], scope: String?, _ budget: inout Budget) -> [Int]? {
        if terms.count == 1 { return cells(terms[0], scope: scope, &budget) }
        var found: Set<Int> = []
        for term in terms {
            guard let matched = cells(term, scope: scope, &budget), budget.take(2 * matched.count) else { return nil }
            found.formUnion(matched)
        }
        return found.sorted()
    }

    /// Cells outside of which the term matches nothing; `nil` where the budget was spent.
    private func candidates(of term: Term, _ budget: inout Budget) -> [Int]? {
        if let found = term.selector.flatMap({ byLabel.candidates(for: $0.expression) }) { return found }
        guard let blocks = term.cidrs else { return everything }
        let perZone = cells.stretches.count / cells.zones.count
        var found: Set<Int> = []
        for block in blocks {
            guard var index = cells.stretch(of: block.address, zone: cells.zones[0]) else { continue }
            let last = block.numbers.upperBound
            while index < perZone, cells.stretches[index].first <= last {
                guard budget.take(2 * cells.zones.count) else { return nil }
                for zone in cells.zones.indices { found.insert(cells.stretches[zone * perZone + index].cell) }
                index += 1
            }
        }
        return found.sorted()
    }
}
