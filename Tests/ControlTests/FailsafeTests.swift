// SPDX-License-Identifier: Apache-2.0
import Compiler
import Control
import Net
import Policy
import Testing

@Suite("Failsafe in the configuration") struct FailsafeTests {
    private static let head = "pairs: [{name: edge, ports: [left, right]}]\nzones: {mgmt: {port: left}}\n"

    private func read(_ text: String) throws -> Failsafe {
        try Configuration.read(Self.head + text, file: "/b.yaml").failsafe
    }

    @Test func `without a word nothing stays open`() throws {
        for text in ["", "failsafe: {}\n"] {
            let failsafe = try read(text)
            #expect(failsafe.addresses.isEmpty && failsafe.box.isEmpty && failsafe.transit.isEmpty)
        }
    }

    @Test func `where an address of the box is named, and no services, the ways to manage it stay open`() throws {
        let named = try read("failsafe: {addresses: [192.0.2.1]}\n")
        #expect(named.box.map(\.name) == ["management"] && named.box[0].services.map { $0.text ?? "" } == ["tcp/22"])
        #expect(try read("failsafe: {addresses: [192.0.2.1], box: []}\n").box.isEmpty)
        let tls = "api: {tls: {listen: \"192.0.2.7:8443\", certificate: c.pem, key: k.pem, client-ca: a.pem}}\n"
        let served = try read(tls)
        #expect(served.addresses.map(\.description) == ["192.0.2.7/32"])
        #expect(served.box[0].services.map { $0.text ?? "" } == ["tcp/22", "tcp/8443"])
        #expect(try read(tls + "failsafe: {addresses: [192.0.2.1]}\n").addresses.count == 2)
        #expect(try read(tls.replacing("192.0.2.7:", with: "0.0.0.0:")).box.isEmpty)
    }

    @Test func `both lists are read, with blocks and zones`() throws {
        let failsafe = try read(
            """
            failsafe:
              addresses: [192.0.2.1, "2001:db8::1"]
              box:
                - {name: ssh, services: [tcp/22, icmp/8], from: [10.0.0.0/8, mgmt]}
              transit:
                - {name: dns, services: [udp/53], to: [192.0.2.53]}
                - {name: everything-from-here, services: [tcp], from: [mgmt]}
            """)
        #expect(failsafe.addresses.map(\.description) == ["192.0.2.1/32", "2001:db8::1/128"])
        // A list of blocks and zones means any of them, a term all of its fields.
        #expect(failsafe.box.map(\.name) == ["ssh", "ssh"])
        #expect(failsafe.box.map { $0.services.map { $0.text ?? "" } } == [["tcp/22", "icmp/8"], ["tcp/22", "icmp/8"]])
        #expect(failsafe.box.map { $0.from?.cidrs?.map(\.description) } == [["10.0.0.0/8"], nil])
        #expect(failsafe.box.map { $0.from?.zones } == [nil, ["mgmt"]])
        #expect(failsafe.transit.map(\.name) == ["dns", "everything-from-here"])
        #expect(failsafe.transit[0].from == nil && failsafe.transit[0].to?.cidrs?.map(\.description) == ["192.0.2.53/32"])
        #expect(failsafe.transit[1].services.map { $0.text ?? "" } == ["tcp"])
    }

    @Test func `tunnels stay open only where they are named`() throws {
        let wide = try read("failsafe: {transit: [{name: a, services: [udp]}]}\n").transit[0].services
        #expect(wide.map { $0.text ?? "" } == ["udp/0-4788", "udp/4790-6080", "udp/6082-65535"])
        let named = try read("failsafe: {transit: [{name: a, services: [vxlan, udp/4000-5000]}]}\n").transit[0].services
        #expect(named.map { $0.text ?? "" } == ["udp/4789", "udp/4000-5000"])
        let any = try read("failsafe: {transit: [{name: a, services: [any]}]}\n").transit[0].services
        for tunnel in Tunnels.all { #expect(!any.contains { $0.first <= tunnel.range.first && tunnel.range.first < $0.end }) }
    }

    @Test(arguments: [
        ("failsafe: [ssh]\n", 3, 11, "failsafe must be a mapping"),
        ("failsafe: {boxes: []}\n", 3, 12, "failsafe has no key \"boxes\""),
        ("failsafe: {addresses: [mgmt]}\n", 3, 24, "\"mgmt\" is no address"),
        ("failsafe: {box: [{name: ssh, services: [tcp/22]}]}\n", 3, 12, "names no address of it"),
        ("failsafe: {transit: [{services: [tcp/22]}]}\n", 3, 22, "needs the key \"name\""),
        ("failsafe: {transit: [{name: a b, services: [tcp/22]}]}\n", 3, 29, "is no name"),
        ("failsafe: {transit: [{name: a}]}\n", 3, 22, "needs the key \"services\""),
        ("failsafe: {transit: [{name: a, services: []}]}\n", 3, 42, "services is empty"),
        ("failsafe: {transit: [{name: a, services: [ssh]}]}\n", 3, 43, "services by protocol and numbers, not \"ssh\""),
        ("failsafe: {transit: [{name: a, services: [tcp/70000]}]}\n", 3, 43, "\"tcp/70000\" is no service"),
        ("failsafe: {transit: [{name: a, services: [tcp/1], from: []}]}\n", 3, 57, "from is empty"),
        ("failsafe: {transit: [{name: a, services: [tcp/1], from: [mgnt]}]}\n", 3, 58, "did you mean \"mgmt\"?"),
        ("failsafe: {transit: [{name: a, services: [tcp/1], to: [lan]}]}\n", 3, 56, "no zone that the configuration places"),
        ("failsafe: {transit: [{name: a, services: [tcp/1], port: 1}]}\n", 3, 51, "has no key \"port\""),
        (
            "failsafe: {addresses: [192.0.2.1], box: [{name: a, services: [tcp/1], to: [mgmt]}]}\n", 3, 71, "has no key \"to\""
        ),
        (
            "failsafe:\n  transit:\n  - {name: a, services: [tcp/1]}\n  - {name: a, services: [tcp/2]}\n", 6, 12,
            "opening \"a\" is there twice"
        ),
    ])
    func `what is not understood is refused in its place`(text: String, line: Int, column: Int, message: String) throws {
        let error = #expect(throws: PolicyError.self) { try read(text) }
        #expect(error?.place == Place(file: "/b.yaml", line: line, column: column), "\(error?.description ?? "")")
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }
}
