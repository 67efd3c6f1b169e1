// SPDX-License-Identifier: Apache-2.0
internal import Net

/// A set of nodes of a prefix tree, as ascending runs of their numbers. The nodes below one are a run, so that a block of addresses is
/// one run, and every set that CIDR terms make is a few.
struct NodeSet: Hashable {
    /// The runs: not empty, disjoint, not even touching, ascending.
    private(set) var runs: [Range<Int>]

    /// No node.
    static let none = NodeSet(runs: [])

    private init(runs: [Range<Int>]) { self.runs = runs }

    /// Every node of a tree with so many.
    static func all(_ count: Int) -> NodeSet { NodeSet(runs: [0..<count]) }

    /// The nodes of these runs, in whatever order they come.
    init(union runs: [Range<Int>]) {
        var merged: [Range<Int>] = []
        for run in runs.sorted(by: { $0.lowerBound < $1.lowerBound }) where !run.isEmpty {
            if let last = merged.last, last.upperBound >= run.lowerBound {
                merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, run.upperBound)
            } else {
                merged.append(run)
            }
        }
        self.runs = merged
    }

    /// Whether it has no node.
    var isEmpty: Bool { runs.isEmpty }

    /// Whether it has every node of a tree with so many.
    func isAll(_ count: Int) -> Bool { runs.count == 1 && runs[0] == 0..<count }

    /// Whether it has a node.
    func contains(_ node: Int) -> Bool {
        var (low, high) = (0, runs.count)
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].upperBound <= node { low = middle + 1 } else { high = middle }
        }
        return low < runs.count && runs[low].contains(node)
    }

    /// The nodes of a tree of so many that it has not.
    func complement(_ count: Int) -> NodeSet {
        var left: [Range<Int>] = []
        var next = 0
        for run in runs {
            if next < run.lowerBound { left.append(next..<run.lowerBound) }
            next = run.upperBound
        }
        if next < count { left.append(next..<count) }
        return NodeSet(runs: left)
    }

    /// The nodes that both have.
    func intersection(_ other: NodeSet) -> NodeSet {
        var both: [Range<Int>] = []
        var (mine, others) = (0, 0)
        while mine < runs.count && others < other.runs.count {
            let run = runs[mine].clamped(to: other.runs[others])
            if !run.isEmpty { both.append(run) }
            if runs[mine].upperBound < other.runs[others].upperBound { mine += 1 } else { others += 1 }
        }
        return NodeSet(runs: both)
    }

    /// The nodes that either has.
    func union(_ other: NodeSet) -> NodeSet { NodeSet(union: runs + other.runs) }

    /// A node at which the answer to "is it in the set" is another one than at the nearest such node around it.
    struct Mark: Hashable {
        var node: Int
        var isIn: Bool
    }

    /// All marks, ascending; whether the root is in the set is no mark. Takes as long as there are marks and runs.
    func marks(_ tree: PrefixTree) -> [Mark] {
        var marks: [Mark] = []
        var open: [(end: Int, isIn: Bool)] = [(tree.count, contains(0))]
        var start = 0
        for index in 0...runs.count {
            let run = index < runs.count ? runs[index] : tree.count..<tree.count
            for (segment, isIn) in [(start..<run.lowerBound, false), (run, true)] {
                var node = segment.lowerBound
                while node < segment.upperBound {
                    while let last = open.last, last.end <= node { open.removeLast() }
                    guard let around = open.last else { break }
                    if around.isIn == isIn {
                        node = around.end
                    } else {
                        marks.append(Mark(node: node, isIn: isIn))
                        open.append((tree.ends[node], isIn))
                        node = tree.ends[node]
                    }
                }
            }
            start = run.upperBound
        }
        return marks
    }
}

extension PrefixTree {
    /// The nodes in these blocks, all of which the tree has.
    func nodes(in blocks: [Prefix]) -> NodeSet { NodeSet(union: blocks.map { node(of: $0)..<ends[node(of: $0)] }) }
}
