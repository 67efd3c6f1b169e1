// SPDX-License-Identifier: Apache-2.0
import API
import Foundation
import Net
import Record
import Telemetry
import Testing

/// A shadow run as clients see it.
@Suite struct ShadowRoutes {
    private func report(_ path: String, _ query: String) throws -> (status: Int, report: ShadowReport?) {
        let client = try #require(UnixClient(path))
        client.send("GET", "/v1/policy/shadow" + query)
        let answer = client.answer()
        return (answer.status, try? JSONDecoder().decode(ShadowReport.self, from: Data(answer.body.utf8)))
    }

    @Test func `rows are found by their effect, and by conditions that hold for a whole row`() async throws {
        try await withServer { path in
            #expect(try report(path, "").report?.rows.map(\.service) == ["tcp/443", "tcp/80"])
            let one = try report(path, "?limit=1").report
            #expect(one?.rows.count == 1 && one?.rowCount == 2 && one?.counts.judged == 4)
            #expect(try report(path, "?effect=opens").report?.rows.map(\.service) == ["tcp/80"])
            #expect(try report(path, "?decision=allow").report?.rows.map(\.service) == ["tcp/443"])
            #expect(try report(path, "?not-protocol=tcp").report?.rowCount == 0)
            for wrong in ["?effect=none", "?limit=0", "?from=shop/", "?since=1", "?port=443", "?ip=10.0.0.1", "?nobody=1"] {
                #expect(try report(path, wrong).status == 400, "\(wrong)")
            }
        }
    }

    @Test func `connections are found by every condition of flows`() async throws {
        try await withServer { path in
            for (query, count) in [("", 3), ("?port=443", 2), ("?effect=opens", 1), ("?last=1", 1), ("?since=1", 0)] {
                let client = try #require(UnixClient(path))
                client.send("GET", "/v1/policy/shadow/flows" + query)
                let answer = client.answer()
                struct Recent: Decodable { let flows: [FlowReport] }
                let flows = try JSONDecoder().decode(Recent.self, from: Data(answer.body.utf8)).flows
                #expect(flows.count == count && flows.allSatisfy { $0.candidate != nil }, "\(query)")
            }
        }
    }

    @Test func `without a run there is nothing to tell`() async throws {
        try await withServer(slot: ShadowSlot()) { path in
            let found = try ["", "/flows", "/flows?follow=true"].map { try report(path, $0).status }
            #expect(found == [404, 404, 404])
        }
    }

    @Test func `a follower is told how the run ended`() async throws {
        let (slot, run) = (ShadowSlot(), shadowRun())
        slot.begin(run)
        try await withServer(slot: slot) { path in
            let client = try #require(UnixClient(path))
            client.send("GET", "/v1/policy/shadow/flows?follow=true")
            #expect(client.read { $0.contains("stream open") }.contains("200"))
            run.finish(.over)
            let rest = client.read { $0.contains("its time is over") }
            #expect(rest.contains("event: over\ndata: {\"end\":\"its time is over\"}"), "\(rest)")
            #expect(try report(path, "").report?.state == "over")
        }
    }
}
