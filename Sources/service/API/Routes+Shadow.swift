// SPDX-License-Identifier: Apache-2.0
internal import Hummingbird
internal import Telemetry

// A candidate that is judged on live connections: begun, asked about, ended.
extension Routes {
    func startShadow(_ request: Request, _ caller: Caller) async throws -> Response {
        let body = try await body(ShadowRequest.self, of: request, .startShadow)
        try check(seconds: body.seconds, ShadowRequest.lengths, "seconds")
        try check(files: body.files)
        return JSON.response(try await plane.startShadow(body, by: caller))
    }

    // A default's denial is told with the rules that came nearest, which costs a walk over the rules: so on no thread of tasks.

    /// The run as it stands.
    func shadow(_ request: Request) async throws -> Response {
        var (filter, limit) = (ShadowFilter(), Self.pageByDefault)
        for (key, value) in request.uri.queryParameters {
            guard key != "limit" else {
                guard let count = Int(value), (1...Self.pageAtMost).contains(count) else {
                    throw Problem(.badRequest, "limit is a number from 1 to \(Self.pageAtMost)")
                }
                limit = count
                continue
            }
            if let fault = filter.set(String(key), to: String(value)) { throw Problem(.badRequest, fault) }
        }
        let (run, wanted, most) = (try run(), filter, limit)
        return JSON.response(try await StoreReaders.shared.read { run.report(wanted, limit: most) })
    }

    func shadowFlows(_ request: Request, _ context: Exchange) async throws -> Response {
        var effects = ShadowFilter()
        let (filter, last, follow) = try question(request) { key, value in
            key == "effect" ? .some(effects.set(key, to: value)) : nil
        }
        let (run, wanted) = (try run(), effects)
        guard follow else {
            let flows = try await StoreReaders.shared.read {
                run.hub.recent(limit: last) { wanted.wants($0) && filter.matches($0) }.map(FlowReport.init)
            }
            let lost = run.lost
            return JSON.response(Recent(flows: flows, lost: lost.worker &+ lost.queue &+ lost.reader))
        }
        guard let subscription = run.hub.subscribe() else {
            throw Problem(.serviceUnavailable, "the run has ended, or as many clients follow it as may")
        }
        let connection = context.connection
        return EventStream.response(
            subscription, heartbeat: heartbeat, where: { wanted.wants($0) && filter.matches($0) },
            mayGoOn: { await (try? connection?.caller())?.grants.suffice(for: Call.shadowFlows.need) ?? false },
            atItsEnd: { run.isRunning ? nil : EventStream.Over(end: run.report(limit: 0).end ?? "") })
    }

    private func run() throws -> ShadowRun {
        guard let run = slot.run else {
            throw Refusal(.missing, "no candidate was shadowed since control's start; bulkhead policy shadow start PATH begins")
        }
        return run
    }
}
