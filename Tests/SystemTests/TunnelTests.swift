// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension SystemTests.SideBySide {
    /// VXLAN between two kernels, with the appliance between them.
    @Suite struct Tunnels {
        /// The addresses inside, and what the inside's policy opens: the lab's allowed port and echoes.
        private static let (inside, insideDB) = ("10.42.0.11", "10.42.0.21")

        /// Policy of both ends of the tunnel and of both hosts inside of it. `outer` is what db lets web do, and web db.
        private static func policy(_ outer: String) -> String {
            let ends = [("web", "10.9.0.11", inside, "db"), ("db", "10.9.0.21", insideDB, "web")]
            return ends.map { name, outside, inside, peer in
                let rule =
                    name == "db"
                    ? "from: {selector: 'inside == \"web\"'}, services: [icmp/8.0, tcp/5432]"
                    : "to: {selector: 'inside == \"db\"'}"
                return """
                    apiVersion: bulkhead/v1
                    kind: Workload
                    metadata: {name: \(name)-1, namespace: shop, labels: {app: \(name)}}
                    spec: {addresses: [\(outside)]}
                    ---
                    apiVersion: bulkhead/v1
                    kind: Workload
                    metadata: {name: \(name)-2, namespace: shop, labels: {inside: \(name)}}
                    spec: {addresses: [\(inside)]}
                    ---
                    apiVersion: bulkhead/v1
                    kind: Policy
                    metadata: {name: \(name), namespace: shop}
                    spec:
                      subject: {selector: 'app == "\(name)"'}
                      isolates: {ingress: all}
                      rules:
                        - {action: allow, from: {selector: 'app == "\(peer)"'}, services: [\(outer)]}
                        - {action: allow, to: {selector: 'app == "\(peer)"'}, services: [\(outer)]}
                    ---
                    apiVersion: bulkhead/v1
                    kind: Policy
                    metadata: {name: \(name)-inside, namespace: shop}
                    spec:
                      subject: {selector: 'inside == "\(name)"'}
                      isolates: {ingress: all}
                      rules: [{action: allow, \(rule)}]

                    """
            }.joined(separator: "---\n")
        }

        /// A lab with a VXLAN between both ends.
        private static func lab(_ outer: String, zones: String = "") throws -> Lab {
            let lab = try Lab(.init(configuration: zones, policy: policy(outer)))
            for (workload, peer, address) in [(lab.web, lab.db, inside), (lab.db, lab.web, insideDB)] {
                let name = workload.namespace.name
                try Command.run(
                    "ip", "-n", name, "link", "add", "vx0", "mtu", "1400", "type", "vxlan", "id", "42", "local", workload.ipv4,
                    "remote", peer.ipv4, "dev", "eth0", "dstport", "4789")
                try workload.namespace.shell("sysctl -q -w net.ipv6.conf.vx0.disable_ipv6=1")
                try Command.run("ip", "-n", name, "address", "add", address + "/24", "dev", "vx0")
                try Command.run("ip", "-n", name, "link", "set", "vx0", "up")
            }
            try lab.start()
            return lab
        }

        private static func pings(_ lab: Lab) throws -> Bool {
            try Command.attempt(lab.web.namespace.command(["ping", "-n", "-c", "3", "-i", "0.2", "-W", "1", insideDB])).code == 0
        }

        /// Whether web reaches a port of db inside of the tunnel.
        private static func connects(_ lab: Lab, to port: Int) throws -> Bool {
            let server = try Transfer.serve(lab, "serve", at: lab.db, address: insideDB, port: port)
            let attempt: Transfer.Attempt = try Transfer.run("connect", at: lab.web, address: insideDB, port: port, 2)
            try server.end()
            return attempt.connected
        }

        /// What `bulkhead flows` shows.
        private static func flows(_ lab: Lab, _ options: String...) throws -> [String] {
            try Command.run([Requirement.binary, "flows", "--json", "--socket", lab.socket] + options).split(separator: "\n").map(
                String.init)
        }

        @Test func `a rule that allows any service does not allow a tunnel`() throws {
            let lab = try Self.lab("any")
            defer { lab.remove() }
            #expect(try !Self.pings(lab))
            let status = try lab.quietStatus()
            status.expectBalance()
            #expect(status.dropped("denied") > 0)
        }

        @Test(arguments: ["", "zones: {elsewhere: {tunnel: 43}}"])
        func `a rule that names it lets everything inside pass, while no zone lies in it`(zones: String) throws {
            let lab = try Self.lab("vxlan", zones: zones)
            defer { lab.remove() }
            #expect(try Self.pings(lab))
            #expect(try Self.connects(lab, to: Lab.allowedPort))
            #expect(try Self.connects(lab, to: Lab.deniedPort))
            #expect(try !Self.flows(lab).contains { $0.contains(Self.insideDB) })
            try lab.quietStatus().expectBalance()
        }

        @Test func `with a zone in it, what is inside is judged as well`() throws {
            let lab = try Self.lab("vxlan", zones: "zones: {lan: {port: p0}, tenant: {tunnel: 42}}")
            defer { lab.remove() }
            #expect(try Self.pings(lab), "ARP and echoes pass inside")
            #expect(try Self.connects(lab, to: Lab.allowedPort))
            #expect(try !Self.connects(lab, to: Lab.deniedPort))
            let status = try lab.quietStatus()
            status.expectBalance()
            #expect(status.dropped("denied") > 0)
            let shown = try Self.flows(lab, "--port", "\(Lab.deniedPort)")
            #expect(
                shown.contains {
                    $0.contains(Self.insideDB) && $0.contains("vxlan") && $0.contains("42") && $0.contains("tenant")
                }, "\(shown)")
            // A transfer that fills the tunnel's packets, both ways of the wire.
            let server = try Transfer.serve(lab, "serve", at: lab.db, address: Self.insideDB, port: Lab.allowedPort)
            let sent: Transfer.Outcome = try Transfer.run(
                "send", at: lab.web, address: Self.insideDB, port: Lab.allowedPort, 10_000_000)
            #expect(sent.sha256 == sent.answer.sha256)
            try server.end()
            figure("TCP in a VXLAN that is judged inside", "10 MB in \(sent.seconds.short) s")
        }
    }
}
