// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport

/// Takes the power away at every point of a record, with nothing, all, or a random part of what was not synced on the disk, and opens
/// the store on what is found.
public struct PowerTrial: ~Copyable {
    /// What was wrong, at most twenty times.
    public private(set) var findings: [String] = []
    /// How many disks were looked at.
    public private(set) var disks = 0

    private let script: StateScript
    private let folder: TrialFolder
    private var generator: PacketRandom

    /// A trial of a script; `seed` is for what arrives.
    public init(_ script: StateScript, seed: UInt64) throws {
        self.script = script
        folder = try TrialFolder()
        generator = PacketRandom(seed: seed)
    }

    /// Goes through a record, with so many random parts at each point; stops early when there are findings enough.
    public mutating func run(_ record: DiskRecord, parts: Int) throws {
        var disk = Disk()
        var promised = 0
        var seen: Set<Int> = []
        for (index, event) in record.events.enumerated() {
            disk.take(event)
            if case .promised = event {
                promised += 1
                // What was fine as the work under way may be too little now.
                seen = []
            }
            for part in 0..<(parts + 2) {
                let luck = part < 2 ? Double(part) : [0.1, 0.5, 0.9][part % 3]
                let files = disk.found(luck: luck, using: &generator)
                guard seen.insert(files.hashValue).inserted else { continue }
                disks += 1
                if let finding = try finding(files, promised) {
                    findings.append("event \(index), luck \(luck), \(promised) promises: \(finding)")
                    if findings.count == 20 { return }
                }
            }
        }
    }

    private func finding(_ files: [String: [UInt8]], _ promised: Int) throws -> String? {
        let path = folder.folder("state")
        try? FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        for (name, bytes) in files { try Data(bytes).write(to: URL(filePath: "\(path)/\(name)")) }
        return script.finding(in: path, promised: promised)
    }
}
