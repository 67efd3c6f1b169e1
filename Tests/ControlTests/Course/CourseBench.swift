// SPDX-License-Identifier: Apache-2.0
import API
import Classifier
import CoreFoundation  // owns struct timespec where the compiler meets it before Glibc
import Foundation
import Layout
import Logging
import Net
import Policy
import State
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Control

/// A course between a real state folder and a keeper that takes everything, or what it is told to refuse; its clocks go as the test says.
final class CourseBench: Sendable {
    /// What the keeper does with generations.
    struct Keeper {
        var refused: Set<UInt32> = []
        var generation: UInt32 = 0
        var maps: [UInt32: SharedMemory] = [:]
        var images: [UInt32: SharedMemory] = [:]
        var bypasses: [UInt64] = []
        /// Whether it leaves undone what it is ordered about bypass, until `obey`.
        var isIdle = false
        /// Whether publications are heard of.
        var isSilent = false
    }

    let course: Course
    let clocks: Clocks
    let folder: BenchFolder
    let keeper = Mutex(Keeper())
    let flows = LiveTable()
    private let link: KeeperLink
    private let channel: Channel

    /// Keeper's files, as control maps them.
    let files: KeeperFiles

    /// A course over a folder, begun unless `begins` is false. Workers' answers about a connection are waited for as long as a test waits
    /// for anything, unless `patience` says another number of nanoseconds.
    init(_ folder: BenchFolder, clocks: Clocks = Clocks(), begins: Bool = true, patience: UInt64? = nil) async throws {
        (self.folder, self.clocks) = (folder, clocks)
        let (ours, theirs) = try Channel.pair()
        (channel, link) = (ours, KeeperLink(theirs))
        let opening = try Opening(folder.path("bulkhead.yaml"))
        let files = try folder.files(opening.configuration.plan)
        self.files = files
        let (inForce, names) = (PolicyInForce(), KnownNames(files.plan))
        let desk = CaptureDesk(files, names, inForce, now: clocks.clock.boot)
        var log = Logger(label: "course") { _ in SwiftLogNoOpLogHandler() }
        log.logLevel = .critical
        course = Course(
            .init(
                link: link, log: log, names: names, inForce: inForce, conditions: .init(), flows: flows,
                board: BoardStatus(files: files, failsafe: { inForce.failsafe }, now: clocks.clock.boot),
                tracing: Tracing(files, patience: patience ?? UInt64(longestWait / .nanoseconds(1))), clock: clocks.clock,
                ports: files.ports, desk: desk),
            opening, last: (0, 0))
        let receiver = Thread { [weak self, ours] in
            while let (message, descriptors) = try? ours.receive() { self?.hear(message, descriptors) }
        }
        receiver.start()
        if begins { try await course.start() }
    }

    /// Hangs up: the course's store is free as soon as nobody holds it.
    func end() { shutdown(channel.descriptor, Int32(SHUT_RDWR)) }

    private func hear(_ message: Message, _ descriptors: [Int32]) {
        let generation = UInt32(truncatingIfNeeded: message.arguments[0])
        if message.kind == .bypass {
            let isIdle = keeper.withLock { keeper in
                keeper.bypasses.append(message.arguments[0])
                return keeper.isIdle
            }
            if !isIdle { obey() }
        }
        guard message.kind == .publish, descriptors.count == 2 else { return }
        let (isRefused, isSilent) = keeper.withLock { keeper in
            if let image = try? SharedMemory(adopting: descriptors[0], writable: false) { keeper.images[generation] = image }
            if let map = try? SharedMemory(adopting: descriptors[1], writable: false) { keeper.maps[generation] = map }
            let isRefused = keeper.refused.contains(generation)
            if !isRefused { keeper.generation = generation }
            return (isRefused, keeper.isSilent)
        }
        guard !isSilent else { return }
        let course = course
        Task { if isRefused { await course.refused(generation) } else { await course.entered(generation) } }
    }

    /// Does what keeper was ordered last about bypass.
    func obey() {
        guard let seconds = keeper.withLock({ $0.bypasses.last }) else { return }
        folder.setBypass(until: seconds == 0 ? 0 : clocks.clock.boot() + seconds * 1_000_000_000)
    }

    /// The generation that workers have.
    var generation: UInt32 { keeper.withLock { $0.generation } }

    /// What the map of the generation in force says of an address.
    func claim(on address: String, zone: ZoneNumber = 0) throws -> Claim {
        let map = try #require(keeper.withLock { $0.maps[$0.generation] })
        // The file is as long as its header says, and the bench keeps it.
        let addresses = try unsafe AddressMap(validating: map.base, byteCount: map.byteCount)
        return addresses.claim(on: try #require(Address(address)), zone: zone)
    }

    /// What workers would decide about a connection to a TCP port.
    func decision(from: String, to: String, port: UInt16) throws -> Decision {
        let (image, map) = try #require(
            keeper.withLock { keeper in
                keeper.images[keeper.generation].flatMap { image in keeper.maps[keeper.generation].map { (image, $0) } }
            })
        let snapshot = try unsafe Snapshot(validating: image.base, byteCount: image.byteCount)
        let addresses = try unsafe AddressMap(validating: map.base, byteCount: map.byteCount)
        let source = snapshot.owner(of: try #require(Address(from)), zone: 0, in: addresses)
        let destination = snapshot.owner(of: try #require(Address(to)), zone: 0, in: addresses)
        return snapshot.judge(
            source: source, destination: destination, sourceZone: 0, destinationZone: 0, service: ServiceKey(.tcp, port: port),
            sourcePort: 50_000, now: 0
        ).decision
    }

    /// Applies a set.
    func apply(_ text: String, _ change: (inout ApplyRequest) -> Void = { _ in }, by caller: Caller? = nil) async throws
        -> ChangeReport
    {
        var request = ApplyRequest(files: [DocumentFile(name: "sent.yaml", text: text)])
        change(&request)
        return try await course.apply(request, by: caller ?? administrator)
    }

    /// Registers workloads.
    func register(_ text: String, lease: UInt32? = nil, by caller: Caller? = nil) async throws -> InventoryReport {
        try await course.register(
            RegisterRequest(files: [DocumentFile(name: "sent.yaml", text: text)], lease: lease), by: caller ?? administrator)
    }

    /// Somebody who may do everything and whose way began just now.
    var administrator: Caller {
        Caller(actor: Actor(kind: .unix, name: "root", uid: 0), grants: .all, began: clocks.clock.boot())
    }

    /// Somebody who operates.
    func operating(_ name: String) -> Caller {
        var grants = Grants()
        (grants.isViewer, grants.isOperator) = (true, true)
        return Caller(actor: Actor(kind: .unix, name: name, uid: 1000), grants: grants, began: clocks.clock.boot())
    }

    /// The audit log as `action result`, oldest first.
    func audited() async throws -> [String] {
        try await course.auditLog(before: nil, limit: 1000).reversed().map { "\($0.action) \($0.result)" }
    }

    /// Names of the conditions that stand, but for what depends on whether the machine has a syslog.
    var conditions: [String] { (course.status().conditions ?? []).map(\.name).filter { $0 != "audit-head" } }
}

/// Clocks that a test sets: time passes when the test says so, however long the machine takes. As on a machine no two readings are the
/// same: each is a nanosecond later than the one before.
final class Clocks: Sendable {
    private let now: Mutex<(wall: Int64, boot: UInt64)>
    let bootID: String

    init() {
        now = Mutex((1_800_000_000_000_000_000, 5_000_000_000_000))
        bootID = "11111111-2222-3333-4444-555555555555"
    }

    /// Clocks of a machine that has booted just now.
    private init(wall: Int64) {
        now = Mutex((wall, 20_000_000_000))
        bootID = "99999999-2222-3333-4444-555555555555"
    }

    /// Time goes by.
    func pass(_ seconds: UInt64) { pass(nanoseconds: seconds * 1_000_000_000) }

    private func pass(nanoseconds: UInt64) {
        now.withLock {
            $0.wall += Int64(nanoseconds)
            $0.boot += nanoseconds
        }
    }

    /// Somebody sets the wall clock.
    func setWall(by seconds: Int64) { now.withLock { $0.wall += seconds * 1_000_000_000 } }

    /// The clocks of another boot, whose wall clock goes on.
    func rebooted(wallBy seconds: Int64 = 0) -> Clocks { Clocks(wall: now.withLock { $0.wall } + seconds * 1_000_000_000) }

    var clock: DaemonClock {
        DaemonClock(
            bootID: bootID,
            wall: { [self] in
                pass(nanoseconds: 1)
                return now.withLock { $0.wall }
            },
            boot: { [self] in
                pass(nanoseconds: 1)
                return now.withLock { $0.boot }
            })
    }
}

/// A configuration, its documents and its state, and the board that keeper would write.
final class BenchFolder: Sendable {
    private let url: URL
    private let board: SharedMemory
    private let counters: SharedMemory

    /// A folder with `bulkhead.yaml`, `set.yaml`, and `hosts.yaml` where there are workloads.
    init(_ policies: String = documents(), workloads: String? = nil, more: String = "") throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("bulkhead-course-\(UInt32.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        board = try SharedMemory.create(
            "board", byteCount: BoardLayout.byteCount,
            header: MemoryHeader(.board, byteCount: BoardLayout.byteCount, geometry: BoardLayout.geometry))
        counters = try SharedMemory.create("counters", byteCount: CountersLayout.byteCount, header: CountersLayout.header)
        try write(
            "pairs: [{name: edge, ports: [left, right]}]\npolicies: [set.yaml]\nrun: run\nstate: state\n"
                + (workloads == nil ? "" : "workloads: [hosts.yaml]\n") + more, to: "bulkhead.yaml")
        try write(policies, to: "set.yaml")
        if let workloads { try write(workloads, to: "hosts.yaml") }
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    /// Writes a file, renamed over the one that is there.
    func write(_ text: String, to name: String) throws { try text.write(toFile: path(name), atomically: true, encoding: .utf8) }

    /// Makes a folder, and those around it.
    func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
    }

    /// Removes a file.
    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

    /// Makes a link.
    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path(name), withDestinationPath: target)
    }

    /// Keeper's memory, as control maps it.
    func files(_ plan: Plan) throws -> KeeperFiles {
        var plan = plan
        for number in 0..<Int(plan.pairCount) {
            (plan.pairs[number].queues, plan.pairs[number].flowCapacity, plan.pairs[number].frameSize) = (1, 1000, 4096)
        }
        unsafe Board(base: board.base).plan = plan
        let layout = EventsLayout(plan)
        let events = try SharedMemory.create("events", byteCount: layout.byteCount, header: layout.header)
        let asked = InquiriesLayout(plan)
        let inquiries = try SharedMemory.create("inquiries", byteCount: asked.byteCount, header: asked.header)
        return try KeeperFiles([counters, board, events, inquiries].map { dup($0.descriptor) })
    }

    /// Writes on the board what keeper would; 0 where no bypass is on.
    func setBypass(until moment: UInt64) { unsafe Board(base: board.base).facts.bypassUntil = moment }
}

/// A course over a fresh folder.
func withCourse(
    _ policies: String = documents(), workloads: String? = nil, more: String = "",
    _ body: (CourseBench) async throws -> Void
) async throws {
    let bench = try await CourseBench(try BenchFolder(policies, workloads: workloads, more: more))
    defer { bench.end() }
    try await body(bench)
}

/// What a body is refused with.
func refusal<Value>(_ body: () async throws -> Value) async -> Refusal? {
    do {
        _ = try await body()
        return nil
    } catch { return error as? Refusal }
}

/// A workload's document.
func workload(_ name: String, _ addresses: String..., labels: String = "{app: web}") -> String {
    workload(name, addresses: addresses, labels: labels)
}

/// A workload's document.
func workload(_ name: String, addresses: [String], labels: String = "{app: web}") -> String {
    let parts = name.split(separator: "/")
    let metadata =
        parts.count == 2 ? "{namespace: \(parts[0]), name: \(parts[1]), labels: \(labels)}" : "{name: \(name), labels: \(labels)}"
    return """
        ---
        apiVersion: bulkhead/v1
        kind: Workload
        metadata: \(metadata)
        spec: {addresses: [\(addresses.map { "\"\($0)\"" }.joined(separator: ", "))]}

        """
}
