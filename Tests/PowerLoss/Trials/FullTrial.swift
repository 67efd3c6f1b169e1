// SPDX-License-Identifier: Apache-2.0
import Foundation
import State

/// Lets each write of each step fail in turn, and looks whether a step that was refused has changed nothing.
///
/// On a full disk that holds without exception. On a disk that fails, the very last sync of a transaction can fail when everything else has
/// arrived, and nobody can tell: there a refused step is done wholly or not at all.
public struct FullTrial {
    /// What was wrong, at most twenty times.
    public private(set) var findings: [String] = []
    /// How many steps were refused.
    public private(set) var refusals = 0
    /// How many steps stood although a witness could not be told.
    public private(set) var unwitnessed = 0

    /// Nothing yet.
    public init() {}

    /// Runs a script in a folder. `fail` lets the change of that number and all behind it fail with an error, 0 none, and returns how
    /// many did. `isExact` demands of a refused step that nothing of it is done.
    public mutating func run(
        _ script: StateScript, folder: String, error: Int32, isExact: Bool, fail: (Int32, Int32) -> Int32
    ) throws {
        let store = try StateStore(folder: folder, limits: StateScript.limits, syslog: nil)
        for index in script.steps.indices {
            var turn: Int32 = 1
            while findings.count < 20 {
                _ = fail(turn, error)
                let refusal: (any Error)?
                do {
                    try script.run(index, store)
                    refusal = nil
                } catch {
                    refusal = error
                }
                let failures = fail(0, 0)
                let found = try StateScript.Contents(store, folder: folder)
                let place = "step \(index), change \(turn)"
                if let refusal {
                    refusals += 1
                    if failures == 0 { findings.append("\(place): refused without cause: \(refusal)") }
                    if found == script.contents[index + 1], found != script.contents[index], !isExact { break }
                    if found != script.contents[index] { findings.append("\(place): refused (\(refusal)), and yet done") }
                    turn += 1
                    continue
                }
                if found != script.contents[index + 1] { findings.append("\(place): done, and yet not there") }
                if failures > 0 {
                    unwitnessed += 1
                    if store.witnessFault == nil { findings.append("\(place): nobody says that a witness was not told") }
                }
                break
            }
        }
        // With room again, everything is as if nothing had been.
        try store.log(AuditEvent("trial.end", of: nil, by: .daemon("trial"), .done, time: 0))
        if let fault = store.witnessFault { findings.append("in the end: \(fault)") }
        if let fault = try AuditVerification.verify(folder: folder).fault { findings.append("in the end: \(fault.message)") }
    }
}
