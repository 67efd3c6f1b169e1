// SPDX-License-Identifier: Apache-2.0
internal import Foundation
internal import Glibc
internal import Layout

/// Control's end of its channel to keeper. Receiving blocks, so a thread of its own does it and hands the messages on in order.
final class KeeperLink: Sendable {
    /// A message from keeper with the descriptors that came with it, which are the receiver's.
    struct Incoming: Sendable {
        var message: Message
        var descriptors: [Int32]

        /// Closes descriptors that nobody asked for.
        func dismiss() { for descriptor in descriptors { close(descriptor) } }
    }

    private let channel: Channel
    /// What keeper says; the stream ends when keeper is gone.
    let incoming: AsyncStream<Incoming>
    private let continuation: AsyncStream<Incoming>.Continuation

    init(_ channel: Channel) {
        self.channel = channel
        let (stream, continuation) = AsyncStream.makeStream(of: Incoming.self)
        incoming = stream
        self.continuation = continuation
        Thread.detachNewThread { Self.receive(channel, continuation) }
    }

    /// Sends a message; the descriptors stay the caller's. Throws when keeper is gone.
    func send(_ message: Message, descriptors: [Int32] = []) throws(ChannelError) {
        try channel.send(message, descriptors: descriptors)
    }

    /// Orders keeper to let every pair forward unjudged for so many seconds from now, 1 to `Message.longestBypass`; 0 ends it now.
    /// The board says until when. Throws when keeper is gone; keeper leaves an order out of range unheard.
    func bypass(seconds: UInt32) throws(ChannelError) {
        try send(Message(.bypass, UInt64(seconds)))
    }

    /// Ends the stream of messages behind what is already in it.
    func stopListening() { continuation.finish() }

    /// Hangs up: keeper notices, and the receiving thread ends.
    func hangUp() { shutdown(channel.descriptor, Int32(SHUT_RDWR)) }

    private static func receive(_ channel: Channel, _ continuation: AsyncStream<Incoming>.Continuation) {
        while let (message, descriptors) = try? channel.receive() {
            continuation.yield(Incoming(message: message, descriptors: descriptors))
        }
        continuation.finish()
    }
}

/// Runs work that takes long and cannot wait on a thread of its own, so that the few threads of tasks stay free for those who ask.
func offload<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { done in
        let thread = Thread { done.resume(with: Result { try work() }) }
        // Documents nest, and so do the functions that read them.
        thread.stackSize = 16 << 20
        thread.start()
    }
}
