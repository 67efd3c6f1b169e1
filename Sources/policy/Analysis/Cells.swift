// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Compiler
internal import Net
internal import Policy

/// The whole address space, in every zone, cut so finely that none of the given snapshots can tell two addresses of one cell apart:
/// the common classes by which snapshots are compared exactly.
///
/// Every prefix and every address that one of the sets names is an edge, so that between two neighbouring edges, a *stretch*, an
/// address is as good as any other. Stretches of the same classes in all snapshots make a cell.
struct Cells {
    /// Addresses side by side in one zone, between which no set can tell.
    struct Stretch {
        var first: UInt128
        var last: UInt128
        var zone: Int
        var cell: Int

        var address: Address { Address(number: first) }
        /// Whether it is one address alone.
        var isHost: Bool { first == last }
    }

    /// What no snapshot can tell apart.
    struct Cell {
        /// The class in each snapshot.
        var classes: [ClassNumber]
        /// The zone, where a setting for unjudged traffic tells zones apart; else 0.
        var zone: Int
        /// Whether its addresses are groups, which have no ingress side.
        var isGroup: Bool
        /// Whether some of its addresses are IPv4, and whether some are IPv6.
        var hasIPv4 = false, hasIPv6 = false
        /// By snapshot whether its addresses belong to workloads of other zones, so that what comes from them is spoofed.
        var isElsewhere: [Bool]
        /// Its stretches, of which the first stands for all.
        var stretches: [Int] = []
        /// By snapshot the one workload that owns all of it, -1 where there is none or more than one.
        var owner: [Int]

        /// Whether an address of one cell can speak to one of the other.
        func canReach(_ other: Cell) -> Bool { (hasIPv4 && other.hasIPv4) || (hasIPv6 && other.hasIPv6) }
    }

    let views: [PolicyView]
    /// Zones by name.
    let zones: [String]
    private(set) var stretches: [Stretch] = []
    private(set) var all: [Cell] = []
    /// By snapshot and stretch the workload that owns it, -1 for none.
    private(set) var owners: [[Int]]
    /// Further addresses at which a cell must end.
    private let edges: [Prefix]

    /// The cells of one snapshot, or the common ones of several. `edges` are blocks that a question names besides.
    init(_ views: [PolicyView], edges: [Prefix] = []) {
        self.views = views
        self.edges = edges
        let names = Set(views.filter(\.set.hasZones).flatMap(\.set.zoneNames))
        zones = names.isEmpty ? [Zone.implicit] : names.sorted()
        owners = views.map { _ in [] }
        let points = points()
        let tellsZones = views.contains { view in
            zones.contains { from in zones.contains { view.set.unjudged(from: from, to: $0) != .deny } }
        }
        var numbers: [Key: Int] = [:]
        for zone in zones.indices {
            let zoneNumbers = views.map { $0.zone(zones[zone]) }
            for (index, first) in points.enumerated() {
                let last = index + 1 < points.count ? points[index + 1] - 1 : UInt128.max
                enter(first, last, zone, zoneNumbers, tellsZones, &numbers)
            }
        }
    }

    private struct Key: Hashable {
        var classes: [ClassNumber]
        var zone: Int
        var isGroup: Bool
        var isElsewhere: [Bool]
    }

    private mutating func enter(
        _ first: UInt128, _ last: UInt128, _ zone: Int, _ zoneNumbers: [ZoneNumber], _ tellsZones: Bool,
        _ numbers: inout [Key: Int]
    ) {
        let address = Address(number: first)
        var key = Key(
            classes: [], zone: tellsZones ? zone : 0, isGroup: address.isMulticast || address.isBroadcast, isElsewhere: [])
        var owners: [Int] = []
        for (index, view) in views.enumerated() {
            let owner = view.snapshot.owner(of: address, zone: zoneNumbers[index], in: view.memory.map)
            key.classes.append(owner.classNumber)
            key.isElsewhere.append(owner.isElsewhere)
            let workload = view.owners.owner(of: address, zone: zones[zone]) ?? -1
            owners.append(workload)
            self.owners[index].append(workload)
        }
        let number = numbers[key] ?? all.count
        if number == all.count {
            numbers[key] = number
            all.append(
                Cell(classes: key.classes, zone: key.zone, isGroup: key.isGroup, isElsewhere: key.isElsewhere, owner: owners))
        } else {
            for index in views.indices where all[number].owner[index] != owners[index] { all[number].owner[index] = -1 }
        }
        if address.isIPv4 { all[number].hasIPv4 = true } else { all[number].hasIPv6 = true }
        all[number].stretches.append(stretches.count)
        stretches.append(Stretch(first: first, last: last, zone: zone, cell: number))
    }

    /// Where stretches begin, ascending.
    private func points() -> [UInt128] {
        var edges: Set<UInt128> = [0]
        func cut(_ range: ClosedRange<UInt128>) {
            edges.insert(range.lowerBound)
            if range.upperBound != .max { edges.insert(range.upperBound + 1) }
        }
        cut(Address.numbersOfIPv4)
        for prefix in self.edges { cut(prefix.numbers) }
        for view in views {
            for prefix in view.set.prefixes.union(view.failsafe.prefixes) { cut(prefix.numbers) }
        }
        return edges.sorted()
    }

    /// The stretch that holds an address in a zone.
    func stretch(of address: Address, zone: String) -> Int? {
        guard let place = zones.firstIndex(of: zone) else { return nil }
        let perZone = stretches.count / zones.count
        var (low, high) = (place * perZone, (place + 1) * perZone)
        while high - low > 1 {
            let middle = (low + high) / 2
            if stretches[middle].first <= address.number { low = middle } else { high = middle }
        }
        return low
    }

    /// What terms of a set see of a cell, by the stretch that stands for it.
    func candidate(_ cell: Int, in view: Int, service: ServiceKey? = nil, at time: UInt64) -> Term.Candidate {
        let number = all[cell].stretches[0]
        let (stretch, set) = (stretches[number], views[view].set)
        let owner = owners[view][number]
        return set.candidate(
            stretch.address, zone: zones[stretch.zone], owner: owner < 0 ? nil : set.workloads[owner], service: service, at: time,
            isHost: views[view].failsafe.addresses.contains { $0.contains(stretch.address) })
    }
}

extension PolicySet {
    /// Every block of addresses that the set names: in terms, in address sets, as workloads' own, and those of built-in entities.
    var prefixes: Set<Prefix> {
        var found: Set<Prefix> = []
        for workload in workloads { found.formUnion(workload.addresses) }
        for entry in addressSets.flatMap(\.entries) {
            if case .block(let block) = entry.target { found.insert(block) }
            found.formUnion(entry.except)
        }
        for entity in Term.Entity.builtIn { found.formUnion(entity.blocks ?? []) }
        for policy in policies {
            policy.subject.insertPrefixes(into: &found)
            for term in policy.rules.flatMap(\.terms) { term.insertPrefixes(into: &found) }
        }
        return found
    }
}

extension Failsafe {
    /// Every block of addresses that it names.
    var prefixes: Set<Prefix> {
        var found = Set(addresses)
        for opening in box + transit {
            for term in [opening.from, opening.to].compactMap({ $0 }) { term.insertPrefixes(into: &found) }
        }
        return found
    }
}

extension Term {
    fileprivate func insertPrefixes(into found: inout Set<Prefix>) {
        found.formUnion(cidrs ?? [])
        found.formUnion(notCIDRs ?? [])
        for entity in entities ?? [] {
            if case .named(_, let terms) = entity { for term in terms { term.insertPrefixes(into: &found) } }
        }
    }
}
