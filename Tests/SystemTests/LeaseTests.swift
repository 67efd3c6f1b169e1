// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension SystemTests.SideBySide {
    /// A real DHCP server (dnsmasq) and a real client (udhcpc) on two sides of the appliance.
    @Suite struct Leases {
        private static let sides = "zones: {left: {port: p0}, right: {port: p1}}"
        private static let services = [
            """
            apiVersion: bulkhead/v1
            kind: Zone
            metadata: {name: left}
            spec: {}

            """,
            """
            apiVersion: bulkhead/v1
            kind: Zone
            metadata: {name: right}
            spec: {dhcp-server: true}

            """,
        ]

        private func lab() throws -> Lab {
            let policy = Documents.set(webZones: ["left"], dbZones: ["right"], zones: Self.services)
            return try Lab(.init(configuration: Self.sides, policy: policy))
        }

        /// A server at a workload that gives out 10.9.0.100 to 10.9.0.120.
        private func serve(_ lab: Lab, at workload: Lab.Workload) throws -> Companion {
            let options = [
                "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=eth0", "--bind-interfaces",
                "--dhcp-authoritative", "--dhcp-range=10.9.0.100,10.9.0.120,255.255.255.0,2m", "--no-ping", "--user=root",
                "--pid-file=\(lab.folder.path)/dnsmasq.pid", "--dhcp-leasefile=\(lab.folder.path)/leases", "--log-facility=-",
            ]
            // A shell around it, and around the client: both close what they inherit, by which Foundation notices an end, and it
            // would wait for theirs in the place where it hears of all others.
            let line = options.joined(separator: " ") + " & wait"
            let server = try Companion(workload.namespace.command(["sh", "-c", line]), in: lab.folder, name: "dnsmasq")
            try eventually("the DHCP server", within: 10) {
                guard server.isRunning else { throw Trouble("dnsmasq ended: \(server.errors)") }
                return server.errors.contains("DHCP, IP range")
            }
            return server
        }

        /// Asks for a lease at a workload, a few times within two seconds; what the client said, and whether it got one.
        private func ask(at workload: Lab.Workload) throws -> (said: String, hasLease: Bool) {
            let client = ["sh", "-c", "udhcpc -f -q -n -i eth0 -t 3 -T 1 -A 1 -s /bin/true; exit $?"]
            let outcome = try Command.attempt(workload.namespace.command(client))
            return (outcome.output + outcome.errors, outcome.code == 0)
        }

        @Test func `a client gets its lease from a server across the appliance`() throws {
            let lab = try lab()
            defer { lab.remove() }
            try lab.start()
            let server = try serve(lab, at: lab.db)
            let (said, hasLease) = try ask(at: lab.web)
            #expect(hasLease && said.contains("lease of 10.9.0.1"), "\(said) \(server.errors)")
            let status = try lab.quietStatus()
            status.expectBalance()
            #expect(status.dropped("linkProtocol") == 0)
        }

        @Test func `a server where none may be gives nobody a lease`() throws {
            let lab = try lab()
            defer { lab.remove() }
            try lab.start()
            let server = try serve(lab, at: lab.web)
            let (said, hasLease) = try ask(at: lab.db)
            #expect(!hasLease, "\(said)")
            // The client's questions do not even reach it.
            #expect(!server.errors.contains("DHCPDISCOVER"))
            let status = try lab.quietStatus()
            status.expectBalance()
            #expect(status.dropped("linkProtocol") >= 3)
        }
    }
}
