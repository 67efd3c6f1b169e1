// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

/// Reads services: words, numbers of protocols, and mappings that say more.
enum ServiceDecoder {
    static func list(_ value: YAMLValue, _ what: String) throws(PolicyError) -> ServiceList {
        let services = try value.items(what, service)
        return ServiceList(
            services.map(\.value), text: "\(what): [\(services.map(\.text).joined(separator: ", "))]")
    }

    /// A service, and how it was written.
    private static func service(_ value: YAMLValue) throws(PolicyError) -> (value: Service, text: String) {
        guard case .mapping = value.content else {
            return (Service(try destination(value)), value.written)
        }
        var faults = Faults()
        let fields = try value.mapping("a service", Forms.service, &faults)
        let target = faults.require("service", of: fields, destination)
        // What else it says depends on what it is.
        guard let target, let word = fields["service"] else {
            try faults.check()
            throw value.error("a service needs the key \"service\"")
        }
        var service = Service(target)
        service.sourcePorts = faults.read(fields["sourcePorts"]) { (value) throws(PolicyError) in
            try sourcePorts(value, service, word)
        }
        service.program = faults.keep { () throws(PolicyError) in try ProgramDecoder.program(fields, service, word) } ?? nil
        try faults.check()
        var text = "service: \(word.written)"
        if case .list(let ports)? = fields["sourcePorts"]?.content {
            text += ", sourcePorts: [\(ports.map(\.written).joined(separator: ", "))]"
        }
        if let program = service.program { text += ", \(program.match.name): …" }
        return (service, "{\(text)}")
    }

    /// What a word or a number means.
    static func destination(_ value: YAMLValue) throws(PolicyError) -> Service.Destination {
        if case .integer(let number, _) = value.content {
            guard let number = UInt8(exactly: number) else {
                throw value.error("a protocol's number is at most 255, not \(number)")
            }
            return .range(ServiceRange(IPProtocol(rawValue: number)))
        }
        let text = try value.words("a service", "a service, as tcp/5432")
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else {
            if let range = ServiceWords.range(text) { return .range(range) }
            return .named(try ServiceWords.ownName(text, value.place), nil)
        }
        guard let known = ServiceWords.numbered.first(where: { $0.name == parts[0] }) else {
            let known = ServiceWords.numbered.map(\.name)
            throw value.error(
                "there is no protocol \"\(parts[0])\" with ports",
                remedy: Spelling.remedy(parts[0], among: known) ?? "there are tcp, udp, sctp, icmp and icmp6")
        }
        guard let ports = known.number.isICMP ? ServiceWords.icmp(parts[1]) : ServiceWords.ports(parts[1]) else {
            if !known.number.isICMP, ServiceWords.isName(parts[1]) { return .named(parts[1], known.number) }
            throw value.error(
                "\"\(text)\" is no service",
                remedy: known.number.isICMP
                    ? "write type and code, as \(known.name)/8.0, or the type alone, as \(known.name)/8"
                    : "write a port from 0 to 65535, as \(known.name)/443, or a range, as \(known.name)/1000-2000")
        }
        return .range(ServiceRange(known.number, ports: ports))
    }

    /// A service by protocol and numbers, and by no name.
    static func numbers(_ value: YAMLValue, _ what: String) throws(PolicyError) -> ServiceRange {
        guard case .range(let range) = try destination(value), range.first >> 16 == (range.end - 1) >> 16 else {
            throw value.error("\(what) must be a protocol with numbers, as tcp/5432")
        }
        return range
    }

    private static func sourcePorts(
        _ value: YAMLValue, _ service: Service, _ word: YAMLValue
    ) throws(PolicyError) -> [ClosedRange<UInt16>] {
        if case .range(let range) = service.destination, !range.isOne(of: [.tcp, .udp, .sctp]) {
            throw value.error("\(word.written) has no source ports", remedy: "they belong to tcp, udp and sctp")
        }
        let items = try value.list("sourcePorts")
        guard !items.isEmpty else {
            throw value.error("sourcePorts is empty, so that the service matches nothing", remedy: "leave the key out")
        }
        return try value.items("sourcePorts") { (item) throws(PolicyError) in
            guard let range = ServiceWords.ports(item.written) else {
                throw item.error(
                    "\(item.kind) is no port", remedy: "write a number from 0 to 65535, or a range, as \"1024-65535\"")
            }
            return range
        }
    }
}

extension ServiceRange {
    /// Whether it lies in one of these protocols.
    func isOne(of protocols: [IPProtocol]) -> Bool {
        protocols.contains { ServiceRange($0).first <= first && end <= ServiceRange($0).end }
    }
}

extension YAMLValue {
    /// The word or number as it was written; empty for everything else.
    var written: String {
        switch content {
        case .text(let text), .integer(_, let text), .fraction(_, let text): text
        default: ""
        }
    }
}
