// SPDX-License-Identifier: Apache-2.0
import Analysis
import Compiler
import Foundation
import Net
import Policy
import PolicyText
import Record
import Testing

/// Policies that show one thing each, and what becomes of them at every stage: `policy.yaml` and `probes.jsonl` are written by hand,
/// `checked.txt`, `compiled.txt` and `explained.jsonl` are made of them and compared exactly. `Refused` holds sets that must not
/// compile, with the message. `BULKHEAD_GOLDEN=write swift test --filter Golden` makes them anew: read the difference before you keep it.
@Suite struct Golden {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden")
    private static let now: UInt64 = 1_798_761_600

    private static let cases = names(in: folder).filter { $0 != "Refused" }
    private static let refusals = names(in: folder.appendingPathComponent("Refused")).filter { $0.hasSuffix(".yaml") }
        .map { String($0.dropLast(5)) }

    private static func names(in folder: URL) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
    }

    @Test(arguments: cases) func `a policy becomes what it became before`(name: String) throws {
        let folder = Self.folder.appendingPathComponent(name)
        let text = try String(contentsOf: folder.appendingPathComponent("policy.yaml"), encoding: .utf8)
        let set = try PolicySet(try decode(text, file: "policy.yaml"))
        try compare(checked(set), folder.appendingPathComponent("checked.txt"))
        var inventory = Inventory()
        try compare(
            try compiled(compile(set, generation: 1, inventory: &inventory)), folder.appendingPathComponent("compiled.txt"))
        let session = try ProbeSession(set: set)
        let probes = try String(contentsOf: folder.appendingPathComponent("probes.jsonl"), encoding: .utf8)
        let answers = probes.split(separator: "\n").map { session.answer(line: String($0), now: Self.now) }
        for answer in answers where answer.isError { Issue.record("\(name): \(answer.json)") }
        try compare(answers.map { $0.json + "\n" }.joined(), folder.appendingPathComponent("explained.jsonl"))
    }

    @Test(arguments: refusals) func `a set that cannot be enforced is refused with its message`(name: String) throws {
        let folder = Self.folder.appendingPathComponent("Refused")
        let text = try String(contentsOf: folder.appendingPathComponent(name + ".yaml"), encoding: .utf8)
        var message = "nothing: it was compiled"
        do {
            var inventory = Inventory()
            _ = try compile(try PolicySet(try decode(text, file: "policy.yaml")), generation: 1, inventory: &inventory)
        } catch {
            message = "\(error)"
        }
        try compare(message + "\n", folder.appendingPathComponent(name + ".txt"))
    }

    private func compare(_ found: String, _ file: URL) throws {
        if ProcessInfo.processInfo.environment["BULKHEAD_GOLDEN"] == "write" {
            try found.write(to: file, atomically: true, encoding: .utf8)
        }
        let expected = try String(contentsOf: file, encoding: .utf8)
        let place = zip(found.split(separator: "\n"), expected.split(separator: "\n")).first { $0 != $1 }
        #expect(found == expected, "\(file.path): \(place.map { "found \($0), expected \($1)" } ?? "another number of lines")")
    }

    /// The set as it judges: tiers, policies and rules in their order.
    private func checked(_ set: PolicySet) -> String {
        var lines = set.workloads.map { "workload \($0.name) \($0.addresses.map(\.description).joined(separator: " "))" }
        lines += set.addressSets.map { "addresses \($0.name), \($0.entries.count) entries" }
        for tier in set.orderedTiers {
            lines.append("tier \(tier.name), \(tier.layer.rawValue), \(tier.shape.rawValue), end \(tier.end.rawValue)")
            for policy in set.policies where policy.tier == tier.name {
                lines.append("  policy \(policy.name), \(policy.mode.rawValue)")
                for rule in policy.rules {
                    let key = rule.direction == .ingress ? "from" : "to"
                    let services = rule.services?.text ?? "all services"
                    lines.append("    \(rule.label): \(rule.action.rawValue) \(key) \(rule.peers.count) terms, \(services)")
                }
            }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// How large the image is, and every cause in it.
    private func compiled(_ compiled: Compiled) -> String {
        let figures = compiled.figures
        var lines = [
            "\(compiled.image.count) bytes, \(figures.labelClasses) label classes, \(figures.classes) classes, \(figures.prefixes) prefixes",
            "\(figures.rows) rows of \(figures.rowEntries) entries, \(figures.tables) tables of \(figures.intervals) intervals",
            "\(figures.records) records",
        ]
        lines += compiled.causes.causes.map { cause in
            let layers = cause.layers.map { layer in
                let what = [layer.tier, layer.policy, layer.rule, layer.end?.rawValue, layer.text].compactMap { $0 }
                return "\(layer.layer.rawValue) \(layer.decision) by \(what.joined(separator: " / "))"
            }
            let logged = cause.logged.map { "; logged by \($0.policy) / \($0.rule)" }.joined()
            return "cause: \(cause.side.rawValue) \(cause.decision): \(layers.joined(separator: "; "))\(logged)"
        }
        return lines.map { $0 + "\n" }.joined()
    }
}
