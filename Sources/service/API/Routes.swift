// SPDX-License-Identifier: Apache-2.0
internal import Hummingbird
internal import Telemetry

/// What the API answers.
struct Routes: Sendable {
    /// What `GET /v1/flows` answers.
    struct Recent: Encodable {
        /// The events, oldest first.
        let flows: [FlowReport]
        /// Events that some subscriber lost since the start.
        let lost: UInt64
    }
    /// What `GET /v1/health` answers.
    struct Health: Encodable {
        /// ok, or starting before the first policy is in force.
        let status: String
        /// The generation in force.
        let generation: UInt32
    }

    /// Events that `GET /v1/flows` answers without `last`, and at most.
    static let (lastByDefault, lastAtMost) = (100, 4096)
    /// Bytes of a request's body.
    static let bodyLimit = 64 * 1024

    let status: any StatusSource
    let policy: @Sendable () -> PolicyReport?
    let hub: EventHub
    let heartbeat: Duration
    let log: @Sendable (String) -> Void

    func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.add(middleware: ProblemMiddleware(bodyLimit: Self.bodyLimit, log: log))
        router.get("/v1/status") { _, _ in JSON.response(status.status()) }
        router.get("/v1/health") { _, _ in
            let generation = status.status().generation
            return JSON.response(Health(status: generation > 0 ? "ok" : "starting", generation: generation))
        }
        router.get("/v1/policy") { _, _ in
            guard let report = policy() else {
                throw Problem(.serviceUnavailable, "no policy of this control process is in force yet; try again in a moment")
            }
            return JSON.response(report)
        }
        router.get("/v1/flows") { request, _ in try flows(request) }
        return router
    }

    private func flows(_ request: Request) throws -> Response {
        var filter = FlowFilter()
        var (last, follow) = (Self.lastByDefault, false)
        for (key, value) in request.uri.queryParameters {
            switch key {
            case "follow":
                guard value == "true" || value == "false" else { throw Problem(.badRequest, "follow is true or false") }
                follow = value == "true"
            case "last":
                guard let count = Int(value), (0...Self.lastAtMost).contains(count) else {
                    throw Problem(.badRequest, "last is a number from 0 to \(Self.lastAtMost)")
                }
                last = count
            default:
                if let fault = filter.set(String(key), to: String(value)) { throw Problem(.badRequest, fault) }
            }
        }
        guard follow else {
            let flows = hub.recent(limit: last, where: filter.matches).map(FlowReport.init)
            return JSON.response(Recent(flows: flows, lost: hub.counts.lost))
        }
        guard let subscription = hub.subscribe() else {
            throw Problem(.serviceUnavailable, "as many clients follow as may, or the daemon is stopping; try again later")
        }
        return EventStream.response(subscription, filter: filter, heartbeat: heartbeat)
    }
}
