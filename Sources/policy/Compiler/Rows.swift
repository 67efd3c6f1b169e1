// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Net
internal import Policy

/// What makes a row: who judges, in which direction, and what holds where nobody does.
struct RowKey: Hashable {
    var direction: Rule.Direction
    /// The policies that speak for the subject, a list.
    var policies: UInt32
    /// The rules narrowed to some subjects, failsafe's openings among them, that are meant for this one, a list.
    var narrowed: UInt32
    /// What holds where nothing isolates the subject; `nil` for who is nobody, and has no side but failsafe's.
    var end: Setting?
    /// For ingress: the subject's own named services.
    var services: [String: ServiceRange]
    /// The workload whose blocks the class is, so that it reaches itself.
    var owner: ObjectName?
}

/// A rule as the evaluation of rows has it at hand: of one that asks address sets for their conditions there are several.
struct RuleEntry {
    /// What it is a rule of.
    enum Origin {
        /// A rule of a policy.
        case policy(Int, Rule)
        /// A service that failsafe keeps open.
        case failsafe(Failsafe.Opening)
    }

    var origin: Origin
    var direction: Rule.Direction
    /// The peers.
    var peers: Variant
    /// The subjects to which it is narrowed, a matcher.
    var own: Int?
    /// The runs of services of which it speaks, where neither names nor source ports matter.
    var coverage: [ServiceRange]?

    /// Whether it names services by the destination's names.
    var usesNames: Bool {
        guard case .policy(_, let rule) = origin else { return false }
        return !(rule.services?.names ?? []).isEmpty || !(rule.notServices?.names ?? []).isEmpty
    }
}

/// Walks the rules of a row and finds, for each class of peer, the list of rules that match it: for the roots, and for each class
/// whose list is another one than that of the class above it.
struct RowWalk {
    private let space: ClassSpace
    private let tree: ClassTree
    private let matchers: [Matcher]
    private var events: [Event] = []

    /// What a row says of a class of peer.
    struct Entry {
        var peer: ClassNumber
        /// The list of rules; `nil` where the peer is the subject itself.
        var list: UInt32?
    }

    /// A class on the way down, and its list.
    private struct Step {
        var number: ClassNumber
        var end: ClassNumber
        var list: UInt32?
    }

    init(_ space: ClassSpace, _ tree: ClassTree, _ matchers: [Matcher]) {
        self.space = space
        self.tree = tree
        self.matchers = matchers
    }

    /// The entries of a row with these rules, in order. `own` are the label classes of the subject itself; `split` those that cannot
    /// inherit from the root of all workloads, because the same rules mean other services for them.
    mutating func entries(
        _ rules: [(number: UInt32, matcher: Int)], own: [Int], split: [Int], _ lists: inout Lists
    ) -> [Entry] {
        var outside = [[UInt32]](repeating: [], count: space.zones)
        var known = outside
        events.removeAll(keepingCapacity: true)
        for (number, matcher) in rules {
            for zone in 0..<space.zones {
                if matchers[matcher].outside[zone] { outside[zone].append(number) }
                if matchers[matcher].known[zone] { known[zone].append(number) }
            }
            for mark in matchers[matcher].marks { events.append(Event(mark.number, item: number, begins: mark.isIn)) }
        }
        events.sort()
        let roots = (outside.map { lists.number(of: $0) }, known.map { lists.number(of: $0) })
        var found: [Entry] = []
        for zone in 0..<space.zones {
            found.append(Entry(peer: space.outside(node: 0, zone: zone), list: roots.0[zone]))
            found.append(Entry(peer: space.anyKnown(zone: zone), list: roots.1[zone]))
        }
        var isOwn = Set<Int>()
        var visits: [ClassNumber] = []
        for labels in own {
            isOwn.insert(labels)
            for zone in 0..<space.zones { visits.append(space.plain(labels: labels, zone: zone)) }
        }
        let splits = Set(split)
        for labels in split { for zone in 0..<space.zones { visits.append(space.plain(labels: labels, zone: zone)) } }
        addVisits(&visits)
        walk(visits, roots, isOwn, splits, &lists, &found)
        return found
    }

    /// Every class that has an event, and every class below one that hangs higher than around it.
    private func addVisits(_ visits: inout [ClassNumber]) {
        var last: ClassNumber?
        var covered: ClassNumber = 0
        for event in events where event.number != last {
            last = event.number
            visits.append(event.number)
        }
        guard !tree.deep.isEmpty else { return visits.sortOnce() }
        for number in Array(visits).sorted() {
            let end = tree.ends[Int(number)]
            guard end > covered else { continue }
            var place = tree.deep.place(of: max(number + 1, covered))
            while place < tree.deep.count, tree.deep[place] < end {
                visits.append(tree.deep[place])
                place += 1
            }
            covered = max(covered, end)
        }
        visits.sortOnce()
    }

    private func walk(
        _ visits: [ClassNumber], _ roots: ([UInt32], [UInt32]), _ isOwn: Set<Int>, _ splits: Set<Int>, _ lists: inout Lists,
        _ found: inout [Entry]
    ) {
        var way: [Step] = []
        var next = 0
        for number in visits {
            while let step = way.last, step.end <= number { way.removeLast() }
            let first = next
            while next < events.count, events[next].number == number { next += 1 }
            let place = space.place(of: number)
            let root = place.labels == nil ? roots.0[place.zone] : roots.1[place.zone]
            let isSubject = place.labels.map(isOwn.contains) ?? false
            let list = isSubject ? nil : lists.apply(events[first..<next], to: (way.last.map(\.list) ?? root) ?? root)
            // What it would inherit in the image, where a deep class hangs higher than around it.
            let above = tree.parents[Int(number)]
            let around = way.last { $0.number <= above }
            let inherited = around.map(\.list) ?? root
            let isPlain = number == place.labels.map { space.plain(labels: $0, zone: place.zone) }
            if list != inherited || (isPlain && splits.contains(place.labels ?? -1)) {
                found.append(Entry(peer: number, list: list))
            }
            way.append(Step(number: number, end: tree.ends[Int(number)], list: list))
        }
    }
}

extension [ClassNumber] {
    /// Ascending, each once.
    fileprivate mutating func sortOnce() {
        sort()
        var kept = 0
        for index in indices where index == 0 || self[index] != self[kept - 1] {
            self[kept] = self[index]
            kept += 1
        }
        removeLast(count - kept)
    }

    /// The index of the first number that is not smaller.
    fileprivate func place(of number: ClassNumber) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
