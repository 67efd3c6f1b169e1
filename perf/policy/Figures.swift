// SPDX-License-Identifier: Apache-2.0
import Classifier
import Compiler
import Measure
import Net
import Policy

/// A compiled set as workers have it: an image and an address map in memory.
final class Loaded {
    /// Room for the owners of a burst.
    static var owners: [(source: Owner, destination: Owner)] {
        Array(repeating: (Owner(classNumber: 0), Owner(classNumber: 0)), count: 64)
    }

    let snapshot: Snapshot
    let map: AddressMap
    private let image: Pages
    private let addresses: Pages

    /// The image, and a map with the claims of the workloads whose addresses are asked for.
    init(_ compiled: Compiled, _ inventory: inout Inventory, asked: Set<Address>, huge: Bool) throws {
        image = Pages(count: compiled.image.count, huge: huge)
        unsafe image.base.copyMemory(from: compiled.image, byteCount: compiled.image.count)
        let claims = compiled.set.workloads.flatMap { workload in
            workload.addresses.contains { asked.contains($0.address) } ? inventory.claims(of: workload, in: compiled.set) : []
        }
        let slots = AddressMapWriter.slots(forAddresses: claims.count)
        addresses = Pages(count: AddressMapLayout.byteCount(slots: slots), huge: huge)
        var writer = unsafe AddressMapWriter(formatting: addresses.base, slots: slots, serial: 1, seed: 0x5bd1_e995_9d1c_a3f7)
        for claim in claims {
            try writer.claim(claim.address, zone: claim.zone, labelSet: claim.labelSet, workload: claim.workload)
        }
        snapshot = try unsafe Snapshot(validating: image.base, byteCount: compiled.image.count)
        map = try unsafe AddressMap(validating: addresses.base, byteCount: AddressMapLayout.byteCount(slots: slots))
    }

    /// The decision on one first frame alone: both owners, then both sides.
    @inline(never) func decide(_ probe: Probe) -> Judgement {
        map.prefetch(probe.source)
        map.prefetch(probe.destination)
        return snapshot.judge(
            source: snapshot.owner(of: probe.source, zone: 0, in: map),
            destination: snapshot.owner(of: probe.destination, zone: 0, in: map), sourceZone: 0, destinationZone: 0,
            service: probe.service, sourcePort: 50_000, now: 1_000)
    }

    /// The part of a decision that no policy changes: whose both addresses are. The sum keeps the answers from being left out.
    @inline(never) func find(_ probes: [Probe]) -> UInt32 {
        let (snapshot, map) = (snapshot, map)
        return probes.reduce(into: 0) { sum, probe in
            map.prefetch(probe.source)
            map.prefetch(probe.destination)
            sum &+= snapshot.owner(of: probe.source, zone: 0, in: map).classNumber
            sum &+= snapshot.owner(of: probe.destination, zone: 0, in: map).classNumber
        }
    }

    /// The decisions on a burst of first frames, in the stages in which workers take them.
    @inline(never) func decide(_ probes: ArraySlice<Probe>, _ owners: inout [(source: Owner, destination: Owner)]) -> UInt32 {
        let (snapshot, map) = (snapshot, map)
        var sum: UInt32 = 0
        let first = probes.startIndex
        for probe in probes {
            map.prefetch(probe.source)
            map.prefetch(probe.destination)
        }
        for lines in 0..<snapshot.linesOfPrefix {
            for probe in probes {
                snapshot.prefetchPrefix(of: probe.source, behind: lines)
                snapshot.prefetchPrefix(of: probe.destination, behind: lines)
            }
        }
        for index in probes.indices {
            owners[index - first] = (
                snapshot.owner(of: probes[index].source, zone: 0, in: map),
                snapshot.owner(of: probes[index].destination, zone: 0, in: map)
            )
            snapshot.prefetchClasses(source: owners[index - first].source, destination: owners[index - first].destination)
        }
        for (source, destination) in owners[..<probes.count] {
            snapshot.prefetchFilters(source: source, destination: destination)
        }
        for (source, destination) in owners[..<probes.count] {
            snapshot.prefetchRows(source: source, destination: destination)
        }
        for (source, destination) in owners[..<probes.count] {
            snapshot.prefetchTables(source: source, destination: destination)
        }
        for index in probes.indices {
            sum &+=
                snapshot.judge(
                    source: owners[index - first].source, destination: owners[index - first].destination, sourceZone: 0,
                    destinationZone: 0, service: probes[index].service, sourcePort: 50_000, now: 1_000
                ).egress
        }
        return sum
    }
}
