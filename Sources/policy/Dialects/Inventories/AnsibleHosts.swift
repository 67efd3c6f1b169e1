// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy
internal import PolicyText

/// Turns the hosts of an inventory into workloads.
///
/// A host's address is `ansible_host`, or its own name where that is an address; names are not resolved. Each group that it is in,
/// directly or by children, is a label `group.NAME` with the value `true`. What Ansible has no word for stands in variables of its
/// own, which begin with `bulkhead_`, and `bulkhead_label_vars` names variables that become labels. All other variables are left alone.
struct AnsibleHosts {
    static let groupPrefix = "group."

    private(set) var ledger: Ledger

    /// Variables that said nothing to policy, each with a place where it is set.
    private var unread: [String: Place] = [:]

    init(_ ledger: Ledger) { self.ledger = ledger }

    mutating func documents(_ inventory: AnsibleInventory) throws(PolicyError) -> [Document] {
        let parents = try inventory.parents()
        let depths = try inventory.depths(parents)
        var memberships = 0
        var documents: [Document] = []
        for host in inventory.hosts {
            var groups = host.groups.union(inventory.ancestors(of: host.groups, parents)).subtracting(["all"])
            if groups.count > 1 { groups.remove("ungrouped") }
            memberships += groups.count
            guard memberships <= AnsibleInventory.membershipLimit else {
                throw PolicyError(
                    host.place, "with this host the inventory has more than \(AnsibleInventory.membershipLimit) hosts in groups",
                    remedy: "split it")
            }
            let order = try self.order(groups, inventory, depths)
            var variables: [String: YAMLValue] = [:]
            for group in ["all"] + order { variables.merge(inventory.groups[group]?.variables ?? [:]) { _, new in new } }
            variables.merge(host.variables) { _, new in new }
            if let connection = variables["ansible_connection"], case .text("local") = connection.content {
                ledger.ignore(host.place, "the host \(host.name) is the machine that Ansible runs on")
                continue
            }
            documents.append(try tree(of: host, groups.subtracting(["ungrouped"]), variables).document())
        }
        for (name, place) in unread.sorted(by: { $0.key < $1.key }) {
            ledger.ignore(place, "the variable \(name) says nothing to policy")
        }
        return documents
    }

    /// Groups in the order in which their variables are merged, later ones winning: by depth, by `ansible_group_priority`, by name.
    private func order(
        _ groups: Set<String>, _ inventory: AnsibleInventory, _ depths: [String: Int]
    ) throws(PolicyError) -> [String] {
        var keys: [(depth: Int, priority: Int, name: String)] = []
        for name in groups {
            let value = inventory.groups[name]?.variables["ansible_group_priority"]
            keys.append((depths[name] ?? 1, try value.map { value throws(PolicyError) in try priority(value) } ?? 1, name))
        }
        return keys.sorted(by: <).map(\.name)
    }

    private func priority(_ value: YAMLValue) throws(PolicyError) -> Int {
        if case .integer(let number, _) = value.content { return number }
        guard let number = Int(try value.text("ansible_group_priority")) else {
            throw value.error("ansible_group_priority must be a whole number, not \(value.kind)")
        }
        return number
    }
}

/// What a host's variables say.
extension AnsibleHosts {
    /// The variables that are read, beside those that Ansible itself gives a meaning here.
    static let variables = [
        "bulkhead_namespace", "bulkhead_addresses", "bulkhead_zones", "bulkhead_mac", "bulkhead_service_account",
        "bulkhead_labels", "bulkhead_label_vars", "bulkhead_services",
    ]
    private static let known = ["ansible_host", "ansible_connection", "ansible_group_priority"]

    private mutating func tree(
        of host: AnsibleInventory.Host, _ groups: Set<String>, _ variables: [String: YAMLValue]
    ) throws(PolicyError) -> WorkloadTree {
        var tree = WorkloadTree(host.place)
        tree.metadata("name", host.name, host.place)
        for group in groups.sorted() { try tree.label(Self.groupPrefix + group, "true", host.place) }
        let chosen = try items(variables["bulkhead_label_vars"], "bulkhead_label_vars").map(\.text)
        for (key, value) in variables.sorted(by: { $0.key < $1.key }) {
            if chosen.contains(key) {
                let field = try scalar(value, key)
                try tree.label(key, field.text, field.place)
            } else {
                try read(key, value, &tree)
            }
        }
        try address(of: host, variables, &tree)
        return tree
    }

    private mutating func read(_ key: String, _ value: YAMLValue, _ tree: inout WorkloadTree) throws(PolicyError) {
        switch key {
        case "bulkhead_namespace": tree.metadata("namespace", try scalar(value, key).text, value.place)
        case "bulkhead_service_account": tree.text("serviceAccount", try scalar(value, key).text, value.place)
        case "bulkhead_mac": tree.text("mac", try scalar(value, key).text, value.place)
        case "bulkhead_zones": tree.list("zones", try items(value, key).map { ($0.text, $0.place) }, value.place)
        case "bulkhead_labels":
            for (label, text) in try pairs(value, key) { try tree.label(label.text, text.text, label.place) }
        case "bulkhead_services":
            for (name, text) in try pairs(value, key) { try tree.service(name.text, text.text, name.place, text.place) }
        case "bulkhead_addresses", "bulkhead_label_vars": break
        case _ where key.hasPrefix("bulkhead_"):
            throw value.error(
                "there is no variable \"\(key)\"",
                remedy: Spelling.remedy(key, among: Self.variables) ?? "there are \(Self.variables.joined(separator: ", "))")
        case _ where Self.known.contains(key): break
        default: unread[key] = unread[key] ?? value.place
        }
    }

    /// `bulkhead_addresses`, or else `ansible_host`, or else the host's name.
    private mutating func address(
        of host: AnsibleInventory.Host, _ variables: [String: YAMLValue], _ tree: inout WorkloadTree
    ) throws(PolicyError) {
        if let value = variables["bulkhead_addresses"] {
            tree.list("addresses", try items(value, "bulkhead_addresses").map { ($0.text, $0.place) }, value.place)
            return
        }
        let field = try variables["ansible_host"].map { value throws(PolicyError) in try scalar(value, "ansible_host") }
        let name = field?.text ?? host.name
        guard Address(name) != nil else {
            return try ledger.lose(
                field?.place ?? host.place,
                "the host \(host.name) has no address: \"\(name)\" is a name, and names are not resolved",
                remedy: "set ansible_host to its address")
        }
        let place = field?.place ?? host.place
        tree.list("addresses", [(name, place)], place)
    }

    /// The text of a value that is one; numbers and truth values are texts to Ansible.
    private func scalar(_ value: YAMLValue, _ what: String) throws(PolicyError) -> InventoryField {
        let text =
            switch value.content {
            case .text(let text), .integer(_, let text), .fraction(_, let text): text
            case .truth(let truth): "\(truth)"
            default: try value.text(what)
            }
        guard !text.contains("{{"), !text.contains("{%") else {
            throw value.error("\(what) is a template, and templates are not filled in", remedy: "write what it stands for")
        }
        return InventoryField(text: text, place: value.place)
    }

    /// The items of a list, or of a text with semicolons between them.
    private func items(_ value: YAMLValue?, _ what: String) throws(PolicyError) -> [InventoryField] {
        guard let value else { return [] }
        guard case .list(let items) = value.content else { return try scalar(value, what).parts() }
        var fields: [InventoryField] = []
        for item in items { fields.append(try scalar(item, "an item of \(what)")) }
        return fields
    }

    /// The pairs of a mapping, or of a text as `key=value;key=value`.
    private func pairs(
        _ value: YAMLValue, _ what: String
    ) throws(PolicyError) -> [(key: InventoryField, value: InventoryField)] {
        guard case .mapping(let entries) = value.content else { return try scalar(value, what).pairs() }
        var pairs: [(key: InventoryField, value: InventoryField)] = []
        for entry in entries {
            pairs.append((InventoryField(text: entry.key, place: entry.place), try scalar(entry.value, entry.key)))
        }
        return pairs
    }
}
