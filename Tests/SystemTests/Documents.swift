// SPDX-License-Identifier: Apache-2.0

/// Policy sets about web and db, in parts.
enum Documents {
    /// Both workloads, their zones, rules of web's egress and of db's ingress; by default those of the lab.
    static func set(
        webZones: [String] = [], dbZones: [String] = [], zones: [String] = [],
        egress: [String] = ["{action: allow, to: {selector: 'app == \"db\"'}, services: [any]}"],
        ingress: [String] = [
            "{action: allow, from: {selector: 'app == \"web\"'}, services: [tcp/5432, udp/5432, icmp/8.0, icmp6/128.0]}"
        ]
    ) -> String {
        ([
            workload("web", ["10.9.0.11", "\"fd00::11\""], webZones), workload("db", ["10.9.0.21", "\"fd00::21\""], dbZones),
            policy("web", egress), policy("db", ingress, isolates: true),
        ] + zones).joined(separator: "---\n")
    }

    private static func workload(_ name: String, _ addresses: [String], _ zones: [String]) -> String {
        let places = zones.isEmpty ? "" : ", zones: [\(zones.joined(separator: ", "))]"
        return """
            apiVersion: bulkhead/v1
            kind: Workload
            metadata: {name: \(name)-1, namespace: shop, labels: {app: \(name)}}
            spec: {addresses: [\(addresses.joined(separator: ", "))]\(places)}

            """
    }

    private static func policy(_ name: String, _ rules: [String], isolates: Bool = false) -> String {
        """
        apiVersion: bulkhead/v1
        kind: Policy
        metadata: {name: \(name), namespace: shop}
        spec:
          subject: {selector: 'app == "\(name)"'}
        \(isolates ? "  isolates: {ingress: all}\n" : "")  rules:
        \(rules.map { "    - " + $0 }.joined(separator: "\n"))

        """
    }
}
