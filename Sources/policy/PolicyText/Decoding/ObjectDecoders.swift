// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

/// The kinds that are no policies.
extension DocumentDecoder {
    func zone() throws(PolicyError) -> Zone {
        var zone = Zone(name: metadata.name.name, labels: metadata.labels, place: root.place)
        if let value = spec["on-link"] { zone.onLink = try value.truth("on-link") }
        if let value = spec["dhcp-server"] { zone.dhcpServer = try value.truth("dhcp-server") }
        guard let unjudged = spec["unjudged"] else { return zone }
        if case .mapping = unjudged.content {
            for entry in try unjudged.dictionary("unjudged") {
                zone.unjudged[entry.key] = try entry.value.choice("unjudged towards \(entry.key)", of: Setting.self)
            }
        } else {
            zone.unjudgedElsewhere = try unjudged.choice("unjudged", of: Setting.self)
        }
        return zone
    }

    func namespace() throws(PolicyError) -> Namespace {
        var namespace = Namespace(name: metadata.name.name, labels: metadata.labels, place: root.place)
        if let defaults = try spec["defaults"]?.mapping("defaults", Forms.defaults) {
            if let value = defaults["ingress"] { namespace.ingress = try value.choice("ingress", of: Setting.self) }
            if let value = defaults["egress"] { namespace.egress = try value.choice("egress", of: Setting.self) }
        }
        return namespace
    }

    func workload() throws(PolicyError) -> Workload {
        var workload = Workload(name: metadata.name, labels: metadata.labels, place: root.place)
        if let account = spec["serviceAccount"] { workload.serviceAccount = try account.name("serviceAccount") }
        if let value = spec["addresses"] { workload.addresses = try value.prefixes("addresses") }
        if let value = spec["mac"] { workload.hardwareAddresses = try hardwareAddresses(value) }
        if let value = spec["zones"] {
            workload.zones = try value.names("zones")
            guard !workload.zones.isEmpty else {
                throw value.error("zones is empty, so that the workload may appear nowhere", remedy: "leave the key out")
            }
        }
        for entry in try spec["services"]?.dictionary("services") ?? [] {
            let name = try ServiceWords.ownName(entry.key, entry.place)
            workload.services[name] = try ServiceDecoder.numbers(entry.value, "a named service")
        }
        return workload
    }

    private func hardwareAddresses(_ value: YAMLValue) throws(PolicyError) -> [MACAddress] {
        guard case .list(let items) = value.content else { return [try value.hardwareAddress("mac")] }
        guard !items.isEmpty else {
            throw value.error("mac is empty, so that the workload could never speak", remedy: "leave the key out")
        }
        var addresses: [MACAddress] = []
        for item in items { addresses.append(try item.hardwareAddress("an item of mac")) }
        return addresses
    }

    func addressSet() throws(PolicyError) -> AddressSet {
        var set = AddressSet(name: metadata.name, labels: metadata.labels, place: root.place)
        let except = try spec["except"]?.prefixes("except") ?? []
        for prefix in try spec["cidrs"]?.prefixes("cidrs") ?? [] {
            set.entries.append(AddressSet.Entry(.block(prefix), except: except))
        }
        if spec["cidrs"] == nil, spec["except"] != nil {
            throw PolicyError(
                spec.place(of: "except"), "\"except\" leaves out of \"cidrs\", and there is none",
                remedy: "put it beside the \"cidr\" of an entry")
        }
        for item in try spec["entries"]?.list("entries") ?? [] { set.entries.append(try entry(item)) }
        return set
    }

    private func entry(_ value: YAMLValue) throws(PolicyError) -> AddressSet.Entry {
        let fields = try value.mapping("an entry", Forms.addressEntry)
        let target: AddressSet.Entry.Target
        switch (fields["cidr"], fields["dns"]) {
        case (let cidr?, nil): target = .block(try cidr.prefix("cidr"))
        case (nil, let name?): target = .name(try name.dnsPattern("dns"))
        default: throw value.error("an entry needs either \"cidr\" or \"dns\"")
        }
        var entry = AddressSet.Entry(target)
        if let value = fields["except"] { entry.except = try value.prefixes("except") }
        if let value = fields["service"] { entry.service = try ServiceDecoder.numbers(value, "an entry's service") }
        if let value = fields["until"] { entry.until = try value.unixSeconds("until") }
        return entry
    }

    func entity() throws(PolicyError) -> Entity {
        let name = metadata.name.name
        guard Term.Entity(builtIn: name) == nil else {
            throw PolicyError(root.place, "the entity \"\(name)\" is built in", remedy: "give yours another name")
        }
        return Entity(name: name, terms: try TermDecoder.terms(try spec.required("terms"), "terms"), place: root.place)
    }

    func tier() throws(PolicyError) -> Tier {
        var tier = Tier(name: metadata.name.name, labels: metadata.labels, place: root.place)
        if let value = spec["layer"] { tier.layer = try value.choice("layer", of: Tier.Layer.self) }
        if let value = spec["order"] { tier.order = try value.number("order") }
        if let value = spec["shape"] { tier.shape = try value.choice("shape", of: Tier.Shape.self) }
        if let value = spec["end"] { tier.end = try value.choice("end", of: Tier.End.self) }
        return tier
    }
}
