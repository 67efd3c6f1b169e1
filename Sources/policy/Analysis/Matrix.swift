// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

/// Who may talk to whom: a row for each source, a column for each destination, and in each cell what is allowed between them. Exact:
/// a cell says *all* or *none* only where that holds for every pair of addresses behind it.
public struct Matrix: Sendable {
    /// How much of what is allowed.
    public enum Extent: String, Sendable {
        /// Every service, from all to all.
        case all
        /// These services from all to all, and no others.
        case some
        /// Not the same for all that the row and the column stand for: at most these services.
        case mixed
        /// Nothing.
        case none
        /// There is no such connection: one workload alone, or two families.
        case itself
    }

    /// One cell.
    public struct Entry: Sendable {
        /// How much.
        public var extent: Extent
        /// What is allowed somewhere in it.
        public var services: [ServiceSpan]
        /// Whether some, or all, of the traffic is never seen by the appliance, and so not enforced.
        public var isUnseen: Bool
    }

    /// Rows that a matrix has at most: more can be read by nobody, and their squares fill memory.
    public static let mostRows = 1_000

    /// The names of rows and columns.
    public let names: [String]
    /// The cells, row by row.
    public let entries: [[Entry]]
    /// Whether there are addresses of workloads in zones that are not theirs. They are in no row and in no column: what comes from them is
    /// dropped as spoofed, and what goes to them is answered by nobody.
    public let hasSpoofed: Bool
    /// Whether everything was looked at; cells that the budget did not reach say `mixed` without services.
    public let isComplete: Bool

    /// A matrix of workloads, or of the values of a label. Addresses that no workload owns are the row and the column `outside`;
    /// workloads without the label are together in `(without LABEL)`.
    /// Throws where there would be more than `mostRows` rows.
    public init(
        _ view: PolicyView, by label: String? = nil, at time: UInt64, budget: Budget = Budget()
    ) throws(QuestionError) {
        var work = MatrixBench(view, label, time, budget)
        guard work.groups.count <= Self.mostRows else {
            throw QuestionError(
                "the matrix would have \(work.groups.count) rows, \(Self.mostRows) is the limit: take a label with fewer values (--by)"
            )
        }
        names = work.groups.map(\.name)
        entries = work.groups.indices.map { row in work.groups.indices.map { column in work.entry(row, column) } }
        isComplete = !work.budget.isSpent
        hasSpoofed = work.hasSpoofed
    }
}

/// The matrix at work.
struct MatrixBench {
    /// A row, or a column.
    struct Group {
        var name: String
        var parts: [Part]
    }

    /// What a row has of one cell.
    struct Part {
        var cell: Int
        /// The workload that owns all of it; -1 where nobody does, -2 where several do.
        var owner: Int
        var zones: Set<Int>
    }

    let groups: [Group]
    /// Whether some addresses were left out, because who sends from them is spoofed.
    let hasSpoofed: Bool
    var budget: Budget
    private let cells: Cells
    private var outcomes: Outcomes
    /// Zones between whose own ends the appliance sees nothing.
    private let unseen: Set<Int>

    init(_ view: PolicyView, _ label: String?, _ time: UInt64, _ budget: Budget) {
        self.budget = budget
        cells = Cells([view])
        outcomes = Outcomes([view], at: time)
        var byName: [String: [Int]] = [:]
        var outside: [Int] = []
        var hasSpoofed = false
        for (stretch, owner) in cells.owners[0].enumerated() {
            guard owner >= 0 else {
                let cell = cells.all[cells.stretches[stretch].cell]
                // A group is nobody's address: nobody sends from it. Nor does anybody from another zone's.
                if cell.isElsewhere[0] { hasSpoofed = true } else if !cell.isGroup { outside.append(stretch) }
                continue
            }
            let workload = view.set.workloads[owner]
            let name = label.map { workload.labels[$0] ?? "(without \($0))" } ?? workload.name.description
            byName[name, default: []].append(stretch)
        }
        self.hasSpoofed = hasSpoofed
        let parts = { [cells] (stretches: [Int]) in Self.parts(stretches, cells) }
        groups =
            byName.keys.sorted().map { Group(name: $0, parts: parts(byName[$0] ?? [])) }
            + [Group(name: "outside", parts: parts(outside))]
        unseen = Set(
            cells.zones.indices.filter { [cells] zone in
                if case .never = view.sight(from: cells.zones[zone], to: cells.zones[zone]) { true } else { false }
            })
    }

    /// What is allowed from a row to a column.
    mutating func entry(_ row: Int, _ column: Int) -> Matrix.Entry {
        var found: Set<Int> = []
        var isUnseen = false
        for own in groups[row].parts {
            for other in groups[column].parts {
                guard budget.take(4 + outcomes.takeSteps()) else { return .init(extent: .mixed, services: [], isUnseen: false) }
                let (from, to) = (cells.all[own.cell], cells.all[other.cell])
                let isItself = own.owner >= 0 && own.owner == other.owner
                guard !isItself, from.canReach(to) else { continue }
                found.insert(outcomes.outcome(0, from: from, to: to, cells))
                if !unseen.isEmpty, !unseen.isDisjoint(with: own.zones.intersection(other.zones)) { isUnseen = true }
            }
        }
        guard !found.isEmpty else { return .init(extent: .itself, services: [], isUnseen: false) }
        let services = Set(found.map { Self.union(outcomes.spans($0).filter { $0.decision == .allow }.map(\.span)) })
        let merged = Self.union(services.flatMap { $0 })
        let extent: Matrix.Extent =
            services.count > 1 ? .mixed : merged.isEmpty ? .none : merged == [.everything] ? .all : .some
        return .init(extent: extent, services: merged, isUnseen: isUnseen)
    }

    /// Stretches by cell.
    private static func parts(_ stretches: [Int], _ cells: Cells) -> [Part] {
        var parts: [Int: Part] = [:]
        for number in stretches {
            let (stretch, owner) = (cells.stretches[number], cells.owners[0][number])
            var part = parts[stretch.cell] ?? Part(cell: stretch.cell, owner: owner, zones: [])
            if part.owner != owner { part.owner = -2 }
            part.zones.insert(stretch.zone)
            parts[stretch.cell] = part
        }
        return parts.values.sorted { $0.cell < $1.cell }
    }

    /// The services of all spans, each once; source ports are kept apart only where they are not all.
    static func union(_ spans: [ServiceSpan]) -> [ServiceSpan] {
        var found: [ServiceSpan] = []
        for span in Set(spans).sorted(by: { ($0.first, $0.sourcePorts.lowerBound) < ($1.first, $1.sourcePorts.lowerBound) }) {
            if let last = found.last, last.sourcePorts == span.sourcePorts, span.first <= last.last || span.first == last.last + 1
            {
                found[found.count - 1].last = max(last.last, span.last)
            } else {
                found.append(span)
            }
        }
        return found
    }
}
