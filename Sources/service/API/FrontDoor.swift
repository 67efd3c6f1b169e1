// SPDX-License-Identifier: Apache-2.0
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import State
internal import Telemetry

/// What happens to every request before its route and behind it: who calls, whether they ask too much, and how what went wrong is told.
struct FrontDoor: RouterMiddleware {
    /// How many requests each caller may make.
    let rate: RateLimit
    /// The clock by which they come back, in nanoseconds.
    let now: @Sendable () -> UInt64
    let tally: Tally
    let limits: APISettings.Limits
    /// Takes what an operator should read about a request that failed.
    let log: @Sendable (String) -> Void

    func handle(
        _ request: Request, context: Exchange, next: (Request, Exchange) async throws -> Response
    ) async throws -> Response {
        tally.count(\.requests)
        do {
            var context = context
            guard let connection = context.connection else { throw Problem(.unauthorized, "nobody knows who calls") }
            let caller = try await connection.caller()
            guard rate.take(caller.actor.name, now: now()) else {
                tally.count(\.limited)
                throw Problem(
                    .tooManyRequests, "more than \(limits.requestsPerSecond) requests a second; wait a second", retryAfter: 1)
            }
            let length = request.headers[.contentLength].map { Int($0) ?? .max } ?? 0
            guard length <= limits.documents, request.headers[.transferEncoding] == nil else {
                tally.count(\.oversized)
                throw Problem(
                    .contentTooLarge, "a request's body may have \(limits.documents) bytes and must announce its length")
            }
            context.caller = caller
            return try await next(request, context)
        } catch {
            return problem(error, request).response
        }
    }

    private func problem(_ error: any Error, _ request: Request) -> Problem {
        switch error {
        case let problem as Problem: return problem
        case let refusal as Refusal:
            if refusal.kind == .forbidden { tally.count(\.forbidden) }
            return Problem(refusal)
        case let error as any HTTPResponseError:
            if error.status == .notFound { return nothing(request) }
            return Problem(error.status, "the request could not be read")
        default:
            log("\(request.method) \(request.uri.path) failed: \(error)")
            return Problem(.internalServerError, "the daemon could not answer; its log says why")
        }
    }

    private func nothing(_ request: Request) -> Problem {
        let methods = Call.methods(at: request.uri.path)
        guard !methods.isEmpty else {
            return Problem(.notFound, "there is nothing at \(request.uri.path); see GET \(Call.openapi.path)")
        }
        return Problem(
            .methodNotAllowed, "\(request.uri.path) does not take \(request.method)", allow: methods.joined(separator: ", "))
    }
}

extension Call {
    /// The methods that a path takes; none where there is nothing.
    static func methods(at path: String) -> [String] {
        let segments = path.split(separator: "/", omittingEmptySubsequences: true)
        return allCases.filter { call in
            let template = call.path.split(separator: "/")
            return template.count == segments.count
                && zip(template, segments).allSatisfy { $0 == $1 || $0.hasPrefix("{") }
        }.map(\.methodName)
    }
}
