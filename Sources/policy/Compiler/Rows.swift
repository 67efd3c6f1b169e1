// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Net
internal import Policy

/// A list of numbers as one number: equal lists are equal numbers, and a list that is one longer costs one step.
struct Chains {
    private struct Link: Hashable {
        var before: UInt32
        var last: UInt32
    }

    /// The empty list.
    static let empty: UInt32 = 0
    private var links = [Link(before: 0, last: 0)]
    private var numbers: [Link: UInt32] = [:]

    /// The list that has one more at its end.
    mutating func append(_ last: UInt32, to list: UInt32) -> UInt32 {
        let link = Link(before: list, last: last)
        if let known = numbers[link] { return known }
        numbers[link] = UInt32(links.count)
        links.append(link)
        return UInt32(links.count - 1)
    }

    /// The list's numbers in order.
    func list(_ number: UInt32) -> [UInt32] {
        var found: [UInt32] = []
        var next = number
        while next != Self.empty {
            found.append(links[Int(next)].last)
            next = links[Int(next)].before
        }
        return found.reversed()
    }
}

/// What makes the row of a side: equal keys judge every peer alike.
struct RowKey: Hashable {
    /// The side that it judges.
    var direction: Rule.Direction
    /// The policies that speak for the class in this direction, as a list of `Chains`.
    var policies: UInt32
    /// What holds where nothing isolates.
    var end: Setting
    /// For ingress: the subject's own named services.
    var services: [String: ServiceRange]
    /// The workload whose blocks the class is, so that it reaches itself.
    var owner: ObjectName?
}

/// A rule with what the evaluation of rows needs at hand.
struct RuleEntry {
    var policy: Int
    var rule: Rule
    var matcher: Int
}

/// Walks the rules of a row and finds, for each class of peer, the list of rules that match it: for the two roots the rules that
/// match everything, and for each class that some other rule names its own list, unless it is the list of the class above it.
struct RowWalk {
    /// Stands for "the peer is the subject itself".
    static let itself = UInt32.max

    private let space: ClassSpace
    private let tree: ClassTree
    private var lists: [UInt32]
    private var turns: [UInt32]
    private var turn: UInt32 = 0

    init(_ space: ClassSpace, _ tree: ClassTree) {
        self.space = space
        self.tree = tree
        lists = [UInt32](repeating: 0, count: space.count)
        turns = [UInt32](repeating: 0, count: space.count)
    }

    /// The lists of a row with these rules, in order; the roots come first. `own` are the classes of the subject itself; `split` those
    /// that cannot inherit from the root of all workloads, because the same rules mean other services for them.
    mutating func lists(
        _ rules: [(number: UInt32, matcher: Matcher)], own: [ClassNumber], split: Set<ClassNumber>, _ chains: inout Chains
    ) -> [(peer: ClassNumber, list: UInt32)] {
        turn += 1
        var outside = Chains.empty
        var known = Chains.empty
        var named: [ClassNumber] = []
        for (number, matcher) in rules {
            for peer in matcher.classes {
                name(peer, space.isKnown(peer) ? known : outside, &named)
                lists[Int(peer)] = chains.append(number, to: lists[Int(peer)])
            }
            if matcher.allOutside || matcher.allKnown {
                for peer in named where space.isKnown(peer) ? matcher.allKnown : matcher.allOutside {
                    lists[Int(peer)] = chains.append(number, to: lists[Int(peer)])
                }
                if matcher.allOutside { outside = chains.append(number, to: outside) }
                if matcher.allKnown { known = chains.append(number, to: known) }
            }
        }
        for peer in own {
            name(peer, known, &named)
            lists[Int(peer)] = Self.itself
        }
        for peer in split { name(peer, known, &named) }
        return spellOut(named, split: split, outside: outside, known: known)
    }

    /// Gives a class a list of its own, which starts as that of its root.
    private mutating func name(_ peer: ClassNumber, _ root: UInt32, _ named: inout [ClassNumber]) {
        guard turns[Int(peer)] != turn else { return }
        turns[Int(peer)] = turn
        lists[Int(peer)] = root
        named.append(peer)
    }

    /// A class that no rule names has its root's list, but would inherit that of a class between: so it is named as well.
    private mutating func spellOut(
        _ named: [ClassNumber], split: Set<ClassNumber>, outside: UInt32, known: UInt32
    ) -> [(peer: ClassNumber, list: UInt32)] {
        var all = named
        var next = 0
        while next < all.count {
            for child in tree.children(of: all[next]) { name(child, space.isKnown(child) ? known : outside, &all) }
            next += 1
        }
        all.sort { tree.depths[Int($0)] < tree.depths[Int($1)] }
        let isNobodyNamed = turns[0] == turn
        var found: [(peer: ClassNumber, list: UInt32)] = [
            (0, isNobodyNamed ? lists[0] : outside), (ClassSpace.anyKnown, known),
        ]
        for peer in all where peer != 0 {
            let parent = tree.parents[Int(peer)]
            let inherited = turns[Int(parent)] == turn ? lists[Int(parent)] : space.isKnown(parent) ? known : outside
            if lists[Int(peer)] != inherited || split.contains(peer) { found.append((peer, lists[Int(peer)])) }
        }
        return found
    }
}
