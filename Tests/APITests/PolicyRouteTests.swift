// SPDX-License-Identifier: Apache-2.0
import API
import Compiler
import Foundation
import Net
import Policy
import PolicyText
import Testing

@Suite struct PolicyRoute {
    private static let text = """
        apiVersion: bulkhead/v1
        kind: Workload
        metadata: {name: db-1, namespace: shop, labels: {app: db}}
        spec: {addresses: [10.9.0.21], services: {sql: tcp/5432}}
        ---
        apiVersion: bulkhead/v1
        kind: Policy
        metadata: {name: db, namespace: shop}
        spec:
          subject: {selector: 'app == "db"'}
          rules:
            - {name: sql, action: allow, from: {cidrs: [10.0.0.0/8]}, services: [sql]}
        """
    private static let zones = [ZonePlacement(zone: "lan", pair: 0, port: 1, vlans: VLANTags(outer: 7, inner: 0))]

    @Test func `the set in force is told with its places and its zones`() async throws {
        let set = try PolicySet(try decode(Self.text, file: "shop.yaml"))
        let report = PolicyReport(generation: 9, set: set, zones: Self.zones)
        try await withServer(policy: report) { path in
            let client = try #require(UnixClient(path))
            client.send("GET", "/v1/policy")
            let answer = client.read()
            #expect(answer.hasPrefix("HTTP/1.1 200 OK"))
            let body = try #require(answer.range(of: "\r\n\r\n")).upperBound
            let told = try JSONDecoder().decode(PolicyReport.self, from: Data(answer[body...].utf8))
            #expect(told.generation == 9 && told.placements == Self.zones)
            let read = try told.set()
            #expect(read.documents.map(\.yaml) == set.documents.map(\.yaml))
            #expect(read.policies[0].rules[0].place == set.policies[0].rules[0].place)
            #expect(read.workloads[0].place == Place(file: "shop.yaml", line: 1, column: 1))
        }
    }

    @Test func `what no policy can close is told so that a client's analysis knows of it`() throws {
        var term = Term()
        (term.cidrs, term.zones) = (["10.0.0.0/8"].compactMap { Prefix($0) }, ["lan"])
        let failsafe = Failsafe(
            addresses: ["192.0.2.1", "2001:db8::1"].compactMap { Prefix($0) },
            box: [.init("ssh", services: [ServiceRange(.tcp, ports: 22...22)], from: term)],
            transit: [.init("odd", services: [ServiceRange(first: 5, end: 0x60000)], to: term)])
        let set = try PolicySet(try decode(Self.text, file: "shop.yaml"))
        let report = PolicyReport(generation: 9, set: set, zones: [], failsafe: failsafe)
        #expect(report.failsafe?.box.first?.services == ["tcp/22"] && report.failsafe?.transit.first?.services == ["5..<393216"])
        let told = try JSONDecoder().decode(PolicyReport.self, from: try JSONEncoder().encode(report))
        let read = try #require(try told.failsafe?.failsafe())
        #expect(read.addresses == failsafe.addresses && read.box == failsafe.box && read.transit == failsafe.transit)
        // A daemon that does not say keeps nothing open, as far as a client knows.
        var silent = told
        silent.failsafe = nil
        #expect(try JSONDecoder().decode(PolicyReport.self, from: try JSONEncoder().encode(silent)).failsafe == nil)
    }

    @Test func `before anything is in force the client is asked to try again`() async throws {
        try await withServer { path in
            let client = try #require(UnixClient(path))
            client.send("GET", "/v1/policy")
            let answer = client.read()
            #expect(answer.hasPrefix("HTTP/1.1 503") && answer.contains("try again in a moment"))
        }
    }
}
