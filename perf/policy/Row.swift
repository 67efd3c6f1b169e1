// SPDX-License-Identifier: Apache-2.0
import Classifier
import Compiler
import Glibc
import Measure
import Net
import Policy

/// What one shape with so many rules costs.
struct Row {
    private var fields = Fields()

    /// One JSON object on one line.
    var json: String { fields.json }

    /// Compiles, then asks for first frames, each kind in turn with the same questions to a set of ten rules.
    static func measured(shape name: String, rules: Int, pairs: Int) throws -> Row {
        var row = Row()
        row.fields.add("shape", name)
        row.fields.add("rules", rules)
        let shape = try Shape.named(name, rules: rules)
        var inventory = Inventory()
        let began = nanoseconds(CLOCK_THREAD_CPUTIME_ID)
        let compiled = try compile(shape.set, generation: 1, inventory: &inventory)
        row.fields.add("compile_s", Double(nanoseconds(CLOCK_THREAD_CPUTIME_ID) - began) / 1e9, digits: 3)
        row.fields.add("memory_mib", mebibytes("VmHWM"))
        row.fields.add("image_mib", Double(compiled.image.count) / 1_048_576)
        row.fields.add("addresses", shape.set.workloads.reduce(0) { $0 + $1.addresses.count })
        row.fields.add("classes", compiled.figures.classes)
        row.fields.add("row_entries", compiled.figures.rowEntries)
        if name != "cidrs" { try row.addChurn(compiled, &inventory) }
        let subject = try Loaded(compiled, &inventory, asked: Set(shape.population), huge: false)
        let small = try Shape.named(name, rules: 10)
        var smallInventory = Inventory()
        let tenRules = try compile(small.set, generation: 1, inventory: &smallInventory)
        let ten = try Loaded(tenRules, &smallInventory, asked: Set(shape.population), huge: false)
        let again = try Loaded(tenRules, &smallInventory, asked: Set(shape.population), huge: false)
        row.measure(shape, subject, ten, again, pairs)
        return row
    }

    /// The time until a workload of a known label set has moved for every worker, in a map of all addresses: median and worst of a thousand.
    private mutating func addChurn(_ compiled: Compiled, _ inventory: inout Inventory) throws {
        let addresses = compiled.set.workloads.reduce(0) { $0 + $1.addresses.count }
        // Twice what is usual: among a million addresses a few lie too far from home otherwise, and the map would have to grow.
        let slots = 2 * AddressMapWriter.slots(forAddresses: addresses)
        let memory = Pages(count: AddressMapLayout.byteCount(slots: slots), huge: false)
        var writer = unsafe AddressMapWriter(formatting: memory.base, slots: slots, serial: 1, seed: 0x1234_5678_9abc_def1)
        let map = try unsafe AddressMap(validating: memory.base, byteCount: AddressMapLayout.byteCount(slots: slots))
        try inventory.feed(compiled.set, into: &writer)
        var random = Seeded(9)
        var times: [Double] = []
        for number in 0..<1_000 {
            var workload = compiled.set.workloads[random.below(compiled.set.workloads.count)]
            let new = Address(v4: 0x0b00_0000 | UInt32(number))
            workload.addresses = [Prefix(host: new)]
            let began = nanoseconds(CLOCK_MONOTONIC)
            try inventory.update(workload, in: compiled.set, into: &writer)
            guard map.claim(on: new, zone: 0).isThere else { preconditionFailure("a claim is there when it was entered") }
            times.append(Double(nanoseconds(CLOCK_MONOTONIC) - began) / 1_000)
        }
        fields.add("move_us", median(times))
        fields.add("move_worst_us", times.max() ?? 0)
    }

    private mutating func measure(_ shape: Shape, _ subject: Loaded, _ ten: Loaded, _ again: Loaded, _ pairs: Int) {
        let probes = shape.uniform(100_000)
        let staged = Pairs(pairs) { Self.staged(probes, $0 ? subject : ten) }
        fields.add("first_packet_ns", staged.first)
        fields.add("first_packet_at_10_ns", staged.second)
        fields.add("ratio", staged)
        fields.add("a_a", Pairs(pairs) { Self.staged(probes, $0 ? again : ten) })
        fields.add("owners_ns", median((0..<pairs).map { _ in Self.owners(probes, subject) }))
        fields.add("p999_ns", Self.slowest(probes, subject))
        let alone = Pairs(pairs) { Self.each(probes, $0 ? subject : ten) }
        fields.add("alone_ns", alone.first)
        fields.add("alone_ratio", alone)
        let swept = Pairs(min(pairs, 3)) { Self.swept(probes, $0 ? subject : ten, staged: true) }
        fields.add("swept_ns", swept.first)
        fields.add("swept_ratio", swept)
        fields.add("swept_alone_ns", median((0..<3).map { _ in Self.swept(probes, subject, staged: false) }))
        fields.add("matched_ns", median((0..<3).map { _ in Self.each(shape.matched, subject) }))
        if !shape.chosen.isEmpty {
            fields.add("chosen_ns", median((0..<3).map { _ in Self.swept(shape.chosen, subject, staged: false) }))
        }
    }
}

/// Ways to ask.
extension Row {
    /// Keeps answers from being left out.
    nonisolated(unsafe) private static var sink: UInt32 = 0

    /// Nanoseconds for a decision, one after the other.
    private static func each(_ probes: [Probe], _ loaded: Loaded) -> Double {
        let began = nanoseconds(CLOCK_MONOTONIC)
        for probe in probes { unsafe sink &+= loaded.decide(probe).egress }
        return Double(nanoseconds(CLOCK_MONOTONIC) - began) / Double(max(1, probes.count))
    }

    /// Nanoseconds for finding both owners, one connection after the other.
    private static func owners(_ probes: [Probe], _ loaded: Loaded) -> Double {
        let began = nanoseconds(CLOCK_MONOTONIC)
        unsafe sink &+= loaded.find(probes)
        return Double(nanoseconds(CLOCK_MONOTONIC) - began) / Double(max(1, probes.count))
    }

    /// Nanoseconds for a decision in bursts of 64, by stages.
    private static func staged(_ probes: [Probe], _ loaded: Loaded) -> Double {
        var owners = Loaded.owners
        let began = nanoseconds(CLOCK_MONOTONIC)
        for start in stride(from: 0, to: probes.count, by: 64) {
            unsafe sink &+= loaded.decide(probes[start..<min(start + 64, probes.count)], &owners)
        }
        return Double(nanoseconds(CLOCK_MONOTONIC) - began) / Double(max(1, probes.count))
    }

    /// Nanoseconds for a decision in bursts of 64, before each of which 64 MiB of other memory were written: nothing of the image is
    /// in a cache then.
    private static func swept(_ probes: [Probe], _ loaded: Loaded, staged: Bool) -> Double {
        let other = Pages(count: 64 << 20, huge: false)
        var owners = Loaded.owners
        var (total, count): (UInt64, Int) = (0, 0)
        for start in stride(from: 0, to: min(probes.count, 64 * 24), by: 64) {
            other.sweep()
            let burst = probes[start..<min(start + 64, probes.count)]
            let began = nanoseconds(CLOCK_MONOTONIC)
            if staged {
                unsafe sink &+= loaded.decide(burst, &owners)
            } else {
                for probe in burst { unsafe sink &+= loaded.decide(probe).egress }
            }
            total += nanoseconds(CLOCK_MONOTONIC) - began
            count += burst.count
        }
        return Double(total) / Double(max(1, count))
    }

    /// What one decision in a thousand exceeds, less what the clock itself takes.
    private static func slowest(_ probes: [Probe], _ loaded: Loaded) -> Double {
        func sorted(_ act: (Probe) -> UInt32) -> [UInt64] {
            probes.map { probe in
                let began = nanoseconds(CLOCK_MONOTONIC)
                unsafe sink &+= act(probe)
                return nanoseconds(CLOCK_MONOTONIC) - began
            }.sorted()
        }
        let clock = sorted { _ in 0 }
        let times = sorted { loaded.decide($0).egress }
        return Double(times[times.count * 999 / 1_000]) - Double(clock[clock.count / 2])
    }
}

extension Shape {
    /// Questions between any two of the population, for any of the services.
    func uniform(_ count: Int) -> [Probe] {
        var random = Seeded(5)
        return (0..<count).map { _ in
            let source = population[random.below(population.count)]
            var destination = population[random.below(population.count)]
            while destination.isIPv4 != source.isIPv4 { destination = population[random.below(population.count)] }
            return Probe(source: source, destination: destination, service: services[random.below(services.count)])
        }
    }
}
