// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Net
internal import Policy

/// How much a rule opens, from 0 to 100: the geometric mean of how wide its subjects, its peers and its services are, each on a
/// logarithmic scale from nothing (0) to everything (1), times 100.
///
///     subjects  log2(1 + workloads it speaks for) / log2(1 + all workloads)
///     peers     log2(1 + IPv4 addresses it names) / 32, or log2(1 + IPv6 addresses) / 128, whichever is more
///     services  log2(1 + service keys: ports, or ICMP types with codes) / 24
struct Permissiveness {
    /// Workloads that the rule speaks for, of how many.
    var subjects: (matched: Int, all: Int)
    /// Addresses of its peers, by family.
    var addressesOfIPv4: Double
    var addressesOfIPv6: Double
    /// Service keys.
    var services: Double

    /// From 0 to 100.
    var score: Int {
        let own = subjects.all == 0 ? 0 : log2(1 + Double(subjects.matched)) / log2(1 + Double(subjects.all))
        let peers = max(log2(1 + addressesOfIPv4) / 32, log2(1 + addressesOfIPv6) / 128)
        let asked = log2(1 + services) / 24
        return Int((cbrt(min(1, own) * min(1, peers) * min(1, asked)) * 100).rounded())
    }

    /// The width of a rule; `nil` where the budget was spent.
    init?(_ place: RulePlace, _ bench: inout LintBench) {
        let rule = bench.walk.rule(place)
        guard let chosen = bench.subjects(of: place), let peers = bench.peers(of: place),
            bench.budget.take(10 + 3 * bench.stretchCount(chosen) + 2 * bench.stretchCount(peers))
        else { return nil }
        let owners = Set(chosen.flatMap { bench.cells.all[$0].stretches }.map { bench.cells.owners[0][$0] })
        subjects = (owners.subtracting([-1]).count, bench.set.workloads.count)
        (addressesOfIPv4, addressesOfIPv6) = (0, 0)
        // A block is as wide in one zone as in all of them.
        var seen: Set<UInt128> = []
        for cell in peers {
            for number in bench.cells.all[cell].stretches {
                let stretch = bench.cells.stretches[number]
                guard seen.insert(stretch.first).inserted else { continue }
                let count = Double(stretch.last - stretch.first) + 1
                if stretch.address.isIPv4 { addressesOfIPv4 += count } else { addressesOfIPv6 += count }
            }
        }
        services = Self.keys(rule)
    }

    /// How many service keys a rule's services make; a name counts as one port.
    private static func keys(_ rule: Rule) -> Double {
        let all = Double(ServiceKey.end)
        guard let services = rule.services else { return all }
        let ranges = services.services.compactMap { $0.range(named: [:]) }
        let spans = MatrixBench.union(ranges.map { ServiceSpan(first: $0.first, last: $0.end - 1, sourcePorts: 0...UInt16.max) })
        return spans.reduce(Double(services.names.count)) { $0 + Double($1.last - $1.first) + 1 }
    }
}
