// SPDX-License-Identifier: Apache-2.0
internal import Compiler
internal import Net
internal import Policy

/// Why a question is none: what is wrong with it, and what was probably meant.
public struct QuestionError: Error, Sendable, CustomStringConvertible {
    /// One sentence.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// Who is meant.
extension PolicyView {
    /// One end as a question names it.
    struct Named {
        /// Its addresses, the first one first.
        var addresses: [Address]
        /// The workload, where one was named.
        var workload: Int?
    }

    /// An address, a workload as `namespace/name`, or a workload's name alone where only one has it. `key` is what the question calls it.
    func named(_ text: String, _ key: String) throws(QuestionError) -> Named {
        if let address = Address(text) { return Named(addresses: [address], workload: nil) }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let found =
            workloads(named: parts.count == 2 ? ObjectName(parts[1], namespace: parts[0]) : ObjectName(text))
            ?? (parts.count == 1 ? set.workloads.indices.filter { set.workloads[$0].name.name == text } : [])
        guard let index = found.first else {
            let known = set.workloads.map(\.name.description).sorted()
            let remedy = Spelling.remedy(text, among: known).map { "; \($0)" } ?? ""
            throw QuestionError("\"\(key)\" is no address and no workload: \"\(text)\"\(remedy)")
        }
        guard found.count == 1 else {
            let names = found.map { "\"\(set.workloads[$0].name)\"" }
            throw QuestionError(
                "\"\(key)\": \(found.count) workloads are called \"\(text)\": write \(names.joined(separator: " or "))")
        }
        let workload = set.workloads[index]
        guard !workload.addresses.isEmpty else { throw QuestionError("the workload \"\(text)\" has no address") }
        return Named(addresses: workload.addresses.map(\.address), workload: index)
    }

    private func workloads(named name: ObjectName) -> [Int]? {
        var (low, high) = (0, set.workloads.count)
        while low < high {
            let middle = (low + high) / 2
            if set.workloads[middle].name < name { low = middle + 1 } else { high = middle }
        }
        return low < set.workloads.count && set.workloads[low].name == name ? [low] : nil
    }

    /// Both ends: for a workload its first address, of the family that the other end has as well.
    func ends(
        from: String, to: String, zoneFrom: String?, zoneTo: String?
    ) throws(QuestionError) -> (Reference.End, Reference.End) {
        let sources = try named(from, "from")
        let destinations = try named(to, "to")
        for source in sources.addresses {
            for destination in destinations.addresses where source.isIPv4 == destination.isIPv4 {
                return (
                    Reference.End(address: source, zone: try zone(zoneFrom, "zone_from", source, sources.workload)),
                    Reference.End(address: destination, zone: try zone(zoneTo, "zone_to", destination, destinations.workload))
                )
            }
        }
        throw QuestionError("\"\(from)\" and \"\(to)\" have no address family in common")
    }

    /// The zone of an end: as given; else the first one in which its workload may appear, else the implicit one.
    func zone(_ given: String?, _ key: String, _ address: Address, _ workload: Int?) throws(QuestionError) -> String {
        if let given {
            let known = set.zoneNames
            guard !set.hasZones || known.contains(given) else {
                let remedy = Spelling.remedy(given, among: known).map { "; \($0)" } ?? ""
                throw QuestionError("\"\(key)\": there is no zone \"\(given)\"\(remedy)")
            }
            return given
        }
        guard set.hasZones else { return Zone.implicit }
        let owner = workload ?? owners.owner(of: address, zone: nil)
        return owner.flatMap { set.zones(of: set.workloads[$0]).first } ?? Zone.implicit
    }
}

/// What is asked for.
extension ServiceRange {
    /// The services that a question names as policies write them: `tcp/5432`, `udp/1000-2000`, `icmp/8.0`, `tcp`, `47`, `any`.
    init?(question text: String) {
        let protocols: [String: IPProtocol] = ["tcp": .tcp, "udp": .udp, "sctp": .sctp, "icmp": .icmp, "icmp6": .icmp6]
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if text == "any" {
            self = .everything
            return
        }
        if let tunnel = Tunnels.all.first(where: { $0.name == text }) {
            self = tunnel.range
            return
        }
        guard let number = protocols[parts[0]] ?? UInt8(parts[0]).map(IPProtocol.init(rawValue:)) else { return nil }
        guard parts.count == 2 else {
            self.init(number)
            return
        }
        if number.isICMP {
            let numbers = parts[1].split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
            guard (1...2).contains(numbers.count), let type = numbers[0].map(UInt16.init), !numbers.contains(nil) else {
                return nil
            }
            let code = numbers.count == 2 ? numbers[1].map(UInt16.init) : nil
            self.init(number, ports: (type << 8 | (code ?? 0))...(type << 8 | (code ?? 0xff)))
        } else {
            let ends = parts[1].split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
            guard number.hasPorts, (1...2).contains(ends.count), let low = ends[0], let high = ends[ends.count - 1], low <= high
            else { return nil }
            self.init(number, ports: low...high)
        }
    }
}

extension PolicyView {
    /// The services that a question names, those by a name of the destination's included.
    func services(_ text: String, of destination: Workload?) throws(QuestionError) -> ServiceRange {
        if let own = destination?.services[text] { return own }
        if let range = ServiceRange(question: text) { return range }
        let whose = destination.map { " and no service of \"\($0.name)\"" } ?? ""
        let remedy = Spelling.remedy(text, among: (destination?.services.keys.sorted() ?? []) + ["tcp", "udp", "icmp", "any"])
        throw QuestionError(
            "\"\(text)\" is no service\(whose): write tcp/443, udp/53, icmp/8.0 or a protocol's number"
                + (remedy.map { "; \($0)" } ?? ""))
    }

    /// The one service that a question names; an ICMP protocol alone stands for its echo request.
    func service(_ text: String, of destination: Workload?) throws(QuestionError) -> ServiceKey {
        if text == "icmp" { return ServiceKey(.icmp, type: 8, code: 0) }
        if text == "icmp6" { return ServiceKey(.icmp6, type: 128, code: 0) }
        let range = try services(text, of: destination)
        let number = IPProtocol(rawValue: UInt8(truncatingIfNeeded: range.first >> 16))
        let isWholeProtocol = range == ServiceRange(number) && !number.hasPorts && !number.isICMP
        guard range.end - range.first == 1 || isWholeProtocol else {
            throw QuestionError(
                "\"\(text)\" is more than one service: name one port, as tcp/443, or one type and code, as icmp/8.0")
        }
        return ServiceKey(rawValue: range.first)
    }
}
