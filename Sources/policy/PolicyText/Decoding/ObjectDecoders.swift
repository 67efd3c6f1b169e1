// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

/// The kinds that are no policies.
extension DocumentDecoder {
    func zone() throws(PolicyError) -> Zone {
        var faults = Faults()
        var zone = Zone(name: metadata.name.name, labels: metadata.labels, place: root.place)
        faults.read(spec["on-link"], into: &zone.onLink) { (value) throws(PolicyError) in try value.truth("on-link") }
        faults.read(spec["dhcp-server"], into: &zone.dhcpServer) { (value) throws(PolicyError) in
            try value.truth("dhcp-server")
        }
        if let unjudged = spec["unjudged"], case .mapping(let entries) = unjudged.content {
            for entry in entries {
                zone.unjudged[entry.key] = faults.read(entry.value) { (value) throws(PolicyError) in
                    try value.choice("unjudged towards \(entry.key)", of: Setting.self)
                }
            }
        } else {
            faults.read(spec["unjudged"], into: &zone.unjudgedElsewhere) { (value) throws(PolicyError) in
                try value.choice("unjudged", of: Setting.self)
            }
        }
        try faults.check()
        return zone
    }

    func namespace() throws(PolicyError) -> Namespace {
        var namespace = Namespace(name: metadata.name.name, labels: metadata.labels, place: root.place)
        guard let defaults = spec["defaults"] else { return namespace }
        var faults = Faults()
        let fields = try defaults.mapping("defaults", Forms.defaults, &faults)
        faults.read(fields["ingress"], into: &namespace.ingress) { (value) throws(PolicyError) in
            try value.choice("ingress", of: Setting.self)
        }
        faults.read(fields["egress"], into: &namespace.egress) { (value) throws(PolicyError) in
            try value.choice("egress", of: Setting.self)
        }
        try faults.check()
        return namespace
    }

    func workload() throws(PolicyError) -> Workload {
        var faults = Faults()
        var workload = Workload(name: metadata.name, labels: metadata.labels, place: root.place)
        faults.read(spec["serviceAccount"], into: &workload.serviceAccount) { (value) throws(PolicyError) in
            try value.name("serviceAccount")
        }
        faults.read(spec["addresses"], into: &workload.addresses) { (value) throws(PolicyError) in
            try value.prefixes("addresses")
        }
        faults.read(spec["mac"], into: &workload.hardwareAddresses) { (value) throws(PolicyError) in
            try hardwareAddresses(value)
        }
        faults.read(spec["zones"], into: &workload.zones) { (value) throws(PolicyError) in
            let zones = try value.names("zones")
            guard !zones.isEmpty else {
                throw value.error("zones is empty, so that the workload may appear nowhere", remedy: "leave the key out")
            }
            return zones
        }
        let services = faults.read(spec["services"]) { (value) throws(PolicyError) in try value.dictionary("services") }
        for entry in services ?? [] {
            let name = faults.keep { () throws(PolicyError) in try ServiceWords.ownName(entry.key, entry.place) }
            let range = faults.read(entry.value) { (value) throws(PolicyError) in
                try ServiceDecoder.numbers(value, "a named service")
            }
            if let name { workload.services[name] = range }
        }
        try faults.check()
        return workload
    }

    private func hardwareAddresses(_ value: YAMLValue) throws(PolicyError) -> [MACAddress] {
        guard case .list(let items) = value.content else { return [try value.hardwareAddress("mac")] }
        guard !items.isEmpty else {
            throw value.error("mac is empty, so that the workload could never speak", remedy: "leave the key out")
        }
        return try value.items("mac") { (item) throws(PolicyError) in try item.hardwareAddress("an item of mac") }
    }

    func addressSet() throws(PolicyError) -> AddressSet {
        var faults = Faults()
        var set = AddressSet(name: metadata.name, labels: metadata.labels, place: root.place)
        let except = faults.read(spec["except"]) { (value) throws(PolicyError) in try value.prefixes("except") } ?? []
        let blocks = faults.read(spec["cidrs"]) { (value) throws(PolicyError) in try value.prefixes("cidrs") } ?? []
        set.entries = blocks.map { AddressSet.Entry(.block($0), except: except) }
        if spec["cidrs"] == nil, spec["except"] != nil, !spec.isMisspelt {
            faults.add(
                PolicyError(
                    spec.place(of: "except"), "\"except\" leaves out of \"cidrs\", and there is none",
                    remedy: "put it beside the \"cidr\" of an entry"))
        }
        set.entries +=
            faults.read(spec["entries"]) { (value) throws(PolicyError) in
                try value.items("entries") { (item) throws(PolicyError) in try entry(item) }
            } ?? []
        try faults.check()
        return set
    }

    private func entry(_ value: YAMLValue) throws(PolicyError) -> AddressSet.Entry {
        var faults = Faults()
        let fields = try value.mapping("an entry", Forms.addressEntry, &faults)
        let target: AddressSet.Entry.Target?
        switch (fields["cidr"], fields["dns"]) {
        case (let cidr?, nil):
            target = faults.keep { () throws(PolicyError) in .block(try cidr.prefix("cidr")) }
        case (nil, let name?):
            target = faults.keep { () throws(PolicyError) in .name(try name.dnsPattern("dns")) }
        default:
            target = nil
            if !fields.isMisspelt || fields["cidr"] != nil {
                faults.add(value.error("an entry needs either \"cidr\" or \"dns\""))
            }
        }
        var entry = AddressSet.Entry(target ?? .block(Prefix(host: Address(v4: 0))))
        faults.read(fields["except"], into: &entry.except) { (value) throws(PolicyError) in try value.prefixes("except") }
        faults.read(fields["service"], into: &entry.service) { (value) throws(PolicyError) in
            try ServiceDecoder.numbers(value, "an entry's service")
        }
        faults.read(fields["until"], into: &entry.until) { (value) throws(PolicyError) in try value.unixSeconds("until") }
        try faults.check()
        return entry
    }

    func entity() throws(PolicyError) -> Entity {
        var faults = Faults()
        let name = metadata.name.name
        if Term.Entity(builtIn: name) != nil {
            faults.add(PolicyError(root.place, "the entity \"\(name)\" is built in", remedy: "give yours another name"))
        }
        let terms = faults.require("terms", of: spec) { (value) throws(PolicyError) in try TermDecoder.terms(value, "terms") }
        try faults.check()
        return Entity(name: name, terms: terms ?? [], place: root.place)
    }

    func tier() throws(PolicyError) -> Tier {
        var faults = Faults()
        var tier = Tier(name: metadata.name.name, labels: metadata.labels, place: root.place)
        faults.read(spec["layer"], into: &tier.layer) { (value) throws(PolicyError) in
            try value.choice("layer", of: Tier.Layer.self)
        }
        faults.read(spec["order"], into: &tier.order) { (value) throws(PolicyError) in try value.number("order") }
        faults.read(spec["shape"], into: &tier.shape) { (value) throws(PolicyError) in
            try value.choice("shape", of: Tier.Shape.self)
        }
        faults.read(spec["end"], into: &tier.end) { (value) throws(PolicyError) in try value.choice("end", of: Tier.End.self) }
        try faults.check()
        return tier
    }
}
