// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Telemetry
import Testing

@testable import API

/// How long a connection waits for its client, by a clock that goes as the test says.
@Suite struct PatienceWithClients {
    /// A connection, and the client at its other end.
    private struct Bench {
        let loop = EmbeddedEventLoop()
        let channel: EmbeddedChannel
        let tally = Tally(reading: 0)

        init() throws {
            channel = EmbeddedChannel(handlers: [Wire(), Patience(APISettings.Limits(), tally)], loop: loop)
            try channel.connect(to: SocketAddress(unixDomainSocketPath: "/x")).wait()
        }

        func pass(seconds: Int64) { loop.advanceTime(by: .seconds(seconds)) }

        /// Whether the connection stands for so many seconds more, is cut off then, and that is counted.
        func isCut(after seconds: Int64) -> Bool {
            loop.advanceTime(by: .seconds(seconds) - .nanoseconds(1))
            guard channel.isActive, tally.report.slow == 0 else { return false }
            loop.advanceTime(by: .nanoseconds(1))
            return !channel.isActive && tally.report.slow == 1
        }

        func receive(_ parts: HTTPRequestPart...) throws { for part in parts { try channel.writeInbound(part) } }

        func answer() throws {
            try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
            try channel.writeOutbound(HTTPResponsePart.end(nil))
        }

        /// So many bytes more wait for the client.
        func wait(bytes: Int) {
            channel.write(HTTPResponsePart.body(ByteBuffer(repeating: 0, count: bytes)), promise: nil)
        }

        func set(isWritable: Bool) {
            channel.isWritable = isWritable
            channel.pipeline.fireChannelWritabilityChanged()
        }
    }

    /// Lets a body's bytes through to the channel, which counts those that nobody has flushed.
    private final class Wire: ChannelOutboundHandler {
        typealias OutboundIn = HTTPResponsePart
        typealias OutboundOut = ByteBuffer

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            guard case .body(let bytes) = unwrapOutboundIn(data) else {
                promise?.succeed()
                return
            }
            context.write(wrapOutboundOut(bytes), promise: promise)
        }
    }

    private static let head = HTTPRequestPart.head(HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/"))

    @Test func `who does not ask is waited for ten seconds`() throws {
        #expect(try Bench().isCut(after: 10))
    }

    @Test func `a request is read for thirty seconds from its head on, whatever comes of its body`() throws {
        let bench = try Bench()
        bench.pass(seconds: 9)
        try bench.receive(Self.head)
        for _ in 0..<4 {
            bench.pass(seconds: 5)
            try bench.receive(.body(ByteBuffer(repeating: 0, count: 100)))
        }
        #expect(bench.isCut(after: 10))
    }

    @Test func `an answer takes as long as it takes, and behind each the next request has a minute`() throws {
        let bench = try Bench()
        for _ in 0..<3 {
            try bench.receive(Self.head, .end(nil))
            bench.pass(seconds: 1000)
            try bench.answer()
            bench.pass(seconds: 59)
        }
        #expect(bench.isCut(after: 1))
    }

    @Test func `who takes nothing of an answer is waited for fifteen seconds`() throws {
        let bench = try Bench()
        try bench.receive(Self.head, .end(nil))
        bench.wait(bytes: 100)
        bench.set(isWritable: false)
        #expect(bench.isCut(after: 15))
    }

    @Test func `who takes something of it in that time has as long again, and who takes all of it all the time`() throws {
        let bench = try Bench()
        try bench.receive(Self.head, .end(nil))
        bench.wait(bytes: 100)
        bench.set(isWritable: false)
        for left in [80, 40, 1] {
            bench.pass(seconds: 14)
            bench.channel.flush()
            bench.wait(bytes: left)
            bench.pass(seconds: 1)
            #expect(bench.channel.isActive, "\(left) bytes are left")
        }
        bench.channel.flush()
        bench.set(isWritable: true)
        bench.pass(seconds: 1000)
        #expect(bench.channel.isActive && bench.tally.report.slow == 0)
    }
}
