// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Telemetry

/// `bulkhead policy hits`.
struct PolicyHitsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hits", abstract: "Show how often each rule in force, and each value that it names, was hit.",
        discussion: """
            Counted are the connections that a rule decided, and below it for each block, alternative of a selector, zone, entity, account,
            entry of an address set and service that it names, those of them that the value held for; with the first and the last time.
            --unused-for leaves only rules and values that have been in force and counted for so long without a hit: what can be taken out.

              bulkhead policy hits --policy shop/db
              bulkhead policy hits --policy shop/db --rule sql-from-web
              bulkhead policy hits --unused-for 30d
              bulkhead policy hits --unused-for 30d --json | jq '.rules[] | {policy, rule, values: [.values[].value]}'

            Several values of a rule may hold for one connection, and each counts it. Records that were lost are in no count; how many
            that were is told at the end.
            """)

    @Option(name: .long, help: .init("Only the rules of this policy.", valueName: "namespace/policy"))
    var policy: String?

    @Option(name: .long, help: .init("Only the rules of this name or number.", valueName: "rule"))
    var rule: String?

    @Option(name: .long, help: .init("Only rules and values without a hit for so long: 12h, 30d.", valueName: "time"))
    var unusedFor: Seconds?

    @Flag(name: .long, help: "One JSON document for machines.")
    var json = false

    @OptionGroup var daemon: DaemonOptions

    func run() async throws {
        var query: [String] = []
        if let policy { query.append("policy=\(DaemonClient.escaped(policy))") }
        if let rule { query.append("rule=\(DaemonClient.escaped(rule))") }
        if let unusedFor { query.append("unused-for=\(unusedFor.count)") }
        let body = try await daemon.client.get("/v1/policy/hits" + (query.isEmpty ? "" : "?" + query.joined(separator: "&")))
        let report = try DaemonClient.decode(HitReport.self, body)
        if json { return say(body) }
        if !report.rules.isEmpty {
            say(Columns.text([["POLICY", "RULE", "SIDE", "ACTION", "HITS", "FIRST", "LAST"]] + report.rules.flatMap(Self.rows)))
        }
        say(report.ending(isUnusedWanted: unusedFor != nil))
    }

    private static func rows(_ rule: HitReport.Rule) -> [[String]] {
        let times = rule.note.map { ["", "not counted: \($0)"] } ?? Self.times(rule.hits, rule.first, rule.last, rule.since)
        let head = [rule.policy, rule.rule, rule.side, rule.action, rule.note == nil ? String(rule.hits) : "-"] + times
        return [head]
            + rule.values.map { value in
                ["", "", value.field, value.value, String(value.hits)]
                    + Self.times(value.hits, value.first, value.last, value.since, isRuleCounted: rule.note == nil)
            }
    }

    /// First and last; of what was never hit since when that is known.
    private static func times(
        _ hits: UInt64, _ first: String?, _ last: String?, _ since: String?, isRuleCounted: Bool = true
    ) -> [String] {
        if let first, let last { return [first.toSeconds, last.toSeconds] }
        return ["", since.map { "never since \($0.toSeconds)" } ?? (isRuleCounted ? "not counted: there is no room" : "")]
    }
}

extension String {
    /// A time without what is below seconds.
    fileprivate var toSeconds: String { String(prefix { $0 != "." }) + "Z" }
}

extension HitReport {
    /// What stands below the rules: how much there is, since when it is counted, and what is in no count.
    fileprivate func ending(isUnusedWanted: Bool) -> String {
        guard let began else { return "no policy has been in force yet" }
        let count = "\(rules.count) rule\(rules.count == 1 ? "" : "s")"
        var text = isUnusedWanted ? "\(count) with something unused" : count
        text += "; counted since \(began.toSeconds)"
        let parts = [
            (uncounted.lost, "in records that were lost"), (uncounted.elsewhere, "refused and told as a number only"),
            (uncounted.unknown, "of rules or values that are not known any more"), (uncounted.withoutRoom, "without room"),
        ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        return parts.isEmpty ? text : text + "; in no count: " + parts.joined(separator: ", ")
    }
}
