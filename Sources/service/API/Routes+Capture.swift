// SPDX-License-Identifier: Apache-2.0
internal import Hummingbird
internal import NIOCore
internal import Telemetry

// Captures, as server-sent events: `begin` with a `CaptureBegin`, `frames` with a list of `FrameReport`, every second `counts` with
// `CaptureCounts`, and `end` with a `CaptureEnd`. The capture ends with its client: a client that is gone is noticed by the next write.
extension Routes {
    func beginCapture(_ request: Request, _ context: Exchange, _ caller: Caller) async throws -> Response {
        let body = try await bodyIfAny(CaptureRequest.self, of: request, .beginCapture) ?? CaptureRequest()
        var filter = FlowFilter()
        if let fault = body.fault(&filter) { throw Problem(.badRequest, fault) }
        let feed = try await plane.beginCapture(body, filter, by: caller)
        let (connection, heartbeat, need) = (context.connection, heartbeat, body.payload == true)
        return Self.response(feed, heartbeat: heartbeat) {
            // A stream may outlive the role that opened it, and the certificate.
            guard let grants = await (try? connection?.caller())?.grants else { return false }
            return need ? grants.isAdministrator : grants.suffice(for: Call.beginCapture.need)
        }
    }

    private static func response(
        _ feed: CaptureFeed, heartbeat: Duration, mayGoOn: @escaping @Sendable () async -> Bool
    ) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = "text/event-stream"
        headers[.cacheControl] = "no-store"
        let body = ResponseBody { writer in
            let looks = Task {
                while !Task.isCancelled {
                    try await Task.sleep(for: heartbeat)
                    guard await mayGoOn() else { return feed.end("unauthorized") }
                }
            }
            defer {
                looks.cancel()
                feed.end("gone")
            }
            try await writer.write(EventStream.message("begin", feed.begin))
            for await delivery in feed.deliveries {
                switch delivery {
                case .frames(let frames): try await writer.write(EventStream.message("frames", frames))
                case .counts(let counts): try await writer.write(EventStream.message("counts", counts))
                case .end(let end): try await writer.write(EventStream.message("end", end))
                }
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: headers, body: body)
    }
}
