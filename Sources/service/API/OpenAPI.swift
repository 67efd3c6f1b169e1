// SPDX-License-Identifier: Apache-2.0
internal import Telemetry
internal import HTTPTypes

/// The API's description of itself, OpenAPI 3.1: made of the table of calls, so that no route is missing in it and none too much. The
/// tests hold every answer of the server against it.
enum OpenAPI {
    /// What `GET /v1/openapi.json` answers.
    static let document: Tree = [
        "openapi": "3.1.0",
        "info": [
            "title": "Bulkhead", "version": "1",
            "description":
                "The daemon's API: over its unix socket for users of the machine, and over mutual TLS 1.3. docs/api.md has the rest.",
            "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
        ],
        "paths": .object(paths),
        "components": ["schemas": .object(Schemas.all)],
    ]

    private static var paths: [String: Tree] {
        var paths: [String: [String: Tree]] = [:]
        for call in Call.allCases { paths[call.path, default: [:]][call.method.rawValue.lowercased()] = operation(call) }
        return paths.mapValues(Tree.object)
    }

    private static func operation(_ call: Call) -> Tree {
        var operation: [String: Tree] = [
            "operationId": .text(call.rawValue), "summary": .text(call.summary),
            "description": .text("Needs \(call.need.words)."),
            "responses": .object(responses(call)),
        ]
        let parameters = call.parameters
        if !parameters.isEmpty { operation["parameters"] = .list(parameters) }
        if let request = call.requestSchema {
            operation["requestBody"] = [
                "required": .truth(call.needsBody), "content": ["application/json": ["schema": Schemas.reference(request)]],
            ]
        }
        return .object(operation)
    }

    private static func responses(_ call: Call) -> [String: Tree] {
        var content: Tree = ["application/json": ["schema": call.answerSchema.map(Schemas.reference) ?? ["type": "object"]]]
        if call == .flows {
            content = [
                "application/json": ["schema": Schemas.reference("Recent")],
                "text/event-stream": ["schema": ["type": "string"]],
            ]
        }
        if call == .beginCapture { content = ["text/event-stream": ["schema": ["type": "string"]]] }
        if call == .metrics { content = ["text/plain": ["schema": ["type": "string"]]] }
        let problem: Tree = ["application/problem+json": ["schema": Schemas.reference("Problem")]]
        var responses: [String: Tree] = ["200": ["description": "Done, or the answer.", "content": content]]
        for status in call.refusals { responses[String(status)] = ["description": .text(meaning(status)), "content": problem] }
        if call == .ready { responses["503"] = ["description": "No policy is in force yet.", "content": content] }
        return responses
    }

    private static func meaning(_ status: Int) -> String {
        switch status {
        case 400: "What was asked for is wrong in itself."
        case 401: "The certificate of this connection is not good any more."
        case 403: "Whoever asks may not."
        case 404: "There is no such thing."
        case 409: "It does not fit to what is there now."
        case 413: "The body is too large, or its length is not announced."
        case 415: "The body is of another type than application/json."
        case 422: "It is understood and cannot be."
        case 429: "Too many requests a second."
        case 500: "The daemon could not."
        default: "Not now."
        }
    }
}

extension Call {
    /// What it does, in a sentence.
    var summary: String {
        switch self {
        case .health: "Whether the daemon answers."
        case .ready: "Whether a policy is in force."
        case .openapi: "This document."
        case .status: "What is in force, the processes, what each queue counts, and every condition that should not last."
        case .flows: "Recent flows, or with follow=true a stream of those from now on."
        case .trace: "One live connection as its worker has it now."
        case .map: "Who talks to whom, as it was seen."
        case .metrics: "What Prometheus scrapes, in its text format."
        case .policy: "The set in force, with its places."
        case .apply: "Checks, compares and publishes a set of documents, or refuses it with nothing changed."
        case .history: "Revisions from the newest."
        case .revision: "One revision with its documents."
        case .confirm: "Confirms the pending revision."
        case .rollback: "Publishes an earlier revision's documents as a new one."
        case .workloads: "Workloads in force, by name."
        case .register: "Registers workloads, all or none."
        case .update: "Sets and removes labels of a registered workload, or renews its lease."
        case .unregister: "Removes a registration."
        case .beginBypass: "Lets everything pass unjudged for a while."
        case .endBypass: "Ends a bypass before its time."
        case .beginCapture: "Copies frames as they pass, as a stream of server-sent events: begin, frames, counts, end."
        case .endCapture: "Ends the capture that is going on."
        case .reload: "Reads the configuration's files again."
        case .audit: "Lines of the audit log from the newest."
        }
    }

    /// The statuses of the problems that it may answer.
    var refusals: [Int] {
        var statuses = [401, 413, 429, 500, 503]
        if need != .anyone { statuses.append(403) }
        if !parameters.isEmpty || requestSchema != nil { statuses.append(400) }
        if requestSchema != nil { statuses.append(415) }
        if path.contains("{") { statuses.append(404) }
        if method != .get { statuses += [409, 422] }
        return statuses
    }

    /// Whether the body must be there.
    var needsBody: Bool { [.apply, .register, .beginBypass].contains(self) }

    /// The schema of its body, where it takes one.
    var requestSchema: String? {
        switch self {
        case .apply: "ApplyRequest"
        case .confirm: "ConfirmRequest"
        case .rollback: "RollbackRequest"
        case .register: "RegisterRequest"
        case .update: "UpdateRequest"
        case .beginBypass: "BypassRequest"
        case .beginCapture: "CaptureRequest"
        default: nil
        }
    }

    /// The schema of what it answers; `nil` for this document.
    var answerSchema: String? {
        switch self {
        case .health, .ready: "Health"
        case .openapi, .metrics, .beginCapture: nil
        case .status: "StatusReport"
        case .flows: "Recent"
        case .trace: "TraceReport"
        case .map: "ServiceMap"
        case .policy: "PolicyReport"
        case .apply, .rollback, .reload: "ChangeReport"
        case .history: "RevisionPage"
        case .revision, .confirm: "RevisionReport"
        case .workloads: "WorkloadPage"
        case .register, .update, .unregister: "InventoryReport"
        case .beginBypass, .endBypass: "BypassReport"
        case .endCapture: "CaptureEnd"
        case .audit: "AuditPage"
        }
    }

    /// The parameters of its path and its query.
    var parameters: [Tree] {
        var parameters: [Tree] = []
        if path.contains("{revision}") { parameters.append(Self.parameter("revision", "path", Schemas.number(1))) }
        if path.contains("{name}") {
            parameters.append(Self.parameter("name", "path", ["type": "string", "minLength": 1, "maxLength": 1024]))
        }
        switch self {
        case .history, .audit: parameters += [Self.parameter("before", "query", Schemas.number(1)), Self.limit]
        case .workloads: parameters += [Self.parameter("after", "query", Schemas.text), Self.limit]
        case .flows: parameters += Self.filters
        case .trace: parameters += Self.connection
        case .map:
            parameters += [Self.parameter("by", "query", Schemas.text), Self.parameter("since", "query", Schemas.number(0))]
        default: break
        }
        return parameters
    }

    private static var limit: Tree { parameter("limit", "query", Schemas.number(1, Int64(Routes.pageAtMost))) }

    private static var filters: [Tree] {
        [
            parameter("follow", "query", ["type": "boolean"]),
            parameter("last", "query", Schemas.number(0, Int64(Routes.lastAtMost))),
            parameter("since", "query", Schemas.number(0)), parameter("until", "query", Schemas.number(0)),
        ]
            + FlowFilter.Key.allCases.flatMap { key in
                [key.rawValue, "not-\(key.rawValue)"].map { parameter($0, "query", schema(of: key)) }
            }
    }

    private static var connection: [Tree] {
        let (port, byte) = (Schemas.number(0, 65_535), Schemas.number(0, 255))
        let needed = ["protocol", "source", "destination"].map { parameter($0, "query", Schemas.text, isRequired: true) }
        let numbers = [
            ("source-port", port), ("destination-port", port), ("identifier", port), ("type", byte), ("code", byte),
            ("vlans", ["type": "string", "pattern": "^[0-9]{1,4}(,[0-9]{1,4})?$"]),
            ("tunnel", Schemas.one(of: ["ipip", "gre", "vxlan", "geneve"])), ("tunnel-identifier", Schemas.number(0)),
            ("tunnel-depth", Schemas.number(1, 2)),
        ]
        return needed + numbers.map { parameter($0, "query", $1) }
    }

    private static func schema(of key: FlowFilter.Key) -> Tree {
        switch key {
        case .port: Schemas.number(0, 65_535)
        case .decision, .audit: Schemas.one(of: ["allow", "deny", "reject"])
        case .event: Schemas.one(of: ["start", "change", "update", "end", "refused"])
        default: Schemas.text
        }
    }

    private static func parameter(_ name: String, _ place: String, _ schema: Tree, isRequired: Bool = false) -> Tree {
        ["name": .text(name), "in": .text(place), "required": .truth(isRequired || place == "path"), "schema": schema]
    }
}
