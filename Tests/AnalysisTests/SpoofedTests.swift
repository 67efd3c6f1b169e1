// SPDX-License-Identifier: Apache-2.0
import Analysis
import Compiler
import Foundation
import Net
import Policy
import PolicyText
import Testing

/// What every verb says of an address that is seen in another zone than its own.
@Suite("Spoofed addresses") struct SpoofedTests {
    private static let zoned =
        sample + """

            ---
            apiVersion: bulkhead/v1
            kind: Zone
            metadata: {name: lan}
            ---
            apiVersion: bulkhead/v1
            kind: Zone
            metadata: {name: wan}
            ---
            apiVersion: bulkhead/v1
            kind: Policy
            metadata: {name: everybody, namespace: shop}
            spec:
              order: 1
              rules:
                - {action: allow, from: {}, services: [tcp/443]}
                - {action: allow, to: {}, services: [tcp/443]}
            """
    private let time: UInt64 = 1_800_000_000

    @Test func `a probe is denied by no side, and its cause says spoofed`() throws {
        let session = try ProbeSession(set: try PolicySet(try decode(Self.zoned, file: "sample.yaml")), generation: 7)
        func answer(_ zone: String) -> String {
            session.answer(
                line: #"{"from": "shop/web-1", "to": "shop/db-1", "protocol": "tcp", "port": 443, "zone_from": "\#(zone)"}"#,
                now: time
            ).json
        }
        for zone in ["wan", "default"] {
            #expect(
                answer(zone)
                    == #"{"decision": "deny", "egress": null, "ingress": null, "cause": {"side": null, "decision": "deny", "#
                    + #""layer": "zone", "tier": null, "policy": null, "rule": null, "end": "spoofed", "generation": 7, "nearest": []}}"#
            )
        }
        #expect(answer("lan").hasPrefix(#"{"decision": "allow""#))
    }

    @Test func `an explanation says whose the address is, and tells no side`() throws {
        let told = try view(Self.zoned).explain(
            from: "shop/web-1", to: "shop/db-1", service: "tcp/443", zoneFrom: "wan", zoneTo: "lan", at: time)
        #expect(
            told.text() == """
                10.9.0.11 -> shop/db-1 (10.9.0.21), tcp/443, at 2027-01-15T08:00:00Z
                deny: spoofed: 10.9.0.11 belongs to shop/web-1 in zone lan, and speaks from zone wan

                zones: wan -> lan
                sight: the appliance sees this traffic
                """)
        #expect(told.reason == "spoofed" && told.json.contains(#""reason": "spoofed""#))
    }

    @Test func `an explanation says that nobody answers from an address of another zone`() throws {
        let view = try view(
            Self.zoned.replacing("spec: {addresses: [10.9.0.21]", with: "spec: {zones: [wan], addresses: [10.9.0.21]"))
        let told = try view.explain(from: "shop/web-1", to: "10.9.0.21", service: "tcp/443", zoneTo: "default", at: time)
        #expect(told.decision == .allow && told.reason == nil)
        #expect(told.caveat == "answers from zone default are dropped as spoofed: 10.9.0.21 belongs to shop/db-1 in zone wan")
        #expect(told.text().contains("answers from zone default are dropped as spoofed"))
    }

    @Test func `a difference that is only whose address it is makes a box that says spoofed`() throws {
        let moved = Self.zoned.replacing("zones: [lan]", with: "zones: [wan]")
        let lines = Comparison(old: try view(Self.zoned), new: try view(moved), at: time).text(Style(width: 200))
            .split(separator: "\n").filter { $0.contains("spoofed") }
        #expect(
            lines.contains { $0.hasPrefix("- shop/web-1 (elsewhere) in zone lan ->") && $0.hasSuffix("allow -> deny (spoofed)") })
        #expect(lines.contains { $0.hasPrefix("+ shop/web-1") && $0.hasSuffix("deny (spoofed) -> allow") }, "\(lines)")
        #expect(Comparison(old: try view(Self.zoned), new: try view(Self.zoned), at: time).isProvedEqual)
    }

    @Test func `what was free and is now a workload's elsewhere is spoofed from now on`() throws {
        let added =
            Self.zoned + "\n---\napiVersion: bulkhead/v1\nkind: Workload\n"
            + "metadata: {name: cam, namespace: shop}\nspec: {addresses: [10.9.0.40], zones: [wan]}\n"
        let boxes = Comparison(old: try view(Self.zoned), new: try view(added), at: time).boxes
        let spoofed = boxes.filter(\.isNewSpoofed)
        #expect(!spoofed.isEmpty && spoofed.allSatisfy { $0.new == .deny && $0.sources.text == "10.9.0.40 in zone default, lan" })
    }

    @Test func `a matrix leaves them out and says so`() throws {
        let matrix = try Matrix(try view(Self.zoned), at: time)
        #expect(matrix.hasSpoofed)
        // Without them the cell holds for every pair behind it.
        let outside = try #require(matrix.names.firstIndex(of: "outside"))
        let web = try #require(matrix.names.firstIndex(of: "shop/web-1"))
        #expect(matrix.entries[outside][web].extent == .some)
        #expect(matrix.text(Style(width: 200)).contains("left out: addresses in zones other than their workloads'"))
        #expect(try !Matrix(try view(sample), at: time).hasSpoofed)
    }

    @Test(arguments: [
        ("outside can reach web on tcp/443", nil), ("10.9.0.11 can reach 10.9.0.21 on tcp/443", nil),
        ("forged cannot reach any on any", nil),
        (
            "forged can reach db-1 on tcp/443",
            "10.9.0.11 -> shop/db-1 (10.9.0.21) any: deny, spoofed: 10.9.0.11 belongs to shop/web-1 in zone lan"
        ),
    ]) func `a sentence speaks of them only where it means nothing else`(text: String, failure: String?) throws {
        let test = """
            apiVersion: bulkhead/v1
            kind: PolicyTest
            metadata: {name: shop, namespace: shop}
            spec:
              names: {web: {selector: 'app == "web"'}, forged: {cidrs: [10.9.0.11], zones: [wan]}}
              expect: [\(text)]
            """
        let trial = Trial(try Loader.tests(in: test, file: "test.yaml")[0], of: try view(Self.zoned), now: time)
        #expect(trial.findings[0].failure?.replacing("tcp/443", with: "any") == failure?.replacing("tcp/443", with: "any"))
    }
}
