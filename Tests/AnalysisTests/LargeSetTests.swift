// SPDX-License-Identifier: Apache-2.0
import Analysis
import Net
import Policy
import Testing

@Suite struct LargeSetProofs {
    private let documents = LargeSets.documents(rules: 300)

    @Test func `a set of the size is linted whole, and all of its rules are needed`() throws {
        let findings = Lint(try PolicyView(set: try PolicySet(documents)), .init(now: 0)).findings
        #expect(findings.isEmpty, "\(findings.map(\.reason))")
    }

    @Test func `one changed rule is one box, and the same set is proved equal`() throws {
        let old = try PolicyView(set: try PolicySet(documents))
        let new = try PolicyView(set: try PolicySet(LargeSets.changed(documents)))
        #expect(Comparison(old: old, new: old, at: 0).isProvedEqual)
        // The other side does not let more out, so that nothing differs yet.
        #expect(Comparison(old: old, new: new, at: 0).isProvedEqual)
        let narrow = documents.filter { $0.name.name != "svc-1" || $0.kind != "Policy" }
        let lines = Comparison(old: old, new: try PolicyView(set: try PolicySet(narrow)), at: 0).boxes.map(\.line)
        #expect(lines.count == 6 && lines.contains("app == \"svc-1\" -> app == \"svc-2\" tcp/8002: allow -> deny"), "\(lines)")
    }

    @Test func `a connection of it is explained by its rules`() throws {
        let told = try PolicyView(set: try PolicySet(documents)).explain(
            from: "svc-0-1", to: "svc-1-2", service: "tcp/8001", at: 0)
        #expect(told.decision == .allow && told.sides.count == 2)
    }
}
