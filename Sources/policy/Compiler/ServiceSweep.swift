// SPDX-License-Identifier: Apache-2.0
internal import Policy

/// Goes over the services from first to last with the rules of a list that speak of the one at hand, so that a table costs what its
/// rules say and not their number times the number of runs.
///
/// A rule that asks for the source's port stands for all services between its edges; whether it speaks, the caller asks.
struct ServiceSweep {
    private struct Edge {
        var key: UInt32
        /// The place in the list.
        var place: Int
    }

    private var list: [UInt32] = []
    private var begins: [Edge] = []
    private var ends: [Edge] = []
    /// Services at which some rule's answer changes; in no order, and not each once.
    private(set) var edges: [UInt32] = []
    private var nextBegin = 0
    private var nextEnd = 0
    /// Places in the list of the rules that speak, ascending.
    private var active: [Int] = []

    /// Begins before the first service; `named` are the destination's services. What a sweep before had taken is used again.
    mutating func begin(_ list: [UInt32], _ named: [String: ServiceRange], _ evaluation: Evaluation) {
        self.list = list
        begins.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        edges.removeAll(keepingCapacity: true)
        active.removeAll(keepingCapacity: true)
        (nextBegin, nextEnd) = (0, 0)
        for (place, number) in list.enumerated() {
            for run in evaluation.runs(number, named, &edges) {
                begins.append(Edge(key: run.first, place: place))
                ends.append(Edge(key: run.end, place: place))
            }
        }
        begins.sort { $0.key < $1.key }
        ends.sort { $0.key < $1.key }
        for edge in begins { edges.append(edge.key) }
        for edge in ends { edges.append(edge.key) }
    }

    /// The rules that speak of the service at hand, in the list's order.
    var speaking: [UInt32] { active.map { list[$0] } }

    /// Goes on to a service, behind the one before and not beyond the next edge.
    mutating func advance(to key: UInt32) {
        while nextEnd < ends.count, ends[nextEnd].key <= key {
            let place = position(of: ends[nextEnd].place)
            if place < active.count, active[place] == ends[nextEnd].place { active.remove(at: place) }
            nextEnd += 1
        }
        while nextBegin < begins.count, begins[nextBegin].key <= key {
            active.insert(begins[nextBegin].place, at: position(of: begins[nextBegin].place))
            nextBegin += 1
        }
    }

    /// Where a place stands, or would stand, among the active ones.
    private func position(of place: Int) -> Int {
        var (low, high) = (0, active.count)
        while low < high {
            let middle = (low + high) / 2
            if active[middle] < place { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension Evaluation {
    /// The runs of services of which a rule speaks, apart from one another; for a rule that asks for the source's port everything, with
    /// its edges added to `edges`.
    func runs(_ number: UInt32, _ named: [String: ServiceRange], _ edges: inout [UInt32]) -> [ServiceRange] {
        if let coverage = rules[Int(number)].coverage { return coverage }
        guard let rule = rule(number) else { return [] }
        let limit = rules[Int(number)].peers.services
        guard rules[Int(number)].asksSourcePorts else { return rule.coverage(within: limit, named) }
        edges += rule.edges(named, within: limit).flatMap { [$0.first, $0.end] }
        return [.everything]
    }
}
