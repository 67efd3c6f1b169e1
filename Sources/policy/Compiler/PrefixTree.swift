// SPDX-License-Identifier: Apache-2.0
internal import Net

/// All prefixes that a set names, nested in each other: a node for each, in the order of a walk that meets a prefix before what lies
/// in it, so that the nodes below one are a run of numbers. Node 0 stands for "in none of them".
struct PrefixTree {
    /// The prefixes; node n is `prefixes[n - 1]`.
    let prefixes: [Prefix]
    /// The node that a node lies in; node 0's is itself.
    let parents: [Int]
    /// One past the last node below a node.
    let ends: [Int]
    private let numbers: [Prefix: Int]

    init(_ named: Set<Prefix>) {
        prefixes = named.sorted {
            if $0.address.isIPv4 != $1.address.isIPv4 { return $0.address.isIPv4 }
            return $0.address != $1.address ? $0.address < $1.address : $0.length < $1.length
        }
        var parents = [0]
        var ends = [Int](repeating: prefixes.count + 1, count: prefixes.count + 1)
        parents.reserveCapacity(prefixes.count + 1)
        var open: [Int] = []
        for (index, prefix) in prefixes.enumerated() {
            let node = index + 1
            while let last = open.last, !prefixes[last - 1].contains(prefix) {
                ends[last] = node
                open.removeLast()
            }
            parents.append(open.last ?? 0)
            open.append(node)
        }
        self.parents = parents
        self.ends = ends
        numbers = Dictionary(uniqueKeysWithValues: prefixes.enumerated().map { ($1, $0 + 1) })
    }

    /// How many nodes there are, node 0 included.
    var count: Int { prefixes.count + 1 }

    /// The node of a prefix that the set names.
    func node(of prefix: Prefix) -> Int { numbers[prefix] ?? 0 }
}
