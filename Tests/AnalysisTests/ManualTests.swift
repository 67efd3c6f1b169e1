// SPDX-License-Identifier: Apache-2.0
import Analysis
import Foundation
import Policy
import PolicyText
import Testing

@Suite struct AnalysisManual {
    private let manual: String
    private let view: PolicyView
    private let time: UInt64

    init() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../docs/analysis.md")
        manual = try String(contentsOf: file, encoding: .utf8)
        let set = try #require(manual.firstMatch(of: /```yaml\n((?s:.*?))```/)).1
        view = try PolicyView(set: try PolicySet(try decode(String(set), file: "policies/shop.yaml")))
        time = try #require(Timestamp.unixSeconds("2026-11-21T12:00:00Z"))
    }

    @Test func `the examples of the manual are what the verbs print`() throws {
        let lint = Lint(view, .init(now: time)).text(from: .warning)
        #expect(manual.contains(lint), "\(lint)")
        let told = try view.explain(from: "web-1", to: "db-1", service: "tcp/22", at: time).text()
        #expect(manual.contains(told), "\(told)")
        let matrix = try Matrix(view, by: "app", at: time).text()
        #expect(manual.contains(matrix), "\(matrix)")
    }

    @Test func `the manual's test has the outcome that the manual tells`() throws {
        let text = try #require(manual.matches(of: /```yaml\n((?s:.*?))```/).last).1
        let trials = try Loader.tests(in: String(text), file: "tests/shop.yaml").map { Trial($0, of: view, now: time) }
        #expect(manual.contains(TrialReport.text(trials)), "\(TrialReport.text(trials))")
    }
}
