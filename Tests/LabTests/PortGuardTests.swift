// SPDX-License-Identifier: Apache-2.0
import Glibc
import Link
import Net
import Testing

@testable import Lab

extension Kernel {
    /// A port that works for somebody is left alone.
    @Suite struct PortGuardTests {
        struct Case: CustomTestStringConvertible {
            let testDescription: String
            /// What makes the port work, in shell.
            let makes: String
            /// What the refusal says.
            let says: String
        }

        static let cases = [
            Case(testDescription: "IPv4", makes: "ip address add 192.0.2.1/32 dev bh-lab-a", says: "has an address"),
            Case(
                testDescription: "IPv6",
                makes: "sysctl -qw net.ipv6.conf.bh-lab-a.disable_ipv6=0 && ip address add 2001:db8::1/128 dev bh-lab-a",
                says: "has an address"),
            Case(testDescription: "a route", makes: "ip route add default dev bh-lab-a", says: "is in a route"),
            Case(
                testDescription: "a bridge", makes: "ip link add bh-lab-br type bridge && ip link set bh-lab-a master bh-lab-br",
                says: "belongs to a bridge or bond"),
        ]

        @Test(arguments: cases) func `a port that works is refused, and taken by force`(_ row: Case) throws {
            try inFreshNamespace {
                try makeWire("bh-lab-a", "bh-lab-b")
                try #require(unsafe system(row.makes) == 0)
                #expect(throws: LabError.portInUse(port: "bh-lab-a", work: row.says)) {
                    try PortGuard.free("bh-lab-a", force: false)
                }
                #expect(try PortGuard.free("bh-lab-a", force: true).name == "bh-lab-a")
                #expect(try PortGuard.free("bh-lab-b", force: false).name == "bh-lab-b")
            }
        }

        @Test func `a port with an XDP program is refused, and force does not replace the program`() throws {
            try inFreshNamespace {
                try makeWire("bh-lab-a", "bh-lab-b")
                let port = try Interface(named: "bh-lab-a")
                let first = try Sink(on: port, ages: false)
                #expect(throws: LabError.portInUse(port: "bh-lab-a", work: "has an XDP program")) {
                    try PortGuard.free("bh-lab-a", force: false)
                }
                #expect(throws: LabError.foreignProgram(port: "bh-lab-a")) { try Sink(on: port, ages: false) }
                #expect(first.arrived.frames == 0)
            }
        }

        @Test func `an address that IPv6 gave itself does not keep a port`() throws {
            try inFreshNamespace {
                try makeWire("bh-lab-a", "bh-lab-b")
                let own = "sysctl -qw net.ipv6.conf.bh-lab-a.disable_ipv6=0 && ip address add fe80::1/64 dev bh-lab-a nodad"
                try #require(unsafe system(own) == 0)
                #expect(try PortGuard.free("bh-lab-a", force: false).name == "bh-lab-a")
            }
        }

        @Test func `the loopback is refused, by force too`() throws {
            for force in [false, true] {
                #expect(throws: LabError.portInUse(port: "lo", work: "is this host's loopback")) {
                    try PortGuard.free("lo", force: force)
                }
            }
        }

        @Test func `a port that is not there is named`() {
            #expect(throws: LinkError.noPort(name: "bh-lab-none")) { try PortGuard.free("bh-lab-none", force: false) }
        }

        @Test func `a sink leaves its port as it was`() throws {
            try inFreshNamespace {
                try makeWire("bh-lab-a", "bh-lab-b")
                let port = try Interface(named: "bh-lab-b")
                do {
                    let sink = try Sink(on: port, ages: false)
                    #expect(try Interface(named: "bh-lab-b").xdp == .native)
                    #expect(sink.arrived.frames == 0)
                }
                #expect(try Interface(named: "bh-lab-b").xdpProgram == 0)
            }
        }
    }
}
