// SPDX-License-Identifier: Apache-2.0
import Analysis
import Compiler
import Net
import Policy
import TestSupport
import Testing

/// What is said when steps run out: less, and nothing that is not so.
@Suite struct Budgets {
    /// Budgets that end in each part of the work, from its first step to after its last.
    private static let steps = (0..<26).map { 1 << $0 }
    /// What says that a rule decides nothing; what decides in its place may not be found any more.
    private static let dead: Set<LintCode> = [.deadRule, .shadowedRule, .tierEndShadows]

    private struct Claim: Hashable {
        var code: LintCode
        var place: Place

        init(_ finding: LintFinding) {
            code = Budgets.dead.contains(finding.code) ? .deadRule : finding.code
            place = finding.place
        }
    }

    private static func claims(_ lint: Lint) -> Set<Claim> {
        Set(lint.findings.filter { $0.code != .notProved }.map(Claim.init))
    }

    @Test func `lint says nothing with few steps that it does not say with many, and says when something is left out`() throws {
        var sets = RandomSets(seed: Seeded.seed())
        var cut = 0
        for _ in 0..<12 {
            guard let set = try? PolicySet(sets.documents().map(\.numbered)) else { continue }
            let view = try PolicyView(set: set)
            let whole = Self.claims(Lint(view, .init(now: 0)))
            for steps in Self.steps {
                let lint = Lint(view, .init(now: 0, budget: Budget(steps: steps)))
                let claims = Self.claims(lint)
                #expect(claims.isSubset(of: whole), "\(steps): \(claims.subtracting(whole))")
                let isCut = lint.findings.contains { $0.code == .notProved }
                #expect(isCut || claims == whole, "\(steps): \(whole.subtracting(claims))")
                if isCut { cut += 1 }
            }
        }
        #expect(cut > 50)
    }

    @Test func `what is nobody's with many steps only is not said to be nobody's with few`() throws {
        let view = try PolicyView(set: try PolicySet(LargeSets.documents(rules: 100)))
        for steps in Self.steps {
            let lint = Lint(view, .init(now: 0, budget: Budget(steps: steps)))
            #expect(lint.findings.allSatisfy { $0.code == LintCode.notProved }, "\(steps): \(lint.findings.map(\.reason))")
        }
    }

    @Test func `every box that was found before the steps were spent is true`() throws {
        var sets = RandomSets(seed: Seeded.seed())
        var (cut, inside) = (0, 0)
        for _ in 0..<16 {
            let documents = sets.documents()
            guard let before = try? PolicySet(documents), let after = try? PolicySet(sets.changed(documents)) else { continue }
            let (old, new) = (try PolicyView(set: before), try PolicyView(set: after))
            let references = [Reference(old.set), Reference(new.set)]
            let whole = Comparison(old: old, new: new, at: 0)
            let parts = Self.steps.map { Comparison(old: old, new: new, at: 0, budget: Budget(steps: $0)) }
            cut += parts.count { !$0.isComplete }
            for part in parts where part.isComplete { #expect(part.boxes.map(\.line) == whole.boxes.map(\.line)) }
            for part in parts where !part.isComplete { #expect(!part.isProvedEqual) }
            let some = parts.filter { !$0.isComplete && !$0.boxes.isEmpty }
            for _ in 0..<(some.isEmpty ? 0 : 120) {
                var connection = sets.connection()
                connection.time = 0
                if !old.set.hasZones, !new.set.hasZones {
                    (connection.source.zone, connection.destination.zone) = ("default", "default")
                }
                guard connection.source.address.isIPv4 == connection.destination.address.isIPv4 else { continue }
                let decisions = references.map { $0.judge(connection).decision }
                for box in some.flatMap(\.boxes) where box.holds(connection, new.set, references[1]) {
                    // A box says nothing of a workload with itself.
                    let owners = references.map { reference in
                        [connection.source, connection.destination].map { reference.owner(of: $0.address, zone: $0.zone)?.name }
                    }
                    guard !owners.allSatisfy({ $0[0] != nil && $0[0] == $0[1] }) else { continue }
                    inside += 1
                    #expect(box.old == decisions[0] && box.new == decisions[1], "\(connection.line) \(box.line)")
                }
            }
        }
        #expect(cut > 50 && inside > 0)
    }

    @Test func `four times the rules take at least four times the steps`() throws {
        func enough(_ holds: (Budget) -> Bool) -> Int {
            var (low, high) = (1, 1 << 26)
            while high - low > low / 8 {
                let middle = (low + high) / 2
                if holds(Budget(steps: middle)) { high = middle } else { low = middle + 1 }
            }
            return high
        }
        let views = try [100, 400].map { try PolicyView(set: try PolicySet(LargeSets.documents(rules: $0))) }
        let lints = views.map { view in enough { Lint(view, .init(now: 0, budget: $0)).findings.isEmpty } }
        let comparisons = views.map { view in enough { Comparison(old: view, new: view, at: 0, budget: $0).isComplete } }
        #expect(lints[1] >= 4 * lints[0], "\(lints)")
        #expect(comparisons[1] >= 4 * comparisons[0], "\(comparisons)")
    }
}
