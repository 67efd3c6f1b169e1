// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import Telemetry

extension Routes {
    func apply(_ request: Request, _ caller: Caller) async throws -> Response {
        let body = try await body(ApplyRequest.self, of: request, .apply)
        try check(seconds: body.confirm, 1...86_400, "confirm")
        try check(files: body.files)
        if let revision = body.ifRevision, revision < 1 {
            throw Problem(.badRequest, "ifRevision is a number of a revision, from 1")
        }
        return JSON.response(try await plane.apply(body, by: caller))
    }

    func confirm(_ request: Request, _ context: Exchange, _ caller: Caller) async throws -> Response {
        let number = try number(context)
        let body = try await bodyIfAny(ConfirmRequest.self, of: request, .confirm) ?? ConfirmRequest()
        return JSON.response(try await plane.confirm(number, body, by: caller))
    }

    func rollBack(_ request: Request, _ context: Exchange, _ caller: Caller) async throws -> Response {
        let number = try number(context)
        let body = try await bodyIfAny(RollbackRequest.self, of: request, .rollback) ?? RollbackRequest()
        try check(seconds: body.confirm, 1...86_400, "confirm")
        return JSON.response(try await plane.rollBack(to: number, body, by: caller))
    }

    func history(_ request: Request) async throws -> Response {
        let page = try Page(request, cursor: "before")
        let before = try page.cursor.map(Self.number)
        let (items, last) = page.cut(try await plane.history(before: before, limit: page.limit + 1))
        return JSON.response(RevisionPage(revisions: items, next: last?.revision))
    }

    func revision(_ context: Exchange) async throws -> Response {
        JSON.response(try await plane.revision(try number(context)))
    }

    func workloads(_ request: Request) async throws -> Response {
        let page = try Page(request, cursor: "after")
        let (items, last) = page.cut(try await plane.workloads(after: page.cursor, limit: page.limit + 1))
        return JSON.response(WorkloadPage(workloads: items, next: last?.name))
    }

    func register(_ request: Request, _ caller: Caller) async throws -> Response {
        let body = try await body(RegisterRequest.self, of: request, .register)
        try check(seconds: body.lease, 10...2_592_000, "lease")
        try check(files: body.files)
        return JSON.response(try await plane.register(body, by: caller))
    }

    func update(_ request: Request, _ context: Exchange, _ caller: Caller) async throws -> Response {
        let name = try name(context)
        let body = try await bodyIfAny(UpdateRequest.self, of: request, .update) ?? UpdateRequest()
        try check(seconds: body.lease, 10...2_592_000, "lease")
        return JSON.response(try await plane.update(name, body, by: caller))
    }

    func beginBypass(_ request: Request, _ caller: Caller) async throws -> Response {
        let body = try await body(BypassRequest.self, of: request, .beginBypass)
        try check(seconds: body.seconds, 1...86_400, "seconds")
        guard body.reason.contains(where: { !$0.isWhitespace }) else {
            throw Problem(.badRequest, "reason is empty: say why everything shall pass unjudged")
        }
        return JSON.response(try await plane.beginBypass(body, by: caller))
    }

    func audit(_ request: Request) async throws -> Response {
        let page = try Page(request, cursor: "before")
        let before = try page.cursor.map(Self.number)
        let (items, last) = page.cut(try await plane.auditLog(before: before, limit: page.limit + 1))
        return JSON.response(AuditPage(entries: items, next: last?.number))
    }
}

extension Routes {
    /// The object that a path names.
    func name(_ context: Exchange) throws(Problem) -> String {
        guard let name = context.parameters.get("name").flatMap(Percent.decoded), !name.isEmpty else {
            throw Problem(.badRequest, "the path names no workload: write /v1/workloads/NAMESPACE%2FNAME")
        }
        return name
    }

    private func number(_ context: Exchange) throws(Problem) -> Int64 {
        try Self.number(context.parameters.get("revision") ?? "")
    }

    private static func number(_ text: String) throws(Problem) -> Int64 {
        guard let number = Int64(text), number > 0 else {
            throw Problem(.badRequest, "\"\(text)\" is no number of a revision or line")
        }
        return number
    }

    private func check(seconds: UInt32?, _ range: ClosedRange<UInt32>, _ field: String) throws(Problem) {
        guard let seconds, !range.contains(seconds) else { return }
        throw Problem(
            .badRequest, "\(field) is a number of seconds from \(range.lowerBound) to \(range.upperBound), not \(seconds)")
    }

    private func check(files: [DocumentFile]) throws(Problem) {
        guard let nameless = files.firstIndex(where: { $0.name.isEmpty || $0.name.utf8.count > 4096 }) else { return }
        throw Problem(.badRequest, "files[\(nameless)] has no name, or one of more than 4096 bytes")
    }

    /// A request's body, which must be there.
    private func body<Value: StrictRequest>(_ type: Value.Type, of request: Request, _ call: Call) async throws -> Value {
        guard let value = try await bodyIfAny(type, of: request, call) else {
            throw Problem(.badRequest, "\(call.methodName) \(call.path) needs a body: a JSON object")
        }
        return value
    }

    /// A request's body; `nil` where it is empty. There is room for so many bytes of all requests together, which a body takes before
    /// its first byte is read and holds until it is understood.
    func bodyIfAny<Value: StrictRequest>(_ type: Value.Type, of request: Request, _ call: Call) async throws -> Value? {
        let limit = call.body == .documents ? limits.documents : limits.fields
        let length = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        guard length > 0 else { return nil }
        guard length <= limit else {
            tally.count(\.oversized)
            throw Problem(.contentTooLarge, "a body of \(call.methodName) \(call.path) may have \(limit) bytes")
        }
        let media = request.headers[.contentType]?.split(separator: ";").first.map { $0.lowercased().filter { $0 != " " } }
        // Pages of a browser can send other types elsewhere without asking; this one they cannot.
        guard media == "application/json" else {
            throw Problem(.unsupportedMediaType, "a body is sent as Content-Type: application/json")
        }
        guard tally.reserve(length) else {
            tally.count(\.oversized)
            throw Problem(.serviceUnavailable, "too much is being sent by others at this moment; try again", retryAfter: 1)
        }
        defer { tally.release(length) }
        do {
            return try Value.read(try await request.body.collect(upTo: limit))
        } catch let problem as Problem {
            tally.count(\.malformed)
            throw problem
        }
    }
}

/// What a list is asked for: where to go on, and how many items.
struct Page {
    var cursor: String?
    var limit = Routes.pageByDefault

    init(_ request: Request, cursor name: String) throws(Problem) {
        for (key, value) in request.uri.queryParameters {
            switch String(key) {
            case name: cursor = String(value)
            case "limit":
                guard let count = Int(value), (1...Routes.pageAtMost).contains(count) else {
                    throw Problem(.badRequest, "limit is a number from 1 to \(Routes.pageAtMost)")
                }
                limit = count
            default: throw Problem(.badRequest, "there is no parameter \(key); there are \(name) and limit")
            }
        }
    }

    /// Cuts what was found, one more than was asked for, to the page; the last item of it where there are more behind it.
    func cut<Item>(_ found: [Item]) -> (items: [Item], last: Item?) {
        guard found.count > limit else { return (found, nil) }
        return (Array(found.prefix(limit)), found[limit - 1])
    }
}

/// Percent-encoding of a path's segment (RFC 3986, 2.1).
enum Percent {
    /// The text that a segment means; `nil` where it is no UTF-8, or has a `%` that begins no byte.
    static func decoded(_ segment: String) -> String? {
        var bytes: [UInt8] = []
        var rest = segment.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
