// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
internal import Hummingbird
internal import NIOCore

/// An error as the API tells it: problem+json (RFC 9457). The detail says what to do next.
struct Problem: Error, Encodable {
    /// A URI for the kind of problem; `about:blank` means that the status says it all.
    let type = "about:blank"
    /// The status in words.
    let title: String
    /// The HTTP status.
    let status: Int
    /// What was wrong with this request.
    let detail: String

    /// A problem of a status.
    init(_ status: HTTPResponse.Status, _ detail: String) {
        title = status.reasonPhrase
        self.status = status.code
        self.detail = detail
    }

    private enum CodingKeys: String, CodingKey {
        case type, title, status, detail
    }
}

extension Problem {
    /// The answer that tells it.
    var response: Response {
        var headers = HTTPFields()
        headers[.contentType] = "application/problem+json"
        return Response(status: .init(code: status), headers: headers, body: .init(byteBuffer: JSON.body(self)))
    }
}

/// Turns whatever a handler throws into a problem, and refuses bodies that no route wants before anything reads them.
struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    /// Bytes that a request may bring.
    let bodyLimit: Int
    /// Takes what an operator should read about a request that failed.
    let log: @Sendable (String) -> Void

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            let length = request.headers[.contentLength].map { Int($0) ?? .max } ?? 0
            guard length <= bodyLimit, request.headers[.transferEncoding] == nil else {
                throw Problem(.contentTooLarge, "a request's body may have \(bodyLimit) bytes and must announce its length")
            }
            return try await next(request, context)
        } catch let problem as Problem {
            return problem.response
        } catch let error as any HTTPResponseError {
            return Problem(error.status, detail(of: error.status, request)).response
        } catch {
            log("\(request.method) \(request.uri.path) failed: \(error)")
            return Problem(.internalServerError, "the daemon could not answer; its log says why").response
        }
    }

    private func detail(of status: HTTPResponse.Status, _ request: Request) -> String {
        switch status {
        case .notFound: "there is nothing at \(request.uri.path); see GET /v1/status, /v1/policy, /v1/flows, /v1/health"
        case .methodNotAllowed: "\(request.uri.path) does not take \(request.method)"
        default: "the request could not be read"
        }
    }
}

/// How the API writes JSON: keys sorted, so that equal things read equal.
enum JSON {
    /// A value as bytes.
    static func body(_ value: some Encodable) -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Reports hold text and whole numbers only, which always encode.
        guard let data = try? encoder.encode(value) else { return ByteBuffer(string: "{}") }
        return ByteBuffer(bytes: data)
    }

    /// A value as a response.
    static func response(_ value: some Encodable) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = "application/json"
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: body(value)))
    }
}
