// SPDX-License-Identifier: Apache-2.0

/// JSON schemas (2020-12) of what the API takes and answers.
enum Schemas {
    /// All of them by name.
    static var all: [String: Tree] { [changes, reports, shadows].reduce(requests) { $0.merging($1) { a, _ in a } } }

    static func reference(_ name: String) -> Tree { ["$ref": .text("#/components/schemas/\(name)")] }

    static let text: Tree = ["type": "string"]
    static let truth: Tree = ["type": "boolean"]
    static let moment: Tree = ["type": "string", "format": "date-time"]
    static let texts: Tree = list(text)
    static let count: Tree = number(0)

    static func number(_ least: Int64, _ most: Int64? = nil) -> Tree {
        var schema: [String: Tree] = ["type": "integer", "minimum": .number(least)]
        if let most { schema["maximum"] = .number(most) }
        return .object(schema)
    }

    static func list(_ items: Tree) -> Tree { ["type": "array", "items": items] }
    static func map(_ values: Tree) -> Tree { ["type": "object", "additionalProperties": values] }
    static func one(of words: [String]) -> Tree { ["type": "string", "enum": .list(words.map(Tree.text))] }
    static func orNull(_ type: String) -> Tree { ["type": .list([.text(type), "null"])] }

    /// What the API answers: the fields that are always there, and those that may be. More may come in later versions.
    static func answer(_ fields: [String: Tree], maybe: [String: Tree] = [:]) -> Tree {
        [
            "type": "object", "required": .list(fields.keys.sorted().map(Tree.text)),
            "properties": .object(fields.merging(maybe) { a, _ in a }),
        ]
    }

    /// What the API takes: nothing else than these fields.
    static func request(_ fields: [String: Tree], maybe: [String: Tree] = [:]) -> Tree {
        [
            "type": "object", "required": .list(fields.keys.sorted().map(Tree.text)), "additionalProperties": false,
            "properties": .object(fields.merging(maybe) { a, _ in a }),
        ]
    }

    private static let window = number(1, 86_400)
    private static let lease = number(10, 2_592_000)
    private static let most32 = number(0, 4_294_967_295)

    private static let requests: [String: Tree] = [
        "DocumentFile": request(["name": ["type": "string", "minLength": 1, "maxLength": 4096], "text": text]),
        "ApplyRequest": request(
            ["files": list(reference("DocumentFile"))],
            maybe: [
                "namespace": text, "dryRun": truth, "confirm": window, "console": truth, "maxNewDenies": most32, "lossy": truth,
                "reason": text, "ifRevision": number(1), "allowEmpty": truth,
            ]),
        "ConfirmRequest": request([:], maybe: ["console": truth]),
        "RollbackRequest": request(
            [:], maybe: ["dryRun": truth, "confirm": window, "console": truth, "maxNewDenies": most32, "reason": text]),
        "RegisterRequest": request(["files": list(reference("DocumentFile"))], maybe: ["lease": lease]),
        "UpdateRequest": request([:], maybe: ["labels": map(orNull("string")), "lease": lease]),
        "BypassRequest": request(["seconds": window, "reason": ["type": "string", "minLength": 1]]),
        "CaptureRequest": request(
            [:],
            maybe: [
                "conditions": list(request(["key": text, "value": text])), "sights": list(one(of: ["before", "after"])),
                "payload": truth, "snap": number(1, 1856), "rate": number(1, 20_000), "seconds": number(1, 3_600),
                "frames": number(1, 10_000_000), "bytes": number(1, 1_073_741_824),
            ]),
        "ShadowRequest": request(
            ["files": list(reference("DocumentFile")), "seconds": number(1, Int64(ShadowRequest.lengths.upperBound))],
            maybe: ["namespace": text, "lossy": truth, "allowEmpty": truth, "reason": text]),
    ]

    private static let changes: [String: Tree] = [
        "Problem": answer(
            ["type": text, "title": text, "status": number(400, 599), "detail": text],
            maybe: ["faults": texts, "retry_after": count, "allow": text]),
        "Box": answer([
            "sources": text, "destinations": text, "services": texts, "old": decision, "new": decision, "widening": truth,
        ]),
        "ChangeReport": answer(
            [
                "outcome": one(of: ["unchanged", "checked", "published", "pending", "unanswered", "reread", "held"]),
                "generation": count,
                "boxes": list(reference("Box")), "boxCount": count, "compared": truth, "findings": texts, "losses": texts,
            ],
            maybe: [
                "revision": reference("RevisionReport"), "flowsCut": count, "flowsKnown": count, "flowsLive": count,
                "cuts": list(reference("Cut")),
            ]),
        "Cut": answer(
            ["source": text, "destination": text, "service": text, "new": one(of: ["deny", "reject"])],
            maybe: ["sourceWorkload": text, "destinationWorkload": text]),
        "RevisionReport": answer(
            [
                "revision": number(1), "time": moment, "digest": text, "source": one(of: ["files", "applied", "rollback"]),
                "actor": text, "outcome": one(of: ["pending", "confirmed", "rolledBack", "refused"]), "inForce": truth,
            ],
            maybe: ["returnsTo": number(1), "reason": text, "deadline": moment, "documents": text]),
        "RevisionPage": answer(["revisions": list(reference("RevisionReport"))], maybe: ["next": number(1)]),
        "WorkloadReport": answer(
            ["name": text, "labels": map(text), "addresses": texts, "zones": texts, "origin": text, "contested": texts],
            maybe: ["leaseUntil": moment]),
        "WorkloadPage": answer(["workloads": list(reference("WorkloadReport"))], maybe: ["next": text]),
        "InventoryReport": answer([
            "epoch": count, "generation": count, "workloads": texts, "microseconds": count, "contested": texts,
        ]),
        "BypassReport": answer(["active": truth], maybe: ["until": moment, "actor": text, "reason": text]),
        "CaptureBegin": answer([
            "ports": texts, "snap": count, "payload": truth, "until": moment, "version": text,
        ]),
        "FrameReport": answer(
            [
                "time": count, "sight": one(of: ["before", "after", "generated"]), "port": text, "number": count, "length": count,
                "fate": one(of: ["forward", "drop", "reject"]), "comment": texts,
                "bytes": ["type": "string", "contentEncoding": "base64"],
            ], maybe: ["reason": text]),
        "CaptureCounts": answer([
            "captured": count, "bytes": count, "suppressed": count, "lost": count, "undelivered": count,
        ]),
        "CaptureEnd": answer(["why": text, "counts": reference("CaptureCounts")]),
        "AuditReport": answer(
            [
                "number": number(1), "time": moment, "actor": text, "action": text,
                "result": one(of: ["done", "refused", "failed"]),
                "digest": text,
            ],
            maybe: ["object": text, "reason": text, "old": text, "new": text]),
        "AuditPage": answer(["entries": list(reference("AuditReport"))], maybe: ["next": number(1)]),
    ]

    static let decision = one(of: ["allow", "deny", "reject"])
}
