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

    /// Compiles both and demands the same decisions, or with `narrower` at most fewer allowances.
    private func compare(
        _ old: [Document], _ new: [Document], _ random: inout RandomSets, narrower: Bool = false, _ note: String
    ) throws {
        for line in try differences(old, new, &random, narrower: narrower) { Issue.record("\(note): \(line)") }
    }

    /// Connections that both decide otherwise, or with `narrower` those that only the new one lets through.
    private func differences(
        _ old: [Document], _ new: [Document], _ random: inout RandomSets, narrower: Bool = false
    ) throws -> [String] {
        let (before, after) = (try Loaded(try PolicySet(old)), try Loaded(try PolicySet(new)))
        return (0..<40).compactMap { _ in
            let connection = random.connection()
            let (was, now) = (before.judge(connection).decision, after.judge(connection).decision)
            let holds = narrower ? was == .allow || now != .allow : was == now
            return holds ? nil : "\(connection.line) was \(was), is \(now)"
        }
    }

    @Test func `a deny that is added never lets more through`() throws {
        let seed = Seeded.seed()
        var random = RandomSets(seed: seed)
        for round in 0..<rounds(40) {
            let documents = random.documents()
            let hasZones = documents.contains { if case .zone = $0 { true } else { false } }
            var added = random.policy("added", hasZones)
            (added.mode, added.ingress, added.egress) = (.enforce, .none, .none)
            for index in added.rules.indices { (added.rules[index].action, added.rules[index].mode) = (.deny, .enforce) }
            try compare(documents, documents + [.policy(added)], &random, narrower: true, "seed \(seed) round \(round)")
        }
    }

    @Test func `the order of documents means nothing, nor do the names of policies in an unordered tier`() throws {
        let seed = Seeded.seed()
        var random = RandomSets(seed: seed)
        for round in 0..<rounds(40) {
            let documents = random.documents()
            var other = documents.shuffled(using: &random.generator)
            var names = (0..<9).map { "p\($0)" }.shuffled(using: &random.generator)
            for (index, document) in other.enumerated() {
                guard case .policy(var policy) = document, policy.tier == "crowd" || policy.tier == "mesh" else { continue }
                policy.name.name = "q" + (names.popLast() ?? "")
                other[index] = .policy(policy)
            }
            try compare(documents, other, &random, "seed \(seed) round \(round)")
        }
    }

    @Test func `labels mean what selectors ask, whatever they are called`() throws {
        let seed = Seeded.seed()
        var random = RandomSets(seed: seed)
        for round in 0..<rounds(40) {
            let documents = random.documents()
            try compare(documents, documents.map { $0.renamed("app", "role") }, &random, "seed \(seed) round \(round)")
        }
    }

    @Test func `a block is its two halves, and a run of ports its two parts`() throws {
        let seed = Seeded.seed()
        var random = RandomSets(seed: seed)
        for round in 0..<rounds(40) {
            let documents = random.documents()
            try compare(documents, documents.map(\.split), &random, "seed \(seed) round \(round)")
        }
    }

    /// A rewriting that is almost what a property is about, and wrong.
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

    @Test(arguments: Slip.allCases) private func `each property finds the slip that breaks it`(_ slip: Slip) throws {
        let seed = Seeded.seed()
        var random = RandomSets(seed: seed)
        var found = 0
        // Most sets ask nothing of the kind that slips, so that one that does may be long in coming.
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

    @Test func `what audit reports is what would be enforced`() throws {
        let seed = Seeded.seed()
        var random = RandomSets(seed: seed)
        for round in 0..<rounds(40) {
            let documents = random.documents()
            let enforced = documents.map(\.enforced)
            let (audited, full) = (try Loaded(try PolicySet(documents)), try Loaded(try PolicySet(enforced)))
            for _ in 0..<40 {
                let connection = random.connection()
                let judged = audited.judge(connection)
                let wouldBe = judged.auditDecision == .max ? judged.decision.rawValue : judged.auditDecision
                #expect(wouldBe == full.judge(connection).decision.rawValue, "seed \(seed) round \(round): \(connection.line)")
            }
        }
    }

    @Test func `a judgement holds until the second it names, and not longer than something changes`() throws {
        let seed = Seeded.seed()
        var random = RandomSets(seed: seed)
        for round in 0..<rounds(40) {
            let loaded = try Loaded(try random.set())
            for _ in 0..<30 {
                var connection = random.connection()
                connection.time = 0
                let start = loaded.judge(connection)
                for time in 1..<min(UInt64(start.validUntil), 10) {
                    connection.time = time
                    let later = loaded.judge(connection)
                    // What a lease of an address stops is no change for a connection that lives.
                    let lease = [start.egress, start.ingress].contains {
                        loaded.snapshot.record($0).map { $0.flags & SideRecord.lease != 0 } ?? false
                    }
                    #expect(
                        lease || (later.egress == start.egress && later.ingress == start.ingress),
                        "seed \(seed) round \(round): \(connection.line)")
                }
            }
        }
    }
}
