// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Glibc
import Net
import Record
@testable import Telemetry
import TestSupport
import Testing

/// A folder that goes with the test.
final class Folder {
    let path = FileManager.default.temporaryDirectory.path + "/bulkhead-flows-\(UUID().uuidString)"
    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    func file(_ name: String) -> String { "\(path)/\(name)" }
}

private func starts(_ count: Int) -> [FlowEvent] {
    (0..<count).map { number in
        event { record in
            (record.sourcePort, record.ingressRecord) = (UInt16(truncatingIfNeeded: number), 2)
            record.time = UInt64(Date().timeIntervalSince1970) * 1_000_000_000
        }
    }
}

/// A log that is as slow as can be.
private final class StuckLog: FlowLog {
    let gate = DispatchSemaphore(value: 0)
    func write(_ events: [FlowEvent], lost: UInt64) -> Int {
        gate.wait()
        gate.signal()
        return events.count
    }
    var fault: String? { nil }
    func close() {}
}

/// Rules that take as long to ask as can be.
private final class StuckRules: NamedValues {
    let asked = DispatchSemaphore(value: 0)
    let gate = DispatchSemaphore(value: 0)
    func listed() -> [ListedRule] { [] }
    func held(of rule: Hits.Rule, in event: FlowEvent) -> HeldValues {
        asked.signal()
        gate.wait()
        gate.signal()
        return HeldValues(values: [])
    }
}

@Suite struct ObservationsKept {
    @Test func `every event is in the store, an edge and a hit, and every loss is counted`() throws {
        let folder = try Folder()
        let observations = Observations(store: try FlowStore(file: folder.file("flows.db")))
        for part in 0..<10 { observations.take(starts(100), lost: UInt64(part)) }
        observations.close()
        let store = try FlowStore(file: folder.file("flows.db"))
        #expect(try store.sums() == (1000, 45))
        #expect(observations.counts.taken == 1000)
        #expect(observations.counts.lostByWorkers == 45)
        #expect(observations.hits.connections == [.allow: 1000])
        #expect(observations.map(by: []).links.reduce(0) { $0 + $1.connections } == 1000)
        #expect(observations.fault == nil)
    }

    @Test func `edges outlive a restart`() throws {
        let folder = try Folder()
        for _ in 0..<3 {
            let observations = Observations(store: try FlowStore(file: folder.file("flows.db")))
            observations.take(starts(5), lost: 0)
            observations.close()
        }
        let edges = try FlowStore(file: folder.file("flows.db")).edges()
        #expect(edges.map(\.connections) == [15])
        #expect(edges.map(\.key.source) == [.workload("shop/web-1")])
    }

    @Test func `a map goes on where a killed process left it, with every connection and every frame that the store has`() throws {
        let folder = try Folder()
        func flow(_ kind: FlowRecord.Event, _ port: UInt16, frames: UInt64 = 0) -> FlowEvent {
            event { record in
                (record.event, record.sourcePort, record.ingressRecord) = (kind.rawValue, port, 2)
                (record.forwardFrames, record.forwardBytes) = (frames, frames * 100)
            }
        }
        do {
            let store = try FlowStore(file: folder.file("flows.db"))
            var table = EdgeTable()
            let saved = [flow(.start, 1), flow(.update, 1, frames: 10), flow(.start, 2)]
            for event in saved { table.add(event) }
            try store.write(saved)
            try store.replace(edges: Array(table.all))
            // The edges are saved once a minute; what came since is in the store alone.
            try store.write([flow(.start, 3), flow(.update, 1, frames: 15), flow(.update, 3, frames: 4)])
        }
        let observations = Observations(store: try FlowStore(file: folder.file("flows.db")))
        observations.take([flow(.end, 1, frames: 21), flow(.update, 2, frames: 7), flow(.end, 3, frames: 6)], lost: 0)
        observations.close()
        let service = try #require(observations.map(by: []).links.first?.services.first)
        #expect(service.connections == 3 && service.frames == 21 + 7 + 6 && service.bytes == service.frames * 100)
        let again = try FlowStore(file: folder.file("flows.db"))
        var counted: [Bool] = []
        try again.replay(counted: 4) { counted.append($1) }
        #expect(counted == [true, true, true, true], "what is saved is not counted again")
    }

    @Test func `a log that is stuck delays nobody and its events are counted`() throws {
        let log = StuckLog()
        let observations = Observations(store: nil, logs: [log])
        // The log is stuck until all of them are taken: whoever waited for it would wait for ever.
        for _ in 0..<30 { observations.take(starts(10_000), lost: 0) }
        log.gate.signal()
        observations.close()
        let counts = observations.counts
        #expect(counts.taken + counts.unqueued.records == 300_000)
        #expect(counts.unqueued.admitted > 0)
        #expect(counts.unlogged == counts.taken)
    }

    @Test func `whoever drains does not wait for whoever counts`() {
        let observations = Observations(store: nil)
        let rules = StuckRules()
        observations.take(
            starts(1).map { event in
                var event = event
                event.named = rules
                return event
            }, lost: 0)
        rules.asked.wait()
        let taken = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            observations.take(starts(3), lost: 2)
            taken.signal()
        }
        #expect(taken.wait(timeout: .now() + longestWait / .seconds(1)) == .success)
        rules.gate.signal()
        observations.close()
        #expect(observations.counts.taken == 4 && observations.counts.lostByWorkers == 2)
        #expect(observations.hits.uncounted.lost == 2 && observations.hits.connections == [.allow: 4])
    }

    @Test func `a store whose disk is gone says so and counts what it could not keep`() throws {
        let folder = try Folder()
        let store = try FlowStore(file: folder.file("flows.db"))
        let observations = Observations(store: store)
        try store.database.write { try $0.execute(sql: "DROP TABLE flows") }
        observations.take(starts(7), lost: 0)
        observations.close()
        #expect(observations.counts.unstored.records == 7 && observations.counts.unstored.admitted == 7)
        #expect(observations.fault != nil)
        #expect(observations.hits.connections == [.allow: 7])
    }
}

/// A table of the store that cannot be read for a while.
private func without(_ table: String, _ store: FlowStore, _ body: () throws -> Void) throws {
    try store.database.write { try $0.execute(sql: "ALTER TABLE \(table) RENAME TO aside") }
    try body()
    try store.database.write { try $0.execute(sql: "ALTER TABLE aside RENAME TO \(table)") }
}

@Suite struct StoresThatFail {
    @Test func `hit counters that could not be read are not written over, and are joined once they can be`() throws {
        let folder = try Folder()
        func run(_ count: Int, _ store: FlowStore) -> Observations {
            let observations = Observations(store: store)
            observations.take(starts(count), lost: 1)
            return observations
        }
        run(5, try FlowStore(file: folder.file("flows.db"))).close()
        let store = try FlowStore(file: folder.file("flows.db"))
        var observations: Observations?
        try without("hit_sums", store) {
            observations = run(3, store)
            #expect(eventually { observations?.hits.connections == [.allow: 3] })
            #expect(observations?.fault?.contains("hit counters cannot be read") == true)
            // The next event is written, and clears nothing of it.
            let isWritten = try eventually { try store.sums().events >= 8 }
            #expect(isWritten && observations?.fault != nil)
        }
        observations?.close()
        #expect(observations?.fault == nil)
        let kept = try #require(try FlowStore(file: folder.file("flows.db")).hits())
        #expect(Set(kept.rows.filter { $0.name.value == nil }.compactMap(\.hit?.count)) == [8] && kept.uncounted.lost == 2)
    }

    @Test func `hit counters that can never be read stay as they are`() throws {
        let folder = try Folder()
        let store = try FlowStore(file: folder.file("flows.db"))
        let first = Observations(store: store)
        first.take(starts(5), lost: 0)
        first.close()
        try without("hit_sums", store) {
            let observations = Observations(store: store)
            observations.take(starts(3), lost: 0)
            observations.close()
            #expect(observations.fault != nil)
        }
        let kept = try #require(try store.hits())
        #expect(Set(kept.rows.filter { $0.name.value == nil }.compactMap(\.hit?.count)) == [5] && kept.uncounted.lost == 3)
    }

    @Test func `edges that could not be read are not written over, and are joined once they can be`() throws {
        let folder = try Folder()
        let first = Observations(store: try FlowStore(file: folder.file("flows.db")))
        first.take(starts(5), lost: 0)
        first.close()
        let store = try FlowStore(file: folder.file("flows.db"))
        try without("edges", store) {
            let observations = Observations(store: store)
            observations.take(starts(3), lost: 0)
            observations.close()
            #expect(observations.fault?.contains("the edges of the map cannot be read") == true)
        }
        #expect(try store.edges().map(\.connections) == [5])
        var observations: Observations?
        try without("edges", store) { observations = Observations(store: store) }
        observations?.take(starts(3), lost: 0)
        observations?.close()
        #expect(observations?.fault == nil)
        #expect(try store.edges().map(\.connections) == [8])
    }

    @Test func `refusals that ended with a worker are among those that a number told`() {
        let observations = Observations(store: nil)
        observations.take([], lost: 0, untold: 7)
        observations.take(starts(1), lost: 2, untold: 1)
        observations.close()
        #expect(observations.hits.uncounted.elsewhere == 8 && observations.hits.uncounted.lost == 2)
    }
}

@Suite struct FlowLogs {
    @Test func `each event is one line of JSON, and lost records stand where they are missing`() throws {
        let folder = try Folder()
        let log = FlowFile(path: folder.file("flows.jsonl"))
        #expect(log.write(starts(2), lost: 9) == 0)
        log.close()
        let lines = try String(contentsOfFile: folder.file("flows.jsonl"), encoding: .utf8).split(separator: "\n")
        #expect(lines.first == #"{"lost":9}"#)
        let flows = try lines.dropFirst().map { try JSONDecoder().decode(FlowReport.self, from: Data($0.utf8)) }
        #expect(flows == starts(2).map(FlowReport.init))
    }

    @Test func `a file that is full makes room, and no line is torn or missing`() throws {
        let folder = try Folder()
        let log = FlowFile(path: folder.file("flows.jsonl"), limit: 4096, kept: 50)
        for _ in 0..<30 { #expect(log.write(starts(3), lost: 0) == 0) }
        log.close()
        var count = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            let text = try String(contentsOfFile: folder.file(name), encoding: .utf8)
            #expect(text.utf8.count <= 4096)
            count += try text.split(separator: "\n").map { try JSONDecoder().decode(FlowReport.self, from: Data($0.utf8)) }.count
        }
        #expect(count == 90)
    }

    @Test func `only as many old files stay as were asked for`() throws {
        let folder = try Folder()
        let log = FlowFile(path: folder.file("flows.jsonl"), limit: 1500, kept: 2)
        for _ in 0..<10 { _ = log.write(starts(1), lost: 0) }
        log.close()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 3)
    }

    @Test func `a folder that is not there is said from the start, and over when it is there`() throws {
        let folder = try Folder()
        let log = FlowFile(path: folder.file("logs/flows.jsonl"))
        #expect(
            log.fault == "\(folder.file("logs/flows.jsonl")) cannot be written: No such file or directory; "
                + "its folder must be there, and control's user may write in it")
        let observations = Observations(store: nil, logs: [log])
        #expect(observations.logFault == log.fault)
        #expect(log.write(starts(1), lost: 0) == 1 && log.fault != nil)
        try FileManager.default.createDirectory(atPath: folder.file("logs"), withIntermediateDirectories: true)
        #expect(log.write(starts(1), lost: 0) == 0 && log.fault == nil)
        observations.close()
    }

    @Test func `a full disk costs whole lines`() {
        let log = FlowFile(path: "/dev/full")
        #expect(log.write(starts(4), lost: 0) == 4)
        log.close()
    }

    @Test func `what could steer a terminal is written out, and reads as the same text`() throws {
        var odd = starts(1)[0]
        odd.source.workload = "shop/\u{202e}\u{9b}31m\u{1b}[2J\nweb"
        let line = FlowLine.json(odd)
        #expect(!line.unicodeScalars.contains { ["\u{202e}", "\u{9b}", "\u{1b}", "\n"].contains($0) })
        #expect(try JSONDecoder().decode(FlowReport.self, from: Data(line.utf8)).source.workload == odd.source.workload)
    }

    @Test func `the system's log gets a message for each event, and none waits for it`() throws {
        let folder = try Folder()
        let path = folder.file("log")
        let descriptor = try listen(path)
        defer { close(descriptor) }
        let log = SystemLog(path: path)
        #expect(log.write(starts(1), lost: 0) == 0)
        var buffer = [UInt8](repeating: 0, count: 8192)
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        let text = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        #expect(text.hasPrefix("<134>bulkhead: {"))
        // Nobody reads any more: the socket fills up, and the rest is counted.
        #expect(log.write(starts(3000), lost: 0) > 0)
        log.close()
        #expect(SystemLog(path: folder.file("nobody")).write(starts(2), lost: 0) == 2)
    }

    private func listen(_ path: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        return descriptor
    }
}
