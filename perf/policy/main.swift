// SPDX-License-Identifier: Apache-2.0
import Classifier
import Compiler
import Glibc
import Net
import Policy

let arguments = CommandLine.arguments
let name = arguments[1]
let rules = Int(arguments[2])!
let shape = try Shape.named(name, rules: rules)
let before = mebibytes("VmRSS")
var inventory = Inventory()
let began = nanoseconds(CLOCK_THREAD_CPUTIME_ID)
let compiled = try compile(shape.set, generation: 1, inventory: &inventory)
let seconds = Double(nanoseconds(CLOCK_THREAD_CPUTIME_ID) - began) / 1e9
print(name, rules, "compile", seconds, "before", before, "peak", mebibytes("VmHWM"), "image", compiled.image.count >> 20, compiled.figures)
for huge in [false, true] {
    let loaded = try Loaded(compiled, &inventory, asked: Set(shape.population), huge: huge)
    var random = Seeded(5)
    let uniform = (0..<100_000).map { _ in
        Probe(source: shape.population[random.below(shape.population.count)], destination: shape.population[random.below(shape.population.count)], service: shape.services[random.below(shape.services.count)])
    }
    var junk = [UInt8](repeating: 1, count: 128 << 20)
    for (title, probes) in [("uniform", uniform), ("matched", shape.matched), ("chosen", shape.chosen)] where !probes.isEmpty {
        var sum = 0
        var allowed = 0
        for _ in 0..<2 {
            let t = nanoseconds(CLOCK_MONOTONIC)
            for probe in probes { let j = loaded.decide(probe); sum &+= Int(j.egress); allowed += j.decision == .allow ? 1 : 0 }
            let each = Double(nanoseconds(CLOCK_MONOTONIC) - t) / Double(probes.count)
            print(huge ? "huge" : "4k", title, "each", each, "allowed", Double(allowed) / Double(probes.count))
            allowed = 0
        }
        var owners = [(source: Owner, destination: Owner)](repeating: (Owner(classNumber: 0), Owner(classNumber: 0)), count: 64)
        do {
            let t = nanoseconds(CLOCK_MONOTONIC)
            for start in stride(from: 0, to: probes.count, by: 64) { sum &+= Int(loaded.decide(probes[start..<min(start + 64, probes.count)], &owners)) }
            print(huge ? "huge" : "4k", title, "staged", Double(nanoseconds(CLOCK_MONOTONIC) - t) / Double(probes.count))
        }
        // swept
        var total: UInt64 = 0
        var n = 0
        for start in stride(from: 0, to: min(probes.count, 64 * 60), by: 64) {
            for i in stride(from: 0, to: junk.count, by: 64) { junk[i] &+= 1 }
            let end = min(start + 64, probes.count)
            let t = nanoseconds(CLOCK_MONOTONIC)
            for i in start..<end { sum &+= Int(loaded.decide(probes[i]).egress) }
            total += nanoseconds(CLOCK_MONOTONIC) - t
            n += end - start
        }
        print(huge ? "huge" : "4k", title, "swept", Double(total) / Double(n), sum & 1)
        total = 0
        n = 0
        for start in stride(from: 0, to: min(probes.count, 64 * 60), by: 64) {
            for i in stride(from: 0, to: junk.count, by: 64) { junk[i] &+= 1 }
            let end = min(start + 64, probes.count)
            let t = nanoseconds(CLOCK_MONOTONIC)
            sum &+= Int(loaded.decide(probes[start..<end], &owners))
            total += nanoseconds(CLOCK_MONOTONIC) - t
            n += end - start
        }
        print(huge ? "huge" : "4k", title, "swept staged", Double(total) / Double(n), sum & 1)
    }
}
