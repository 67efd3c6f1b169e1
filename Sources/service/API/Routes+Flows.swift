// SPDX-License-Identifier: Apache-2.0
internal import Hummingbird
internal import NIOCore
internal import Telemetry

// What was seen: flows, the map, hits, metrics.
extension Routes {
    /// What is asked of flows: their conditions, how many, and whether to follow. `other` takes keys that are no condition of a flow: `nil`
    /// for a key that it does not know, else what is wrong with the value.
    func question(
        _ request: Request, other: (_ key: String, _ value: String) -> String?? = { _, _ in nil }
    ) throws(Problem) -> (filter: FlowFilter, last: Int, follow: Bool) {
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
                let fault = other(String(key), String(value)) ?? filter.set(String(key), to: String(value))
                if let fault { throw Problem(.badRequest, fault) }
            }
        }
        return (filter, last, follow)
    }

    func flows(_ request: Request, _ context: Exchange) async throws -> Response {
        let (filter, last, follow) = try question(request)
        guard follow else { return try await recent(filter, last) }
        guard let subscription = hub.subscribe() else {
            throw Problem(.serviceUnavailable, "as many clients follow as may, or the daemon is stopping; try again later")
        }
        let connection = context.connection
        return EventStream.response(subscription, heartbeat: heartbeat, where: filter.matches) {
            // A stream may outlive the role that opened it, and the certificate.
            await (try? connection?.caller())?.grants.suffice(for: Call.flows.need) ?? false
        }
    }

    /// The last events that fit: from memory where that reaches far enough back, else from the store.
    private func recent(_ filter: FlowFilter, _ last: Int) async throws -> Response {
        let counts = hub.counts
        let lost = counts.lost + counts.undelivered
        let kept = hub.recent(limit: last, where: filter.matches)
        guard kept.count < last, let observations else {
            return JSON.response(Recent(flows: kept.map(FlowReport.init), lost: lost))
        }
        // Reading waits for the disk, which the few threads of tasks must not.
        let stored = try await StoreReaders.shared.read {
            do {
                return try observations.flows(filter, limit: last)?.map(FlowReport.init)
            } catch let error as FlowStoreError where error.isOverlong {
                throw Problem(.serviceUnavailable, error.description, retryAfter: 60)
            }
        }
        // The store is a moment behind: what is in memory goes on from what it has.
        let recent = kept.map(FlowReport.init)
        let known = Set(recent)
        let flows = ((stored ?? []).filter { !known.contains($0) } + recent).suffix(last)
        return JSON.response(Recent(flows: Array(flows), lost: lost))
    }

    /// What the workers keep of one live connection.
    func trace(_ request: Request) async throws -> Response {
        var reader = TracedConnectionReader()
        for (key, value) in request.uri.queryParameters {
            if let fault = reader.set(String(key), to: String(value)) { throw Problem(.badRequest, fault) }
        }
        switch reader.connection() {
        case .success(let connection): return JSON.response(try await plane.trace(connection))
        case .failure(let fault): throw Problem(.badRequest, fault.description)
        }
    }

    func map(_ request: Request) throws(Problem) -> Response {
        var (groups, since): ([String], Timestamp?) = ([], nil)
        for (key, value) in request.uri.queryParameters {
            switch key {
            case "by":
                guard !value.isEmpty, groups.count < 8 else { throw Problem(.badRequest, "by is a label's key, eight at most") }
                groups.append(String(value))
            case "since":
                guard let time = Int64(value), time >= 0 else {
                    throw Problem(.badRequest, "since is a time: nanoseconds since 1970")
                }
                since = Timestamp(nanoseconds: time)
            default: throw Problem(.badRequest, "\(key) is no parameter of the map: by, since")
            }
        }
        guard let observations else { throw Problem(.serviceUnavailable, "nothing is observed yet; try again in a moment") }
        return JSON.response(observations.map(by: groups, since: since))
    }

    func hits(_ request: Request) throws(Problem) -> Response {
        var selection = HitReport.Selection()
        for (key, value) in request.uri.queryParameters {
            switch key {
            case "policy": selection.policy = String(value)
            case "rule": selection.rule = String(value)
            case "unused-for":
                guard let seconds = Int64(value), (0...Self.unusedAtMost).contains(seconds) else {
                    throw Problem(.badRequest, "unused-for is a number of seconds, from 0 to \(Self.unusedAtMost)")
                }
                selection.unusedFor = seconds
            default: throw Problem(.badRequest, "\(key) is no parameter of hits: policy, rule, unused-for")
            }
        }
        guard let observations else { throw Problem(.serviceUnavailable, "nothing is observed yet; try again in a moment") }
        return JSON.response(observations.hits(selection))
    }

    var metrics: Response {
        let page = Metrics(
            status: status, hits: observations?.hits ?? Hits(), events: hub.counts, kept: observations?.counts ?? .init(),
            shadow: slot)
        var headers = HTTPFields()
        headers[.contentType] = Metrics.contentType
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(string: page.text)))
    }
}
