// SPDX-License-Identifier: Apache-2.0
import Foundation
import State

/// A folder to hold trials in: in memory where there is such a place, because a trial asks for syncs by the thousand.
public struct TrialFolder: ~Copyable {
    /// Its path.
    public let path: String

    /// A new one, by a name that begins with `bh-state-`.
    public init() throws {
        let memory = "/dev/shm"
        let place = FileManager.default.isWritableFile(atPath: memory) ? memory : FileManager.default.temporaryDirectory.path
        path = "\(place)/bh-state-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// A folder in it.
    public func folder(_ name: String) -> String { "\(path)/\(name)" }
}

extension StateScript {
    /// Runs the script on a folder's store from its beginning, and calls `promise` whenever a step is promised to be on the disk: first
    /// for the opening itself, then for each step.
    public func run(_ folder: String, promise: () -> Void) throws {
        var store: StateStore? = try StateStore(folder: folder, limits: Self.limits, syslog: nil)
        promise()
        for index in steps.indices {
            if case .reopen = steps[index] {
                store = nil
                store = try StateStore(folder: folder, limits: Self.limits, syslog: nil)
            }
            if let store { try run(index, store) }
            promise()
        }
    }

    /// Opens what was found after so many promises; what is wrong with it, `nil` where nothing is.
    ///
    /// The last promised step is there, and of the one behind it all or nothing; nothing is set aside or called damaged; the audit log
    /// verifies with its head; and the store can be written.
    public func finding(in folder: String, promised: Int) -> String? {
        do {
            let store = try StateStore(folder: folder, limits: Self.limits, syslog: nil)
            if let damage = store.damage { return "damage: \(damage)" }
            let found = try Contents(store, folder: folder)
            let last = max(0, promised - 1)
            guard found == contents[last] || (promised < contents.count && found == contents[last + 1]) else {
                return
                    "neither what was promised last nor what came next: revisions \(found.revisions.keys.sorted()), lines \(found.lines)"
            }
            guard try store.serving()?.number == found.serving else { return "another revision serves" }
            try store.log(AuditEvent("trial.end", of: nil, by: .daemon("trial"), .done, time: 0))
            let verification = try AuditVerification.verify(folder: folder)
            return verification.fault.map { "audit log, line \($0.line ?? 0): \($0.message)" }
        } catch {
            return "\(error)"
        }
    }
}
