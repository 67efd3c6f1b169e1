// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Net
import Record
import Testing

@testable import Telemetry

private func events(_ count: Int) -> [FlowEvent] {
    (0..<count).map { number in
        event { record in
            record.time = UInt64(number) * 1_000_000
            record.sourcePort = UInt16(truncatingIfNeeded: number)
            if number % 3 == 0 { (record.ingressRecord, record.decision) = (1, Decision.deny.rawValue) }
        }
    }
}

extension FlowStore {
    /// How many events are kept, and how many records were lost.
    func sums() throws -> (events: Int64, lost: Int64) {
        try database.read { database in
            (
                try Int64.fetchOne(database, sql: "SELECT COUNT(*) FROM flows") ?? 0,
                try Int64.fetchOne(database, sql: "SELECT COALESCE(SUM(count), 0) FROM losses") ?? 0
            )
        }
    }

    /// Texts that are kept.
    fileprivate func texts() throws -> Set<String> {
        try database.read { try String.fetchSet($0, sql: "SELECT text FROM texts") }
    }

    /// Tidies to the end; how many events that took away.
    fileprivate func tidyUp(at now: Timestamp) throws -> Int64 {
        let before = try sums().events
        while try tidy(at: now) {}
        return before - (try sums().events)
    }
}

@Suite struct FlowStores {
    @Test func `what was written is read as it was, causes and labels and all`() throws {
        let folder = try Folder()
        let written = events(100)
        try FlowStore(file: folder.file("flows.db")).write(written)
        let read = try FlowStore(file: folder.file("flows.db")).events(FlowFilter(), limit: 1000)
        #expect(read.map(FlowReport.init) == written.map(FlowReport.init))
        #expect(read.map(\.source) == written.map(\.source))
    }

    @Test func `a filter and a limit choose the last that fit`() throws {
        let folder = try Folder()
        let store = try FlowStore(file: folder.file("flows.db"))
        try store.write(events(100))
        var filter = FlowFilter()
        #expect(filter.set("decision", to: "deny") == nil)
        #expect(filter.set("until", to: "50000000") == nil)
        let found = try store.events(filter, limit: 5)
        #expect(found.map(\.record.sourcePort) == [36, 39, 42, 45, 48])
    }

    @Test func `the oldest go when there are too many, and so do those that are too old`() throws {
        let folder = try Folder()
        var limits = FlowStore.Limits()
        (limits.events, limits.age) = (60, 1000)
        let store = try FlowStore(file: folder.file("flows.db"), limits: limits)
        try store.write(events(100))
        #expect(try store.tidyUp(at: Timestamp(nanoseconds: 0)) == 40)
        #expect(try store.events(FlowFilter(), limit: 1000).first?.record.sourcePort == 40)
        // Names are known again after those that nobody uses have gone.
        try store.write(events(1))
        #expect(try store.events(FlowFilter(), limit: 1000).first.map(FlowReport.init) == events(1).map(FlowReport.init).first)
        #expect(try store.tidyUp(at: Timestamp(nanoseconds: 2000 * 1_000_000_000)) == 61)
        #expect(try store.sums() == (0, 0))
    }

    @Test func `texts that no event uses go in slices, and one that is used again meanwhile stays`() throws {
        let folder = try Folder()
        var limits = FlowStore.Limits()
        limits.events = 10
        let store = try FlowStore(file: folder.file("flows.db"), limits: limits)
        func named(_ name: String, _ count: Int) -> [FlowEvent] {
            events(count).map { event in
                var event = event
                event.source.workload = name
                return event
            }
        }
        try store.write(named("shop/gone", 5) + named("shop/back", 5) + named("shop/kept", 20))
        var slices = 1
        while try store.tidy(at: Timestamp(nanoseconds: 0)) {
            slices += 1
            // Behind the look at what is used, and before what is not used goes.
            if slices == 3 { try store.write(named("shop/back", 1)) }
        }
        #expect(slices > 3)
        let texts = try store.texts()
        #expect(texts.isSuperset(of: ["shop/back", "shop/kept"]) && !texts.contains("shop/gone"))
        try store.write(named("shop/gone", 1))
        #expect(
            try Set(store.events(FlowFilter(), limit: 100).map(\.source.workload)) == ["shop/kept", "shop/back", "shop/gone"])
    }

    @Test func `a query that takes longer than it may is refused and says how to narrow it`() throws {
        let folder = try Folder()
        var limits = FlowStore.Limits()
        limits.patience = .zero
        let store = try FlowStore(file: folder.file("flows.db"), limits: limits)
        try store.write(events(10))
        let error = #expect(throws: FlowStoreError.self) { try store.events(FlowFilter(), limit: 5) }
        #expect(error?.description.contains("since and until") == true)
    }

    @Test func `lost records are kept as a number`() throws {
        let folder = try Folder()
        let store = try FlowStore(file: folder.file("flows.db"))
        try store.write(events(3), lost: 17)
        try store.write([], lost: 5)
        #expect(try store.sums() == (3, 22))
    }

    @Test func `a damaged file is set aside and a new one begun`() throws {
        let folder = try Folder()
        try FlowStore(file: folder.file("flows.db")).write(events(100))
        for ending in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: folder.file("flows.db") + ending) }
        let junk = Data((0..<8192).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        try junk.write(to: URL(fileURLWithPath: folder.file("flows.db")))
        let store = try FlowStore(file: folder.file("flows.db"))
        #expect(store.damage?.contains("flows.db.damaged") == true)
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("flows.db") + ".damaged")) == junk)
        try store.write(events(2))
        #expect(try store.sums().events == 2)
    }

    @Test func `a file that is locked for a moment is waited for`() throws {
        let folder = try Folder()
        let file = folder.file("flows.db")
        try FlowStore(file: file).write(events(4))
        // As the last connection locks it that leaves it.
        let (other, locked) = (try DatabaseQueue(path: file), DispatchSemaphore(value: 0))
        Thread.detachNewThread {
            try? other.inDatabase { database in
                defer { locked.signal() }
                try database.execute(sql: "PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE")
                locked.signal()
                Thread.sleep(forTimeInterval: 0.3)
                try database.execute(sql: "COMMIT")
            }
        }
        locked.wait()
        #expect(try FlowStore(file: file).sums().events == 4)
    }

    @Test func `a store of another layout begins anew`() throws {
        let folder = try Folder()
        try FlowStore(file: folder.file("flows.db")).write(events(4))
        let damage = try FlowStore(file: folder.file("flows.db")).damage
        #expect(damage == nil)
        #expect(try FlowStore(file: folder.file("flows.db")).sums().events == 4)
    }

    @Test func `a store gives back to the disk what it forgot`() throws {
        let folder = try Folder()
        let path = folder.file("flows.db")
        func size() throws -> Int { try Data(contentsOf: URL(fileURLWithPath: path)).count }
        // A store that nobody holds is closed, and all of it in its file.
        try FlowStore(file: path).write(events(5000))
        let full = try size()
        var limits = FlowStore.Limits()
        limits.events = 10
        #expect(try FlowStore(file: path, limits: limits).tidyUp(at: Timestamp(nanoseconds: 0)) == 4990)
        #expect(try size() < full / 4)
    }

    @Test func `a store that cannot be made says why`() {
        #expect(throws: FlowStoreError.self) { _ = try FlowStore(file: "/proc/nowhere/flows.db") }
    }
}
