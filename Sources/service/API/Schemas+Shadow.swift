// SPDX-License-Identifier: Apache-2.0

// What the API tells of a candidate that is shadowed.

extension Schemas {
    static let shadows: [String: Tree] = [
        "Candidate": answer(
            ["decision": decision],
            maybe: [
                "reason": text, "audit": decision, "egress": reference("Side"), "ingress": reference("Side"),
                "cause": reference("Cause"),
            ]),
        "ShadowStart": answer(["change": reference("ChangeReport"), "shadow": reference("ShadowReport")]),
        "ShadowReport": answer(
            [
                "state": one(of: ["running", "over", "ended"]), "since": moment, "until": moment, "actor": text, "rules": count,
                "renewed": count, "behind": truth, "rowCount": count, "rows": list(reference("ShadowRow")),
                "counts": answer([
                    "judged": count, "same": count, "closes": count, "opens": count, "changes": count, "unjudged": count,
                    "untold": count,
                ]),
                "lost": answer(["worker": count, "queue": count, "table": count, "reader": count]),
            ],
            maybe: ["end": text, "reason": text, "namespace": text]),
        "ShadowRow": answer([
            "effect": effect, "source": shadowParty, "destination": shadowParty, "service": text, "old": decision,
            "new": decision,
            "connections": count, "first": moment, "last": moment, "example": reference("FlowReport"),
        ]),
    ]

    static let effect = one(of: ["closes", "opens", "changes"])

    private static let shadowParty = answer(
        ["zone": text, "seen": texts, "more": truth], maybe: ["namespace": text, "labels": map(text)])
}
