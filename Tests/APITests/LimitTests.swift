// SPDX-License-Identifier: Apache-2.0
import API
import Foundation
import Synchronization
import Telemetry
import TestSupport
import Testing

/// What a client may take, and what happens to one that takes more.
@Suite struct Limits {
    private func status(_ path: String) throws -> StatusReport.APICounters {
        let client = try #require(UnixClient(path))
        client.send("GET", "/v1/status", body: nil)
        return try #require(try JSONDecoder().decode(StatusReport.self, from: Data(client.answer().body.utf8)).api)
    }

    @Test func `a connection too many is answered and closed, and the next one behind it is let in`() async throws {
        try await withServer(settings: { $0.limits.connectionsPerPeer = 2 }) { path in
            do {
                let held = [try #require(UnixClient(path)), try #require(UnixClient(path))]
                for client in held {
                    client.send("GET", "/v1/health", headers: [])
                    #expect(client.answer().status == 200)
                }
                let third = try #require(UnixClient(path))
                let answer = third.answer()
                #expect(answer.status == 503 && answer.head.contains("application/problem+json"))
                #expect(answer.body.contains("too many connections"))
            }
            // Once one of the two has left.
            let isCounted = eventually { (try? status(path))?.crowded ?? 0 >= 1 }
            #expect(isCounted)
        }
    }

    @Test(arguments: [
        ("says nothing", "", true), ("sends a head letter by letter", "GET /v1/status HTTP/1.1\r\nHost: x\r\nX: ", true),
        (
            "stops inside a body",
            "POST /v1/policy HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", false
        ),
    ])
    func `a client that does not come to the point is cut off`(what: String, text: String, trickles: Bool) async throws {
        try await withServer(settings: { settings in
            (settings.limits.firstRequest, settings.limits.wholeRequest) = (.milliseconds(400), .milliseconds(400))
        }) { path in
            let client = try #require(UnixClient(path))
            client.write(text)
            // Each letter would move a deadline that looked at bytes: a server that does goes on for as long as they come.
            let isEnded = eventually {
                if trickles && !text.isEmpty { client.write("a") }
                return client.isAnswered
            }
            #expect(isEnded && client.readToEnd() == (0, true), "\(what)")
        }
    }

    @Test func `a connection that is kept open without asking ends after its time`() async throws {
        try await withServer(settings: { $0.limits.idle = .milliseconds(300) }) { path in
            let client = try #require(UnixClient(path))
            client.send("GET", "/v1/health", headers: [])
            #expect(client.answer().status == 200)
            #expect(client.readToEnd() == (0, true))
        }
    }

    @Test func `a client that takes nothing of its answer is cut off`() async throws {
        // The set's text is larger than what the kernel keeps between two ends of a unix socket.
        let report = try decodedReport(bytes: 8 << 20)
        try await withServer(policy: report, settings: { $0.limits.progress = .milliseconds(300) }) { path in
            let dead = try #require(UnixClient(path))
            dead.send("GET", "/v1/policy", headers: ["Connection: close"])
            let isCut = try eventually { try status(path).slow == 1 }
            #expect(isCut)
            // What the kernel has taken comes, and then the end.
            let (count, isEnded) = dead.readToEnd()
            #expect(isEnded && count < 8 << 20)
        }
    }

    private func decodedReport(bytes: Int) throws -> PolicyReport {
        decoded(
            PolicyReport.self,
            ["generation": 1, "documents": String(repeating: "x", count: bytes), "written": [Any](), "zones": [Any]()])
    }

    @Test func `too many requests a second are told to wait, and counted by caller`() async throws {
        let clock = Mutex(ManualClock())
        try await withServer(
            now: { clock.withLock { $0.nanoseconds } }, settings: { $0.limits.requestsPerSecond = 5 }
        ) { path in
            let client = try #require(UnixClient(path))
            func ask(_ count: Int) -> [Int] {
                (0..<count).map { _ in
                    client.send("GET", "/v1/health", headers: [])
                    let answer = client.answer()
                    if answer.status == 429 { #expect(answer.head.lowercased().contains("retry-after: 1")) }
                    return answer.status
                }
            }
            // Twice as many at once.
            #expect(ask(13) == [Int](repeating: 200, count: 10) + [429, 429, 429])
            clock.withLock { $0.pass(seconds: 1) }
            #expect(ask(6) == [Int](repeating: 200, count: 5) + [429])
            clock.withLock { $0.pass(seconds: 1) }
            #expect(try status(path).limited == 4)
        }
    }

    @Test(arguments: [
        "GET\r\n\r\n", "GET / HTTP/1.1\r\nHost x\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\r\n\r\n",
    ])
    func `what is no HTTP is told so, as every error is`(text: String) async throws {
        try await withServer { path in
            let client = try #require(UnixClient(path))
            client.write(text)
            let answer = client.read()
            #expect(answer.hasPrefix("HTTP/1.1 400 ") && answer.contains("application/problem+json"), "\(answer)")
            let body = answer.components(separatedBy: "\r\n\r\n").dropFirst().joined()
            #expect(body.hasPrefix("{") && body.hasSuffix("}") && body.contains("the request is no HTTP"), "\(answer)")
        }
    }

    @Test(arguments: [
        ("many header fields", (0..<100).map { "X-\($0): 1" }),
        ("a large header field", ["X: " + String(repeating: "a", count: 20_000)]),
    ])
    func `a head that is too large is refused`(what: String, headers: [String]) async throws {
        try await withServer { path in
            let client = try #require(UnixClient(path))
            client.send("GET", "/v1/health", headers: headers)
            let answer = client.read()
            #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(what)")
            #expect(answer.lowercased().contains("content-type: application/problem+json"), "\(answer)")
            #expect(answer.contains(#""status":400"#) && answer.contains("64 fields"), "\(answer)")
            #expect(try status(path).malformed >= 1)
        }
    }

    @Test func `a body has the room that its call has, and all of them together no more than there is`() async throws {
        try await withServer(settings: { settings in
            (settings.limits.documents, settings.limits.reading, settings.limits.fields) = (100_000, 150_000, 1000)
            settings.limits.wholeRequest = longestWait
        }) { path in
            func post(_ target: String, _ bytes: Int) throws -> (UnixClient, String) {
                let client = try #require(UnixClient(path))
                client.send(
                    "POST", target, headers: ["Connection: close", "Content-Type: application/json", "Content-Length: \(bytes)"])
                return (client, target)
            }
            #expect(try post("/v1/policy", 100_001).0.answer().status == 413)
            #expect(try post("/v1/bypass", 1001).0.answer().status == 413)
            // Two that have announced much and send nothing: where one of them is being read, the other does not fit beside it.
            let silent = try (0..<2).map { _ in try post("/v1/policy", 100_000).0 }
            #expect(eventually { silent.contains { $0.isAnswered } })
            #expect(silent.filter { $0.isAnswered }.map { $0.answer().status } == [503])
            #expect(try status(path).oversized == 3)
        }
    }

    @Test func `a body of another type, or with a field that nobody knows, is refused and nothing is done`() async throws {
        let plane = FakePlane()
        try await withServer(plane: plane) { path in
            for (body, type, status, detail) in [
                (#"{"files":[]}"#, "text/plain", 415, "application/json"),
                (
                    #"{"files":[],"dryrun":true}"#, "application/json", 400,
                    "there is no field dryrun; the fields are allowEmpty, confirm, console, dryRun"
                ),
                (#"{"files":[{"name":"a"}]}"#, "application/json", 400, "text is missing"),
                (#"{"files":3}"#, "application/json", 400, "files"), (#"[]"#, "application/json", 400, "understood"),
                ("{", "application/json", 400, "understood"),
                (#"{"files":[],"confirm":0}"#, "application/json", 400, "1 to 86400, not 0"),
                (#"{"files":[],"confirm":-1}"#, "application/json", 400, "understood"),
                (#"{"files":[{"name":"","text":""}]}"#, "application/json", 400, "files[0] has no name"),
            ] {
                let client = try #require(UnixClient(path))
                client.send(
                    "POST", "/v1/policy",
                    headers: ["Connection: close", "Content-Type: \(type)", "Content-Length: \(body.utf8.count)"])
                client.write(body)
                let answer = client.answer()
                #expect(answer.status == status && answer.body.contains(detail), "\(body): \(answer)")
            }
        }
        #expect(plane.asked.isEmpty)
    }
}
