// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Net
internal import Policy
internal import PolicyText

// `api` and `roles`: how the API is served, and who may what. What they mean is described in `docs/configuration.md`.

extension ConfigurationReader {
    /// How the API is served; `socket` is the unix socket's path.
    func api(_ socket: String) throws(PolicyError) -> APISettings {
        var settings = APISettings(socket: socket)
        settings.roles = try roles()
        guard let fields = try root["api"]?.mapping("api", keys: ["group", "tls", "limits"]) else { return settings }
        if let value = fields["group"] { settings.group = try account(value, "api.group") }
        if let value = fields["tls"] { settings.tls = try secure(value) }
        if let value = fields["limits"] { settings.limits = try limits(value) }
        return settings
    }

    private func secure(_ value: YAMLValue) throws(PolicyError) -> APISettings.TLS {
        let fields = try value.mapping("api.tls", keys: ["listen", "certificate", "key", "client-ca"])
        let (host, port) = try listen(try fields.required("listen"))
        // A file that is not there yet is no reason not to start: policy comes first, and the API says what it misses.
        return APISettings.TLS(
            host: host, port: port, certificate: try path(try fields.required("certificate"), "api.tls.certificate"),
            key: try path(try fields.required("key"), "api.tls.key"),
            clientAuthority: try path(try fields.required("client-ca"), "api.tls.client-ca"))
    }

    /// `ADDRESS:PORT`, an address of IPv6 in brackets.
    private func listen(_ value: YAMLValue) throws(PolicyError) -> (host: String, port: Int) {
        let text = try value.text("api.tls.listen")
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]), (1...65_535).contains(port)
        else {
            throw value.error("\"\(text)\" is no address with a port", remedy: "write 192.0.2.1:8443, or [2001:db8::1]:8443")
        }
        var host = text[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if isBracketed { host = host.dropFirst().dropLast() }
        guard Address(String(host)) != nil, isBracketed == host.contains(":") else {
            throw value.error(
                "\"\(host)\" is no address", remedy: "write 192.0.2.1:8443, or [2001:db8::1]:8443; 0.0.0.0 for all of them")
        }
        return (String(host), port)
    }

    private func limits(_ value: YAMLValue) throws(PolicyError) -> APISettings.Limits {
        let fields = try value.mapping(
            "api.limits", keys: ["connections", "connections-per-peer", "requests-per-second", "documents"])
        var limits = APISettings.Limits()
        if let value = fields["connections"] { limits.connections = try value.integer("connections", in: 1...10_000) }
        if let value = fields["connections-per-peer"] {
            limits.connectionsPerPeer = try value.integer("connections-per-peer", in: 1...10_000)
        }
        if let value = fields["requests-per-second"] {
            limits.requestsPerSecond = try value.integer("requests-per-second", in: 1...1_000_000)
        }
        if let value = fields["documents"] {
            limits.documents = try value.integer("documents", in: 65_536...(256 << 20))
            limits.reading = max(limits.reading, limits.documents)
        }
        return limits
    }

    /// Who may what; `nil` where the file does not say.
    private func roles() throws(PolicyError) -> [RoleBinding]? {
        guard let value = root["roles"] else { return nil }
        var bindings: [RoleBinding] = []
        for item in try value.list("roles") { bindings.append(try binding(item)) }
        guard bindings.contains(where: { $0.role == .administrator }) else {
            throw value.error(
                "roles has no administrator, so that nobody could change anything",
                remedy: "add {role: administrator, users: [root]}")
        }
        return bindings
    }

    private func binding(_ item: YAMLValue) throws(PolicyError) -> RoleBinding {
        let fields = try item.mapping("a role", keys: ["role", "namespaces", "tiers", "users", "groups", "certificates"])
        var binding = RoleBinding(try fields.required("role").choice("role", of: RoleBinding.Role.self))
        binding.users = try accounts(fields["users"], "users")
        binding.groups = try accounts(fields["groups"], "groups")
        for value in try fields["certificates"]?.list("certificates") ?? [] {
            let text = try value.text("an item of certificates")
            guard text.hasPrefix("spiffe://") || text.contains("=") else {
                throw value.error(
                    "\"\(text)\" is no subject of a certificate",
                    remedy: "write spiffe://example.org/ops, or a distinguished name as CN=ops,O=Example")
            }
            binding.certificates.insert(text)
        }
        guard !binding.users.isEmpty || !binding.groups.isEmpty || !binding.certificates.isEmpty else {
            throw item.error("the role has nobody", remedy: "name users, groups or certificates")
        }
        binding.edits = try edits(fields, binding.role, item)
        return binding
    }

    private func edits(
        _ fields: YAMLMapping, _ role: RoleBinding.Role, _ item: YAMLValue
    ) throws(PolicyError) -> Set<Grants.Edit> {
        guard role == .editor else {
            if let key = ["namespaces", "tiers"].first(where: { fields[$0] != nil }) {
                throw PolicyError(
                    fields.place(of: key), "\(key) bounds editors, and the role is \(role.rawValue)", remedy: "leave it out")
            }
            return []
        }
        var tiers: Set<String> = []
        for value in try fields["tiers"]?.list("tiers") ?? [] { tiers.insert(try value.name("a tier")) }
        var edits: Set<Grants.Edit> = []
        for value in try fields.required("namespaces").list("namespaces") {
            edits.insert(.init(namespace: try value.name("a namespace"), tiers: tiers))
        }
        guard !edits.isEmpty else {
            throw item.error("an editor has no namespace", remedy: "name the namespaces whose policies they edit")
        }
        return edits
    }

    private func accounts(_ value: YAMLValue?, _ what: String) throws(PolicyError) -> Set<String> {
        var names: Set<String> = []
        for item in try value?.list(what) ?? [] { names.insert(try account(item, "an item of \(what)")) }
        return names
    }

    /// A user or a group, by name or number.
    private func account(_ value: YAMLValue, _ what: String) throws(PolicyError) -> String {
        let text: String
        switch value.content {
        case .integer(_, let written): text = written
        default: text = try value.text(what)
        }
        guard (1...256).contains(text.utf8.count), text.utf8.allSatisfy({ $0 > 32 && $0 != UInt8(ascii: ":") }) else {
            throw value.error(
                "\(what) \"\(text)\" is no name of a user or group", remedy: "write it as `id` does, or as a number")
        }
        return text
    }
}
