// SPDX-License-Identifier: Apache-2.0
import Glibc
import Layout
import Testing

@Suite("Messages between the processes") struct MessageTests {
    /// Both ends of a stream that no child of another test inherits.
    static func stream() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0)
        return (ends[0], ends[1])
    }

    @Test(arguments: Message.Kind.allCases) func `a message comes as it was sent`(kind: Message.Kind) throws {
        let (one, other) = try Channel.pair()
        var plan = PlanTests.orders()
        plan.pairs[1].ports[1].hardwareAddress = 0x0200_0000_0042
        var sent = Message(kind, 7, .max, plan: plan)
        sent.arguments[3] = 12
        try one.send(sent)
        let (message, descriptors) = try other.receive()
        #expect(message.kind == kind)
        #expect((0..<4).map { message.arguments[$0] } == [7, .max, 0, 12])
        #expect(message.plan.pairs[1].ports[1].hardwareAddress == 0x0200_0000_0042)
        #expect(message.plan.pairs[0].name == plan.pairs[0].name)
        #expect(message.plan.fault == nil)
        #expect(descriptors.isEmpty)
    }

    @Test(arguments: [1, 2, 40, 253]) func `descriptors come in their order, as copies that no child inherits`(count: Int) throws
    {
        let (one, other) = try Channel.pair()
        let files = try (0..<count).map { try SharedMemory.create("layout-tests-\($0)", byteCount: 4096) }
        for (number, file) in files.enumerated() { unsafe file.base.storeBytes(of: number, as: Int.self) }
        try one.send(Message(.start), descriptors: files.map(\.descriptor))
        let (message, descriptors) = try other.receive()
        #expect(message.kind == .start)
        try #require(descriptors.count == count)
        for (number, descriptor) in descriptors.enumerated() {
            #expect(descriptor != files[number].descriptor)
            #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
            let memory = try SharedMemory(adopting: descriptor, writable: false)
            #expect(unsafe memory.base.load(as: Int.self) == number)
        }
    }

    @Test func `more descriptors than a message carries are not sent`() throws {
        let (one, other) = try Channel.pair()
        let error = #expect(throws: ChannelError.self) {
            try one.send(Message(.start), descriptors: Array(repeating: one.descriptor, count: 254))
        }
        #expect(error == .system("cannot send to another process", errno: EINVAL))
        #expect(!other.isReadable(within: 0))
    }

    @Test func `a message of another version is refused and its descriptors are closed`() throws {
        let (one, other) = try Channel.pair()
        let (read, write) = try Self.stream()
        defer { close(read) }
        var foreign = Message(.start)
        foreign.version += 1
        try one.send(foreign, descriptors: [write])
        close(write)
        #expect(throws: ChannelError.foreign) { _ = try other.receive() }
        // The last writing end is closed: the stream is at its end, and nobody waits.
        var byte: UInt8 = 0
        #expect(unsafe Glibc.read(read, &byte, 1) == 0)
    }

    @Test func `a message with another magic number, a short one and a long one are refused`() throws {
        let (one, other) = try Channel.pair()
        var foreign = Message(.alive)
        foreign.magic ^= 1
        try one.send(foreign)
        #expect(throws: ChannelError.foreign) { _ = try other.receive() }
        for length in [1, 8, MemoryLayout<Message>.size - 1, MemoryLayout<Message>.size + 1, 20_000] {
            let bytes = [UInt8](repeating: 1, count: length)
            #expect(unsafe write(one.descriptor, bytes, length) == length)
            #expect(throws: ChannelError.foreign, "\(length) bytes") { _ = try other.receive() }
        }
        // The conversation goes on behind them.
        try one.send(Message(.alive))
        #expect(try other.receive().message.kind == .alive)
    }

    @Test func `a kind of another build is none`() throws {
        let (one, other) = try Channel.pair()
        var strange = Message(.alive)
        strange.kindNumber = 4711
        try one.send(strange)
        #expect(try other.receive().message.kind == nil)
    }

    @Test func `the end of the other process is heard`() throws {
        var (one, other): (Channel?, Channel) = try Channel.pair()
        #expect(!other.isReadable(within: 0))
        try one?.send(Message(.stop))
        one = nil
        #expect(other.isReadable(within: 0))
        #expect(try other.receive().message.kind == .stop)
        #expect(throws: ChannelError.closed) { _ = try other.receive() }
        #expect(throws: ChannelError.closed) { try other.send(Message(.alive)) }
    }

    @Test func `who sits at the other end is known`() throws {
        let (one, _) = try Channel.pair()
        #expect(one.peer?.pid == getpid())
        #expect(one.peer?.uid == getuid())
    }

    @Test func `a message fits into one datagram with much room to spare`() {
        #expect(MemoryLayout<Message>.size == 48 + MemoryLayout<Plan>.size)
        #expect(MemoryLayout<Message>.size < 4096)
        #expect(Set(Message.Kind.allCases.map(\.rawValue)).count == Message.Kind.allCases.count)
    }

    @Test func `a full connection waits and loses nothing`() throws {
        let (one, other) = try Channel.pair()
        var sent: UInt64 = 0
        var waiting = pollfd(fd: one.descriptor, events: Int16(POLLOUT), revents: 0)
        while unsafe poll(&waiting, 1, 0) > 0 && sent < 1000 {
            try one.send(Message(.alive, sent))
            sent += 1
        }
        #expect(sent > 10)
        for number in 0..<sent { #expect(try other.receive().message.arguments[0] == number) }
    }
}
