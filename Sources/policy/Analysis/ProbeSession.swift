// SPDX-License-Identifier: Apache-2.0
internal import Classifier
public import Compiler
internal import Net
public import Policy
internal import Record

/// Answers `policy probe`: one line of JSON in, one out, decided by the compiled snapshot and an address map with the code that
/// workers run. Only the nearest rules of a default deny are looked up in the model.
public struct ProbeSession: Sendable {
    let compiled: Compiled
    let inventory: Inventory
    let memory: ProbeMemory
    let reference: Reference
    private let workloads: [ObjectName: Workload]

    /// A session over a set, as an appliance that places these zones sees it.
    public init(set: PolicySet, zones: [ZonePlacement] = [], generation: UInt32 = 1) throws(CompileError) {
        var inventory = Inventory()
        compiled = try compile(set, zones: zones, generation: generation, inventory: &inventory)
        memory = try ProbeMemory(compiled, &inventory)
        self.inventory = inventory
        reference = Reference(compiled.set)
        workloads = Dictionary(compiled.set.workloads.map { ($0.name, $0) }) { first, _ in first }
    }

    /// The answer to a line; `now` is unix seconds and stands where the line has no `at`. A line that is no probe is answered by
    /// `{"error": …}`.
    public func answer(line: String, now: UInt64) -> (json: String, isError: Bool) {
        do throws(ProbeError) {
            let request = try ProbeRequest(line: line)
            return (json(try judge(request, now: now)).line, false)
        } catch {
            return (JSONText.object([("error", .text(error.message))]).line, true)
        }
    }

    /// A connection, and what the snapshot says of it.
    struct Probed {
        var connection: Reference.Connection
        var judgement: Judgement
    }

    private func judge(_ request: ProbeRequest, now: UInt64) throws(ProbeError) -> Probed {
        let (source, destination) = try ends(request)
        let connection = Reference.Connection(
            from: source, to: destination, service: request.service, sourcePort: request.sourcePort, time: request.at ?? now)
        return Probed(connection: connection, judgement: judge(connection))
    }

    /// What the snapshot says of a connection.
    func judge(_ connection: Reference.Connection) -> Judgement {
        let from = inventory.zone(connection.source.zone) ?? 0
        let to = inventory.zone(connection.destination.zone) ?? 0
        let snapshot = memory.snapshot
        let (source, destination) = (connection.source.address, connection.destination.address)
        let ends = (snapshot.owner(of: source, zone: from, in: memory.map), snapshot.owner(of: destination, zone: to, in: memory.map))
        if destination.isMulticast || destination.isBroadcast {
            return snapshot.judgeGroup(
                source: ends.0, destination: ends.1, sourceZone: from, destinationZone: to, service: connection.service,
                sourcePort: connection.sourcePort, now: connection.time)
        }
        return snapshot.judge(
            source: ends.0, destination: ends.1, sourceZone: from, destinationZone: to, service: connection.service,
            sourcePort: connection.sourcePort, now: connection.time)
    }
}

/// Who is meant.
extension ProbeSession {
    /// Both ends: for a workload its first address, of the family that the other end has as well.
    private func ends(_ request: ProbeRequest) throws(ProbeError) -> (Reference.End, Reference.End) {
        let sources = try candidates(request.from, "from")
        let destinations = try candidates(request.to, "to")
        for source in sources.addresses {
            for destination in destinations.addresses where source.isIPv4 == destination.isIPv4 {
                return (
                    Reference.End(address: source, zone: try zone(request.zoneFrom, "zone_from", source, sources.workload)),
                    Reference.End(
                        address: destination, zone: try zone(request.zoneTo, "zone_to", destination, destinations.workload))
                )
            }
        }
        throw ProbeError(message: "\"\(request.from)\" and \"\(request.to)\" have no address family in common")
    }

    private func candidates(_ text: String, _ key: String) throws(ProbeError) -> (addresses: [Address], workload: Workload?) {
        if let address = Address(text) { return ([address], nil) }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let name = parts.count == 2 ? ObjectName(parts[1], namespace: parts[0]) : ObjectName(text)
        guard let workload = workloads[name] else {
            let known = workloads.keys.map(\.description).sorted()
            let remedy = Spelling.remedy(text, among: known).map { "; \($0)" } ?? ""
            throw ProbeError(message: "\"\(key)\" is no address and no workload: \"\(text)\"\(remedy)")
        }
        guard !workload.addresses.isEmpty else { throw ProbeError(message: "the workload \"\(text)\" has no address") }
        return (workload.addresses.map(\.address), workload)
    }

    /// The zone of an end: as given; else the first one in which its workload may appear, else the implicit one.
    private func zone(_ given: String?, _ key: String, _ address: Address, _ workload: Workload?) throws(ProbeError) -> String {
        if let given {
            let known = compiled.set.zoneNames
            guard !compiled.set.hasZones || known.contains(given) else {
                let remedy = Spelling.remedy(given, among: known).map { "; \($0)" } ?? ""
                throw ProbeError(message: "\"\(key)\": there is no zone \"\(given)\"\(remedy)")
            }
            return given
        }
        guard compiled.set.hasZones else { return Zone.implicit }
        let owner = workload ?? reference.owner(of: address, zone: nil)
        return owner.flatMap { compiled.set.zones(of: $0).first } ?? Zone.implicit
    }
}
