// SPDX-License-Identifier: Apache-2.0
internal import Hummingbird
internal import NIOCore
internal import Telemetry

/// Flow events as server-sent events (WHATWG HTML, 9.2): `event: flow` with a `FlowReport`, `event: lost` with a count where the
/// client was too slow, and a comment as heartbeat, because only a failing write tells that a silent client is gone.
enum EventStream {
    /// What `event: lost` carries.
    struct Lost: Codable {
        /// Events missing at this place.
        let lost: UInt64
    }

    /// An endless answer; it ends with the client, with the hub, or when a heartbeat finds that the client may not see it any more.
    static func response(
        _ subscription: Subscription, filter: FlowFilter, heartbeat: Duration, mayGoOn: @escaping @Sendable () async -> Bool
    ) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = "text/event-stream"
        headers[.cacheControl] = "no-store"
        let body = ResponseBody { writer in
            let beats = Task {
                while !Task.isCancelled {
                    try await Task.sleep(for: heartbeat)
                    guard await mayGoOn() else { return subscription.cancel() }
                    subscription.beat()
                }
            }
            defer {
                beats.cancel()
                subscription.cancel()
            }
            // The head leaves with the first bytes of the body: a client that waits for it must not wait for the first event.
            try await writer.write(ByteBuffer(string: ": stream open\n\n"))
            for await delivery in subscription.deliveries {
                if let bytes = text(of: delivery, filter) { try await writer.write(bytes) }
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }

    private static func text(of delivery: EventHub.Delivery, _ filter: FlowFilter) -> ByteBuffer? {
        switch delivery {
        case .event(let event): filter.matches(event) ? message("flow", FlowReport(event)) : nil
        case .lost(let count): message("lost", Lost(lost: count))
        case .beat: ByteBuffer(string: ": alive\n\n")
        }
    }

    /// JSON holds no line break outside its escapes, so one `data` line is enough.
    static func message(_ name: String, _ value: some Encodable) -> ByteBuffer {
        var buffer = ByteBuffer(string: "event: \(name)\ndata: ")
        buffer.writeImmutableBuffer(JSON.body(value))
        buffer.writeString("\n\n")
        return buffer
    }
}
