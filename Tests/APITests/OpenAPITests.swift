// SPDX-License-Identifier: Apache-2.0
import API
import Foundation
import Policy
import Telemetry
import Testing

/// The API against its own description: what it answers fits, what fits nothing is refused, and nothing is missing on either side.
@Suite struct OpenAPIDocument {
    private func document(_ path: String) throws -> [String: Any] {
        let client = try #require(UnixClient(path))
        client.send("GET", "/v1/openapi.json", body: nil)
        let answer = client.answer()
        #expect(answer.status == 200)
        return try #require(try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any])
    }

    private func operations(_ document: [String: Any]) -> [String: (method: String, path: String, operation: [String: Any])] {
        var found: [String: (method: String, path: String, operation: [String: Any])] = [:]
        for (path, item) in document["paths"] as? [String: [String: [String: Any]]] ?? [:] {
            for (method, operation) in item {
                found[operation["operationId"] as? String ?? ""] = (method.uppercased(), path, operation)
            }
        }
        return found
    }

    @Test func `it has every call and no other, and every answer fits its schema`() async throws {
        let plane = FakePlane(policy: PolicyReport(generation: 1, set: PolicySet(), zones: []))
        let hub = EventHub()
        hub.publish([event(7), event(8)])
        try await withServer(hub: hub, plane: plane) { path in
            let document = try document(path)
            let operations = operations(document)
            #expect(Set(operations.keys) == Set(Call.allCases.map(\.rawValue)))
            let schemas = Schema(document)
            for call in Call.allCases {
                let described = try #require(operations[call.rawValue])
                #expect(described.method == call.methodName && described.path == call.path)
                if let body = Example.body(call) {
                    let request = try #require(described.operation["requestBody"] as? [String: Any])
                    let faults = schemas.faults(of: try json(body), in: schemas.content(request, "application/json"))
                    #expect(faults.isEmpty, "\(call) takes: \(faults)")
                }
                let client = try #require(UnixClient(path))
                client.send(call.methodName, Example.target(call), body: Example.body(call))
                let answer = client.answer()
                let responses = try #require(described.operation["responses"] as? [String: [String: Any]])
                let told = try #require(responses[String(answer.status)], "\(call): \(answer.status)")
                guard call != .metrics else {
                    #expect(answer.status == 200 && answer.head.contains("text/plain; version=0.0.4"))
                    #expect(answer.body.contains("\nbulkhead_flows_admitted_total 0\n"))
                    continue
                }
                guard call != .beginCapture else {
                    #expect(answer.status == 200 && answer.head.contains("text/event-stream"))
                    try expectEvents(answer.body, fit: schemas)
                    continue
                }
                let faults = schemas.faults(of: try json(answer.body), in: schemas.content(told, "application/json"))
                #expect(faults.isEmpty, "\(call) answers: \(faults)")
            }
        }
    }

    /// Every event of a capture is as its schema says.
    private func expectEvents(_ body: String, fit schemas: Schema) throws {
        let names = ["begin": "CaptureBegin", "frames": "FrameReport", "counts": "CaptureCounts", "end": "CaptureEnd"]
        var seen: [String] = []
        // Lines of the transfer coding stand between the events.
        let text = body.replacingOccurrences(of: "\r\n", with: "\n")
        for event in text.components(separatedBy: "\n\n") where event.contains("event: ") {
            let lines = event.split(separator: "\n")
            let name = String(try #require(lines.first { $0.hasPrefix("event: ") }).dropFirst(7))
            let data = String(try #require(lines.first { $0.hasPrefix("data: ") }).dropFirst(6))
            seen.append(name)
            let schema: [String: Any] = ["$ref": "#/components/schemas/\(names[name] ?? "?")"]
            let value = try json(data)
            for item in name == "frames" ? value as? [Any] ?? [] : [value] {
                let faults = schemas.faults(of: item, in: schema)
                #expect(faults.isEmpty, "\(name): \(faults)")
            }
        }
        #expect(seen == ["begin", "frames", "counts", "end"])
    }

    /// As a stranger would try: for each call what its description forbids. Nothing of it may be done, or be the daemon's fault.
    @Test func `what the description forbids is refused as it says`() async throws {
        let plane = FakePlane(policy: PolicyReport(generation: 1, set: PolicySet(), zones: []))
        try await withServer(plane: plane) { path in
            let document = try document(path)
            let schemas = Schema(document)
            for (name, described) in operations(document).sorted(by: { $0.key < $1.key }) {
                let call = try #require(Call(rawValue: name))
                for wrong in try wrongs(call, described.operation, schemas) {
                    let client = try #require(UnixClient(path))
                    client.send(wrong.method, wrong.target, body: wrong.body)
                    let answer = client.answer()
                    #expect((400..<500).contains(answer.status), "\(wrong): \(answer.status)")
                    let responses = described.operation["responses"] as? [String: [String: Any]] ?? [:]
                    #expect(
                        answer.status == 405 || responses[String(answer.status)] != nil,
                        "\(wrong): \(answer.status) is not described")
                    let problem = try json(answer.body)
                    #expect(schemas.faults(of: problem, in: ["$ref": "#/components/schemas/Problem"]).isEmpty)
                    #expect(answer.head.lowercased().contains("content-type: application/problem+json"))
                }
            }
        }
        #expect(plane.asked.isEmpty, "\(plane.asked)")
    }

    private struct Wrong {
        var method, target: String
        var body: String?
    }

    private func wrongs(_ call: Call, _ operation: [String: Any], _ schemas: Schema) throws -> [Wrong] {
        let (target, body) = (Example.target(call), Example.body(call))
        var wrongs = [Wrong(method: "PUT", target: target, body: nil), Wrong(method: "HEAD", target: target, body: nil)]
        wrongs.removeLast()
        for parameter in operation["parameters"] as? [[String: Any]] ?? [] {
            let name = parameter["name"] as? String ?? ""
            let schema = parameter["schema"] as? [String: Any] ?? [:]
            for text in schemas.wrongTexts(schema) {
                let changed =
                    parameter["in"] as? String == "path"
                    ? call.path.replacingOccurrences(of: "{\(name)}", with: text) : target + "?\(name)=\(text)"
                wrongs.append(Wrong(method: call.methodName, target: changed, body: body))
            }
        }
        guard let request = operation["requestBody"] as? [String: Any], let body else {
            // Where there is nothing to bring, bringing something is wrong.
            return wrongs + [Wrong(method: call.methodName, target: target, body: "{}")]
        }
        let schema = schemas.resolved(schemas.content(request, "application/json"))
        let right = try #require(try json(body) as? [String: Any])
        for wrong: Any in ["x", 3, [Any](), true] {
            wrongs.append(Wrong(method: call.methodName, target: target, body: try text(wrong)))
        }
        for (name, field) in schema["properties"] as? [String: [String: Any]] ?? [:] {
            for value in schemas.wrongValues(field) {
                var changed = right
                changed[name] = value
                wrongs.append(Wrong(method: call.methodName, target: target, body: try text(changed)))
            }
        }
        for name in schema["required"] as? [String] ?? [] {
            var changed = right
            changed[name] = nil
            wrongs.append(Wrong(method: call.methodName, target: target, body: try text(changed)))
        }
        var unknown = right
        unknown["fieldThatNobodyKnows"] = 1
        return wrongs + [Wrong(method: call.methodName, target: target, body: try text(unknown))]
    }

    private func json(_ text: String) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
    }
    private func text(_ value: Any) throws -> String {
        String(decoding: try JSONSerialization.data(withJSONObject: value, options: .fragmentsAllowed), as: UTF8.self)
    }
}
