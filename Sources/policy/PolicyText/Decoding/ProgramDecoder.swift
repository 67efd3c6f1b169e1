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
            case "http": .http(try requests(value))
            case "tls": .tls(try names(value, key))
            default: .dns(try names(value, key))
            }
        return LayerSevenProgram(match, priority: try fields["priority"]?.integer("priority", in: 1...65_535))
    }

    private static func names(_ value: YAMLValue, _ what: String) throws(PolicyError) -> [DNSPattern] {
        var names: [DNSPattern] = []
        for item in try value.list(what) { names.append(try item.dnsPattern("an item of \(what)")) }
        guard !names.isEmpty else { throw value.error("\(what) is empty, so that the service matches nothing") }
        return names
    }

    private static func requests(_ value: YAMLValue) throws(PolicyError) -> [HTTPMatch] {
        var requests: [HTTPMatch] = []
        for item in try value.list("http") { requests.append(try request(item)) }
        return requests
    }

    private static func request(_ value: YAMLValue) throws(PolicyError) -> HTTPMatch {
        let fields = try value.mapping("an item of http", Forms.httpMatch)
        var match = HTTPMatch()
        match.methods = try PatternDecoder.patterns(fields["methods"], "methods")
        match.notMethods = try PatternDecoder.patterns(fields["notMethods"], "notMethods")
        match.paths = try PatternDecoder.patterns(fields["paths"], "paths")
        match.notPaths = try PatternDecoder.patterns(fields["notPaths"], "notPaths")
        match.hosts = try PatternDecoder.patterns(fields["hosts"], "hosts")
        match.notHosts = try PatternDecoder.patterns(fields["notHosts"], "notHosts")
        guard let headers = fields["headers"] else { return match }
        var found: [HTTPMatch.Header] = []
        for entry in try headers.dictionary("headers") {
            found.append(HTTPMatch.Header(name: entry.key, value: try PatternDecoder.pattern(entry.value, "a header")))
        }
        match.headers = found
        return match
    }
}
