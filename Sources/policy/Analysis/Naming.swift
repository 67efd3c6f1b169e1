// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

/// One end of many connections, named for people and listed for machines.
public struct Party: Hashable, Sendable {
    /// In a few words: `app == "web" in shop`, `shop/web-1`, `outside`, `10.0.0.0/8`.
    public var text: String
    /// Every workload of it, as `namespace/name`.
    public var workloads: [String]
    /// Blocks of addresses of it that no workload owns; of a workload that is only partly meant, its addresses.
    public var prefixes: [String]
    /// The zones, where it lies in some of them only.
    public var zones: [String]
}

/// Finds names for sets of cells and stretches. What it says is exact: a name by labels is used only where it selects these workloads
/// and no others.
struct Naming {
    /// Names and blocks that are listed before the rest is counted.
    static let listed = 4

    private let cells: Cells
    private let view: Int
    private let set: PolicySet
    /// Stretches of each workload.
    private let counts: [Int: Int]
    private let outsideCount: Int

    init(_ cells: Cells, view: Int) {
        self.cells = cells
        self.view = view
        set = cells.views[view].set
        var counts: [Int: Int] = [:]
        for owner in cells.owners[view] { counts[owner, default: 0] += 1 }
        outsideCount = counts[-1] ?? 0
        self.counts = counts
    }

    /// The name of cells.
    func party(cells numbers: [Int]) -> Party { party(stretches: numbers.flatMap { cells.all[$0].stretches }) }

    /// The name of stretches.
    func party(stretches: [Int]) -> Party {
        let zones = Set(stretches.map { cells.stretches[$0].zone })
        let isEverywhere = zones.count == cells.zones.count || isEvenly(stretches, zones)
        var party = Party(
            text: "", workloads: [], prefixes: [], zones: isEverywhere ? [] : zones.sorted().map { cells.zones[$0] })
        var byOwner: [Int: [Int]] = [:]
        for stretch in stretches { byOwner[cells.owners[view][stretch], default: []].append(stretch) }
        let outside = byOwner.removeValue(forKey: -1) ?? []
        var partly: [String] = []
        var whole: [Int] = []
        for (owner, own) in byOwner {
            // In some zones only, a workload is whole when all of it that these zones hold is there.
            let all = isEverywhere ? counts[owner] ?? 0 : inZones(zones, of: owner)
            if own.count == all {
                whole.append(owner)
            } else {
                let addresses = Set(own.map { cells.stretches[$0].first }).sorted().map { "\(Address(number: $0))" }
                partly.append("\(set.workloads[owner].name) (\(addresses.joined(separator: ", ")))")
                party.prefixes += blocks(own)
            }
        }
        party.workloads = byOwner.keys.map { set.workloads[$0].name.description }.sorted()
        var words: [String] = []
        if !whole.isEmpty { words.append(workloadText(whole)) }
        words += Self.few(partly.sorted(), "workloads")
        if !outside.isEmpty {
            let all = isEverywhere ? outsideCount : inZones(zones, of: -1)
            party.prefixes += blocks(outside)
            words.append(outside.count == all ? "outside" : outsideText(outside, all))
        }
        if whole.count == set.workloads.count, outside.count == outsideCount, partly.isEmpty, isEverywhere { words = ["any"] }
        party.text = words.joined(separator: " and ")
        if !party.zones.isEmpty { party.text += " in zone \(party.zones.joined(separator: ", "))" }
        return party
    }

    /// How many stretches some zones hold of an owner.
    private func inZones(_ zones: Set<Int>, of owner: Int) -> Int {
        let perZone = cells.stretches.count / cells.zones.count
        return zones.reduce(0) { sum, zone in
            sum + cells.owners[view][(zone * perZone)..<((zone + 1) * perZone)].count { $0 == owner }
        }
    }

    /// Whether the owners of these stretches appear in these zones only, so that nothing needs to be said of them.
    private func isEvenly(_ stretches: [Int], _ zones: Set<Int>) -> Bool {
        let owners = Set(stretches.map { cells.owners[view][$0] })
        guard !owners.contains(-1) else { return false }
        return owners.allSatisfy { inZones(zones, of: $0) == counts[$0] }
    }

    private func blocks(_ stretches: [Int]) -> [String] {
        ranges(stretches).flatMap { Prefix.blocks(of: $0).map(\.short) }
    }

    /// Neighbouring stretches as one range, zones laid over each other, families apart.
    private func ranges(_ stretches: [Int]) -> [ClosedRange<UInt128>] {
        var found: [ClosedRange<UInt128>] = []
        for range in Set(stretches.map { cells.stretches[$0].first...cells.stretches[$0].last }).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            let isIPv4 = Address(number: range.lowerBound).isIPv4
            if let last = found.last, last.upperBound + 1 == range.lowerBound, Address(number: last.lowerBound).isIPv4 == isIPv4 {
                found[found.count - 1] = last.lowerBound...range.upperBound
            } else {
                found.append(range)
            }
        }
        return found
    }

    /// Blocks outside, or what is left out of all, whichever is shorter.
    private func outsideText(_ stretches: [Int], _ all: Int) -> String {
        let some = blocks(stretches)
        let chosen = Set(stretches)
        let rest = cells.stretches.indices.filter { cells.owners[view][$0] == -1 && !chosen.contains($0) }
        let others = blocks(rest)
        let names = some.count <= others.count ? some : others
        let text = Self.few(names, "blocks").joined(separator: ", ")
        return some.count <= others.count ? text : "outside but not \(text)"
    }

    /// The first few, and how many more there are.
    static func few(_ names: [String], _ what: String) -> [String] {
        names.count <= listed + 1 ? names : Array(names[..<listed]) + ["\(names.count - listed) more \(what)"]
    }
}

/// Names for sets of workloads.
extension Naming {
    /// `all workloads`, a label or a namespace that selects exactly these, or their names.
    private func workloadText(_ workloads: [Int]) -> String {
        let names = workloads.map { set.workloads[$0].name.description }.sorted()
        if workloads.count == set.workloads.count && workloads.count > 1 { return "all workloads" }
        guard workloads.count > 1 else { return names[0] }
        let chosen = Set(workloads)
        let first = set.workloads[workloads[0]]
        let namespace = first.name.namespace
        let isOneNamespace = workloads.allSatisfy { set.workloads[$0].name.namespace == namespace }
        let common = first.labels.filter { label in workloads.allSatisfy { set.workloads[$0].labels[label.key] == label.value } }
            .sorted { $0.key < $1.key }
        func selects(_ holds: (Workload) -> Bool) -> Bool {
            set.workloads.indices.allSatisfy { holds(set.workloads[$0]) == chosen.contains($0) }
        }
        for (key, value) in common where selects({ $0.labels[key] == value }) { return "\(key) == \"\(value)\"" }
        if isOneNamespace, let namespace {
            if selects({ $0.name.namespace == namespace }) { return "namespace \(namespace)" }
            for (key, value) in common where selects({ $0.name.namespace == namespace && $0.labels[key] == value }) {
                return "\(key) == \"\(value)\" in \(namespace)"
            }
        }
        for (index, one) in common.enumerated() {
            for other in common[(index + 1)...]
            where selects({ $0.labels[one.key] == one.value && $0.labels[other.key] == other.value }) {
                return "\(one.key) == \"\(one.value)\" && \(other.key) == \"\(other.value)\""
            }
        }
        return Self.few(names, "workloads").joined(separator: ", ")
    }
}

extension Prefix {
    /// CIDR notation, and an address alone where the block is one.
    var short: String { isHost ? "\(address)" : description }
}

extension ServiceSpan {
    /// As policies write it: `tcp/5432`, `udp/1000-2000`, `icmp/8.0`, `tcp`, `any`; with source ports where not all are meant.
    public var text: String { sourcePorts == 0...UInt16.max ? services : "\(services) from port \(ports(sourcePorts))" }

    private func ports(_ range: ClosedRange<UInt16>) -> String {
        range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
    }

    private var services: String {
        let (low, high) = (UInt8(first >> 16), UInt8(last >> 16))
        let (from, to) = (UInt16(truncatingIfNeeded: first), UInt16(truncatingIfNeeded: last))
        if first == 0 && last == ServiceKey.end - 1 { return "any" }
        guard low == high else {
            // Whole protocols in the middle, with what is left at both ends.
            var parts: [String] = []
            let (firstWhole, lastWhole) = (from == 0 ? Int(low) : Int(low) + 1, to == .max ? Int(high) : Int(high) - 1)
            if from != 0 { parts.append(Self.one(low, from, .max)) }
            if firstWhole == lastWhole { parts.append(Self.one(UInt8(firstWhole), 0, .max)) }
            if firstWhole < lastWhole { parts.append("protocols \(firstWhole)-\(lastWhole)") }
            if to != .max { parts.append(Self.one(high, 0, to)) }
            return parts.joined(separator: ", ")
        }
        return Self.one(low, from, to)
    }

    private static func one(_ number: UInt8, _ from: UInt16, _ to: UInt16) -> String {
        let number = IPProtocol(rawValue: number)
        if from == 0 && to == .max { return number.name }
        guard number.isICMP else { return from == to ? "\(number.name)/\(from)" : "\(number.name)/\(from)-\(to)" }
        let (type, lastType) = (from >> 8, to >> 8)
        if from & 0xff == 0 && to & 0xff == 0xff {
            return type == lastType ? "\(number.name)/\(type)" : "\(number.name)/\(type)-\(lastType)"
        }
        if from == to { return "\(number.name)/\(type).\(from & 0xff)" }
        return "\(number.name)/\(type).\(from & 0xff)-\(lastType).\(to & 0xff)"
    }
}
