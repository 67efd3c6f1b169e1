// SPDX-License-Identifier: Apache-2.0
import Classifier
import Compiler
import Glibc
import Net
import Policy

/// Nanoseconds of a clock.
func nanoseconds(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// A line of `/proc/self/status` in MiB: `VmHWM` (the most memory that was resident) or `VmRSS` (what is).
func mebibytes(_ field: String) -> Double {
    guard let file = unsafe fopen("/proc/self/status", "r") else { return 0 }
    defer { unsafe fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while unsafe fgets(&line, Int32(line.count), file) != nil {
        let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        guard text.hasPrefix(field + ":") else { continue }
        let digits = text.filter { $0.isNumber }
        return (Double(digits) ?? 0) / 1_024
    }
    return 0
}

/// Memory aligned to a page of 2 MiB, with huge pages where they are asked for and the kernel gives them.
@safe final class Pages {
    let base: UnsafeMutableRawPointer
    let count: Int

    init(count: Int, huge: Bool) {
        self.count = count
        let rounded = (count + 0x1f_ffff) & ~0x1f_ffff
        unsafe base = .allocate(byteCount: max(rounded, 0x20_0000), alignment: 0x20_0000)
        unsafe madvise(base, rounded, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE)
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: rounded)
    }

    deinit { unsafe base.deallocate() }

    /// Writes to every cache line.
    func sweep() {
        for line in stride(from: 0, to: count, by: 64) {
            // `line` is below the count.
            unsafe base.storeBytes(
                of: unsafe base.load(fromByteOffset: line, as: UInt8.self) &+ 1, toByteOffset: line, as: UInt8.self)
        }
    }
}

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

    /// The decision on a first frame: both owners, then both sides.
    @inline(never) func decide(_ probe: Probe) -> Judgement {
        map.prefetch(probe.source)
        map.prefetch(probe.destination)
        return snapshot.judge(
            source: snapshot.owner(of: probe.source, zone: 0, in: map),
            destination: snapshot.owner(of: probe.destination, zone: 0, in: map), sourceZone: 0, destinationZone: 0,
            service: probe.service, sourcePort: 50_000, now: 1_000)
    }

    /// The part of a decision that no policy changes: whose both addresses are.
    @inline(never) func find(_ probe: Probe) -> UInt32 {
        map.prefetch(probe.source)
        map.prefetch(probe.destination)
        return snapshot.owner(of: probe.source, zone: 0, in: map).classNumber
            &+ snapshot.owner(of: probe.destination, zone: 0, in: map).classNumber
    }

    /// The decisions on a burst of first frames, in the stages in which a worker can take them.
    @inline(never) func decide(_ probes: ArraySlice<Probe>, _ owners: inout [(source: Owner, destination: Owner)]) -> UInt32 {
        var sum: UInt32 = 0
        let first = probes.startIndex
        for probe in probes {
            map.prefetch(probe.source)
            map.prefetch(probe.destination)
        }
        for index in probes.indices {
            owners[index - first] = (
                snapshot.owner(of: probes[index].source, zone: 0, in: map),
                snapshot.owner(of: probes[index].destination, zone: 0, in: map)
            )
            snapshot.prefetchClasses(source: owners[index - first].source, destination: owners[index - first].destination)
        }
        for index in probes.indices {
            snapshot.prefetchRows(source: owners[index - first].source, destination: owners[index - first].destination)
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
