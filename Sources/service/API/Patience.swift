// SPDX-License-Identifier: Apache-2.0
internal import Hummingbird
internal import NIOCore
internal import NIOHTTPTypes
internal import Telemetry

/// Closes a connection whose client takes too long: to ask at all, to finish what it asks, or to take the answer.
///
/// It sees whole heads and bodies' parts, not bytes. A client that sends a head letter by letter, or a handshake, moves nothing by that,
/// so its time runs from where it began. How long an answer takes to make is not the client's doing and has no limit here.
final class Patience: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limits: APISettings.Limits
    private let tally: Tally
    /// When the client must have asked, or finished asking; `nil` while it waits for us.
    private var request: NIODeadline?
    /// When the client must have taken something of what waits to be written, and how much waited.
    private var answer: (deadline: NIODeadline, waiting: Int)?
    /// Requests that have begun and are not answered.
    private var underWay = 0
    private var isBeingRead = false
    private var timer: (task: Scheduled<Void>, deadline: NIODeadline)?

    init(_ limits: APISettings.Limits, _ tally: Tally) {
        self.limits = limits
        self.tally = tally
    }

    func handlerAdded(context: ChannelHandlerContext) { expect(limits.firstRequest, context) }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.task.cancel()
        timer = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            underWay += 1
            isBeingRead = true
            expect(limits.wholeRequest, context)
        case .body: break
        case .end:
            isBeingRead = false
            request = nil
            if underWay == 0 { expect(limits.idle, context) }
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            underWay = max(0, underWay - 1)
            if underWay == 0 && !isBeingRead { expect(limits.idle, context) }
        }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            answer = nil
        } else {
            answer = (context.eventLoop.now + .init(limits.progress), waiting(context))
            arm(context)
        }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // What is no HTTP, or a handshake that failed.
        tally.count(\.malformed)
        context.fireErrorCaught(error)
    }

    private func expect(_ time: Duration, _ context: ChannelHandlerContext) {
        request = context.eventLoop.now + .init(time)
        arm(context)
    }

    /// One timer for both deadlines. It is not moved when they move back, as they do with every request, but looks again where it went
    /// off too early.
    private func arm(_ context: ChannelHandlerContext) {
        guard let next = [request, answer?.deadline].compactMap({ $0 }).min() else { return }
        if let timer {
            guard next < timer.deadline else { return }
            timer.task.cancel()
        }
        let task = context.eventLoop.assumeIsolated().scheduleTask(deadline: next) { [self] in
            timer = nil
            look(context)
        }
        timer = (task, next)
    }

    private func look(_ context: ChannelHandlerContext) {
        let now = context.eventLoop.now
        if let answer, answer.deadline <= now {
            let left = waiting(context)
            guard left < answer.waiting else { return close(context) }
            self.answer = (now + .init(limits.progress), left)
        }
        if let request, request <= now { return close(context) }
        arm(context)
    }

    private func close(_ context: ChannelHandlerContext) {
        tally.count(\.slow)
        context.close(promise: nil)
    }

    /// Bytes that the client has yet to take.
    private func waiting(_ context: ChannelHandlerContext) -> Int {
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }
}
