// SPDX-License-Identifier: Apache-2.0
import API
import Policy
import Testing

@testable import Control

@Suite("The API in the configuration") struct APIConfigurations {
    private func read(_ text: String) throws -> APISettings {
        try Configuration.read("pairs: [{name: e, ports: [a, b]}]\n" + text, file: "/etc/bulkhead/b.yaml").api
    }

    @Test func `what is absent has its default`() throws {
        let settings = try read("socket: /run/b.sock")
        #expect(settings == APISettings(socket: "/run/b.sock"))
        #expect(settings.roles == nil && settings.tls == nil && settings.group == nil)
    }

    @Test func `a server for other machines has an address and three files`() throws {
        let settings = try read(
            "api: {group: 990, tls: {listen: '[2001:db8::1]:8443', certificate: tls/a.pem, key: /k.pem, client-ca: c.pem}, limits: {connections: 10, documents: 100000000}}"
        )
        #expect(settings.group == "990" && settings.limits.connections == 10 && settings.limits.reading == 100_000_000)
        #expect(
            settings.tls
                == .init(
                    host: "2001:db8::1", port: 8443, certificate: "/etc/bulkhead/tls/a.pem", key: "/k.pem",
                    clientAuthority: "/etc/bulkhead/c.pem"))
    }

    @Test func `roles bind users, groups and certificates`() throws {
        let roles = try read(
            """
            roles:
              - {role: administrator, users: [root, 1000]}
              - {role: editor, namespaces: [shop, bank], tiers: [tenant], certificates: ["spiffe://x/shop", "CN=a,O=b"]}
              - {role: operator, groups: [netops]}
            """
        ).roles
        #expect(
            roles == [
                RoleBinding(.administrator, users: ["root", "1000"]),
                RoleBinding(
                    .editor, edits: [.init(namespace: "shop", tiers: ["tenant"]), .init(namespace: "bank", tiers: ["tenant"])],
                    certificates: ["spiffe://x/shop", "CN=a,O=b"]), RoleBinding(.operator, groups: ["netops"]),
            ])
    }

    @Test(arguments: [
        ("roles: [{role: viewer, users: [a]}]", "roles has no administrator"),
        ("roles: [{role: administrator}]", "the role has nobody"),
        ("roles: [{role: king, users: [a]}]", "king"), ("roles: [{role: editor, users: [a]}]", "namespaces"),
        ("roles: [{role: editor, namespaces: [], users: [a]}]", "an editor has no namespace"),
        ("roles: [{role: operator, tiers: [a], users: [a]}]", "tiers bounds editors"),
        ("roles: [{role: administrator, certificates: [alice]}]", "is no subject of a certificate"),
        ("roles: [{role: administrator, users: ['a b']}]", "is no name of a user or group"),
        ("api: {tls: {listen: 'host:1', certificate: a, key: b, client-ca: c}}", "\"host\" is no address"),
        ("api: {tls: {listen: '192.0.2.1', certificate: a, key: b, client-ca: c}}", "is no address with a port"),
        ("api: {tls: {listen: '192.0.2.1:0', certificate: a, key: b, client-ca: c}}", "is no address with a port"),
        ("api: {tls: {listen: '2001:db8::1:8443', certificate: a, key: b, client-ca: c}}", "is no address"),
        ("api: {tls: {listen: '192.0.2.1:1', certificate: a, key: b}}", "client-ca"),
        ("api: {limits: {connections: 0}}", "connections"), ("api: {colour: red}", "colour"),
    ])
    func `what is wrong is told with its place`(text: String, message: String) throws {
        let error = try #require(throws: PolicyError.self) { _ = try read(text) }
        #expect("\(error)".contains(message) && error.place.line == 2, "\(error)")
    }
}
