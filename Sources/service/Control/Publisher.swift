// SPDX-License-Identifier: Apache-2.0
internal import Compiler
internal import Glibc
internal import Layout
internal import Telemetry

/// Makes generations: reads, compiles, seals, and hands them to keeper. Nothing that is in force changes when a step fails.
struct Publisher: Sendable {
    private var source: PolicySource
    private let ports: [[String]]
    private let names: KnownNames
    private let inForce: PolicyInForce
    /// The last generation and epoch that anybody ever published; after a crash of control keeper says which.
    private(set) var last: (generation: UInt32, epoch: UInt32)
    /// Kept mapped as long as workers may read it: the map of the last publication.
    private var map: SharedMemory?

    init(
        _ source: PolicySource, plan: Plan, names: KnownNames, inForce: PolicyInForce, last: (generation: UInt32, epoch: UInt32)
    ) {
        self.source = source
        ports = (0..<Int(plan.pairCount)).map { pair in (0..<2).map { plan.pairs[pair].ports[$0].name.description } }
        self.names = names
        self.inForce = inForce
        self.last = last
    }

    /// Publishes the next generation from what the documents say now; its number and what it is made of.
    mutating func publish(over link: KeeperLink) throws -> (generation: UInt32, figures: Compiled.Figures) {
        let generation = last.generation + 1
        let compiled = try source.compile(generation: generation, ports: ports)
        let first = last.epoch + 1
        let (map, epoch) = try source.addressMap(of: compiled.set, serial: generation, epoch: first)
        let image = try SharedMemory.seal(image: compiled.image)
        defer { close(image) }
        // Known before it is published: the first record that names it may come at once.
        names.learn(source.names(of: compiled, epoch: first))
        inForce.publish(generation, compiled.set, source.zones, source.failsafe)
        try link.send(
            Message(.publish, UInt64(generation), UInt64(epoch)), descriptors: [image, map.descriptor])
        last = (generation, epoch)
        self.map = map
        return (generation, compiled.figures)
    }
}
