// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import AsyncHTTPClient
import Control
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// The option that every verb has that asks a running daemon.
struct DaemonOptions: ParsableArguments {
    @Option(name: .long, help: "The daemon's socket, as `socket` in its configuration says.")
    var socket = Configuration.defaultSocket

    /// A client of that daemon.
    var client: DaemonClient { DaemonClient(socket: socket) }
}

/// Asks the daemon over its unix socket. Every failure says what to do next.
struct DaemonClient: Sendable {
    /// Bytes that an answer may have.
    static let answerLimit = 256 << 20
    /// Time for a whole answer that does not follow.
    static let patience = TimeAmount.seconds(30)

    let socket: String

    /// Why a daemon did not answer.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// What the daemon answers with when it refuses (RFC 9457).
    private struct Problem: Decodable {
        let detail: String
    }

    /// The text of an answer.
    func get(_ target: String) async throws -> String {
        try await asking { client in
            let response = try await client.execute(try request(target), timeout: Self.patience)
            return String(buffer: try await body(response))
        }
    }

    /// Server-sent events until the daemon ends the stream: their names and data.
    func follow(_ target: String, _ each: (_ name: String, _ data: String) throws -> Void) async throws {
        try await asking { client in
            // No timeout for the whole: it is endless. Heartbeats keep it alive, so silence means that the daemon hangs.
            let response = try await client.execute(try request(target), deadline: .distantFuture)
            guard response.status == .ok else { throw try await refusal(response) }
            var events = EventLines()
            for try await part in response.body {
                for (name, data) in events.take(String(buffer: part)) { try each(name, data) }
            }
        }
        throw Failure(description: "the daemon has ended the stream; it is stopping or was restarted")
    }

    private func asking<Answer>(_ ask: (HTTPClient) async throws -> Answer) async throws -> Answer {
        var configuration = HTTPClient.Configuration()
        configuration.timeout = .init(connect: .seconds(5), read: .seconds(60))
        // Nobody listens now: that is an answer, and waiting makes no better one.
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let answer = try await ask(client)
            try await client.shutdown()
            return answer
        } catch {
            try? await client.shutdown()
            if error is Failure || error is Outcome { throw error }
            throw Failure(description: explanation(error))
        }
    }

    private func request(_ target: String) throws -> HTTPClientRequest {
        guard let url = URL(httpURLWithSocketPath: socket, uri: target) else {
            throw Failure(description: "\(socket) is no path of a socket")
        }
        return HTTPClientRequest(url: url.absoluteString)
    }

    private func body(_ response: HTTPClientResponse) async throws -> ByteBuffer {
        guard response.status == .ok else { throw try await refusal(response) }
        return try await response.body.collect(upTo: Self.answerLimit)
    }

    private func refusal(_ response: HTTPClientResponse) async throws -> Failure {
        let text = String(buffer: try await response.body.collect(upTo: 1 << 20))
        let detail = try? Self.decode(Problem.self, text).detail
        return Failure(description: detail ?? "the daemon at \(socket) answered \(response.status)")
    }

    private func explanation(_ error: any Error) -> String {
        let facts = try? FileManager.default.attributesOfItem(atPath: socket)
        if facts == nil {
            return "no daemon at \(socket): start one with `bulkhead run --config FILE`, or name its socket with --socket"
        }
        if !FileManager.default.isWritableFile(atPath: socket) {
            return "no access to \(socket): ask as root, or as a member of the group that owns it"
        }
        return "the daemon at \(socket) does not answer (\(error)): is it running? `bulkhead run --config FILE` starts it"
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

    /// A value for a URI's query (RFC 3986, 2.3: everything that is not unreserved is escaped).
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

/// Takes a stream of server-sent events apart: an event is a run of lines up to an empty one.
struct EventLines {
    private var rest = ""
    private var name = ""
    private var data: [String] = []

    /// Takes the next part of the stream; the events that it completes.
    mutating func take(_ part: String) -> [(name: String, data: String)] {
        rest += part
        var events: [(String, String)] = []
        while let end = rest.firstIndex(of: "\n") {
            let line = String(rest[..<end])
            rest = String(rest[rest.index(after: end)...])
            if line.isEmpty {
                if !name.isEmpty || !data.isEmpty { events.append((name, data.joined(separator: "\n"))) }
                (name, data) = ("", [])
            } else if line.hasPrefix("event: ") {
                name = String(line.dropFirst("event: ".count))
            } else if line.hasPrefix("data: ") {
                data.append(String(line.dropFirst("data: ".count)))
            }
        }
        return events
    }
}
