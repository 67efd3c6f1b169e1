// SPDX-License-Identifier: Apache-2.0
internal import API
internal import Compiler
internal import Net
internal import Policy
internal import PolicyText

// `failsafe`: management services that no policy can close. What they mean is described in `docs/configuration.md`.

extension ConfigurationReader {
    /// Openings that each of both lists may have.
    private static let openingLimit = 64

    /// The services that the file keeps open. Where it names an address of the box, there or as the place of the API's TLS server, and says
    /// nothing of services, the ways to manage the box stay open: SSH, and that server.
    func failsafe(_ zones: [Configuration.ZonePlace], _ server: APISettings.TLS?) throws(PolicyError) -> Failsafe {
        var failsafe = Failsafe()
        let management = server.flatMap { Address($0.host) }.flatMap { $0.isUnspecified ? nil : Prefix(host: $0) }
        guard let value = root["failsafe"] else {
            failsafe.addresses = management.map { [$0] } ?? []
            failsafe.box = Self.management(failsafe.addresses, server)
            return failsafe
        }
        let fields = try value.mapping("failsafe", keys: ["addresses", "box", "transit"])
        failsafe.addresses = try fields["addresses"].map { value throws(PolicyError) in try value.prefixes("addresses") } ?? []
        if let box = fields["box"] {
            failsafe.box = try openings(box, "box", keys: ["name", "services", "from"], zones)
            guard !failsafe.addresses.isEmpty || failsafe.box.isEmpty else {
                throw PolicyError(
                    fields.place(of: "box"), "failsafe keeps services of the box open, and names no address of it",
                    remedy: "write them beside it: addresses: [192.0.2.1]")
            }
        } else {
            if let management, !failsafe.addresses.contains(management) { failsafe.addresses.append(management) }
            failsafe.box = Self.management(failsafe.addresses, server)
        }
        if let transit = fields["transit"] {
            failsafe.transit = try openings(transit, "transit", keys: ["name", "services", "from", "to"], zones)
        }
        return failsafe
    }

    /// The ways to manage a box that has these addresses.
    private static func management(_ addresses: [Prefix], _ server: APISettings.TLS?) -> [Failsafe.Opening] {
        guard !addresses.isEmpty else { return [] }
        let ports = [22] + (server.map { [UInt16(clamping: $0.port)] } ?? [])
        let services = ports.map { ServiceRange(.tcp, ports: $0...$0) }
        return [Failsafe.Opening("management", services: services, from: nil, to: nil)]
    }

    private func openings(
        _ value: YAMLValue, _ what: String, keys: [String], _ zones: [Configuration.ZonePlace]
    ) throws(PolicyError) -> [Failsafe.Opening] {
        var openings: [Failsafe.Opening] = []
        var names: Set<String> = []
        for item in try value.list(what) {
            let fields = try item.mapping("an opening of \(what)", keys: keys)
            let name = try fields.required("name").name("an opening's name")
            guard names.insert(name).inserted else {
                throw try fields.required("name").error("opening \"\(name)\" is there twice", remedy: "rename one of them")
            }
            guard names.count <= Self.openingLimit else {
                throw item.error(
                    "\(what) has more than \(Self.openingLimit) openings", remedy: "a failsafe is for a few services")
            }
            let services = try fields.required("services").serviceRanges("services")
            let sources = try ends(fields["from"], "from", zones)
            let destinations = try ends(fields["to"], "to", zones)
            // A term asks for all of its fields, a list here for one of its items.
            for from in sources {
                for to in destinations { openings.append(.init(name, services: services, from: from, to: to)) }
            }
        }
        return openings
    }

    /// The terms of which one must match: the blocks together, and the zones together; `nil` for anybody.
    private func ends(
        _ value: YAMLValue?, _ what: String, _ zones: [Configuration.ZonePlace]
    ) throws(PolicyError) -> [Term?] {
        guard let value else { return [nil] }
        var (blocks, places): (Term, Term) = (Term(), Term())
        for item in try value.list(what) {
            let text = try item.text("an item of \(what)")
            if let prefix = Prefix(text) {
                blocks.cidrs = (blocks.cidrs ?? []) + [prefix]
            } else if zones.contains(where: { $0.zone == text }) {
                places.zones = (places.zones ?? []) + [text]
            } else {
                throw item.error(
                    "\"\(text)\" is no address, no CIDR block and no zone that the configuration places",
                    remedy: Spelling.remedy(text, among: zones.map(\.zone))
                        ?? "write 10.0.0.0/8, or place the zone under \"zones\"")
            }
        }
        let terms = [blocks, places].filter { $0.cidrs != nil || $0.zones != nil }
        guard !terms.isEmpty else {
            throw value.error("\(what) is empty, so that nobody is meant", remedy: "leave the key out for anybody")
        }
        return terms
    }
}
