// SPDX-License-Identifier: Apache-2.0
import Foundation
import StateTrials
import TestSupport
import Testing

/// The short forms of `scripts/soak state`. What writes is a process of its own, because its calls to the kernel are recorded.
@Suite struct PowerLosses {
    private static func run(_ words: [String]) throws -> String {
        try Tool.run(Tool.built("state-storm"), words).succeeded()
    }

    private static func record(_ seed: UInt64, steps: Int) throws -> DiskRecord {
        let folder = try TrialFolder()
        _ = try run(["record", folder.folder("state"), folder.folder("log"), "\(seed)", "\(steps)"])
        return try DiskRecord(path: folder.folder("log"))
    }

    @Test func `whenever the power goes, what was promised is there, and of what was under way all or nothing`() throws {
        let seed = UInt64.random(in: 1...1 << 40)
        print("PowerLosses: seed \(seed)")
        let record = try Self.record(seed, steps: 8)
        // Fewer would be a recorder that sees nothing.
        #expect(record.promises == 9)
        #expect(record.count > 100)
        var trial = try PowerTrial(StateScript(seed: seed, steps: 8), seed: seed)
        try trial.run(record, parts: 1)
        #expect(trial.findings.isEmpty, "seed \(seed): \(trial.findings)")
        #expect(trial.disks > 100)
    }

    @Test func `a store that did not ask for syncs would be found out`() throws {
        let record = try Self.record(1, steps: 6)
        var trial = try PowerTrial(StateScript(seed: 1, steps: 6), seed: 1)
        try trial.run(record.unsynced, parts: 0)
        #expect(!trial.findings.isEmpty)
    }

    @Test func `a writer that is killed leaves what it promised`() throws {
        let seed = UInt64.random(in: 1...1 << 40)
        print("PowerLosses: seed \(seed)")
        var trial = KillTrial(seed: seed)
        try trial.run(10, steps: 10, program: Tool.built("state-storm"))
        #expect(trial.findings.isEmpty, "seed \(seed): \(trial.findings)")
    }

    @Test func `a full or failing disk refuses a change and keeps everything else`() throws {
        #expect(try Self.run(["full", "1", "8"]).contains("full: 1 scripts"))
    }
}
