// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension SystemTests {
    /// Audit first: what is in audit lets real connections through and says whom it would have denied, beside what is enforced.
    @Suite struct Auditing {
        /// A rule, a policy, a tier's end, a namespace's and a zone's setting, each with a port of its own, and a neighbour that denies.
        private static let policy = """
            apiVersion: bulkhead/v1
            kind: Zone
            metadata: {name: lan}
            spec: {unjudged: {wan: audit}}
            ---
            apiVersion: bulkhead/v1
            kind: Zone
            metadata: {name: wan}
            ---
            apiVersion: bulkhead/v1
            kind: Namespace
            metadata: {name: shop}
            spec: {defaults: {ingress: audit, egress: allow}}
            ---
            apiVersion: bulkhead/v1
            kind: Tier
            metadata: {name: tried}
            spec: {order: 1, end: audit}
            ---
            apiVersion: bulkhead/v1
            kind: Workload
            metadata: {name: db-1, namespace: shop, labels: {app: db}}
            spec: {addresses: [10.9.0.21]}
            ---
            apiVersion: bulkhead/v1
            kind: Policy
            metadata: {name: end, namespace: shop}
            spec: {tier: tried, subject: {}, isolates: {ingress: [tcp/5501]}, rules: []}
            ---
            apiVersion: bulkhead/v1
            kind: Policy
            metadata: {name: whole, namespace: shop}
            spec: {mode: audit, subject: {}, isolates: {ingress: [tcp/5502]}}
            ---
            apiVersion: bulkhead/v1
            kind: Policy
            metadata: {name: rules, namespace: shop}
            spec:
              subject: {}
              isolates: {ingress: [tcp/5505]}
              rules:
                - {name: tried, mode: audit, action: deny, from: {}, services: [tcp/5503]}
                - {name: kept, action: reject, from: {}, services: [tcp/5504]}

            """

        @Test func `rule, policy, tier, namespace and zone are audited while their neighbours are enforced`() throws {
            let lab = try Lab(.init(configuration: "zones: {lan: {port: p0}, wan: {port: p1}}", policy: Self.policy))
            defer { lab.remove() }
            try lab.start()
            // The namespace's setting decides 5500; a tier's end, a policy and a rule the next three.
            for port in 5500...5505 { try lab.attempt(port: port) }
            try lab.scan6(port: 5506)
            try eventually("six audited connections", within: 15, every: 0.3) { try audited(lab).count >= 5 }
            let found = try audited(lab)
            #expect(Set(found.keys) == [5500, 5501, 5502, 5503, 5506], "\(found)")
            for (port, decision) in found { #expect(decision == "allow", "\(port)") }
            let denied = try lab.flows("--event", "refused", "--protocol", "tcp").filter { $0.source.workload == nil }
            #expect(Set(denied.compactMap(\.destination.port)) == [5504, 5505], "\(denied)")
        }

        /// The decisions on what `flows --audit deny` shows, by port.
        private func audited(_ lab: Lab) throws -> [Int: String] {
            let flows = try lab.flows("--audit", "deny", "--event", "start")
            return Dictionary(flows.compactMap { flow in flow.destination.port.map { ($0, flow.decision) } }) { first, _ in first
            }
        }
    }
}

extension Lab {
    /// Has web try a TCP connection to db over IPv6, where both are nobody's.
    fileprivate func scan6(port: Int) throws {
        let program = Requirement.traffic.appending(path: "scan.py").path
        try Command.run(web.namespace.command([program, "tcp", db.ipv6, "\(port)", "1"]))
    }
}
