// SPDX-License-Identifier: Apache-2.0
import Analysis
import Classifier
import Compiler
import Foundation
import Net
import Policy
import PolicyText
import Record
import Telemetry
import Testing

@testable import Control

/// Random numbers that a seed repeats (SplitMix64).
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }

    mutating func pick<Item>(_ items: [Item]) -> Item { items[Int.random(in: 0..<items.count, using: &self)] }
}

/// Small sets in which everything meets that a shadowed candidate can be asked about, as texts.
private struct CandidateSets {
    var random: Seeded
    static let hosts = ["10.1.0.1", "10.1.0.2", "10.2.0.1", "10.2.0.2", "192.0.2.1", "fd00::1", "224.0.0.251"]
    private let times = ["2020-01-01T00:00:00Z", "2090-01-01T00:00:00Z"]

    mutating func text() -> String {
        var documents = [
            "kind: Zone\nmetadata: {name: lan}\nspec: {unjudged: \(random.pick(["deny", "allow", "audit"]))}",
            "kind: Zone\nmetadata: {name: wan}",
            "kind: Namespace\nmetadata: {name: a}\nspec: {defaults: {ingress: \(random.pick(["deny", "allow", "audit"]))}}",
            "kind: Tier\nmetadata: {name: early}\nspec: {order: 1, end: \(random.pick(["deny", "pass", "audit"]))}",
        ]
        for (number, host) in Self.hosts.prefix(4).enumerated() where Bool.random(using: &random) {
            let zones = random.pick(["", "", ", zones: [lan]", ", zones: [wan]"])
            documents.append(
                "kind: Workload\nmetadata: {name: w\(number), namespace: a, labels: {app: \(random.pick(["web", "db"]))}}\n"
                    + "spec: {addresses: [\(host)]\(zones)}")
        }
        if Bool.random(using: &random) {
            documents.append(
                "kind: Workload\nmetadata: {name: block, namespace: a, labels: {app: net}}\nspec: {addresses: [10.2.0.0/24]}")
        }
        for number in 0..<Int.random(in: 1...4, using: &random) { documents.append(policy(number)) }
        return documents.map { "apiVersion: bulkhead/v1\n\($0)\n" }.joined(separator: "---\n")
    }

    private mutating func policy(_ number: Int) -> String {
        let rules = (0..<Int.random(in: 1...3, using: &random)).map { _ in rule() }
        return "kind: Policy\nmetadata: {name: p\(number), namespace: a}\nspec:\n  tier: \(random.pick(["default", "early"]))\n"
            + "  subject: {selector: '\(random.pick(["app == \"web\"", "app == \"db\"", "all()"]))'}\n"
            + "  isolates: {ingress: \(random.pick(["none", "all", "[tcp/80]"]))}\n  rules:\n"
            + rules.map { "    - {\($0)}\n" }.joined()
    }

    private mutating func rule() -> String {
        let term = random.pick([
            "{}", "{selector: 'app == \"web\"'}", "{cidrs: [10.0.0.0/8]}", "{entities: [outside]}", "{zones: [wan]}",
            "{cidrs: [10.1.0.2/32, \"fd00::/64\"]}",
        ])
        let services = random.pick(["any", "tcp/80", "tcp/1-1000", "udp/53", "icmp/8.0"])
        var rule = "action: \(random.pick(["allow", "allow", "deny", "reject", "pass"])), \(random.pick(["from", "to"])): \(term)"
        rule +=
            Int.random(in: 0..<6, using: &random) == 0
            ? ", services: [{service: tcp/80, sourcePorts: [1000-2000]}]" : ", services: [\(services)]"
        if Int.random(in: 0..<4, using: &random) == 0 { rule += ", mode: audit" }
        if Int.random(in: 0..<4, using: &random) == 0 { rule += ", expires: \"\(random.pick(times))\"" }
        return rule
    }
}

@Suite struct ShadowParity {
    private static let services: [(word: String, number: IPProtocol, port: UInt16)] = [
        ("tcp", .tcp, 80), ("tcp", .tcp, 443), ("udp", .udp, 53), ("icmp", .icmp, 0x0800),
    ]
    private static let now: UInt64 = 1_800_000_000

    @Test func `a candidate decides what probe says, with the same cause, over random sets`() throws {
        let seed = ProcessInfo.processInfo.environment["BULKHEAD_SEED"].flatMap(UInt64.init) ?? .random(in: 0...999_999)
        print("seed \(seed)")
        var sets = CandidateSets(random: Seeded(state: seed))
        var decisions: Set<Decision> = []
        // Twelve sets, and as many more as it takes to see each decision; sets without a word of rejection are not rare.
        for number in 0..<60 where number < 12 || decisions.count < Decision.allCases.count {
            let text = sets.text()
            let folder = try BenchFolder(text, more: "zones: {lan: {port: left}, wan: {port: right}}\n")
            let configuration = try Configuration.load(folder.path("bulkhead.yaml"))
            let zones = try PolicySource.placements(configuration.zones, configuration.ports)
            let set = try PolicySet(try decode(text, file: "set.yaml"))
            let publication = try Publication(
                .init(set: set, configuration: configuration, zones: zones, generation: 5, inventory: Inventory()))
            let (reader, probe) = (try publication.reader(), try ProbeSession(set: set, zones: zones))
            for from in CandidateSets.hosts.dropLast() {
                for to in CandidateSets.hosts where from.contains(":") == to.contains(":") {
                    for port in UInt8(0)...1 {
                        for service in Self.services {
                            decisions.insert(try compare(reader, probe, from, to, port, service, text))
                        }
                    }
                }
            }
        }
        #expect(decisions == Set(Decision.allCases))
    }

    private func compare(
        _ reader: SnapshotReader, _ probe: ProbeSession, _ from: String, _ to: String, _ port: UInt8,
        _ service: (word: String, number: IPProtocol, port: UInt16), _ text: String
    ) throws -> Decision {
        var record = FlowRecord()
        (record.source, record.destination) = (try #require(Address(from)), try #require(Address(to)))
        (record.sourcePort, record.destinationPort, record.protocolNumber) = (1500, service.port, service.number.rawValue)
        record.port = port
        let judgement = reader.judge(record, at: Self.now)
        let event = FlowDecoder(pairs: []).decode(record, wallOffset: Int64(Self.now) * 1_000_000_000)
        let candidate = reader.event(event, judged: judgement)
        let zones = port == 0 ? ("lan", "wan") : ("wan", "lan")
        let what = service.number == .icmp ? "\"type\": 8, \"code\": 0" : "\"port\": \(service.port), \"source_port\": 1500"
        let line =
            "{\"from\": \"\(from)\", \"to\": \"\(to)\", \"protocol\": \"\(service.word)\", \(what), "
            + "\"zone_from\": \"\(zones.0)\", \"zone_to\": \"\(zones.1)\"}"
        struct Answer: Decodable {
            struct Cause: Decodable {
                let policy, rule, end: String?
            }
            let decision: String
            let cause: Cause
        }
        let answer = try JSONDecoder().decode(Answer.self, from: Data(probe.answer(line: line, now: Self.now).json.utf8))
        #expect(answer.decision == "\(judgement.decision)", "\(line)\n\(text)")
        guard answer.cause.end != "spoofed" else {
            #expect(candidate.reason == .spoofed && candidate.cause == nil)
            return judgement.decision
        }
        let cause = candidate.cause?.deciding
        #expect(
            cause?.policy == answer.cause.policy && cause?.rule == answer.cause.rule && cause?.end?.rawValue == answer.cause.end,
            "\(line): \(String(describing: cause)) \(answer.cause)\n\(text)")
        return judgement.decision
    }
}
