// SPDX-License-Identifier: Apache-2.0
import Classifier
import Compiler
import Foundation
import Net
import Policy
import Record
import TestSupport
import Testing

/// What must hold for every set there is, tried on random ones. The long form, a million probes: `scripts/soak policy`.
@Suite struct Properties {
    /// How often a property is tried: as often as the suite has time for, or in proportion to a longer run.
    private func rounds(_ usual: Int) -> Int {
        let wanted = ProcessInfo.processInfo.environment["BULKHEAD_PROBES"].flatMap(Int.init)
        return wanted.map { max(usual, usual * ($0 / 100_000)) } ?? usual
    }

    @Test func `the image answers as the reference does, causes included`() throws {
        let seed = Seeded.seed()
        var random = RandomSets(seed: seed)
        var met: [String: Int] = [:]
        var judged = 0
        for round in 0..<rounds(500) {
            let set = try random.set()
            let failsafe = random.failsafe()
            let loaded = try Loaded(set, failsafe: failsafe)
            let reference = Reference(loaded.compiled.set, failsafe: failsafe)
            for _ in 0..<200 {
                let connection = random.connection()
                let (expected, found) = (reference.judge(connection), loaded.answer(connection))
                judged += 1
                count(expected, &met)
                guard expected == found else {
                    Issue.record("seed \(seed) round \(round): \(connection.line)\nexpected \(expected)\nfound \(found)")
                    return
                }
            }
        }
        print("\(judged) probes, met \(met.sorted { $0.key < $1.key })")
        let kinds = ["no side", "allow by a rule", "deny by a rule", "reject by a rule", "deny by tier", "allow by namespace"]
        for kind in kinds + [
            "deny by namespace", "allow by itself", "allow by failsafe", "audit", "log", "two layers", "spoofed",
        ] {
            #expect(met[kind, default: 0] > 0, "\(kind) is not met often enough: \(met)")
        }
    }

    /// Notes what an answer shows.
    private func count(_ answer: Reference.Answer, _ met: inout [String: Int]) {
        if answer.isSpoofed { met["spoofed", default: 0] += 1 }
        for side in [answer.egress, answer.ingress] {
            guard let side, let deciding = side.deciding else {
                met["no side", default: 0] += 1
                continue
            }
            met["\(deciding.decision) by \(deciding.end.map(\.rawValue) ?? "a rule")", default: 0] += 1
            if !side.logged.isEmpty { met["log", default: 0] += 1 }
            if side.layers.count == 2 { met["two layers", default: 0] += 1 }
            if side.layers.count == 3 { met["three layers", default: 0] += 1 }
        }
        if answer.egressAudit != nil || answer.ingressAudit != nil { met["audit", default: 0] += 1 }
    }

    /// Tries a property on random sets.
    private func hold(_ property: Property) throws {
        let seed = Seeded.seed()
        var random = RandomSets(seed: seed)
        for round in 0..<rounds(40) {
            let documents = round % 2 == 0 ? random.documents() : property.concentrated(random.documents())
            for line in try property.violations(documents, &random) { Issue.record("seed \(seed) round \(round): \(line)") }
        }
    }

    @Test func `a deny that is added never lets more through`() throws { try hold(.deny) }

    @Test func `the order of documents means nothing, nor do the names of policies in an unordered tier`() throws {
        try hold(.order)
    }

    @Test func `labels mean what selectors ask, whatever they are called`() throws { try hold(.names) }

    @Test func `a block is its two halves, and a run of ports its two parts`() throws { try hold(.parts) }

    @Test(arguments: Property.allCases) private func `each property finds a compiler that makes a mistake against it`(
        _ property: Property
    ) throws {
        let seed = Seeded.seed()
        var random = RandomSets(seed: seed)
        var found: [String] = []
        // Most sets ask nothing of the kind that goes wrong, so that one that does may be long in coming.
        for _ in 0..<2000 where found.isEmpty {
            let documents = property.concentrated(random.documents())
            found = try property.violations(documents, &random) { try Property.compiled(property.mistaken($0)) }
        }
        #expect(!found.isEmpty, "seed \(seed): nothing of the mistake was found")
    }

    /// A set that is almost the one that the reference is asked about.
    private enum Slip: CaseIterable {
        /// A rule that is added allows.
        case allows
        /// The label is renamed where it is set, and not where it is asked for.
        case halfRenamed
        /// Of the halves of each block only the first remains.
        case halfSplit
        /// A policy is lost.
        case lost
    }

    /// The set with a slip in it.
    private func slipped(_ documents: [Document], _ slip: Slip, _ random: inout RandomSets) -> [Document] {
        switch slip {
        case .allows:
            var added = random.policy("added", documents.contains { if case .zone = $0 { true } else { false } })
            (added.mode, added.ingress, added.egress, added.tier, added.order) = (.enforce, .none, .none, "early", -1)
            for index in added.rules.indices { (added.rules[index].action, added.rules[index].mode) = (.allow, .enforce) }
            return documents + [.policy(added)]
        case .halfRenamed:
            return documents.map { if case .workload = $0 { $0.renamed("app", "role") } else { $0 } }
        case .halfSplit: return documents.map(\.halved)
        case .lost: return documents.dropLast()
        }
    }

    @Test(arguments: Slip.allCases) private func `an image of another set does not answer as the reference does`(_ slip: Slip)
        throws
    {
        let seed = Seeded.seed()
        var random = RandomSets(seed: seed)
        var found = 0
        for _ in 0..<2000 where found == 0 {
            let documents = random.documents()
            guard let other = try? PolicySet(slipped(documents, slip, &random)) else { continue }
            // The oracle stays with the set as it was: an image of another one must not agree with it.
            let (reference, loaded) = (Reference(try PolicySet(documents)), try Loaded(other))
            for _ in 0..<40 {
                let connection = random.connection()
                let (was, now) = (reference.judge(connection).decision, loaded.judge(connection).decision)
                if slip == .allows ? was != .allow && now == .allow : was != now { found += 1 }
            }
        }
        #expect(found > 0, "seed \(seed): nothing of the slip was found")
    }

    /// Connections of which audit says something else than what is decided where everything is enforced.
    private func auditFaults(
        _ documents: [Document], _ random: inout RandomSets, by compile: ([Document]) throws -> Loaded = Property.compiled
    ) throws -> [String] {
        let (audited, full) = (try compile(documents), try compile(documents.map(\.enforced)))
        return (0..<40).compactMap { _ in
            let connection = random.connection()
            let judged = audited.judge(connection)
            let wouldBe = judged.auditDecision == .max ? judged.decision.rawValue : judged.auditDecision
            return wouldBe == full.judge(connection).decision.rawValue ? nil : connection.line
        }
    }

    @Test func `what audit reports is what would be enforced`() throws {
        let seed = Seeded.seed()
        var random = RandomSets(seed: seed)
        for round in 0..<rounds(40) {
            for line in try auditFaults(random.documents(), &random) { Issue.record("seed \(seed) round \(round): \(line)") }
        }
        // A compiler that leaves out what only reports is found.
        var found: [String] = []
        for _ in 0..<2000 where found.isEmpty {
            found = try auditFaults(random.documents(), &random) { try Property.compiled($0.filter { !$0.isAudited }) }
        }
        #expect(!found.isEmpty, "seed \(seed)")
    }

    /// Connections that are judged otherwise before the second until which their judgement holds; `until` says which that is.
    private func earlyChanges(
        _ documents: [Document], _ random: inout RandomSets, until: (Judgement) -> UInt64 = { UInt64($0.validUntil) }
    ) throws -> [String] {
        let loaded = try Property.compiled(documents)
        var found: [String] = []
        for _ in 0..<30 {
            var connection = random.connection()
            connection.time = 0
            let start = loaded.judge(connection)
            for time in 1..<max(1, min(until(start), 10)) {
                connection.time = time
                let later = loaded.judge(connection)
                // What a lease of an address stops is no change for a connection that lives.
                let lease = [start.egress, start.ingress].contains {
                    loaded.snapshot.record($0).map { $0.flags & SideRecord.lease != 0 } ?? false
                }
                if !lease && (later.egress != start.egress || later.ingress != start.ingress) { found.append(connection.line) }
            }
        }
        return found
    }

    @Test func `a judgement holds until the second it names, and not longer than something changes`() throws {
        let seed = Seeded.seed()
        var random = RandomSets(seed: seed)
        for round in 0..<rounds(40) {
            for line in try earlyChanges(random.documents(), &random) { Issue.record("seed \(seed) round \(round): \(line)") }
        }
        // A judgement that names no end is found.
        var found: [String] = []
        for _ in 0..<2000 where found.isEmpty { found = try earlyChanges(random.documents(), &random) { _ in .max } }
        #expect(!found.isEmpty, "seed \(seed)")
    }
}

extension Document {
    /// Whether it is a policy that only reports.
    fileprivate var isAudited: Bool { if case .policy(let policy) = self { policy.mode == .audit } else { false } }
}
