// SPDX-License-Identifier: Apache-2.0
import Analysis
import Compiler
import Foundation
import Net
import Policy
import PolicyText
import TestSupport
import Testing
import Trace

/// A frame that has not come, and what becomes of it.
@Suite("Tracer") struct TracerTests {
    static let documents =
        PolicySample.twoZones + """

            ---
            apiVersion: bulkhead/v1
            kind: Policy
            metadata: {name: all}
            spec:
              rules:
                - {name: web-in, action: allow, from: {}, services: [tcp/443, icmp/8.0, sctp/36412, "47"]}
                - {name: web-out, action: allow, to: {}, services: [tcp/443, icmp/8.0, sctp/36412, "47"]}
                - {action: reject, from: {zones: [lan]}, services: [udp/53]}
                - {action: allow, to: {}, services: [udp/53, udp/5353]}
            """

    /// The set, with a pair between both zones where `isPlaced`.
    static func surroundings(isPlaced: Bool = true) throws -> Surroundings {
        Surroundings(
            set: try PolicySet(try decode(documents, file: "policy.yaml")),
            zones: isPlaced ? [.init(zone: "lan", pair: 0, port: 0), .init(zone: "wan", pair: 0, port: 1)] : [],
            ports: isPlaced ? [["lan0", "wan0"]] : [])
    }

    static let time: UInt64 = 1_700_000_000

    private func trace(_ words: String, flags: TCPFlags = .syn, _ tracer: Tracer) throws -> FrameTrace {
        try tracer.trace(Hypothesis(Tuple([words]), flags: flags, time: Self.time))
    }

    @Test func `an allowed first frame is followed from its bytes to its verdict`() throws {
        let trace = try trace("web:40000 db tcp/443", Tracer(try Self.surroundings()))
        #expect(trace.verdict == .forward && trace.flow?.state == "synSent")
        #expect(trace.steps.map(\.name) == ["frame", "reading", "checksum", "zones", "owners", "flow", "judgement", "verdict"])
        // All but the frame, which is only there, are measured.
        #expect(trace.steps.dropFirst().allSatisfy { $0.nanoseconds ?? 0 > 0 })
        let words = Dictionary(uniqueKeysWithValues: trace.steps.map { ($0.name, $0.words) })
        #expect(words["reading"]?.hasPrefix("tcp 10.9.0.11:40000 > 10.9.0.21:443, SYN") == true)
        #expect(words["checksum"] == "right" && words["zones"] == "lan -> wan")
        #expect(words["owners"]?.contains("10.9.0.11 is web") == true && words["owners"]?.contains("10.9.0.21 is db") == true)
        #expect(words["flow"]?.hasSuffix("opens a flow in state synSent") == true)
        #expect(words["judgement"]?.hasPrefix("allow by egress record") == true)
        #expect(trace.explanation?.sides.map(\.side) == ["egress", "ingress"])
        let lines = trace.lines(Style(width: 200)).joined(separator: "\n")
        #expect(
            lines.contains("policy all rule web-in (policy.yaml:") && lines.contains("sight: the appliance sees this traffic"))
    }

    @Test func `a refused frame tells the nearest rule, and what its sender is told`() throws {
        let tracer = try Tracer(try Self.surroundings())
        let denied = try trace("web:40000 db tcp/22", tracer)
        #expect(denied.verdict == .drop(.denied) && denied.flow == nil && denied.replies.isEmpty)
        #expect(denied.explanation?.sides.first?.nearest.isEmpty == false)
        let rejected = try trace("udp web:40000 db:53", tracer)
        #expect(rejected.verdict == .reject(.denied))
        #expect(rejected.replies.count == 1 && rejected.replies[0].contains("type 3"), "\(rejected.replies)")
    }

    @Test func `a segment from the middle opens nothing, unless it may be picked up`() throws {
        var surroundings = try Self.surroundings()
        #expect(try trace("web:40000 db tcp/443", flags: .ack, Tracer(surroundings)).verdict == .drop(.notOpening))
        surroundings.isInGrace = true
        let picked = try trace("web:40000 db tcp/443", flags: .ack, Tracer(surroundings))
        #expect(picked.verdict == .forward && picked.flow?.state == "established")
        (surroundings.isInGrace, surroundings.flows.pickUp) = (false, FlowSettings.PickUp.always.rawValue)
        #expect(try trace("web:40000 db tcp/443", flags: .ack, Tracer(surroundings)).verdict == .forward)
        #expect(try trace("web:40000 db tcp/22", flags: .ack, Tracer(surroundings)).verdict == .drop(.denied))
    }

    @Test func `zones that no configuration places have a pair that stands for them`() throws {
        let trace = try trace("web:40000 db tcp/443", Tracer(try Self.surroundings(isPlaced: false)))
        #expect(trace.verdict == .forward)
        #expect(trace.steps[0].words.contains("stands for whatever port") && trace.steps[3].words == "lan -> wan")
    }

    @Test func `a port says which zones lie on its sides, and a source from elsewhere is spoofed`() throws {
        let tracer = try Tracer(try Self.surroundings())
        var hypothesis = Hypothesis(try Tuple(["web:40000 db tcp/443"]), time: Self.time)
        hypothesis.port = try tracer.surroundings.port(named: "wan0")
        let trace = try tracer.trace(hypothesis)
        #expect(trace.verdict == .drop(.spoofed))
        #expect(trace.steps.first { $0.name == "zones" }?.words == "wan -> lan")
        #expect(trace.explanation?.settled?.hasPrefix("spoofed") == true)
        let error = #expect(throws: TraceError.self) { try tracer.surroundings.port(named: "lan1") }
        #expect(error?.description == "there is no port \"lan1\"; there are lan0, wan0")
    }

    @Test func `tags and tunnels are around the frame that is made`() throws {
        let tracer = try Tracer(try Self.surroundings())
        var tuple = try Tuple(["web:40000 db tcp/443"])
        tuple.vlans = [10, 20]
        let tagged = try tracer.trace(Hypothesis(tuple, time: Self.time))
        #expect(tagged.steps[1].words.hasSuffix("VLAN 10 in 20"), "\(tagged.steps[1].words)")
        #expect(tagged.verdict == .forward)
        for (name, carries) in [
            ("vxlan:42", "vxlan 42"), ("geneve:7", "geneve 7"), ("gre:5", "gre 5"), ("gre", "gre 0"), ("ipip", "ipip 0"),
        ] {
            tuple.vlans = []
            tuple.tunnel = try #require(Tunnel(named: name))
            var hypothesis = Hypothesis(tuple, time: Self.time)
            #expect(throws: TraceError.self) { try tracer.trace(hypothesis) }
            for (from, to) in [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")] {
                hypothesis.around = .init(source: try #require(Address(from)), destination: try #require(Address(to)))
                let trace = try tracer.trace(hypothesis)
                #expect(
                    trace.steps[1].words.contains("\(from)") && trace.steps[1].words.contains("carries \(carries)"),
                    "\(trace.steps[1].words)")
                #expect(["right", "absent"].contains(trace.steps[2].words), "\(name): \(trace.steps[2].words)")
            }
        }
    }

    @Test func `what is inside of a tunnel is read where a zone lies there`() throws {
        var surroundings = try Self.surroundings()
        surroundings.zones = [
            .init(zone: "lan", pair: 0, port: 0, tunnel: 42), .init(zone: "wan", pair: 0, port: 1, tunnel: 42),
        ]
        let tracer = try Tracer(surroundings)
        var tuple = try Tuple(["web:40000 db tcp/443"])
        tuple.tunnel = Tunnel(.vxlan, identifier: 42, depth: 1)
        var hypothesis = Hypothesis(tuple, time: Self.time)
        hypothesis.around = .init(source: Address(v4: 0xc000_0201), destination: Address(v4: 0xc000_0202))
        let trace = try tracer.trace(hypothesis)
        #expect(trace.steps.map(\.name).starts(with: ["frame", "reading", "inside"]))
        #expect(trace.steps[2].words.contains("in vxlan 42"))
        #expect(trace.explanation?.decision == .allow)
        // The tunnel's own packets are judged as well, and nobody allows those.
        #expect(trace.verdict != .forward)
    }

    @Test(arguments: [
        ("", DropReason.truncated), ("00", .truncated), (String(repeating: "00", count: 60), .badLink),
    ]) func `bytes that are no frame are told as such`(hex: String, _: DropReason) throws {
        let bytes = stride(from: 0, to: hex.count, by: 2).map { _ in UInt8(0) }
        let trace = try Tracer(try Self.surroundings()).trace(Hypothesis(frame: bytes, time: Self.time))
        guard case .drop = trace.verdict else { Issue.record("\(trace.verdict)"); return }
        #expect(trace.explanation == nil)
    }

    @Test func `any bytes have a way and an end`() throws {
        let tracer = try Tracer(try Self.surroundings())
        let first = try tracer.trace(Hypothesis(Tuple(["web:40000 db tcp/443"]), time: Self.time)).frame
        let seed: UInt64 = 0x7ace_f4a3
        var random = PacketRandom(seed: seed)
        for round in 0..<60 {
            let frame = random.mutated(first)
            let trace = try tracer.trace(Hypothesis(frame: frame, time: Self.time))
            #expect(trace.steps.first?.name == "frame" && trace.steps.last?.name == "verdict", "seed \(seed), round \(round)")
            #expect(trace.frame == frame && !trace.lines(Style()).isEmpty)
        }
    }

    @Test func `JSON has every step and the whole explanation`() throws {
        let trace = try trace("web:40000 db tcp/443", Tracer(try Self.surroundings()))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(trace.json.line.utf8)) as? [String: Any])
        let steps = try #require(object["steps"] as? [[String: Any]])
        #expect(object["verdict"] as? String == "forward" && object["reason"] is NSNull)
        #expect(steps.map { $0["step"] as? String } == trace.steps.map(\.name))
        #expect((object["explanation"] as? [String: Any])?["decision"] as? String == "allow")
        #expect((object["frame"] as? String)?.count == 2 * trace.frame.count)
    }
}
