// SPDX-License-Identifier: Apache-2.0
import Classifier
import Control
import Foundation
import Layout
import Net
import Policy
import Record
import TestSupport
import Testing

@Suite(.enabled(if: Tool.hasBulkhead, "the binary is not built")) struct HitCommands {
    @Test func `what workers decide is shown by rule and by value, and over a restart of control`() async throws {
        let state = FileManager.default.temporaryDirectory.path + "/bulkhead-hits-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: state) }
        let configuration =
            "pairs: [{name: edge, ports: [left, right]}]\npolicies: [set.yaml]\nrun: run\nstate: \(state)\n"
        for life in 1...2 {
            let code = try await withControl(configuration: configuration) { keeper in
                try keeper.obey()
                let (message, descriptors) = try #require(keeper.next())
                try keeper.send(Message(.inForce, 1))
                try write(keeper, message, descriptors, ports: [5432, 5432, 22])
                let (socket, end) = (keeper.path("run/bulkhead.sock"), Date() + 10)
                var rule: [String: Any] = [:]
                while rule["hits"] as? Int != 2 * life, Date() < end {
                    Thread.sleep(forTimeInterval: 0.05)
                    let answer = try Tool.bulkhead("policy", "hits", "--policy", "shop/db", "--json", "--socket", socket)
                    let report = try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any]
                    rule = (report?["rules"] as? [[String: Any]])?.first ?? [:]
                }
                #expect(rule["hits"] as? Int == 2 * life && rule["rule"] as? String == "sql-from-web")
                let values = try #require(rule["values"] as? [[String: Any]])
                #expect(values.map { $0["field"] as? String } == ["from.selector", "services"])
                #expect(values.map { $0["value"] as? String } == ["app == \"web\"", "tcp/5432"])
                #expect(values.map { $0["hits"] as? Int } == [2 * life, 2 * life])
                let table = try Tool.bulkhead("policy", "hits", "--socket", socket)
                #expect(table.output.hasPrefix("POLICY ") && table.output.contains("; counted since "), "\(table.output)")
                let unused = try Tool.bulkhead("policy", "hits", "--unused-for", "30d", "--socket", socket)
                #expect(unused.code == 0 && unused.output.hasPrefix("0 rules with something unused; counted since "))
                try keeper.send(Message(.stop))
            }
            #expect(code == 0)
        }
    }

    /// Records of connections from web to db, as a worker that was published to would write them.
    private func write(_ keeper: FakeKeeper, _ message: Message, _ descriptors: [Int32], ports: [UInt16]) throws {
        let image = try SharedMemory(adopting: descriptors[0], writable: false)
        let map = try SharedMemory(adopting: descriptors[1], writable: false)
        let snapshot = try unsafe Snapshot(validating: image.base, byteCount: image.byteCount)
        let addresses = try unsafe AddressMap(validating: map.base, byteCount: map.byteCount)
        let (from, to) = (Address("10.9.0.11"), Address("10.9.0.21"))
        let events = try #require(keeper.events)
        var producer = unsafe EventProducer(
            base: events.base + EventsLayout(keeper.plan).ring(ofWorker: 1), capacity: Plan.eventCapacity)
        for port in ports {
            let judgement = snapshot.judge(
                source: snapshot.owner(of: from, zone: 0, in: addresses),
                destination: snapshot.owner(of: to, zone: 0, in: addresses),
                sourceZone: 0, destinationZone: 0, service: ServiceKey(.tcp, port: port), sourcePort: 50_000, now: 1_800_000_000)
            var record = FlowRecord()
            (record.source, record.destination) = (from, to)
            (record.sourcePort, record.destinationPort, record.protocolNumber) = (50_000, port, 6)
            let isAllowed = judgement.decision == .allow
            record.event = (isAllowed ? FlowRecord.Event.start : .refused).rawValue
            (record.decision, record.generation, record.epoch) = (judgement.decision.rawValue, 1, UInt32(message.arguments[1]))
            (record.sourceWorkload, record.destinationWorkload) = (1, 0)
            record.time = UInt64(ProcessInfo.processInfo.systemUptime * 1e9)
            (record.egressRecord, record.ingressRecord) = (judgement.egress, judgement.ingress)
            let isWritten = producer.push(record)
            #expect(isWritten)
        }
    }

    @Test func `a map that cannot be written says so in words`() async throws {
        let code = try await withControl { keeper in
            try keeper.obey()
            _ = try keeper.putIntoForce()
            let path = keeper.path("nowhere/map.svg")
            let answer = try Tool.bulkhead("map", "--output", path, "--socket", keeper.path("run/bulkhead.sock"))
            #expect(answer.code == 1 && answer.output.isEmpty)
            #expect(answer.errors == "Error: \(path) cannot be written; see whether its folder is there, and yours to write in\n")
            try keeper.send(Message(.stop))
        }
        #expect(code == 0)
    }

    @Test func `a file that is no policy is refused and not repeated`() throws {
        let answer = try Tool.bulkhead("check", "--policies", "/etc/passwd")
        #expect(answer.code == 1)
        #expect(answer.errors.split(separator: "\n").count == 1, "\(answer.errors)")
        #expect(answer.errors.hasPrefix("/etc/passwd:1:1: ") && answer.errors.count < 250 && answer.errors.contains("…"))
    }

    @Test(arguments: [
        ("users: {data: root}", "user \"root\" is root, or has its group"),
        ("users: {control: nobody-has-this-name}", "there is no user \"nobody-has-this-name\""),
        ("records: {file: {path: /nowhere/at/all/flows.jsonl}}", "the folder of records.file, /nowhere/at/all, is not there"),
    ]) func `check refuses what a start would stumble over`(line: String, message: String) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "bulkhead-check-\(UInt32.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("b.yaml").path
        try "pairs: [{name: e, ports: [a, b]}]\n\(line)\n".write(toFile: file, atomically: true, encoding: .utf8)
        let answer = try Tool.bulkhead("check", "--config", file)
        #expect(answer.code == 1 && answer.errors.hasPrefix("\(file):2:") && answer.errors.contains(message), "\(answer.errors)")
    }
}
