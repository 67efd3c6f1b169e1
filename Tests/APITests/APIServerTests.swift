// SPDX-License-Identifier: Apache-2.0
import Foundation
import Telemetry
import TestSupport
import Testing

@Suite struct Requests {
    private func ask(_ path: String, _ method: String, _ target: String, headers: [String] = ["Connection: close"]) throws
        -> String
    {
        let client = try #require(UnixClient(path))
        client.send(method, target, headers: headers)
        return client.read { $0.contains("\r\n\r\n") && ($0.hasSuffix("}") || $0.hasSuffix("0\r\n\r\n")) }
    }

    @Test func `status and health are answered as JSON with sorted keys`() async throws {
        try await withServer { path in
            let status = try ask(path, "GET", "/v1/status")
            #expect(status.hasPrefix("HTTP/1.1 200 OK\r\n") && status.lowercased().contains("content-type: application/json"))
            #expect(
                status.contains(
                    #""checksums":{"completed":3},"conditions":[],"epoch":2,"failsafe":[],"flows":{"capacity":10,"used":1},"#
                        + #""generation":4,"pairs":[],"ports":[],"processes":[{"name":"control","pid":1,"restarts":0}]}"#))
            #expect(status.contains(#"{"api":{"accepted":1,"connections":1,"crowded":0,"#))
            #expect(try ask(path, "GET", "/v1/health").hasSuffix(#"{"generation":4,"status":"ok"}"#))
        }
    }

    @Test func `recent flows come filtered, the last of them last`() async throws {
        let hub = EventHub()
        hub.publish((1...200).map { event(UInt16($0)) })
        try await withServer(hub: hub) { path in
            let all = try ask(path, "GET", "/v1/flows")
            #expect(all.components(separatedBy: "\"firstSeen\"").count - 1 == 100)
            let two = try ask(path, "GET", "/v1/flows?last=2")
            #expect(!two.contains("\"port\":198,") && two.contains("\"port\":199,") && two.contains("\"port\":200,"))
            #expect(try ask(path, "GET", "/v1/flows?port=7").contains("\"port\":7,"))
            #expect(try ask(path, "GET", "/v1/flows?decision=deny").contains(#"{"flows":[],"lost":0}"#))
        }
    }

    @Test(arguments: [
        ("GET", "/v1/nothing", 404, "there is nothing at /v1/nothing"),
        ("POST", "/v1/status", 405, "/v1/status does not take POST"),
        ("GET", "/v1/flows?last=100001", 400, "last is a number from 0 to 100000"),
        ("GET", "/v1/flows?follow=yes", 400, "follow is true or false"),
        ("GET", "/v1/flows?colour=1", 400, "colour is no filter"),
        ("GET", "/v1/flows?ip=nowhere", 400, "nowhere is no IPv4 or IPv6 address or block"),
    ])
    func `what cannot be answered is a problem that says what to do`(
        method: String, target: String, status: Int, detail: String
    ) async throws {
        try await withServer { path in
            let answer = try ask(path, method, target)
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
            #expect(answer.lowercased().contains("content-type: application/problem+json"))
            #expect(
                answer.contains("\"status\":\(status)") && answer.contains(detail) && answer.contains("\"type\":\"about:blank\""))
        }
    }

    @Test(arguments: ["Content-Length: 65537", "Content-Length: -", "Transfer-Encoding: chunked"])
    func `a body that no route wants is refused before it is read`(header: String) async throws {
        try await withServer { path in
            let answer = try ask(path, "GET", "/v1/status", headers: [header])
            #expect(answer.hasPrefix("HTTP/1.1 413 ") || answer.hasPrefix("HTTP/1.1 400 "))
        }
    }

    @Test func `the socket has mode 0660 and is gone at the end`() async throws {
        let isGone = try await withServer { path in
            let facts = try FileManager.default.attributesOfItem(atPath: path)
            #expect((facts[.posixPermissions] as? NSNumber)?.intValue == 0o660)
        }
        #expect(isGone)
    }

    @Test func `a socket that another daemon has put into the place stays`() async throws {
        let isGone = try await withServer { path in
            try FileManager.default.removeItem(atPath: path)
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        #expect(!isGone)
    }
}

@Suite struct Streams {
    @Test func `a follower gets events as they happen, and heartbeats between them`() async throws {
        let hub = EventHub()
        try await withServer(hub: hub, heartbeat: .milliseconds(50)) { path in
            let client = try #require(UnixClient(path))
            client.send("GET", "/v1/flows?follow=true")
            let head = client.read { $0.contains(": stream open") }
            #expect(head.contains("200 OK") && head.lowercased().contains("content-type: text/event-stream"))
            hub.publish([event(11), event(12)])
            let events = client.read { $0.contains("\"port\":12,") && $0.contains(": alive") }
            #expect(events.contains("event: flow\ndata: {") && events.contains("\"port\":11,") && events.contains(": alive\n\n"))
        }
    }

    @Test func `a filter holds for a stream too`() async throws {
        let hub = EventHub()
        try await withServer(hub: hub) { path in
            let client = try #require(UnixClient(path))
            client.send("GET", "/v1/flows?follow=true&port=12")
            _ = client.read { $0.contains(": stream open") }
            hub.publish([event(11), event(12)])
            #expect(!client.read { $0.contains("\"port\":12,") }.contains("\"port\":11,"))
        }
    }

    @Test func `a client that went away is noticed at the next heartbeat`() async throws {
        let hub = EventHub()
        try await withServer(hub: hub, heartbeat: .milliseconds(20)) { path in
            do {
                let client = try #require(UnixClient(path))
                client.send("GET", "/v1/flows?follow=true")
                _ = client.read { $0.contains(": stream open") }
                #expect(hub.subscriberCount == 1)
            }
            #expect(eventually { hub.subscriberCount == 0 })
        }
    }

    @Test func `a client that does not read is told what it lost`() async throws {
        let hub = EventHub(queue: 8)
        try await withServer(hub: hub) { path in
            let client = try #require(UnixClient(path))
            client.send("GET", "/v1/flows?follow=true")
            _ = client.read { $0.contains(": stream open") }
            for port in UInt16(0)..<20_000 {
                hub.publish([event(port)])
                if hub.counts.undelivered > 100 { break }
            }
            #expect(hub.counts.undelivered > 0)
            hub.publish([event(1)])
            // The last event may still be lost; more follow until the client has caught up and hears of the gap.
            let more = Task {
                while !Task.isCancelled {
                    hub.publish([event(2)])
                    try await Task.sleep(for: .milliseconds(5))
                }
            }
            defer { more.cancel() }
            #expect(client.read { $0.contains("event: lost\ndata: {\"lost\":") }.contains("event: lost"))
        }
    }

    @Test func `as many may follow as the hub allows, the next one is told to wait`() async throws {
        try await withServer(hub: EventHub(subscribers: 1)) { path in
            let first = try #require(UnixClient(path))
            first.send("GET", "/v1/flows?follow=true")
            _ = first.read { $0.contains(": stream open") }
            let second = try #require(UnixClient(path))
            second.send("GET", "/v1/flows?follow=true")
            #expect(second.read { $0.hasSuffix("}") }.hasPrefix("HTTP/1.1 503 "))
        }
    }
}
