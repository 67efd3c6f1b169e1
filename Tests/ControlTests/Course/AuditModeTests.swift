// SPDX-License-Identifier: Apache-2.0
import Foundation
import Net
import Record
import Telemetry
import Testing

/// What can be in audit, each by itself: it decides nothing, `flows --audit deny` shows what it would have denied, and its neighbours stay
/// enforced.
@Suite struct AuditModes {
    /// Something in audit, with a neighbour of its kind that is enforced and denies port 443.
    struct Row: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var text: String
        /// Which end or rule would have denied.
        var told: String

        init(_ name: String, told: String, _ documents: String...) {
            testDescription = name
            self.told = told
            text = documents.map { "apiVersion: bulkhead/v1\n\($0)\n" }.joined(separator: "---\n")
        }
    }

    private static let web = workload("web", "10.9.0.11")
    private static let db = workload("db", "10.9.0.21")
    private static let open = "kind: Namespace\nmetadata: {name: shop}\nspec: {defaults: {ingress: allow, egress: allow}}"

    private static func workload(_ app: String, _ address: String) -> String {
        "kind: Workload\nmetadata: {name: \(app)-1, namespace: shop, labels: {app: \(app)}}\nspec: {addresses: [\(address)]}"
    }

    private static func policy(_ name: String, _ spec: String) -> String {
        "kind: Policy\nmetadata: {name: \(name), namespace: shop}\nspec: {subject: {selector: 'app == \"db\"'}, \(spec)}"
    }

    static let rows = [
        Row(
            "a rule", told: "old", web, db, open,
            policy(
                "db",
                "rules: [{name: old, mode: audit, action: deny, from: {}, services: [tcp/5432]}, "
                    + "{name: new, action: deny, from: {}, services: [tcp/443]}]")),
        Row(
            "a policy", told: "(tier)", web, db, open, policy("tried", "mode: audit, isolates: {ingress: [tcp/5432]}"),
            policy("kept", "isolates: {ingress: [tcp/443]}")),
        Row(
            "the end of a tier", told: "(tier)", web, db, open,
            "kind: Tier\nmetadata: {name: tried}\nspec: {order: 1, end: audit}",
            "kind: Tier\nmetadata: {name: kept}\nspec: {order: 2, end: deny}",
            policy("a", "tier: tried, isolates: {ingress: [tcp/5432]}"), policy("b", "tier: kept, isolates: {ingress: [tcp/443]}")
        ),
        Row(
            "a namespace's default", told: "(namespace)", web, db,
            "kind: Namespace\nmetadata: {name: shop}\nspec: {defaults: {ingress: audit, egress: allow}}",
            policy("db", "isolates: {ingress: [tcp/443]}")),
    ]

    private static func shows(_ event: FlowEvent) -> Bool {
        var filter = FlowFilter()
        return filter.set("audit", to: "deny") == nil && filter.matches(event)
    }

    @Test(arguments: rows) func `it denies nothing and says what it would, and its neighbour denies`(row: Row) async throws {
        try await withCourse(row.text) { bench in
            let audited = try bench.connect("10.9.0.11", "10.9.0.21", port: 5432)
            #expect(audited.decision == .allow && Self.shows(audited))
            let would = try #require(audited.audit?.deciding)
            #expect(would.decision == .deny && (would.rule ?? "(\(would.end?.rawValue ?? "none"))") == row.told, "\(would)")
            #expect(FlowReport(audited).audit == "deny" && FlowReport(audited).line(colour: false).contains("[audit: deny]"))
            let neighbour = try bench.connect("10.9.0.11", "10.9.0.21", port: 443)
            #expect(neighbour.decision == .deny)
        }
    }

    @Test func `what two zones let through in audit is shown, and what they deny the other way is denied`() async throws {
        let text = Row(
            "zones", told: "",
            "kind: Zone\nmetadata: {name: lan}\nspec: {unjudged: {wan: audit}}",
            "kind: Zone\nmetadata: {name: wan}"
        ).text
        let rows = [
            ("lan: {port: left}, wan: {port: right}", Decision.allow), ("wan: {port: left}, lan: {port: right}", .deny),
        ]
        for (places, decision) in rows {
            try await withCourse(text, more: "zones: {\(places)}\n") { bench in
                let event = try bench.connect("192.0.2.1", "192.0.2.2", port: 443)
                #expect(event.decision == decision && Self.shows(event) == (decision == .allow), "\(places)")
                if decision == .allow { #expect(event.audit?.deciding?.end == .zones) }
            }
        }
    }
}
