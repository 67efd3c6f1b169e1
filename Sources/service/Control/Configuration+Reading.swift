// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Compiler
internal import FoundationEssentials
internal import Layout
internal import Net
public import Policy
internal import PolicyText

extension Configuration {
    /// Reads a configuration file. Throws with what is not understood in each of its parts, with its place.
    public static func load(_ file: String) throws(PolicyError) -> Configuration {
        let start = Place(file: file, line: 1, column: 1)
        guard let data = FileManager.default.contents(atPath: file) else {
            throw PolicyError(start, "the file cannot be read", remedy: "see docs/configuration.md for an example")
        }
        guard let text = String(validating: data, as: UTF8.self) else { throw PolicyError(start, "the file is no UTF-8") }
        return try read(text, file: file)
    }

    /// Reads a configuration's text; relative paths are relative to the folder of `file`.
    public static func read(_ text: String, file: String) throws(PolicyError) -> Configuration {
        var limits = YAMLReader.Limits()
        (limits.bytes, limits.nodes, limits.depth) = (1 << 20, 100_000, 16)
        let documents = try YAMLReader.documents(text, file: file, limits: limits)
        guard let document = documents.first else {
            throw PolicyError(Place(file: file, line: 1, column: 1), "the file is empty", remedy: "it needs at least \"pairs\"")
        }
        guard documents.count == 1 else { throw documents[1].error("a configuration is one document", remedy: "remove this one") }
        return try ConfigurationReader(document, file: file).configuration()
    }
}

/// Walks the document of a configuration file.
struct ConfigurationReader {
    static let keys = [
        "pairs", "zones", "policies", "workloads", "socket", "state", "run", "layer2", "storm", "flows", "checksums", "replies",
        "icmp-errors", "failsafe", "api", "roles", "users", "sandbox", "processors", "records",
    ]
    /// Bytes that a unix socket's path may have (struct sockaddr_un), less the suffix that the server adds while it starts.
    static let socketPathLimit = 107 - 12
    /// Bytes of the run folder's path that the plan has room for (`Plan.runFolder`).
    static let runPathLimit = 80
    /// Bytes of the state folder's path that the plan has room for (`Plan.stateFolder`).
    static let statePathLimit = 250

    let root: YAMLMapping
    let file: String
    let folder: String

    /// Keys that are none.
    private let faults: Faults

    init(_ document: YAMLValue, file: String) throws(PolicyError) {
        var faults = Faults()
        root = try document.mapping("the configuration", keys: Self.keys, &faults)
        self.faults = faults
        self.file = file
        let absolute = file.hasPrefix("/") ? file : FileManager.default.currentDirectoryPath + "/" + file
        folder = String(absolute[..<(absolute.lastIndex(of: "/") ?? absolute.startIndex)])
    }

    /// The configuration. Throws with what is wrong in each of its parts; of one part with the first thing that is.
    func configuration() throws(PolicyError) -> Configuration {
        var faults = faults
        var result = Configuration(file: file)
        let pairs = faults.require("pairs", of: root) { (value) throws(PolicyError) in try self.pairs(value) }
        // A zone's port is one of a pair's, and an end of an opening may be a zone: what hangs on others is judged where those are right.
        let zones = pairs.flatMap { pairs in faults.keep { () throws(PolicyError) in try self.zones(pairs) } }
        result.pairs = pairs ?? []
        result.zones = zones ?? []
        result.policies = faults.keep { () throws(PolicyError) in try existing("policies") } ?? []
        result.workloads = faults.keep { () throws(PolicyError) in try existing("workloads") } ?? []
        faults.read(root["state"], into: &result.state) { (value) throws(PolicyError) in try stateFolder(value) }
        faults.read(root["run"], into: &result.run) { (value) throws(PolicyError) in try runFolder(value) }
        let run = result.run
        if let socket = faults.keep({ () throws(PolicyError) in try socket(run: run) }) { result.socket = socket }
        let flows = faults.keep { () throws(PolicyError) in try self.flows(pairs: pairs?.count ?? 1) }
        if let flows { (result.flowCapacity, result.flows) = flows }
        if let records = faults.keep({ () throws(PolicyError) in try self.records() }) { result.records = records }
        result.flows.recordSeconds = result.records.interval
        if let links = faults.keep({ () throws(PolicyError) in try linkTable() }) { result.links = links }
        let path = result.socket
        if let api = faults.keep({ () throws(PolicyError) in try self.api(path) }) { result.api = api }
        let tls = result.api.tls
        let failsafe = zones.flatMap { zones in faults.keep { () throws(PolicyError) in try self.failsafe(zones, tls) } }
        result.failsafe = failsafe ?? Failsafe()
        _ = faults.keep { () throws(PolicyError) in try processes(&result) }
        try faults.check()
        return result
    }

    private func stateFolder(_ value: YAMLValue) throws(PolicyError) -> String {
        let path = try self.path(value, "state")
        guard path.utf8.count <= Self.statePathLimit else {
            throw value.error(
                "the state folder's path has \(path.utf8.count) bytes, \(Self.statePathLimit) is the limit",
                remedy: "choose a shorter one")
        }
        return path
    }

    private func runFolder(_ value: YAMLValue) throws(PolicyError) -> String {
        let path = try self.path(value, "run")
        guard path.utf8.count <= Self.runPathLimit else {
            throw value.error(
                "the run folder's path has \(path.utf8.count) bytes, \(Self.runPathLimit) is the limit",
                remedy: "choose a shorter one")
        }
        return path
    }

    private func socket(run: String) throws(PolicyError) -> String {
        let path =
            try root["socket"].map { value throws(PolicyError) in try self.path(value, "socket") } ?? run + "/bulkhead.sock"
        guard path.utf8.count <= Self.socketPathLimit else {
            throw PolicyError(
                root["socket"]?.place ?? root["run"]?.place ?? root.place,
                "the socket's path has \(path.utf8.count) bytes, \(Self.socketPathLimit) is the limit",
                remedy: "choose a shorter \"socket\"")
        }
        return path
    }

    private func pairs(_ value: YAMLValue) throws(PolicyError) -> [Configuration.Pair] {
        let items = try value.list("pairs")
        guard !items.isEmpty else { throw value.error("pairs is empty", remedy: "name two ports: [{name: edge, ports: [A, B]}]") }
        guard items.count <= Plan.maximumPairs else {
            throw items[Plan.maximumPairs].error("there are \(items.count) pairs, \(Plan.maximumPairs) can be")
        }
        var pairs: [Configuration.Pair] = []
        var ports: Set<String> = []
        for item in items {
            let fields = try item.mapping("a pair", keys: ["name", "ports", "fail", "on-stop", "xdp", "copy", "poll"])
            let name = try word(try fields.required("name"), "name", longest: 31)
            guard !pairs.contains(where: { $0.name == name }) else {
                throw try fields.required("name").error("pair \"\(name)\" is there twice", remedy: "rename one of them")
            }
            var pair = Configuration.Pair(name: name, ports: try self.ports(try fields.required("ports"), &ports))
            if let value = fields["fail"] { pair.fail = try value.choice("fail", of: Configuration.Fail.self) }
            if let value = fields["on-stop"] { pair.onStop = try value.choice("on-stop", of: Configuration.OnStop.self) }
            if let value = fields["xdp"] { pair.attachment = try value.choice("xdp", of: Configuration.Attachment.self) }
            if let value = fields["copy"] { pair.copy = try value.choice("copy", of: Configuration.Copy.self) }
            if let value = fields["poll"] { pair.poll = try value.choice("poll", of: Configuration.Poll.self) }
            pairs.append(pair)
        }
        return pairs
    }

    private func ports(_ value: YAMLValue, _ seen: inout Set<String>) throws(PolicyError) -> [String] {
        let items = try value.list("ports")
        guard items.count == 2 else {
            throw value.error("a pair has two ports, not \(items.count)", remedy: "name two interfaces: [A, B]")
        }
        var names: [String] = []
        for item in items {
            let name = try word(item, "a port", longest: 15)
            guard seen.insert(name).inserted else {
                throw item.error("port \"\(name)\" is named twice", remedy: "a port belongs to one place of one pair")
            }
            names.append(name)
        }
        return names
    }

    private func zones(_ pairs: [Configuration.Pair]) throws(PolicyError) -> [Configuration.ZonePlace] {
        var zones: [Configuration.ZonePlace] = []
        for entry in try root["zones"]?.dictionary("zones") ?? [] {
            let fields = try entry.value.mapping("zone \"\(entry.key)\"", keys: ["port", "vlans", "tunnel"])
            var zone = Configuration.ZonePlace(zone: entry.key, place: entry.place)
            if let value = fields["port"] { zone.port = try port(value, pairs) }
            if let value = fields["vlans"] { zone.vlans = try vlans(value) }
            if let value = fields["tunnel"] {
                zone.tunnel = UInt32(try value.integer("tunnel", in: 0...(Int(UInt32.max) - 1)))
            }
            guard zone.port != nil || !zone.vlans.isEmpty || zone.tunnel != nil else {
                throw PolicyError(entry.place, "zone \"\(entry.key)\" says nothing", remedy: "give it port, vlans or tunnel")
            }
            if let same = zones.first(where: zone.coincides) {
                throw PolicyError(
                    entry.place, "zone \"\(entry.key)\" lies where \"\(same.zone)\" does", remedy: "tell them apart")
            }
            zones.append(zone)
        }
        return zones
    }

    private func port(_ value: YAMLValue, _ pairs: [Configuration.Pair]) throws(PolicyError) -> String {
        let name = try value.text("port")
        let known = pairs.flatMap(\.ports)
        guard known.contains(name) else {
            throw value.error(
                "no pair has a port \"\(name)\"",
                remedy: Spelling.remedy(name, among: known) ?? "the ports are \(known.joined(separator: ", "))")
        }
        return name
    }

    /// Tags of a zone's frames: `7` for one VLAN, `"100.7"` for VLAN 7 inside VLAN 100, `untagged`.
    private func vlans(_ value: YAMLValue) throws(PolicyError) -> [VLANTags] {
        var result: [VLANTags] = []
        for item in try value.list("vlans") {
            let text: String
            switch item.content {
            case .integer(_, let written), .fraction(_, let written), .text(let written): text = written
            default: throw item.error("a VLAN must be a number, not \(item.kind)")
            }
            let numbers = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt16($0) ?? 0 }
            let isUntagged = text == "untagged"
            guard isUntagged || (1...2).contains(numbers.count) && numbers.allSatisfy({ (1...4094).contains($0) }) else {
                throw item.error("\"\(text)\" is no VLAN", remedy: "write 1 to 4094, \"100.7\" for a tag in a tag, or untagged")
            }
            var tags = VLANTags()
            if !isUntagged { for number in numbers { tags.append(number) } }
            guard !result.contains(tags) else { throw item.error("VLAN \(text) is there twice", remedy: "remove one of them") }
            result.append(tags)
        }
        guard !result.isEmpty else { throw value.error("vlans is empty", remedy: "leave the key out for any tags") }
        return result
    }

    /// A name that keeper accepts as part of a path: printable ASCII without a blank or a slash, no dot first.
    private func word(_ value: YAMLValue, _ what: String, longest: Int) throws(PolicyError) -> String {
        let text = try value.text(what)
        guard (1...longest).contains(text.utf8.count), text.utf8.first != UInt8(ascii: "."),
            text.utf8.allSatisfy({ (33...126).contains($0) && $0 != UInt8(ascii: "/") })
        else {
            throw value.error(
                "\(what) \"\(text)\" is no name",
                remedy: "use 1 to \(longest) printable characters without blank or slash, no dot first")
        }
        return text
    }

    func path(_ value: YAMLValue, _ what: String) throws(PolicyError) -> String {
        let text = try value.text(what)
        guard !text.isEmpty, !text.utf8.contains(0) else {
            throw value.error("\(what) is no path", remedy: "write one, or leave the key out")
        }
        let absolute = text.hasPrefix("/") ? text : folder + "/" + text
        return absolute.count > 1 && absolute.hasSuffix("/") ? String(absolute.dropLast()) : absolute
    }

    private func existing(_ key: String) throws(PolicyError) -> [String] {
        var paths: [String] = []
        for item in try root[key]?.list(key) ?? [] {
            let path = try path(item, "an item of \(key)")
            guard FileManager.default.fileExists(atPath: path) else {
                throw item.error("there is no file or folder at \(path)", remedy: "relative paths start at \(folder)")
            }
            paths.append(path)
        }
        return paths
    }
}
