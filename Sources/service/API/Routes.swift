// SPDX-License-Identifier: Apache-2.0
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import State
internal import Telemetry

/// What the API answers: every call of the table, behind the front door and the check of its role.
struct Routes: Sendable {
    /// What `GET /v1/flows` answers.
    struct Recent: Encodable {
        /// The events, oldest first.
        let flows: [FlowReport]
        /// Events that some subscriber lost since the start.
        let lost: UInt64
    }
    /// What `GET /v1/health` and `GET /v1/ready` answer.
    struct Health: Encodable {
        /// ok, or starting before the first policy is in force.
        let status: String
        /// The generation in force.
        let generation: UInt32
    }

    /// Events that `GET /v1/flows` answers without `last`, and at most.
    static let (lastByDefault, lastAtMost) = (100, 100_000)
    /// Items of a page without `limit`, and at most.
    static let (pageByDefault, pageAtMost) = (100, 1000)
    /// Seconds for which something may be asked to be unused: a century.
    static let unusedAtMost: Int64 = 3_155_760_000

    let plane: any ControlPlane
    let hub: EventHub
    let observations: Observations?
    /// Where a candidate is shadowed.
    let slot: ShadowSlot
    let heartbeat: Duration
    let limits: APISettings.Limits
    let tally: Tally
    /// What the servers themselves have to say in `status`.
    let conditions: @Sendable () -> [StatusReport.Condition]
    /// The clock that requests are counted by, in nanoseconds.
    let now: @Sendable () -> UInt64
    let log: @Sendable (String) -> Void
    let document = OpenAPI.document

    func router() -> Router<Exchange> {
        let router = Router(context: Exchange.self)
        let rate = RateLimit(perSecond: Double(limits.requestsPerSecond), burst: Double(2 * limits.requestsPerSecond))
        router.add(middleware: FrontDoor(rate: rate, now: now, tally: tally, limits: limits, log: log))
        for call in Call.allCases {
            router.on(RouterPath(call.path), method: call.method) { request, context in
                guard let caller = context.caller else { throw Problem(.unauthorized, "nobody knows who calls") }
                try await admit(caller, to: call, context)
                if call.body == .none && request.headers[.contentLength] ?? "0" != "0" {
                    tally.count(\.oversized)
                    throw Problem(.contentTooLarge, "\(call.methodName) \(call.path) takes no body")
                }
                return try await answer(call, request, context, caller)
            }
        }
        return router
    }

    /// Refuses whoever may not, and has it written down where it was an attempt to change something.
    private func admit(_ caller: Caller, to call: Call, _ context: Exchange) async throws {
        guard !caller.grants.suffice(for: call.need) else { return }
        let reason = "it needs \(call.need.words)"
        if let action = call.action {
            let object =
                (context.parameters.get("revision").map { "revision \($0)" })
                ?? context.parameters.get("name").map { "workload \($0)" }
            await plane.note(refused: action, of: object, reason: reason, by: caller)
        }
        throw Refusal(
            .forbidden, "\(caller.actor.name) may not: \(reason); `roles` in the daemon's configuration says who has it")
    }

    private func answer(_ call: Call, _ request: Request, _ context: Exchange, _ caller: Caller) async throws -> Response {
        switch call {
        case .health: health(isReady: false)
        case .ready: health(isReady: true)
        case .openapi: JSON.response(document)
        case .status: JSON.response(status)
        case .flows: try await flows(request, context)
        case .trace: try await trace(request)
        case .map: try map(request)
        case .metrics: metrics
        case .policy: try policy()
        case .hits: try hits(request)
        case .apply: try await apply(request, caller)
        case .history: try await history(request)
        case .revision: try await revision(context)
        case .confirm: try await confirm(request, context, caller)
        case .rollback: try await rollBack(request, context, caller)
        case .startShadow: try await startShadow(request, caller)
        case .shadow: try await shadow(request)
        case .shadowFlows: try await shadowFlows(request, context)
        case .stopShadow: JSON.response(try await plane.stopShadow(by: caller))
        case .workloads: try await workloads(request)
        case .register: try await register(request, caller)
        case .update: try await update(request, context, caller)
        case .unregister: JSON.response(try await plane.unregister(try name(context), by: caller))
        case .beginBypass: try await beginBypass(request, caller)
        case .endBypass: JSON.response(try await plane.endBypass(by: caller))
        case .beginCapture: try await beginCapture(request, context, caller)
        case .endCapture: JSON.response(try await plane.endCapture(by: caller))
        case .reload: JSON.response(try await plane.reload(by: caller))
        case .audit: try await audit(request)
        }
    }

    var status: StatusReport {
        var status = plane.status()
        status.conditions = (status.conditions ?? []) + conditions()
        status.api = tally.report
        if let fault = observations?.fault {
            status.conditions?.append(.init(name: "flow-store", since: nil, detail: fault))
        }
        if let fault = observations?.logFault { status.conditions?.append(.init(name: "flow-log", since: nil, detail: fault)) }
        if let counts = observations?.counts { status.records?.add(counts) }
        return status
    }

    /// Live is whoever answers; ready is who has a policy in force.
    private func health(isReady: Bool) -> Response {
        let generation = plane.status().generation
        let health = Health(status: generation > 0 ? "ok" : "starting", generation: generation)
        return JSON.response(health, status: isReady && generation == 0 ? .serviceUnavailable : .ok)
    }

    private func policy() throws(Problem) -> Response {
        guard let report = plane.policy() else {
            throw Problem(
                .serviceUnavailable, "no policy of this control process is in force yet; try again in a moment", retryAfter: 1)
        }
        return JSON.response(report)
    }
}
