// SPDX-License-Identifier: Apache-2.0
import Analysis
import Classifier
import Compiler
import Foundation
import Net
import Policy
import PolicyText
import Replay
import TestSupport
import Testing

/// The same question asked twice: of `policy probe`, and of the data path by a first frame.
@Suite("Probes and frames") struct ProbesAndFrames {
    private static let documents =
        PolicySample.twoZones + """

            ---
            apiVersion: bulkhead/v1
            kind: Workload
            metadata: {name: guest-of-farm, labels: {app: db}}
            spec: {addresses: [10.9.1.5], zones: [wan]}
            ---
            apiVersion: bulkhead/v1
            kind: Policy
            metadata: {name: all}
            spec:
              rules:
                - {action: allow, from: {}, services: [tcp/443]}
                - {action: allow, to: {}, services: [tcp/443]}
                - {action: reject, from: {zones: [lan]}, services: [udp/53]}
                - {action: allow, to: {}, services: [udp/53, udp/5353]}
            """
    private static let hosts = ["10.9.0.11", "10.9.0.21", "10.9.0.31", "10.9.1.4", "10.9.1.5", "192.0.2.1"]
    private static let zones = ["default", "lan", "wan"]

    /// The zones of a capture in which one address is the source's, and all others are in the destination's zone.
    private func places(_ source: String, _ from: String, _ to: String) throws -> ZonesOfCapture {
        // One address more in each zone, so that the zones have the same numbers in every capture.
        let fixed = Self.zones.enumerated().map { (Prefix(host: Address(v4: UInt32(0xc633_6400 + $0))), $1) }
        let all = try [(#require(Prefix("\(source)/32")), from), (#require(Prefix("0.0.0.0/0")), to)] + fixed
        return try ZonesOfCapture(
            all.map { ZonesOfCapture.Assignment(prefix: $0.0, zone: $0.1) }, ports: [], implicit: Zone.implicit)
    }

    /// What the data path would do, by what the probe answered.
    private func verdict(_ answer: String, isGroup: Bool) throws -> Verdict {
        let json = try #require(try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any])
        let end = (json["cause"] as? [String: Any])?["end"] as? String
        let reason: DropReason = end == "spoofed" ? .spoofed : end == "zones" ? .unjudged : .denied
        switch try #require(json["decision"] as? String, "\(answer)") {
        case "allow": return .forward
        case "reject" where !isGroup: return .reject(reason)
        default: return .drop(reason)
        }
    }

    @Test func `what a probe answers is what becomes of a first frame, in whatever zones both ends are`() throws {
        let set = try PolicySet(try decode(Self.documents, file: "policy.yaml"))
        let placements = try places("192.0.2.1", "lan", "wan").placements.map {
            ZonePlacement(zone: $0.zone, pair: $0.pair, port: $0.port)
        }
        var inventory = Inventory()
        let compiled = try compile(set, zones: placements, generation: 1, inventory: &inventory)
        let policy = try ReplayPolicy(image: compiled.image, addresses: 16) { (writer) throws(AddressMapError) in
            try inventory.feed(compiled.set, into: &writer, afresh: true)
        }
        let session = try ProbeSession(set: set, zones: placements)
        var met: [String: Int] = [:]
        for source in Self.hosts {
            for (from, to) in Self.zones.flatMap({ from in Self.zones.map { (from, $0) } }) {
                let questions = Self.questions(from: source)
                var capture = CaptureBytes()
                for question in questions { capture.add(question.frame, at: 0) }
                let places = try places(source, from, to)
                let found = try capture.written { path in
                    var replay = try Replay(capture: path, policy: policy, zones: places, flows: 4096)
                    var verdicts: [Verdict] = []
                    try replay.run { verdicts.append($0.verdict) }
                    return verdicts
                }
                for (question, verdict) in zip(questions, found) {
                    let answer = session.answer(line: question.line(from, to), now: 1_700_000_000)
                    let expected = try self.verdict(answer.json, isGroup: question.isGroup)
                    #expect(verdict == expected, "\(question.line(from, to))\n\(answer.json)")
                    met["\(verdict)", default: 0] += 1
                }
            }
        }
        for verdict in [Verdict.forward, .drop(.spoofed), .drop(.denied), .drop(.unjudged), .reject(.denied)] {
            #expect(met["\(verdict)", default: 0] > 10, "\(verdict) is not met often enough: \(met)")
        }
    }

    /// A first frame, and the same as a probe.
    private struct Question {
        var source: String
        var destination: String
        var name: String
        var port: UInt16
        var sourcePort: UInt16

        var isGroup: Bool { destination.hasPrefix("224.") }

        var frame: Packet {
            let link = isGroup ? Ethernet(to: "01:00:5e:00:00:fb") : Ethernet()
            let network = IPv4(from: Address(source) ?? .init(v4: 0), to: Address(destination) ?? .init(v4: 0))
            return name == "tcp"
                ? link / network / TCP(from: sourcePort, to: port, [.syn])
                : link / network / UDP(from: sourcePort, to: port) / Payload("?")
        }

        func line(_ from: String, _ to: String) -> String {
            #"{"from": "\#(source)", "to": "\#(destination)", "protocol": "\#(name)", "port": \#(port), "#
                + #""source_port": \#(sourcePort), "zone_from": "\#(from)", "zone_to": "\#(to)"}"#
        }
    }

    /// Everybody else for every service, each from a port of its own; nobody connects to a group.
    private static func questions(from source: String) -> [Question] {
        var questions: [Question] = []
        for destination in hosts + ["224.0.0.251"] where destination != source {
            for (name, port) in [("tcp", 443), ("tcp", 22), ("udp", 53), ("udp", 5353)] as [(String, UInt16)]
            where name == "udp" || !destination.hasPrefix("224.") {
                questions.append(
                    Question(
                        source: source, destination: destination, name: name, port: port,
                        sourcePort: 40_000 + UInt16(questions.count)))
            }
        }
        return questions
    }
}
