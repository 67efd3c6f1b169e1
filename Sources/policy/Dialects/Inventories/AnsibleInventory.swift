// SPDX-License-Identifier: Apache-2.0
internal import Policy
internal import PolicyText

/// Hosts, groups and variables of an Ansible inventory, whichever form it was written in.
struct AnsibleInventory {
    /// A group.
    struct Group {
        var place: Place
        var children: Set<String> = []
        var variables: [String: YAMLValue] = [:]
        /// Whether it has a section of its own, or is only spoken of.
        var isDeclared = false
    }

    /// A host.
    struct Host {
        var name: String
        var place: Place
        var groups: Set<String> = []
        var variables: [String: YAMLValue] = [:]
    }

    /// Hosts of one inventory.
    static let hostLimit = 1_000_000
    /// Hosts in groups, counted in each.
    static let membershipLimit = 10_000_000
    /// Levels in which groups may be children of groups.
    static let depthLimit = 64
    /// The group of all hosts, and that of hosts in no other.
    static let implicitGroups = ["all", "ungrouped"]

    private(set) var groups: [String: Group] = [:]
    private(set) var hosts: [Host] = []
    private var hostPlaces: [String: Int] = [:]

    /// Declares a group, or speaks of one.
    mutating func group(_ name: String, _ place: Place, isDeclared: Bool) {
        groups[name, default: Group(place: place)].isDeclared = groups[name]?.isDeclared ?? false || isDeclared
    }

    /// Makes a group the child of another.
    mutating func child(_ name: String, of parent: String, _ place: Place) {
        group(name, place, isDeclared: false)
        groups[parent]?.children.insert(name)
    }

    /// Sets a variable of a group.
    mutating func set(_ key: String, _ value: YAMLValue, ofGroup name: String) { groups[name]?.variables[key] = value }

    /// Enters the hosts of a pattern into a group, with their variables; a host may be entered many times.
    mutating func host(_ pattern: HostPattern, in group: String, _ variables: [String: YAMLValue]) throws(PolicyError) {
        for name in try pattern.hosts(limit: Self.hostLimit) {
            let number = hostPlaces[name] ?? hosts.count
            if number == hosts.count {
                guard number < Self.hostLimit else {
                    throw PolicyError(pattern.place, "the inventory has more than \(Self.hostLimit) hosts", remedy: "split it")
                }
                hostPlaces[name] = number
                hosts.append(Host(name: name, place: pattern.place))
            }
            hosts[number].groups.insert(group)
            hosts[number].variables.merge(variables) { _, new in new }
        }
    }

    /// Every group's parents, after a check that each group exists.
    func parents() throws(PolicyError) -> [String: Set<String>] {
        var parents: [String: Set<String>] = [:]
        for (name, group) in groups.sorted(by: { $0.key < $1.key }) {
            guard group.isDeclared else {
                throw PolicyError(
                    group.place, "there is no group \"\(name)\"",
                    remedy: Spelling.remedy(name, among: groups.filter(\.value.isDeclared).keys.sorted())
                        ?? "give it a section, or remove the word")
            }
            guard Self.isLabelPart(name) else {
                throw PolicyError(
                    group.place, "the group \"\(name)\" cannot be part of a label",
                    remedy: "use letters, digits, \"_\", \"-\" and \".\" in its name")
            }
            for child in group.children { parents[child, default: []].insert(name) }
        }
        return parents
    }

    /// Whether selectors can name a label that ends so.
    private static func isLabelPart(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy {
                (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || "-_.".utf8.contains($0)
            }
    }

    /// All groups above these.
    func ancestors(of names: some Sequence<String>, _ parents: [String: Set<String>]) -> Set<String> {
        var found: Set<String> = []
        var open = Array(names)
        while let next = open.popLast() {
            for parent in parents[next] ?? [] where found.insert(parent).inserted { open.append(parent) }
        }
        return found
    }

    /// How far below the top each group lies: one more than the lowest of its parents. Throws where a group is its own descendant.
    func depths(_ parents: [String: Set<String>]) throws(PolicyError) -> [String: Int] {
        var depths: [String: Int] = [:]
        var waiting = groups.mapValues { _ in 0 }
        for (name, above) in parents { waiting[name] = above.count }
        var open = waiting.filter { $0.value == 0 }.map(\.key)
        while let name = open.popLast() {
            let depth = depths[name] ?? 1
            depths[name] = depth
            for child in groups[name]?.children ?? [] {
                depths[child] = max(depths[child] ?? 1, depth + 1)
                waiting[child, default: 0] -= 1
                if waiting[child] == 0 { open.append(child) }
            }
        }
        for (name, group) in groups.sorted(by: { $0.key < $1.key }) {
            guard waiting[name] == 0 else { throw PolicyError(group.place, "the group \"\(name)\" is its own descendant") }
            guard depths[name] ?? 1 <= Self.depthLimit else {
                throw PolicyError(group.place, "groups are nested in more than \(Self.depthLimit) levels")
            }
        }
        return depths
    }
}
