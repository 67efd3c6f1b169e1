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

    private func descriptor() -> Int32 { unsafe open("/dev/null", O_RDONLY | O_CLOEXEC) }
    private func isOpen(_ descriptor: Int32) -> Bool { fcntl(descriptor, F_GETFD) >= 0 }

    private func publish(_ generation: UInt64) throws {
        let descriptors = [descriptor(), descriptor()]
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
        try answer(.refused, 2)
        #expect(keeper.publication?.generation == 1)
        #expect(keeper.offers.isEmpty)
        #expect(!isOpen(refused.snapshot) && !isOpen(refused.map))
        let kept = try #require(keeper.publication)
        #expect(isOpen(kept.snapshot) && isOpen(kept.map))
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
