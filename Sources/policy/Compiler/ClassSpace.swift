// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Net
internal import Policy

/// Every class of an image by number: what stands at an address, in which prefixes, in which zone.
///
///     0                    an address that nobody claims, in no prefix
///     1                    a contested address
///     2                    the ancestor of all workloads; no address is of this class itself
///     3 …                  nobody's addresses by (prefix node, zone)
///     knownBase …          workloads by (label class, prefix node that rules ask workloads for, zone)
///
/// Zones are kept apart only where rules name them or where a block is claimed in some zones only; "zone 0" here means all the rest.
struct ClassSpace {
    /// What a class number means.
    enum Meaning: Equatable {
        case contested
        case anyKnown
        case outside(node: Int, zone: Int)
        case known(labels: Int, node: Int, zone: Int)
    }

    static let contested: ClassNumber = 1
    static let anyKnown: ClassNumber = 2

    /// How many label classes there are.
    let labelClasses: Int
    /// Prefix nodes, node 0 included.
    let nodes: Int
    /// The nodes that matter for workloads, ascending; 0 is the first.
    let knownNodes: [Int]
    /// Zones that are kept apart, and one more for the rest.
    let zones: Int

    init(labelClasses: Int, nodes: Int, knownNodes: [Int], zones: Int) {
        self.labelClasses = labelClasses
        self.nodes = nodes
        self.knownNodes = knownNodes
        self.zones = zones
    }

    /// The number of the first workload class.
    var knownBase: Int { nodes * zones + 2 }
    /// How many classes there are.
    var count: Int { knownBase + labelClasses * knownNodes.count * zones }

    /// The class of an address that nobody claims.
    func outside(node: Int, zone: Int) -> ClassNumber {
        let place = node * zones + zone
        return place == 0 ? 0 : ClassNumber(place + 2)
    }

    /// The class of a workload; `knownNode` is an index of `knownNodes`.
    func known(labels: Int, knownNode: Int, zone: Int) -> ClassNumber {
        ClassNumber(knownBase + (labels * knownNodes.count + knownNode) * zones + zone)
    }

    /// Whether a class is a workload's.
    func isKnown(_ number: ClassNumber) -> Bool { number == Self.anyKnown || Int(number) >= knownBase }

    /// The label class of a workload's class.
    func labelClass(of number: ClassNumber) -> Int? {
        Int(number) >= knownBase ? (Int(number) - knownBase) / (knownNodes.count * zones) : nil
    }
}

/// The tree in which a class inherits what a row does not say of it: a prefix from the one around it, a zone from the rest of the
/// zones, a workload in a prefix from the same labels anywhere. No class lies deeper than an image's lookups reach: what is nested
/// deeper hangs higher, and its rows are spelled out.
struct ClassTree {
    /// The class above; none for the two roots.
    private(set) var parents: [ClassNumber]
    /// How many classes lie above.
    private(set) var depths: [UInt8]
    private let firstChild: [Int]
    private let children: [ClassNumber]

    init(_ space: ClassSpace, _ tree: PrefixTree) {
        var parents = [ClassNumber](repeating: SnapshotLayout.none, count: space.count)
        var depths = [UInt8](repeating: 0, count: space.count)
        func hang(_ child: ClassNumber, under parent: ClassNumber) {
            let isDeep = Int(depths[Int(parent)]) >= SnapshotLayout.maximumAncestors
            let parent = isDeep ? parents[Int(parent)] : parent
            parents[Int(child)] = parent
            depths[Int(child)] = depths[Int(parent)] + 1
        }
        hang(ClassSpace.contested, under: 0)
        for node in 0..<space.nodes {
            if node > 0 { hang(space.outside(node: node, zone: 0), under: space.outside(node: tree.parents[node], zone: 0)) }
            for zone in 1..<max(1, space.zones) {
                hang(space.outside(node: node, zone: zone), under: space.outside(node: node, zone: 0))
            }
        }
        for labels in 0..<space.labelClasses {
            let plain = space.known(labels: labels, knownNode: 0, zone: 0)
            hang(plain, under: ClassSpace.anyKnown)
            for number in (plain + 1)..<(plain + UInt32(max(1, space.knownNodes.count * space.zones))) {
                hang(number, under: plain)
            }
        }
        var counts = [Int](repeating: 0, count: space.count + 1)
        for parent in parents where parent != SnapshotLayout.none { counts[Int(parent) + 1] += 1 }
        for index in 1...space.count { counts[index] += counts[index - 1] }
        var next = counts
        var children = [ClassNumber](repeating: 0, count: counts[space.count])
        for (child, parent) in parents.enumerated() where parent != SnapshotLayout.none {
            children[next[Int(parent)]] = ClassNumber(child)
            next[Int(parent)] += 1
        }
        self.parents = parents
        self.depths = depths
        self.firstChild = counts
        self.children = children
    }

    /// The classes right below one.
    func children(of number: ClassNumber) -> ArraySlice<ClassNumber> {
        children[firstChild[Int(number)]..<firstChild[Int(number) + 1]]
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
