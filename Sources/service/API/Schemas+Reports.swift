// SPDX-License-Identifier: Apache-2.0

// What the API tells of the daemon: status, policy, flows.

extension Schemas {
    static let reports: [String: Tree] = [
        "Health": answer(["status": one(of: ["ok", "starting"]), "generation": count]),
        "Condition": answer(["name": text, "detail": text], maybe: ["since": moment]),
        "StatusReport": answer(
            [
                "generation": count, "epoch": count,
                "processes": list(answer(["name": text, "pid": count, "restarts": count])),
                "pairs": list(answer(["name": text, "mode": text, "owner": text])), "ports": list(reference("Port")),
                "flows": flowTables, "checksums": answer(["completed": count]), "failsafe": list(reference("Opening")),
                "conditions": list(reference("Condition")), "api": counters,
            ],
            maybe: ["records": records, "workers": list(reference("Worker"))]),
        "Worker": answer([
            "pair": text, "queue": count, "turns": count, "longest_turn": count, "cpu_time": count, "handed_over": count,
            "taken_over": count,
        ]),
        "Port": answer([
            "name": text, "pair": text, "link": text, "xdp": text, "copy": text, "queues": list(reference("Queue")),
        ]),
        "Queue": answer([
            "queue": count, "received": count, "forwarded": count, "generated": count, "held": count, "dropped": map(count),
            "kernel": map(count),
        ]),
        "Opening": answer(["list": one(of: ["box", "transit"]), "name": text, "services": texts, "from": texts, "to": texts]),
        "PolicyReport": answer(
            [
                "generation": count, "documents": text, "written": list(answer(["place": text, "rules": texts])),
                "zones": list(
                    answer(
                        ["zone": text], maybe: ["pair": count, "port": count, "outer": count, "inner": count, "tunnel": count])),
            ],
            maybe: ["failsafe": answer(["addresses": texts, "box": list(keptOpen), "transit": list(keptOpen)])]),
        "Recent": answer(["flows": list(reference("FlowReport")), "lost": count]),
        "ServiceMap": answer([
            "left": count, "nodes": list(answer(["name": text, "kind": text, "members": count])),
            "links": list(
                answer([
                    "source": text, "destination": text,
                    "services": list(
                        answer([
                            "service": text, "decision": text, "connections": count, "frames": count, "bytes": count,
                            "first": text,
                            "last": text, "hours": count,
                        ])),
                ])),
        ]),
        "FlowReport": flow,
        "Side": answer(sideKeys),
        "Cause": answer(
            sideKeys.merging([
                "side": one(of: ["egress", "ingress"]), "generation": count,
                "nearest": list(answer(["policy": text, "rule": text, "failed": texts])),
            ]) { a, _ in a }),
    ]

    private static let flowTables = answer(
        ["capacity": count, "used": count],
        maybe: [
            "waiting": count, "evicted": count, "picked_up": count, "passed_untracked": count, "refused_again": count,
            "expected_replies": count, "forgotten_replies": count, "grace": count, "replaced": count, "admitted": count,
            "refused": count,
        ])

    private static let records = answer([
        "taken": count, "unlogged": count,
        "lost": list(
            answer([
                "place": one(of: ["worker", "queue", "store"]), "records": count, "admitted": count, "refused": count,
            ])),
    ])

    private static let counters = answer([
        "connections": count, "accepted": count, "crowded": count, "slow": count, "requests": count, "forbidden": count,
        "limited": count, "oversized": count, "malformed": count,
    ])

    private static let keptOpen: Tree = {
        let end = answer([:], maybe: ["cidrs": texts, "zones": texts])
        return answer(["name": text, "services": texts, "runs": list(list(count))], maybe: ["from": end, "to": end])
    }()

    private static let sideKeys: [String: Tree] = [
        "decision": decision, "layer": orNull("string"), "tier": orNull("string"), "policy": orNull("string"),
        "rule": orNull("string"), "end": orNull("string"),
    ]

    private static let end = answer(["address": text, "zone": text], maybe: ["port": number(0, 65_535), "workload": text])
    private static let frames = answer(["frames": count, "bytes": count])

    private static let flow = answer(
        [
            "time": moment, "firstSeen": moment, "event": one(of: ["start", "change", "update", "end", "refused"]),
            "decision": decision, "protocol": text, "source": end, "destination": end, "pair": text, "port": text,
            "queue": count, "vlans": list(count), "forward": frames, "reverse": frames, "generation": count, "epoch": count,
            "suppressed": count,
        ],
        maybe: [
            "reason": text, "audit": decision, "type": count, "code": count,
            "tunnel": answer(["kind": text, "identifier": count]), "egress": reference("Side"), "ingress": reference("Side"),
            "cause": reference("Cause"),
        ])
}
