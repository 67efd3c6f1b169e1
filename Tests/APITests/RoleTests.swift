// SPDX-License-Identifier: Apache-2.0
import API
import Foundation
import Policy
import PolicyText
import TestSupport
import Testing

/// What each role may: a row for every call, from the table that the router is made of. A call without a row fails.
@Suite struct RoleTable {
    /// May: viewer, operator, editor, administrator; nobody stands for a caller that no role is bound to.
    private static let rows: [Call: [Bool]] = [
        .health: [true, true, true, true], .ready: [true, true, true, true], .openapi: [true, true, true, true],
        .status: [true, true, true, true], .flows: [true, true, true, true],
        .map: [true, true, true, true], .metrics: [true, true, true, true], .policy: [true, true, true, true],
        .hits: [true, true, true, true], .history: [true, true, true, true], .revision: [true, true, true, true],
        .workloads: [true, true, true, true],
        .apply: [false, false, true, true], .confirm: [false, true, true, true], .rollback: [false, true, true, true],
        .trace: [false, true, false, true],
        .register: [false, true, false, true], .update: [false, true, false, true], .unregister: [false, true, false, true],
        .beginBypass: [false, true, false, true], .endBypass: [false, true, false, true], .reload: [false, true, false, true],
        .beginCapture: [false, true, false, true], .endCapture: [false, true, false, true],
        .startShadow: [false, false, true, true], .shadow: [true, true, true, true], .shadowFlows: [true, true, true, true],
        .stopShadow: [false, true, true, true],
        .audit: [false, false, false, true],
    ]
    private static let open: Set<Call> = [.health, .ready, .openapi]
    private static let me = String(geteuid())
    private static let roles: [[RoleBinding]] = [
        [RoleBinding(.viewer, users: [me])], [RoleBinding(.operator, users: [me])],
        [RoleBinding(.editor, edits: [.init(namespace: "shop", tiers: [])], users: [me])],
        [RoleBinding(.administrator, users: [me])],
    ]

    @Test func `every call has a row`() {
        #expect(Set(Self.rows.keys) == Set(Call.allCases))
    }

    @Test(arguments: 0..<5) func `a role may what its row says, over the socket and call by call`(role: Int) async throws {
        // The fifth is nobody: bindings that name somebody else.
        let bindings = role < 4 ? Self.roles[role] : [RoleBinding(.administrator, users: ["4294967294"])]
        let plane = FakePlane(policy: PolicyReport(generation: 1, set: PolicySet(), zones: []))
        try await withServer(plane: plane, settings: { $0.roles = bindings }) { path in
            for call in Call.allCases {
                let client = try #require(UnixClient(path))
                client.send(call.methodName, Example.target(call), body: Example.body(call))
                let status = client.answer().status
                let may = role < 4 ? Self.rows[call]?[role] ?? false : Self.open.contains(call)
                #expect((status == 403) == !may, "\(call) as number \(role): \(status)")
                #expect(status == 200 || status == 403, "\(call): \(status)")
            }
        }
        // Attempts to change something, or to read the audit log, are written down; looking is not.
        let refused = plane.asked.filter { $0.contains(" refused: ") }
        let count = Call.allCases.filter { call in
            ![
                .health, .ready, .openapi, .status, .flows, .map, .metrics, .policy, .hits, .history, .revision, .workloads,
                .shadow,
                .shadowFlows,
            ]
            .contains(call)
                && !(role < 4 && Self.rows[call]?[role] ?? false)
        }.count
        #expect(refused.count == count, "\(refused)")
        let done = plane.asked.filter { !$0.contains(" refused: ") }
        #expect(done.count == (role < 4 ? [0, 12, 5, 14][role] : 0), "\(done)")
    }

    @Test func `without bindings root and the daemon's own user may everything`() async throws {
        let plane = FakePlane()
        try await withServer(plane: plane) { path in
            let client = try #require(UnixClient(path))
            client.send("POST", "/v1/reload")
            #expect(client.answer().status == 200)
        }
    }

    @Test func `a group's number binds as its members' own does, and a name is looked up`() async throws {
        for binding in [
            RoleBinding(.administrator, groups: [String(getegid())]), RoleBinding(.administrator, users: [NSUserName()]),
        ] {
            try await withServer(settings: { $0.roles = [binding] }) { path in
                // Names are looked up beside the requests.
                let isBound = try eventually {
                    let client = try #require(UnixClient(path))
                    client.send("POST", "/v1/reload")
                    return client.answer().status == 200
                }
                #expect(isBound, "\(binding)")
            }
        }
    }
}

@Suite struct EditorRanges {
    private func documents(_ text: String) throws -> [Document] { try decode(text, file: "p.yaml") }
    private func policy(_ name: String, namespace: String? = "shop", tier: String? = nil, port: Int = 80) -> String {
        let scope = namespace.map { ", namespace: \($0)" } ?? ""
        return """
            apiVersion: bulkhead/v1
            kind: Policy
            metadata: {name: \(name)\(scope)}
            spec: {\(tier.map { "tier: \($0), " } ?? "")subject: {selector: 'app == "web"'}, rules: [{action: allow, from: {cidrs: [10.0.0.0/8]}, services: [tcp/\(port)]}]}

            """
    }
    private func editor(_ tiers: Set<String> = []) -> Grants {
        var grants = Grants()
        grants.edits = [.init(namespace: "shop", tiers: tiers)]
        return grants
    }

    @Test func `an editor may add, change and remove policies of the range`() throws {
        let (old, new) = (
            try documents(policy("a") + "---\n" + policy("b")), try documents(policy("b", port: 81) + "---\n" + policy("c"))
        )
        #expect(editor().refusal(changing: old, to: new) == nil)
        #expect(editor(["tenant"]).refusal(changing: [], to: try documents(policy("a", tier: "tenant"))) == nil)
    }

    @Test(arguments: [
        ("another namespace", "is of another namespace"), ("no namespace", "is of no namespace"),
        ("the operator's tier", "is in tier \"operator\""), ("the built-in tier", "is in tier \"default\""),
        ("a tier's document", "is no policy"), ("a workload", "is no policy"),
    ])
    func `what lies beyond is refused with its place`(what: String, why: String) throws {
        let text =
            switch what {
            case "another namespace": policy("a", namespace: "bank")
            case "no namespace": policy("a", namespace: nil)
            case "the operator's tier": policy("a", tier: "operator")
            case "the built-in tier": policy("a")
            case "a tier's document": "apiVersion: bulkhead/v1\nkind: Tier\nmetadata: {name: first}\nspec: {order: 1}\n"
            default:
                "apiVersion: bulkhead/v1\nkind: Workload\nmetadata: {name: w, namespace: shop}\nspec: {addresses: [10.0.0.1]}\n"
            }
        let grants = what == "the built-in tier" ? editor(["tenant"]) : editor()
        for (old, new) in [([], try documents(text)), (try documents(text), [])] {
            let refusal = try #require(grants.refusal(changing: old, to: new))
            #expect(refusal.kind == .forbidden && refusal.faults.count == 1)
            #expect(refusal.faults[0].hasPrefix("p.yaml:") && refusal.faults[0].contains(why), "\(refusal.faults)")
        }
    }

    @Test func `a policy leaves a range only from both ends`() throws {
        let (theirs, mine) = (try documents(policy("a", tier: "operator")), try documents(policy("a", tier: "tenant")))
        #expect(editor(["tenant"]).refusal(changing: theirs, to: mine) != nil)
        #expect(editor(["tenant"]).refusal(changing: mine, to: theirs) != nil)
        #expect(editor(["tenant", "operator"]).refusal(changing: mine, to: theirs) == nil)
    }

    @Test func `what stays as it is may lie anywhere, and where it is written does not matter`() throws {
        let other = policy("z", namespace: "bank")
        let old = try documents(other)
        let new = try decode(policy("a") + "---\n" + other, file: "elsewhere.yaml")
        #expect(editor().refusal(changing: old, to: new) == nil)
    }

    @Test func `an administrator may everything, and who is no editor nothing`() throws {
        let new = try documents(policy("a", namespace: nil))
        #expect(Grants.all.refusal(changing: [], to: new) == nil)
        var grants = Grants()
        grants.isOperator = true
        #expect(grants.refusal(changing: [], to: new)?.kind == .forbidden)
        #expect(editor().onlyNamespace == "shop" && Grants.all.onlyNamespace == nil)
    }
}
