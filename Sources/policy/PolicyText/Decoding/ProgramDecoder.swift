// SPDX-License-Identifier: Apache-2.0
internal import Net
internal import Policy

/// Reads what a layer-7 program must see of a service.
enum ProgramDecoder {
    static func program(_ fields: YAMLMapping, _ service: Service, _ word: YAMLValue) throws(PolicyError) -> LayerSevenProgram? {
        let keys = ["http", "tls", "dns"].filter { fields[$0] != nil }
        guard let key = keys.first, let value = fields[key] else {
            if fields["priority"] != nil {
                throw PolicyError(
                    fields.place(of: "priority"), "\"priority\" orders layer-7 programs, and the service has none",
                    remedy: "give it http, tls or dns")
            }
            return nil
        }
        guard keys.count == 1 else {
            throw PolicyError(
                fields.place(of: keys[1]), "a service has one layer-7 program, not \(keys.joined(separator: " and "))",
                remedy: "write a service for each")
        }
        let carriers: [IPProtocol] = key == "dns" ? [.tcp, .udp] : [.tcp]
        if case .range(let range) = service.destination, !range.isOne(of: carriers) {
            throw PolicyError(
                fields.place(of: key), "\(key) is not spoken over \(word.written)",
                remedy: "it belongs to \(carriers.map(\.name).joined(separator: " and "))")
        }
        let match: LayerSevenProgram.Match =
            switch key {
            case "http": .http(try value.items("http", request))
            case "tls": .tls(try names(value, key))
            default: .dns(try names(value, key))
            }
        return LayerSevenProgram(match, priority: try fields["priority"]?.integer("priority", in: 1...65_535))
    }

    private static func names(_ value: YAMLValue, _ what: String) throws(PolicyError) -> [DNSPattern] {
        let names = try value.items(what) { (item) throws(PolicyError) in try item.dnsPattern("an item of \(what)") }
        guard !names.isEmpty else { throw value.error("\(what) is empty, so that the service matches nothing") }
        return names
    }

    private static func request(_ value: YAMLValue) throws(PolicyError) -> HTTPMatch {
        var faults = Faults()
        let fields = try value.mapping("an item of http", Forms.httpMatch, &faults)
        func patterns(_ key: String) -> [TextPattern]? {
            faults.keep { () throws(PolicyError) in try PatternDecoder.patterns(fields[key], key) } ?? nil
        }
        var match = HTTPMatch()
        match.methods = patterns("methods")
        match.notMethods = patterns("notMethods")
        match.paths = patterns("paths")
        match.notPaths = patterns("notPaths")
        match.hosts = patterns("hosts")
        match.notHosts = patterns("notHosts")
        if let headers = faults.read(fields["headers"], { (value) throws(PolicyError) in try value.dictionary("headers") }) {
            match.headers = headers.compactMap { entry in
                faults.read(entry.value) { (value) throws(PolicyError) in
                    HTTPMatch.Header(name: entry.key, value: try PatternDecoder.pattern(value, "a header"))
                }
            }
        }
        try faults.check()
        return match
    }
}
