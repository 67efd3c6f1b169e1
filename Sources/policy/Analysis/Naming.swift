// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

/// One end of many connections, named for people and listed for machines. What it lists is exact: the workloads wherever they are, and
/// the addresses in the zones.
public struct Party: Hashable, Sendable {
    /// In a few words: `app == "web" in shop`, `shop/web-1`, `outside`, `10.0.0.0/8`.
    public var text: String
    /// Every workload that is meant whole, as `namespace/name`.
    public var workloads: [String]
    /// Addresses that no workload owns, and those of workloads that are only partly meant: blocks, or `first-last`.
    public var addresses: [String]
    /// The zones in which these addresses are meant; all where empty.
    public var zones: [String]
}

/// Finds names for sets of cells and stretches. What it says is exact: a name by labels is used only where it selects these workloads
/// and no others.
struct Naming {
    /// Names and blocks that are listed before the rest is counted.
    static let listed = 4

    private let cells: Cells
    private let view: Int
    let set: PolicySet
    /// How many stretches each owner has, by zone; -1 stands for nobody, -2 for who would be spoofed.
    private let countsByZone: [[Int: Int]]
    /// The same in all zones together.
    private let counts: [Int: Int]
    /// Whether stretches that belong to other zones are set apart, because nobody sends from them.
    private var isSource = false

    init(_ cells: Cells, view: Int) {
        self.cells = cells
        self.view = view
        set = cells.views[view].set
        let perZone = cells.stretches.count / cells.zones.count
        countsByZone = cells.zones.indices.map { zone in
            var counts: [Int: Int] = [:]
            for stretch in (zone * perZone)..<((zone + 1) * perZone) {
                let isElsewhere = cells.all[cells.stretches[stretch].cell].isElsewhere[view]
                counts[isElsewhere ? -2 : cells.owners[view][stretch], default: 0] += 1
            }
            return counts
        }
        counts = countsByZone.reduce(into: [:]) { sum, zone in sum.merge(zone, uniquingKeysWith: +) }
    }

    /// The names of cells, as sources or as destinations.
    func parties(cells numbers: [Int], isSource: Bool = false) -> [Party] {
        parties(stretches: numbers.flatMap { cells.all[$0].stretches }, isSource: isSource)
    }

    /// The names of stretches, as sources or as destinations.
    func parties(stretches: [Int], isSource: Bool = false) -> [Party] {
        var naming = self
        naming.isSource = isSource
        return naming.parties(of: stretches)
    }

    /// Whether a stretch belongs to workloads of other zones.
    private func isElsewhere(_ stretch: Int) -> Bool { cells.all[cells.stretches[stretch].cell].isElsewhere[view] }

    /// The names of stretches: one for all that is meant in every zone, and one for each other set of zones.
    private func parties(of stretches: [Int]) -> [Party] {
        var byOwner: [Int: [Int]] = [:]
        for stretch in stretches { byOwner[cells.owners[view][stretch], default: []].append(stretch) }
        var whole: [Int] = []
        var rest: [Int] = []
        for (owner, own) in byOwner {
            if owner >= 0, own.count == counts[owner] { whole.append(owner) } else { rest += own }
        }
        var zonesOf: [UInt128: [Int]] = [:]
        for stretch in rest.sorted() {
            zonesOf[cells.stretches[stretch].first, default: []].append(cells.stretches[stretch].zone)
        }
        var byZones = Dictionary(grouping: rest) { zonesOf[cells.stretches[$0].first] ?? [] }
        let everywhere = byZones.removeValue(forKey: Array(cells.zones.indices)) ?? []
        var parties: [Party] = []
        if !whole.isEmpty || !everywhere.isEmpty { parties.append(party(whole, everywhere, zones: nil)) }
        for zones in byZones.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            parties.append(party([], byZones[zones] ?? [], zones: zones))
        }
        return parties
    }

    private func party(_ whole: [Int], _ stretches: [Int], zones: [Int]?) -> Party {
        var words: [String] = whole.isEmpty ? [] : [workloadText(whole)]
        var byOwner: [Int: [Int]] = [:]
        for stretch in stretches { byOwner[cells.owners[view][stretch], default: []].append(stretch) }
        let outside = byOwner.removeValue(forKey: -1) ?? []
        words += Self.few(byOwner.map { partText($0, $1, zones) }.sorted(), "workloads")
        let isAllOutside = isAll(outside, zones)
        if isAllOutside, !outside.isEmpty {
            words.append("outside")
        } else {
            // What was a workload in the set before is told by the name that it had.
            let gone = Dictionary(grouping: outside.filter { view > 0 && cells.owners[0][$0] >= 0 }) { cells.owners[0][$0] }
            let rest = outside.filter { view == 0 || cells.owners[0][$0] < 0 }
            words += Self.few(gone.keys.map { nameBefore($0, gone[$0] ?? []) }.sorted(), "workloads")
            if !rest.isEmpty { words.append(outsideText(rest, zones)) }
        }
        if whole.count == set.workloads.count, isAllOutside, zones == nil { words = ["any"] }
        let names = (zones ?? []).map { cells.zones[$0] }
        return Party(
            text: words.joined(separator: " and ") + (names.isEmpty ? "" : " in zone \(names.joined(separator: ", "))"),
            workloads: whole.map { set.workloads[$0].name.description }.sorted(), addresses: addresses(stretches), zones: names)
    }

    /// Whether these are all addresses in the zones that no workload owns. Where they are sources, those that would be spoofed do not
    /// count.
    private func isAll(_ outside: [Int], _ zones: [Int]?) -> Bool {
        let spoofed = outside.count(where: isElsewhere)
        if isSource { return spoofed == 0 && outside.count == count(of: -1, zones) }
        return outside.count == count(of: -1, zones) + count(of: -2, zones)
    }

    /// A workload of the set before by its name, where these stretches are no longer its own: it is gone, or in other zones only.
    private func nameBefore(_ workload: Int, _ stretches: [Int]) -> String {
        "\(cells.views[0].set.workloads[workload].name) (\(stretches.allSatisfy(isElsewhere) ? "elsewhere" : "gone"))"
    }

    /// How many stretches of an owner there are in these zones.
    private func count(of owner: Int, _ zones: [Int]?) -> Int {
        zones.map { $0.reduce(0) { $0 + (countsByZone[$1][owner] ?? 0) } } ?? counts[owner] ?? 0
    }

    /// A workload of which only these stretches are meant: by name where they are all that it has in the zones.
    private func partText(_ owner: Int, _ stretches: [Int], _ zones: [Int]?) -> String {
        let name = set.workloads[owner].name.description
        if stretches.count == count(of: owner, zones) { return name }
        return "\(name) (\(Self.few(addresses(stretches), "addresses").joined(separator: ", ")))"
    }

    /// Neighbouring stretches as blocks or ranges, zones laid over each other, families apart.
    private func addresses(_ stretches: [Int]) -> [String] {
        var found: [ClosedRange<UInt128>] = []
        let ranges = Set(stretches.map { cells.stretches[$0].first...cells.stretches[$0].last })
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            let isIPv4 = Address(number: range.lowerBound).isIPv4
            if let last = found.last, last.upperBound + 1 == range.lowerBound, Address(number: last.lowerBound).isIPv4 == isIPv4 {
                found[found.count - 1] = last.lowerBound...range.upperBound
            } else {
                found.append(range)
            }
        }
        return found.flatMap { range in
            let blocks = Prefix.blocks(of: range)
            return blocks.count <= 2
                ? blocks.map(\.short) : ["\(Address(number: range.lowerBound))-\(Address(number: range.upperBound))"]
        }
    }

    /// Addresses outside, or what is left out of all, whichever is shorter.
    private func outsideText(_ stretches: [Int], _ zones: [Int]?) -> String {
        let some = addresses(stretches)
        let chosen = Set(stretches)
        let others = addresses(
            cells.stretches.indices.filter { index in
                let isThere = zones.map { $0.contains(cells.stretches[index].zone) } ?? true
                return isThere && cells.owners[view][index] == -1 && !(isSource && isElsewhere(index)) && !chosen.contains(index)
            })
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
    func workloadText(_ workloads: [Int]) -> String {
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
