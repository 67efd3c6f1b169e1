// SPDX-License-Identifier: Apache-2.0
import Analysis
import Compiler
import Foundation
import Policy
import PolicyText
import Testing

@Suite struct Probes {
    private func session(_ text: String = sample, zones: [ZonePlacement] = []) throws -> ProbeSession {
        try ProbeSession(set: try PolicySet(try decode(text, file: "sample.yaml")), zones: zones, generation: 7)
    }

    private func answer(_ line: String, _ session: ProbeSession, now: UInt64 = 1_800_000_000) throws -> [String: Any] {
        let answer = session.answer(line: line, now: now)
        return try #require(try JSONSerialization.jsonObject(with: Data(answer.json.utf8)) as? [String: Any])
    }

    @Test func `the documented set gives its documented answer, key by key`() throws {
        let answer = try session().answer(
            line: #"{"from": "shop/web-1", "to": "shop/db-1", "protocol": "tcp", "port": 5432}"#, now: 0)
        #expect(!answer.isError)
        #expect(
            answer.json == #"{"decision": "allow", "#
                + #""egress": {"decision": "allow", "layer": "network", "tier": "default", "policy": "shop/web", "rule": "1", "end": null}, "#
                + #""ingress": {"decision": "allow", "layer": "network", "tier": "default", "policy": "shop/db", "#
                + #""rule": "sql-from-web", "end": null}, "#
                + #""cause": {"side": "ingress", "decision": "allow", "layer": "network", "tier": "default", "policy": "shop/db", "#
                + #""rule": "sql-from-web", "end": null, "generation": 7, "nearest": []}}"#)
    }

    @Test func `a default deny names the nearest rules and the terms that failed`() throws {
        let found = try answer(#"{"from": "shop/web-1", "to": "10.9.0.21", "protocol": "tcp", "port": 80}"#, session())
        #expect(found["decision"] as? String == "deny")
        let cause = try #require(found["cause"] as? [String: Any])
        #expect(cause["side"] as? String == "egress" && cause["end"] as? String == "namespace")
        let nearest = try #require(cause["nearest"] as? [[String: Any]])
        #expect(nearest.first?["policy"] as? String == "shop/web")
        #expect(nearest.first?["failed"] as? [String] == ["services: [tcp/5432]"])
        let ingress = try #require(found["ingress"] as? [String: Any])
        #expect(ingress["end"] as? String == "tier" && ingress["tier"] as? String == "default")
    }

    @Test(arguments: [
        (#"{"from": "shop/db-1", "to": "shop/web-1", "protocol": "tcp", "port": 5432}"#, "deny"),
        (#"{"from": "10.9.0.11", "to": "10.9.0.21", "protocol": 6, "port": 5432, "source_port": 1024}"#, "allow"),
        (#"{"from": "10.9.0.11", "to": "10.9.0.21", "protocol": "udp", "port": 5432}"#, "deny"),
        (#"{"from": "10.9.0.12", "to": "10.9.0.21", "protocol": "tcp", "port": 5432}"#, "deny"),
        (#"{"from": "shop/web-1", "to": "shop/db-1", "protocol": "icmp"}"#, "deny"),
        (#"{"from": "shop/web-1", "to": "10.9.0.11", "protocol": "tcp", "port": 1}"#, "allow"),
        (#"{"from": "192.0.2.1", "to": "192.0.2.2", "protocol": 47}"#, "deny"),
    ]) func `a probe is decided`(line: String, decision: String) throws {
        #expect(try answer(line, session())["decision"] as? String == decision)
    }

    @Test func `what no side judges has no side in its answer`() throws {
        let found = try answer(#"{"from": "192.0.2.1", "to": "192.0.2.2", "protocol": "tcp", "port": 1}"#, session())
        #expect(found["egress"] is NSNull && found["ingress"] is NSNull)
        let cause = try #require(found["cause"] as? [String: Any])
        #expect(cause["end"] as? String == "zones" && cause["side"] is NSNull && cause["layer"] as? String == "zone")
    }

    @Test(arguments: [
        ("", "the line is no JSON object of texts and whole numbers"),
        (#"{"to": "10.0.0.1", "protocol": "tcp", "port": 1}"#, #"the key "from" is missing"#),
        (#"{"from": "10.0.0.1", "to": "10.0.0.2", "protocol": "tcp"}"#, #"the key "port" is missing"#),
        (
            #"{"from": "10.0.0.1", "to": "10.0.0.2", "protocol": "tcp", "port": 65536}"#,
            #""port" must be a whole number from 0 to 65535"#
        ),
        (
            #"{"from": "shop/web-2", "to": "10.0.0.2", "protocol": "tcp", "port": 1}"#,
            #""from" is no address and no workload: "shop/web-2"; did you mean "shop/web-1"?"#
        ),
        (
            #"{"from": "10.0.0.1", "to": "10.0.0.2", "protocol": "tpc", "port": 1}"#,
            #"there is no protocol "tpc"; there are tcp, udp, sctp, icmp, icmp6 and 0 to 255"#
        ),
        (
            #"{"from": "10.0.0.1", "to": "10.0.0.2", "protocol": "tcp", "prot": 1}"#,
            #"there is no key "prot"; did you mean "port"?"#
        ),
        (
            #"{"from": "10.0.0.1", "to": "fd00::1", "protocol": "tcp", "port": 1}"#,
            #""10.0.0.1" and "fd00::1" have no address family in common"#
        ),
        (
            #"{"from": "10.0.0.1", "to": "10.0.0.2", "protocol": "tcp", "port": 1, "at": "now"}"#,
            #""at" must be a point in time, as 2027-01-31T18:00:00Z, not "now""#
        ),
    ]) func `a bad line is answered by its error`(line: String, message: String) throws {
        let session = try session()
        #expect(session.answer(line: line, now: 0).isError)
        #expect(try answer(line, session)["error"] as? String == message)
    }

    @Test func `a rule that expires stops deciding at its second`() throws {
        let text = sample.replacingOccurrences(
            of: "services: [sql]}", with: "services: [sql], expires: 2027-01-31T18:00:00Z}")
        let line = #"{"from": "shop/web-1", "to": "shop/db-1", "protocol": "tcp", "port": 5432, "at": "TIME"}"#
        let session = try session(text)
        for (time, decision) in [("2027-01-31T17:59:59Z", "allow"), ("2027-01-31T19:00:00+01:00", "deny")] {
            let found = try answer(line.replacingOccurrences(of: "TIME", with: time), session)
            #expect(found["decision"] as? String == decision)
        }
    }

    @Test func `zones that the configuration places are the zones that workloads name`() throws {
        let placed = try session(zones: [ZonePlacement(zone: "lan", pair: 0, port: 0)])
        let line = #"{"from": "10.9.0.11", "to": "10.9.0.21", "protocol": "tcp", "port": 5432, "zone_from": "ZONE"}"#
        #expect(try answer(line.replacingOccurrences(of: "ZONE", with: "lan"), placed)["decision"] as? String == "allow")
        let elsewhere = try answer(line.replacingOccurrences(of: "ZONE", with: "default"), placed)
        #expect(elsewhere["decision"] as? String == "deny" && elsewhere["egress"] is NSNull)
        #expect(try answer(line.replacingOccurrences(of: "ZONE", with: "lna"), placed)["error"] != nil)
    }
}
