// SPDX-License-Identifier: Apache-2.0
internal import Policy
internal import PolicyText

/// Reads the YAML form of an Ansible inventory: groups on the first level, each with `hosts`, `vars` and `children`.
struct AnsibleDocument {
    private var inventory = AnsibleInventory()

    /// Whether a document is an inventory: no object, but a mapping with the group `all`.
    static func recognises(_ value: YAMLValue) -> Bool {
        guard case .mapping(let entries) = value.content else { return false }
        return entries.contains { $0.key == "all" } && !entries.contains { $0.key == "kind" || $0.key == "apiVersion" }
    }

    static func inventory(_ value: YAMLValue) throws(PolicyError) -> AnsibleInventory {
        var reader = AnsibleDocument()
        for name in AnsibleInventory.implicitGroups { reader.inventory.group(name, value.place, isDeclared: true) }
        // Groups that wait to be read: children wait behind their parents, so that nothing calls itself.
        var open: [(name: String, place: Place, value: YAMLValue)] = []
        for entry in try value.dictionary("an inventory") { open.append((entry.key, entry.place, entry.value)) }
        while let next = open.popLast() { open += try reader.group(next.name, next.place, next.value) }
        return reader.inventory
    }

    /// Reads a group; its children are returned.
    private mutating func group(
        _ name: String, _ place: Place, _ value: YAMLValue
    ) throws(PolicyError) -> [(name: String, place: Place, value: YAMLValue)] {
        inventory.group(name, place, isDeclared: true)
        if case .null = value.content { return [] }
        let fields = try value.mapping("the group \"\(name)\"", keys: ["hosts", "vars", "children"])
        for (key, value) in try variables(fields["vars"], "vars") { inventory.set(key, value, ofGroup: name) }
        if let hosts = fields["hosts"] { try self.hosts(hosts, of: name) }
        guard let children = fields["children"] else { return [] }
        if case .null = children.content { return [] }
        var open: [(name: String, place: Place, value: YAMLValue)] = []
        for entry in try children.dictionary("children") {
            inventory.child(entry.key, of: name, entry.place)
            open.append((entry.key, entry.place, entry.value))
        }
        return open
    }

    private mutating func hosts(_ value: YAMLValue, of group: String) throws(PolicyError) {
        switch value.content {
        case .null: return
        case .text(let text): try inventory.host(HostPattern(text: text, place: value.place), in: group, [:])
        default:
            for entry in try value.dictionary("hosts") {
                let variables = try variables(entry.value, "the host \"\(entry.key)\"")
                try inventory.host(HostPattern(text: entry.key, place: entry.place), in: group, variables)
            }
        }
    }

    private func variables(_ value: YAMLValue?, _ what: String) throws(PolicyError) -> [String: YAMLValue] {
        guard let value else { return [:] }
        if case .null = value.content { return [:] }
        let entries = try value.dictionary(what)
        return Dictionary(entries.map { ($0.key, $0.value) }) { first, _ in first }
    }
}
