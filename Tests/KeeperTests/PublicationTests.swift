// SPDX-License-Identifier: Apache-2.0
import Glibc
import Layout
import Testing

@testable import Keeper

/// A keeper with a data process and a control that the test plays itself.
@Suite struct `What keeper passes on from control to data` {
    let keeper = KeeperLoop(configuration: "/dev/null", takeOver: false)
    let data: Channel
    let control: Channel

    init() throws {
        let (toData, data) = try Channel.pair()
        let (toControl, control) = try Channel.pair()
        toControl.neverWait()
        (keeper.dataChannel, keeper.controlChannel) = (toData, toControl)
        (self.data, self.control) = (data, control)
        (keeper.isReady, keeper.areWorkersRunning) = (true, true)
    }

    /// A descriptor of a file that no other test has.
    private func descriptor() throws -> Int32 {
        let file = try SharedMemory.create("keeper-tests", byteCount: 4096)
        return withExtendedLifetime(file) { dup(file.descriptor) }
    }

    /// Which file is behind a descriptor: once that is closed, another test may get its number.
    private func inode(behind descriptor: Int32) -> ino_t? {
        var facts = stat()
        return unsafe fstat(descriptor, &facts) == 0 ? facts.st_ino : nil
    }

    private func publish(_ generation: UInt64) throws {
        let descriptors = [try descriptor(), try descriptor()]
        try control.send(Message(.publish, generation, generation), descriptors: descriptors)
        for descriptor in descriptors { close(descriptor) }
        try keeper.hearControl()
    }

    private func answer(_ kind: Message.Kind, _ generation: UInt64) throws {
        try data.send(Message(kind, generation))
        try keeper.hearData()
    }

    @Test func `a refused generation does not take the place of the one in force`() throws {
        try publish(1)
        try answer(.inForce, 1)
        try publish(2)
        let refused = try #require(keeper.offers.first)
        let (snapshot, map) = (inode(behind: refused.snapshot), inode(behind: refused.map))
        #expect(snapshot != nil && map != nil)
        try answer(.refused, 2)
        #expect(keeper.publication?.generation == 1)
        #expect(keeper.offers.isEmpty)
        #expect(inode(behind: refused.snapshot) != snapshot && inode(behind: refused.map) != map)
        let kept = try #require(keeper.publication)
        #expect(inode(behind: kept.snapshot) != nil && inode(behind: kept.map) != nil)
    }

    @Test func `two generations on their way are answered in their order`() throws {
        try publish(1)
        try publish(2)
        #expect(keeper.offers.map(\.generation) == [1, 2])
        try answer(.inForce, 1)
        #expect(keeper.publication?.generation == 1)
        try answer(.inForce, 2)
        #expect(keeper.publication?.generation == 2 && keeper.offers.isEmpty)
    }

    @Test func `a data process that ends before its answer costs control nothing, and the next one is offered the same`() throws {
        try publish(1)
        try answer(.inForce, 1)
        shutdown(data.descriptor, Int32(SHUT_RDWR))
        try publish(2)
        #expect(keeper.controlChannel != nil)
        let (toData, next) = try Channel.pair()
        keeper.dataChannel = toData
        keeper.blameOffer()
        keeper.offerAgain()
        #expect(try next.receive().message.arguments[0] == 1)
        #expect(try next.receive().message.arguments[0] == 2)
    }

    @Test func `what data says of the next generation before its workers run is heard behind that, and starts nothing twice`()
        throws
    {
        keeper.areWorkersRunning = false
        try publish(1)
        try publish(2)
        try publish(3)
        for (kind, generation) in [(Message.Kind.inForce, 1), (.refused, 2), (.inForce, 3), (.running, 0)] {
            try data.send(Message(kind, UInt64(generation)))
        }
        try keeper.hearData()
        #expect(keeper.areWorkersRunning && keeper.dataChannel != nil)
        #expect(keeper.publication?.generation == 3 && keeper.offers.isEmpty && keeper.unheard.isEmpty)
        for kind in [Message.Kind.publish, .publish, .publish, .go] { #expect(try data.receive().message.kind == kind) }
        #expect(!data.isReadable(within: 0))
        let told = try (0..<3).map { _ in try control.receive().message }
        #expect(told.map(\.kind) == [.inForce, .refused, .inForce] && told.map { $0.arguments[0] } == [1, 2, 3])
    }

    @Test func `a data process that answers more than it was asked is ended, and not listened to for ever`() throws {
        keeper.areWorkersRunning = false
        try publish(1)
        for generation in 1...3 as ClosedRange<UInt64> { try data.send(Message(.inForce, generation)) }
        try keeper.hearData()
        #expect(!keeper.areWorkersRunning && keeper.dataChannel == nil && keeper.unheard.isEmpty)
    }

    @Test func `a generation at which two data processes ended is given up, and control hears of it`() throws {
        try publish(1)
        try answer(.inForce, 1)
        _ = try control.receive()
        try publish(2)
        keeper.blameOffer()
        #expect(keeper.offers.map(\.generation) == [2])
        keeper.blameOffer()
        #expect(keeper.offers.isEmpty && keeper.publication?.generation == 1)
        let said = try control.receive().message
        #expect(said.kind == .refused && said.arguments[0] == 2)
    }

    @Test(.timeLimit(.minutes(1))) func `a control that floods and never listens neither holds keeper up nor fills it`() throws {
        for generation in 1...2000 where keeper.controlChannel != nil { try publish(UInt64(generation)) }
        #expect(keeper.offers.count == KeeperLoop.mostOffers)
        #expect(keeper.controlChannel == nil)
    }

    @Test func `descriptors that nobody asked for are closed, and orders out of range do not end keeper`() throws {
        for kind in [Message.Kind.orders, .alive, .publish, .fetch] {
            var ends: [Int32] = [-1, -1]
            #expect(unsafe pipe(&ends) == 0)
            try control.send(Message(kind), descriptors: [ends[1]])
            close(ends[1])
            try keeper.hearControl()
            // The pipe has ended when nobody holds its other end any more.
            var byte: UInt8 = 0
            _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
            #expect(unsafe read(ends[0], &byte, 1) == 0, "\(kind)")
            close(ends[0])
        }
    }
}
