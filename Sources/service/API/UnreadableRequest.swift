// SPDX-License-Identifier: Apache-2.0
internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// Tells a client whose request was no HTTP what was wrong, as every other error of the API is told. The library answers such a request
/// with a bare 400 by itself, before anybody of ours sees it.
final class UnreadableRequest: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limits: APISettings.Limits

    init(_ limits: APISettings.Limits) { self.limits = limits }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // Our own answers have a type, and a body where they are errors.
        guard case .head(var head) = unwrapOutboundIn(data), head.status == .badRequest,
            head.headerFields[.contentType] == nil, head.headerFields[.contentLength] == "0"
        else { return context.write(data, promise: promise) }
        let body = JSON.body(
            Problem(
                .badRequest,
                "the request is no HTTP, or its head has more than \(limits.head) bytes or \(limits.headerFields) fields"))
        head.headerFields[.contentType] = "application/problem+json"
        head.headerFields[.contentLength] = String(body.readableBytes)
        context.write(wrapOutboundOut(.head(head)), promise: promise)
        context.write(wrapOutboundOut(.body(body)), promise: nil)
    }
}
