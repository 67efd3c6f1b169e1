// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Net
internal import Policy

/// Every class of an image by number: what stands at an address, in which prefixes, in which zone.
///
///     0                    an address that nobody claims, in no prefix
///     1                    a contested address
///     2 …                  the ancestor of all workloads in a zone; no address is of these classes itself
///     … knownBase          nobody's addresses by (zone, prefix node)
///     knownBase …          workloads by (label class, zone, prefix node that tells workloads apart)
///
/// Zones are kept apart only where rules name them or where a block is claimed in some zones only; "zone 0" here means all the rest.
/// In each zone the classes that lie in a prefix follow it, as the nodes of the prefix tree do: below a class is a run of numbers.
struct ClassSpace {
    static let contested: ClassNumber = 1

    /// Prefix nodes, node 0 included.
    let nodes: Int
    /// The nodes that matter for workloads, ascending; 0 is the first.
    let knownNodes: [Int]
    /// Zones that are kept apart, and one more for the rest.
    let zones: Int
    /// The first class of each label class, and of what follows the last one.
    private let firsts: [Int]
    /// For the label classes of blocks: the places in `knownNodes` inside and around the blocks, 0 included.
    private let within: [Int: [Int]]

    /// The space of so many label classes; `within` names, for those that only stand inside blocks, their places in `knownNodes`.
    init(labelClasses: Int, nodes: Int, knownNodes: [Int], zones: Int, within: [Int: [Int]]) {
        self.nodes = nodes
        self.knownNodes = knownNodes
        self.zones = zones
        self.within = within
        var firsts = [1 + zones + nodes * zones]
        for labels in 0..<labelClasses { firsts.append(firsts[labels] + (within[labels]?.count ?? knownNodes.count) * zones) }
        self.firsts = firsts
    }

    /// How many label classes there are.
    var labelClasses: Int { firsts.count - 1 }
    /// The number of the first workload class.
    var knownBase: Int { firsts[0] }
    /// How many classes there are.
    var count: Int { firsts[labelClasses] }

    /// The class above all workloads of a zone.
    func anyKnown(zone: Int) -> ClassNumber { ClassNumber(2 + zone) }

    /// The class of an address that nobody claims.
    func outside(node: Int, zone: Int) -> ClassNumber {
        let place = zone * nodes + node
        return place == 0 ? 0 : ClassNumber(place + 1 + zones)
    }

    /// The class of a workload; `place` is an index of `knownNodes`. `nil` where a label class of blocks does not stand there.
    func known(labels: Int, place: Int, zone: Int) -> ClassNumber? {
        guard let own = within[labels] else { return ClassNumber(firsts[labels] + zone * knownNodes.count + place) }
        var (low, high) = (0, own.count)
        while low < high {
            let middle = (low + high) / 2
            if own[middle] < place { low = middle + 1 } else { high = middle }
        }
        return low < own.count && own[low] == place ? ClassNumber(firsts[labels] + zone * own.count + low) : nil
    }

    /// The class of a workload that lies in no prefix that matters.
    func plain(labels: Int, zone: Int) -> ClassNumber {
        ClassNumber(firsts[labels] + zone * (within[labels]?.count ?? knownNodes.count))
    }

    /// The places in `knownNodes` at which a label class stands.
    func places(of labels: Int) -> [Int] { within[labels] ?? Array(knownNodes.indices) }

    /// Whether a class is a workload's.
    func isKnown(_ number: ClassNumber) -> Bool { Int(number) >= knownBase || (number >= 2 && Int(number) < 2 + zones) }

    /// Where a new family of classes begins, ascending: its first class, and for which root it stands (by zone, outside before known).
    var families: [(first: ClassNumber, root: Int)] {
        let nobody = (0..<zones).map { (first: outside(node: 0, zone: $0), root: $0) }
        return nobody
            + (0..<labelClasses).flatMap { labels in
                (0..<zones).map { (first: plain(labels: labels, zone: $0), root: zones + $0) }
            }
    }

    /// What a class is: nobody's or a label class's, in a zone, at a prefix node.
    struct Place {
        var labels: Int?
        var zone: Int
        var node: Int
    }

    /// What the classes from one number on are.
    func place(of number: ClassNumber) -> Place {
        if number < 2 { return Place(zone: 0, node: 0) }
        guard Int(number) >= knownBase else {
            if Int(number) < 2 + zones { return Place(zone: Int(number) - 2, node: 0) }
            let place = Int(number) - 1 - zones
            return Place(zone: place / nodes, node: place % nodes)
        }
        var (low, high) = (0, firsts.count)
        while low < high {
            let middle = (low + high) / 2
            if firsts[middle] <= Int(number) { low = middle + 1 } else { high = middle }
        }
        let labels = low - 1
        let offset = Int(number) - firsts[labels]
        let width = (firsts[low] - firsts[labels]) / zones
        let place = within[labels].map { $0[offset % width] } ?? offset % width
        return Place(labels: labels, zone: offset / width, node: knownNodes[place])
    }
}

/// The tree in which a class inherits what a row does not say of it: a prefix from the one around it, a workload in a prefix from the
/// same labels in the prefix around it, at last from all workloads. No class lies deeper than an image's lookups reach: what is nested
/// deeper hangs higher, and its rows are spelled out.
struct ClassTree {
    /// The class above; none for the roots.
    private(set) var parents: [ClassNumber]
    /// How many classes lie above.
    private(set) var depths: [UInt8]
    /// One past the last class that lies in the same prefix, zone and labels.
    private(set) var ends: [ClassNumber]
    /// The classes that hang higher than the prefix around them, ascending.
    private(set) var deep: [ClassNumber] = []

    init(_ space: ClassSpace, _ tree: PrefixTree) {
        parents = [ClassNumber](repeating: SnapshotLayout.none, count: space.count)
        depths = [UInt8](repeating: 0, count: space.count)
        ends = (0..<UInt32(space.count)).map { $0 + 1 }
        for zone in 0..<space.zones {
            for node in 1..<max(1, space.nodes) {
                hang(space.outside(node: node, zone: zone), under: space.outside(node: tree.parents[node], zone: zone))
            }
            for node in 0..<space.nodes {
                ends[Int(space.outside(node: node, zone: zone))] = space.outside(node: tree.ends[node] - 1, zone: zone) + 1
            }
        }
        let parents = Self.nesting(space.knownNodes, tree)
        for labels in 0..<space.labelClasses {
            for zone in 0..<space.zones { hang(labels, zone, space, parents) }
        }
        deep.sort()
    }

    /// A label class in a zone: each place under the nearest one around it, which is one of its own.
    private mutating func hang(_ labels: Int, _ zone: Int, _ space: ClassSpace, _ parents: [Int]) {
        let plain = space.plain(labels: labels, zone: zone)
        hang(plain, under: space.anyKnown(zone: zone))
        var open: [(place: Int, number: ClassNumber)] = [(0, plain)]
        for (index, place) in space.places(of: labels).enumerated() {
            let number = plain + UInt32(index)
            while index > 0, let last = open.last, last.place != parents[place], last.place > 0 {
                ends[Int(last.number)] = number
                open.removeLast()
            }
            guard index > 0, let around = open.last else { continue }
            hang(number, under: around.number)
            open.append((place, number))
        }
        let end = plain + UInt32(space.places(of: labels).count)
        for (_, number) in open { ends[Int(number)] = end }
    }

    private mutating func hang(_ child: ClassNumber, under parent: ClassNumber) {
        let isDeep = Int(depths[Int(parent)]) >= SnapshotLayout.maximumAncestors
        let above = isDeep ? parents[Int(parent)] : parent
        if isDeep { deep.append(child) }
        parents[Int(child)] = above
        depths[Int(child)] = depths[Int(above)] + 1
    }

    /// For places in a list of nodes: the nearest place around each.
    private static func nesting(_ nodes: [Int], _ tree: PrefixTree) -> [Int] {
        var parents = [0]
        var open = [0]
        for place in 1..<max(1, nodes.count) {
            while let last = open.last, last > 0, tree.ends[nodes[last]] <= nodes[place] { open.removeLast() }
            parents.append(open.last ?? 0)
            open.append(place)
        }
        return parents
    }

    /// The classes above one, nearest first.
    func ancestors(of number: ClassNumber) -> [ClassNumber] {
        var found: [ClassNumber] = []
        var next = parents[Int(number)]
        while next != SnapshotLayout.none {
            found.append(next)
            next = parents[Int(next)]
        }
        return found
    }
}
