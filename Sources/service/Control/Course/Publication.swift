// SPDX-License-Identifier: Apache-2.0
internal import Classifier
internal import Compiler
internal import Glibc
internal import Layout
internal import Net
internal import Policy
internal import Record
internal import Telemetry

/// One generation: a sealed image, and the address map that lives beside it as long as no other generation takes their place.
///
/// Workloads come, go and move in the map alone, without a new generation, as long as the image knows their label sets. It belongs to
/// one at a time: to the thread that makes it, then to `Course`.
@safe final class Publication: @unchecked Sendable {
    /// What a generation is made of.
    struct Plan: Sendable {
        var set: PolicySet
        var configuration: Configuration
        var zones: [ZonePlacement]
        var generation: UInt32
        /// Numbers of the generation in force, which go on meaning the same.
        var inventory: Inventory
        /// Names of the set's workloads that clients registered; the others stand in documents.
        var registered: Set<ObjectName> = []
    }

    /// Its number.
    let generation: UInt32
    /// The set as it was compiled.
    let set: PolicySet
    /// Where zones lie.
    let zones: [ZonePlacement]
    /// What no policy can close.
    let failsafe: Failsafe
    /// How much of what there is.
    let figures: Compiled.Figures
    private let causes: CauseTable
    /// Label sets that the image knows; others are contested to it.
    private let labelSets: Int
    private var inventory: Inventory
    private var writer: AddressMapWriter
    private let map: SharedMemory
    private let image: Int32
    private let registered: Set<ObjectName>
    /// Names that came into documents since, or went from them.
    private var rewritten: [ObjectName: Bool] = [:]
    /// Workloads whose names have been told.
    private var toldWorkloads = 0

    /// Compiles and enters everything. Takes as long as it takes: on a thread of its own.
    init(_ plan: Plan) throws {
        var inventory = plan.inventory
        let configuration = plan.configuration
        let compiled = try Compiler.compile(
            plan.set, zones: plan.zones, links: configuration.links, flows: configuration.flows, failsafe: configuration.failsafe,
            generation: plan.generation, inventory: &inventory)
        var slots = AddressMapWriter.slots(forAddresses: PolicySource.addresses(in: compiled.set))
        while true {
            let memory = try SharedMemory.create("bulkhead-addresses", byteCount: AddressMapLayout.byteCount(slots: slots))
            // The file has as many bytes as the slots need, zeroed and page-aligned, and outlives the writer.
            var writer = unsafe AddressMapWriter(
                formatting: memory.base, slots: slots, serial: plan.generation, seed: .random(in: 0 ... .max), epoch: 0)
            do {
                try inventory.feed(compiled.set, into: &writer, afresh: true)
                map = memory
                self.writer = writer
                break
            } catch AddressMapError.mustGrow(let needed) {
                slots = needed
            }
        }
        image = try SharedMemory.seal(image: compiled.image)
        (generation, set, zones, failsafe) = (plan.generation, compiled.set, plan.zones, configuration.failsafe)
        (figures, causes, labelSets) = (compiled.figures, compiled.causes, inventory.labelSets.count)
        registered = plan.registered
        self.inventory = inventory
    }

    deinit { close(image) }

    /// Numbers to go on with.
    var numbers: Inventory { inventory }
    /// The inventory's epoch.
    var epoch: UInt32 { writer.epoch }

    /// Lets the map begin behind an epoch, before anybody reads it.
    func begin(behind epoch: UInt32) { writer.advance(to: epoch + 1) }

    /// Hands image and map to keeper.
    func send(over link: KeeperLink) throws(ChannelError) {
        try link.send(Message(.publish, UInt64(generation), UInt64(epoch)), descriptors: [image, map.descriptor])
    }

    /// What its numbers mean.
    func names() -> PublishedNames {
        toldWorkloads = inventory.workloads.count
        let labels = Dictionary(set.workloads.map { ($0.name, $0.labels) }, uniquingKeysWith: { first, _ in first })
        return PublishedNames(
            generation: generation, epoch: epoch, causes: causes, zones: inventory.zones,
            workloads: inventory.workloads.map(\.description), labels: inventory.workloads.map { labels[$0] ?? [:] },
            nearest: PolicySource.nearest(in: set, figures, failsafe, zones: inventory.zones))
    }

    /// Names of the workloads that got their numbers since somebody asked.
    func newNames() -> [String] {
        defer { toldWorkloads = inventory.workloads.count }
        return inventory.workloads[toldWorkloads...].map(\.description)
    }
}

/// Workloads, without a new generation.
extension Publication {
    /// Whether the image can tell what the workload is: its label set and everything else that it names is known. What is not needs a
    /// new generation, as does a workload with blocks, which stand in the image.
    func admits(_ workload: Workload) -> Bool {
        guard workload.addresses.allSatisfy(\.isHost), workload.hardwareAddresses.count <= 1 else { return false }
        guard let number = inventory.number(ifAny: LabelSet(of: workload)), number < labelSets else { return false }
        guard set.zones(of: workload).allSatisfy({ set.zones[$0] != nil || $0 == Zone.implicit }) else { return false }
        guard let namespace = workload.name.namespace else { return true }
        return set.namespaces[namespace] != nil
    }

    /// Whether a workload of that name stands in a document: a registration of the name is nothing to this generation then.
    func isWritten(_ name: ObjectName) -> Bool {
        rewritten[name] ?? (set.workload(named: name) != nil && !registered.contains(name))
    }

    /// Takes note that a document of a workload has come or gone.
    func rewrite(_ name: ObjectName, isThere: Bool) { rewritten[name] = isThere }

    /// Brings a workload's addresses in line. Throws `mustGrow` where the map has no room; then a new generation is needed.
    func put(_ workload: Workload) throws(AddressMapError) { try inventory.update(workload, in: set, into: &writer) }

    /// Takes a workload's addresses back.
    func remove(_ name: ObjectName) { inventory.remove(name, from: &writer) }

    /// Whether an address is contested.
    func isContested(_ address: Address) -> Bool { writer.isContested(address) }

    /// Contested addresses, so many at most.
    func contested(limit: Int) -> [Address] { writer.contested(limit: limit) }
}
