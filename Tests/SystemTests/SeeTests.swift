// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension SystemTests.SideBySide {
    /// What passes and what does not, as operators ask for it: flows live and from the store, the map, the log file.
    @Suite struct Seeing {
        private static let records = "records: {interval: 1s, file: {path: control/flows.jsonl, megabytes: 1, keep: 8}}"

        @Test func `flows are found by their conditions, with their names, also by a control that has started anew`() throws {
            // The end of a connection is told when its entry goes: soon behind the second FIN.
            let lab = try Lab(.init(flows: ", timeouts: {tcp-closed: 1s}", configuration: "records: {interval: 1s}"))
            defer { lab.remove() }
            let run = try lab.start()
            let live = try LiveConnections(lab, count: 2, ports: [Lab.allowedPort])
            for _ in 0..<3 {
                _ = try live.census()
                pause(1)
            }
            try lab.attempt(port: Lab.deniedPort)
            try live.end()
            try eventually("the end of both connections", within: 20, every: 0.2) {
                try lab.flows("--event", "end", "--port", "\(Lab.allowedPort)").count == 2
            }
            try expectFound(lab)
            // Memory is empty then: what is found comes from the store.
            let before = try lab.status().process("control").pid
            kill(before, SIGTERM)
            try lab.waitForRestart(of: "control", after: before, within: 20)
            try eventually("an API", within: 10, every: 0.1) { (try? lab.status()) != nil }
            try expectFound(lab)
            #expect(try lab.flows("--since", "1h", "--until", "1s").count >= 4)
            #expect(try lab.flows("--since", "2000-01-01T00:00:00Z", "--until", "2001-01-01T00:00:00Z").isEmpty)
            #expect(run.isRunning)
        }

        /// What every condition finds of two connections that were used for seconds, and of one that was denied.
        private func expectFound(_ lab: Lab) throws {
            let allowed = ["--decision", "allow", "--protocol", "tcp"]
            #expect(try lab.flows(allowed + ["--event", "start"]).count == 2)
            let updates = try lab.flows(allowed + ["--event", "update"])
            #expect(!updates.isEmpty)
            let ends = try lab.flows(allowed + ["--event", "end"])
            #expect(ends.count == 2)
            for flow in updates + ends {
                #expect(flow.source.workload == "shop/web-1" && flow.destination.workload == "shop/db-1", "\(flow)")
                #expect(flow.forward.frames > 0 && flow.reverse.bytes > 0, "\(flow)")
            }
            let denied = try lab.flows("--decision", "deny", "--not", "--protocol", "icmp6")
            #expect(!denied.isEmpty)
            #expect(denied.allSatisfy { $0.destination.port == Lab.deniedPort && $0.reason == "denied" }, "\(denied)")
            let one = try #require(denied.first)
            #expect(one.cause?.side == "ingress" && one.cause?.nearest.first?.policy == "shop/db", "\(one)")
            for conditions in [
                ["--from", "shop/web-1"], ["--from", "shop/"], ["--to", "10.9.0.0/24"], ["--label", "app=web"],
                ["--label", "app"],
                ["--namespace", "shop"], ["--zone", "default"], ["--ip", lab.db.ipv4], ["--reason", "denied"],
                ["--workload", "shop/db-1"], ["--not", "--from", "shop/db-1"], ["--not", "--port", "\(Lab.allowedPort)"],
            ] {
                #expect(
                    try lab.flows(conditions + ["--event", "refused", "--protocol", "tcp"]).count == denied.count, "\(conditions)"
                )
            }
            #expect(try lab.flows("--not", "--label", "app=web", "--protocol", "tcp").isEmpty)
            #expect(try lab.flows("--policy", "shop/db", "--event", "start", "--protocol", "tcp").count == 2)
            let table = try lab.bulkhead("flows", "--output", "table", "--decision", "deny", "--protocol", "tcp").expectSuccess()
                .output
            let lines = table.split(separator: "\n")
            #expect(lines.first?.hasPrefix("TIME ") == true && lines.first?.hasSuffix(" WHY") == true, "\(table)")
            #expect(
                lines.dropFirst().allSatisfy { $0.contains("shop/web-1") && $0.contains("tcp:\(Lab.deniedPort)") }, "\(table)")
            #expect(try lab.bulkhead("flows", "--decision", "maybe").code != 0)
        }

        @Test func `the map names who talks to whom, as picture, graph and document`() throws {
            let lab = try Lab()
            defer { lab.remove() }
            try lab.start()
            let live = try LiveConnections(lab, count: 3, ports: [Lab.allowedPort])
            _ = try live.census()
            try lab.attempt(port: Lab.deniedPort)
            try live.end()
            try eventually("the map's edges", within: 10, every: 0.2) {
                try lab.bulkhead("map", "--json").expectSuccess().output.contains("tcp/\(Lab.deniedPort)")
            }
            let file = lab.folder.appending(path: "map.svg")
            try lab.bulkhead("map", "--output", file.path).expectSuccess()
            let picture = try String(contentsOf: file, encoding: .utf8)
            #expect(picture.hasPrefix("<svg") || picture.hasPrefix("<?xml"))
            #expect(try isWellFormed(file) && picture.contains("shop/web-1") && picture.contains("shop/db-1"))
            let graph = try lab.bulkhead("map", "--format", "dot").expectSuccess().output
            #expect(graph.hasPrefix("digraph") && graph.contains("shop/web-1"))
            let document = try lab.bulkhead("map", "--json").expectSuccess().output
            let map = try JSONDecoder().decode(Map.self, from: Data(document.utf8))
            let link = try #require(map.links.first { $0.source == "shop/web-1" && $0.destination == "shop/db-1" }, "\(document)")
            #expect(link.services.contains { $0.service == "tcp/5432" && $0.decision == "allow" && $0.connections == 3 })
            #expect(link.services.contains { $0.service == "tcp/5433" && $0.decision == "deny" && $0.connections >= 1 })
            let grouped = try lab.bulkhead("map", "--json", "--by", "app").expectSuccess().output
            let groups = try JSONDecoder().decode(Map.self, from: Data(grouped.utf8))
            #expect(groups.nodes.contains { $0.name == "app=web" }, "\(grouped)")
        }

        @Test func `the log file has a line for each event, and makes room when it is full`() throws {
            let lab = try Lab(.init(configuration: Self.records))
            defer { lab.remove() }
            let logs = lab.folder.appending(path: "control")
            try FileManager.default.createDirectory(at: logs, withIntermediateDirectories: true)
            try lab.start()
            try lab.scan(ports: 2000..<6000, rate: 1000)
            try eventually("a second file", within: 15, every: 0.3) {
                FileManager.default.fileExists(atPath: logs.path + "/flows.jsonl.1")
            }
            pause(2)
            var (refused, names): (UInt64, [String]) = (0, [])
            for name in try FileManager.default.contentsOfDirectory(atPath: logs.path).sorted() {
                let text = try String(contentsOf: logs.appending(path: name), encoding: .utf8)
                #expect(text.utf8.count <= 1 << 20 && text.hasSuffix("\n"))
                names.append(name)
                for line in text.split(separator: "\n") {
                    let flow = try JSONDecoder().decode(SeenFlow.self, from: Data(line.utf8))
                    if flow.event == "refused" { refused += 1 + flow.suppressed }
                }
            }
            #expect(names.contains("flows.jsonl") && (2...9).contains(names.count), "\(names)")
            let status = try lab.quietStatus()
            #expect(status.records?.unlogged == 0)
            #expect(refused == status.flows.refused)
            figure("log file", "\(names.count) files, \(refused) refusals in them")
        }
    }
}

/// Whether a file is XML.
private func isWellFormed(_ file: URL) throws -> Bool {
    try Command.attempt(["python3", "-c", "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])", file.path]).code == 0
}

/// `bulkhead map --json`, as far as tests read it.
private struct Map: Decodable {
    struct Node: Decodable { let name: String }
    struct Service: Decodable {
        let service: String
        let decision: String
        let connections: Int
    }
    struct Link: Decodable {
        let source: String
        let destination: String
        let services: [Service]
    }
    let nodes: [Node]
    let links: [Link]
}
