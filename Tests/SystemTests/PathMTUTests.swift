// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension SystemTests.SideBySide {
    /// Path MTU discovery by the kernel's own TCP and UDP, with a narrow link somewhere behind the appliance's first port.
    @Suite struct PathMTU {
        /// What fits through the narrow link; IPv6 has no link below 1280.
        private static func mtu(_ family: Lab.Family) -> Int { family == .ipv4 ? 1200 : 1300 }

        /// A host behind db, which routes: `db ── narrow link ── far`, and policy that lets web reach it.
        private final class Far {
            let host: Lab.Workload

            init(_ lab: Lab, mtu: Int) throws {
                host = Lab.Workload(
                    namespace: try Namespace(lab.db.namespace.name + "2"), ipv4: "10.10.0.2", ipv6: "fd10::2")
                do { try connect(lab, mtu: mtu) } catch {
                    remove()
                    throw error
                }
            }

            private func connect(_ lab: Lab, mtu: Int) throws {
                let (router, name) = (lab.db.namespace, host.namespace.name)
                // The kernel has no IPv6 on a link that is too narrow for it.
                let hasIPv6 = mtu >= 1280
                try router.shell("sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
                try Command.run(
                    "ip", "-n", router.name, "link", "add", "eth1", "mtu", "\(mtu)", "type", "veth", "peer", "name", "eth0",
                    "mtu", "\(mtu)", "netns", name)
                for (end, port, addresses) in [
                    (router.name, "eth1", ["10.10.0.1/24", "fd10::1/64"]), (name, "eth0", ["10.10.0.2/24", "fd10::2/64"]),
                ] {
                    try Command.run("ip", "-n", end, "link", "set", port, "up")
                    for address in addresses where hasIPv6 || !address.contains(":") {
                        let flags = address.contains(":") ? ["nodad"] : []
                        try Command.run(["ip", "-n", end, "address", "add", address, "dev", port] + flags)
                    }
                }
                // The far end would tell web in its SYN what its own link takes, and nothing would be left to discover.
                for (target, router) in [("10.9.0.0/24", "10.10.0.1")] + (hasIPv6 ? [("fd00::/64", "fd10::1")] : []) {
                    try Command.run("ip", "-n", name, "route", "add", target, "via", router, "advmss", "1440")
                }
                for (target, router) in [("10.10.0.0/24", lab.db.ipv4)] + (hasIPv6 ? [("fd10::/64", lab.db.ipv6)] : []) {
                    try Command.run("ip", "-n", lab.web.namespace.name, "route", "add", target, "via", router)
                }
            }

            func remove() { host.namespace.remove() }
        }

        private static let policy = Documents.set(
            zones: [
                """
                apiVersion: bulkhead/v1
                kind: Workload
                metadata: {name: far-1, namespace: shop, labels: {app: far}}
                spec: {addresses: [10.10.0.2, "fd10::2"]}
                ---
                apiVersion: bulkhead/v1
                kind: Policy
                metadata: {name: far, namespace: shop}
                spec:
                  subject: {selector: 'app == "far"'}
                  isolates: {ingress: all}
                  rules: [{action: allow, from: {selector: 'app == "web"'}, services: [tcp/5432, udp/5432]}]

                """
            ], egress: ["{action: allow, to: {cidrs: [10.0.0.0/8, \"fd00::/8\"]}, services: [any]}"])

        /// What web's kernel believes of the way to an address.
        private static func route(_ lab: Lab, to address: String) throws -> String {
            try lab.web.namespace.run("ip", "route", "get", address)
        }

        @Test(arguments: [Lab.Family.ipv4, .ipv6])
        func `TCP and UDP find the MTU of a narrow link behind a router on the other side`(_ family: Lab.Family) throws {
            let lab = try Lab(.init(policy: Self.policy))
            defer { lab.remove() }
            let far = try Far(lab, mtu: Self.mtu(family))
            defer { far.remove() }
            try lab.start()
            let target = far.host.address(family)
            let server = try Transfer.serve(lab, "serve", at: far.host, address: target, port: Lab.allowedPort)
            let sent: Transfer.Outcome = try Transfer.run(
                "send", at: lab.web, address: target, port: Lab.allowedPort, 5_000_000)
            #expect(sent.bytes == sent.answer.bytes && sent.sha256 == sent.answer.sha256)
            #expect(try Self.route(lab, to: target).contains("mtu \(Self.mtu(family))"))
            try server.end()
            figure("TCP through \(Self.mtu(family)) bytes to \(target)", "5 MB in \(sent.seconds.short) s")

            try Command.run("ip", "-n", lab.web.namespace.name, "route", "flush", "cache")
            try expectDatagramsFindIt(lab, far.host, target, mtu: Self.mtu(family))
            let status = try lab.quietStatus()
            status.expectBalance()
            #expect(status.dropped("unrelatedICMP") == 0 && status.dropped("oversize") == 0)
            #expect(status.ports.allSatisfy { $0.generated == 0 })
        }

        @Test(arguments: [Lab.Family.ipv4, .ipv6])
        func `TCP and UDP find the MTU of the appliance's own other port`(_ family: Lab.Family) throws {
            let mtu = Self.mtu(family)
            let lab = try Lab()
            defer { lab.remove() }
            try Command.run("ip", "-n", lab.appliance.name, "link", "set", "p1", "mtu", "\(mtu)")
            // db itself could send more; only what leaves by the port counts.
            let subnet = family == .ipv4 ? "10.9.0.0/24" : "fd00::/64"
            let family4or6 = family == .ipv4 ? "-4" : "-6"
            try Command.run(
                "ip", family4or6, "-n", lab.db.namespace.name, "route", "replace", subnet, "dev", "eth0", "advmss", "1440")
            try lab.start()
            let target = lab.db.address(family)
            let server = try Transfer.serve(lab, "serve", at: lab.db, address: target, port: Lab.allowedPort)
            let sent: Transfer.Outcome = try Transfer.run(
                "send", at: lab.web, address: target, port: Lab.allowedPort, 5_000_000)
            #expect(sent.bytes == sent.answer.bytes && sent.sha256 == sent.answer.sha256)
            #expect(try Self.route(lab, to: target).contains("mtu \(mtu)"))
            try server.end()
            try Command.run("ip", "-n", lab.web.namespace.name, "route", "flush", "cache")
            try expectDatagramsFindIt(lab, lab.db, target, mtu: mtu)
            let status = try lab.quietStatus()
            status.expectBalance()
            let told = try status.port("p0").generated
            #expect(told > 0 && status.dropped("oversize") >= told)
            figure("TCP through a port of \(mtu) bytes to \(target)", "5 MB in \(sent.seconds.short) s, \(told) answers")
        }

        private func expectDatagramsFindIt(_ lab: Lab, _ host: Lab.Workload, _ target: String, mtu: Int) throws {
            let server = try Transfer.serve(lab, "echo", at: host, address: target, port: Lab.allowedPort)
            let found: Transfer.Discovery = try Transfer.run("mtu", at: lab.web, address: target, port: Lab.allowedPort, 1400)
            #expect(found.mtu == mtu)
            #expect(found.answered == mtu - (target.contains(":") ? 48 : 28))
            try server.end()
        }
    }
}
