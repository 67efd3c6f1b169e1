// SPDX-License-Identifier: Apache-2.0
internal import Classifier
public import Net
internal import Policy

/// Two compiled sets compared exactly, at one time: every connection that one of them decides otherwise than the other, as boxes.
///
/// Both snapshots are refined to common cells. A connection can only be decided otherwise where one of its sides is, so the rows of
/// both snapshots are compared table by table first; only where tables differ are pairs of cells looked at. Where no box comes out, and
/// the budget lasted, the two are proved equal: no address, no zone, no service and no source port was left out.
///
/// Connections between the addresses of one workload are not judged; they are in no box unless one set takes both ends for one workload
/// and the other does not.
public struct Comparison: Sendable {
    /// Connections that both sets decide alike, and unlike each other.
    public struct Box: Sendable {
        /// Who opens them.
        public var sources: Party
        /// To whom.
        public var destinations: Party
        /// What for.
        public var services: [ServiceSpan]
        /// What the old set decides.
        public var old: Decision
        /// What the new set decides.
        public var new: Decision
        /// Whether the old set, or the new one, asks no policy because the sources' addresses belong to other zones there.
        public var isOldSpoofed = false, isNewSpoofed = false

        /// Whether the new set lets through what the old one does not.
        public var isWidening: Bool { new == .allow }
    }

    /// The boxes, widening ones first.
    public private(set) var boxes: [Box] = []
    /// Whether everything was compared. Where not, the boxes are true and others may be missing.
    public private(set) var isComplete = true
    /// Common cells, and pairs of them that were looked at one by one.
    public private(set) var cells = 0, pairs = 0

    /// Whether both decide every connection alike.
    public var isProvedEqual: Bool { isComplete && boxes.isEmpty }

    /// Compares two sets at a time, in unix seconds.
    public init(old: PolicyView, new: PolicyView, at time: UInt64, budget: Budget = Budget()) {
        var work = Refinement(old, new, time, budget)
        work.compareSides()
        work.compareElsewhere()
        work.compareWithin()
        cells = work.cells.all.count
        pairs = work.pairs
        isComplete = !work.budget.isSpent
        boxes = work.boxes()
    }
}

/// The comparison at work.
struct Refinement {
    let cells: Cells
    var outcomes: Outcomes
    var budget: Budget
    private(set) var pairs = 0
    /// By (old outcome, new outcome) and source cell the destination cells.
    private var found: [Change: [Int: [Int]]] = [:]
    /// The same by stretches, for the addresses of one workload.
    private var within: [Change: [(source: Int, destination: Int)]] = [:]

    struct Change: Hashable {
        var old: Int
        var new: Int
    }

    /// Sources that are told together: they have the same destinations, and are spoofed in the same sets.
    private struct Together: Hashable {
        var destinations: [Int]
        var isElsewhere: [Bool]
    }

    /// By cell its class in both snapshots.
    private let classes: [(old: ClassNumber, new: ClassNumber)]

    private struct Rows: Hashable {
        var old: UInt32
        var new: UInt32
    }

    init(_ old: PolicyView, _ new: PolicyView, _ time: UInt64, _ budget: Budget) {
        cells = Cells([old, new])
        classes = cells.all.map { ($0.classes[0], $0.classes[1]) }
        outcomes = Outcomes([old, new], at: time)
        self.budget = budget
    }

    /// Finds the rows and peers where tables differ, and looks at their pairs.
    mutating func compareSides() {
        let egress = groups(egress: true)
        var differing: [Set<Int>] = []
        var groupOf = [Int](repeating: 0, count: cells.all.count)
        for (number, group) in egress.enumerated() {
            for cell in group { groupOf[cell] = number }
            let peers = peers(of: group[0], egress: true)
            differing.append(Set(peers))
            for source in group {
                for destination in peers where !budget.isSpent { look(source, destination) }
            }
            if budget.isSpent { return }
        }
        for group in groups(egress: false) {
            let peers = peers(of: group[0], egress: false)
            for destination in group where !cells.all[destination].isGroup && !peers.isEmpty {
                // Whether a pair was looked at already is asked of a set.
                guard budget.take(2 * peers.count) else { return }
                for source in peers where !differing[groupOf[source]].contains(destination) { look(source, destination) }
            }
            if budget.isSpent { return }
        }
        compareUnjudged()
    }

    /// Cells that have the same rows in both snapshots.
    private func groups(egress: Bool) -> [[Int]] {
        var numbers: [Rows: Int] = [:]
        var groups: [[Int]] = []
        for (number, cell) in cells.all.enumerated() {
            let rows = Rows(
                old: cells.views[0].snapshot.row(of: cell.classes[0], egress: egress),
                new: cells.views[1].snapshot.row(of: cell.classes[1], egress: egress))
            let place = numbers[rows] ?? groups.count
            if place == groups.count {
                numbers[rows] = place
                groups.append([])
            }
            groups[place].append(number)
        }
        return groups
    }

    /// The peers of a cell for which its side says something else in the new snapshot.
    private mutating func peers(of subject: Int, egress: Bool) -> [Int] {
        let own = cells.all[subject].classes
        let rows = (0..<2).map { cells.views[$0].snapshot.row(of: own[$0], egress: egress) }
        if rows.allSatisfy({ $0 == SnapshotLayout.none }) { return [] }
        guard budget.take(cells.all.count) else { return [] }
        let (old, new) = (cells.views[0].snapshot, cells.views[1].snapshot)
        var differing: [Int] = []
        var last: (old: UInt32, new: UInt32, differs: Bool)?
        for peer in classes.indices {
            let before = old.table(of: own[0], peer: classes[peer].old, egress: egress)
            let after = new.table(of: own[1], peer: classes[peer].new, egress: egress)
            // Neighbours are mostly judged alike.
            let differs: Bool
            if let last, last.old == before, last.new == after {
                differs = last.differs
            } else {
                differs = outcomes.side(before, in: 0) != outcomes.side(after, in: 1)
                last = (before, after, differs)
                guard budget.take(1 + outcomes.takeSteps()) else { return [] }
            }
            if differs { differing.append(peer) }
        }
        guard budget.take(differing.count) else { return [] }
        return differing
    }

    /// Pairs that no side judges: only the settings of zones can differ there.
    private mutating func compareUnjudged() {
        let sets = cells.views.map(\.set)
        let differ = cells.zones.contains { from in
            cells.zones.contains { sets[0].unjudged(from: from, to: $0) != sets[1].unjudged(from: from, to: $0) }
        }
        guard differ else { return }
        func hasNoSide(_ cell: Cells.Cell, egress: Bool) -> Bool {
            (0..<2).allSatisfy { cells.views[$0].snapshot.row(of: cell.classes[$0], egress: egress) == SnapshotLayout.none }
        }
        let sources = cells.all.indices.filter { hasNoSide(cells.all[$0], egress: true) }
        let destinations = cells.all.indices.filter { cells.all[$0].isGroup || hasNoSide(cells.all[$0], egress: false) }
        for source in sources {
            for destination in destinations where !budget.isSpent { look(source, destination) }
            if budget.isSpent { return }
        }
    }

    /// Compares one pair of cells.
    private mutating func look(_ source: Int, _ destination: Int) {
        // Who is spoofed in either set is compared by itself.
        guard !cells.all[source].isElsewhere.contains(true) else { return }
        enter(source, destination)
    }

    /// Compares what comes from addresses that one set takes for another zone's, and the other does not: sides do not tell that.
    mutating func compareElsewhere() {
        for source in cells.all.indices where cells.all[source].isElsewhere[0] != cells.all[source].isElsewhere[1] {
            for destination in cells.all.indices where !budget.isSpent { enter(source, destination) }
        }
    }

    /// Keeps a pair of cells between which something else becomes of a connection.
    private mutating func enter(_ source: Int, _ destination: Int) {
        // Four looks into rows, and what is not known yet of their tables.
        guard budget.take(8 + outcomes.takeSteps()) else { return }
        pairs += 1
        let (from, to) = (cells.all[source], cells.all[destination])
        // One workload's own addresses are compared by themselves.
        let isWithin = (0..<2).contains { from.owner[$0] >= 0 && from.owner[$0] == to.owner[$0] }
        guard !isWithin, from.canReach(to) else { return }
        let change = Change(
            old: outcomes.outcome(0, from: from, to: to, cells), new: outcomes.outcome(1, from: from, to: to, cells))
        guard change.old != change.new else { return }
        // What was found is kept, sorted and named.
        found[change, default: [:]][source, default: []].append(destination)
        _ = budget.take(20)
    }

    /// Compares connections between addresses that one set takes for one workload and the other does not.
    mutating func compareWithin() {
        for view in 0..<2 {
            var byOwner: [Int: [Int]] = [:]
            for (stretch, owner) in cells.owners[view].enumerated() where owner >= 0 {
                byOwner[owner, default: []].append(stretch)
            }
            for owner in byOwner.keys.sorted() {
                let own = byOwner[owner] ?? []
                let others = Set(own.map { cells.owners[1 - view][$0] })
                // All together in the other set as well, or a single address: nothing to see.
                if others.count == 1, others.first != -1 { continue }
                if own.count == 1, cells.stretches[own[0]].isHost { continue }
                for source in own {
                    guard budget.take(own.count) else { return }
                    for destination in own { lookWithin(source, destination, view) }
                }
            }
        }
    }

    private mutating func lookWithin(_ source: Int, _ destination: Int, _ view: Int) {
        let (first, second) = (cells.stretches[source], cells.stretches[destination])
        guard source != destination || !first.isHost, first.address.isIPv4 == second.address.isIPv4 else { return }
        let isOne = (0..<2).map { cells.owners[$0][source] >= 0 && cells.owners[$0][source] == cells.owners[$0][destination] }
        // What both sets take for one is seen once at most, and is allowed in both.
        guard !(isOne[0] && isOne[1]), budget.take(20 + outcomes.takeSteps()) else { return }
        let (from, to) = (cells.all[first.cell], cells.all[second.cell])
        let numbers = (0..<2).map { isOne[$0] ? outcomes.allowed() : outcomes.outcome($0, from: from, to: to, cells) }
        let change = Change(old: numbers[0], new: numbers[1])
        if change.old != change.new { within[change, default: []].append((source, destination)) }
    }

    /// What was found, as boxes: sources that have the same destinations for the same change are told together.
    mutating func boxes() -> [Comparison.Box] {
        let naming = Naming(cells, view: 1)
        var boxes: [Comparison.Box] = []
        for (change, destinationsOf) in found {
            let together = Dictionary(grouping: destinationsOf.keys) {
                Together(destinations: destinationsOf[$0]?.sorted() ?? [], isElsewhere: cells.all[$0].isElsewhere)
            }
            for (key, sources) in together {
                boxes += split(
                    change, naming.parties(cells: sources, isSource: true), naming.parties(cells: key.destinations),
                    key.isElsewhere)
            }
        }
        for (change, places) in within {
            for (sources, destinations) in Dictionary(grouping: places, by: \.source).map({ ([$0], $1.map(\.destination)) }) {
                let isElsewhere = cells.all[cells.stretches[sources[0]].cell].isElsewhere
                boxes += split(
                    change, naming.parties(stretches: sources, isSource: true), naming.parties(stretches: destinations),
                    isElsewhere)
            }
        }
        return boxes.map { (key: $0.key, box: $0) }.sorted { $0.key < $1.key }.map(\.box)
    }

    /// A box for each pair of decisions that the change holds.
    private func split(
        _ change: Change, _ sources: [Party], _ destinations: [Party], _ isElsewhere: [Bool]
    ) -> [Comparison.Box] {
        var spans: [[Decision]: [ServiceSpan]] = [:]
        for (span, old, new) in outcomes.differences(change.old, change.new) { spans[[old, new], default: []].append(span) }
        return spans.flatMap { key, services in
            sources.flatMap { source in
                destinations.map {
                    Comparison.Box(
                        sources: source, destinations: $0, services: services, old: key[0], new: key[1],
                        isOldSpoofed: isElsewhere[0], isNewSpoofed: isElsewhere[1])
                }
            }
        }
    }
}

extension Comparison.Box {
    /// The order in which boxes are told.
    fileprivate var key: String {
        "\(isWidening ? 0 : 1) \(old.rawValue) \(new.rawValue) \(sources.text) \(destinations.text) "
            + services.map { "\($0.first)" }.joined(separator: ",")
    }
}
