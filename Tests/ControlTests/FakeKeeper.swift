// SPDX-License-Identifier: Apache-2.0
import Foundation
import Layout
import Logging
import Net
import Record
import TestSupport
import Testing

@testable import Control

/// Keeper as control sees it: the other end of the channel, with real memory files.
final class FakeKeeper {
    let folder: URL
    let board: SharedMemory
    let counters: SharedMemory
    private(set) var events: SharedMemory?
    private(set) var inquiries: Inquiries?
    private(set) var plan = Plan()
    private let channel: Channel
    private let log: LineLog

    /// A keeper at one end of a channel, which reads what control logs.
    init(_ channel: Channel, folder: URL, log: LineLog) throws {
        self.channel = channel
        self.folder = folder
        self.log = log
        board = try SharedMemory.create(
            "board", byteCount: BoardLayout.byteCount,
            header: MemoryHeader(.board, byteCount: BoardLayout.byteCount, geometry: BoardLayout.geometry))
        counters = try SharedMemory.create("counters", byteCount: CountersLayout.byteCount, header: CountersLayout.header)
    }

    /// The path of a file in the test's folder.
    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    /// Writes a file of the test's folder.
    func write(_ text: String, to name: String) throws { try text.write(toFile: path(name), atomically: true, encoding: .utf8) }

    func send(_ message: Message, descriptors: [Int32] = []) throws { try channel.send(message, descriptors: descriptors) }

    /// Goes away.
    func hangUp() { shutdown(channel.descriptor, Int32(SHUT_RDWR)) }

    /// The next message that is no sign of life; `nil` when none comes in time, or control has gone. The patience is long, because control
    /// runs on the threads that all other tests of the process run on, and waits for its turn behind them.
    func next(within patience: Duration = longestWait) -> (message: Message, descriptors: [Int32])? {
        let end = ContinuousClock.now + patience
        while channel.isReadable(within: Int32(max(.zero, end - .now) / .milliseconds(1))) {
            guard let (message, descriptors) = try? channel.receive() else { return nil }
            if message.kind != .alive { return (message, descriptors) }
        }
        return nil
    }

    /// Whether control hangs up, with no other message before that than signs of life.
    func isLeft() -> Bool {
        guard next() == nil else { return false }
        return channel.isReadable(within: 0) && (try? channel.receive()) == nil
    }

    /// Waits until control says something in its log.
    func hears(_ text: String) -> Bool { eventually { log.lines.contains { $0.contains(text) } } }

    /// Waits for the next sign of life, before which nothing else comes.
    func expectSignOfLife() throws {
        try #require(channel.isReadable(within: Int32(longestWait / .milliseconds(1))))
        let (message, _) = try channel.receive()
        #expect(message.kind == .alive)
    }

    /// Waits for a message of a kind and closes what came with it.
    func expect(_ kind: Message.Kind) throws -> Message {
        let (message, descriptors) = try #require(next())
        for descriptor in descriptors { close(descriptor) }
        #expect(message.kind == kind)
        return message
    }

    /// What control knows of the clock by which policy expires.
    private(set) var clock = ClockFacts()

    /// Takes orders, completes them as a machine with two queues a port would, and answers with the files.
    func obey(last: (generation: UInt64, epoch: UInt64) = (0, 0)) throws {
        let orders = try expect(.orders)
        (plan, clock) = (orders.plan, ClockFacts(latest: orders.arguments[0], beforeLeap: orders.arguments[1]))
        #expect(plan.fault == nil)
        for number in 0..<Int(plan.pairCount) {
            (plan.pairs[number].queues, plan.pairs[number].flowCapacity, plan.pairs[number].frameSize) = (2, 1000, 4096)
            plan.pairs[number].ports[0].isNative = 1
            var words = PairBoard()
            (words.linkUp[0], words.mode) = (1, PortMode.closed.rawValue)
            unsafe Board(base: board.base)[pair: number] = words
        }
        unsafe Board(base: board.base).plan = plan
        let layout = EventsLayout(plan)
        let events = try SharedMemory.create("events", byteCount: layout.byteCount, header: layout.header)
        self.events = events
        let asked = InquiriesLayout(plan)
        let inquiries = Inquiries(
            try SharedMemory.create("inquiries", byteCount: asked.byteCount, header: asked.header), asked)
        self.inquiries = inquiries
        try send(
            Message(.files, last.generation, last.epoch),
            descriptors: [counters.descriptor, board.descriptor, events.descriptor, inquiries.memory.descriptor])
    }

    /// Takes a publication, says that it is in force, and waits until control knows, so that its clients hear so too.
    func serve() throws {
        let generation = try putIntoForce().generation
        try #require(hears("generation \(generation) is in force"))
    }

    /// Takes a publication and says that it is in force; its numbers.
    func putIntoForce() throws -> (generation: UInt64, epoch: UInt64) {
        let message = try expect(.publish)
        unsafe Board(base: board.base).facts.generation = UInt32(message.arguments[0])
        try send(Message(.inForce, message.arguments[0]))
        return (message.arguments[0], message.arguments[1])
    }
}

/// Runs a control session against a fake keeper that `body` plays on a thread of its own; the session's exit code. The folder holds
/// `bulkhead.yaml` and `set.yaml`. Clients may hold up its end for as long as `patience`.
func withControl(
    configuration: String = "pairs: [{name: edge, ports: [left, right]}]\npolicies: [set.yaml]\nrun: run\n",
    policies: String = documents(), patience: Duration = ControlSession.patience,
    _ body: @escaping @Sendable (FakeKeeper) throws -> Void
) async throws -> Int32 {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
        "bulkhead-control-\(UInt32.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (ours, theirs) = try Channel.pair()
    // Nothing of a test is kept where a daemon of this machine would look.
    let whole = configuration.contains("state: ") ? configuration : configuration + "state: state\n"
    try whole.write(toFile: folder.appendingPathComponent("bulkhead.yaml").path, atomically: true, encoding: .utf8)
    try policies.write(toFile: folder.appendingPathComponent("set.yaml").path, atomically: true, encoding: .utf8)
    let log = LineLog()
    async let code = ControlProcess.run(
        configuration: folder.appendingPathComponent("bulkhead.yaml").path, channel: theirs,
        log: Logger(label: "control") { _ in log.handler }, signals: [], patience: patience)
    try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
        Thread.detachNewThread {
            done.resume(
                with: Result {
                    let keeper = try FakeKeeper(ours, folder: folder, log: log)
                    defer { keeper.hangUp() }
                    try body(keeper)
                })
        }
    }
    return await code
}

/// A web server that may ask a database, by its port.
func documents(port: Int = 5432) -> String {
    """
    apiVersion: bulkhead/v1
    kind: Workload
    metadata: {name: web-1, namespace: shop, labels: {app: web}}
    spec: {addresses: [10.9.0.11, "fd00::11"]}
    ---
    apiVersion: bulkhead/v1
    kind: Workload
    metadata: {name: db-1, namespace: shop, labels: {app: db}}
    spec: {addresses: [10.9.0.21]}
    ---
    apiVersion: bulkhead/v1
    kind: Policy
    metadata: {name: db, namespace: shop}
    spec:
      subject: {selector: 'app == "db"'}
      isolates: {ingress: all}
      rules:
        - {name: sql-from-web, action: allow, from: {selector: 'app == "web"'}, services: [tcp/\(port)]}
    ---
    apiVersion: bulkhead/v1
    kind: Policy
    metadata: {name: web, namespace: shop}
    spec:
      subject: {selector: 'app == "web"'}
      rules:
        - {action: allow, to: {selector: 'app == "db"'}, services: [tcp/\(port)]}
    """
}
