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
            maybe: ["records": records, "workers": list(reference("Worker")), "processors": text]),
        "Worker": answer(
            [
                "pair": text, "queue": count, "turns": count, "longest_turn": count, "cpu_time": count, "handed_over": count,
                "taken_over": count,
            ], maybe: ["processor": count]),
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
        "HitReport": answer(
            [
                "now": moment,
                "rules": list(
                    answer(
                        [
                            "side": one(of: ["egress", "ingress"]), "policy": text, "rule": text, "place": text, "hits": count,
                            "action": one(of: ["allow", "deny", "reject", "pass", "log"]),
                            "values": list(
                                answer(
                                    ["field": text, "value": text, "hits": count],
                                    maybe: ["since": moment, "first": moment, "last": moment])),
                        ], maybe: ["note": text, "since": moment, "first": moment, "last": moment])),
                "uncounted": answer(["lost": count, "elsewhere": count, "unknown": count, "withoutRoom": count]),
            ], maybe: ["began": moment]),
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
        "FlowReport": flow, "TraceReport": trace, "LiveConnection": live,
        "Side": answer(sideKeys),
        "Cause": answer(
            sideKeys.merging([
                "side": one(of: ["egress", "ingress"]), "generation": count,
                "nearest": list(answer(["policy": text, "rule": text, "failed": texts])),
            ]) { a, _ in a }),
    ]

    private static let trace = answer(
        [
            "generation": count, "epoch": count,
            "answers": list(answer(["worker": count, "pair": text, "queue": count, "found": truth, "microseconds": count])),
            "silent": list(count),
            "terms": answer([
                "pickUp": one(of: ["never", "restart", "always"]), "grace": count, "windows": one(of: ["strict", "loose"]),
                "isAsymmetric": truth, "verifiesChecksums": truth,
            ]),
        ], maybe: ["live": reference("LiveConnection")])

    private static let live: Tree = {
        let window = answer([
            "end": count, "acknowledged": count, "maximum": count, "scale": count, "marks": count, "flags": count,
        ])
        return answer(
            [
                "worker": count, "flow": reference("FlowReport"), "state": text, "marks": count, "age": count, "quiet": count,
                "timeout": count, "change": one(of: ["keep", "drain", "reevaluate", "reset"]), "drainSeconds": count,
            ], maybe: ["forward": window, "reverse": window, "lapse": answer(["isGranted": truth, "seconds": count])])
    }()

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
            "cause": reference("Cause"), "candidate": reference("Candidate"),
        ])
}
