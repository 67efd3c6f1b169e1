// SPDX-License-Identifier: Apache-2.0
internal import Policy

extension Service {
    /// A word, or a mapping where there is more to say.
    var value: YAMLValue {
        guard sourcePorts != nil || program != nil else { return .text(text) }
        return .mapping { service in
            service.put("service", text)
            service.put(
                "sourcePorts",
                sourcePorts?.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" })
            guard let program else { return }
            switch program.match {
            case .http(let requests): service.put("http", .list(requests.map(\.value)))
            case .tls(let names): service.put("tls", names.map(\.description))
            case .dns(let names): service.put("dns", names.map(\.description))
            }
            service.put("priority", program.priority.map { .written(.integer($0, "\($0)")) })
        }
    }
}

extension HTTPMatch {
    fileprivate var value: YAMLValue {
        .mapping { match in
            match.put("methods", methods.map(\.value))
            match.put("notMethods", notMethods.map(\.value))
            match.put("paths", paths.map(\.value))
            match.put("notPaths", notPaths.map(\.value))
            match.put("hosts", hosts.map(\.value))
            match.put("notHosts", notHosts.map(\.value))
            match.put(
                "headers",
                headers.map { headers in .mapping { for header in headers { $0.put(header.name, header.value.value) } } })
        }
    }
}

extension [TextPattern] {
    /// The patterns as a list.
    var value: YAMLValue { .list(map(\.value)) }
}

extension TextPattern {
    /// A text, or a mapping that says how to look at it.
    fileprivate var value: YAMLValue {
        switch self {
        case .exact(let text): .text(text)
        case .prefix(let text): .mapping { $0.put("prefix", text) }
        case .suffix(let text): .mapping { $0.put("suffix", text) }
        case .expression(let text): .mapping { $0.put("regex", text) }
        case .template(let text): .mapping { $0.put("template", text) }
        case .present: .mapping { $0.put("present", .written(.truth(true))) }
        }
    }
}
