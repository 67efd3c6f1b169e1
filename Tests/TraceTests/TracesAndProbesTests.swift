// SPDX-License-Identifier: Apache-2.0
import Analysis
import Foundation
import Net
import Policy
import PolicyText
import TestSupport
import Testing
import Trace

/// The same question asked of `policy probe` and of `trace`: a frame that is made for a connection gets what the connection gets.
@Suite("Traces and probes") struct TracesAndProbes {
    private static let hosts = [
        "10.9.0.11", "10.9.0.21", "10.9.0.31", "10.9.1.4", "192.0.2.1", "192.0.2.2", "fd00::11", "fd00::21", "2001:db8::1",
    ]
    private static let services: [(name: String, text: String, port: UInt16?)] = [
        ("tcp", "tcp/443", 443), ("tcp", "tcp/22", 22), ("udp", "udp/53", 53), ("udp", "udp/5353", 5353),
        ("sctp", "sctp/36412", 36_412),
        ("icmp", "icmp/8.0", nil), ("icmp6", "icmp6/128.0", nil), ("47", "47", nil), ("50", "50", nil),
    ]
    private static let zones: [String?] = [nil, "lan", "wan", "default"]

    @Test func `the verdict on a made frame is the probe's decision, between any hosts and zones`() throws {
        var random = PacketRandom(seed: 0x7ace)
        let surroundings = try TracerTests.surroundings()
        let tracer = try Tracer(surroundings)
        let session = try ProbeSession(set: surroundings.set, zones: surroundings.zones)
        var met: [String: Int] = [:]
        for round in 0..<400 {
            let (from, to) = (Self.hosts.randomElement(using: &random)!, Self.hosts.randomElement(using: &random)!)
            let service = Self.services.randomElement(using: &random)!
            guard from != to, Self.isPossible(from, to, service.name) else { continue }
            let (zoneFrom, zoneTo) = (Self.zones.randomElement(using: &random)!, Self.zones.randomElement(using: &random)!)
            // Each from a port of its own, as nothing is known of it.
            let port = UInt16(20_000 + round)
            var tuple = try Tuple(["\(from) \(to) \(service.text)"])
            tuple.sourcePort = port
            var hypothesis = Hypothesis(tuple, time: TracerTests.time)
            (hypothesis.zoneFrom, hypothesis.zoneTo) = (zoneFrom, zoneTo)
            let trace = try tracer.trace(hypothesis)
            let answer = session.answer(line: Self.line(from, to, service, port, zoneFrom, zoneTo), now: TracerTests.time)
            let expected = try Self.verdict(answer.json)
            #expect(trace.verdict == expected, "seed 0x7ace, round \(round): \(from) \(to) \(service.text)\n\(answer.json)")
            #expect(trace.explanation.map { "\($0.decision)" } == Self.decision(answer.json))
            met["\(trace.verdict)", default: 0] += 1
        }
        for verdict in [Verdict.forward, .drop(.denied), .drop(.unjudged), .drop(.spoofed), .reject(.denied)] {
            #expect(met["\(verdict)", default: 0] > 3, "\(verdict) is not met often enough: \(met)")
        }
    }

    private static func isPossible(_ from: String, _ to: String, _ number: String) -> Bool {
        let isIPv4 = !from.contains(":")
        guard isIPv4 == !to.contains(":") else { return false }
        return number == "icmp" ? isIPv4 : number == "icmp6" ? !isIPv4 : true
    }

    private static func line(
        _ from: String, _ to: String, _ service: (name: String, text: String, port: UInt16?), _ port: UInt16, _ zoneFrom: String?,
        _ zoneTo: String?
    ) -> String {
        var fields = [#""from": "\#(from)""#, #""to": "\#(to)""#]
        fields.append(UInt8(service.name) != nil ? #""protocol": \#(service.name)"# : #""protocol": "\#(service.name)""#)
        if let wanted = service.port { fields += [#""port": \#(wanted)"#, #""source_port": \#(port)"#] }
        if let zoneFrom { fields.append(#""zone_from": "\#(zoneFrom)""#) }
        if let zoneTo { fields.append(#""zone_to": "\#(zoneTo)""#) }
        return "{" + fields.joined(separator: ", ") + "}"
    }

    private static func fields(_ answer: String) -> [String: Any]? {
        (try? JSONSerialization.jsonObject(with: Data(answer.utf8))) as? [String: Any]
    }

    private static func decision(_ answer: String) -> String? { fields(answer)?["decision"] as? String }

    /// What the data path would do, by what the probe answered.
    private static func verdict(_ answer: String) throws -> Verdict {
        let end = (fields(answer)?["cause"] as? [String: Any])?["end"] as? String
        let reason: DropReason = end == "spoofed" ? .spoofed : end == "zones" ? .unjudged : .denied
        switch try #require(decision(answer), "\(answer)") {
        case "allow": return .forward
        case "reject": return .reject(reason)
        default: return .drop(reason)
        }
    }
}
