// SPDX-License-Identifier: Apache-2.0
import Classifier
import Foundation
import Layout
import Net
import Record
import TestSupport
import Testing

@Suite(.enabled(if: Tool.hasBulkhead, "the binary is not built")) struct Commands {
    @Test func `status shows what the board and the workers' counters say`() async throws {
        let code = try await withControl { keeper in
            try keeper.obey()
            try keeper.serve()
            var facts = unsafe Board(base: keeper.board.base).facts
            (facts.keeper.pid, facts.data.pid, facts.data.restarts, facts.lastEpoch) = (10, 11, 2, 9)
            unsafe Board(base: keeper.board.base).facts = facts
            var counters = WorkerCounters()
            (counters.ports[1].received, counters.ports[1].forwarded, counters.flows) = (100, 97, 5)
            (counters.waiting, counters.evicted, counters.refusedAgain) = (3, 8, 2)
            (counters.admitted, counters.lostEvents, counters.lostStarts) = (41, 6, 4)
            counters.completedChecksums = 7
            counters.ports[1].dropped[Int(DropReason.denied.number)] = 3
            let place = unsafe keeper.counters.base + CountersLayout.worker(1)
            unsafe place.storeBytes(of: counters, as: WorkerCounters.self)
            var statistics = KernelStatistics()
            statistics.receiveRingFull = 6
            unsafe Board(base: keeper.board.base)[statistics: 1, port: 1] = statistics

            let answer = try Tool.bulkhead("status", "--json", "--socket", keeper.path("run/bulkhead.sock"))
            #expect(answer.code == 0 && answer.errors.isEmpty)
            let status = try #require(try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any])
            #expect(
                Set(status.keys) == [
                    "generation", "epoch", "processes", "pairs", "ports", "flows", "checksums", "failsafe", "policy",
                    "conditions",
                    "api", "records", "workers",
                ])
            #expect(status["generation"] as? Int == 1 && status["epoch"] as? Int == 9)
            let flows = [
                "capacity": 2000, "used": 5, "waiting": 3, "evicted": 8, "picked_up": 0, "passed_untracked": 0,
                "refused_again": 2, "grace": 0, "replaced": 0, "expected_replies": 0, "forgotten_replies": 0,
                "admitted": 41, "refused": 0,
            ]
            #expect(status["flows"] as? [String: Int] == flows)
            #expect(status["checksums"] as? [String: Int] == ["completed": 7])
            let records = try #require(status["records"] as? [String: Any])
            let lost = try #require(records["lost"] as? [[String: Any]])
            #expect(lost.map { $0["place"] as? String } == ["worker", "queue", "store"])
            #expect(lost.map { $0["records"] as? Int } == [6, 0, 0] && lost.map { $0["admitted"] as? Int } == [4, 0, 0])
            #expect((status["pairs"] as? [[String: String]]) == [["name": "edge", "mode": "closed", "owner": "queue"]])
            let ports = try #require(status["ports"] as? [[String: Any]])
            #expect(ports.map { $0["name"] as? String } == ["left", "right"])
            #expect(ports.map { $0["link"] as? String } == ["up", "down"])
            #expect(ports.map { $0["xdp"] as? String } == ["native", "generic"])
            let queue = try #require((ports[1]["queues"] as? [[String: Any]])?[1])
            #expect(queue["received"] as? Int == 100 && queue["forwarded"] as? Int == 97)
            let dropped = try #require(queue["dropped"] as? [String: Int])
            #expect(dropped.count == DropReason.allCases.count && dropped["denied"] == 3 && dropped["truncated"] == 0)
            #expect((queue["kernel"] as? [String: Int])?["rx_ring_full"] == 6)

            let table = try Tool.bulkhead("status", "--socket", keeper.path("run/bulkhead.sock"))
            #expect(table.output.contains("flows: 5 of 2000; 3 waiting, 8 evicted, 2 frames refused again\n"))
            #expect(table.output.contains("data 11 (restarted 2 times)") && table.output.contains("denied 3, kernel 6"))
            try keeper.send(Message(.stop))
        }
        #expect(code == 0)
    }

    @Test func `what a worker records is shown with names and cause`() async throws {
        let code = try await withControl { keeper in
            try keeper.obey()
            let (message, descriptors) = try #require(keeper.next())
            let judgement = try judge(descriptors, from: Address("10.9.0.11"), to: Address("10.9.0.21"), port: 22)
            try keeper.send(Message(.inForce, 1))
            let events = try #require(keeper.events)
            let base = unsafe events.base + EventsLayout(keeper.plan).ring(ofWorker: 1)
            var producer = unsafe EventProducer(base: base, capacity: Plan.eventCapacity)
            var record = FlowRecord()
            (record.source, record.destination) = (Address("10.9.0.11"), Address("10.9.0.21"))
            (record.sourcePort, record.destinationPort, record.protocolNumber) = (50_000, 22, 6)
            (record.event, record.decision) = (FlowRecord.Event.refused.rawValue, Decision.deny.rawValue)
            (record.reason, record.generation, record.epoch) = (DropReason.denied.number, 1, UInt32(message.arguments[1]))
            (record.sourceWorkload, record.destinationWorkload, record.time) = (1, 0, monotonic())
            (record.egressRecord, record.ingressRecord) = (judgement.egress, judgement.ingress)
            let isWritten = producer.push(record)
            #expect(isWritten)

            let socket = keeper.path("run/bulkhead.sock")
            var line = try Tool.bulkhead("flows", "--socket", socket)
            // Until control has emptied the ring.
            _ = try eventually {
                line = try Tool.bulkhead("flows", "--socket", socket)
                return !line.output.isEmpty
            }
            #expect(line.output.contains(" refused shop/web-1 (10.9.0.11:50000) -> shop/db-1 (10.9.0.21:22) tcp:22 deny"))
            #expect(
                line.output.contains("deny default deny of the namespace; nearest policy shop/web rule 1 (not: "),
                "\(line.output)")
            let year = Calendar(identifier: .gregorian).component(.year, from: Date())
            #expect(line.output.hasPrefix("\(year)-"))
            #expect(!line.output.contains("\u{1b}"), "no colour where there is no terminal")
            let object = try Tool.bulkhead("flows", "--json", "--decision", "deny", "--socket", socket)
            #expect(object.output.hasPrefix("{\"audit\"") || object.output.contains("\"decision\":\"deny\""))
            #expect(try Tool.bulkhead("flows", "--decision", "allow", "--socket", socket).output.isEmpty)
            try keeper.send(Message(.stop))
        }
        #expect(code == 0)
    }

    /// What a worker finds in the published files.
    private func judge(_ descriptors: [Int32], from: Address, to: Address, port: UInt16) throws -> Judgement {
        let image = try SharedMemory(adopting: descriptors[0], writable: false)
        let map = try SharedMemory(adopting: descriptors[1], writable: false)
        let snapshot = try unsafe Snapshot(validating: image.base, byteCount: image.byteCount)
        let addresses = try unsafe AddressMap(validating: map.base, byteCount: map.byteCount)
        return snapshot.judge(
            source: snapshot.owner(of: from, zone: 0, in: addresses), destination: snapshot.owner(of: to, zone: 0, in: addresses),
            sourceZone: 0, destinationZone: 0, service: ServiceKey(.tcp, port: port), sourcePort: 50_000,
            now: 1_800_000_000)
    }

    private func monotonic() -> UInt64 { UInt64(ProcessInfo.processInfo.systemUptime * 1e9) }

    @Test func `check says what it has checked, or what is wrong where`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "bulkhead-check-\(UInt32.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (good, bad) = (folder.appendingPathComponent("good.yaml").path, folder.appendingPathComponent("bad.yaml").path)
        try documents().write(toFile: good, atomically: true, encoding: .utf8)
        try "apiVersion: bulkhead/v1\nkind: Polcy\n".write(toFile: bad, atomically: true, encoding: .utf8)
        let checked = try Tool.bulkhead("check", "--policies", good)
        #expect(checked.code == 0 && checked.output.hasPrefix("2 policies with 2 rules, 2 workloads, 1 namespace"))
        let refused = try Tool.bulkhead("check", "--policies", good, bad)
        #expect(refused.code == 1 && refused.output.isEmpty)
        #expect(refused.errors == "\(bad):2:7: there is no kind \"Polcy\"; did you mean \"Policy\"?\n")
        let worse = folder.appendingPathComponent("worse.yaml").path
        try "apiVersion: bulkhead/v1\nkind: Zne\n".write(toFile: worse, atomically: true, encoding: .utf8)
        let report = try Tool.bulkhead("check", "--policies", bad, worse, "--json")
        #expect(report.code == 1)
        let json = try #require(try JSONSerialization.jsonObject(with: Data(report.output.utf8)) as? [String: Any])
        let faults = try #require(json["errors"] as? [[String: Any]])
        #expect(json["ok"] as? Bool == false && faults.compactMap { $0["file"] as? String } == [bad, worse])
        #expect(faults.allSatisfy { $0["line"] as? Int == 2 && $0["column"] as? Int == 7 })
        let configuration = folder.appendingPathComponent("b.yaml").path
        try "pairs: [{name: e, ports: [a, b]}]\nzones: {lan: {port: a}}\npolicies: [good.yaml]\n".write(
            toFile: configuration, atomically: true, encoding: .utf8)
        #expect(try Tool.bulkhead("check", "--config", configuration).code == 0)
    }

    @Test func `a probe is answered line by line, and a bad one makes the exit code 1`() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(
            "bulkhead-probe-\(UInt32.random(in: 0 ... .max)).yaml")
        try documents().write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        let allowed = #"{"from": "shop/web-1", "to": "10.9.0.21", "protocol": "tcp", "port": 5432}"#
        let denied = #"{"from": "shop/web-1", "to": "10.9.0.21", "protocol": "tcp", "port": 22}"#
        let good = try Tool.bulkhead("policy", "probe", "--policies", file.path, input: allowed + "\n" + denied + "\n")
        let lines = good.output.split(separator: "\n")
        #expect(good.code == 0 && lines.count == 2)
        #expect(lines[0].hasPrefix(#"{"decision": "allow""#) && lines[1].hasPrefix(#"{"decision": "deny""#))
        let bad = try Tool.bulkhead("policy", "probe", "--policies", file.path, input: allowed + "\nnonsense\n" + denied + "\n")
        #expect(bad.code == 1)
        #expect(bad.output.split(separator: "\n").map { $0.hasPrefix(#"{"error""#) } == [false, true, false])
    }

    @Test(
        arguments: [
            ([], 2), (["nonsense"], 2), (["status", "--jsn"], 2), (["check"], 2), (["policy"], 2), (["policy", "probe"], 2),
            (["flows", "--port", "x"], 2), (["flows", "--last", "100001"], 2), (["run"], 2), (["control"], 2),
            (["control", "--config", "x"], 2),
            (["check", "--config", "/nowhere"], 1), (["status", "--socket", "/nowhere/b.sock"], 1),
            (["flows", "--follow", "--socket", "/nowhere/b.sock"], 1), (["--help"], 0), (["help", "flows"], 0),
            (["--version"], 0),
        ] as [([String], Int32)])
    func `the exit code tells wrong usage from what could not be done`(words: [String], code: Int32) throws {
        let command = try Tool.bulkhead(words)
        #expect(command.code == code, "\(command.errors)")
        #expect(command.errors.isEmpty == (code == 0))
        #expect(command.output.isEmpty == (code != 0))
    }

    @Test func `without a daemon the message says how to start one`() throws {
        let command = try Tool.bulkhead("status", "--socket", "/nowhere/b.sock")
        #expect(command.errors.contains("no daemon at /nowhere/b.sock: start one with `bulkhead run --config FILE`"))
    }
}
