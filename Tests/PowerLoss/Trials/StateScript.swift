// SPDX-License-Identifier: Apache-2.0
import State
import TestSupport

/// What is done to a store, step by step, and what must be in it behind each: both follow from a seed.
public struct StateScript: Sendable {
    /// One call, or several that belong together.
    enum Step: Sendable {
        case add(documents: String, isPending: Bool)
        case settle(Int64, Revision.Outcome)
        case register([Registration])
        case unregister([String])
        case note(String)
        /// The store is closed and opened again.
        case reopen
    }

    /// What can be seen of a store.
    struct Contents: Equatable {
        var revisions: [Int64: String] = [:]
        var outcomes: [Int64: Revision.Outcome] = [:]
        var registrations: [String: String] = [:]
        var lines: [String] = []
    }

    let steps: [Step]
    /// What must be there before the first step and behind each.
    let contents: [Contents]

    /// Small limits, so that a short script sees lines move to archives, of which none is given up.
    static var limits: StateLimits {
        var limits = StateLimits()
        (limits.auditLines, limits.archiveLines, limits.archives, limits.patience) = (8, 4, 1_000_000, 0)
        return limits
    }

    /// A script of so many steps; documents have up to `bytes` bytes.
    public init(seed: UInt64, steps count: Int, bytes: Int = 20_000) {
        var generator = PacketRandom(seed: seed)
        var contents = [Contents()]
        var steps: [Step] = []
        for index in 0..<count {
            let step = Self.step(index, contents[index], bytes, &generator)
            steps.append(step)
            contents.append(Self.behind(contents[index], step, index))
        }
        (self.steps, self.contents) = (steps, contents)
    }

    private static func step(
        _ index: Int, _ contents: Contents, _ bytes: Int, _ generator: inout PacketRandom
    ) -> Step {
        let pending = contents.outcomes.first { $0.value == .pending }?.key
        switch Int.random(in: 0..<8, using: &generator) {
        case 0...2:
            if let pending {
                return .settle(pending, [.confirmed, .rolledBack, .refused].randomElement(using: &generator) ?? .refused)
            }
            let length = Int.random(in: 0...bytes, using: &generator) / (Bool.random(using: &generator) ? 1 : 20)
            return .add(
                documents: "# \(index)\n" + String(repeating: "kind: Policy\n", count: length / 13),
                isPending: Bool.random(using: &generator))
        case 3, 4:
            return .register(
                (0..<Int.random(in: 1...4, using: &generator)).map { _ in
                    let name = "shop/web-\(Int.random(in: 0..<9, using: &generator))"
                    return Registration(name: name, document: "step: \(index)", actor: .daemon("trial"), since: Int64(index))
                })
        case 5: return .unregister(Array(contents.registrations.keys.sorted().prefix(2)))
        case 6: return .reopen
        default: return .note("note \(index)")
        }
    }

    private static func behind(_ old: Contents, _ step: Step, _ index: Int) -> Contents {
        var contents = old
        switch step {
        case .add(let documents, let isPending):
            let number = Int64(old.revisions.count + 1)
            contents.revisions[number] = documents
            contents.outcomes[number] = isPending ? .pending : .confirmed
        case .settle(let number, let outcome): contents.outcomes[number] = outcome
        case .register(let all): for one in all { contents.registrations[one.name] = one.document }
        case .unregister(let names): for name in names { contents.registrations[name] = nil }
        case .note: break
        case .reopen: return contents
        }
        contents.lines.append("step \(index)")
        return contents
    }

    /// Does a step; its change and its line of the audit log are one.
    func run(_ index: Int, _ store: StateStore) throws {
        let event = AuditEvent("trial.step", of: "step \(index)", by: .daemon("trial"), .done, time: Int64(index))
        switch steps[index] {
        case .add(let documents, let isPending):
            _ = try store.add(
                source: .applied, returnsTo: nil, actor: .daemon("trial"), reason: nil, documents: documents, places: "[]",
                time: Int64(index), deadline: isPending ? 1 : nil, auditing: { _ in event })
        case .settle(let number, let outcome): try store.settle(number, as: outcome, auditing: event)
        case .register(let all): try store.register(RegistrationChange(coming: all, lines: [event]))
        case .unregister(let names): try store.register(RegistrationChange(going: names, lines: [event]))
        case .note: try store.log(event)
        case .reopen: break
        }
    }
}

extension StateScript.Contents {
    /// What is in a store, read by all of its doors.
    init(_ store: StateStore, folder: String) throws {
        for revision in try store.history(before: nil, limit: 1_000) {
            outcomes[revision.number] = revision.outcome
            revisions[revision.number] = try store.revision(revision.number)?.documents
        }
        registrations = Dictionary(uniqueKeysWithValues: try store.registrations().map { ($0.name, $0.document) })
        try AuditReader.forEach(inFolder: folder) { line in
            // Rotations come and go with the length of the log.
            if line.entry.action == "trial.step", let object = line.entry.object { lines.append(object) }
        }
    }

    /// What serves after a restart.
    var serving: Int64? { outcomes.filter { $0.value == .confirmed }.keys.max() }
}
