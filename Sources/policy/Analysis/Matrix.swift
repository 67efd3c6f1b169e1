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

    /// The names of rows and columns.
    public let names: [String]
    /// The cells, row by row.
    public let entries: [[Entry]]
    /// Whether everything was looked at; cells that the budget did not reach say `mixed` without services.
    public let isComplete: Bool

    /// A matrix of workloads, or of the values of a label. Addresses that no workload owns are the row and the column `outside`;
    /// workloads without the label are together in `(without LABEL)`.
    public init(_ view: PolicyView, by label: String? = nil, at time: UInt64, budget: Budget = Budget()) {
        var work = MatrixBench(view, label, time, budget)
        names = work.groups.map(\.name)
        entries = work.groups.indices.map { row in work.groups.indices.map { column in work.entry(row, column) } }
        isComplete = !work.budget.isSpent
    }
}

/// The matrix at work.
struct MatrixBench {
    /// Stretches that stand together.
    struct Group {
        var name: String
        var stretches: [Int]
    }

    let groups: [Group]
    var budget: Budget
    private let view: PolicyView
    private let cells: Cells
    private var outcomes: Outcomes

    init(_ view: PolicyView, _ label: String?, _ time: UInt64, _ budget: Budget) {
        self.view = view
        self.budget = budget
        cells = Cells([view])
        outcomes = Outcomes([view], at: time)
        var byName: [String: [Int]] = [:]
        var outside: [Int] = []
        for (stretch, owner) in cells.owners[0].enumerated() {
            guard owner >= 0 else {
                // A group is nobody's address: nobody sends from it.
                if !cells.all[cells.stretches[stretch].cell].isGroup { outside.append(stretch) }
                continue
            }
            let workload = view.set.workloads[owner]
            let name = label.map { workload.labels[$0] ?? "(without \($0))" } ?? workload.name.description
            byName[name, default: []].append(stretch)
        }
        groups = byName.keys.sorted().map { Group(name: $0, stretches: byName[$0] ?? []) } + [Group(name: "outside", stretches: outside)]
    }

    /// What is allowed from a row to a column.
    mutating func entry(_ row: Int, _ column: Int) -> Matrix.Entry {
        var found: Set<Int> = []
        var sees: Set<Bool> = []
        let sources = byCell(groups[row].stretches)
        let destinations = byCell(groups[column].stretches)
        for (from, own) in sources {
            for (to, others) in destinations {
                guard budget.take() else { return .init(extent: .mixed, services: [], isUnseen: false) }
                guard cells.all[from].canReach(cells.all[to]), isJudged(own, others) else { continue }
                found.insert(outcomes.outcome(0, from: cells.all[from], to: cells.all[to], cells))
                sees.formUnion(sights(own, others))
            }
        }
        guard !found.isEmpty else { return .init(extent: .itself, services: [], isUnseen: false) }
        let services = Set(found.map { Self.union(outcomes.spans($0).filter { $0.decision == .allow }.map(\.span)) })
        let merged = Self.union(services.flatMap { $0 })
        let extent: Matrix.Extent =
            services.count > 1 ? .mixed : merged.isEmpty ? .none : merged == [.everything] ? .all : .some
        return .init(extent: extent, services: merged, isUnseen: sees.contains(false))
    }

    private func byCell(_ stretches: [Int]) -> [(Int, [Int])] {
        Dictionary(grouping: stretches) { cells.stretches[$0].cell }.sorted { $0.key < $1.key }.map { ($0, $1) }
    }

    /// Whether there is a connection between different workloads among them.
    private func isJudged(_ sources: [Int], _ destinations: [Int]) -> Bool {
        let owners = Set(sources.map { cells.owners[0][$0] }).union(destinations.map { cells.owners[0][$0] })
        return owners.count > 1 || owners.first == -1
    }

    /// Whether the appliance sees the traffic, for each pair of zones among them.
    private func sights(_ sources: [Int], _ destinations: [Int]) -> Set<Bool> {
        let from = Set(sources.map { cells.stretches[$0].zone })
        let to = Set(destinations.map { cells.stretches[$0].zone })
        var found: Set<Bool> = []
        for source in from {
            for destination in to {
                if case .never = view.sight(from: cells.zones[source], to: cells.zones[destination]) {
                    found.insert(false)
                } else {
                    found.insert(true)
                }
            }
        }
        return found
    }

    /// The services of all spans, each once; source ports are kept apart only where they are not all.
    static func union(_ spans: [ServiceSpan]) -> [ServiceSpan] {
        var found: [ServiceSpan] = []
        for span in Set(spans).sorted(by: { ($0.first, $0.sourcePorts.lowerBound) < ($1.first, $1.sourcePorts.lowerBound) }) {
            if let last = found.last, last.sourcePorts == span.sourcePorts, span.first <= last.last || span.first == last.last + 1 {
                found[found.count - 1].last = max(last.last, span.last)
            } else {
                found.append(span)
            }
        }
        return found
    }
}
