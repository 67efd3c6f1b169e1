// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// An error as the API tells it: problem+json (RFC 9457). The detail says what to do next.
struct Problem: Error, Codable {
    /// A URI for the kind of problem; `about:blank` means that the status says it all.
    private(set) var type = "about:blank"
    /// The status in words.
    let title: String
    /// The HTTP status.
    let status: Int
    /// What was wrong with this request.
    let detail: String
    /// What is wrong one by one, each `file:line:column: message` where it has a place.
    let faults: [String]?
    /// Seconds after which asking again may help.
    let retryAfter: Int?
    /// The methods that there are instead.
    let allow: String?

    /// A problem of a status.
    init(
        _ status: HTTPResponse.Status, _ detail: String, faults: [String] = [], retryAfter: Int? = nil, allow: String? = nil
    ) {
        title = status.reasonPhrase
        self.status = status.code
        self.detail = detail
        self.faults = faults.isEmpty ? nil : faults
        self.retryAfter = retryAfter
        self.allow = allow
    }

    /// What control refused.
    init(_ refusal: Refusal) {
        let status: HTTPResponse.Status =
            switch refusal.kind {
            case .invalid: .badRequest
            case .forbidden: .forbidden
            case .missing: .notFound
            case .conflict: .conflict
            case .unprocessable: .unprocessableContent
            case .unavailable: .serviceUnavailable
            case .failed: .internalServerError
            }
        self.init(status, refusal.detail, faults: refusal.faults, retryAfter: refusal.kind == .unavailable ? 1 : nil)
    }

    private enum CodingKeys: String, CodingKey {
        case type, title, status, detail, faults
        case retryAfter = "retry_after"
        case allow
    }
}

extension Problem {
    /// The answer that tells it.
    var response: Response {
        var headers = HTTPFields()
        headers[.contentType] = "application/problem+json"
        if let retryAfter { headers[.retryAfter] = String(retryAfter) }
        if let allow { headers[.allow] = allow }
        return Response(status: .init(code: status), headers: headers, body: .init(byteBuffer: JSON.body(self)))
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
    static func response(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = "application/json"
        // What somebody may see is for them alone, and holds for this moment.
        headers[.cacheControl] = "no-store"
        return Response(status: status, headers: headers, body: .init(byteBuffer: body(value)))
    }
}
