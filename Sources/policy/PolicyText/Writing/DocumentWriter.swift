// SPDX-License-Identifier: Apache-2.0
internal import Net
public import Policy

extension Document {
    /// The document as a value that `decode` reads as the same object. Places, and whether it was imported, are no part of it.
    public var value: YAMLValue {
        .mapping { root in
            root.put("apiVersion", DocumentDecoder.version)
            root.put("kind", kind)
            root.put(
                "metadata",
                .mapping { metadata in
                    metadata.put("name", name.name)
                    metadata.put("namespace", name.namespace)
                    metadata.put("labels", labels)
                })
            root.put("spec", nested: spec)
        }
    }

    /// The document as YAML that reads back as the same object.
    public var yaml: String { value.yaml }

    private var labels: [String: String] {
        switch self {
        case .zone(let zone): zone.labels
        case .workload(let workload): workload.labels
        case .namespace(let namespace): namespace.labels
        case .serviceAccount(let account): account.labels
        case .addressSet(let set): set.labels
        case .tier(let tier): tier.labels
        case .entity, .policy: [:]
        }
    }

    private var spec: MappingWriter {
        switch self {
        case .zone(let zone): zone.spec
        case .workload(let workload): workload.spec
        case .namespace(let namespace): namespace.spec
        case .serviceAccount: MappingWriter()
        case .addressSet(let set): set.spec
        case .entity(let entity): entity.spec
        case .tier(let tier): tier.spec
        case .policy(let policy): policy.spec
        }
    }
}

extension Zone {
    fileprivate var spec: MappingWriter {
        var spec = MappingWriter()
        if onLink { spec.put("on-link", .written(.truth(true))) }
        if dhcpServer { spec.put("dhcp-server", .written(.truth(true))) }
        if !unjudged.isEmpty {
            // The two forms of the key exclude each other, so that a zone never has both.
            spec.put("unjudged", unjudged.mapValues(\.rawValue))
        } else if unjudgedElsewhere != .deny {
            spec.put("unjudged", unjudgedElsewhere.rawValue)
        }
        return spec
    }
}

extension Namespace {
    fileprivate var spec: MappingWriter {
        var spec = MappingWriter()
        var defaults = MappingWriter()
        if ingress != .deny { defaults.put("ingress", ingress.rawValue) }
        if egress != .deny { defaults.put("egress", egress.rawValue) }
        spec.put("defaults", nested: defaults)
        return spec
    }
}

extension Workload {
    fileprivate var spec: MappingWriter {
        var spec = MappingWriter()
        if !addresses.isEmpty { spec.put("addresses", addresses.map(\.written)) }
        if !hardwareAddresses.isEmpty { spec.put("mac", hardwareAddresses.map(\.description)) }
        if !zones.isEmpty { spec.put("zones", zones) }
        spec.put("serviceAccount", serviceAccount)
        spec.put("services", services.mapValues { Service.range($0).text })
        return spec
    }
}

extension AddressSet {
    fileprivate var spec: MappingWriter {
        var spec = MappingWriter()
        guard !entries.isEmpty else { return spec }
        let items = entries.map { entry in
            YAMLValue.mapping { item in
                switch entry.target {
                case .block(let prefix): item.put("cidr", prefix.written)
                case .name(let name): item.put("dns", name.description)
                }
                if !entry.except.isEmpty { item.put("except", entry.except.map(\.written)) }
                item.put("service", entry.service.map { Service.range($0).text })
                item.put("until", entry.until.map { Timestamp.text(unixSeconds: $0) })
            }
        }
        spec.put("entries", .list(items))
        return spec
    }
}

extension Entity {
    fileprivate var spec: MappingWriter {
        var spec = MappingWriter()
        spec.put("terms", .list(terms.map(\.value)))
        return spec
    }
}

extension Tier {
    fileprivate var spec: MappingWriter {
        var spec = MappingWriter()
        if layer != .network { spec.put("layer", layer.rawValue) }
        spec.put("order", order)
        if shape != .ordered { spec.put("shape", shape.rawValue) }
        if end != .deny { spec.put("end", end.rawValue) }
        return spec
    }
}

extension Prefix {
    /// A single address without its length.
    var written: String { isHost ? "\(address)" : description }
}
