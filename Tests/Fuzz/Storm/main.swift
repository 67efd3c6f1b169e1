// SPDX-License-Identifier: Apache-2.0
import FuzzTargets
import Glibc

// The long form of the storm, and the generated part of the corpus; `scripts/fuzz` runs both.
//
//     frame-storm [FRAMES [SEED]]   reads so many frames (10,000,000); exit 1 when a flaw is found or memory grew
//     frame-storm --seeds TARGET    prints the target's seeds as lines of a corpus file

/// Resident memory of this process in KiB (proc(5): the second field of `statm`, in pages of 4 KiB).
func residentMemory() -> Int {
    guard let file = unsafe fopen("/proc/self/statm", "r") else { return 0 }
    defer { unsafe fclose(file) }
    var text = [CChar](repeating: 0, count: 128)
    guard unsafe fgets(&text, CInt(text.count), file) != nil else { return 0 }
    let fields = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).split(separator: " ")
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4 : 0
}

/// Ends with a message on standard error.
func fail(_ message: String, _ code: CInt) -> Never {
    let line = Array("frame-storm: \(message)\n".utf8)
    // `line` lives through the call.
    _ = unsafe write(STDERR_FILENO, line, line.count)
    exit(code)
}

let arguments = CommandLine.arguments.dropFirst()
if arguments.first == "--seeds" {
    guard let target = FuzzTarget.named(arguments.dropFirst().first ?? "") else { fail("--seeds wants a target", 2) }
    for seed in target.seeds() { print(Corpus.line(seed)) }
    exit(0)
}
guard arguments.count <= 2, let frames = Int(arguments.first ?? "10000000"), frames >= 10,
    let seed = UInt64(arguments.dropFirst().first ?? String(UInt64.random(in: 0 ... .max)))
else { fail("frame-storm [FRAMES [SEED]], at least 10 frames", 2) }

print("seed \(seed)")
var storm = FrameStorm(seed: seed)
// What tables and the allocator take once is not a leak.
let first = frames / 10
storm.rage(first)
let before = residentMemory()
let took = ContinuousClock().measure { storm.rage(frames - first) }
let after = residentMemory()

let seconds = Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
print(storm)
print("\(Int(Double(frames - first) / seconds)) frames a second")
print("resident: \(before) KiB after the first tenth, \(after) KiB at the end")
for flaw in storm.flaws { print("flaw: \(flaw)") }
if !storm.flaws.isEmpty { fail("flaws found; repeat with: scripts/fuzz storm --frames \(frames) --seed \(seed)", 1) }
if after > before + 1024 { fail("memory grew by \(after - before) KiB", 1) }
