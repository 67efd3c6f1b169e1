// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOSSL

/// Asks the daemon, over its unix socket or over mutual TLS. Every failure says what to do next.
struct DaemonClient: Sendable {
    /// Bytes that an answer may have.
    static let answerLimit = 256 << 20
    /// Time for a whole answer to a question, and to a change: a large set takes as long to compile as it takes.
    static let (patience, longPatience) = (TimeAmount.seconds(30), TimeAmount.minutes(10))

    /// Where a daemon is.
    enum Way: Sendable {
        /// A unix socket's path.
        case socket(String)
        /// A server's address, and the files that say who asks and whom to believe.
        case server(String, certificate: String, key: String, ca: String)
    }

    /// What HTTP calls what is asked for.
    enum Act: String {
        case get = "GET"
        case post = "POST"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    let way: Way

    /// Why a daemon did not do as it was asked.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// What the daemon answers with when it refuses (RFC 9457).
    private struct Problem: Decodable {
        let detail: String
        let faults: [String]?
    }

    /// The text of an answer.
    func get(_ target: String) async throws -> String { try await ask(.get, target) }

    /// The text of the answer to a request, with a body where there is one.
    func ask(_ act: Act, _ target: String, body: (any Encodable & Sendable)? = nil) async throws -> String {
        let patience = act == .get ? Self.patience : Self.longPatience
        return try await asking(silence: patience) { client in
            let response = try await client.execute(try request(target, act, body), timeout: patience)
            guard response.status == .ok else { throw try await refusal(response) }
            return String(buffer: try await response.body.collect(upTo: Self.answerLimit))
        }
    }

    /// Server-sent events until the daemon ends the stream: their names and data.
    func follow(_ target: String, _ each: (_ name: String, _ data: String) throws -> Void) async throws {
        try await stream(.get, target, each)
        throw Failure(description: "the daemon has ended the stream; it is stopping or was restarted")
    }

    /// Server-sent events of the answer to a request until there are no more: their names and data. What `each` throws ends it.
    func stream(
        _ act: Act, _ target: String, body: (any Encodable & Sendable)? = nil,
        _ each: (_ name: String, _ data: String) throws -> Void
    ) async throws {
        try await asking(silence: .seconds(60)) { client in
            // No timeout for the whole: it is endless. Heartbeats keep it alive, so silence means that the daemon hangs.
            let response = try await client.execute(try request(target, act, body), deadline: .distantFuture)
            guard response.status == .ok else { throw try await refusal(response) }
            var events = EventLines()
            for try await part in response.body {
                for (name, data) in events.take(String(buffer: part)) { try each(name, data) }
            }
        }
    }

    private func asking<Answer>(silence: TimeAmount, _ ask: (HTTPClient) async throws -> Answer) async throws -> Answer {
        var configuration = HTTPClient.Configuration()
        configuration.timeout = .init(connect: .seconds(5), read: silence)
        // Nobody listens now: that is an answer, and waiting makes no better one.
        configuration.connectionPool.retryConnectionEstablishment = false
        // A daemon sends nobody elsewhere, and whoever does is none.
        configuration.redirectConfiguration = .disallow
        if case .server(_, let certificate, let key, let ca) = way {
            configuration.tlsConfiguration = try Self.security(certificate: certificate, key: key, ca: ca)
        }
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let answer = try await ask(client)
            try await client.shutdown()
            return answer
        } catch {
            try? await client.shutdown()
            if error is Failure || error is Outcome || error is CaptureFile.ReaderIsGone { throw error }
            throw Failure(description: explanation(error))
        }
    }

    /// What the handshake shows and believes.
    private static func security(certificate: String, key: String, ca: String) throws -> TLSConfiguration {
        func reading<Value>(_ path: String, _ what: String, _ read: () throws -> Value) throws -> Value {
            do { return try read() } catch { throw Failure(description: "\(path) holds no \(what) in PEM, or cannot be read") }
        }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv13
        configuration.certificateChain = try reading(certificate, "certificate") {
            try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) }
        }
        configuration.privateKey = .privateKey(
            try reading(key, "private key") { try NIOSSLPrivateKey(file: key, format: .pem) })
        configuration.trustRoots = .certificates(try reading(ca, "certificate") { try NIOSSLCertificate.fromPEMFile(ca) })
        return configuration
    }

    private func request(_ target: String, _ act: Act, _ body: (any Encodable & Sendable)?) throws -> HTTPClientRequest {
        var request = try request(target)
        request.method = HTTPMethod(rawValue: act.rawValue)
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: try Self.encode(body)))
        }
        return request
    }

    private func request(_ target: String) throws -> HTTPClientRequest {
        switch way {
        case .socket(let path):
            guard let url = URL(httpURLWithSocketPath: path, uri: target) else {
                throw Failure(description: "\(path) is no path of a socket")
            }
            return HTTPClientRequest(url: url.absoluteString)
        case .server(let address, _, _, _): return HTTPClientRequest(url: address + target)
        }
    }

    private func refusal(_ response: HTTPClientResponse) async throws -> Failure {
        let text = String(buffer: try await response.body.collect(upTo: 1 << 20))
        guard let problem = try? Self.decode(Problem.self, text) else {
            return Failure(description: "\(whom) answered \(response.status)")
        }
        return Failure(description: ([problem.detail] + (problem.faults ?? [])).joined(separator: "\n"))
    }

    private var whom: String {
        switch way {
        case .socket(let path): "the daemon at \(path)"
        case .server(let address, _, _, _): "the daemon at \(address)"
        }
    }

    private func explanation(_ error: any Error) -> String {
        guard case .socket(let socket) = way else {
            return "\(whom) does not answer (\(error)): does it listen there, is its certificate of your --ca and for that name, "
                + "and is yours of its client-ca?"
        }
        let facts = try? FileManager.default.attributesOfItem(atPath: socket)
        if facts == nil {
            return "no daemon at \(socket): start one with `bulkhead run --config FILE`, or name its socket with --socket"
        }
        if !FileManager.default.isWritableFile(atPath: socket) {
            return "no access to \(socket): ask as root, or as a member of the group that owns it"
        }
        return "\(whom) does not answer (\(error)): is it running? `bulkhead run --config FILE` starts it"
    }
}

extension DaemonClient {
    /// A value of JSON.
    static func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch {
            throw Failure(description: "the daemon's answer is not understood: it is of another version than this command")
        }
    }

    /// A value as one line of JSON.
    static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// A value for a URI's path or query (RFC 3986, 2.3: everything that is not unreserved is escaped).
    static func escaped(_ value: String) -> String {
        value.utf8.map { byte in
            let isPlain =
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-._~".utf8.contains(byte)
                }
            if isPlain { return String(UnicodeScalar(byte)) }
            return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}
