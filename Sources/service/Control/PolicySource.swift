// SPDX-License-Identifier: Apache-2.0
public import Classifier
public import Compiler
internal import Dialects
internal import Layout
internal import Net
public import Policy
internal import PolicyText
internal import Record
internal import Telemetry

/// Where policy comes from: the documents that the configuration names, and where its zones lie. Reading changes nothing; the
/// inventory's numbers last as long as the control process.
public struct PolicySource: Sendable {
    /// Rules and workloads together up to which refused flows are told with the rules that came nearest.
    static let explainedSize = 20_000

    private let paths: [String]
    private let places: [Configuration.ZonePlace]
    /// The configuration's file, of which the table of layer 2 is read with every generation; `nil` without one.
    private let file: String?
    private let isLossy: Bool
    private var inventory = Inventory()
    /// What foreign documents say and the set of the last reading does not; nothing unless that was allowed.
    public private(set) var losses: [PolicyError] = []
    /// Where zones lie, by the last reading.
    private(set) var zones: [ZonePlacement] = []
    /// What no policy can close, by the last reading.
    public private(set) var failsafe: Failsafe

    /// The source that a configuration names, and files and folders beside it. Without a configuration no zone has a place, and
    /// layer 2 has its defaults. Documents may be of any language that is read; with `isLossy` what those say that has no native form is
    /// left out.
    public init(_ configuration: Configuration?, paths: [String] = [], isLossy: Bool = false) {
        self.isLossy = isLossy
        self.paths = (configuration.map { $0.policies + $0.workloads } ?? []) + paths
        places = configuration?.zones ?? []
        file = configuration?.file
        failsafe = configuration?.failsafe ?? Failsafe()
    }

    /// Reads the documents and compiles them as a generation; `ports` are the names of all pairs' ports as keeper numbers them.
    /// Zones lie where the configuration says, and at the given places beside.
    public mutating func compile(
        generation: UInt32, ports: [[String]], beside others: [ZonePlacement] = []
    ) throws -> Compiled {
        let (set, placements) = try read(ports: ports, beside: others)
        let configuration = try file.map { try Configuration.load($0) }
        failsafe = configuration?.failsafe ?? Failsafe()
        return try Compiler.compile(
            set, zones: placements, links: configuration?.links ?? LinkTable(), flows: configuration?.flows ?? FlowSettings(),
            failsafe: failsafe, generation: generation, inventory: &inventory)
    }

    /// Reads the documents, and finds out where their zones lie, without compiling anything.
    public mutating func read(
        ports: [[String]], beside others: [ZonePlacement] = []
    ) throws -> (set: PolicySet, zones: [ZonePlacement]) {
        let contents = try Loader.contents(paths: paths, dialects: Dialect.readers(isLossy: isLossy))
        losses = contents.losses
        let set = try PolicySet(contents.documents)
        // A place that no pair has can only come from a changed file: the running pairs stay what they are until a restart.
        zones = try places.flatMap { try placed($0, ports) } + others
        return (set, zones)
    }

    /// Enters the addresses of all workloads of a compiled set into an empty map.
    public mutating func enter(
        _ set: PolicySet, into writer: inout AddressMapWriter
    ) throws(AddressMapError) {
        try inventory.feed(set, into: &writer, afresh: true)
    }

    /// How many addresses that will be at most.
    public static func addresses(in set: PolicySet) -> Int {
        set.workloads.reduce(0) { $0 + $1.addresses.count * max(1, $1.zones.count) }
    }

    private func placed(_ place: Configuration.ZonePlace, _ ports: [[String]]) throws(PolicyError) -> [ZonePlacement] {
        var placement = ZonePlacement(zone: place.zone, tunnel: place.tunnel)
        if let name = place.port {
            guard let pair = ports.firstIndex(where: { $0.contains(name) }), let port = ports[pair].firstIndex(of: name) else {
                throw PolicyError(
                    place.place, "zone \"\(place.zone)\" lies at port \"\(name)\", which this daemon does not serve",
                    remedy: "restart bulkhead to change its ports")
            }
            (placement.pair, placement.port) = (UInt8(pair), UInt8(port))
        }
        guard !place.vlans.isEmpty else { return [placement] }
        return place.vlans.map { vlans in
            var one = placement
            one.vlans = vlans
            return one
        }
    }

    /// A new address map of a compiled set, beginning with an epoch. Every generation gets its own: a label set's number may be one
    /// that an older snapshot does not know.
    mutating func addressMap(of set: PolicySet, serial: UInt32, epoch: UInt32) throws -> (memory: SharedMemory, epoch: UInt32) {
        var slots = AddressMapWriter.slots(forAddresses: Self.addresses(in: set))
        while true {
            let memory = try SharedMemory.create("bulkhead-addresses", byteCount: AddressMapLayout.byteCount(slots: slots))
            // The file has as many bytes as the slots need, zeroed and page-aligned, and outlives the writer.
            var writer = unsafe AddressMapWriter(
                formatting: memory.base, slots: slots, serial: serial, seed: .random(in: 0 ... .max), epoch: epoch)
            do {
                try enter(set, into: &writer)
                return (memory, writer.epoch)
            } catch AddressMapError.mustGrow(let needed) {
                slots = needed
            }
        }
    }

    /// What the numbers of a compiled generation mean.
    func names(of compiled: Compiled, epoch: UInt32) -> PublishedNames {
        PublishedNames(
            generation: compiled.causes.generation, epoch: epoch, causes: compiled.causes, zones: inventory.zones,
            workloads: inventory.workloads.map(\.description), labels: labels(in: compiled.set), nearest: nearest(in: compiled))
    }

    /// The labels of all workloads by their number; none of those that are gone.
    private func labels(in set: PolicySet) -> [[String: String]] {
        let known = Dictionary(set.workloads.map { ($0.name, $0.labels) }, uniquingKeysWith: { first, _ in first })
        return inventory.workloads.map { known[$0] ?? [:] }
    }

    /// Asks the model for the nearest rules. It goes from rule to rule and from workload to workload, so that large sets do without.
    private func nearest(in compiled: Compiled) -> PublishedNames.Nearest? {
        guard compiled.figures.rules + compiled.set.workloads.count <= Self.explainedSize else { return nil }
        let (reference, zones) = (Reference(compiled.set, failsafe: failsafe), inventory.zones)
        return { record, side, time in
            let ends = [(record.source, record.sourceZone), (record.destination, record.destinationZone)].map { address, zone in
                Reference.End(address: address, zone: Int(zone) < zones.count ? zones[Int(zone)] : Zone.implicit)
            }
            let service = ServiceKey(IPProtocol(rawValue: record.protocolNumber), port: record.destinationPort)
            return reference.nearest(
                side,
                Reference.Connection(
                    from: ends[0], to: ends[1], service: service, time: UInt64(clamping: time.nanoseconds / 1_000_000_000)))
        }
    }
}
