// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Net
internal import Policy

/// The classes that a rule's peers, or a policy's subject, match, as marks on the tree of classes: whether each root matches, and each
/// class at which the answer is another one than around it. So "any" costs nothing, and a block one mark however much lies in it.
struct Matcher {
    /// By zone, whether addresses match that nobody claims and that lie in no prefix.
    var outside: [Bool]
    /// By zone, whether all workloads match.
    var known: [Bool]
    /// The marks, by class.
    var marks: [(number: ClassNumber, isIn: Bool)] = []
}

/// What selects peers while the conditions of address sets stay the same.
struct Variant {
    /// For which services of the destination; all where absent.
    var services: ServiceRange?
    /// From which second on.
    var from: UInt64 = 0
    /// Up to, not including, this second.
    var until: UInt64 = .max
    /// The number of the boxes, and later of the matcher.
    var matcher: Int
}

/// Finds the boxes of terms, each distinct list of terms once; by the numbers that the facts have for them.
struct Boxes {
    private struct Subject: Hashable {
        var term: Int
        var isOwn: Bool
    }

    private struct Peers: Hashable {
        var terms: UInt32
        var family: Rule.Family?
        var isDestination: Bool
    }

    private let facts: Facts
    private var knownSubjects: [Subject: Int] = [:]
    private var knownPeers: [Peers: [Variant]] = [:]
    private var numbers: [[Box]: Int] = [:]
    /// All lists of boxes that were asked for.
    private(set) var all: [[Box]] = []

    init(_ facts: Facts) { self.facts = facts }

    /// The workloads for which a policy speaks, or to which a rule is narrowed.
    mutating func subjects(_ term: Int, isOwn: Bool) -> Int {
        let key = Subject(term: term, isOwn: isOwn)
        if let known = knownSubjects[key] { return known }
        let number = number(of: facts.boxes.subjects(facts.terms.all[term], isOwn: isOwn))
        knownSubjects[key] = number
        return number
    }

    /// The peers of a rule, a list of terms, by the conditions of address sets.
    mutating func peers(
        _ list: UInt32, _ direction: Rule.Direction, _ family: Rule.Family?
    ) throws(CompileError) -> [Variant] {
        let isDestination = direction == .egress
        let key = Peers(terms: list, family: family, isDestination: isDestination)
        if let variants = knownPeers[key] { return variants }
        let terms = facts.terms[list]
        var variants: [Variant] = []
        for (services, from, until) in try conditions(terms, isDestination: isDestination) {
            var boxes = facts.boxes.boxes(terms, at: Moment(service: services?.first, time: from))
            if let family {
                let nodes = facts.tree.nodes(in: [family.everything])
                boxes = boxes.map { $0.intersection(Box(nodes: nodes)) }.filter { !$0.isEmpty }
            }
            variants.append(Variant(services: services, from: from, until: until, matcher: number(of: boxes)))
        }
        knownPeers[key] = variants
        return variants
    }

    /// Any term, without conditions: the openings of failsafe.
    mutating func plain(_ term: Term) -> Int { number(of: facts.boxes.boxes(term, scope: nil, at: Moment(time: 0))) }

    private mutating func number(of boxes: [Box]) -> Int {
        let merged = merge(boxes)
        if let known = numbers[merged] { return known }
        numbers[merged] = all.count
        all.append(merged)
        return all.count - 1
    }

    /// Boxes that differ in their nodes only are one box.
    private func merge(_ boxes: [Box]) -> [Box] {
        guard boxes.count > 1 else { return boxes }
        var merged: [Box] = []
        for box in boxes {
            let same = merged.firstIndex { $0.outside == box.outside && $0.known == box.known && $0.zones == box.zones }
            if let same { merged[same].nodes = merged[same].nodes.union(box.nodes) } else { merged.append(box) }
        }
        return merged
    }

    /// The runs of services and times within which address sets hold the same addresses, as far as these terms can ask for any.
    private func conditions(
        _ terms: [ScopedTerm], isDestination: Bool
    ) throws(CompileError) -> [(services: ServiceRange?, from: UInt64, until: UInt64)] {
        let entries = facts.set.addressSets.flatMap(\.entries).filter { $0.service != nil || $0.until != nil }
        guard !entries.isEmpty, terms.contains(where: \.term.asksForSets) else { return [(nil, 0, .max)] }
        let times = [0] + Set(entries.compactMap(\.until)).sorted()
        var services: [ServiceRange?] = [nil]
        let ranges = entries.compactMap(\.service)
        if isDestination && !ranges.isEmpty {
            let edges = Set([0, ServiceKey.end] + ranges.flatMap { [$0.first, $0.end] }).sorted()
            services = zip(edges, edges.dropFirst()).map { ServiceRange(first: $0, end: $1) }
        }
        guard times.count * services.count <= CompileLimits.conditions else {
            throw .capacity(
                what: "combinations of services and leases of address sets", needed: times.count * services.count,
                limit: CompileLimits.conditions)
        }
        return zip(times, times.dropFirst() + [.max]).flatMap { from, until in services.map { ($0, from, until) } }
    }
}

extension Term {
    /// Whether what an address set holds can matter to it.
    fileprivate var asksForSets: Bool {
        let namesKnown = entities?.contains(.known) ?? false
        return selectsByLabel || notSelector != nil || notNamespaceSelector != nil || namesKnown
            || named.contains(where: \.asksForSets)
    }
}

/// Puts boxes on the tree of classes.
struct MatcherMaker {
    let facts: Facts
    let space: ClassSpace
    let tree: ClassTree
    private let places: [Int: Int]

    init(_ facts: Facts, _ space: ClassSpace, _ tree: ClassTree) {
        self.facts = facts
        self.space = space
        self.tree = tree
        places = Dictionary(uniqueKeysWithValues: space.knownNodes.enumerated().map { ($1, $0) })
    }

    /// The matcher of boxes of which any must hold.
    func matcher(_ boxes: [Box]) -> Matcher {
        var matcher = Matcher(
            outside: (0..<space.zones).map { zone in
                boxes.contains { $0.outside && $0.hasZone(zone) && $0.nodes.contains(0) }
            },
            known: (0..<space.zones).map { zone in
                boxes.contains { $0.known == .all && $0.hasZone(zone) && $0.nodes.contains(0) }
            })
        for box in boxes { marks(box, &matcher.marks) }
        if boxes.count > 1 { settle(&matcher, boxes) } else { matcher.marks.sort { $0.number < $1.number } }
        return matcher
    }

    /// The marks of one box.
    private func marks(_ box: Box, _ marks: inout [(number: ClassNumber, isIn: Bool)]) {
        let nodes = box.nodes.marks(facts.tree)
        for zone in box.zones ?? Array(0..<space.zones) {
            if box.outside {
                for mark in nodes { marks.append((space.outside(node: mark.node, zone: zone), mark.isIn)) }
            }
            switch box.known {
            case .all:
                guard !nodes.isEmpty else { continue }
                for labels in 0..<space.labelClasses { self.marks(labels, nodes, zone, &marks) }
            case .some(let list):
                let isIn = box.nodes.contains(0)
                for labels in list {
                    if isIn { marks.append((space.plain(labels: labels, zone: zone), true)) }
                    self.marks(labels, nodes, zone, &marks)
                }
            }
        }
    }

    private func marks(
        _ labels: Int, _ nodes: [NodeSet.Mark], _ zone: Int, _ marks: inout [(number: ClassNumber, isIn: Bool)]
    ) {
        for mark in nodes {
            guard let place = places[mark.node], let number = space.known(labels: labels, place: place, zone: zone) else {
                continue
            }
            marks.append((number, mark.isIn))
        }
    }

    /// Several boxes: each place that is a mark of one is looked at for all, and stays one where the answer differs from around it.
    private func settle(_ matcher: inout Matcher, _ boxes: [Box]) {
        var open: [(end: ClassNumber, isIn: Bool)] = []
        var settled: [(number: ClassNumber, isIn: Bool)] = []
        for number in Set(matcher.marks.map(\.number)).sorted() {
            while let last = open.last, last.end <= number { open.removeLast() }
            let place = space.place(of: number)
            let root = place.labels == nil ? matcher.outside[place.zone] : matcher.known[place.zone]
            let isIn = boxes.contains { box in
                (place.labels.map(box.known.contains) ?? box.outside) && box.hasZone(place.zone) && box.nodes.contains(place.node)
            }
            if isIn != open.last?.isIn ?? root {
                settled.append((number, isIn))
                open.append((tree.ends[Int(number)], isIn))
            }
        }
        matcher.marks = settled
    }
}
