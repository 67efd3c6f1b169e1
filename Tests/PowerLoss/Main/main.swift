// SPDX-License-Identifier: Apache-2.0
import CDiskRecorder
import Foundation
import StateTrials
import TestSupport

// The store of revisions and the audit log under power loss, kills and full disks; `scripts/soak state` runs it.
//
//     state-storm power [SCRIPTS [STEPS [SEED]]]   the power goes at every write of so many random scripts (10 of 30 steps)
//     state-storm kill [KILLS [STEPS [SEED]]]      so many writers killed at random moments (500, scripts of 40 steps)
//     state-storm full [SCRIPTS [STEPS [SEED]]]    each write finds the disk full, or failing (5 scripts of 40 steps)
//     state-storm record FOLDER LOG SEED STEPS     runs a script and records what it writes
//     state-storm write FOLDER SEED STEPS          runs a script and prints a byte for each promise
//
// Exit: 0 in order, 1 a finding, 2 wrong usage. Random runs print their seed.

func usage() -> Never {
    print("state-storm power|kill|full [COUNT [STEPS [SEED]]] | record FOLDER LOG SEED STEPS | write FOLDER SEED STEPS")
    exit(2)
}

/// Runs a script in a folder that does not exist yet, recorded.
func record(_ script: StateScript, _ folder: String, _ log: String) throws {
    guard unsafe disk_recorder_begin(folder, log) == 0 else {
        throw TrialError("\(log): \(unsafe String(cString: strerror(errno)))")
    }
    try script.run(folder) { unsafe disk_recorder_mark("", 0) }
}

/// Runs this program with other words, and waits for its end.
func run(_ words: [String]) throws {
    _ = try Tool.run(words[0], Array(words.dropFirst())).succeeded()
}

/// Tells whoever listens that another step is promised.
func promise() {
    let byte = UInt8(ascii: ".")
    // A listener that has gone away is nobody to keep promises to.
    _ = unsafe withUnsafeBytes(of: byte) { unsafe write(STDOUT_FILENO, $0.baseAddress, 1) }
}

func power(_ scripts: Int, _ steps: Int, _ seed: UInt64) throws -> [String] {
    var findings: [String] = []
    var disks = 0
    for turn in 0..<UInt64(scripts) {
        let folder = try TrialFolder()
        // Each script by a process of its own: a recorder cannot be turned off.
        try run([program, "record", folder.folder("state"), folder.folder("log"), "\(seed + turn)", "\(steps)"])
        var trial = try PowerTrial(StateScript(seed: seed + turn, steps: steps), seed: seed + turn)
        try trial.run(try DiskRecord(path: folder.folder("log")), parts: 6)
        findings += trial.findings.map { "script \(seed + turn): \($0)" }
        disks += trial.disks
        print("power: script \(seed + turn), \(trial.disks) disks opened, \(findings.count) findings")
    }
    print("power: \(scripts) scripts of \(steps) steps, \(disks) disks opened")
    return findings
}

func kills(_ count: Int, _ steps: Int, _ seed: UInt64) throws -> [String] {
    var trial = KillTrial(seed: seed)
    try trial.run(count, steps: steps, program: program)
    print("kill: \(trial.kills) writers killed in the middle, \(trial.spared) had ended")
    return trial.findings
}

func full(_ scripts: Int, _ steps: Int, _ seed: UInt64) throws -> [String] {
    var findings: [String] = []
    let folder = try TrialFolder()
    guard unsafe disk_recorder_begin(folder.path, "/dev/null") == 0 else { throw TrialError("nothing can be recorded") }
    for (name, error) in [("full", ENOSPC), ("failing", EIO)] {
        var trial = FullTrial()
        for turn in 0..<UInt64(scripts) {
            try trial.run(
                StateScript(seed: seed + turn, steps: steps, bytes: 4_000), folder: folder.folder("\(name)-\(turn)"),
                error: error,
                isExact: error == ENOSPC, fail: disk_recorder_fail)
        }
        print(
            "\(name): \(scripts) scripts of \(steps) steps, \(trial.refusals) refused, \(trial.unwitnessed) done without a witness"
        )
        findings += trial.findings.map { "\(name): \($0)" }
    }
    return findings
}

let program = CommandLine.arguments[0]
let words = Array(CommandLine.arguments.dropFirst())
do {
    if words.count == 5, words[0] == "record", let seed = UInt64(words[3]), let steps = Int(words[4]) {
        try record(StateScript(seed: seed, steps: steps), words[1], words[2])
        exit(0)
    }
    if words.count == 4, words[0] == "write", let seed = UInt64(words[2]), let steps = Int(words[3]) {
        try StateScript(seed: seed, steps: steps).run(words[1], promise: promise)
        exit(0)
    }
    let numbers = words.dropFirst().compactMap { UInt64($0) }
    guard let what = words.first, numbers.count == words.count - 1, numbers.count <= 3, numbers.allSatisfy({ $0 > 0 }) else {
        usage()
    }
    let seed = numbers.count > 2 ? numbers[2] : UInt64.random(in: 1...1 << 40)
    let steps = numbers.count > 1 ? Int(numbers[1]) : what == "power" ? 30 : 40
    let count = numbers.first.map { Int($0) }
    print("seed \(seed)")
    // Whoever redirects the output sees the seed also when it ends early.
    fflush(nil)
    let findings =
        switch what {
        case "power": try power(count ?? 10, steps, seed)
        case "kill": try kills(count ?? 500, steps, seed)
        case "full": try full(count ?? 5, steps, seed)
        default: usage()
        }
    for finding in findings { print("found: \(finding)") }
    exit(findings.isEmpty ? 0 : 1)
} catch {
    print("state-storm: \(error)")
    exit(1)
}
