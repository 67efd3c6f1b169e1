// SPDX-License-Identifier: Apache-2.0
import FloodBench
import Glibc

// A worker under pressure, without I/O; `scripts/soak flood` runs it.
//
//     flood syns [FRAMES [CAPACITY [SEED]]]   random SYNs (10,000,000) against a table (1,000,000 flows); exit 1 on a finding
//     flood hand [CAPACITY…]                  what finding quiet flows costs, by the hand and by lists of timeouts

let arguments = Array(CommandLine.arguments.dropFirst())
let numbers = arguments.dropFirst().compactMap { Int($0) }
guard let what = arguments.first, ["syns", "hand"].contains(what), numbers.count == arguments.count - 1,
    numbers.allSatisfy({ $0 > 0 })
else {
    print("flood syns [FRAMES [CAPACITY [SEED]]] | flood hand [CAPACITY...]")
    exit(2)
}
if what == "hand" {
    for capacity in numbers.isEmpty ? [100_000, 1_000_000, 10_000_000] : numbers { Hand.measure(capacity) }
    exit(0)
}
let seed = numbers.count > 2 ? UInt64(numbers[2]) : UInt64.random(in: 1...1 << 40)
print("seed \(seed)")
var flood = try Flood(capacity: numbers.count > 1 ? numbers[1] : 1_000_000, seed: seed, isAlone: true)
flood.run(frames: numbers.first ?? 10_000_000)
for finding in flood.findings { print("found: \(finding)") }
exit(flood.findings.isEmpty ? 0 : 1)
