// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport

/// Kills a process that writes, at a random moment, and opens the store that it leaves.
public struct KillTrial {
    /// What was wrong, at most twenty times.
    public private(set) var findings: [String] = []
    /// How many were killed before they had ended.
    public private(set) var kills = 0
    /// How many had ended before.
    public private(set) var spared = 0

    private var generator: PacketRandom

    /// A trial with a seed for moments and scripts.
    public init(seed: UInt64) { generator = PacketRandom(seed: seed) }

    /// Kills so many. `program` with the words `write FOLDER SEED STEPS` writes a script and a byte to its output for each promise.
    public mutating func run(_ count: Int, steps: Int, program: String) throws {
        let folder = try TrialFolder()
        // From one that is let be: how long a script takes.
        var patience = 0.0
        while kills < count, findings.count < 20 {
            let seed = UInt64.random(in: 1...1 << 40, using: &generator)
            let path = folder.folder("state")
            let start = ContinuousClock.now
            let delay = patience == 0 ? nil : Double.random(in: 0...patience, using: &generator)
            let (promised, wasKilled) = try Self.write([program, "write", path, "\(seed)", "\(steps)"], killedAfter: delay)
            if patience == 0 { patience = (ContinuousClock.now - start) / .seconds(1) }
            if wasKilled { kills += 1 } else { spared += 1 }
            if let finding = StateScript(seed: seed, steps: steps).finding(in: path, promised: promised) {
                findings.append("script \(seed), \(promised) promises: \(finding)")
            }
            try FileManager.default.removeItem(atPath: path)
        }
    }

    /// Runs a program, ends it after so many seconds, and counts the bytes that it had written.
    private static func write(_ words: [String], killedAfter delay: Double?) throws -> (promised: Int, wasKilled: Bool) {
        let tool = try Tool(words[0], Array(words.dropFirst()))
        if let delay {
            usleep(UInt32(delay * 1_000_000))
            kill(tool.pid, SIGKILL)
        }
        let outcome = tool.wait()
        return (outcome.output.utf8.count, outcome.code == -SIGKILL)
    }
}
