// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Net
internal import Policy
internal import Record

/// Some services, asked from some source ports.
public struct ServiceSpan: Hashable, Sendable {
    /// First service key.
    public var first: UInt32
    /// Last service key.
    public var last: UInt32
    /// Ports of the source.
    public var sourcePorts: ClosedRange<UInt16>

    /// Services from the first to the last.
    public init(first: UInt32, last: UInt32, sourcePorts: ClosedRange<UInt16>) {
        self.first = first
        self.last = last
        self.sourcePorts = sourcePorts
    }

    /// All of them.
    static let everything = ServiceSpan(first: 0, last: ServiceKey.end - 1, sourcePorts: 0...UInt16.max)

    /// Whether a service is one of them, from whatever port.
    func contains(_ service: ServiceKey) -> Bool { first <= service.rawValue && service.rawValue <= last }
}

/// What becomes of connections between two cells, service by service, at one time. Outcomes are interned: equal ones have equal
/// numbers, whichever snapshot they come from, so that comparing them costs nothing.
struct Outcomes {
    /// From this service and source port on, up to the next piece: one decision.
    struct Piece: Hashable {
        var first: UInt32
        var sourceFirst: UInt16
        var decision: Decision
    }

    private struct Sides: Hashable {
        var view: Int
        var egress: UInt32
        var ingress: UInt32
        var unjudged: UInt32
    }

    let time: UInt64
    private let views: [PolicyView]
    private var numbers: [[Piece]: Int] = [:]
    private(set) var pieces: [[Piece]] = []
    private var known: [Sides: Int] = [:]
    /// By view and table the number of what the side says, where it was asked; tables lie close together.
    private var knownSides: [[Int32]]
    /// Steps that were taken for what is not known yet, and that nobody was charged for.
    private var steps = 0

    init(_ views: [PolicyView], at time: UInt64) {
        self.views = views
        self.time = time
        knownSides = views.map { _ in [] }
    }

    /// The steps that were taken since this was asked last.
    mutating func takeSteps() -> Int {
        defer { steps = 0 }
        return steps
    }

    /// The number of what one side says alone; tables that say the same have the same. -1 where it does not judge.
    mutating func side(_ table: UInt32, in view: Int) -> Int {
        guard table != SnapshotLayout.none else { return -1 }
        let index = Int(table)
        if index < knownSides[view].count, knownSides[view][index] >= 0 { return Int(knownSides[view][index]) }
        let number = number(of: merge(view, table, SnapshotLayout.none, SnapshotLayout.none))
        if index >= knownSides[view].count {
            let missing = max(index + 1, 2 * knownSides[view].count) - knownSides[view].count
            knownSides[view].append(contentsOf: repeatElement(-1, count: missing))
        }
        knownSides[view][index] = Int32(number)
        return number
    }

    /// The number of the outcome between two cells. Who sends from an address of another zone is denied as spoofed.
    mutating func outcome(_ view: Int, from source: Cells.Cell, to destination: Cells.Cell, _ cells: Cells) -> Int {
        if source.isElsewhere[view] { return number(of: [Piece(first: 0, sourceFirst: 0, decision: .deny)]) }
        let snapshot = views[view].snapshot
        let egress = snapshot.table(of: source.classes[view], peer: destination.classes[view], egress: true)
        let ingress =
            destination.isGroup
            ? SnapshotLayout.none : snapshot.table(of: destination.classes[view], peer: source.classes[view], egress: false)
        var unjudged = SnapshotLayout.none
        if egress == SnapshotLayout.none && ingress == SnapshotLayout.none {
            let zones = [source.zone, destination.zone].map { views[view].zone(cells.zones[$0]) }
            unjudged = snapshot.unjudgedRecord(from: zones[0], to: zones[1])
        }
        return outcome(view, egress, ingress, unjudged)
    }

    private mutating func outcome(_ view: Int, _ egress: UInt32, _ ingress: UInt32, _ unjudged: UInt32) -> Int {
        let key = Sides(view: view, egress: egress, ingress: ingress, unjudged: unjudged)
        if let number = known[key] { return number }
        let number = number(of: merge(view, egress, ingress, unjudged))
        known[key] = number
        return number
    }

    /// The number of the outcome in which everything is allowed, as between a workload and itself.
    mutating func allowed() -> Int { number(of: [Piece(first: 0, sourceFirst: 0, decision: .allow)]) }

    private mutating func number(of pieces: [Piece]) -> Int {
        if let number = numbers[pieces] { return number }
        numbers[pieces] = self.pieces.count
        self.pieces.append(pieces)
        return self.pieces.count - 1
    }

    /// Both sides together: the first decision that does not allow, egress before ingress.
    private mutating func merge(_ view: Int, _ egress: UInt32, _ ingress: UInt32, _ unjudged: UInt32) -> [Piece] {
        let snapshot = views[view].snapshot
        func decision(_ record: UInt32) -> Decision {
            snapshot.record(record, at: time).flatMap { Decision(rawValue: $0.decision) } ?? .allow
        }
        if unjudged != SnapshotLayout.none { return [Piece(first: 0, sourceFirst: 0, decision: decision(unjudged))] }
        let first = egress == SnapshotLayout.none ? [] : snapshot.runs(ofTable: egress)
        let second = ingress == SnapshotLayout.none ? [] : snapshot.runs(ofTable: ingress)
        steps += 20 + 4 * (first.count + second.count)
        guard !first.isEmpty, !second.isEmpty else {
            return Self.canonical((first + second).map { ($0.first, $0.sourcePorts.lowerBound, decision($0.record)) })
        }
        steps += 10 * (first.count + second.count)
        var merged: [(UInt32, UInt16, Decision)] = []
        var (i, j) = (0, 0)
        for start in Set(first.map(\.first) + second.map(\.first)).sorted() {
            while i < first.count, first[i].end <= start { i += 1 }
            while j < second.count, second[j].end <= start { j += 1 }
            let mine = first[i...].prefix { $0.first <= start }
            let others = second[j...].prefix { $0.first <= start }
            for port in Set((mine + others).map(\.sourcePorts.lowerBound)).sorted() {
                let here = mine.last { $0.sourcePorts.lowerBound <= port }.map { decision($0.record) } ?? .allow
                let there = others.last { $0.sourcePorts.lowerBound <= port }.map { decision($0.record) } ?? .allow
                merged.append((start, port, here != .allow ? here : there))
            }
        }
        return Self.canonical(merged)
    }

    /// The shortest form: neighbours that say the same are one.
    private static func canonical(_ runs: [(first: UInt32, source: UInt16, decision: Decision)]) -> [Piece] {
        var found: [Piece] = []
        var last: [Piece] = []
        var index = 0
        while index < runs.count {
            var here: [Piece] = []
            let first = runs[index].first
            while index < runs.count, runs[index].first == first {
                let run = runs[index]
                if here.last?.decision != run.decision {
                    here.append(Piece(first: first, sourceFirst: run.source, decision: run.decision))
                }
                index += 1
            }
            let isSame =
                here.count == last.count
                && zip(here, last).allSatisfy { $0.sourceFirst == $1.sourceFirst && $0.decision == $1.decision }
            if !isSame {
                found += here
                last = here
            }
        }
        return found
    }

    /// An outcome as spans with one decision each.
    func spans(_ number: Int) -> [(span: ServiceSpan, decision: Decision)] {
        let pieces = pieces[number]
        var found: [(ServiceSpan, Decision)] = []
        for (index, piece) in pieces.enumerated() {
            let next = pieces[(index + 1)...].first { $0.first != piece.first }?.first ?? ServiceKey.end
            let isLastPort = index + 1 == pieces.count || pieces[index + 1].first != piece.first
            let port = isLastPort ? UInt16.max : pieces[index + 1].sourceFirst - 1
            found.append((ServiceSpan(first: piece.first, last: next - 1, sourcePorts: piece.sourceFirst...port), piece.decision))
        }
        return found
    }

    /// Where two outcomes differ, and what either says there.
    func differences(_ old: Int, _ new: Int) -> [(span: ServiceSpan, old: Decision, new: Decision)] {
        guard old != new else { return [] }
        var found: [(ServiceSpan, Decision, Decision)] = []
        let (before, after) = (spans(old), spans(new))
        var j = 0
        for (mine, was) in before {
            while j < after.count, after[j].span.last < mine.first { j += 1 }
            for (others, becomes) in after[j...] {
                guard others.first <= mine.last else { break }
                guard was != becomes, mine.sourcePorts.overlaps(others.sourcePorts) else { continue }
                let span = ServiceSpan(
                    first: max(mine.first, others.first), last: min(mine.last, others.last),
                    sourcePorts: mine.sourcePorts.clamped(to: others.sourcePorts))
                found.append((span, was, becomes))
            }
        }
        return found.sorted { ($0.0.first, $0.0.sourcePorts.lowerBound) < ($1.0.first, $1.0.sourcePorts.lowerBound) }
    }
}
