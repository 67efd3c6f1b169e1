// SPDX-License-Identifier: Apache-2.0
import Glibc
import Layout
import Synchronization
import TestSupport
import Testing

@testable import Engine

/// The main thread of a data process, whose keepers the test plays. Its only pair waits for a port, so that no worker runs.
@Suite("The main thread of data", .timeLimit(.minutes(5))) struct DataHostTests {
    let files: MachineFiles
    let plan: Plan
    let path = "/tmp/bulkhead-engine-tests-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    private let listener: Int32
    private let code = ExitCode()

    private final class ExitCode: Sendable {
        let word = Atomic<Int>(-1)
        var value: Int { word.load(ordering: .acquiring) }
    }

    init() throws {
        files = try MachineFiles()
        var plan = files.plan
        plan.pairs[0].isWaiting = 1
        self.plan = plan
        listener = socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        let socket = listener
        let bound = unsafe withAddress { unsafe bind(socket, $0, $1) }
        try #require(bound == 0 && listen(socket, 8) == 0, "no socket at \(path)")
    }

    private func withAddress(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    /// A keeper that comes later.
    private func call() throws -> Channel {
        let socket = socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0)
        let connected = unsafe withAddress { unsafe connect(socket, $0, $1) }
        try #require(connected == 0)
        return Channel(adopting: socket)
    }

    /// Data's answer; `nil` when it has ended.
    private func answer(_ channel: Channel) throws -> Message? {
        guard channel.isReadable(within: Int32(longestWait / .milliseconds(1))) else { return nil }
        guard let (message, descriptors) = try? channel.receive() else { return nil }
        for descriptor in descriptors { close(descriptor) }
        return message
    }

    /// Starts the main thread, and lets it do what `words` say; each must be answered.
    private func start(_ words: [Message.Kind]) throws -> (keeper: Channel, thread: RealThread) {
        let (keeper, end) = try Channel.pair()
        let (listener, code) = (listener, code)
        let thread = RealThread {
            let host = DataHost(listener: listener, channel: end, owner: getuid())
            code.word.store(Int(host.serve()), ordering: .releasing)
        }
        let places = 2 * Int(plan.pairs[0].queues)
        let descriptors = files.descriptors().dropLast(places) + (0..<places).map { _ in dup(files.board.descriptor) }
        try keeper.send(Message(.start, plan: plan), descriptors: Array(descriptors))
        for descriptor in descriptors { close(descriptor) }
        #expect(try answer(keeper)?.kind == .ready)
        for word in words {
            try keeper.send(Message(word))
            #expect(try answer(keeper) != nil, "\(word)")
        }
        return (keeper, thread)
    }

    private func removeSocket() {
        close(listener)
        unsafe unlink(path)
    }

    @Test func `lives on without a keeper while all its pairs wait for ports, and hands the next one what it holds`() throws {
        defer { removeSocket() }
        let (keeper, thread) = try start([.go])
        // Not by its end: nobody holds the channel any more.
        shutdown(keeper.descriptor, Int32(SHUT_RDWR))
        let next = try call()
        try next.send(Message(.fetch))
        let held = try #require(try answer(next), "it has ended with \(code.value)")
        #expect(held.kind == .holdings && held.plan.pairs[0].isWaiting == 1)
        try next.send(Message(.stop))
        thread.join()
        #expect(code.value == 0)
    }

    @Test(arguments: [[], [Message.Kind.go, .park]])
    func `ends with its keeper before it is told to go, and once it has parked, though the next one calls`(
        words: [Message.Kind]
    ) throws {
        defer { removeSocket() }
        let (keeper, thread) = try start(words)
        let next = words.isEmpty ? nil : try call()
        try next?.send(Message(.fetch))
        shutdown(keeper.descriptor, Int32(SHUT_RDWR))
        thread.join()
        #expect(code.value == 1)
        // The call is for the process that goes on.
        #expect(next?.isReadable(within: 0) != true)
    }
}
