// SPDX-License-Identifier: Apache-2.0
import Foundation

extension Lab {
    /// The daemon's configuration file.
    var configurationFile: URL { folder.appending(path: "bulkhead.yaml") }
    /// Where clients find the daemon.
    var socket: String { folder.appending(path: "control.sock").path }
    /// What the daemon reads at its start and on SIGHUP.
    func write(_ policy: String) throws { try policy.write(to: policyFile, atomically: true, encoding: .utf8) }

    /// Writes documents into a file beside it, which the daemon does not read by itself.
    func write(_ documents: String, to name: String) throws {
        try documents.write(to: folder.appending(path: name), atomically: true, encoding: .utf8)
    }

    private var policyFile: URL { folder.appending(path: "policy.yaml") }

    /// What the daemon is started with.
    var configuration: String {
        """
        pairs:
          - {name: wire, ports: [p0, p1], fail: \(settings.fail), on-stop: \(settings.onStop), xdp: native, copy: auto, poll: wait}
        policies: [\(policyFile.path)]
        socket: \(socket)
        state: \(folder.path)/state
        run: \(folder.path)/run
        flows: {capacity: \(settings.flowCapacity)\(settings.flows)}
        \(settings.configuration)

        """
    }

    /// Writes the configuration that the daemon reads at its start, and in parts on SIGHUP, with more keys.
    func writeConfiguration(_ more: String) throws {
        try (configuration + more).write(to: configurationFile, atomically: true, encoding: .utf8)
    }

    /// Writes the policy that the daemon reads at its start and on SIGHUP: web may reach db on these ports and ask for echoes; where a
    /// port is rejected, it is told. `webCard` is web's hardware address, `documents` stand before all others, and without `withWeb` nobody knows web.
    func writePolicy(
        ports: [Int], rejected: [Int] = [], webCard: String? = nil, documents: String = "", withWeb: Bool = true
    ) throws {
        func services(_ ports: [Int]) -> String { ports.flatMap { ["tcp/\($0)", "udp/\($0)"] }.joined(separator: ", ") }
        let peer = "from: {selector: 'app == \"web\"'}"
        var rules = ["{name: from-web, action: allow, \(peer), services: [icmp/8.0, icmp6/128.0, \(services(ports))]}"]
        if !rejected.isEmpty { rules.append("{action: reject, \(peer), services: [\(services(rejected))]}") }
        let card = webCard.map { ", mac: \"\($0)\"" } ?? ""
        let text = """
            apiVersion: bulkhead/v1
            kind: Workload
            metadata: {name: web-1, namespace: shop, labels: {app: web}}
            spec: {addresses: [\(web.ipv4), "\(web.ipv6)"]\(card)}
            ---
            apiVersion: bulkhead/v1
            kind: Workload
            metadata: {name: db-1, namespace: shop, labels: {app: db}}
            spec: {addresses: [\(db.ipv4), "\(db.ipv6)"]}
            ---
            apiVersion: bulkhead/v1
            kind: Policy
            metadata: {name: db, namespace: shop}
            spec:
              subject: {selector: 'app == "db"'}
              isolates: {ingress: all}
              rules: [\(rules.joined(separator: ", "))]
            ---
            apiVersion: bulkhead/v1
            kind: Policy
            metadata: {name: web, namespace: shop}
            spec:
              subject: {selector: 'app == "web"'}
              rules:
                - {name: to-db, action: allow, to: {selector: 'app == "db"'}, services: [any]}

            """
        let known = withWeb ? text : text.split(separator: "---\n", maxSplits: 1).last.map(String.init) ?? text
        try write(documents + known)
    }

    /// Adds so many rules to the policy that `writePolicy` wrote, none of which says anything of this laboratory's workloads.
    func addRules(_ count: Int) throws {
        var text = try String(contentsOf: policyFile, encoding: .utf8)
        for number in 0..<count {
            if number % 1000 == 0 {
                text += """
                    ---
                    apiVersion: bulkhead/v1
                    kind: Policy
                    metadata: {name: many-\(number), namespace: shop}
                    spec:
                      subject: {selector: 'app == "db"'}
                      rules:

                    """
            }
            let (peer, port) = (number % 10_000, 1024 + number % 3000)
            text += "    - {action: allow, from: {selector: 'app == \"c\(peer)\"'}, services: [tcp/\(port)]}\n"
        }
        try text.write(to: policyFile, atomically: true, encoding: .utf8)
    }
}
